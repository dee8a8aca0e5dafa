/* SPDX-License-Identifier: MIT */
/*
 * Uids that our user namespace has no name for are shown as one and the same, user_namespaces(7).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "cleanup.h"
#include "nobody.h"

static uint32_t overflow_uid(void)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 65534;
	return (uint32_t)strtoul(text, NULL, 10);
}

bool uid_is_nobody(uint32_t uid)
{
	return uid == (uid_t)-1 || uid == overflow_uid();
}
