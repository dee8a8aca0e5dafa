/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a policy: recording it in the order of the text, and showing it with the line
 * and a caret. Whatever comes from a file is escaped before it can reach a terminal.
 */
#include "set.h"

#include <errno.h>
#include <stdlib.h>

#define MESSAGE_MAX 512u

static bool byte_is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

struct quoted text_quote(const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	struct quoted quoted;
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)bytes[i];
		if (used + sizeof("\\x00...") > sizeof(quoted.text)) {
			memcpy(quoted.text + used, "...", 3);
			used += 3;
			break;
		}
		if (byte_is_control(byte) || byte >= 0x80) {
			quoted.text[used++] = '\\';
			quoted.text[used++] = 'x';
			quoted.text[used++] = digits[byte >> 4];
			quoted.text[used++] = digits[byte & 15];
		} else {
			quoted.text[used++] = (char)byte;
		}
	}
	quoted.text[used] = '\0';
	return quoted;
}

/* RFC 3629, 4: the well-formed sequences, by how they begin. */
static const struct {
	uint8_t first, last;               /* of the first byte */
	uint8_t second_first, second_last; /* the other bytes are 0x80 to 0xbf */
	uint8_t length;
} utf8_sequences[] = {
	{0x00, 0x7f, 0, 0, 1},
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t text_character(const char *bytes, size_t length)
{
	const uint8_t *at = (const uint8_t *)bytes;
	size_t i = 0, size;
	while (i < sizeof(utf8_sequences) / sizeof(*utf8_sequences) &&
		at[0] > utf8_sequences[i].last)
		i++;
	if (i == sizeof(utf8_sequences) / sizeof(*utf8_sequences) ||
		at[0] < utf8_sequences[i].first || length < utf8_sequences[i].length)
		return 0;
	size = utf8_sequences[i].length;
	if (size > 1 &&
		(at[1] < utf8_sequences[i].second_first || at[1] > utf8_sequences[i].second_last))
		return 0;
	for (size_t j = 2; j < size; j++) {
		if ((at[j] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

/*
 * Of Unicode, what controls a terminal, cannot be seen, or shows the text in another order than it
 * has: one could make a rule look like another by them.
 */
static const struct {
	uint32_t first, last;
} hidden_characters[] = {
	{0x80, 0x9f},       /* the other control characters */
	{0xad, 0xad},       /* soft hyphen */
	{0x61c, 0x61c},     /* a mark of direction (UAX #9), as are */
	{0x200b, 0x200f},   /* these, after spaces and joiners without a width */
	{0x2028, 0x202e},   /* line ends; embeddings and overrides (UAX #9) */
	{0x2060, 0x206f},   /* more without a width, isolates (UAX #9) */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xe0000, 0xe007f}, /* tags */
};

/* What is well-formed. */
static uint32_t character_decode(const char *bytes, size_t size)
{
	uint32_t character = (uint8_t)bytes[0];
	if (size > 1)
		character &= 0x7fu >> size;
	for (size_t i = 1; i < size; i++)
		character = character << 6 | ((uint8_t)bytes[i] & 0x3f);
	return character;
}

static bool character_is_hidden(const char *bytes, size_t size)
{
	uint32_t character = character_decode(bytes, size);
	for (size_t i = 0; i < sizeof(hidden_characters) / sizeof(*hidden_characters); i++) {
		if (character >= hidden_characters[i].first &&
			character <= hidden_characters[i].last)
			return true;
	}
	return false;
}

struct quoted span_quote(const struct policy_set *set, const struct span *where)
{
	return text_quote(
		set->files.items[where->file].text + where->line_start + where->column - 1,
		where->width);
}

void text_print(const char *bytes, size_t length, FILE *out)
{
	for (size_t i = 0; i < length;) {
		uint8_t byte = (uint8_t)bytes[i];
		size_t size = text_character(bytes + i, length - i);
		if (!size || (byte != '\t' && byte_is_control(byte)) ||
			(size > 1 && character_is_hidden(bytes + i, size)))
			fputc('?', out);
		else
			fwrite(bytes + i, 1, size, out);
		i += size ? size : 1;
	}
}

/* Line ends that the text has are not part of the line that is shown. */
static size_t line_length(
	const struct policy_set *set, const struct source_file *file, uint32_t start)
{
	const char *from = file->text + start;
	uint32_t count = set->diagnostics.count;
	/* Of a line with many diagnostics the end is looked for once. */
	if (count && set->diagnostics.items[count - 1].source == from)
		return set->diagnostics.items[count - 1].source_length;
	size_t rest = file->length - start;
	const char *end = memchr(from, '\n', rest);
	size_t length = end ? (size_t)(end - from) : rest;
	return length && from[length - 1] == '\r' ? length - 1 : length;
}

/* A diagnostic while it is put in order. */
struct ordered {
	struct policy_diagnostic diagnostic;
	uint32_t file;
	uint32_t number; /* as it was recorded, which is the order of those at one place */
};

static int numbers_compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int ordered_compare(const void *first, const void *second)
{
	const struct ordered *a = first, *b = second;
	int order = numbers_compare(a->file, b->file);
	if (order == 0)
		order = numbers_compare(a->diagnostic.line, b->diagnostic.line);
	if (order == 0)
		order = numbers_compare(a->diagnostic.column, b->diagnostic.column);
	return order == 0 ? numbers_compare(a->number, b->number) : order;
}

static struct ordered ordered_make(const struct policy_set *set, uint32_t at)
{
	return (struct ordered){set->diagnostics.items[at], set->diagnostic_files.items[at], at};
}

void set_order_diagnostics(struct policy_set *set)
{
	uint32_t count = set->diagnostics.count;
	if (set->diagnostics_ordered == count)
		return;
	struct ordered *all = calloc(count, sizeof(*all));
	if (!all) {
		set->out_of_memory = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		all[i] = ordered_make(set, i);
	qsort(all, count, sizeof(*all), ordered_compare);
	for (uint32_t i = 0; i < count; i++) {
		set->diagnostics.items[i] = all[i].diagnostic;
		set->diagnostic_files.items[i] = all[i].file;
	}
	set->diagnostics_ordered = count;
	free(all);
}

/* Nearly always they come in order. */
static void diagnostic_record(
	struct policy_set *set, uint32_t file, const struct policy_diagnostic *diagnostic)
{
	struct policy_diagnostic *added = set_append(set, diagnostics);
	uint32_t *added_file = added ? set_append(set, diagnostic_files) : NULL;
	if (added && !added_file)
		set->diagnostics.count--;
	if (!added_file)
		return;
	*added = *diagnostic;
	*added_file = file;
	uint32_t at = set->diagnostics.count - 1;
	if (set->diagnostics_ordered != at)
		return;
	struct ordered this = ordered_make(set, at);
	struct ordered before = at ? ordered_make(set, at - 1) : this;
	if (at == 0 || ordered_compare(&before, &this) < 0)
		set->diagnostics_ordered = at + 1;
}

void set_vreport(struct policy_set *set, enum policy_severity severity, const struct span *where,
	const char *remedy, const char *format, va_list arguments)
{
	char message[MESSAGE_MAX];
	if (!set)
		return;
	vsnprintf(message, sizeof(message), format, arguments);

	const struct source_file *file = &set->files.items[where->file];
	struct policy_diagnostic diagnostic = {
		.severity = severity,
		.file = file->name,
		.line = where->line,
		.column = where->column,
		.width = where->width,
		.source = "",
		.message = set_copy(set, message, strlen(message)),
		.remedy = remedy ? set_copy(set, remedy, strlen(remedy)) : NULL,
	};
	if (where->line) {
		diagnostic.source = file->text + where->line_start;
		diagnostic.source_length = line_length(set, file, where->line_start);
	}
	if (diagnostic.message)
		diagnostic_record(set, where->file, &diagnostic);
}

void set_report(struct policy_set *set, enum policy_severity severity, const struct span *where,
	const char *remedy, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	set_vreport(set, severity, where, remedy, format, arguments);
	va_end(arguments);
}

int policy_set_note(struct policy_set *set, enum policy_severity severity, const char *file,
	const char *message, const char *remedy)
{
	uint32_t number = set_file(set, file);
	if (number == NONE)
		return -ENOMEM;
	const struct span whole = {.file = number};
	set_report(set, severity, &whole, remedy, "%s", message);
	set_order_diagnostics(set);
	return set->out_of_memory ? -ENOMEM : 0;
}

const struct policy_diagnostic *policy_set_diagnostics(const struct policy_set *set, size_t *count)
{
	*count = set->diagnostics.count;
	return set->diagnostics.items;
}

size_t policy_set_count(const struct policy_set *set, enum policy_severity severity)
{
	size_t count = 0;
	for (uint32_t i = 0; i < set->diagnostics.count; i++)
		count += set->diagnostics.items[i].severity == severity;
	return count;
}

#define SHOWN_MAX 512u
#define SHOWN_BEFORE_MAX 128u

static bool byte_continues(char byte)
{
	return ((uint8_t)byte & 0xc0) == 0x80; /* RFC 3629, 3 */
}

struct shown diagnostic_shown(const struct policy_diagnostic *diagnostic)
{
	size_t length = diagnostic->source_length, begin = diagnostic->column - 1;
	struct shown shown = {0, length};
	if (length <= SHOWN_MAX)
		return shown;
	begin = begin < length ? begin : length;
	shown.from = begin > SHOWN_BEFORE_MAX ? begin - SHOWN_BEFORE_MAX : 0;
	while (shown.from < begin && byte_continues(diagnostic->source[shown.from]))
		shown.from++;
	shown.to = length - shown.from > SHOWN_MAX ? shown.from + SHOWN_MAX : length;
	while (shown.to < length && shown.to > begin &&
		byte_continues(diagnostic->source[shown.to]))
		shown.to--;
	return shown;
}

/* How many bytes from `at` on take one place when the source is shown. */
static size_t place_size(const struct policy_diagnostic *diagnostic, size_t at)
{
	size_t length = diagnostic->source_length;
	size_t size = at < length ? text_character(diagnostic->source + at, length - at) : 1;
	return size ? size : 1;
}

/* Goes as far as the column: tabs stay tabs, a character of several bytes takes one place. */
static void caret_print(
	const struct policy_diagnostic *diagnostic, const struct shown *shown, FILE *out)
{
	size_t begin = diagnostic->column - 1, end = begin + diagnostic->width, at = shown->from;
	for (; at < begin; at += place_size(diagnostic, at)) {
		bool is_tab = at < diagnostic->source_length && diagnostic->source[at] == '\t';
		fputc(is_tab ? '\t' : ' ', out);
	}
	fputc('^', out);
	for (at += place_size(diagnostic, at); at < end && at < shown->to;
		at += place_size(diagnostic, at))
		fputc('~', out);
}

/* ECMA-48, SGR: in bold, or in a colour. */
#define STYLE_FILE "1"
#define STYLE_CARET "1;32"

static void style_begin(const char *style, bool is_coloured, FILE *out)
{
	if (is_coloured)
		fprintf(out, "\033[%sm", style);
}

static void style_end(bool is_coloured, FILE *out)
{
	if (is_coloured)
		fputs("\033[m", out);
}

/* FILE, or FILE:LINE:COLUMN, or FILE:LINE:FIRST-LAST. */
static void place_print(const struct policy_diagnostic *diagnostic, FILE *out)
{
	text_print(diagnostic->file, strlen(diagnostic->file), out);
	if (diagnostic->line)
		fprintf(out, ":%u:%u", diagnostic->line, diagnostic->column);
	if (diagnostic->line && diagnostic->width > 1)
		fprintf(out, "-%u", diagnostic->column + diagnostic->width - 1);
	fputc(':', out);
}

static void source_print(const struct policy_diagnostic *diagnostic, bool is_coloured, FILE *out)
{
	const struct shown shown = diagnostic_shown(diagnostic);
	bool is_cut = shown.from > 0;
	fputs(is_cut ? "    ..." : "    ", out);
	text_print(diagnostic->source + shown.from, shown.to - shown.from, out);
	fputs(shown.to < diagnostic->source_length ? "...\n" : "\n", out);
	fputs(is_cut ? "       " : "    ", out);
	style_begin(STYLE_CARET, is_coloured, out);
	caret_print(diagnostic, &shown, out);
	style_end(is_coloured, out);
	fputc('\n', out);
}

static const struct {
	const char *name, *style;
} severity_words[] = {
	[POLICY_NOTE] = {"note", "1;36"},
	[POLICY_WARNING] = {"warning", "1;35"},
	[POLICY_ERROR] = {"error", "1;31"},
};

const char *policy_severity_name(enum policy_severity severity)
{
	return severity_words[severity].name;
}

void policy_diagnostic_print(
	const struct policy_diagnostic *diagnostic, bool is_coloured, FILE *out)
{
	style_begin(STYLE_FILE, is_coloured, out);
	place_print(diagnostic, out);
	style_end(is_coloured, out);
	fputc(' ', out);
	style_begin(severity_words[diagnostic->severity].style, is_coloured, out);
	fprintf(out, "%s:", severity_words[diagnostic->severity].name);
	style_end(is_coloured, out);
	fputc(' ', out);
	text_print(diagnostic->message, strlen(diagnostic->message), out);
	fputc('\n', out);
	if (diagnostic->line)
		source_print(diagnostic, is_coloured, out);
	if (diagnostic->remedy) {
		fputs("    ", out);
		text_print(diagnostic->remedy, strlen(diagnostic->remedy), out);
		fputc('\n', out);
	}
}
