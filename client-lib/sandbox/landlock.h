/* SPDX-License-Identifier: MIT */
/*
 * Landlock (landlock(7)) as far as fdbroker_sandbox() and `fdbroker run --sandbox` need it: this
 * process and its children lose every access to the file system but what a rule gives back, and TCP
 * bind, signals and abstract unix sockets to the outside where the kernel knows these. glibc 2.36
 * has no wrappers, so the system calls are made by number.
 *
 * TCP connect, which Linux 6.7 restricts too, is left alone: `fdbroker run` says that it does not
 * keep a program from the network, and fdbroker_sandbox() forbids connect(2) as a whole.
 *
 * Must never: leave out of a rule set another restriction that this kernel knows.
 */
#pragma once

#include <stdint.h>

/* What a rule gives back below a folder, or of one file. */
enum landlock_access {
	LANDLOCK_READ,   /* read, list, execute */
	LANDLOCK_WRITE,  /* everything: these, and write, create, remove, rename, truncate, ioctl */
	LANDLOCK_DEVICE, /* read, list, write, ioctl of what is there */
};

/* The version of Landlock (its ABI) of this kernel; 0 where it is missing or turned off. */
int landlock_version(void);

/*
 * The versions from which on something is restricted at all: landlock(7). What an older kernel
 * leaves open, the caller has to forbid otherwise, or say.
 */
enum {
	LANDLOCK_VERSION_REFER = 2,    /* moving to another folder can be allowed: Linux 5.19 */
	LANDLOCK_VERSION_TRUNCATE = 3, /* truncate(2) of files that are not open: Linux 6.2 */
	LANDLOCK_VERSION_BIND = 4,     /* TCP bind: Linux 6.7 */
	LANDLOCK_VERSION_IOCTL = 5,    /* ioctl(2) of devices that are opened later: Linux 6.10 */
	LANDLOCK_VERSION_SCOPES = 6,   /* signals and abstract unix sockets: Linux 6.12 */
};

struct landlock_rules {
	int fd;          /* for landlock_enter() */
	uint64_t rights; /* to files, that this kernel knows */
};

/* A rule set that forbids all of this. The caller closes its descriptor. 0; or -1 and errno. */
int landlock_new(struct landlock_rules *rules);

/* Gives back an access below the folder, or of the file, of an O_PATH descriptor. 0; or -1 and
   errno. */
int landlock_allow(const struct landlock_rules *rules, int fd, enum landlock_access access);

/* For this thread and its children. Wants no_new_privs (prctl(2)). 0; or -1 and errno. */
int landlock_enter(int fd);
