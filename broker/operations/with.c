/* SPDX-License-Identifier: MIT */
#include "with.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
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

/*
 * An address with a scope chooses the device again (inet6_bind() in net/ipv6/af_inet6.c). False:
 * another one than the rule's.
 */
static bool scope_is_of_device(int fd, uint32_t scope, const char *device)
{
	struct ifreq request = {.ifr_name = ""};

	if (scope == 0)
		return true;
	memcpy(request.ifr_name, device, strnlen(device, sizeof(request.ifr_name) - 1));
	return ioctl(fd, SIOCGIFINDEX, &request) == 0 && (uint32_t)request.ifr_ifindex == scope;
}

int with_apply(int fd, int domain, uint32_t scope, const struct policy_options *options)
{
	if (options->device != NULL && !scope_is_of_device(fd, scope, options->device))
		return EINVAL; /* as bind(2) says of a device that there is not */
	if (options->device != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->device,
					       (socklen_t)strlen(options->device) + 1) < 0)
		return errno;
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	for (size_t i = 0; i < sizeof(options_of) / sizeof(options_of[0]); i++)
		if ((options->with & options_of[i].bit) != 0 &&
			option_set(fd, domain, &options_of[i], 1) < 0)
			return errno;
	return 0;
}

void with_withdraw(int fd, const struct policy_options *options)
{
	if ((options->with & POLICY_WITH_TRANSPARENT) == 0)
		return;
	/* Of both: the socket may have become the other's (IPV6_ADDRFORM, ipv6(7)). */
	(void)option_set(fd, AF_INET, transparent, 0);
	(void)option_set(fd, AF_INET6, transparent, 0);
}
