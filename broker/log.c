/* SPDX-License-Identifier: MIT */
/*
 * Where the log goes: lines on stderr or entries of the journal, and what becomes of those that
 * find no room there. A line is never cut: what goes into it is. What a record says is decision.c's.
 */
#include <errno.h>
#include <linux/limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decision.h"
#include "fdbroker.h"
#include "journal.h"
#include "line.h"
#include "log.h"

static struct {
	enum log_format format;
	int level;
	bool journal;     /* lines go to the journal's socket */
	bool prefixed;    /* stderr is the journal's: "<3>" says the priority, sd-daemon(3) */
	struct line rest; /* of a line that has begun */
	unsigned long long skipped;
	struct ring *ring;
} log_state = {.level = LOG_INFO};

/* JOURNAL_STREAM names the journal's stream; stderr may be another now, systemd.exec(5). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(enum log_format format, int level)
{
	log_state.format = format;
	log_state.level = level;
	log_state.prefixed = stderr_is_journal();
	log_state.journal = log_state.prefixed && journal_open(JOURNAL_SOCKET);
	if (log_state.journal)
		log_state.prefixed = false;
}

void log_to_ring(struct ring *ring)
{
	log_state.ring = ring;
}

/* ---- where lines go ---- */

static void line_begin(struct line *line, int level)
{
	line->length = 0;
	line->json = log_state.format == LOG_JSON;
	if (log_state.prefixed)
		line_add(line, "<%d>", level);
}

/*
 * Writes without waiting, and says how much: a pipe that polls writable takes PIPE_BUF bytes at
 * once (pipe(7)).
 */
static size_t write_now(const char *bytes, size_t length)
{
	size_t written = 0;

	while (written < length) {
		struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
		size_t chunk = length - written < PIPE_BUF ? length - written : PIPE_BUF;
		ssize_t n;

		if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)
			break;
		n = write(STDERR_FILENO, bytes + written, chunk);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			written += (size_t)n;
	}
	return written;
}

/* False: there is more of the line that has begun. */
static bool rest_write(void)
{
	struct line *rest = &log_state.rest;
	size_t written = write_now(rest->bytes, rest->length);

	memmove(rest->bytes, rest->bytes + written, rest->length - written);
	rest->length -= written;
	return rest->length == 0;
}

/* Writes a line whole, at once or its rest later, or not at all. False: not at all. */
static bool write_line(const char *bytes, size_t length)
{
	size_t written = rest_write() ? write_now(bytes, length) : 0;

	if (written == 0)
		return false;
	log_state.rest.length = length - written;
	memcpy(log_state.rest.bytes, bytes + written, length - written);
	return true;
}

/* A line, and what else the journal is to know of the event. */
static bool line_send(struct line *line, int level, const char *id, const struct line *fields)
{
	const struct journal_text message = {line->bytes, line->length};
	const struct journal_text more = {
		fields != NULL ? fields->bytes : "", fields != NULL ? fields->length : 0};

	if (log_state.journal)
		return journal_write(level, id, more, message);
	line_add_byte(line, '\n');
	return write_line(line->bytes, line->length);
}

/* How many lines are missing here. */
static bool skipped_write(void)
{
	static struct line line;

	line_begin(&line, LOG_WARNING);
	if (line.json) {
		line_add(&line, "{\"skipped\":%llu,\"time\":\"", log_state.skipped);
		line_add_time(&line);
		line_add(&line, "\"}");
	} else {
		line_add(&line, "log: %llu lines skipped", log_state.skipped);
	}
	return line_send(&line, LOG_WARNING, NULL, NULL);
}

/* Says how many, if there are any. False: not yet. */
static bool skipped_tell(void)
{
	if (log_state.skipped == 0)
		return true;
	if (!skipped_write())
		return false;
	log_state.skipped = 0;
	return true;
}

/* Called before a line is put together, whose time is later then. False: it is skipped as well. */
static bool log_takes_more(void)
{
	if (skipped_tell())
		return true;
	log_state.skipped++;
	return false;
}

static void line_write(struct line *line, int level, const char *id, const struct line *fields)
{
	if (!line_send(line, level, id, fields))
		log_state.skipped++;
}

void log_skip(unsigned long long records)
{
	log_state.skipped += records;
}

uint64_t log_tick(uint64_t now)
{
	bool is_written = rest_write();

	return skipped_tell() && is_written ? UINT64_MAX : now + LOG_RETRY_MSEC;
}

void log_close(void)
{
	for (int i = 0; i < LOG_CLOSE_RETRIES && log_tick(0) != UINT64_MAX; i++)
		(void)poll(NULL, 0, LOG_RETRY_MSEC);
}

/* ---- messages ---- */

static void message_write(int level, const char *id, const char *text, size_t length)
{
	static struct line line;

	if (length > LOG_MESSAGE_MAX)
		length = LOG_MESSAGE_MAX; /* more is sent by a worker that was taken over */
	if (!log_takes_more())
		return;
	line_begin(&line, level);
	if (line.json) {
		line_add(&line, "{\"level\":%d,\"message\":\"", level);
		line_add_escaped(&line, text, length);
		line_add(&line, "\",\"time\":\"");
		line_add_time(&line);
		line_add(&line, "\"}");
	} else {
		/* The journal has SYSLOG_IDENTIFIER for it. */
		line_add(&line, "%s", log_state.journal ? "" : "fdbrokerd: ");
		line_add_printable(&line, text, length);
	}
	line_write(&line, level, id, NULL);
}

__attribute__((format(printf, 3, 0))) static void message_format(
	int level, const char *id, const char *format, va_list arguments)
{
	char text[LOG_MESSAGE_MAX];
	int n = vsnprintf(text, sizeof(text), format, arguments);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	if (log_state.ring != NULL) {
		ring_write(log_state.ring,
			&(struct record){.kind = RECORD_MESSAGE,
				.level = (uint8_t)level,
				.text_length = (uint16_t)length},
			"", text);
		return;
	}
	if (level <= log_state.level)
		message_write(level, id, text, length);
}

void log_message(int level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_format(level, NULL, format, arguments);
	va_end(arguments);
}

void log_event(int level, const char *id, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message_format(level, id, format, arguments);
	va_end(arguments);
}

/* ---- records ---- */

static void record_write(bool allowed, const struct decision *decision)
{
	static struct line line, fields;
	const int level = allowed ? LOG_INFO : LOG_NOTICE;

	if (!log_takes_more())
		return;
	line_begin(&line, level);
	decision_write(&line, decision);
	if (log_state.journal)
		decision_write_fields(&fields, decision);
	line_write(&line, level, allowed ? JOURNAL_ALLOWED : JOURNAL_DENIED, &fields);
}

void log_record(const struct record *record, const char *text, const struct policy_image *image)
{
	struct decision decision;

	if (record->kind == RECORD_MESSAGE) {
		if (record->level <= log_state.level)
			message_write(record->level, NULL, text, record->text_length);
		return;
	}
	/* What is recorded of decisions is the policy's business (`log`), not the level's. */
	if (record->kind != RECORD_DECISION)
		return;
	decision_read(&decision, record, text);
	decision_locate(&decision, record, image);
	record_write(record->allowed, &decision);
}

void log_refusal(uint32_t uid, int32_t pid, const char *unit, enum log_refusal refusal)
{
	static const char *const words[] = {
		[LOG_NO_CLIENT] = "no-client",
		[LOG_CONNECTIONS] = "connections",
		[LOG_SESSIONS] = "sessions",
	};
	const size_t length = unit != NULL ? strnlen(unit, UINT8_MAX) : 0;
	const struct record record = {
		.kind = RECORD_DECISION,
		.uid = uid,
		.pid = pid,
		.rule = POLICY_NO_RULE,
		.error = ECONNRESET,
		.reason = FDBROKER_REASON_BROKER,
		.unit_length = (uint8_t)length,
		.text_length = (uint16_t)length,
	};
	struct decision decision;

	/* No rule's `log` decides on it. */
	if (log_state.level < LOG_NOTICE)
		return;
	/* Without a rule there is nothing to locate. */
	decision_read(&decision, &record, unit != NULL ? unit : "");
	decision_set(&decision, DECISION_WHY, words[refusal]);
	record_write(false, &decision);
}
