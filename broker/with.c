/* SPDX-License-Identifier: MIT */
#include "with.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Each bit of enum policy_with as the two families have it; ip(7), ipv6(7), socket(7). */
static const struct {
	enum policy_with bit;
	struct {
		int level, name;
	} v4, v6;
} options_of[] = {
	{POLICY_WITH_FREEBIND, {IPPROTO_IP, IP_FREEBIND}, {IPPROTO_IPV6, IPV6_FREEBIND}},
	{POLICY_WITH_TRANSPARENT, {IPPROTO_IP, IP_TRANSPARENT}, {IPPROTO_IPV6, IPV6_TRANSPARENT}},
	{POLICY_WITH_REUSEPORT, {SOL_SOCKET, SO_REUSEPORT}, {SOL_SOCKET, SO_REUSEPORT}},
	{POLICY_WITH_V6ONLY, {0, 0}, {IPPROTO_IPV6, IPV6_V6ONLY}},
};

static bool is_transparent(int fd, int domain)
{
	int value = 0;
	socklen_t length = sizeof(value);

	if (domain == AF_INET6)
		(void)getsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &value, &length);
	else
		(void)getsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &value, &length);
	return value != 0;
}

int with_apply(struct with *with, int fd, int domain, const struct policy_options *options)
{
	const int on = 1;

	*with = (struct with){.fd = fd, .domain = domain};
	if (options->device != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->device,
					       (socklen_t)strlen(options->device) + 1) < 0)
		return errno;
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	if ((options->with & POLICY_WITH_TRANSPARENT) != 0)
		with->made_transparent = !is_transparent(fd, domain);
	for (size_t i = 0; i < sizeof(options_of) / sizeof(options_of[0]); i++) {
		int level = domain == AF_INET ? options_of[i].v4.level : options_of[i].v6.level;
		int name = domain == AF_INET ? options_of[i].v4.name : options_of[i].v6.name;

		if ((options->with & options_of[i].bit) != 0 && name != 0 &&
			setsockopt(fd, level, name, &on, sizeof(on)) < 0)
			return errno;
	}
	return 0;
}

void with_withdraw(const struct with *with)
{
	const int off = 0;

	if (!with->made_transparent)
		return;
	if (with->domain == AF_INET6)
		(void)setsockopt(with->fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &off, sizeof(off));
	else
		(void)setsockopt(with->fd, IPPROTO_IP, IP_TRANSPARENT, &off, sizeof(off));
}
