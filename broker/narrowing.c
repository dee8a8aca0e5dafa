/* SPDX-License-Identifier: MIT */
/*
 * Keeping sets of limits; see narrowing.h.
 *
 * Must never: interpret what is in a set, or take one away.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "narrowing.h"

/* Does the text end in this set? */
static bool is_last(const struct narrowing *narrowing, const char *set, size_t length)
{
	const char *last;

	if (length >= narrowing->length)
		return false;
	last = narrowing->text + narrowing->length - (length + 1);
	return (last == narrowing->text || last[-1] == '\0') && memcmp(last, set, length) == 0;
}

int narrowing_add(struct narrowing *narrowing, const char *set, size_t length)
{
	char *text;

	if (is_last(narrowing, set, length))
		return 0;
	if (length >= FDBROKER_LIMITS_MAX - narrowing->length)
		return ENOSPC;
	text = realloc(narrowing->text, narrowing->length + length + 1);
	if (text == NULL)
		return ENOSPC;
	memcpy(text + narrowing->length, set, length);
	narrowing->text = text;
	narrowing->length += length + 1;
	text[narrowing->length - 1] = '\0';
	return 0;
}

int narrowing_copy(struct narrowing *to, const struct narrowing *from)
{
	*to = (struct narrowing){.text = NULL};
	if (from->length == 0)
		return 0;
	to->text = malloc(from->length);
	if (to->text == NULL)
		return -ENOMEM;
	memcpy(to->text, from->text, from->length);
	to->length = from->length;
	return 0;
}

void narrowing_free(struct narrowing *narrowing)
{
	free(narrowing->text);
	*narrowing = (struct narrowing){.text = NULL};
}

void narrowing_publish(const struct narrowing *narrowing, struct peers *peers, uint32_t slot)
{
	if (narrowing->length > 0)
		memcpy(peers->limits[slot], narrowing->text, narrowing->length);
	/* Nobody looks until a message says so: the connection is dealt, or the set is added. */
	peers->table[slot].limits_length = (uint32_t)narrowing->length;
}
