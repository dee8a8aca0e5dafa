/* SPDX-License-Identifier: MIT */
/*
 * The flags of open(2) by their names, for the clients that are told what to open.
 */
#pragma once

#include <fcntl.h>

struct flag {
	const char *name;
	int value;
};

static const struct flag open_flags[] = {
	{"O_RDONLY", O_RDONLY},
	{"O_WRONLY", O_WRONLY},
	{"O_RDWR", O_RDWR},
	{"O_ACCMODE", O_ACCMODE},
	{"O_CREAT", O_CREAT},
	{"O_EXCL", O_EXCL},
	{"O_TRUNC", O_TRUNC},
	{"O_APPEND", O_APPEND},
	{"O_NONBLOCK", O_NONBLOCK},
	{"O_DIRECTORY", O_DIRECTORY},
	{"O_NOFOLLOW", O_NOFOLLOW},
	{"O_CLOEXEC", O_CLOEXEC},
	{"O_SYNC", O_SYNC},
	{"O_PATH", O_PATH},
	{"O_TMPFILE", O_TMPFILE},
	{"O_ASYNC", O_ASYNC},
	{"O_DIRECT", O_DIRECT},
	{"O_NOATIME", O_NOATIME},
};
