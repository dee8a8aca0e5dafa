/* SPDX-License-Identifier: MIT */
/*
 * Lines to records: what stands before the daemon's own words, and in which format these are. A log
 * file may have lines of others, who would like to have theirs taken for the daemon's.
 *
 * Must never look for a record in the middle of what is not one.
 */
#include "audit-log.h"

#include <stdlib.h>
#include <string.h>

#include "audit-parts.h"

/* ---- what stands before ---- */

static const char *word_skip(const char *at, const char *end)
{
	while (at < end && *at != ' ')
		at++;
	return at;
}

static const char *digits_skip(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/*
 * What follows a time as syslog (RFC 3164, 4.1.2; RFC 3339) and journalctl(1) write it: short,
 * short-precise, short-iso, short-full.
 */
static const char *stamp_skip(const char *line, const char *end)
{
	static const char *const forms[] = {
		"@@@ 00 00:00:00",
		"@@@  0 00:00:00",
		"@@@ 0000-00-00 00:00:00 @",
		"@@@ 0000-00-00 00:00:00 +00", /* a zone without a name */
		"@@@ 0000-00-00 00:00:00 -00",
		"0000-00-00T00:00:00",
	};
	const char *at = NULL;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && at == NULL; i++)
		at = form_skip(line, end, forms[i]);
	return at != NULL ? word_skip(at, end) : NULL;
}

/*
 * Where the daemon's own words begin, after "TIME HOST fdbrokerd[PID]: "; NULL: the line begins
 * otherwise. Nothing else may come between: other programs write what strangers tell them.
 */
static const char *tag_skip(const char *line, const char *end)
{
	const char *at = stamp_skip(line, end), *word;

	if (at == NULL || at == end)
		return NULL;
	word = at + 1;
	at = word_skip(word, end);
	if (at == word)
		return NULL;
	word = form_skip(at, end, " fdbrokerd[");
	if (word == NULL)
		return NULL;
	at = digits_skip(word, end);
	return at > word ? form_skip(at, end, "]: ") : NULL;
}

/* ---- formats ---- */

/* The daemon's own words. */
static enum audit_line words_read(
	struct audit_reader *reader, struct audit_record *record, const char *words, size_t length)
{
	return length > 0 && words[0] == '{' ? json_read(reader, record, words, length, NULL)
					     : text_read(reader, record, words, length);
}

/* _UID is the journal's own word and cannot be forged, systemd.journal-fields(7). */
static bool entry_is_brokers(const struct audit_reader *reader, const struct journal_entry *entry)
{
	return !entry->has_writer || entry->writer == 0 || entry->writer == reader->broker_uid;
}

/* An object on a line of its own: a record, or an entry of the journal. */
static enum audit_line object_read(
	struct audit_reader *reader, struct audit_record *record, const char *line, size_t length)
{
	struct journal_entry entry;
	enum audit_line kind = json_read(reader, record, line, length, &entry);

	if (entry.message != NULL)
		kind = words_read(reader, record, entry.message, entry.message_length);
	free(entry.message);
	if (kind != AUDIT_RECORD && kind != AUDIT_BROKEN)
		return kind;
	if (!entry_is_brokers(reader, &entry)) {
		reader->foreign_uid = entry.writer;
		return AUDIT_FOREIGN;
	}
	if (kind == AUDIT_RECORD && entry.time_usec != AUDIT_NO_TIME)
		record->time_usec = entry.time_usec;
	return kind;
}

static enum audit_line line_read(
	struct audit_reader *reader, struct audit_record *record, const char *line, size_t length)
{
	const char *end = line + length, *words = tag_skip(line, end);
	enum audit_line kind;

	if (words != NULL) {
		kind = words_read(reader, record, words, (size_t)(end - words));
		record->is_by_syslog = true;
		return kind;
	}
	if (length > 0 && line[0] == '{')
		return object_read(reader, record, line, length);
	/* A priority, sd-daemon(3). */
	words = form_skip(line, end, "<0>");
	return words_read(
		reader, record, words != NULL ? words : line, words != NULL ? length - 3 : length);
}

/* ---- lines ---- */

/* Each value is ended by a NUL. */
static bool texts_reserve(struct audit_reader *reader, size_t line_length)
{
	size_t size = line_length + FIELD_COUNT;
	char *texts;

	reader->texts_length = 0;
	if (size <= reader->texts_size)
		return true;
	texts = realloc(reader->texts, size);
	if (texts == NULL)
		return false;
	reader->texts = texts;
	reader->texts_size = size;
	return true;
}

bool audit_read(struct audit_reader *reader, enum audit_line *kind, struct audit_record *record)
{
	ssize_t length = getline(&reader->line, &reader->line_size, reader->in);

	*kind = AUDIT_FAILED;
	/* Out of memory, it sets no flag of the stream. */
	if (length < 0)
		return feof(reader->in) == 0;
	if (length > 0 && reader->line[length - 1] == '\n')
		length--;
	if (texts_reserve(reader, (size_t)length))
		*kind = line_read(reader, record, reader->line, (size_t)length);
	return true;
}

void audit_reader_release(struct audit_reader *reader)
{
	free(reader->line);
	free(reader->texts);
}
