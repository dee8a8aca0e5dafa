/* SPDX-License-Identifier: MIT */
/* The parser's parts: files and blocks (parse.c), lines of a block, objects, options. */
#pragma once

#include "scan.h"

/*
 * A parser without a set reads one object for limit-endpoint.c: nothing is reported or kept, names
 * are left where they stand in the word, and what would have to be looked up is an error.
 */
struct parser {
	struct policy_set *set;
	uint32_t sought; /* without a set: the number that is looked for among the object's */
	bool is_found;
	struct scanner scanner;
	struct line line;
	uint32_t client; /* the block that is open, or NONE */
	bool is_client_valid;
	bool is_brace_due; /* it was missing in the line before, which has been said */
	bool is_grants;    /* what policy_grants_write() wrote: all of it is for the reader */
};

/* Reports an error at a word, or at a part of it. */
#define report_word(parser, word, remedy, ...)                                                     \
	set_report((parser)->set, POLICY_ERROR, &(word)->where, remedy, __VA_ARGS__)
#define report_part(parser, word, first, length, remedy, ...)                                      \
	do {                                                                                       \
		struct span part_ = word_part((parser)->set, word, first, length);                 \
		set_report((parser)->set, POLICY_ERROR, &part_, remedy, __VA_ARGS__);              \
	} while (0)

/* ---- parse-word.c ---- */

/* Reports an unknown word, with the one that was probably meant or else the general remedy. */
void report_unknown(struct parser *parser, const struct span *where, const char *bytes,
	size_t length, const char *what, const char *const *known, size_t known_count,
	const char *remedy);

/* Decimal digits alone, of at most `max`. */
bool number_parse(const char *bytes, size_t length, uint32_t max, uint32_t *number);

/* The place of the byte in the word from `first` on, or the word's length. */
uint32_t word_find(const struct word *word, uint32_t first, char byte);

/* Chooses one of the words that a part of the word may be; reports any other. */
bool word_choose(struct parser *parser, const struct word *word, uint32_t first, uint32_t length,
	const char *what, const char *const *choices, size_t count, uint8_t *chosen);

/* Decimal digits, and after them perhaps K, M or G: so many times 1024, its square, its cube. */
bool size_parse(const char *bytes, size_t length, uint32_t *size);

/* A stretch of a word that an error points at. */
struct part {
	const struct word *word;
	uint32_t first, length;
};

const char *part_bytes(const struct part *part);
struct quoted part_quote(const struct part *part);

/* Reports an error at it; always false. */
__attribute__((format(printf, 4, 5))) bool part_report(struct parser *parser,
	const struct part *part, const char *remedy, const char *format, ...);

/* Whether there are bytes in it, and all are of this sort. */
bool part_is(const struct part *part, bool (*accept)(char byte));
bool byte_is_digit(char byte);
bool byte_is_name(char byte);

/* Whether it is `*`, not written as an escape. */
bool part_is_star(const struct part *part);

/* ---- parse-from.c ---- */
void from_parse(struct parser *parser);

/* Ends a block of grants that has no `from`: it is for whoever reads it, so for anyone. */
void from_add_reader(struct parser *parser);

/* Reports what is wrong with a block as a whole, once it is closed. */
void client_check(struct parser *parser);

/* A user or group: digits are an id, anything else is a name to ask for. */
bool principal_parse(struct parser *parser, const struct word *word, uint32_t first,
	uint32_t length, enum policy_name_kind kind, struct principal *principal);

/* ---- parse-rule.c ---- */
void rule_parse(struct parser *parser, enum effect effect);

/* The verb of this name, or -1. */
int verb_find(const char *bytes, uint32_t length);

/* What an object is by its look; OBJECT_KIND_COUNT: none. */
enum object_kind object_find_kind(const struct word *word);

/* Reads the word as an object of its kind, which the verbs go with; none: for `deny all`. */
bool object_parse_kind(
	struct parser *parser, uint32_t verbs, const struct word *word, struct object *object);

/* ---- parse-hint.c ---- */

#define VERBS_ALL UINT32_MAX

/* A remedy. */
struct hint {
	char text[160];
};

/* The verb does not go with the kind; `kinds` are those of all objects of the line. */
struct hint hint_verb_object(enum policy_verb verb, enum object_kind kind, uint32_t kinds);

/* What the option goes with. */
struct hint hint_option(const char *option, uint32_t verbs, uint32_t objects);

/* The word stands where an object of these verbs belongs. */
struct hint hint_no_object(const struct word *word, uint32_t verbs);

/* ---- parse-host.c ---- */

/*
 * An address, `*`, or, unless it is for bind, a name: in lower case, but without a set as it is
 * written.
 */
bool host_parse(
	struct parser *parser, const struct part *host, bool is_bind, struct address *address);

/* Clears the bits below the prefix. Returns whether there were any. */
bool address_mask(struct address *address);

/* Reports what cannot be the name of an interface. */
bool device_check(struct parser *parser, const struct part *part);

/* ---- parse-endpoint.c ---- */

/* Parses what follows "tcp:" or "udp:" in the word. */
bool endpoint_parse(
	struct parser *parser, const struct word *word, bool is_bind, struct object *object);
bool vsock_parse(
	struct parser *parser, const struct word *word, bool is_socket, struct object *object);

/* ---- parse-socket.c ---- */

/* Adds a range to the object's numbers. */
bool range_add(struct parser *parser, struct object *object, const struct number_range *range);

bool raw_parse(struct parser *parser, const struct word *word, struct object *object);
bool netlink_parse(struct parser *parser, const struct word *word, struct object *object);

/* The interface that follows "tun:", "tap:" or "bindtodevice=", or `*`. */
bool device_parse(
	struct parser *parser, const struct word *word, uint32_t first, struct object *object);

/* NAME=VALUE */
bool setting_parse(struct parser *parser, const struct word *word, struct object *object);

/* ---- parse-option.c ---- */

/* Parses options from the word on to the end of the line into the rule. */
bool rule_options_parse(
	struct parser *parser, uint32_t first_word, uint32_t objects, struct rule *rule);

/* Whether an option begins with this word. */
bool word_is_option(const struct word *word);

/* ---- parse-limit.c ---- */
void limit_parse(struct parser *parser);
