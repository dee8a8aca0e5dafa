/* SPDX-License-Identifier: MIT */
/* What all parts of the parser do with words, and with stretches of them: look, read, report. */
#include "parse.h"

#include "language.h"

/* ---- looking ---- */

bool byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool byte_is_name(char byte)
{
	return byte_is_digit(byte) || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.' ||
	       byte == '+';
}

const char *part_bytes(const struct part *part)
{
	return part->word->bytes + part->first;
}

struct quoted part_quote(const struct part *part)
{
	return text_quote(part_bytes(part), part->length);
}

bool part_is(const struct part *part, bool (*accept)(char byte))
{
	for (uint32_t i = 0; i < part->length; i++) {
		if (!accept(part_bytes(part)[i]))
			return false;
	}
	return part->length > 0;
}

bool part_is_star(const struct part *part)
{
	return part->length == 1 && word_has(part->word, part->first, '*');
}

uint32_t word_find(const struct word *word, uint32_t first, char byte)
{
	while (first < word->length && word->bytes[first] != byte)
		first++;
	return first;
}

/* ---- reading ---- */

bool number_parse(const char *bytes, size_t length, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(bytes[i] - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return length > 0;
}

bool size_parse(const char *bytes, size_t length, uint32_t *size)
{
	static const char units[] = "KMG";
	const char *unit = length ? memchr(units, bytes[length - 1], 3) : NULL;
	uint32_t shift = unit ? 10 * (uint32_t)(unit - units + 1) : 0;
	if (!number_parse(bytes, unit ? length - 1 : length, UINT32_MAX >> shift, size))
		return false;
	*size <<= shift;
	return true;
}

/* ---- reporting ---- */

void report_unknown(struct parser *parser, const struct span *where, const char *bytes,
	size_t length, const char *what, const char *const *known, size_t known_count,
	const char *remedy)
{
	char guess[64];
	const char *near = word_find_near(bytes, length, known, known_count);
	if (near)
		snprintf(guess, sizeof(guess), "did you mean '%s'?", near);
	set_report(parser->set, POLICY_ERROR, where, near ? guess : remedy, "unknown %s '%s'", what,
		text_quote(bytes, length).text);
}

bool part_report(
	struct parser *parser, const struct part *part, const char *remedy, const char *format, ...)
{
	struct span where = word_part(parser->set, part->word, part->first, part->length);
	va_list arguments;
	va_start(arguments, format);
	set_vreport(parser->set, POLICY_ERROR, &where, remedy, format, arguments);
	va_end(arguments);
	return false;
}

bool word_choose(struct parser *parser, const struct word *word, uint32_t first, uint32_t length,
	const char *what, const char *const *choices, size_t count, uint8_t *chosen)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(choices[i]) == length &&
			memcmp(choices[i], word->bytes + first, length) == 0) {
			*chosen = (uint8_t)i;
			return true;
		}
	}
	char remedy[256] = "write one of:"; /* the families of netlink are most */
	size_t used = strlen(remedy);
	for (size_t i = 0; i < count && used < sizeof(remedy); i++)
		used += (size_t)snprintf(remedy + used, sizeof(remedy) - used, " %s", choices[i]);
	struct span where = word_part(parser->set, word, first, length);
	report_unknown(parser, &where, word->bytes + first, length, what, choices, count, remedy);
	return false;
}
