/* SPDX-License-Identifier: MIT */
/*
 * The absolute name of what a program asks for, as the policy wants it: without "." and "..".
 */
#pragma once

#include "target.h"

struct receiver;

struct name {
	char text[PATH_MAX];
	size_t length;
	bool wants_folder; /* it ended in "/", "/." or "/..": the text does not say so */
};

/*
 * dirfd and path are the thread's, as for openat(2). "//" and "." are dropped. What ".." leaves is
 * found by looking, as this process's user, and not told from the text: before it may stand a link.
 * False if it cannot be found or is too long, or if it is /proc, /sys or below: there the kernel
 * answers each process differently (proc(5)), and the broker would get its own.
 */
bool name_make(struct name *name, struct receiver *receiver, pid_t thread, int dirfd,
	const char *path);
