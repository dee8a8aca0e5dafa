/* SPDX-License-Identifier: MIT */
/*
 * openat2(2), for which glibc has no wrapper before 2.43. Like the system call: a descriptor, or -1
 * and errno. O_CLOEXEC is the caller's to ask for, as with openat(2).
 */
#pragma once

#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int openat2_at(
	int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}
