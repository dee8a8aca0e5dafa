/* SPDX-License-Identifier: MIT */
/*
 * The absolute name of what a program asks for, as the policy wants it: without "." and "..".
 */
#pragma once

#include "target.h"

struct name {
	char text[PATH_MAX];
	size_t length;
	bool wants_folder; /* it ended in "/", "/." or "/..": the text does not say so */
};

/* Does making the name of this path take a look at the file system, which may not answer? */
bool name_may_wait(const char *path);

/*
 * dirfd and path are the thread's, as for openat(2). "//" and "." are dropped. What ".." leaves is
 * found by looking, as this process's user, and not told from the text: before it may stand a link.
 * False if it cannot be found or is too long, or if it is /proc, /sys or below, or leads through
 * these: there the kernel answers each process differently (proc(5)), and the broker would get its
 * own.
 */
bool name_make(struct name *name, pid_t thread, int dirfd, const char *path);
