/* SPDX-License-Identifier: MIT */
/*
 * Log lines, read from a pipe in the place of stderr. What a client or a worker chose can neither
 * fake a line nor break one, and a log that nobody reads holds nobody up.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "policy-support.h"

#include "broker/journal.h"
#include "broker/limits.h"
#include "broker/log.h"
#include "fdbroker.h"
#include "reason.h"

/* Where the journal listens, for these tests; NULL: nowhere. Never the one of this machine. */
static const char *journal_path;

bool __real_journal_open(const char *path);
bool __wrap_journal_open(const char *path);

bool __wrap_journal_open(const char *path)
{
	assert_string_equal(path, "/run/systemd/journal/socket");
	return journal_path != NULL && __real_journal_open(journal_path);
}

static const enum log_format formats[] = {LOG_TEXT, LOG_JSON};

/* Nothing may be asserted while stderr is the pipe: cmocka would say there what failed. */
struct capture {
	int stderr_fd;        /* the real one; -1: stderr is not the pipe now */
	int out;              /* our end of the pipe */
	char text[4 * 65536]; /* without the times, after capture_end() */
	size_t length;
	unsigned int times;
};

static int capture_make(void **state)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	assert_non_null(capture);
	capture->stderr_fd = -1;
	*state = capture;
	unsetenv("JOURNAL_STREAM");
	log_to_ring(NULL);
	log_open(LOG_TEXT, LOG_INFO);
	/* A log that waits ends the test. */
	alarm(20);
	return 0;
}

static int capture_free(void **state)
{
	alarm(0);
	free(*state);
	return 0;
}

/* UTC, as RFC 3339 writes it, and within this test. Returns what is behind it. */
static const char *time_end(const char *at)
{
	struct tm utc = {0};
	const char *end = strptime(at, "%Y-%m-%dT%H:%M:%S.", &utc);
	struct timespec now; /* not time(2), which is some milliseconds behind */

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	assert_non_null(end);
	assert_in_range(timegm(&utc), now.tv_sec - 60, now.tv_sec);
	assert_int_equal(strspn(end, "0123456789"), 6);
	assert_int_equal(end[6], 'Z');
	return end + 7;
}

/* Each line that has a time has it last. Takes the times out, since no two are the same. */
static void capture_take_times(struct capture *capture)
{
	static const char *const before[] = {" time=", ",\"time\":\""};

	capture->times = 0;
	for (size_t i = 0; i < COUNT(before); i++)
		for (char *at = capture->text; (at = strstr(at, before[i])) != NULL;) {
			const char *end = time_end(at + strlen(before[i]));

			if (i == 1)
				assert_int_equal(*end++, '"');
			assert_true(strncmp(end, "\n", 1) == 0 || strncmp(end, "}\n", 2) == 0);
			memmove(at, end, strlen(end) + 1);
			capture->times++;
		}
	capture->length = strlen(capture->text);
}

static void capture_begin(struct capture *capture)
{
	int ends[2];

	(void)fflush(stderr);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	capture->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	assert_true(capture->stderr_fd >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	capture->out = ends[0];
	capture->length = 0;
}

/* Takes what is in the pipe. */
static void capture_read(struct capture *capture)
{
	ssize_t n;

	while ((n = read(capture->out, capture->text + capture->length,
			sizeof(capture->text) - 1 - capture->length)) > 0)
		capture->length += (size_t)n;
	capture->text[capture->length] = '\0';
}

static void capture_end(struct capture *capture)
{
	capture_read(capture);
	dup2(capture->stderr_fd, STDERR_FILENO);
	close(capture->stderr_fd);
	close(capture->out);
	capture->stderr_fd = -1;
	assert_int_equal(strlen(capture->text), capture->length);
	capture_take_times(capture);
}

static const char *captured_message(
	struct capture *capture, enum log_format format, int level, const char *message)
{
	log_open(format, LOG_DEBUG);
	capture_begin(capture);
	log_message(level, "%s", message);
	capture_end(capture);
	return capture->text;
}

/* The object of a decision by rule 0 of a small policy, or by another rule. */
static const char *captured_record(
	struct capture *capture, enum log_format format, struct record record, const char *text)
{
	struct policy policy = policy_make("client web {\n\tfrom user alice\n\tallow read /a\n}\n");

	log_open(format, LOG_DEBUG);
	capture_begin(capture);
	log_record(&record, text, policy.image);
	capture_end(capture);
	policy_drop(&policy);
	return capture->text;
}

static struct record decision_of(size_t unit_length, size_t object_length)
{
	return (struct record){.kind = RECORD_DECISION,
		.uid = 1000,
		.pid = 4711,
		.verbs = POLICY_BIT(POLICY_READ),
		.error = ENOENT,
		.reason = 1,
		.allowed = 1,
		.unit_length = (uint8_t)unit_length,
		.text_length = (uint16_t)(unit_length + object_length)};
}

/* ---- reading lines ---- */

static void assert_one_line(const char *line)
{
	size_t length = strlen(line);

	assert_int_not_equal(length, 0);
	assert_ptr_equal(strchr(line, '\n'), line + length - 1);
	for (size_t i = 0; i + 1 < length; i++)
		assert_in_range((unsigned char)line[i], 0x20, 0x7e);
}

static unsigned int hex(const char *digits)
{
	char text[3] = {digits[0], digits[1], '\0'};
	char *end;
	unsigned long value = strtoul(text, &end, 16);

	assert_ptr_equal(end, text + 2);
	return (unsigned int)value;
}

/* Undoes what the log has done, up to the closing quote; *from moves behind it. */
static size_t unescape(const char **from, const char *numeric, char *bytes, size_t size)
{
	size_t length = 0, numeric_length = strlen(numeric);
	const char *at = *from;

	while (*at != '"') {
		assert_in_range(*at, 0x20, 0x7e);
		assert_true(length < size);
		if (strncmp(at, numeric, numeric_length) == 0) {
			bytes[length++] = (char)hex(at + numeric_length);
			at += numeric_length + 2;
		} else if (*at == '\\') {
			assert_true(at[1] == '\\' || at[1] == '"');
			bytes[length++] = at[1];
			at += 2;
		} else {
			bytes[length++] = *at++;
		}
	}
	*from = at + 1;
	return length;
}

/* The value of a key of a line of text, between quotes. */
static size_t text_value(const char *line, const char *before, char *bytes, size_t size)
{
	const char *at = strstr(line, before);

	assert_non_null(at);
	at += strlen(before);
	return unescape(&at, "\\x", bytes, size);
}

/*
 * Reads a line of JSON (RFC 8259) as the log writes it: one flat object, with numbers and strings
 * for values. Each key stands once. Returns the length of that value.
 */
static size_t json_value(const char *line, const char *wanted, char *bytes, size_t size)
{
	size_t length = SIZE_MAX;
	const char *at = line;

	assert_int_equal(*at++, '{');
	for (;;) {
		static char ignored[65536];
		char key[32];
		bool is_wanted;

		assert_int_equal(*at++, '"');
		key[unescape(&at, "\\u00", key, sizeof(key) - 1)] = '\0';
		assert_int_equal(*at++, ':');
		is_wanted = strcmp(key, wanted) == 0;
		assert_false(is_wanted && length != SIZE_MAX);
		if (*at == '"') {
			size_t n;

			at++;
			n = unescape(&at, "\\u00", is_wanted ? bytes : ignored,
				is_wanted ? size : sizeof(ignored));
			length = is_wanted ? n : length;
		} else {
			size_t sign = *at == '-';
			size_t digits = strspn(at + sign, "0123456789");

			assert_int_not_equal(digits, 0);
			assert_true(digits == 1 || at[sign] != '0');
			at += sign + digits;
		}
		if (*at == '}')
			break;
		assert_int_equal(*at++, ',');
	}
	assert_string_equal(at, "}\n");
	assert_int_not_equal(length, SIZE_MAX);
	return length;
}

static size_t object_of(const char *line, enum log_format format, char *bytes, size_t size)
{
	assert_one_line(line);
	return format == LOG_JSON ? json_value(line, "object", bytes, size)
				  : text_value(line, " object=\"", bytes, size);
}

/* ---- lines ---- */

static void assert_line_ends(const char *line, const char *end)
{
	size_t length = strlen(line), wanted = strlen(end);

	assert_one_line(line);
	assert_true(length > wanted);
	assert_string_equal(line + length - wanted, end);
}

static void a_message_is_a_line(void **state)
{
	struct capture *capture = *state;

	assert_string_equal(captured_message(capture, LOG_TEXT, LOG_ERR, "cannot \"x\\y\""),
		"fdbrokerd: cannot \"x\\y\"\n");
	assert_string_equal(captured_message(capture, LOG_JSON, LOG_ERR, "cannot \"x\\y\""),
		"{\"level\":3,\"message\":\"cannot \\\"x\\\\y\\\"\"}\n");
}

static void a_decision_is_a_line(void **state)
{
	struct capture *capture = *state;

	assert_string_equal(captured_record(capture, LOG_TEXT, decision_of(9, 4), "a.service/a b"),
		"audit: allowed uid=1000 pid=4711 unit=a.service verb=read object=\"/a b\" "
		"reason=kernel error=ENOENT rule=test.policy:3 client=web\n");
	assert_string_equal(captured_record(capture, LOG_JSON, decision_of(9, 4), "a.service/a b"),
		"{\"audit\":\"allowed\",\"uid\":1000,\"pid\":4711,\"unit\":\"a.service\","
		"\"verb\":\"read\",\"object\":\"/a b\",\"reason\":\"kernel\",\"error\":\"ENOENT\","
		"\"rule\":\"test.policy:3\",\"client\":\"web\"}\n");
}

static void what_no_rule_decided_and_no_unit_asked_is_said_as_well(void **state)
{
	struct capture *capture = *state;
	struct record record = decision_of(0, 2);

	record.allowed = 0;
	record.rule = POLICY_NO_RULE;
	record.error = 0;
	record.reason = 2;
	record.verbs |= POLICY_BIT(POLICY_CREATE);
	assert_string_equal(captured_record(capture, LOG_TEXT, record, "/a"),
		"audit: denied uid=1000 pid=4711 unit=- verb=read,create object=\"/a\" "
		"reason=policy error=- rule=- client=-\n");
	assert_string_equal(captured_record(capture, LOG_JSON, record, "/a"),
		"{\"audit\":\"denied\",\"uid\":1000,\"pid\":4711,\"unit\":\"-\","
		"\"verb\":\"read,create\",\"object\":\"/a\",\"reason\":\"policy\","
		"\"error\":\"-\",\"rule\":\"-\",\"client\":\"-\"}\n");
}

static void what_was_refused_before_it_had_a_verb_has_none(void **state)
{
	struct record record = decision_of(0, 2);

	record.verbs = 0;
	assert_non_null(strstr(captured_record(*state, LOG_TEXT, record, "/a"), " verb=- object="));
	assert_non_null(strstr(
		captured_record(*state, LOG_JSON, record, "/a"), "\"verb\":\"-\",\"object\""));
}

static void a_path_behind_a_link_is_said_after_the_paths_that_were_asked_for(void **state)
{
	struct record record = decision_of(0, 8);

	assert_non_null(strstr(captured_record(*state, LOG_TEXT, record, "/a\0\0/b\"c"),
		" object=\"/a\" real=\"/b\\\"c\" reason="));
	assert_non_null(strstr(captured_record(*state, LOG_TEXT, record, "/a\0/b\0/c"),
		" object=\"/a\" target=\"/b\" real=\"/c\" reason="));
	assert_non_null(strstr(captured_record(*state, LOG_JSON, record, "/a\0/b\0/c"),
		"\"object\":\"/a\",\"target\":\"/b\",\"real\":\"/c\",\"reason\""));
}

/* PATH_MAX is longer than what there is room for. */
static void the_rule_of_a_file_with_a_long_name_has_its_line_and_the_end_of_the_name(void **state)
{
	static const size_t lengths[] = {508, 509, 510, 511, 512, 513, 4000};

	for (size_t i = 0; i < COUNT(lengths); i++) {
		char name[PATH_MAX] = "";
		struct record record = decision_of(0, 2);
		const char *line, *rule;
		struct policy policy;

		memset(name, 'd', lengths[i]);
		name[0] = '/';
		memcpy(name + lengths[i] - 9, "/a.policy", 9);
		policy = policy_try_file(
			name, "client web {\n\tfrom user alice\n\tallow read /a\n}\n");
		log_open(LOG_TEXT, LOG_DEBUG);
		capture_begin(*state);
		log_record(&record, "/a", policy.image);
		capture_end(*state);
		policy_drop(&policy);
		line = ((struct capture *)*state)->text;
		assert_non_null(strstr(line, "d/a.policy:3 client=web\n"));
		rule = strstr(line, " rule=") + strlen(" rule=");
		assert_int_equal(strncmp(rule, lengths[i] <= 509 ? "/dd" : "...d", 3), 0);
		assert_in_range(strcspn(rule, " "), 505, 511);
	}
}

/* The end of the line: " why=..." there is of a denial by the policy alone. */
static void the_last_word_is_what_of_the_policy_denied_it(void **state)
{
	static const struct {
		uint8_t reason, outcome;
		const char *why; /* NULL: not the policy */
	} ends[] = {
		{FDBROKER_REASON_POLICY, POLICY_DENIED_NO_RULE, "no-rule"},
		{FDBROKER_REASON_POLICY, POLICY_DENIED_BY_RULE, "deny"},
		{FDBROKER_REASON_POLICY, POLICY_DENIED_NARROWED, "only"},
		{FDBROKER_REASON_POLICY, POLICY_DENIED_CONFLICT, "options"},
		{FDBROKER_REASON_POLICY, POLICY_DENIED_GAIN, "gain"},
		{FDBROKER_REASON_NARROWED, POLICY_DENIED_LIMITED, "limit"},
		{FDBROKER_REASON_POLICY, POLICY_ALLOWED, NULL},
		{FDBROKER_REASON_POLICY, POLICY_DENIED_LIMITED + 1, NULL},
		{FDBROKER_REASON_POLICY, UINT8_MAX, NULL},
		{FDBROKER_REASON_NONE, POLICY_ALLOWED, NULL},
		{FDBROKER_REASON_KERNEL, POLICY_DENIED_NO_RULE, NULL},
		{FDBROKER_REASON_PLACEMENT, POLICY_DENIED_BY_RULE, NULL},
	};

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct record record = decision_of(0, 2);
		char text[64] = " client=web\n", json[64] = "\"client\":\"web\"}\n";

		record.reason = ends[i].reason;
		record.outcome = ends[i].outcome;
		if (ends[i].why != NULL) {
			(void)snprintf(text, sizeof(text), " client=web why=%s\n", ends[i].why);
			(void)snprintf(json, sizeof(json), "\"client\":\"web\",\"why\":\"%s\"}\n",
				ends[i].why);
		}
		assert_line_ends(captured_record(*state, LOG_TEXT, record, "/a"), text);
		assert_line_ends(captured_record(*state, LOG_JSON, record, "/a"), json);
	}
}

static const char *captured_refusal(struct capture *capture, enum log_format format, int level,
	const char *unit, enum log_refusal refusal)
{
	log_open(format, level);
	capture_begin(capture);
	log_refusal(1000, 4711, unit, refusal);
	capture_end(capture);
	return capture->text;
}

static void a_connection_that_is_not_taken_is_a_record(void **state)
{
	assert_string_equal(
		captured_refusal(*state, LOG_TEXT, LOG_NOTICE, "a.service", LOG_NO_CLIENT),
		"audit: denied uid=1000 pid=4711 unit=a.service verb=- object=\"\" "
		"reason=broker error=ECONNRESET rule=- client=- why=no-client\n");
	assert_string_equal(captured_refusal(*state, LOG_JSON, LOG_INFO, NULL, LOG_CONNECTIONS),
		"{\"audit\":\"denied\",\"uid\":1000,\"pid\":4711,\"unit\":\"-\",\"verb\":\"-\","
		"\"object\":\"\",\"reason\":\"broker\",\"error\":\"ECONNRESET\",\"rule\":\"-\","
		"\"client\":\"-\",\"why\":\"connections\"}\n");
	assert_string_equal(
		captured_refusal(*state, LOG_TEXT, LOG_WARNING, NULL, LOG_NO_CLIENT), "");
}

static void every_event_is_one_line(void **state)
{
	struct capture *capture = *state;
	unsigned int lines = 0;

	for (size_t i = 0; i < COUNT(formats); i++) {
		log_open(formats[i], LOG_INFO);
		capture_begin(capture);
		for (int j = 0; j < 100; j++)
			log_message(LOG_INFO, "event %d", j);
		capture_end(capture);
		lines = 0;
		for (const char *at = capture->text; *at != '\0'; at = strchr(at, '\n') + 1) {
			char expected[64];

			(void)snprintf(expected, sizeof(expected),
				formats[i] == LOG_JSON ? "{\"level\":6,\"message\":\"event %u\"}\n"
						       : "fdbrokerd: event %u\n",
				lines++);
			assert_int_equal(strncmp(at, expected, strlen(expected)), 0);
		}
		assert_int_equal(lines, 100);
	}
}

static void a_message_less_urgent_than_the_level_is_not_written(void **state)
{
	struct capture *capture = *state;
	const struct record quiet = {.kind = RECORD_MESSAGE, .level = LOG_INFO};
	struct policy policy = policy_make("");

	log_open(LOG_TEXT, LOG_NOTICE);
	capture_begin(capture);
	log_message(LOG_INFO, "info");
	log_record(&quiet, "", policy.image);
	log_message(LOG_NOTICE, "notice");
	capture_end(capture);
	policy_drop(&policy);
	assert_string_equal(capture->text, "fdbrokerd: notice\n");
}

/* What is recorded of them is for the policy to say. */
static void a_decision_is_written_at_every_level(void **state)
{
	struct capture *capture = *state;
	struct record record = decision_of(0, 0);
	struct policy policy = policy_make("");

	log_open(LOG_TEXT, LOG_ERR);
	capture_begin(capture);
	log_record(&record, "", policy.image);
	capture_end(capture);
	policy_drop(&policy);
	assert_one_line(capture->text);
}

/* JOURNAL_STREAM is inherited by whoever is started with another stderr, systemd.exec(5). */
/* Where it has a stream, but no socket for entries. */
static void the_journal_and_nobody_else_is_told_how_urgent_a_line_is(void **state)
{
	static const char *const expected[] = {
		"<4>fdbrokerd: x\n", "<4>{\"level\":4,\"message\":\"x\"}\n"};
	struct capture *capture = *state;

	for (size_t i = 0; i < COUNT(formats); i++)
		for (unsigned int other = 0; other < 2; other++) {
			char stream[64] = "";
			struct stat status;

			capture_begin(capture);
			if (fstat(STDERR_FILENO, &status) == 0)
				(void)snprintf(stream, sizeof(stream), "%llu:%llu",
					(unsigned long long)status.st_dev,
					(unsigned long long)status.st_ino + other);
			(void)setenv("JOURNAL_STREAM", stream, 1);
			log_open(formats[i], LOG_INFO);
			log_message(LOG_WARNING, "x");
			capture_end(capture);
			assert_string_equal(capture->text, expected[i] + (other == 1 ? 3 : 0));
		}
}

static void what_went_into_the_ring_comes_out_as_the_same_line(void **state)
{
	struct capture *capture = *state;
	struct ring *ring = calloc(1, sizeof(*ring));
	static char text[UINT16_MAX];
	struct record record;
	uint64_t tail = 0;

	assert_non_null(ring);
	log_to_ring(ring);
	capture_begin(capture);
	log_message(LOG_ERR, "cannot %s", "open");
	capture_end(capture);
	assert_string_equal(capture->text, "");
	log_to_ring(NULL);
	assert_true(ring_read(ring, &tail, ring_head(ring), &record, text));
	free(ring);
	assert_string_equal(
		captured_record(capture, LOG_TEXT, record, text), "fdbrokerd: cannot open\n");
}

/* ---- escaping ---- */

static void every_byte_of_an_object_can_be_told_from_the_line(void **state)
{
	char object[255], read[255]; /* without NUL, which no path has */

	for (size_t i = 0; i < sizeof(object); i++)
		object[i] = (char)(i + 1);
	for (size_t i = 0; i < COUNT(formats); i++) {
		const char *line =
			captured_record(*state, formats[i], decision_of(0, sizeof(object)), object);

		assert_int_equal(object_of(line, formats[i], read, sizeof(read)), sizeof(object));
		assert_memory_equal(read, object, sizeof(object));
	}
}

static void a_rename_shows_both_of_its_paths(void **state)
{
	static const char paths[] = "/old \"name\0/new\nname";
	static const char *const expected[] = {
		[LOG_TEXT] = " object=\"/old \\\"name\" target=\"/new\\x0aname\" reason=",
		[LOG_JSON] = "\"object\":\"/old \\\"name\",\"target\":\"/new\\u000aname\",",
	};

	for (size_t i = 0; i < COUNT(formats); i++) {
		const char *line = captured_record(
			*state, formats[i], decision_of(0, sizeof(paths) - 1), paths);

		assert_one_line(line);
		assert_non_null(strstr(line, expected[formats[i]]));
	}
}

static void a_byte_is_written_as_itself_or_as_its_number(void **state)
{
	for (int byte = 1; byte < 256; byte++)
		for (size_t i = 0; i < COUNT(formats); i++) {
			char object = (char)byte, expected[32], plain[8];
			const char *line =
				captured_record(*state, formats[i], decision_of(0, 1), &object);

			if (byte == '"' || byte == '\\')
				(void)snprintf(plain, sizeof(plain), "\\%c", byte);
			else if (byte < 0x20 || byte > 0x7e)
				(void)snprintf(plain, sizeof(plain), "\\%s%02x",
					formats[i] == LOG_JSON ? "u00" : "x", (unsigned int)byte);
			else
				(void)snprintf(plain, sizeof(plain), "%c", byte);
			(void)snprintf(expected, sizeof(expected),
				formats[i] == LOG_JSON ? "\"object\":\"%s\"," : " object=\"%s\" ",
				plain);
			assert_one_line(line);
			assert_non_null(strstr(line, expected));
		}
}

static void every_byte_of_a_unit_and_of_a_message_stays_in_its_line(void **state)
{
	char text[256];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	for (size_t i = 0; i < COUNT(formats); i++) {
		const struct record message = {
			.kind = RECORD_MESSAGE, .level = LOG_ERR, .text_length = sizeof(text)};
		char read[256];

		assert_one_line(captured_record(*state, formats[i], decision_of(255, 1), text));
		assert_one_line(captured_record(*state, formats[i], message, text));
		if (formats[i] == LOG_JSON)
			assert_int_equal(
				json_value(((struct capture *)*state)->text, "message", read, 256),
				256);
	}
}

static void a_path_cannot_fake_a_line_or_a_field(void **state)
{
	static const char object[] =
		"/a\" reason=none error=- rule=x\n"
		"audit: allowed uid=0 object=\"\r/etc/shadow\x1b[2J\",\"uid\":0}";
	char read[sizeof(object)];

	for (size_t i = 0; i < COUNT(formats); i++) {
		const char *line = captured_record(
			*state, formats[i], decision_of(0, sizeof(object) - 1), object);

		assert_int_equal(
			object_of(line, formats[i], read, sizeof(read)), sizeof(object) - 1);
		assert_memory_equal(read, object, sizeof(object) - 1);
	}
}

/* A cgroup may have any name, and so may a policy file. */
static void a_unit_with_a_blank_cannot_fake_a_field(void **state)
{
	struct record record = decision_of(19, 2);

	assert_non_null(strstr(captured_record(*state, LOG_TEXT, record, "a uid=0 \"b\\.service/a"),
		" unit=a\\x20uid=0\\x20\\\"b\\\\.service verb=read "));
	assert_non_null(strstr(captured_record(*state, LOG_JSON, record, "a uid=0 \"b\\.service/a"),
		"\"unit\":\"a uid=0 \\\"b\\\\.service\","));
}

static void a_message_cannot_begin_another_line(void **state)
{
	assert_string_equal(captured_message(*state, LOG_TEXT, LOG_ERR, "a\naudit: allowed\r\x80"),
		"fdbrokerd: a\\x0aaudit: allowed\\x0d\\x80\n");
	assert_string_equal(captured_message(*state, LOG_JSON, LOG_ERR, "a\n{}\x80"),
		"{\"level\":3,\"message\":\"a\\u000a{}\\u0080\"}\n");
}

/* ---- lengths, and records that lie ---- */

/* PATH_MAX - 1 bytes and a unit of 255, each at its longest in the log. */
static void the_longest_path_is_logged_to_its_last_byte(void **state)
{
	enum { UNIT = 255, PATH = 4095 };
	static char text[UNIT + PATH], read[PATH];
	static const char bytes[] = {'/', '"', '\n', '\xff'};

	for (size_t i = 0; i < COUNT(formats); i++)
		for (size_t j = 0; j < COUNT(bytes); j++) {
			const char *line;

			memset(text, bytes[j], sizeof(text));
			line = captured_record(*state, formats[i], decision_of(UNIT, PATH), text);
			assert_int_equal(object_of(line, formats[i], read, sizeof(read)), PATH);
			assert_memory_equal(read, text + UNIT, PATH);
			assert_non_null(strstr(line, "test.policy:3"));
		}
}

/* Only a worker that was taken over sends more than that. */
static void what_would_be_too_long_is_cut_and_the_line_is_whole(void **state)
{
	static char text[UINT16_MAX], read[UINT16_MAX];
	const struct record message = {
		.kind = RECORD_MESSAGE, .level = LOG_ERR, .text_length = UINT16_MAX};
	struct capture *capture = *state;

	for (size_t i = 0; i < COUNT(formats); i++) {
		struct record record = decision_of(255, UINT16_MAX - 255);
		const char *line;

		memset(text, '\n', sizeof(text));
		line = captured_record(capture, formats[i], record, text);
		assert_int_equal(object_of(line, formats[i], read, sizeof(read)), PATH_MAX);
		assert_int_equal(capture->times, 1);
		text[20000] = '\0'; /* two of them */
		line = captured_record(capture, formats[i], record, text);
		assert_int_equal(object_of(line, formats[i], read, sizeof(read)), PATH_MAX);
		assert_int_equal(capture->times, 1);
		line = captured_record(capture, formats[i], message, text);
		assert_one_line(line);
		if (formats[i] == LOG_JSON)
			assert_int_equal(
				json_value(line, "message", read, sizeof(read)), LOG_MESSAGE_MAX);
	}
}

static void numbers_that_mean_nothing_are_logged_all_the_same(void **state)
{
	/* errno(3) has no 41 on Linux. */
	static const int32_t errors[] = {INT32_MIN, -1, 0, 41, 4095, INT32_MAX};

	for (size_t i = 0; i < COUNT(formats); i++)
		for (size_t j = 0; j < COUNT(errors); j++) {
			struct record record = decision_of(0, 0);
			char expected[64];
			const char *line;

			record.error = errors[j];
			record.reason = UINT8_MAX;
			record.rule = 1 + (uint32_t)j;
			record.verbs = UINT32_MAX;
			record.allowed = UINT8_MAX;
			record.pid = INT32_MIN;
			line = captured_record(*state, formats[i], record, "");
			(void)snprintf(expected, sizeof(expected),
				formats[i] == LOG_JSON
					? "\"reason\":\"?\",\"error\":\"%s\",\"rule\":\"-\""
					: " reason=? error=%s rule=- ",
				errors[j] > 0 ? "?" : "-");
			assert_one_line(line);
			assert_non_null(strstr(line, expected));
		}
}

static void a_record_of_no_known_kind_is_not_logged(void **state)
{
	struct record record = decision_of(0, 0);

	record.kind = 0;
	assert_string_equal(captured_record(*state, LOG_TEXT, record, ""), "");
	record.kind = UINT8_MAX;
	assert_string_equal(captured_record(*state, LOG_TEXT, record, ""), "");
}

/* ---- a log that nobody reads ---- */

/* Fills the pipe, but for so many pages; writing to it would wait then. */
static void fill(struct capture *capture, size_t pages)
{
	static const char page[PIPE_BUF];

	(void)capture;
	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	while (write(STDERR_FILENO, page, sizeof(page)) > 0)
		;
	fcntl(STDERR_FILENO, F_SETFL, 0);
	for (char ignored[PIPE_BUF]; pages > 0; pages--)
		if (read(capture->out, ignored, sizeof(ignored)) < 0)
			break;
}

/* Throws away what fill() wrote; whatever was logged is behind it. */
static const char *captured_behind(struct capture *capture)
{
	size_t zeros = 0;

	while (zeros < capture->length && capture->text[zeros] == '\0')
		zeros++;
	return capture->text + zeros;
}

static void a_full_pipe_holds_nobody_up_and_the_skipped_lines_are_counted(void **state)
{
	static const char *const expected[] = {
		"log: 3 lines skipped\nfdbrokerd: later\nfdbrokerd: again\n",
		"{\"skipped\":3}\n{\"level\":6,\"message\":\"later\"}\n"
		"{\"level\":6,\"message\":\"again\"}\n"};
	struct capture *capture = *state;

	for (size_t i = 0; i < COUNT(formats); i++) {
		log_open(formats[i], LOG_INFO);
		capture_begin(capture);
		fill(capture, 0);
		for (int j = 0; j < 3; j++)
			log_message(LOG_INFO, "lost");
		capture_read(capture);
		capture->length = 0;
		log_message(LOG_INFO, "later");
		log_message(LOG_INFO, "again");
		capture_end(capture);
		assert_string_equal(capture->text, expected[i]);
	}
}

/* What is lost in a ring is no message, which a level could keep back, nor is it one line. */
static void what_was_lost_before_it_came_to_the_log_is_counted_with_the_rest(void **state)
{
	struct capture *capture = *state;

	log_open(LOG_TEXT, LOG_ERR);
	capture_begin(capture);
	fill(capture, 0);
	log_skip(1000);
	log_message(LOG_ERR, "lost");
	log_skip(500);
	capture_read(capture);
	capture->length = 0;
	log_message(LOG_ERR, "later");
	capture_end(capture);
	assert_string_equal(capture->text, "log: 1501 lines skipped\nfdbrokerd: later\n");
}

static void what_could_not_be_said_is_said_though_nothing_more_happens(void **state)
{
	struct capture *capture = *state;

	log_open(LOG_TEXT, LOG_INFO);
	capture_begin(capture);
	fill(capture, 0);
	log_message(LOG_INFO, "lost");
	assert_int_equal(log_tick(1000), 1000 + LOG_RETRY_MSEC);
	capture_read(capture);
	capture->length = 0;
	assert_true(log_tick(1100) == UINT64_MAX);
	capture_end(capture);
	assert_string_equal(capture->text, "log: 1 lines skipped\n");
}

static void the_rest_of_a_line_is_written_though_nothing_more_happens(void **state)
{
	static char object[4095];
	struct capture *capture = *state;
	struct record record = decision_of(0, sizeof(object));
	struct policy policy = policy_make("");

	memset(object, '\n', sizeof(object));
	log_open(LOG_TEXT, LOG_INFO);
	capture_begin(capture);
	fill(capture, 1);
	log_record(&record, object, policy.image);
	assert_int_equal(log_tick(1000), 1000 + LOG_RETRY_MSEC);
	capture_read(capture);
	log_close();
	capture_read(capture);
	assert_true(log_tick(1100) == UINT64_MAX);
	dup2(capture->stderr_fd, STDERR_FILENO);
	close(capture->stderr_fd);
	close(capture->out);
	policy_drop(&policy);
	assert_int_equal(capture->text[capture->length - 1], '\n');
}

/* A line's time is that of what it says, and lines stand in the order of their times. */
static void what_is_missing_before_a_line_has_no_later_time_than_the_line(void **state)
{
	struct capture *capture = *state;
	const char *skipped, *later;
	char times[2][28];

	log_open(LOG_JSON, LOG_INFO);
	capture_begin(capture);
	log_skip(1);
	log_message(LOG_INFO, "later");
	capture_read(capture);
	skipped = strstr(capture->text, "\"time\":\"");
	later = skipped != NULL ? strstr(skipped + 1, "\"time\":\"") : NULL;
	if (later != NULL) {
		memcpy(times[0], skipped + 8, 27);
		memcpy(times[1], later + 8, 27);
	}
	times[0][27] = times[1][27] = '\0';
	capture_end(capture);
	assert_non_null(later);
	assert_true(strcmp(times[0], times[1]) <= 0);
}

/* The pipe takes some of a long line, not all. */
static void a_line_that_does_not_fit_the_pipe_breaks_no_other(void **state)
{
	static char object[4095];
	struct capture *capture = *state;
	struct record record = decision_of(0, sizeof(object));
	struct policy policy = policy_make("");

	memset(object, '\n', sizeof(object));
	record.rule = POLICY_NO_RULE;
	for (size_t i = 0; i < COUNT(formats); i++) {
		const char *at, *last = NULL;

		log_open(formats[i], LOG_INFO);
		capture_begin(capture);
		fill(capture, 1);
		log_record(&record, object, policy.image);
		capture_read(capture);
		log_message(LOG_INFO, "later");
		capture_read(capture);
		dup2(capture->stderr_fd, STDERR_FILENO);
		close(capture->stderr_fd);
		close(capture->out);
		at = captured_behind(capture);
		memmove(capture->text, at, strlen(at) + 1);
		capture_take_times(capture);
		at = capture->text;
		for (const char *line = at; *line != '\0'; line = strchr(line, '\n') + 1)
			last = line;
		assert_non_null(last);
		assert_string_equal(last, formats[i] == LOG_JSON
						  ? "{\"level\":6,\"message\":\"later\"}\n"
						  : "fdbrokerd: later\n");
		/* It began, so it is finished before the next one. */
		assert_non_null(
			strstr(at, formats[i] == LOG_JSON ? "\"client\":\"-\"}\n" : " client=-\n"));
	}
	policy_drop(&policy);
}

static void a_log_that_is_gone_holds_nobody_up(void **state)
{
	struct capture *capture = *state;
	int nowhere, spare;

	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	capture_begin(capture);
	spare = capture->out;
	nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC);
	capture->out = nowhere;
	close(spare);
	log_message(LOG_INFO, "lost");
	capture_end(capture);
	/* Said to whoever reads next. */
	assert_string_equal(captured_message(capture, LOG_TEXT, LOG_INFO, "x"),
		"log: 1 lines skipped\nfdbrokerd: x\n");
}

/* ---- the journal ---- */

struct journal {
	char folder[32], path[64];
	int fd;
	char entry[4 * LOG_LINE_MAX];
};

static void journal_listen(struct journal *journal)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", journal->path);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(journal->fd >= 0);
	assert_int_equal(bind(journal->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void journal_end(struct journal *journal)
{
	close(journal->fd);
	assert_int_equal(unlink(journal->path), 0);
}

/* From here on the log goes to a journal of this test's. */
static struct journal *journal_begin(enum log_format format)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	char stream[64];
	struct stat status;

	assert_non_null(journal);
	(void)snprintf(journal->folder, sizeof(journal->folder), "/tmp/test-journal-XXXXXX");
	assert_non_null(mkdtemp(journal->folder));
	(void)snprintf(journal->path, sizeof(journal->path), "%s/socket", journal->folder);
	journal_listen(journal);
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	journal_path = journal->path;
	log_open(format, LOG_INFO);
	unsetenv("JOURNAL_STREAM");
	journal_path = NULL;
	return journal;
}

static void journal_free(struct journal *journal)
{
	journal_end(journal);
	assert_int_equal(rmdir(journal->folder), 0);
	free(journal);
}

/* Takes the next entry, with the times cut out of its message; NULL: there is none. */
static const char *journal_entry(struct journal *journal)
{
	ssize_t n = recv(journal->fd, journal->entry, sizeof(journal->entry) - 1, 0);
	char *at;

	if (n < 0)
		return NULL;
	journal->entry[n] = '\0';
	assert_int_equal(strlen(journal->entry), n);
	at = strstr(journal->entry, " time=");
	if (at != NULL)
		memmove(at, time_end(at + 6), strlen(time_end(at + 6)) + 1);
	return journal->entry;
}

static void a_message_is_an_entry_of_the_journal(void **state)
{
	struct journal *journal = journal_begin(LOG_TEXT);

	(void)state;
	log_message(LOG_WARNING, "a \"b\"\nPRIORITY=0");
	assert_string_equal(journal_entry(journal),
		"PRIORITY=4\nSYSLOG_IDENTIFIER=fdbrokerd\nMESSAGE=a \"b\"\\x0aPRIORITY=0\n");
	log_event(LOG_INFO, JOURNAL_RELOAD_DONE, "done");
	assert_string_equal(journal_entry(journal),
		"PRIORITY=6\nSYSLOG_IDENTIFIER=fdbrokerd\nMESSAGE_ID=" JOURNAL_RELOAD_DONE
		"\nMESSAGE=done\n");
	log_message(LOG_DEBUG, "not at this level");
	assert_null(journal_entry(journal));
	journal_free(journal);
}

/* The escapes are those of text, also when the message is JSON. */
static void a_decision_has_a_field_for_each_of_its_values(void **state)
{
	static const char text[] = "a b.service/old \"\xff\0/new\nFDBROKER_UID=0";
	static const char *const messages[] = {
		[LOG_TEXT] = "MESSAGE=audit: allowed uid=1000 pid=4711 unit=a\\x20b.service ",
		[LOG_JSON] = "MESSAGE={\"audit\":\"allowed\",\"uid\":1000,\"pid\":4711,",
	};
	struct policy policy = policy_make("client web {\n\tfrom user alice\n\tallow read /a\n}\n");
	struct record record = decision_of(11, sizeof(text) - 1 - 11);

	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct journal *journal = journal_begin(formats[i]);
		const char *entry, *message;

		log_record(&record, text, policy.image);
		entry = journal_entry(journal);
		assert_non_null(entry);
		message = strstr(entry, "MESSAGE=");
		assert_non_null(message);
		assert_memory_equal(message, messages[i], strlen(messages[i]));
		assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
		journal->entry[message - entry] = '\0';
		assert_string_equal(entry,
			"FDBROKER_VERDICT=allowed\nFDBROKER_UID=1000\nFDBROKER_PID=4711\n"
			"FDBROKER_UNIT=a\\x20b.service\nFDBROKER_VERB=read\n"
			"FDBROKER_OBJECT=/old \\\"\\xff\nFDBROKER_TARGET=/new\\x0aFDBROKER_UID=0\n"
			"FDBROKER_REASON=kernel\nFDBROKER_ERROR=ENOENT\n"
			"FDBROKER_RULE=test.policy:3\nFDBROKER_CLIENT=web\n"
			"PRIORITY=6\nSYSLOG_IDENTIFIER=fdbrokerd\nMESSAGE_ID=" JOURNAL_ALLOWED
			"\n");
		journal_free(journal);
	}
	policy_drop(&policy);
}

static void what_is_not_known_is_no_field(void **state)
{
	struct journal *journal = journal_begin(LOG_TEXT);

	(void)state;
	log_refusal(1000, 4711, NULL, LOG_NO_CLIENT);
	assert_string_equal(journal_entry(journal),
		"FDBROKER_VERDICT=denied\nFDBROKER_UID=1000\nFDBROKER_PID=4711\n"
		"FDBROKER_REASON=broker\nFDBROKER_ERROR=ECONNRESET\nFDBROKER_WHY=no-client\n"
		"PRIORITY=5\nSYSLOG_IDENTIFIER=fdbrokerd\nMESSAGE_ID=" JOURNAL_DENIED
		"\nMESSAGE=audit: denied uid=1000 pid=4711 unit=- verb=- object=\"\" reason=broker "
		"error=ECONNRESET rule=- client=- why=no-client\n");
	journal_free(journal);
}

/* The room that a socket has of itself is too little for a journal that is busy for a moment. */
static void two_of_the_longest_records_find_room_on_their_way_to_the_journal(void **state)
{
	enum { UNIT = 255, PATH = 4096 };
	static char text[UNIT + 3 * PATH + 2];
	struct policy policy = policy_make("");
	struct record record = decision_of(UNIT, sizeof(text) - UNIT);
	struct journal *journal = journal_begin(LOG_JSON);

	(void)state;
	memset(text, '\n', sizeof(text));
	text[UNIT + PATH] = text[UNIT + PATH + 1 + PATH] = '\0';
	record.rule = POLICY_NO_RULE;
	for (int i = 0; i < 2; i++)
		log_record(&record, text, policy.image);
	for (int i = 0; i < 2; i++) {
		assert_non_null(journal_entry(journal));
		assert_true(strlen(journal->entry) > (4 + 6) * sizeof(text));
		assert_non_null(strstr(journal->entry, "Z\"}\n"));
	}
	journal_free(journal);
	policy_drop(&policy);
}

/* What is not known has no byte that somebody could have asked for. */
static void an_object_that_is_a_hyphen_is_a_field(void **state)
{
	struct policy policy = policy_make("");
	struct record record = decision_of(0, 3);
	struct journal *journal = journal_begin(LOG_TEXT);

	(void)state;
	log_record(&record, "-\0-", policy.image);
	assert_non_null(journal_entry(journal));
	assert_non_null(strstr(journal->entry, "FDBROKER_OBJECT=-\nFDBROKER_TARGET=-\n"));
	journal_free(journal);
	policy_drop(&policy);
}

static void a_journal_that_is_started_anew_is_told_what_it_missed(void **state)
{
	struct journal *journal = journal_begin(LOG_TEXT);

	(void)state;
	journal_end(journal);
	for (int i = 0; i < 3; i++)
		log_message(LOG_INFO, "lost");
	journal_listen(journal);
	log_message(LOG_INFO, "later");
	assert_non_null(journal_entry(journal));
	assert_string_equal(journal->entry,
		"PRIORITY=4\nSYSLOG_IDENTIFIER=fdbrokerd\nMESSAGE=log: 3 lines skipped\n");
	assert_non_null(strstr(journal_entry(journal), "MESSAGE=later\n"));
	assert_null(journal_entry(journal));
	journal_free(journal);
}

/* alarm(2) ends the test if it waits. */
static void a_journal_that_does_not_read_holds_nobody_up(void **state)
{
	struct journal *journal = journal_begin(LOG_TEXT);
	unsigned int taken = 0, skipped = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		log_message(LOG_INFO, "one of many");
	while (journal_entry(journal) != NULL)
		taken++;
	assert_in_range(taken, 1, 4999);
	log_message(LOG_INFO, "later");
	assert_non_null(journal_entry(journal));
	assert_int_equal(
		sscanf(strstr(journal->entry, "MESSAGE="), "MESSAGE=log: %u lines", &skipped), 1);
	assert_int_equal(taken + skipped, 5000);
	journal_free(journal);
}

/* ---- the manual ---- */

static const char *manual(void)
{
	static char text[131072];
	FILE *file = fopen(MANUAL, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	assert_non_null(strstr(text, "\n# AUDIT LOG\n"));
	return strstr(text, "\n# AUDIT LOG\n");
}

/* The lines between "^audit" and "$" of the manual, as scdoc(5) shows them. */
static void manual_pattern(regex_t *pattern)
{
	const char *at = strstr(manual(), "\n^audit: ");
	char text[1024];
	size_t length = 0;

	assert_non_null(at);
	for (at++; at[-1] != '$' && length < sizeof(text) - 1; at++) {
		if (*at == '\n')
			continue;
		if (*at == '\\')
			at++;
		text[length++] = *at;
	}
	text[length] = '\0';
	assert_int_equal(regcomp(pattern, text, REG_EXTENDED | REG_NOSUB), 0);
}

/* What the log writes behind " name=", with an asterisk on both sides as in the manual. */
static void assert_manual_has(const char *section, const char *line, const char *name)
{
	const char *part = strstr(manual(), section), *at = strstr(line, name), *found;
	char word[32];

	assert_non_null(part);
	assert_non_null(at);
	at += strlen(name);
	(void)snprintf(word, sizeof(word), "*%.*s*", (int)strcspn(at, " \n"), at);
	found = strstr(part, word);
	if (found == NULL || found > strstr(part + 1, "\n## "))
		fail_msg("%s has no %s", section, word);
}

static void the_manual_has_every_reason(void **state)
{
#define REASON(symbol, number, word, sentence) number,
	static const uint8_t reasons[] = {FDBROKER_REASONS(REASON)};
	struct record record = decision_of(0, 2);

	for (size_t i = 0; i < COUNT(reasons); i++) {
		record.reason = reasons[i];
		assert_manual_has("\n## Words of reason\n",
			captured_record(*state, LOG_TEXT, record, "/a"), " reason=");
	}
}

static void the_manual_has_every_why(void **state)
{
	struct record record = decision_of(0, 2);
	const char *line;

	record.reason = FDBROKER_REASON_POLICY;
	for (unsigned int i = 0; i <= UINT8_MAX; i++) {
		record.outcome = (uint8_t)i;
		line = captured_record(*state, LOG_TEXT, record, "/a");
		if (strstr(line, " why=") != NULL)
			assert_manual_has("\n## Words of why\n", line, " why=");
	}
	for (enum log_refusal refusal = LOG_NO_CLIENT; refusal <= LOG_CONNECTIONS; refusal++)
		assert_manual_has("\n## Words of why\n",
			captured_refusal(*state, LOG_TEXT, LOG_INFO, NULL, refusal), " why=");
}

static void the_manual_has_every_MESSAGE_ID(void **state)
{
	static const char *const ids[] = {
		JOURNAL_DENIED, JOURNAL_ALLOWED, JOURNAL_RELOAD_FAILED, JOURNAL_RELOAD_DONE};

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++)
		assert_non_null(strstr(manual(), ids[i]));
}

static void assert_matches(const regex_t *pattern, const char *line)
{
	static char text[4 * 65536];

	/* With a time again. */
	(void)snprintf(text, sizeof(text), "%.*s time=2026-11-21T21:35:13.123456Z",
		(int)strlen(line) - 1, line);
	assert_int_equal(regexec(pattern, text, 0, NULL, 0), 0);
}

static void every_record_matches_the_expression_of_the_manual(void **state)
{
	static char text[UINT16_MAX];
	regex_t pattern;

	manual_pattern(&pattern);
	assert_int_equal(regexec(&pattern, "audit: denied uid=1", 0, NULL, 0), REG_NOMATCH);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	for (unsigned int i = 0; i <= UINT8_MAX; i++) {
		struct record record = decision_of(i, i * 4);

		record.reason = record.outcome = (uint8_t)i;
		record.error = (int32_t)i - 1;
		record.pid = (int32_t)i - 1;
		record.verbs = i == 0 ? 0 : UINT32_MAX >> (i % 32);
		record.allowed = i % 2 == 0;
		record.rule = i % 3 == 0 ? 0 : POLICY_NO_RULE;
		assert_matches(&pattern, captured_record(*state, LOG_TEXT, record, text + i));
	}
	assert_matches(&pattern,
		captured_refusal(*state, LOG_TEXT, LOG_INFO, "a b.service", LOG_NO_CLIENT));
	regfree(&pattern);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, capture_make, capture_free)
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_a_line),
		TEST(a_decision_is_a_line),
		TEST(what_no_rule_decided_and_no_unit_asked_is_said_as_well),
		TEST(what_was_refused_before_it_had_a_verb_has_none),
		TEST(a_path_behind_a_link_is_said_after_the_paths_that_were_asked_for),
		TEST(the_rule_of_a_file_with_a_long_name_has_its_line_and_the_end_of_the_name),
		TEST(the_last_word_is_what_of_the_policy_denied_it),
		TEST(a_connection_that_is_not_taken_is_a_record),
		TEST(every_event_is_one_line),
		TEST(a_message_less_urgent_than_the_level_is_not_written),
		TEST(a_decision_is_written_at_every_level),
		TEST(the_journal_and_nobody_else_is_told_how_urgent_a_line_is),
		TEST(what_went_into_the_ring_comes_out_as_the_same_line),
		TEST(every_byte_of_an_object_can_be_told_from_the_line),
		TEST(a_rename_shows_both_of_its_paths),
		TEST(a_byte_is_written_as_itself_or_as_its_number),
		TEST(every_byte_of_a_unit_and_of_a_message_stays_in_its_line),
		TEST(a_path_cannot_fake_a_line_or_a_field),
		TEST(a_unit_with_a_blank_cannot_fake_a_field),
		TEST(a_message_cannot_begin_another_line),
		TEST(the_longest_path_is_logged_to_its_last_byte),
		TEST(what_would_be_too_long_is_cut_and_the_line_is_whole),
		TEST(numbers_that_mean_nothing_are_logged_all_the_same),
		TEST(a_record_of_no_known_kind_is_not_logged),
		TEST(a_full_pipe_holds_nobody_up_and_the_skipped_lines_are_counted),
		TEST(what_was_lost_before_it_came_to_the_log_is_counted_with_the_rest),
		TEST(what_could_not_be_said_is_said_though_nothing_more_happens),
		TEST(the_rest_of_a_line_is_written_though_nothing_more_happens),
		TEST(what_is_missing_before_a_line_has_no_later_time_than_the_line),
		TEST(a_line_that_does_not_fit_the_pipe_breaks_no_other),
		TEST(a_log_that_is_gone_holds_nobody_up),
		TEST(a_message_is_an_entry_of_the_journal),
		TEST(a_decision_has_a_field_for_each_of_its_values),
		TEST(what_is_not_known_is_no_field),
		TEST(two_of_the_longest_records_find_room_on_their_way_to_the_journal),
		TEST(an_object_that_is_a_hyphen_is_a_field),
		TEST(a_journal_that_is_started_anew_is_told_what_it_missed),
		TEST(a_journal_that_does_not_read_holds_nobody_up),
		TEST(the_manual_has_every_reason),
		TEST(the_manual_has_every_why),
		TEST(the_manual_has_every_MESSAGE_ID),
		TEST(every_record_matches_the_expression_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
