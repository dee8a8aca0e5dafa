/* SPDX-License-Identifier: MIT */
/* The parts of matching limits: sets and lines (limit.c), paths, endpoints. */
#pragma once

#include "asked.h"
#include "language.h"
#include "scan.h"

/* The names of the longest path, and `/` before each. */
#define LIMIT_NAMES_MAX ((POLICY_PATH_MAX + 1) / 2)

/*
 * Steps, each of a nanosecond or two, that may be taken to match a path with all lines of all sets:
 * some twenty times what a set that is full takes, if it was not made to take long.
 */
#define LIMIT_WORK_MAX (1u << 20)

/* One line, as far as it is the same for all kinds of objects. */
struct limit_line {
	struct word word;      /* the object, nothing in it an escape */
	enum object_kind kind; /* that all of its verbs go with */
	uint32_t named;        /* POLICY_BIT of the verbs as written */
	uint32_t granted;      /* with what they imply */
};

/* A path that is asked for. */
struct limit_path {
	const char *bytes;
	uint32_t name_count;
	uint16_t names[LIMIT_NAMES_MAX + 1]; /* where each begins, at its slash; and the end */
	uint32_t work;                       /* that may still be done */
};

/* False: nothing can be granted for it. */
bool limit_path_init(struct limit_path *path, const char *bytes, size_t length);

/*
 * Which verbs the line, whose object is a path or a unix socket, permits on the path. False: it is
 * not understood, *why tells. path may be NULL: it is only read.
 */
bool limit_path_read(const struct limit_line *line, struct limit_path *path, uint32_t *permitted,
	const char **why);

/* The same for all other objects. */
bool limit_endpoint_read(const struct limit_line *line, const struct asked *asked,
	uint32_t *permitted, const char **why);
