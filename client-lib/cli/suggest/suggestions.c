/* SPDX-License-Identifier: MIT */
/*
 * The text of what is suggested. Each rule is tried before it is printed, and must allow whoever
 * asked all that it is for; one that does not is no rule but a comment.
 *
 * Must never print a byte that somebody else chose but by policy/write.h, nor pass anything over in
 * silence: what was denied is in a rule, in a comment, or counted.
 */
#include "suggestions.h"

#include <errno.h>
#include <string.h>

#include "asker.h"
#include "block-names.h"
#include "caution.h"
#include "comments.h"
#include "trial.h"
#include "words.h"
#include "write.h"

/* Objects share a line up to here; one that is longer has a line of its own. */
#define LINE_COLUMNS 90u

/* What is being written. */
struct writer {
	FILE *out;
	const char *client; /* or NULL */
	struct block_names names;
	int error;
};

/* comment is "#", or "". */
static void block_begin(struct writer *writer, const struct asker *asker, const char *comment)
{
	char wanted[POLICY_CLIENT_NAME_MAX + 1], name[POLICY_CLIENT_NAME_MAX + 1];

	if (writer->client != NULL)
		snprintf(wanted, sizeof(wanted), "%s", writer->client);
	else
		asker_name(asker, wanted);
	if (block_name_make(&writer->names, wanted, name) < 0)
		writer->error = -ENOMEM;
	fprintf(writer->out, "%sclient ", comment);
	policy_write_word("", name, strlen(name), writer->out);
	fprintf(writer->out, " {\n%s", comment);
	asker_from(asker, writer->out);
}

/* ---- a line ---- */

static const char *word_caution(const struct rule_word *word)
{
	const char *caution = NULL;

	for (size_t i = 0; i < word->need_count && caution == NULL; i++)
		caution = caution_find(&word->needs[i].wanted);
	return caution;
}

/* What needs of one series have in common. */
static const char *word_remark(const struct rule_word *word)
{
	const char *remark = word->needs[0].remark;

	return remark != NULL ? remark : caution_remark(&word->needs[0].wanted);
}

/*
 * To create is needed only where there is no file, and the broker does not look for it before it may
 * be written. So the log has the one verb, and the next time both.
 */
static bool may_have_to_be_made(const struct rule_word *word)
{
	const uint32_t writes = POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND);

	return word->needs[0].wanted.path != NULL && (word->verbs & writes) != 0 &&
	       (word->verbs & POLICY_BIT(POLICY_CREATE)) == 0;
}

static void origin_write(struct writer *writer, const struct asker *asker,
	const struct rule_word *words, size_t count)
{
	int64_t first = AUDIT_NO_TIME, last = AUDIT_NO_TIME;
	uint64_t times = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < words[i].need_count; j++) {
			const struct need *need = &words[i].needs[j];

			times += need->count;
			if (first == AUDIT_NO_TIME ||
				(need->first_usec != AUDIT_NO_TIME && need->first_usec < first))
				first = need->first_usec;
			if (need->last_usec > last)
				last = need->last_usec;
		}
	}
	fputs("\t# ", writer->out);
	comment_often(times, first, last, writer->out);
	fputs(", ", writer->out);
	comment_asker(asker, writer->out);
	fputc('\n', writer->out);
}

/* No rule for it, but it is said. */
static void failure_write(struct writer *writer, const struct rule_word *word)
{
	fputs("\t# no rule serves it alone: ", writer->out);
	comment_verbs(word->verbs, writer->out);
	fputc(' ', writer->out);
	policy_write_comment(word->text, strlen(word->text), writer->out);
	fputc('\n', writer->out);
}

/* As writer->error has it too. */
static int serves(struct writer *writer, const struct asker *asker, const struct rule_word *words,
	size_t count)
{
	int r = rule_serves(asker, words, count);

	if (r < 0)
		writer->error = r;
	return r;
}

static void rule_line_write(struct writer *writer, const struct rule_word *words, size_t count)
{
	const char *caution = word_caution(&words[0]);

	if (words[0].wider != NULL)
		fprintf(writer->out, "\t# wider than what was seen: %s\n", words[0].wider);
	if (word_remark(&words[0]) != NULL)
		fprintf(writer->out, "\t# %s\n", word_remark(&words[0]));
	if (may_have_to_be_made(&words[0]))
		fputs("\t# if it may have to be made: create too\n", writer->out);
	if (caution != NULL)
		fprintf(writer->out, "\t# not granted lightly: %s\n", caution);
	fputs(caution != NULL ? "\t#" : "\t", writer->out);
	rule_write(words, count, writer->out);
}

/* Words of the same verbs; with more than one, none has anything to be said about it. */
static void line_write(struct writer *writer, const struct asker *asker,
	const struct rule_word *words, size_t count)
{
	int r = serves(writer, asker, words, count);

	if (r < 0)
		return;
	if (r == 0 && count > 1) {
		for (size_t i = 0; i < count; i++)
			line_write(writer, asker, &words[i], 1);
		return;
	}
	origin_write(writer, asker, words, count);
	if (r > 0)
		rule_line_write(writer, words, count);
	else
		failure_write(writer, &words[0]);
}

/* ---- the rules of a block ---- */

/* Words that wait for others to share their line. */
struct pending {
	struct rule_word words[32];
	size_t count, columns;
};

static bool word_is_alone(const struct rule_word *word)
{
	return word->wider != NULL || word_remark(word) != NULL || word_caution(word) != NULL;
}

static void pending_flush(struct writer *writer, const struct asker *asker, struct pending *pending)
{
	if (pending->count > 0)
		line_write(writer, asker, pending->words, pending->count);
	for (size_t i = 0; i < pending->count; i++)
		word_release(&pending->words[i]);
	pending->count = pending->columns = 0;
}

static void pending_add(struct writer *writer, const struct asker *asker, struct pending *pending,
	const struct rule_word *word)
{
	const size_t most = sizeof(pending->words) / sizeof(pending->words[0]);
	const size_t columns = strlen(word->text) + 1;
	const struct rule_word *first = &pending->words[0];

	if (pending->count > 0 &&
		(pending->count == most || word_is_alone(word) || word_is_alone(first) ||
			first->verbs != word->verbs || pending->columns + columns > LINE_COLUMNS))
		pending_flush(writer, asker, pending);
	if (pending->count == 0)
		pending->columns = 24; /* the tab, "allow", and the verbs */
	pending->words[pending->count++] = *word;
	pending->columns += columns;
}

/*
 * One word for as many of those that are alike as it serves. One that serves no pattern is a rule
 * for each: with fewer of them it is not tried again, or n names would take n attempts of up to n
 * names each.
 */
static int alike_write(struct writer *writer, const struct asker *asker, struct pending *pending,
	const struct need *needs, size_t count)
{
	struct rule_word word;
	bool is_each = false;
	int r;

	for (size_t at = 0; at < count; at += word.need_count) {
		r = word_make(&word, needs + at, is_each ? 1 : count - at);
		if (r == 0 && word.need_count > 1 && serves(writer, asker, &word, 1) <= 0) {
			word_release(&word);
			r = word_make(&word, needs + at, 1);
		}
		if (r < 0)
			return r;
		is_each = word.need_count == 1;
		pending_add(writer, asker, pending, &word);
	}
	return 0;
}

static int rules_write(struct writer *writer, const struct asker *asker, const struct needs *needs)
{
	struct pending pending = {.count = 0};
	size_t count;
	int r = 0;

	for (size_t at = 0; at < needs->count && r == 0; at += count) {
		count = needs_alike(needs->items + at, needs->count - at);
		r = alike_write(writer, asker, &pending, needs->items + at, count);
	}
	pending_flush(writer, asker, &pending);
	return r;
}

/* Whom no block is for could ask for nothing, so what it needs is still to be seen. */
static void skeleton_write(struct writer *writer, const struct asker *asker)
{
	block_begin(writer, asker, "#");
	fputs("#	allow  VERBS  OBJECTS\n#}\n", writer->out);
}

/* ---- all ---- */

/* How many from the first on are alike; at least itself. */
static size_t count_alike(struct denial *const *denials, size_t count)
{
	size_t alike = 1;

	while (alike < count && denials_are_alike(denials[0], denials[alike]))
		alike++;
	return alike;
}

/* What comes after the block, or in its place. */
static void comments_write(struct writer *writer, struct denial *const *denials, size_t count,
	const struct needs *needs)
{
	bool has_block = needs->count > 0;

	if (!has_block)
		fputc('\n', writer->out);
	for (size_t i = 0; i < needs->misfit_count; i++)
		comment_misfit(&needs->misfits[i], writer->out);
	for (size_t i = 0, alike; i < count; i += alike) {
		alike = count_alike(denials + i, count - i);
		if (denials[i]->is_mendable)
			continue;
		comment_other(denials + i, alike, writer->out);
		if (!has_block && audit_text_is(&denials[i]->why, "no-client"))
			skeleton_write(writer, denials[i]->asker);
	}
}

static int asker_write(struct writer *writer, struct denial *const *denials, size_t count)
{
	const struct asker *asker = denials[0]->asker;
	struct needs needs;
	int r = needs_collect(&needs, denials, count);

	if (r == 0 && needs.count > 0) {
		fputc('\n', writer->out);
		block_begin(writer, asker, "");
		r = rules_write(writer, asker, &needs);
		fputs("}\n", writer->out);
	}
	if (r == 0)
		comments_write(writer, denials, count, &needs);
	needs_release(&needs);
	return r;
}

static void head_write(const struct denials *denials, FILE *out)
{
	uint64_t mendable = 0;

	for (size_t i = 0; i < denials->count; i++)
		mendable += denials->items[i]->is_mendable ? denials->items[i]->count : 0;
	fprintf(out, "# Suggested from %llu denial%s, of which %llu %s for want of a rule.\n",
		(unsigned long long)denials->total, denials->total == 1 ? "" : "s",
		(unsigned long long)mendable, mendable == 1 ? "was" : "were");
	if (mendable > 0)
		fputs("# Look at each line before you paste it: whoever asked chose the names, and "
		      "what a program\n# asks for is not always what it should have.\n",
			out);
	if (denials->by_syslog > 0)
		fprintf(out,
			"# %llu of them came as lines of syslog: anybody who may write to that log "
			"could have written\n# these. The journal (journalctl -o json) says who "
			"wrote "
			"what.\n",
			(unsigned long long)denials->by_syslog);
	if (denials->beyond > 0)
		fprintf(out,
			"# There is more: %llu denials of still other names are not among these. "
			"Ask for less\n# at once, with --client or --since.\n",
			(unsigned long long)denials->beyond);
}

int suggestions_write(struct denials *denials, const char *client, FILE *out)
{
	struct writer writer = {.out = out, .client = client};
	size_t first = 0;
	int r = 0;

	denials_sort(denials);
	head_write(denials, out);
	while (first < denials->count && r == 0 && writer.error == 0) {
		size_t end = first + 1;

		while (end < denials->count &&
			denials->items[end]->asker == denials->items[first]->asker)
			end++;
		r = asker_write(&writer, denials->items + first, end - first);
		first = end;
	}
	block_names_release(&writer.names);
	return r < 0 ? r : writer.error;
}
