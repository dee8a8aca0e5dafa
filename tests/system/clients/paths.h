/* SPDX-License-Identifier: MIT */
/*
 * The parts of the program `paths`: the two ways to do an operation, and the tree of files that it
 * is done to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "fdbroker.h"

/* Owner and mode are the policy's to say: its rules for these tests say the same. */
#define MODE_OF_NEW 0750

/* The calls, as they are in <fcntl.h> and the like; list gives a descriptor to read names from. */
struct way {
	int (*open)(const char *path, int flags);
	int (*stat)(const char *path, struct stat *status);
	int (*lstat)(const char *path, struct stat *status);
	int (*access)(const char *path, int mode);
	ssize_t (*readlink)(const char *path, char *text, size_t size);
	int (*mkdir)(const char *path);
	int (*unlink)(const char *path);
	int (*rmdir)(const char *path);
	int (*rename)(const char *path, const char *new_path);
	int (*list)(const char *path);
	int (*watch)(int inotify, const char *path, unsigned int mask);
};

/* With the system calls themselves. */
extern const struct way way_direct;
/* With the functions of the library. */
extern const struct way way_brokered;
/* What way_brokered asks. */
extern struct fdbroker *broker;

/* Every object below a folder: name, type, mode, owner, links, and content or target. */
struct tree {
	char **lines;
	size_t count;
};

/* As much as can be seen of it now. */
void tree_look(struct tree *tree, const char *root);
/* Prints what is gone with a "-" and what is new with a "+" before it, each indented. */
void tree_print_changes(const struct tree *before, const struct tree *after);
void tree_free(struct tree *tree);

/* Words joined by |, or a number. Ends the program at a word that is none of O_..., IN_..., X_OK. */
int number_from(const char *words);
