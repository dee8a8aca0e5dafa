/* SPDX-License-Identifier: MIT */
#include "with.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct number {
	int level, name;
};

/* Each bit of enum policy_with as the two families have it; ip(7), ipv6(7), socket(7). */
static const struct option {
	enum policy_with bit;
	struct number v4, v6;
} options_of[] = {
	{POLICY_WITH_TRANSPARENT, {IPPROTO_IP, IP_TRANSPARENT}, {IPPROTO_IPV6, IPV6_TRANSPARENT}},
	{POLICY_WITH_FREEBIND, {IPPROTO_IP, IP_FREEBIND}, {IPPROTO_IPV6, IPV6_FREEBIND}},
	{POLICY_WITH_REUSEPORT, {SOL_SOCKET, SO_REUSEPORT}, {SOL_SOCKET, SO_REUSEPORT}},
	{POLICY_WITH_V6ONLY, {0, 0}, {IPPROTO_IPV6, IPV6_V6ONLY}},
};
static const struct option *const transparent = &options_of[0];

/* Its name is 0 where the family has no such option. */
static struct number number_of(const struct option *option, int domain)
{
	return domain == AF_INET6 ? option->v6 : option->v4;
}

static int option_set(int fd, int domain, const struct option *option, int value)
{
	struct number number = number_of(option, domain);

	return number.name == 0 ? 0
				: setsockopt(fd, number.level, number.name, &value, sizeof(value));
}

static bool option_is_set(int fd, int domain, const struct option *option)
{
	struct number number = number_of(option, domain);
	int value = 0;
	socklen_t length = sizeof(value);

	(void)getsockopt(fd, number.level, number.name, &value, &length);
	return value != 0;
}

int with_apply(struct with *with, int fd, int domain, const struct policy_options *options)
{
	*with = (struct with){.fd = fd, .domain = domain};
	if (options->device != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->device,
					       (socklen_t)strlen(options->device) + 1) < 0)
		return errno;
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	if ((options->with & POLICY_WITH_TRANSPARENT) != 0)
		with->made_transparent = !option_is_set(fd, domain, transparent);
	for (size_t i = 0; i < sizeof(options_of) / sizeof(options_of[0]); i++)
		if ((options->with & options_of[i].bit) != 0 &&
			option_set(fd, domain, &options_of[i], 1) < 0)
			return errno;
	return 0;
}

void with_withdraw(const struct with *with)
{
	if (with->made_transparent)
		(void)option_set(with->fd, with->domain, transparent, 0);
}
