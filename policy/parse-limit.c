/* SPDX-License-Identifier: MIT */
/*
 * limit lines: how much whoever the block is for may have at once. Several amounts may stand on a
 * line, and several lines in a block; of those of a kind the smallest counts.
 */
#include "parse.h"

#define LIMIT_FORM "write: limit sessions N requests N/s unread N"

enum amount_kind { AMOUNT_SESSIONS, AMOUNT_REQUESTS, AMOUNT_UNREAD, AMOUNT_COUNT };

static const char *const amount_words[AMOUNT_COUNT] = {
	[AMOUNT_SESSIONS] = "sessions", [AMOUNT_REQUESTS] = "requests", [AMOUNT_UNREAD] = "unread"};

static uint32_t *amount_of(struct policy_quota *quota, enum amount_kind kind)
{
	switch (kind) {
	case AMOUNT_SESSIONS:
		return &quota->sessions;
	case AMOUNT_REQUESTS:
		return &quota->requests;
	default:
		return &quota->unread;
	}
}

/* The number of a word, without "/s" where that belongs there. 0: reported. */
static uint32_t number_read(struct parser *parser, const struct word *word, uint32_t length)
{
	uint32_t number = 0;
	if (!number_parse(word->bytes, length, UINT32_MAX - 1, &number))
		report_word(parser, word, LIMIT_FORM, "'%s' is no number from 1 to 4294967294",
			word_quote(word).text);
	else if (!number)
		report_word(parser, word,
			"write at least 1; who is to have nothing needs no client block",
			"with a limit of 0 nobody is ever served");
	return number;
}

/*
 * The amount behind the keyword at *at, which moves on to its last word: "100/s" has its unit glued
 * or as a word of its own. 0: reported.
 */
static uint32_t amount_parse(struct parser *parser, uint32_t *at, enum amount_kind kind)
{
	const struct word *words = parser->line.words.items;
	uint32_t count = parser->line.words.count;
	if (++*at == count) {
		set_report(parser->set, POLICY_ERROR, &parser->line.end, LIMIT_FORM,
			"'%s' without its number", amount_words[kind]);
		return 0;
	}
	const struct word *word = &words[*at];
	if (kind != AMOUNT_REQUESTS)
		return number_read(parser, word, word->length);
	uint32_t slash = word_find(word, 0, '/');
	bool is_rate = word->length - slash == 2 && word->bytes[slash + 1] == 's';
	if (slash == word->length && *at + 1 < count && word_is(&words[*at + 1], "/s")) {
		is_rate = true;
		++*at;
	}
	if (is_rate)
		return number_read(parser, word, slash);
	report_word(parser, word, "write so many per second: requests 100/s", "'%s' is no rate",
		word_quote(word).text);
	return 0;
}

void limit_parse(struct parser *parser)
{
	const struct word *words = parser->line.words.items;
	struct policy_quota *quota = &parser->set->clients.items[parser->client].quota;
	if (parser->line.words.count == 1)
		set_report(
			parser->set, POLICY_ERROR, &parser->line.end, LIMIT_FORM, "'limit' what?");
	for (uint32_t at = 1; at < parser->line.words.count; at++) {
		const struct word *word = &words[at];
		uint8_t kind;
		if (word->is_quoted) {
			report_word(parser, word, "remove the quotes", "a quoted word is no limit");
			return;
		}
		if (!word_choose(parser, word, 0, word->length, "limit", amount_words, AMOUNT_COUNT,
			    &kind))
			return;
		uint32_t number = amount_parse(parser, &at, kind);
		if (!number)
			return;
		uint32_t *amount = amount_of(quota, kind);
		*amount = number < *amount ? number : *amount;
	}
}
