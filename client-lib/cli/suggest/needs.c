/* SPDX-License-Identifier: MIT */
/*
 * From denials to what was needed: each thing once, with all verbs that were asked of it, in an
 * order in which what one word could be for is together.
 *
 * Must never drop a denial: what no rule can be for is a misfit.
 */
#include "needs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write.h"

static const char path_misfit[] = "no rule can be for it: a path begins with a slash, has no "
				  "empty, . or .. part, and is not too long";

/* What more a rename takes than what the log says: fdbroker.policy(5). */
static const char rename_remark[] =
	"stat as well: a rename may gain nothing, and who may create the new name may look at it";
static const char mkdir_remark[] =
	"it was to be made and not opened: to make a folder, add 'type directory'";

/* ---- order ---- */

uint32_t needs_verbs(const struct need *need)
{
	uint32_t verbs = need->wanted.verbs;

	if ((verbs & POLICY_BIT(POLICY_WRITE)) != 0)
		verbs &= ~POLICY_BIT(POLICY_APPEND);
	if ((verbs & (POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE) |
			     POLICY_BIT(POLICY_APPEND) | POLICY_BIT(POLICY_CREATE))) != 0)
		verbs &= ~POLICY_BIT(POLICY_STAT);
	return verbs;
}

static bool byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Where the last component begins. */
static size_t name_start(const struct wanted *wanted)
{
	const char *slash = memrchr(wanted->path, '/', wanted->path_length);

	return slash != NULL ? (size_t)(slash - wanted->path) + 1 : 0;
}

/* Order by bytes, in which every digit of the last component is like any other. */
static int shapes_compare(const struct wanted *a, const struct wanted *b)
{
	size_t a_name = name_start(a), b_name = name_start(b);
	size_t most = a->path_length < b->path_length ? a->path_length : b->path_length;

	for (size_t i = 0; i < most; i++) {
		unsigned char x = (unsigned char)a->path[i], y = (unsigned char)b->path[i];

		if (i >= a_name && byte_is_digit(a->path[i]))
			x = '0';
		if (i >= b_name && byte_is_digit(b->path[i]))
			y = '0';
		if (x != y)
			return x - y;
	}
	return (a->path_length > b->path_length) - (a->path_length < b->path_length);
}

static int paths_compare(const struct wanted *a, const struct wanted *b)
{
	size_t most = a->path_length < b->path_length ? a->path_length : b->path_length;
	int order = memcmp(a->path, b->path, most);

	return order != 0 ? order
			  : (a->path_length > b->path_length) - (a->path_length < b->path_length);
}

static int endpoints_compare(const struct wanted *a, const struct wanted *b)
{
	int order = strcmp(a->stem, b->stem);

	if (order != 0 || !a->has_port)
		return order;
	return (a->endpoint.number > b->endpoint.number) -
	       (a->endpoint.number < b->endpoint.number);
}

/* The same for two that are one thing; an endpoint under another verb is another thing. */
static int things_compare(const void *first, const void *second)
{
	const struct wanted *a = &((const struct need *)first)->wanted;
	const struct wanted *b = &((const struct need *)second)->wanted;

	if ((a->path != NULL) != (b->path != NULL))
		return (a->path == NULL) - (b->path == NULL);
	if (a->is_socket != b->is_socket)
		return a->is_socket - b->is_socket;
	if (a->path != NULL)
		return paths_compare(a, b);
	if (a->verbs != b->verbs)
		return a->verbs > b->verbs ? 1 : -1;
	return endpoints_compare(a, b);
}

/* Files first; then by verbs, so that those of one rule are together. */
static int needs_compare(const void *first, const void *second)
{
	const struct wanted *a = &((const struct need *)first)->wanted;
	const struct wanted *b = &((const struct need *)second)->wanted;
	uint32_t a_verbs = needs_verbs(first), b_verbs = needs_verbs(second);
	int order;

	if (a_verbs != b_verbs)
		return a_verbs > b_verbs ? 1 : -1;
	if (a->path != NULL && b->path != NULL && a->is_socket == b->is_socket) {
		order = shapes_compare(a, b);
		if (order != 0)
			return order;
	}
	return things_compare(first, second);
}

static bool needs_are_alike(const struct need *a, const struct need *b)
{
	if (needs_verbs(a) != needs_verbs(b) ||
		(a->wanted.path != NULL) != (b->wanted.path != NULL))
		return false;
	if (a->wanted.path == NULL)
		return a->wanted.verbs == b->wanted.verbs &&
		       strcmp(a->wanted.stem, b->wanted.stem) == 0;
	return a->wanted.is_socket == b->wanted.is_socket && a->remark == b->remark &&
	       shapes_compare(&a->wanted, &b->wanted) == 0;
}

size_t needs_alike(const struct need *needs, size_t count)
{
	size_t length = 1;

	while (length < count && needs_are_alike(&needs[0], &needs[length]))
		length++;
	return length;
}

/* ---- collecting ---- */

static void need_add(struct needs *needs, const struct denial *denial, uint32_t verbs,
	const struct audit_text *object, const char *remark)
{
	struct need *need = &needs->items[needs->count];
	const char *why = wanted_read(&need->wanted, verbs, object->bytes, object->length);

	if (why == NULL && need->wanted.path != NULL &&
		!policy_write_path("", need->wanted.path, need->wanted.path_length, NULL, NULL))
		why = path_misfit;
	if (why != NULL) {
		needs->misfits[needs->misfit_count++] = (struct misfit){denial, why};
		return;
	}
	need->count = denial->count;
	need->first_usec = denial->first_usec;
	need->last_usec = denial->last_usec;
	need->remark = remark;
	needs->count++;
}

static void denial_collect(struct needs *needs, const struct denial *denial)
{
	const uint32_t create = POLICY_BIT(POLICY_CREATE);

	if (denial->target.bytes == NULL) {
		need_add(needs, denial, denial->verbs, &denial->object,
			denial->verbs == create ? mkdir_remark : NULL);
		return;
	}
	need_add(needs, denial, POLICY_BIT(POLICY_REMOVE) | POLICY_BIT(POLICY_STAT),
		&denial->object, rename_remark);
	need_add(needs, denial, create, &denial->target, NULL);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == AUDIT_NO_TIME || (b != AUDIT_NO_TIME && b < a) ? b : a;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b; /* AUDIT_NO_TIME is before all times */
}

/* What the first was asked for, the second was asked for too. */
static void need_join(struct need *need, const struct need *same)
{
	/* A file that was opened too is none that was only to be made. */
	if (need->remark != same->remark)
		need->remark = need->remark == rename_remark || same->remark == rename_remark
				       ? rename_remark
				       : NULL;
	need->wanted.verbs |= same->wanted.verbs;
	need->count += same->count;
	need->first_usec = earlier(need->first_usec, same->first_usec);
	need->last_usec = later(need->last_usec, same->last_usec);
}

static void needs_join(struct needs *needs)
{
	size_t kept = 0;

	for (size_t i = 1; i < needs->count; i++) {
		if (things_compare(&needs->items[kept], &needs->items[i]) == 0)
			need_join(&needs->items[kept], &needs->items[i]);
		else
			needs->items[++kept] = needs->items[i];
	}
	if (needs->count > 0)
		needs->count = kept + 1;
}

int needs_collect(struct needs *needs, struct denial *const *denials, size_t count)
{
	*needs = (struct needs){.items = calloc(2 * count + 1, sizeof(*needs->items)),
		.misfits = calloc(2 * count + 1, sizeof(*needs->misfits))};
	if (needs->items == NULL || needs->misfits == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (denials[i]->is_mendable)
			denial_collect(needs, denials[i]);
	}
	qsort(needs->items, needs->count, sizeof(*needs->items), things_compare);
	needs_join(needs);
	qsort(needs->items, needs->count, sizeof(*needs->items), needs_compare);
	return 0;
}

void needs_release(struct needs *needs)
{
	free(needs->items);
	free(needs->misfits);
}
