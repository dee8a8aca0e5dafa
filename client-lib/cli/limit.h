/* SPDX-License-Identifier: MIT */
/*
 * What the program that `fdbroker exec` becomes may still ask the broker for: the options --limit.
 */
#pragma once

#include "cli.h"

struct limits {
	struct fdbroker_limit *list;
	size_t count;
};

/*
 * Adds VERBS:OBJECT, which is cut at the colon; text may be NULL. list has room for it. Returns 0;
 * or EXIT_USAGE, after telling the user what is wrong with it.
 */
int limits_add(struct limits *limits, char *text);

/*
 * Narrows the connection, which must be this process's alone. Returns its descriptor, `first` or
 * beyond and to be inherited, as the one in the environment no longer is; or -1, after telling the
 * user why not.
 */
int limits_impose(const struct limits *limits, struct fdbroker *broker, int first);
