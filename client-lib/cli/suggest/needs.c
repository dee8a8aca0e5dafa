/* SPDX-License-Identifier: MIT */
/*
 * From denials to the words of rules. Names in one folder that differ in digits alone become one
 * pattern, in which a digit that differs stands for any digit, and nothing else does: so it has as
 * many bytes as the names have, and never reaches into another folder. Ports become a range only
 * where each port of it was asked for.
 *
 * Must never make a word that is wider than the needs it is for without saying so.
 */
#include "needs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write.h"

#define PATH_MISFIT                                                                                \
	"no rule can be for it: a path begins with a slash, has no empty, . or .. part, and is "   \
	"not "                                                                                     \
	"too long"

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

/* ---- collecting ---- */

static void need_add(struct needs *needs, const struct denial *denial, uint32_t verbs,
	const struct audit_text *object, const char *remark)
{
	struct need *need = &needs->items[needs->count];
	const char *why = wanted_read(&need->wanted, verbs, object->bytes, object->length);

	if (why == NULL && need->wanted.path != NULL &&
		!policy_write_path("", need->wanted.path, need->wanted.path_length, NULL, NULL))
		why = PATH_MISFIT;
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

/* ---- paths ---- */

static const char *path_prefix(const struct wanted *wanted)
{
	return wanted->is_socket ? "unix:" : "";
}

/* How many from the first on are a series with it. */
static size_t series_length(const struct need *needs, size_t count)
{
	size_t length = 1;

	while (length < count && needs[length].wanted.path != NULL &&
		needs_verbs(&needs[length]) == needs_verbs(&needs[0]) &&
		needs[length].wanted.is_socket == needs[0].wanted.is_socket &&
		needs[length].remark == needs[0].remark &&
		shapes_compare(&needs[length].wanted, &needs[0].wanted) == 0)
		length++;
	return length;
}

/* Flags the digits in which they differ. Returns how many these are. */
static unsigned int series_flag(const struct need *needs, size_t count, bool *digits)
{
	const struct wanted *first = &needs[0].wanted;
	unsigned int flagged = 0;

	for (size_t at = 0; at < first->path_length; at++) {
		digits[at] = false;
		for (size_t i = 1; i < count && !digits[at]; i++)
			digits[at] = needs[i].wanted.path[at] != first->path[at];
		flagged += digits[at];
	}
	return flagged;
}

/* What a pattern with so many digits matches besides. NULL in *wider: nothing. */
static int series_describe(
	const struct need *needs, size_t count, unsigned int digits, char **wider)
{
	uint64_t names = 1;
	size_t size;
	FILE *out;

	for (unsigned int i = 0; i < digits && i < 10; i++)
		names *= 10;
	*wider = NULL;
	if (names == count)
		return 0;
	out = open_memstream(wider, &size);
	if (out == NULL)
		return -ENOMEM;
	fprintf(out, "%zu of the ", count);
	if (digits < 10)
		fprintf(out, "%llu", (unsigned long long)names);
	else
		fprintf(out, "10^%u", digits);
	fputs(" names that it matches were asked for, from ", out);
	policy_write_comment(needs[0].wanted.path, needs[0].wanted.path_length, out);
	fputs(" to ", out);
	policy_write_comment(
		needs[count - 1].wanted.path, needs[count - 1].wanted.path_length, out);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* 1: it is written; 0: they are no series, or too long for one. */
static int series_word(struct word *word, const struct need *needs, size_t count, FILE *out)
{
	const struct wanted *first = &needs[0].wanted;
	bool digits[POLICY_PATH_MAX];
	unsigned int flagged;
	int r;

	word->need_count = series_length(needs, count);
	if (word->need_count < NEEDS_SERIES_MIN || first->path_length > sizeof(digits))
		return 0;
	flagged = series_flag(needs, word->need_count, digits);
	if (!policy_write_path(path_prefix(first), first->path, first->path_length, digits, out))
		return 0;
	r = series_describe(needs, word->need_count, flagged, &word->wider);
	return r < 0 ? r : 1;
}

static int path_word(
	struct word *word, const struct need *needs, size_t count, bool is_alone, FILE *out)
{
	const struct wanted *first = &needs[0].wanted;
	int r = is_alone ? 0 : series_word(word, needs, count, out);

	if (r != 0)
		return r < 0 ? r : 0;
	word->need_count = 1;
	policy_write_path(path_prefix(first), first->path, first->path_length, NULL, out);
	return 0;
}

/* ---- endpoints ---- */

/* 0 and the highest number of 32 bits mean any free port, and are no part of a range. */
static bool number_is_free(uint32_t number)
{
	return number == 0 || number == UINT32_MAX;
}

/* How many from the first on are of the same stem, and each one more than the one before. */
static size_t range_length(const struct need *needs, size_t count)
{
	uint32_t number = needs[0].wanted.endpoint.number;
	size_t length = 1;

	while (length < count && !number_is_free(number) &&
		needs[length].wanted.endpoint.number == number + 1 && !number_is_free(number + 1)) {
		length++;
		number++;
	}
	return length;
}

/* How many are of the same stem and verb as the first. */
static size_t stem_length(const struct need *needs, size_t count)
{
	const struct wanted *first = &needs[0].wanted;
	size_t length = 1;

	while (length < count && needs[length].wanted.path == NULL &&
		needs[length].wanted.verbs == first->verbs &&
		strcmp(needs[length].wanted.stem, first->stem) == 0)
		length++;
	return length;
}

static void ports_write(struct word *word, const struct need *needs, size_t count, FILE *out)
{
	for (unsigned int ranges = 0; word->need_count < count && ranges < NEEDS_RANGES_MAX;
		ranges++) {
		const struct need *first = &needs[word->need_count];
		size_t length = range_length(first, count - word->need_count);
		uint32_t number = first->wanted.endpoint.number;

		if (length < NEEDS_SERIES_MIN)
			length = 1;
		fprintf(out, "%s%u", ranges > 0 ? "," : "", number);
		if (length > 1)
			fprintf(out, "-%u", number + (uint32_t)length - 1);
		word->need_count += length;
	}
}

static int endpoint_word(
	struct word *word, const struct need *needs, size_t count, bool is_alone, FILE *out)
{
	const struct wanted *first = &needs[0].wanted;

	fputs(first->stem, out);
	word->need_count = 0;
	if (first->has_port)
		ports_write(word, needs, is_alone ? 1 : stem_length(needs, count), out);
	else
		word->need_count = 1;
	if (first->wider == NULL)
		return 0;
	word->wider = strdup(first->wider);
	return word->wider != NULL ? 0 : -ENOMEM;
}

/* ---- words ---- */

int needs_word(struct word *word, const struct need *needs, size_t count, bool is_alone)
{
	size_t size;
	FILE *out;
	int r;

	*word = (struct word){.needs = needs, .verbs = needs_verbs(needs)};
	out = open_memstream(&word->text, &size);
	if (out == NULL)
		return -ENOMEM;
	r = needs[0].wanted.path != NULL ? path_word(word, needs, count, is_alone, out)
					 : endpoint_word(word, needs, count, is_alone, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		word_release(word);
	return r;
}

void word_release(struct word *word)
{
	free(word->text);
	free(word->wider);
	word->text = word->wider = NULL;
}
