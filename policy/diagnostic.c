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

void text_print(const char *bytes, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)bytes[i];
		/* U+0080 to U+009F are control characters too. */
		bool is_c1 = byte == 0xc2 && i + 1 < length && (uint8_t)bytes[i + 1] < 0xa0;
		if (byte != '\t' && (byte_is_control(byte) || is_c1))
			fputc('?', out);
		else
			fputc(byte, out);
		if (is_c1)
			i++;
	}
}

/* Line ends that the text has are not part of the line that is shown. */
static size_t line_length(const struct source_file *file, uint32_t start)
{
	const char *from = file->text + start;
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
		diagnostic.source_length = line_length(file, where->line_start);
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

/* Goes as far as the column: tabs stay tabs, a character of several bytes takes one place. */
static void caret_print(const struct policy_diagnostic *diagnostic, FILE *out)
{
	size_t begin = diagnostic->column - 1, end = begin + diagnostic->width;
	for (size_t i = 0; i < begin; i++) {
		uint8_t byte = i < diagnostic->source_length ? (uint8_t)diagnostic->source[i] : ' ';
		if ((byte & 0xc0) != 0x80)
			fputc(byte == '\t' ? '\t' : ' ', out);
	}
	fputc('^', out);
	for (size_t i = begin + 1; i < end && i < diagnostic->source_length; i++) {
		if (((uint8_t)diagnostic->source[i] & 0xc0) != 0x80)
			fputc('~', out);
	}
	fputc('\n', out);
}

void policy_diagnostic_print(const struct policy_diagnostic *diagnostic, FILE *out)
{
	static const char *const severities[] = {
		[POLICY_NOTE] = "note",
		[POLICY_WARNING] = "warning",
		[POLICY_ERROR] = "error",
	};
	text_print(diagnostic->file, strlen(diagnostic->file), out);
	if (diagnostic->line)
		fprintf(out, ":%u:%u", diagnostic->line, diagnostic->column);
	fprintf(out, ": %s: ", severities[diagnostic->severity]);
	text_print(diagnostic->message, strlen(diagnostic->message), out);
	fputc('\n', out);
	if (diagnostic->line) {
		fputs("    ", out);
		text_print(diagnostic->source, diagnostic->source_length, out);
		fputs("\n    ", out);
		caret_print(diagnostic, out);
	}
	if (diagnostic->remedy) {
		fputs("    ", out);
		text_print(diagnostic->remedy, strlen(diagnostic->remedy), out);
		fputc('\n', out);
	}
}
