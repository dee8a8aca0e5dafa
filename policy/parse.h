/* SPDX-License-Identifier: MIT */
/* The parser's parts: files and blocks (parse.c), lines of a block, endpoints, options. */
#pragma once

#include "scan.h"

struct parser {
	struct policy_set *set;
	struct scanner scanner;
	struct line line;
	uint32_t client; /* the block that is open, or NONE */
	bool is_client_valid;
};

/* Reports an error at a word, or at a part of it. */
#define report_word(parser, word, remedy, ...)                                                     \
	set_report((parser)->set, POLICY_ERROR, &(word)->where, remedy, __VA_ARGS__)
#define report_part(parser, word, first, length, remedy, ...)                                      \
	do {                                                                                       \
		struct span part_ = word_part((parser)->set, word, first, length);                 \
		set_report((parser)->set, POLICY_ERROR, &part_, remedy, __VA_ARGS__);              \
	} while (0)

/* Says at a word that its meaning comes later. */
void report_unsupported(struct parser *parser, const struct word *word, const char *what);

/* Reports an unknown word, with the one that was probably meant or else the general remedy. */
void report_unknown(struct parser *parser, const struct span *where, const char *bytes,
	size_t length, const char *what, const char *const *known, size_t known_count,
	const char *remedy);

/* Decimal digits alone, of at most `max`. */
bool number_parse(const char *bytes, size_t length, uint32_t max, uint32_t *number);

/* The place of the byte in the word from `first` on, or the word's length. */
uint32_t word_find(const struct word *word, uint32_t first, char byte);

/* ---- parse-from.c ---- */
void from_parse(struct parser *parser);

/* Reports what is wrong with a block as a whole, once it is closed. */
void client_check(struct parser *parser);

/* A user or group: digits are an id, anything else is a name to ask for. */
bool principal_parse(struct parser *parser, const struct word *word, uint32_t first,
	uint32_t length, enum policy_name_kind kind, struct principal *principal);

/* ---- parse-rule.c ---- */
void rule_parse(struct parser *parser, enum effect effect);

/* ---- parse-endpoint.c ---- */

/* Parses what follows "tcp:" or "udp:" in the word. */
bool endpoint_parse(
	struct parser *parser, const struct word *word, bool is_bind, struct object *object);

/* Checks the form of the endpoints that have no meaning yet. */
bool other_endpoint_parse(struct parser *parser, const struct word *word, enum object_kind kind);

/* ---- parse-option.c ---- */

/* Parses options from the word on to the end of the line into the rule. */
bool rule_options_parse(
	struct parser *parser, uint32_t first_word, uint32_t objects, struct rule *rule);

/* Whether an option begins with this word. */
bool word_is_option(const struct word *word);

void limit_parse(struct parser *parser);
