/* SPDX-License-Identifier: MIT */
/*
 * Files and blocks. A line that is in error is left out and the next one is parsed as if nothing
 * had happened, so that one run shows every error of a file.
 */
#include "parse.h"

#include "language.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool client_name_check(struct parser *parser, const struct word *word)
{
	for (uint32_t i = 0; i < word->length; i++) {
		uint8_t byte = (uint8_t)word->bytes[i];
		if (byte < 0x20 || byte == 0x7f) {
			report_part(parser, word, i, 1, "use a name that can stand in a log line",
				"a control character in the name of a client");
			return false;
		}
	}
	if (word->length && word->length <= POLICY_CLIENT_NAME_MAX)
		return true;
	report_word(
		parser, word, "use 1 to 64 bytes", "the client's name has %u bytes", word->length);
	return false;
}

static void client_check_duplicate(struct parser *parser, uint32_t number)
{
	struct policy_set *set = parser->set;
	const struct client *client = &set->clients.items[number];
	const struct client *first = &set->clients.items[set_client_first(set, number)];
	/* Blocks of several files may have one name, and grants do not show the files. */
	if (client == first || parser->is_grants)
		return;
	bool is_same_file = first->where.file == client->where.file;
	set_report(set, is_same_file ? POLICY_ERROR : POLICY_WARNING, &client->where,
		is_same_file
			? "give each block a name of its own; several blocks may match one peer"
			: "both blocks count; another name would tell them apart in the log",
		"client '%s' is also at %s:%u", text_quote(client->name, strlen(client->name)).text,
		set->files.items[first->where.file].name, first->where.line);
}

/* Adds the block even when its line is in error: the lines in it are to be parsed. */
static void client_open(struct parser *parser, const struct word *name, bool is_only)
{
	struct policy_set *set = parser->set;
	if (set->clients.count == POLICY_BLOCKS_MAX)
		set_report(set, POLICY_ERROR, &parser->line.words.items[0].where,
			"join blocks that have the same 'from'", "more than %u client blocks",
			POLICY_BLOCKS_MAX);
	bool is_valid = name && set->clients.count < POLICY_BLOCKS_MAX;
	const char *text = is_valid ? set_copy(set, name->bytes, name->length) : "";
	struct client *client = text ? set_append(set, clients) : NULL;
	if (!client)
		return;
	*client = (struct client){
		.where = name ? name->where : parser->line.words.items[0].where,
		.name = text,
		.is_only = is_only,
		.is_deniable = true,
		.is_instanced = true,
		.first_from = set->froms.count,
		.first_rule = set->rules.count,
		.first_deny = NONE,
		.quota = QUOTA_NONE,
	};
	parser->client = set->clients.count - 1;
	parser->is_client_valid = is_valid;
	if (is_valid)
		client_check_duplicate(parser, parser->client);
}

static void client_close(struct parser *parser)
{
	struct policy_set *set = parser->set;
	struct client *client = &set->clients.items[parser->client];
	if (parser->is_grants && !client->has_from)
		from_add_reader(parser);
	client->from_count = set->froms.count - client->first_from;
	client->rule_count = set->rules.count - client->first_rule;
	if (parser->is_client_valid)
		client_check(parser);
	parser->client = NONE;
}

static void client_report_open(struct parser *parser)
{
	const struct client *client = &parser->set->clients.items[parser->client];
	if (client->name[0])
		set_report(parser->set, POLICY_ERROR, &client->where,
			"end it with a line of '}' alone", "the block of client '%s' is not closed",
			text_quote(client->name, strlen(client->name)).text);
	else
		set_report(parser->set, POLICY_ERROR, &client->where,
			"end it with a line of '}' alone", "the block is not closed");
}

/* What stands after the name, or after `only`, and is no '{'. */
static void client_report_unknown(struct parser *parser, const struct word *word, bool is_only)
{
	static const char *const known[] = {"only"};
	bool is_near = !is_only && !word->is_quoted &&
		       word_find_near(word->bytes, word->length, known, COUNT(known));
	report_word(parser, word, is_near ? "did you mean 'only'?" : "write: client NAME [only] {",
		is_only ? "'%s' where '{' belongs" : "'%s' where 'only' or '{' belongs",
		word_quote(word).text);
}

/* client NAME { from user alice }: what is said there is not read, nor found missing. */
static void client_report_same_line(struct parser *parser, const struct word *word)
{
	const struct line *line = &parser->line;
	report_word(parser, word, "put what is in the block on lines of its own, and '}' too",
		"'%s' after '{'", word_quote(word).text);
	if (parser->client == NONE)
		return;
	parser->set->clients.items[parser->client].has_from = true;
	if (word_is(&line->words.items[line->words.count - 1], "}"))
		client_close(parser);
}

/* "client" NAME [ "only" ] "{" */
static void client_parse(struct parser *parser)
{
	const struct word *words = parser->line.words.items;
	uint32_t count = parser->line.words.count, at = 1;
	const struct word *name = NULL;
	if (parser->client != NONE) {
		client_report_open(parser);
		client_close(parser);
	}
	if (parser->line.is_broken) {
		client_open(parser, NULL, false);
		return;
	}
	bool has_name = count >= 2 && !word_is(&words[1], "{");
	if (!has_name)
		set_report(parser->set, POLICY_ERROR, &parser->line.end, "write: client NAME {",
			"the client has no name");
	else if (client_name_check(parser, &words[at++]))
		name = &words[1];
	bool is_only = at < count && word_is(&words[at], "only");
	if (is_only)
		at++;
	client_open(parser, name, is_only);
	if (at == count && !has_name)
		return; /* that has been said */
	if (at == count) {
		set_report(parser->set, POLICY_ERROR, &parser->line.end,
			"end the line with a blank and '{'", "'{' is missing");
		parser->is_brace_due = true;
	} else if (!word_is(&words[at], "{"))
		client_report_unknown(parser, &words[at], is_only);
	else if (at + 1 < count)
		client_report_same_line(parser, &words[at + 1]);
}

/* Whether it was to be the first line of a block: then the rest of the block is to be read as one. */
static bool line_opens_block(const struct line *line)
{
	return word_is(&line->words.items[line->words.count - 1], "{");
}

static void close_parse(struct parser *parser)
{
	const struct line *line = &parser->line;
	if (parser->client == NONE)
		report_word(parser, &line->words.items[0], "remove it", "'}' without a block");
	else
		client_close(parser);
	if (line->words.count == 1)
		return;
	report_word(parser, &line->words.items[1], "begin a new line", "'%s' after '}'",
		word_quote(&line->words.items[1]).text);
	if (line_opens_block(line))
		client_open(parser, NULL, false);
}

static void allow_parse(struct parser *parser)
{
	rule_parse(parser, EFFECT_ALLOW);
}

static void deny_parse(struct parser *parser)
{
	rule_parse(parser, EFFECT_DENY);
}

static const struct statement {
	const char *keyword;
	void (*parse)(struct parser *parser);
	bool is_structure; /* counts even when its line is broken, or errors would follow from
			 errors */
} statements[] = {
	{"client", client_parse, true},
	{"}", close_parse, true},
	{"from", from_parse, false},
	{"allow", allow_parse, false},
	{"deny", deny_parse, false},
	{"limit", limit_parse, false},
};

static void statement_report_unknown(struct parser *parser, const struct word *word)
{
	static const char *const inside[] = {"from", "allow", "deny", "limit", "client"};
	static const char *const outside[] = {"client"};
	if (word->is_quoted)
		report_word(parser, word, "remove the quotes", "a quoted word is never a keyword");
	else if (parser->client == NONE)
		report_unknown(parser, &word->where, word->bytes, word->length, "statement",
			outside, COUNT(outside), "a block begins with: client NAME {");
	else
		report_unknown(parser, &word->where, word->bytes, word->length, "statement", inside,
			COUNT(inside), "a line of a block begins with from, allow, deny or limit");
	if (parser->client == NONE && line_opens_block(&parser->line))
		client_open(parser, NULL, false);
}

static void line_parse(struct parser *parser)
{
	const struct line *line = &parser->line;
	if (!line->words.count)
		return;
	const struct word *first = &line->words.items[0];
	bool is_brace = parser->is_brace_due && line->words.count == 1 && word_is(first, "{");
	parser->is_brace_due = false;
	if (is_brace)
		return;
	for (size_t i = 0; i < COUNT(statements); i++) {
		const struct statement *statement = &statements[i];
		if (!word_is(first, statement->keyword))
			continue;
		if (parser->client == NONE && !statement->is_structure)
			report_word(parser, first, "write it between: client NAME { and }",
				"'%s' outside of a client block", statement->keyword);
		else if (!line->is_broken || statement->is_structure)
			statement->parse(parser);
		else if (statement->parse == from_parse)
			parser->set->clients.items[parser->client].has_from = true;
		return;
	}
	if (!line->is_broken)
		statement_report_unknown(parser, first);
}

/* Parses a file that is in the set; what is wrong with it is reported there. */
static void file_parse(struct policy_set *set, uint32_t file, bool is_grants)
{
	struct parser parser = {.set = set, .client = NONE, .is_grants = is_grants};
	scanner_init(&parser.scanner, set, file);
	while (!set->out_of_memory && scanner_next(&parser.scanner, &parser.line))
		line_parse(&parser);
	if (parser.client != NONE) {
		client_report_open(&parser);
		client_close(&parser);
	}
	free(parser.line.words.items);
}

static int text_add(
	struct policy_set *set, const char *file, const char *text, size_t length, bool is_grants)
{
	uint32_t number = set_file(set, file);
	if (number == NONE)
		return -ENOMEM;
	const struct span whole = {.file = number};
	if (length > POLICY_TEXT_MAX) {
		set_report(set, POLICY_ERROR, &whole, "split it into several files",
			"the file is larger than %u bytes", POLICY_TEXT_MAX);
	} else if (set->files.items[number].length) {
		set_report(set, POLICY_ERROR, &whole, "name each file once",
			"the file was added before");
	} else {
		const char *copy = set_copy(set, text, length);
		if (!copy)
			return -ENOMEM;
		set->files.items[number].text = copy;
		set->files.items[number].length = (uint32_t)length;
		file_parse(set, number, is_grants);
	}
	set_order_diagnostics(set);
	return set->out_of_memory ? -ENOMEM : 0;
}

int policy_set_add(struct policy_set *set, const char *file, const char *text, size_t length)
{
	return text_add(set, file, text, length, false);
}

int policy_set_add_grants(struct policy_set *set, const char *text, size_t length)
{
	return text_add(set, "grants", text, length, true);
}
