/* SPDX-License-Identifier: MIT */
/*
 * From needs to the words of rules. Names in one folder that differ in digits alone become one
 * pattern, in which a digit that differs stands for any digit, and nothing else does: so it has as
 * many bytes as the names have, and never reaches into another folder. Ports become a range only
 * where each port of it was asked for.
 *
 * Must never make a word that is wider than the needs it is for without saying so.
 */
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write.h"

/* ---- paths ---- */

static const char *path_prefix(const struct wanted *wanted)
{
	return wanted->is_socket ? "unix:" : "";
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
static int series_word(struct rule_word *word, const struct need *needs, size_t count, FILE *out)
{
	const struct wanted *first = &needs[0].wanted;
	bool digits[POLICY_PATH_MAX];
	unsigned int flagged;
	int r;

	if (count < WORD_SERIES_MIN || first->path_length > sizeof(digits))
		return 0;
	flagged = series_flag(needs, count, digits);
	if (!policy_write_path(path_prefix(first), first->path, first->path_length, digits, out))
		return 0;
	word->need_count = count;
	r = series_describe(needs, count, flagged, &word->wider);
	return r < 0 ? r : 1;
}

static int path_word(struct rule_word *word, const struct need *needs, size_t count, FILE *out)
{
	const struct wanted *first = &needs[0].wanted;
	int r = series_word(word, needs, count, out);

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

static void ports_write(struct rule_word *word, const struct need *needs, size_t count, FILE *out)
{
	for (unsigned int ranges = 0; word->need_count < count && ranges < WORD_RANGES_MAX;
		ranges++) {
		const struct need *first = &needs[word->need_count];
		size_t length = range_length(first, count - word->need_count);
		uint32_t number = first->wanted.endpoint.number;

		if (length < WORD_SERIES_MIN)
			length = 1;
		fprintf(out, "%s%u", ranges > 0 ? "," : "", number);
		if (length > 1)
			fprintf(out, "-%u", number + (uint32_t)length - 1);
		word->need_count += length;
	}
}

static int endpoint_word(struct rule_word *word, const struct need *needs, size_t count, FILE *out)
{
	const struct wanted *first = &needs[0].wanted;

	fputs(first->stem, out);
	word->need_count = 0;
	if (first->has_port)
		ports_write(word, needs, count, out);
	else
		word->need_count = 1;
	if (first->wider == NULL)
		return 0;
	word->wider = strdup(first->wider);
	return word->wider != NULL ? 0 : -ENOMEM;
}

/* ---- words ---- */

int word_make(struct rule_word *word, const struct need *needs, size_t count)
{
	size_t size;
	FILE *out;
	int r;

	*word = (struct rule_word){.needs = needs, .verbs = needs_verbs(needs)};
	out = open_memstream(&word->text, &size);
	if (out == NULL)
		return -ENOMEM;
	r = needs[0].wanted.path != NULL ? path_word(word, needs, count, out)
					 : endpoint_word(word, needs, count, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		word_release(word);
	return r;
}

void word_release(struct rule_word *word)
{
	free(word->text);
	free(word->wider);
	word->text = word->wider = NULL;
}
