/* SPDX-License-Identifier: MIT */
/*
 * By the system calls themselves: libcap would be one more library for whoever links with
 * libfdbroker-sandbox.
 */
#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Without CAP_SETPCAP the bounding set stays (EPERM), which loses nothing: under no_new_privs
 * execve(2) adds no capability to those there are, and there are none. PR_CAPBSET_DROP is EINVAL
 * behind the last one that this kernel knows.
 */
static int empty_bounding_set(void)
{
	for (unsigned long capability = 0;; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
			continue;
		return errno == EPERM || (errno == EINVAL && capability > 0) ? 0 : -1;
	}
}

int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -1;
	if (empty_bounding_set() != 0)
		return -1;
	return (int)syscall(SYS_capset, &header, none);
}

/* An ambient one would be permitted and inheritable too: capabilities(7). */
bool capabilities_are_none(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	unsigned int any = 0;

	if (syscall(SYS_capget, &header, sets) != 0)
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= sets[i].effective | sets[i].permitted | sets[i].inheritable;
	return any == 0;
}
