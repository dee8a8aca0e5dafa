/* SPDX-License-Identifier: MIT */
/*
 * Something that `fdbroker exec` is to ask the broker for: one option of its command line.
 */
#pragma once

#include "cli.h"

struct wish {
	/* Returns the descriptor; or -1, errno, and the library's reason. */
	int (*ask)(struct fdbroker *broker, const struct wish *wish);
	char *object;     /* the endpoint, device or path */
	const char *name; /* in LISTEN_FDNAMES */
	int fd;           /* once it is fulfilled; else -1 */
	int flags;        /* of a file */
	int domain, type, protocol;
};

/*
 * Reads the option at argv[*next] and moves on. Returns 0; or EXIT_USAGE, after telling the user
 * what is wrong with it. The wish points into argv, where texts are cut at their ends.
 */
int wish_parse(struct wish *wish, char **argv, int *next);

/* Asks for it. False, after telling the user, if it is refused. */
bool wish_fulfil(struct fdbroker *broker, struct wish *wish);
