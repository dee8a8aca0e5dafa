/* SPDX-License-Identifier: MIT */
/* The words of a warning about a folder in which somebody unprivileged can place things. */
#pragma once

#include "set.h"
#include "trust.h"

struct unsafe_folder {
	const char *path;
	const char *owner; /* the name, or else the digits, as it can follow `as` */
	uint32_t mode;
	enum distrust distrust;
	bool is_one_of_many; /* a wildcard leads there, and to others' as well */
};

struct advice {
	char message[2 * sizeof(struct quoted) + 128];
	char remedy[2 * sizeof(struct quoted) + 128];
};

/* Of an object below %h. */
void advise_home(const struct object *object, struct advice *advice);

void advise_folder(
	const struct object *object, const struct unsafe_folder *folder, struct advice *advice);
