/* SPDX-License-Identifier: MIT */
/*
 * Settings and devices without which the kernel refuses what the policy grants, whoever asks it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "surroundings.h"

#define PING_GROUPS "/proc/sys/net/ipv4/ping_group_range"
#define TUN "/dev/net/tun"

/* icmp(7): the group of whoever makes a ping socket must be in a range; no capability helps. */
static void check_ping(void)
{
	_cleanup_close_ int fd = open(PING_GROUPS, O_RDONLY | O_CLOEXEC);
	unsigned int first, last, group = getegid();
	char text[64];
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (length <= 0)
		return;
	text[length] = '\0';
	if (sscanf(text, "%u %u", &first, &last) == 2 && (group < first || group > last))
		log_message(LOG_WARNING,
			"the policy grants icmp sockets, but the kernel does not: "
			"net.ipv4.ping_group_range is %u to %u, and group %u of fdbrokerd is to be "
			"in it: icmp(7)",
			first, last, group);
}

static void check_tun(void)
{
	_cleanup_close_ int fd = open(TUN, O_PATH | O_CLOEXEC);

	if (fd < 0)
		log_message(LOG_WARNING,
			"the policy grants tun or tap devices, but there is no " TUN ": %s",
			strerror(errno));
}

void surroundings_check(const struct policy_needs *needs)
{
	const uint32_t ping = POLICY_BIT(POLICY_ICMP) | POLICY_BIT(POLICY_ICMP6);
	const uint32_t devices = POLICY_BIT(POLICY_TUN) | POLICY_BIT(POLICY_TAP);

	if ((needs->allowed_kinds & ping) != 0)
		check_ping();
	if ((needs->allowed_kinds & devices) != 0)
		check_tun();
}
