/* SPDX-License-Identifier: MIT */
/* Words of policy text, each with its place in the file. */
#pragma once

#include "set.h"

struct word {
	struct span where;
	const char *bytes; /* quotes and escapes undone; not NUL-terminated */
	uint32_t length;
	bool is_quoted;      /* and so never a keyword */
	bool is_broken;      /* an error in it has been reported */
	const bool *escaped; /* which bytes were written as an escape; NULL: none */
};

/* A line after joining what `\` continues. */
struct line {
	LIST(struct word) words;
	bool is_broken;
	struct span end; /* where something is missing at its end */
};

struct scanner {
	struct policy_set *set;
	uint32_t file;
	const char *text;
	uint32_t length, offset;
	uint32_t line;
	bool has_reported_crlf;
};

void scanner_init(struct scanner *scanner, struct policy_set *set, uint32_t file);

/* Reads the next line into `line`, whose memory is reused. False: the text has ended. */
bool scanner_next(struct scanner *scanner, struct line *line);

/* Whether the word is this keyword. */
bool word_is(const struct word *word, const char *keyword);

/* Whether the byte stands there as itself, not by an escape. */
bool word_has(const struct word *word, uint32_t index, char byte);

/* Where in the file a part of the word stands. */
struct span word_part(
	const struct policy_set *set, const struct word *word, uint32_t first, uint32_t length);

/* What stands there, of the span's width, as it is in the file: with quotes and escapes. */
const char *span_text(const struct policy_set *set, const struct span *span);

struct quoted word_quote(const struct word *word);
