/* SPDX-License-Identifier: MIT */
/*
 * The thread whose system call was trapped: its memory, its folders, its descriptors, by its thread
 * id. All of that can be another's by the time it has been read, or have been changed by a thread
 * beside it: so each thing is read once, notification_is_alive() is asked afterwards, and what was
 * read is what counts.
 *
 * Must never: write to the target.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a process sees which files: its root directory. The mount that it is on belongs to one mount
   namespace alone, mount_namespaces(7). */
struct place {
	uint64_t root_mount, root_inode;
};

/* That of this process. False, with errno: /proc is missing, or another pid namespace's (ESRCH). */
bool place_find_own(struct place *place);

/* Does the thread live there, and as this process's user? No is the answer in doubt. */
bool target_is_at(pid_t thread, const struct place *place);

/* Exactly size bytes. */
bool target_read(pid_t thread, uint64_t address, void *bytes, size_t size);

/* A path with its NUL. False too for one that is empty or too long for the kernel. */
bool target_read_path(pid_t thread, uint64_t address, char path[static PATH_MAX]);

/*
 * The name of a folder, as the kernel has it, without links: the working directory (AT_FDCWD) or
 * that of a descriptor. False if it has none.
 */
bool target_folder(pid_t thread, int dirfd, char name[static PATH_MAX]);

/* A duplicate of a descriptor of the thread's, which shares the description; close-on-exec. -1 if
   there is none or it cannot be had. */
int target_take_descriptor(pid_t thread, int fd);
