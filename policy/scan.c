/* SPDX-License-Identifier: MIT */
/*
 * Text to words. A line is scanned to its end whatever is wrong in it: each error is reported, the
 * word or line is marked as broken, and the next one starts afresh. Knows quotes, escapes,
 * comments and continuation; knows no keyword.
 */
#include "scan.h"

static bool byte_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

void scanner_init(struct scanner *scanner, struct policy_set *set, uint32_t file)
{
	*scanner = (struct scanner){
		.set = set,
		.file = file,
		.text = set->files.items[file].text,
		.length = set->files.items[file].length,
	};
}

/* One line of the file, without its end. */
struct physical_line {
	uint32_t start, end;
	uint32_t at;
};

static struct span line_span(const struct scanner *scanner, const struct physical_line *physical,
	uint32_t from, uint32_t to)
{
	return (struct span){
		.file = scanner->file,
		.line_start = physical->start,
		.line = scanner->line,
		.column = from - physical->start + 1,
		.width = to > from ? to - from : 1,
	};
}

static void scan_report(struct scanner *scanner, struct line *line,
	const struct physical_line *physical, uint32_t from, uint32_t to, const char *remedy,
	const char *message)
{
	struct span where = line_span(scanner, physical, from, to);
	set_report(scanner->set, POLICY_ERROR, &where, remedy, "%s", message);
	line->is_broken = true;
}

/* Reports the first of them, with those that follow it: a crash can leave a file full of zeros. */
static void line_check_byte(struct scanner *scanner, struct line *line,
	const struct physical_line *physical, char byte, const char *remedy, const char *message)
{
	const char *text = scanner->text, *end = text + physical->end;
	const char *found = memchr(text + physical->start, byte, physical->end - physical->start);
	const char *after = found;
	if (!found)
		return;
	while (after < end && *after == byte)
		after++;
	scan_report(scanner, line, physical, (uint32_t)(found - text), (uint32_t)(after - text),
		remedy, message);
}

static void line_check_bytes(
	struct scanner *scanner, struct line *line, struct physical_line *physical)
{
	const char *text = scanner->text;
	if (physical->end > physical->start && text[physical->end - 1] == '\r') {
		physical->end--;
		if (!scanner->has_reported_crlf) {
			scan_report(scanner, line, physical, physical->end, physical->end + 1,
				"save the file with Unix line ends (tr -d '\\r')",
				"the line ends with a carriage return");
		}
		scanner->has_reported_crlf = true;
	}
	line_check_byte(scanner, line, physical, '\r',
		"write \\x0d in a quoted word if it is meant", "a carriage return in the line");
	line_check_byte(scanner, line, physical, '\0', "remove it", "a NUL byte in the line");
}

/* Undoes one escape. Returns its length, 0 when it is none that the language has. */
static uint32_t escape_decode(const char *text, uint32_t length, char *byte)
{
	if (length >= 2 && (text[1] == '"' || text[1] == '\\')) {
		*byte = text[1];
		return 2;
	}
	if (length < 4 || text[1] != 'x' || hex_value(text[2]) < 0 || hex_value(text[3]) < 0)
		return 0;
	*byte = (char)(hex_value(text[2]) * 16 + hex_value(text[3]));
	return 4;
}

/* Where the closing quote stands, or the end of the line. */
static uint32_t quote_find_end(const char *text, uint32_t at, uint32_t end)
{
	while (at < end && text[at] != '"')
		at += text[at] == '\\' && at + 1 < end ? 2 : 1;
	return at;
}

/* What a backslash was meant to do to the byte after it, as it does in a shell. */
static const char *backslash_find_remedy(char next)
{
	switch (next) {
	case '*':
		return "a literal star is [*]";
	case '?':
		return "a literal question mark is [?]";
	case '[':
		return "a literal bracket is [[]";
	case ' ':
	case '\t':
		return "a word with a blank stands in double quotes";
	default:
		return "quote the whole word: inside quotes \\\" and \\\\ are these bytes";
	}
}

/* Copies what stands between quotes with its escapes undone. */
static void quoted_decode(struct scanner *scanner, struct line *line,
	const struct physical_line *physical, uint32_t from, uint32_t to, struct word *word)
{
	char *bytes = set_alloc(scanner->set, to - from + 1);
	bool *escaped = set_alloc(scanner->set, (to - from + 1) * sizeof(*escaped));
	if (!bytes || !escaped) {
		line->is_broken = true;
		return;
	}
	word->bytes = bytes;
	word->escaped = escaped;
	while (from < to) {
		char byte = scanner->text[from];
		uint32_t size = 1;
		if (byte == '\\')
			size = escape_decode(scanner->text + from, to - from, &byte);
		if (!size || !byte) {
			char message[sizeof(struct quoted) + sizeof("unknown escape ''")];
			snprintf(message, sizeof(message), "unknown escape '%s'",
				text_quote(scanner->text + from, from + 2 <= to ? 2 : 1).text);
			scan_report(scanner, line, physical, from, from + (size ? size : 2),
				from + 1 < to && memchr("*?[", scanner->text[from + 1], 3)
					? backslash_find_remedy(scanner->text[from + 1])
					: "the escapes are \\\", \\\\ and \\xHH (not \\x00)",
				size ? "a NUL byte by an escape" : message);
			word->is_broken = true;
			size = size ? size : 2;
		}
		escaped[word->length] = size > 1;
		bytes[word->length++] = byte;
		from += size;
	}
}

static void quoted_scan(struct scanner *scanner, struct line *line, struct physical_line *physical,
	struct word *word)
{
	uint32_t from = physical->at;
	uint32_t close = quote_find_end(scanner->text, from + 1, physical->end);
	if (close >= physical->end) {
		scan_report(scanner, line, physical, from, physical->end,
			"close it on the same line", "the quote is not closed");
		word->is_broken = true;
		physical->at = physical->end;
		return;
	}
	quoted_decode(scanner, line, physical, from + 1, close, word);
	uint32_t after = close + 1;
	while (after < physical->end && !byte_is_blank(scanner->text[after]))
		after++;
	if (after > close + 1) {
		scan_report(scanner, line, physical, close + 1, after,
			"quotes enclose a whole word; put a blank after the closing quote",
			"something is glued to a quoted word");
		word->is_broken = true;
	}
	physical->at = after;
}

static void plain_scan(struct scanner *scanner, struct line *line, struct physical_line *physical,
	struct word *word)
{
	uint32_t from = physical->at, at = from;
	for (; at < physical->end && !byte_is_blank(scanner->text[at]); at++) {
		char byte = scanner->text[at];
		if (word->is_broken || (byte != '\\' && byte != '"'))
			continue;
		bool is_last = byte == '\\' && at + 1 == physical->end;
		scan_report(scanner, line, physical, at, at + 1,
			is_last ? "put a blank before it to continue the line"
				: backslash_find_remedy(
					  byte == '\\' ? scanner->text[at + 1] : byte),
			byte == '"' ? "a quote inside a word that is not quoted"
				    : "a backslash inside a word that is not quoted");
		word->is_broken = true;
	}
	word->bytes = scanner->text + from;
	word->length = at - from;
	physical->at = at;
}

static void word_scan(struct scanner *scanner, struct line *line, struct physical_line *physical)
{
	uint32_t from = physical->at;
	struct word *word = list_append(&line->words, &scanner->set->out_of_memory);
	if (!word) {
		physical->at = physical->end;
		line->is_broken = true;
		return;
	}
	word->is_quoted = scanner->text[from] == '"';
	if (word->is_quoted)
		quoted_scan(scanner, line, physical, word);
	else
		plain_scan(scanner, line, physical, word);
	word->where = line_span(scanner, physical, from, physical->at);
	line->is_broken = line->is_broken || word->is_broken;
}

/*
 * A `\` on its own. True: the line goes on in the next one, or was meant to, so that what stands
 * there is not taken for a line of its own.
 */
static bool continuation_scan(
	struct scanner *scanner, struct line *line, const struct physical_line *physical)
{
	uint32_t at = physical->at + 1;
	bool has_more = scanner->offset < scanner->length;
	while (at < physical->end && byte_is_blank(scanner->text[at]))
		at++;
	if (physical->at + 1 == physical->end && has_more)
		return true;
	if (at < physical->end || physical->at + 1 < physical->end) {
		scan_report(scanner, line, physical, physical->at, physical->at + 1,
			"end the line right after it", "'\\' is not the last thing on its line");
		return has_more && (at == physical->end || scanner->text[at] == '#');
	} else {
		scan_report(scanner, line, physical, physical->at, physical->at + 1, "remove it",
			"'\\' continues the last line of the file");
	}
	return false;
}

/* Glued to the last word it has been reported, and yet it was meant to continue the line. */
static bool line_ends_in_backslash(const struct scanner *scanner, const struct line *line,
	const struct physical_line *physical)
{
	const struct word *last =
		line->words.count ? &line->words.items[line->words.count - 1] : NULL;
	return last && last->is_broken && !last->is_quoted && last->length &&
	       last->where.line == scanner->line && physical->at == physical->end &&
	       last->bytes[last->length - 1] == '\\' && scanner->offset < scanner->length;
}

/* Scans to the end of one line of the file. True: it is continued. */
static bool physical_scan(struct scanner *scanner, struct line *line)
{
	const char *text = scanner->text;
	struct physical_line physical = {.start = scanner->offset, .at = scanner->offset};
	const char *newline = memchr(text + physical.start, '\n', scanner->length - physical.start);
	physical.end = newline ? (uint32_t)(newline - text) : scanner->length;
	scanner->offset = newline ? physical.end + 1 : physical.end;
	scanner->line++;
	if (physical.end - physical.start >= 3 && physical.start == 0 &&
		memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		scan_report(scanner, line, &physical, 0, 3, "save the file as UTF-8 without a BOM",
			"the file begins with a byte order mark");
		physical.at += 3;
	}
	line_check_bytes(scanner, line, &physical);
	line->end = line_span(scanner, &physical, physical.end, physical.end);
	while (physical.at < physical.end) {
		if (byte_is_blank(text[physical.at])) {
			physical.at++;
			continue;
		}
		if (text[physical.at] == '#')
			break;
		if (text[physical.at] == '\\' &&
			(physical.at + 1 == physical.end || byte_is_blank(text[physical.at + 1])))
			return continuation_scan(scanner, line, &physical);
		word_scan(scanner, line, &physical);
		line->end = line_span(scanner, &physical, physical.at, physical.at);
	}
	return line_ends_in_backslash(scanner, line, &physical);
}

bool scanner_next(struct scanner *scanner, struct line *line)
{
	line->words.count = 0;
	line->is_broken = false;
	if (scanner->offset >= scanner->length)
		return false;
	while (physical_scan(scanner, line))
		;
	return true;
}

bool word_is(const struct word *word, const char *keyword)
{
	return !word->is_quoted && word->length == strlen(keyword) &&
	       memcmp(word->bytes, keyword, word->length) == 0;
}

bool word_has(const struct word *word, uint32_t index, char byte)
{
	return index < word->length && word->bytes[index] == byte &&
	       !(word->escaped && word->escaped[index]);
}

const char *span_text(const struct policy_set *set, const struct span *span)
{
	return set->files.items[span->file].text + span->line_start + span->column - 1;
}

/* How far from its beginning in the file a byte of the word stands. */
static uint32_t word_offset(const struct policy_set *set, const struct word *word, uint32_t index)
{
	const char *raw = span_text(set, &word->where);
	uint32_t at = word->is_quoted ? 1 : 0;
	for (uint32_t i = 0; i < index && i < word->length; i++) {
		bool is_escaped = word->escaped && word->escaped[i];
		at += !is_escaped ? 1 : raw[at + 1] == 'x' ? 4 : 2;
	}
	return at;
}

struct span word_part(
	const struct policy_set *set, const struct word *word, uint32_t first, uint32_t length)
{
	if (!set)
		return word->where;
	uint32_t from = word_offset(set, word, first);
	uint32_t to = word_offset(set, word, first + length);
	struct span part = word->where;
	part.column += from;
	part.width = to > from ? to - from : 1;
	return part;
}

struct quoted word_quote(const struct word *word)
{
	return text_quote(word->bytes, word->length);
}
