/* SPDX-License-Identifier: MIT */
/*
 * Whoever has a range of uids, subuid(5), can be very many askers of one name. So it is kept for
 * each stem which number came last, and each name is looked for about once.
 */
#include "block-names.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "denials.h"

/* What "-65537" takes: there are no more blocks than denials. */
#define NUMBER_BYTES 6

_Static_assert(DENIALS_MAX <= 99999, "a number of a block must fit");

struct block_name {
	unsigned int number; /* of a stem: the last one that was tried */
	char text[POLICY_CLIENT_NAME_MAX + 1];
};

static int names_compare(const void *a, const void *b)
{
	return strcmp(((const struct block_name *)a)->text, ((const struct block_name *)b)->text);
}

/* The name, added when it was not there; NULL: out of memory. */
static struct block_name *name_find(void **tree, const char *text, bool *is_new)
{
	struct block_name *name = calloc(1, sizeof(*name)), *const * found;

	if (name == NULL)
		return NULL;
	name->number = 1;
	snprintf(name->text, sizeof(name->text), "%s", text);
	found = tsearch(name, tree, names_compare);
	*is_new = found != NULL && *found == name;
	if (!*is_new)
		free(name);
	return found != NULL ? *found : NULL;
}

int block_name_make(
	struct block_names *names, const char *wanted, char name[static POLICY_CLIENT_NAME_MAX + 1])
{
	char text[POLICY_CLIENT_NAME_MAX + 1];
	struct block_name *stem;
	bool is_new;

	snprintf(name, POLICY_CLIENT_NAME_MAX + 1, "%s", wanted);
	if (name_find(&names->names, name, &is_new) == NULL)
		return -ENOMEM;
	if (is_new)
		return 0;
	/* Of one stem for all numbers, so that two stems never lead to the same name. */
	snprintf(text, sizeof(text), "%.*s", (int)POLICY_CLIENT_NAME_MAX - NUMBER_BYTES, wanted);
	stem = name_find(&names->stems, text, &is_new);
	if (stem == NULL)
		return -ENOMEM;
	do {
		snprintf(name, POLICY_CLIENT_NAME_MAX + 1, "%.*s-%u",
			(int)POLICY_CLIENT_NAME_MAX - NUMBER_BYTES, text, ++stem->number);
		if (name_find(&names->names, name, &is_new) == NULL)
			return -ENOMEM;
	} while (!is_new);
	return 0;
}

void block_names_release(struct block_names *names)
{
	tdestroy(names->names, free);
	tdestroy(names->stems, free);
}
