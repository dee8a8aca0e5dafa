/* SPDX-License-Identifier: MIT */
/* The command line of fdbrokerd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

#define OPTIONS_POLICIES_MAX 64

struct options {
	const char *policies[OPTIONS_POLICIES_MAX];
	size_t policy_count; /* 0: the drop-in folders */
	const char *socket;  /* NULL: passed by the service manager, else the built-in path */
	int workers;
	int log_level;
	enum log_format log_format;
	bool check;
};

/*
 * Parses the arguments. Returns -1 when the daemon is to go on; otherwise the exit status: 0 after
 * --help or --version, 64 (EX_USAGE) after saying on stderr which word is wrong and what would be
 * right.
 */
int options_parse(struct options *options, int argc, char **argv);
