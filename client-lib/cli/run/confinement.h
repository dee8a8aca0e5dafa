/* SPDX-License-Identifier: MIT */
/*
 * The Landlock rules of `fdbroker run --sandbox` and `--policy-only`: which folders the program can
 * get at by itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct confinement_wishes {
	const char *program; /* as the user named it: looked for as by execvp(3) */
	char **readable;
	char **writable;
	size_t readable_count, writable_count;
};

/*
 * Makes the rules: a descriptor for confinement_enter(), close-on-exec. Read and execute on the
 * system's folders and on the program's own, the harmless devices, /proc; everything on `writable`.
 * -1 after telling the user: a folder is not there, or this kernel has no Landlock.
 */
int confinement_make(const struct confinement_wishes *wishes);

/* In the child, which has no_new_privs and one thread. False, with errno, if the kernel refuses. */
bool confinement_enter(int confinement);
