/* SPDX-License-Identifier: MIT */
/*
 * The scanner and the parser of patterns, the other way round (scan.c, pattern.c). A wildcard that
 * is to stand for itself becomes a set of one byte, [*], which people read more easily than the
 * escape \x2a; where that would make a name longer than a pattern may be, it is the escape.
 *
 * Must never write what the parser might take for something else: in doubt, false.
 */
#include "write.h"

#include "bounds.h"
#include "pattern.h"

#include <stdint.h>
#include <string.h>

/* How the bytes of one word are written. */
struct style {
	bool is_quoted;
	bool is_escaped; /* wildcards as \xHH */
	bool is_pattern; /* wildcards and % mean something here */
};

static bool byte_is_plain(uint8_t byte)
{
	return byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

static bool byte_is_wildcard(uint8_t byte)
{
	return byte == '*' || byte == '?' || byte == '[';
}

/* How long a byte is to the parser, which looks at words with their quotes and escapes undone. */
static size_t byte_size(uint8_t byte, bool is_digit)
{
	if (is_digit)
		return strlen("[0-9]");
	return byte_is_wildcard(byte) ? strlen("[*]") : byte == '%' ? strlen("%%") : 1;
}

static void byte_write(const struct style *style, uint8_t byte, FILE *out)
{
	bool is_special = style->is_pattern && (byte_is_wildcard(byte) || byte == '%');
	bool is_plain = byte == ' ' || byte_is_plain(byte);
	if (byte == '"' || byte == '\\')
		fprintf(out, "\\%c", byte);
	else if (!is_plain || (is_special && style->is_escaped))
		fprintf(out, "\\x%02x", byte);
	else if (!is_special)
		fputc(byte, out);
	else if (byte == '%')
		fputs("%%", out);
	else
		fprintf(out, "[%c]", byte);
}

static void word_write(const struct style *style, const char *prefix, const char *bytes,
	size_t length, const bool *digits, FILE *out)
{
	if (style->is_quoted)
		fputc('"', out);
	fputs(prefix, out);
	for (size_t i = 0; i < length; i++) {
		if (digits && digits[i])
			fputs("[0-9]", out);
		else
			byte_write(style, (uint8_t)bytes[i], out);
	}
	if (style->is_quoted)
		fputc('"', out);
}

static bool needs_quotes(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!byte_is_plain((uint8_t)bytes[i]))
			return true;
	}
	/* A comment, or the brace of a block. */
	return !length || strchr("#{}", bytes[0]);
}

/* Whether every component, and the whole, is as long as a pattern may be. */
static bool pattern_fits(const char *bytes, size_t length, const bool *digits, bool is_escaped)
{
	size_t component = 0, whole = 0;
	for (size_t i = 0; i < length; i++) {
		bool is_digit = digits && digits[i];
		size_t size = is_escaped && !is_digit ? 1 : byte_size((uint8_t)bytes[i], is_digit);
		component = bytes[i] == '/' ? 0 : component + size;
		whole += size;
		if (component > POLICY_COMPONENT_MAX || whole > POLICY_PATH_MAX)
			return false;
	}
	return true;
}

static bool pattern_write(
	const char *prefix, const char *bytes, size_t length, const bool *digits, FILE *out)
{
	struct style style = {.is_pattern = true, .is_quoted = needs_quotes(bytes, length)};
	if (!pattern_fits(bytes, length, digits, false)) {
		style.is_escaped = style.is_quoted = true;
		if (!pattern_fits(bytes, length, digits, true))
			return false;
	}
	if (out)
		word_write(&style, prefix, bytes, length, digits, out);
	return true;
}

bool policy_write_path(
	const char *prefix, const char *path, size_t length, const bool *digits, FILE *out)
{
	if (!path_is_root(path, length) && !path_is_canonical(path, length))
		return false;
	return pattern_write(prefix, path, length, digits, out);
}

bool policy_write_unit(const char *unit, size_t length, FILE *out)
{
	if (!length || memchr(unit, '/', length) || memchr(unit, '\0', length))
		return false;
	return pattern_write("", unit, length, NULL, out);
}

bool policy_write_word(const char *prefix, const char *bytes, size_t length, FILE *out)
{
	if (memchr(bytes, '\0', length))
		return false;
	/* A star that is not escaped would be any device. */
	const struct style style = {.is_pattern = memchr(bytes, '*', length) != NULL,
		.is_escaped = true,
		.is_quoted = needs_quotes(bytes, length) || memchr(bytes, '*', length)};
	word_write(&style, prefix, bytes, length, NULL, out);
	return true;
}

bool policy_write_source(const char *bytes, size_t length, FILE *out)
{
	if (memchr(bytes, '\0', length))
		return false;
	const struct style style = {.is_quoted = needs_quotes(bytes, length)};
	word_write(&style, "", bytes, length, NULL, out);
	return true;
}

void policy_write_comment(const char *bytes, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)bytes[i];
		if (byte == '\\')
			fputs("\\\\", out);
		else if (byte >= ' ' && byte < 0x7f)
			fputc(byte, out);
		else
			fprintf(out, "\\x%02x", byte);
	}
}
