/* SPDX-License-Identifier: MIT */
/*
 * Formatting and writing log lines. What a client chose (paths above all) is escaped, so that no
 * line can be faked: control bytes and whatever is not ASCII become \xHH in text and \u00HH in
 * JSON, where each stands for one byte; backslash and quote get a backslash before them.
 */
#include <errno.h>
#include <linux/limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdbroker.h"
#include "log.h"
#include "reason.h"

#define WORD(symbol, number, word, sentence) [number] = word,
static const char *const reason_words[] = {FDBROKER_REASONS(WORD)};
#undef WORD

static struct {
	enum log_format format;
	int level;
	bool prefixed; /* stderr is the journal's: "<3>" says the priority, sd-daemon(3) */
	unsigned long skipped;
	struct ring *ring;
} log_state = {.level = LOG_INFO};

/* JOURNAL_STREAM names the journal's stream; stderr may have been sent elsewhere, systemd.exec(5).
 */
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
}

void log_to_ring(struct ring *ring)
{
	log_state.ring = ring;
}

/* ---- a line being put together ---- */

struct line {
	size_t length;
	char bytes[LOG_LINE_MAX];
};

static void line_add(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line_add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->bytes) - line->length;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line->bytes + line->length, room, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void line_add_byte(struct line *line, char byte)
{
	if (line->length < sizeof(line->bytes) - 1)
		line->bytes[line->length++] = byte;
}

/* \xHH, or \u00HH in JSON. By hand: whoever floods the log has long lines written. */
static void line_add_hex(struct line *line, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	line_add_byte(line, '\\');
	if (log_state.format == LOG_JSON) {
		line_add_byte(line, 'u');
		line_add_byte(line, '0');
		line_add_byte(line, '0');
	} else {
		line_add_byte(line, 'x');
	}
	line_add_byte(line, digits[byte >> 4]);
	line_add_byte(line, digits[byte & 15]);
}

static bool byte_is_printable(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

static void line_add_escaped(struct line *line, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '\\' || byte == '"')
			line_add_byte(line, '\\');
		if (byte_is_printable(byte))
			line_add_byte(line, (char)byte);
		else
			line_add_hex(line, byte);
	}
}

/* For sentences: quotes and backslashes stay, but nothing can begin another line. */
static void line_add_printable(struct line *line, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (byte_is_printable((unsigned char)bytes[i]))
			line_add_byte(line, bytes[i]);
		else
			line_add_hex(line, (unsigned char)bytes[i]);
	}
}

static void line_begin(struct line *line, int level)
{
	line->length = 0;
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

/* Writes a line whole, at once or its rest later, or not at all. False: not at all. */
static bool write_line(const char *bytes, size_t length)
{
	static struct line rest; /* of a line that has begun */
	size_t written = write_now(rest.bytes, rest.length);

	memmove(rest.bytes, rest.bytes + written, rest.length - written);
	rest.length -= written;
	if (rest.length > 0)
		return false;
	written = write_now(bytes, length);
	if (written == 0)
		return false;
	rest.length = length - written;
	memcpy(rest.bytes, bytes + written, rest.length);
	return true;
}

static void line_write(struct line *line)
{
	char said[96];
	int n;

	if (log_state.skipped > 0) {
		n = snprintf(said, sizeof(said),
			log_state.format == LOG_JSON ? "{\"skipped\":%lu}\n"
						     : "log: %lu lines skipped\n",
			log_state.skipped);
		if (!write_line(said, (size_t)n)) {
			log_state.skipped++;
			return;
		}
		log_state.skipped = 0;
	}
	if (line->length > sizeof(line->bytes) - 2)
		line->length = sizeof(line->bytes) - 2;
	line->bytes[line->length++] = '\n';
	if (!write_line(line->bytes, line->length))
		log_state.skipped++;
}

/* ---- messages ---- */

static void message_write(int level, const char *text, size_t length)
{
	struct line line;

	line_begin(&line, level);
	if (log_state.format == LOG_JSON) {
		line_add(&line, "{\"level\":%d,\"message\":\"", level);
		line_add_escaped(&line, text, length);
		line_add(&line, "\"}");
	} else {
		line_add(&line, "fdbrokerd: ");
		line_add_printable(&line, text, length);
	}
	line_write(&line);
}

void log_message(int level, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	size_t length;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	if (log_state.ring != NULL) {
		ring_write(log_state.ring,
			&(struct record){.kind = RECORD_MESSAGE,
				.level = (uint8_t)level,
				.text_length = (uint16_t)length},
			"", text);
		return;
	}
	if (level <= log_state.level)
		message_write(level, text, length);
}

/* ---- records ---- */

/* A record as the log shows it. */
struct decision {
	const struct record *record;
	const char *unit, *object, *target;
	size_t unit_length, object_length, target_length; /* no target: 0 */
	char verbs[128];
	char rule[512];
	char client[256];
};

static const char *reason_word(unsigned int reason)
{
	return reason < sizeof(reason_words) / sizeof(reason_words[0]) ? reason_words[reason] : "?";
}

/* "ENOENT"; a number that is none cannot come from our own roles, but the ring is not trusted. */
static const char *error_word(int error)
{
	const char *word = error > 0 ? strerrorname_np(error) : "-";

	return word != NULL ? word : "?";
}

/* One path, or two with a NUL between them. */
static void decision_split_object(struct decision *decision, size_t length)
{
	decision->object_length = strnlen(decision->object, length);
	decision->target = decision->object + decision->object_length;
	decision->target_length = 0;
	if (decision->object_length < length) {
		decision->target++;
		decision->target_length = length - decision->object_length - 1;
	}
}

static void decision_read(struct decision *decision, const struct record *record, const char *text,
	const struct policy_image *image)
{
	struct policy_location location;
	size_t length = 0;

	decision->record = record;
	decision->unit = record->unit_length > 0 ? text : "-";
	decision->unit_length = record->unit_length > 0 ? record->unit_length : 1;
	decision->object = text + record->unit_length;
	decision_split_object(decision, (size_t)(record->text_length - record->unit_length));
	decision->verbs[0] = '\0';
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		if ((record->verbs & POLICY_BIT(verb)) != 0)
			length += (size_t)snprintf(decision->verbs + length,
				sizeof(decision->verbs) - length, "%s%s", length > 0 ? "," : "",
				policy_verb_name((enum policy_verb)verb));
	if (length == 0)
		snprintf(decision->verbs, sizeof(decision->verbs), "-"); /* it got no further */
	snprintf(decision->rule, sizeof(decision->rule), "-");
	snprintf(decision->client, sizeof(decision->client), "-");
	if (record->rule >= policy_image_rule_count(image))
		return;
	policy_image_location(image, record->rule, &location);
	snprintf(decision->rule, sizeof(decision->rule), "%s:%u", location.file, location.line);
	snprintf(decision->client, sizeof(decision->client), "%s", location.client);
}

/* What of the policy denied it; NULL: not the policy. */
static const char *why_word(const struct record *record)
{
	static const char *const words[] = {
		[POLICY_DENIED_NO_RULE] = "no-rule",
		[POLICY_DENIED_BY_RULE] = "deny",
		[POLICY_DENIED_NARROWED] = "only",
		[POLICY_DENIED_CONFLICT] = "options",
		[POLICY_DENIED_GAIN] = "gain",
		[POLICY_DENIED_LIMITED] = "limit",
	};

	if (record->reason != FDBROKER_REASON_POLICY && record->reason != FDBROKER_REASON_NARROWED)
		return NULL;
	return record->outcome < sizeof(words) / sizeof(words[0]) ? words[record->outcome] : NULL;
}

static void decision_write_text(struct line *line, const struct decision *decision)
{
	const struct record *record = decision->record;

	line_add(line, "audit: %s uid=%u pid=%d unit=", record->allowed ? "allowed" : "denied",
		record->uid, record->pid);
	line_add_escaped(line, decision->unit, decision->unit_length);
	line_add(line, " verb=%s object=\"", decision->verbs);
	line_add_escaped(line, decision->object, decision->object_length);
	if (decision->target_length > 0) {
		line_add(line, "\" target=\"");
		line_add_escaped(line, decision->target, decision->target_length);
	}
	line_add(line, "\" reason=%s error=%s rule=", reason_word(record->reason),
		error_word(record->error));
	line_add_escaped(line, decision->rule, strlen(decision->rule));
	line_add(line, " client=");
	line_add_escaped(line, decision->client, strlen(decision->client));
	if (why_word(record) != NULL)
		line_add(line, " why=%s", why_word(record));
}

static void decision_write_json(struct line *line, const struct decision *decision)
{
	const struct record *record = decision->record;

	line_add(line, "{\"audit\":\"%s\",\"uid\":%u,\"pid\":%d,\"unit\":\"",
		record->allowed ? "allowed" : "denied", record->uid, record->pid);
	line_add_escaped(line, decision->unit, decision->unit_length);
	line_add(line, "\",\"verb\":\"%s\",\"object\":\"", decision->verbs);
	line_add_escaped(line, decision->object, decision->object_length);
	if (decision->target_length > 0) {
		line_add(line, "\",\"target\":\"");
		line_add_escaped(line, decision->target, decision->target_length);
	}
	line_add(line, "\",\"reason\":\"%s\",\"error\":\"%s\",\"rule\":\"",
		reason_word(record->reason), error_word(record->error));
	line_add_escaped(line, decision->rule, strlen(decision->rule));
	line_add(line, "\",\"client\":\"");
	line_add_escaped(line, decision->client, strlen(decision->client));
	if (why_word(record) != NULL)
		line_add(line, "\",\"why\":\"%s", why_word(record));
	line_add(line, "\"}");
}

void log_record(const struct record *record, const char *text, const struct policy_image *image)
{
	int level = record->allowed ? LOG_INFO : LOG_NOTICE;
	struct decision decision;
	struct line line;

	if (record->kind == RECORD_MESSAGE) {
		if (record->level <= log_state.level)
			message_write(record->level, text, record->text_length);
		return;
	}
	/* What is recorded of decisions is the policy's business (`log`), not the level's. */
	if (record->kind != RECORD_DECISION)
		return;
	decision_read(&decision, record, text, image);
	line_begin(&line, level);
	if (log_state.format == LOG_JSON)
		decision_write_json(&line, &decision);
	else
		decision_write_text(&line, &decision);
	line_write(&line);
}
