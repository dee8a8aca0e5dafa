/* SPDX-License-Identifier: MIT */
/*
 * Promises of the wire format: what is written can be read, and nothing else can. Every packet is
 * decoded out of a buffer of exactly its size, at an odd address, so that the sanitizers see each
 * byte that is read too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
static struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
static struct fdbroker_answer answer;
static uint32_t first_id;
static const char *why;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(string)                                                                               \
	{                                                                                          \
		string, sizeof(string) - 1                                                         \
	}

/* ---- one of each ---- */

#define IPV4_ENDPOINT                                                                              \
	{                                                                                          \
		.family = FDBROKER_IPV4, .port = 80, .address = { 127, 0, 0, 1 }                   \
	}
#define IPV6_ENDPOINT                                                                              \
	{                                                                                          \
		.family = FDBROKER_IPV6, .port = 53, .scope = 2, .flowinfo = 7, .address = {       \
			0xfe,                                                                      \
			0x80,                                                                      \
			[15] = 1                                                                   \
		}                                                                                  \
	}
#define VSOCK_ENDPOINT                                                                             \
	{                                                                                          \
		.family = FDBROKER_CID, .port = 70000, .address = { 3 }                            \
	}

enum sample {
	OPEN,
	BIND,
	BIND_UNIX,
	BIND_VSOCK,
	LISTEN,
	CONNECT,
	DIAL,
	DIAL_NAME,
	SOCKET,
	TUN,
	SETSOCKOPT,
	SETSOCKOPT_DEVICE,
	GETADDRINFO,
	GETNAMEINFO,
	GETPROTOBYNAME,
	STAT,
	ACCESS,
	READLINK,
	MKDIR,
	UNLINK,
	RMDIR,
	RENAME,
	LIST,
	WATCH,
	COPY,
	LIMIT,
	CLONE,
	GRANTS,
	SAMPLES,
};

static const struct fdbroker_request samples[SAMPLES] = {
	[OPEN] = {.operation = FDBROKER_OPEN,
		.open.flags = O_WRONLY | O_APPEND,
		.path = TEXT("/etc/x\n\xff")},
	[BIND] = {.operation = FDBROKER_BIND, .endpoint = IPV6_ENDPOINT},
	[BIND_UNIX] = {.operation = FDBROKER_BIND,
		.endpoint = {.family = FDBROKER_UNIX},
		.path = TEXT("/run/a")},
	[BIND_VSOCK] = {.operation = FDBROKER_BIND, .endpoint = VSOCK_ENDPOINT},
	[LISTEN] = {.operation = FDBROKER_LISTEN,
		.listen.backlog = 128,
		.endpoint = {.protocol = FDBROKER_TCP, .port = 80}},
	[CONNECT] = {.operation = FDBROKER_CONNECT, .endpoint = IPV4_ENDPOINT},
	[DIAL] = {.operation = FDBROKER_DIAL,
		.endpoint = {.protocol = FDBROKER_TCP,
			.family = FDBROKER_IPV4,
			.port = 80,
			.address = {127, 0, 0, 1}}},
	[DIAL_NAME] = {.operation = FDBROKER_DIAL,
		.endpoint = {.protocol = FDBROKER_UDP},
		.host = TEXT("db.internal"),
		.service = TEXT("ntp")},
	[SOCKET] = {.operation = FDBROKER_SOCKET, .socket = {16, 3, 15}},
	[TUN] = {.operation = FDBROKER_TUN, .tun = {9, 1}, .name = TEXT("vpn0")},
	[SETSOCKOPT] = {.operation = FDBROKER_SETSOCKOPT, .option = {1, 36, -1}},
	[SETSOCKOPT_DEVICE] = {.operation = FDBROKER_SETSOCKOPT,
		.option = {1, 25, 0},
		.name = TEXT("eth0")},
	[GETADDRINFO] = {.operation = FDBROKER_GETADDRINFO,
		.addrinfo = {2, 10, 1, 6},
		.host = TEXT("www.example"),
		.service = TEXT("http")},
	[GETNAMEINFO] = {.operation = FDBROKER_GETNAMEINFO,
		.nameinfo = {4},
		.endpoint = IPV6_ENDPOINT},
	[GETPROTOBYNAME] = {.operation = FDBROKER_GETPROTOBYNAME, .name = TEXT("tcp")},
	[STAT] = {.operation = FDBROKER_STAT, .find.flags = O_NOFOLLOW, .path = TEXT("/etc/x")},
	[ACCESS] = {.operation = FDBROKER_ACCESS, .find = {0, 4}, .path = TEXT("/etc")},
	[READLINK] = {.operation = FDBROKER_READLINK, .path = TEXT("/link")},
	[MKDIR] = {.operation = FDBROKER_MKDIR, .path = TEXT("/srv/new")},
	[UNLINK] = {.operation = FDBROKER_UNLINK,
		.find.flags = O_DIRECTORY,
		.path = TEXT("/srv/old")},
	[RMDIR] = {.operation = FDBROKER_RMDIR, .path = TEXT("/srv/dir")},
	[RENAME] = {.operation = FDBROKER_RENAME, .path = TEXT("/a/old"), .new_path = TEXT("/new")},
	[LIST] = {.operation = FDBROKER_LIST, .path = TEXT("/srv")},
	[WATCH] = {.operation = FDBROKER_WATCH,
		.watch = {O_DIRECTORY, 0x80000002u},
		.path = TEXT("/log")},
	[COPY] = {.operation = FDBROKER_COPY, .find.flags = O_NOFOLLOW, .path = TEXT("/key")},
	[LIMIT] = {.operation = FDBROKER_LIMIT, .limits = TEXT("read /srv/x\nbind tcp:80\n")},
	[CLONE] = {.operation = FDBROKER_CLONE},
	[GRANTS] = {.operation = FDBROKER_GRANTS},
};

/* Byte offsets into the packet of one sample, as fdbroker-protocol(7) has them. */
enum {
	AT_REQUEST = sizeof(struct fdbroker_header),
	AT_SIZE = AT_REQUEST,
	AT_OPERATION = AT_REQUEST + 2,
	AT_RESERVED = AT_REQUEST + 3,
	AT_BODY = AT_REQUEST + sizeof(struct fdbroker_request_header),
	NUMBER = sizeof(int32_t),
	ENDPOINT = sizeof(struct fdbroker_endpoint),
	LENGTHS = FDBROKER_TEXTS_MAX * sizeof(uint16_t),
};

/* ---- helpers ---- */

/* Where the last packet lies: requests, results and answers point into it. */
static unsigned char *held;

static const unsigned char *hold(const void *bytes, size_t length)
{
	free(held);
	held = malloc(length + 1);
	assert_non_null(held);
	memcpy(held + 1, bytes, length);
	return held + 1;
}

static int release(void **state)
{
	(void)state;
	free(held);
	held = NULL;
	return 0;
}

/* What decoding returned. */
static int decode(const unsigned char *bytes, size_t length)
{
	int count = fdbroker_packet_decode(hold(bytes, length), length, &first_id, requests, &why);

	for (int i = 0; i < count; i++) {
		for (size_t t = 0; t < FDBROKER_TEXTS_MAX; t++) {
			const struct fdbroker_text *one = &requests[i].texts[t];

			if (one->length > 0)
				assert_null(memchr(one->bytes, 0, one->length));
		}
	}
	if (count < 0)
		assert_non_null(why);
	return count;
}

static int decode_reply(const unsigned char *bytes, size_t length)
{
	const unsigned char *data = NULL;
	int count = fdbroker_reply_decode(hold(bytes, length), length, results, &data);
	size_t data_length = 0;

	for (int i = 0; i < count; i++)
		data_length += results[i].data_length;
	if (count > 0) /* the data ends where the packet does */
		assert_ptr_equal(data + data_length, held + 1 + length);
	return count;
}

static struct fdbroker_text text;

/* 1, like a count, or -EPROTO. */
static int decode_text(const unsigned char *bytes, size_t length)
{
	int error = fdbroker_text_decode(hold(bytes, length), length, &text);

	return error == 0 ? 1 : error;
}

static struct fdbroker_packet text_data(unsigned char *buffer, const struct fdbroker_text *written)
{
	return (struct fdbroker_packet){buffer, fdbroker_text_encode(buffer, written)};
}

/* 1, like a count, or -EPROTO. */
static int decode_names(const unsigned char *bytes, size_t length)
{
	int error = fdbroker_names_decode(hold(bytes, length), length, &answer);

	return error == 0 ? 1 : error;
}

static struct fdbroker_packet begin(unsigned char *buffer)
{
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, 1000);
	return packet;
}

static struct fdbroker_packet packet_of(
	unsigned char *buffer, const struct fdbroker_request *request)
{
	struct fdbroker_packet packet = begin(buffer);

	assert_true(fdbroker_packet_add_request(&packet, request));
	return packet;
}

static struct fdbroker_request open_request(const char *path)
{
	return (struct fdbroker_request){
		.operation = FDBROKER_OPEN, .open.flags = O_WRONLY, .path = {path, strlen(path)}};
}

/* Paths of each padding, and all else that does not stand alone between them. */
static struct fdbroker_packet mixed_packet(unsigned char *buffer)
{
	struct fdbroker_packet packet = begin(buffer);
	const struct fdbroker_request mixed[] = {
		open_request("/"),
		open_request("/a"),
		samples[LISTEN],
		samples[SOCKET],
		samples[TUN],
		open_request("/ab"),
		open_request("/abc"),
	};

	for (size_t i = 0; i < COUNT(mixed); i++)
		assert_true(fdbroker_packet_add_request(&packet, &mixed[i]));
	return packet;
}
#define MIXED 7

static struct fdbroker_packet reply_packet(unsigned char *buffer)
{
	struct fdbroker_packet packet;
	const struct fdbroker_result three[] = {
		{.id = 1, .has_descriptor = 1},
		{.id = 2, .error = EACCES, .reason = 2},
		{.id = 3, .data_length = 8},
	};

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 1000);
	for (size_t i = 0; i < COUNT(three); i++)
		assert_true(fdbroker_packet_add_result(&packet, &three[i]));
	assert_true(fdbroker_packet_add_data(&packet, "12345678", 8));
	return packet;
}

static const struct fdbroker_answer two_addresses = {
	.address_count = 2,
	.addresses = {{1, 6, IPV4_ENDPOINT}, {2, 17, IPV6_ENDPOINT}},
	.name = TEXT("www.example"),
	.service = TEXT("http"),
};

static struct fdbroker_packet names_data(
	unsigned char *buffer, const struct fdbroker_answer *written)
{
	return (struct fdbroker_packet){buffer, fdbroker_names_encode(buffer, written)};
}

/* A change of one field, at an offset into the packet. */
struct change {
	const char *what;
	size_t offset;
	size_t size;
	uint32_t value;
};

static void expect_refused(const struct change *changes, size_t count,
	const struct fdbroker_packet *packet, int (*decoder)(const unsigned char *, size_t))
{
	unsigned char changed[FDBROKER_PACKET_MAX];

	assert_true(decoder(packet->bytes, packet->length) > 0);
	for (size_t i = 0; i < count; i++) {
		uint8_t byte = (uint8_t)changes[i].value;
		uint16_t half = (uint16_t)changes[i].value;

		memcpy(changed, packet->bytes, packet->length);
		if (changes[i].size == 1)
			memcpy(changed + changes[i].offset, &byte, 1);
		else if (changes[i].size == 2)
			memcpy(changed + changes[i].offset, &half, 2);
		else
			memcpy(changed + changes[i].offset, &changes[i].value, 4);
		if (decoder(changed, packet->length) != -EPROTO)
			fail_msg("not refused: %s", changes[i].what);
	}
}

static void expect_sample_refused(enum sample sample, const struct change *changes, size_t count)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = packet_of(buffer, &samples[sample]);

	expect_refused(changes, count, &packet, decode);
}

static void expect_request_refused(const struct fdbroker_request *request, const char *what)
{
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = packet_of(buffer, request);

	if (decode(packet.bytes, packet.length) != -EPROTO)
		fail_msg("not refused: %s", what);
}

#define HEADER(field) offsetof(struct fdbroker_header, field)
#define RESULT(index, field)                                                                       \
	(sizeof(struct fdbroker_header) + (index) * sizeof(struct fdbroker_result) +               \
		offsetof(struct fdbroker_result, field))

static void expect_text(struct fdbroker_text found, struct fdbroker_text expected)
{
	assert_int_equal(found.length, expected.length);
	if (found.length > 0)
		assert_memory_equal(found.bytes, expected.bytes, expected.length);
}

static void expect_same(
	const struct fdbroker_request *request, const struct fdbroker_request *expected)
{
	assert_int_equal(request->operation, expected->operation);
	assert_memory_equal(request->numbers, expected->numbers, sizeof(expected->numbers));
	assert_memory_equal(&request->endpoint, &expected->endpoint, sizeof(expected->endpoint));
	for (size_t i = 0; i < FDBROKER_TEXTS_MAX; i++)
		expect_text(request->texts[i], expected->texts[i]);
}

/* ---- what is written can be read ---- */

static void every_operation_arrives_as_it_was_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];

	for (size_t i = 0; i < SAMPLES; i++) {
		struct fdbroker_packet packet = packet_of(buffer, &samples[i]);

		assert_int_equal(packet.length % 4, 0);
		assert_int_equal(decode(packet.bytes, packet.length), 1);
		assert_int_equal(first_id, 1000);
		expect_same(&requests[0], &samples[i]);
	}
}

static void requests_of_several_kinds_share_a_packet(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = mixed_packet(buffer);

	assert_int_equal(fdbroker_packet_count(&packet), MIXED);
	assert_int_equal(decode(packet.bytes, packet.length), MIXED);
	expect_same(&requests[2], &samples[LISTEN]);
	expect_same(&requests[4], &samples[TUN]);
	assert_int_equal(requests[6].path.length, 4);
}

static void results_and_their_data_arrive_as_they_were_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = reply_packet(buffer);

	assert_int_equal(decode_reply(packet.bytes, packet.length), 3);
	assert_int_equal(results[0].id, 1);
	assert_int_equal(results[0].has_descriptor, 1);
	assert_int_equal(results[1].id, 2);
	assert_int_equal(results[1].error, EACCES);
	assert_int_equal(results[1].reason, 2);
	assert_int_equal(results[2].data_length, 8);
	assert_memory_equal(held + 1 + packet.length - 8, "12345678", 8);
}

static void an_answer_of_the_name_service_arrives_as_it_was_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_DATA_MAX];
	struct fdbroker_packet data = names_data(buffer, &two_addresses);

	assert_int_equal(data.length % 4, 0);
	assert_int_equal(decode_names(data.bytes, data.length), 1);
	assert_int_equal(answer.address_count, 2);
	assert_memory_equal(
		answer.addresses, two_addresses.addresses, 2 * sizeof(two_addresses.addresses[0]));
	expect_text(answer.name, two_addresses.name);
	expect_text(answer.service, two_addresses.service);

	const struct fdbroker_answer failed = {.code = -11, .error = EMFILE, .number = 6};
	data = names_data(buffer, &failed);
	assert_int_equal(decode_names(data.bytes, data.length), 1);
	assert_int_equal(answer.code, -11);
	assert_int_equal(answer.error, EMFILE);
	assert_int_equal(answer.number, 6);
	assert_int_equal(answer.address_count, 0);
	assert_int_equal(answer.name.length, 0);
}

/* Of each padding, and the longest. */
static void a_text_arrives_as_it_was_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_DATA_MAX];
	static char bytes[FDBROKER_PATH_MAX];
	static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 107, FDBROKER_PATH_MAX};

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < COUNT(lengths); i++) {
		const struct fdbroker_text written = {bytes, lengths[i]};
		struct fdbroker_packet data = text_data(buffer, &written);

		assert_int_equal(data.length % 4, 0);
		assert_in_range(data.length - lengths[i], 4, 7);
		assert_int_equal(decode_text(data.bytes, data.length), 1);
		expect_text(text, written);
	}
}

/* Of fdbroker-protocol(7), on a little-endian machine. */
static const unsigned char dial_example[] = {0x66, 0x42, 1, 1, 1, 0, 0, 0, 8, 0, 0, 0, /* header */
	0x2c, 0, 5, 0, 1, 0, 0, 0, 0x50, 0, 0, 0, [48] = 2, 0, 0, 0, 'd', 'b', 0, 0};
static const unsigned char open_example[] = {0x66, 0x42, 1, 1, 1, 0, 0, 0, 7, 0, 0, 0, /* header */
	0x14, 0, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, '/', 'e', 't', 'c', '/', 'k', 'e', 'y'};
static const unsigned char protocol_example[] = {
	0x66, 0x42, 1, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0x0c, 0, 0x0b, 0, 3, 0, 0, 0, 't', 'c', 'p', 0};
static const unsigned char reply_example[] = {0x66, 0x42, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, /* header */
	9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, [32] = 6, [43] = 0};

static const unsigned char limit_example[] = {0x66, 0x42, 1, 1, 1, 0, 0, 0, 0x0a, 0, 0,
	0, /* header */
	0x18, 0, 0x16, 0, 0x0e, 0, 0, 0, 'r', 'e', 'a', 'd', ' ', '/', 'e', 't', 'c', '/', 'k', 'e',
	'y', '\n', 0, 0};
static const unsigned char link_example[] = {0x66, 0x42, 1, 1, 1, 0, 0, 0, 0x0b, 0, 0,
	0, /* header */
	0x10, 0, 0x0e, 0, 0, 0, 0, 0, 2, 0, 0, 0, '/', 'a', 0, 0};
static const unsigned char link_reply_example[] = {0x66, 0x42, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0x0b,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 1, 0, 0, 0, 'b', 0, 0, 0};

static void the_examples_of_the_manual_are_right(void **state)
{
	(void)state;
	if (htons(1) == 1)
		skip();
	assert_int_equal(decode(open_example, sizeof(open_example)), 1);
	expect_text(requests[0].path, (struct fdbroker_text)TEXT("/etc/key"));
	assert_int_equal(decode(dial_example, sizeof(dial_example)), 1);
	assert_int_equal(first_id, 8);
	assert_int_equal(requests[0].endpoint.protocol, FDBROKER_TCP);
	assert_int_equal(requests[0].endpoint.port, 80);
	expect_text(requests[0].host, (struct fdbroker_text)TEXT("db"));
	assert_int_equal(decode(protocol_example, sizeof(protocol_example)), 1);
	expect_text(requests[0].name, (struct fdbroker_text)TEXT("tcp"));
	assert_int_equal(decode_reply(reply_example, sizeof(reply_example)), 1);
	assert_int_equal(results[0].data_length, 20);
	assert_int_equal(decode_names(reply_example + 24, 20), 1);
	assert_int_equal(answer.number, 6);
}

static void the_examples_of_the_manual_for_limits_and_links_are_right(void **state)
{
	(void)state;
	if (htons(1) == 1)
		skip();
	assert_int_equal(decode(limit_example, sizeof(limit_example)), 1);
	assert_int_equal(first_id, 10);
	assert_int_equal(requests[0].operation, FDBROKER_LIMIT);
	expect_text(requests[0].limits, (struct fdbroker_text)TEXT("read /etc/key\n"));
	assert_int_equal(decode(link_example, sizeof(link_example)), 1);
	assert_int_equal(requests[0].operation, FDBROKER_READLINK);
	expect_text(requests[0].path, (struct fdbroker_text)TEXT("/a"));
	assert_int_equal(decode_reply(link_reply_example, sizeof(link_reply_example)), 1);
	assert_int_equal(results[0].data_length, 8);
	assert_int_equal(decode_text(link_reply_example + 24, 8), 1);
	expect_text(text, (struct fdbroker_text)TEXT("b"));
}

static void each_operation_has_its_traits(void **state)
{
	(void)state;
	static const struct {
		enum sample sample;
		const char *traits;
	} table[] = {{OPEN, "gp"}, {BIND, "ta"}, {LISTEN, "g"}, {CONNECT, "ta"}, {DIAL, "gar"},
		{SOCKET, "g"}, {TUN, "g"}, {SETSOCKOPT, "ta"}, {GETADDRINFO, "nar"},
		{GETNAMEINFO, "nar"}, {GETPROTOBYNAME, "nar"}, {STAT, "narp"}, {ACCESS, "arp"},
		{READLINK, "narp"}, {MKDIR, "p"}, {UNLINK, "p"}, {RMDIR, "p"}, {RENAME, "ap"},
		{LIST, "tap"}, {WATCH, "tnap"}, {COPY, "tap"}, {LIMIT, "a"}, {CLONE, "ga"},
		{GRANTS, "ta"}};
	size_t described = 0;

	for (size_t i = 0; i < COUNT(table); i++) {
		const struct fdbroker_traits *traits =
			fdbroker_operation_traits(samples[table[i].sample].operation);

		assert_int_equal(traits->takes_descriptor, strchr(table[i].traits, 't') != NULL);
		assert_int_equal(traits->gives_descriptor, strchr(table[i].traits, 'g') != NULL);
		assert_int_equal(traits->gives_data, strchr(table[i].traits, 'n') != NULL);
		assert_int_equal(traits->is_alone, strchr(table[i].traits, 'a') != NULL);
		assert_int_equal(traits->is_repeatable, strchr(table[i].traits, 'r') != NULL);
		assert_int_equal(traits->has_paths, strchr(table[i].traits, 'p') != NULL);
		described |= (size_t)1 << samples[table[i].sample].operation;
	}
	assert_int_equal(described, ((size_t)1 << FDBROKER_OPERATIONS_END) - 2);
}

/* ---- bounds, at N and N + 1 ---- */

static void a_packet_holds_64_requests_and_no_more(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = begin(buffer);
	struct fdbroker_request request = open_request("/a");

	for (unsigned int i = 0; i < FDBROKER_REQUESTS_MAX; i++)
		assert_true(fdbroker_packet_add_request(&packet, &request));
	size_t length = packet.length;
	assert_false(fdbroker_packet_add_request(&packet, &request));
	assert_int_equal(packet.length, length);
	assert_int_equal(decode(packet.bytes, packet.length), FDBROKER_REQUESTS_MAX);
}

static void a_packet_holds_64_results_and_no_more(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;
	const struct fdbroker_result result = {.id = 9};

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 0);
	for (unsigned int i = 0; i < FDBROKER_REQUESTS_MAX; i++)
		assert_true(fdbroker_packet_add_result(&packet, &result));
	assert_false(fdbroker_packet_add_result(&packet, &result));
	assert_int_equal(decode_reply(packet.bytes, packet.length), FDBROKER_REQUESTS_MAX);
}

static void a_reply_holds_8192_bytes_of_data_beside_64_results(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_REPLY_MAX];
	static const unsigned char data[FDBROKER_DATA_MAX];
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 0);
	for (unsigned int i = 0; i < FDBROKER_REQUESTS_MAX; i++) {
		const struct fdbroker_result result = {
			.id = i, .data_length = i == 0 ? FDBROKER_DATA_MAX : 0};

		assert_true(fdbroker_packet_add_result(&packet, &result));
	}
	assert_true(fdbroker_packet_add_data(&packet, data, sizeof(data)));
	assert_int_equal(packet.length, FDBROKER_REPLY_MAX);
	assert_false(fdbroker_packet_add_data(&packet, data, 4));
	assert_int_equal(decode_reply(packet.bytes, packet.length), FDBROKER_REQUESTS_MAX);
}

/* Each text at its least and its greatest length, and one byte beyond either. */
static void every_text_has_its_bounds(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char bytes[FDBROKER_PATH_MAX + 1];
	static const struct {
		enum sample sample;
		size_t text, min, max;
	} table[] = {
		{OPEN, 0, 1, FDBROKER_PATH_MAX},
		{BIND_UNIX, 0, 1, FDBROKER_UNIX_PATH_MAX},
		{DIAL_NAME, 0, 1, FDBROKER_HOST_MAX},
		{DIAL_NAME, 1, 0, FDBROKER_SERVICE_MAX},
		{TUN, 0, 0, FDBROKER_INTERFACE_MAX},
		{SETSOCKOPT_DEVICE, 0, 0, FDBROKER_INTERFACE_MAX},
		{GETADDRINFO, 0, 0, FDBROKER_HOST_MAX},
		{GETADDRINFO, 1, 0, FDBROKER_SERVICE_MAX},
		{GETPROTOBYNAME, 0, 1, FDBROKER_SERVICE_MAX},
		{STAT, 0, 1, FDBROKER_PATH_MAX},
		{ACCESS, 0, 1, FDBROKER_PATH_MAX},
		{READLINK, 0, 1, FDBROKER_PATH_MAX},
		{MKDIR, 0, 1, FDBROKER_PATH_MAX},
		{UNLINK, 0, 1, FDBROKER_PATH_MAX},
		{RMDIR, 0, 1, FDBROKER_PATH_MAX},
		{RENAME, 0, 1, FDBROKER_PATH_MAX},
		{RENAME, 1, 1, FDBROKER_PATH_MAX},
		{LIST, 0, 1, FDBROKER_PATH_MAX},
		{WATCH, 0, 1, FDBROKER_PATH_MAX},
		{COPY, 0, 1, FDBROKER_PATH_MAX},
		{LIMIT, 0, 0, FDBROKER_LIMITS_MAX},
	};

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < COUNT(table); i++) {
		struct fdbroker_request request = samples[table[i].sample];
		struct fdbroker_text *bounded = &request.texts[table[i].text];
		struct fdbroker_packet packet = begin(buffer);

		*bounded = (struct fdbroker_text){bytes, table[i].max + 1};
		assert_false(fdbroker_packet_add_request(&packet, &request));
		assert_int_equal(fdbroker_packet_count(&packet), 0);
		for (size_t length = table[i].min; length <= table[i].max;
			length += table[i].max - table[i].min) {
			bounded->length = length;
			packet = packet_of(buffer, &request);
			assert_int_equal(decode(packet.bytes, packet.length), 1);
			expect_same(&requests[0], &request);
		}
	}
}

static void a_text_that_must_not_be_empty_is_not(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static const enum sample table[] = {OPEN, GETPROTOBYNAME, STAT, ACCESS, READLINK, MKDIR,
		UNLINK, RMDIR, RENAME, LIST, WATCH, COPY};

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fdbroker_request empty = samples[table[i]];
		struct fdbroker_packet packet = begin(buffer);

		empty.path.length = 0;
		assert_false(fdbroker_packet_add_request(&packet, &empty));
	}
	struct fdbroker_request empty = samples[RENAME];
	struct fdbroker_packet packet = begin(buffer);
	empty.new_path.length = 0;
	assert_false(fdbroker_packet_add_request(&packet, &empty));
}

/* As an enemy would write them: one byte more of text, where there was padding. */
static void a_text_beyond_its_bound_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char bytes[FDBROKER_PATH_MAX];
	static const struct {
		enum sample sample;
		size_t text, max, lengths;
	} table[] = {
		{OPEN, 0, FDBROKER_PATH_MAX, AT_BODY + NUMBER},
		{BIND_UNIX, 0, FDBROKER_UNIX_PATH_MAX, AT_BODY + ENDPOINT},
		{DIAL_NAME, 0, FDBROKER_HOST_MAX, AT_BODY + ENDPOINT},
		{GETADDRINFO, 0, FDBROKER_HOST_MAX, AT_BODY + 4 * NUMBER},
		{GETADDRINFO, 1, FDBROKER_SERVICE_MAX, AT_BODY + 4 * NUMBER},
		{TUN, 0, FDBROKER_INTERFACE_MAX, AT_BODY + 2 * NUMBER},
		{SETSOCKOPT, 0, FDBROKER_INTERFACE_MAX, AT_BODY + 3 * NUMBER},
		{GETPROTOBYNAME, 0, FDBROKER_SERVICE_MAX, AT_BODY},
		{STAT, 0, FDBROKER_PATH_MAX, AT_BODY + NUMBER},
		{ACCESS, 0, FDBROKER_PATH_MAX, AT_BODY + 2 * NUMBER},
		{READLINK, 0, FDBROKER_PATH_MAX, AT_BODY + NUMBER},
		{MKDIR, 0, FDBROKER_PATH_MAX, AT_BODY},
		{UNLINK, 0, FDBROKER_PATH_MAX, AT_BODY + NUMBER},
		{RMDIR, 0, FDBROKER_PATH_MAX, AT_BODY},
		{LIST, 0, FDBROKER_PATH_MAX, AT_BODY},
		{WATCH, 0, FDBROKER_PATH_MAX, AT_BODY + 2 * NUMBER},
		{COPY, 0, FDBROKER_PATH_MAX, AT_BODY + NUMBER},
	};

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < COUNT(table); i++) {
		struct fdbroker_request request = samples[table[i].sample];
		request.texts[!table[i].text].length = 0;
		request.texts[table[i].text] = (struct fdbroker_text){bytes, table[i].max};
		struct fdbroker_packet packet = packet_of(buffer, &request);
		uint16_t length = (uint16_t)(table[i].max + 1);

		assert_int_not_equal(table[i].max % 4, 0);
		memcpy(buffer + table[i].lengths + 2 * table[i].text, &length, sizeof(length));
		buffer[table[i].lengths + LENGTHS + table[i].max] = 'x';
		assert_int_equal(decode(packet.bytes, packet.length), -EPROTO);
	}
}

/* There is no padding behind a set of limits that is as long as can be: it takes a word more. */
static void limits_beyond_their_bound_are_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char bytes[FDBROKER_LIMITS_MAX];
	const struct fdbroker_request request = {
		.operation = FDBROKER_LIMIT, .limits = {bytes, sizeof(bytes)}};
	const uint16_t length = FDBROKER_LIMITS_MAX + 1;

	memset(bytes, 'x', sizeof(bytes));
	struct fdbroker_packet packet = packet_of(buffer, &request);
	uint16_t size = (uint16_t)(packet.length - AT_REQUEST + 4);
	memcpy(buffer + packet.length, "x\0\0", 4);
	memcpy(buffer + AT_SIZE, &size, sizeof(size));
	memcpy(buffer + AT_BODY, &length, sizeof(length));
	assert_int_equal(decode(packet.bytes, packet.length + 4), -EPROTO);
}

static void more_than_64_are_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	const struct fdbroker_request request = open_request("/a");
	struct fdbroker_packet packet = packet_of(buffer, &request);
	size_t size = packet.length - AT_REQUEST;

	for (size_t i = 1; i <= FDBROKER_REQUESTS_MAX; i++)
		memcpy(buffer + AT_REQUEST + i * size, buffer + AT_REQUEST, size);
	buffer[HEADER(count)] = FDBROKER_REQUESTS_MAX;
	assert_int_equal(decode(buffer, AT_REQUEST + 64 * size), 64);
	buffer[HEADER(count)] = FDBROKER_REQUESTS_MAX + 1;
	assert_int_equal(decode(buffer, AT_REQUEST + 65 * size), -EPROTO);

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 0);
	memset(buffer + packet.length, 0, 65 * sizeof(struct fdbroker_result));
	buffer[HEADER(count)] = FDBROKER_REQUESTS_MAX + 1;
	assert_int_equal(decode_reply(buffer, RESULT(65, id)), -EPROTO);
}

static void a_packet_never_grows_beyond_its_bound(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char path[FDBROKER_PATH_MAX];
	struct fdbroker_packet packet = begin(buffer);
	struct fdbroker_request request = open_request("/");

	memset(path, 'x', sizeof(path));
	request.path = (struct fdbroker_text){path, sizeof(path)};
	while (fdbroker_packet_add_request(&packet, &request))
		;
	assert_int_equal(fdbroker_packet_count(&packet), 7);
	/* To the last byte: what is left takes a request of exactly that size. */
	request.path.length = FDBROKER_PACKET_MAX - packet.length -
			      sizeof(struct fdbroker_request_header) - NUMBER - LENGTHS + 1;
	assert_false(fdbroker_packet_add_request(&packet, &request));
	request.path.length--;
	assert_true(fdbroker_packet_add_request(&packet, &request));
	assert_int_equal(packet.length, FDBROKER_PACKET_MAX);
	assert_int_equal(decode(packet.bytes, packet.length), 8);
}

static void a_longer_packet_is_refused(void **state)
{
	(void)state;
	static unsigned char bytes[FDBROKER_PACKET_MAX + 1];

	mixed_packet(bytes);
	assert_int_equal(decode(bytes, sizeof(bytes)), -EPROTO);
}

static void what_an_answer_has_no_room_for_is_left_out(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_DATA_MAX];
	static char bytes[FDBROKER_NAME_MAX + 1];
	struct fdbroker_answer large = {.address_count = FDBROKER_ADDRESSES_MAX,
		.name = {bytes, FDBROKER_NAME_MAX},
		.service = {bytes, FDBROKER_SERVICE_NAME_MAX}};

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < FDBROKER_ADDRESSES_MAX; i++)
		large.addresses[i] = two_addresses.addresses[i % 2];
	struct fdbroker_packet data = names_data(buffer, &large);
	assert_int_equal(decode_names(data.bytes, data.length), 1);
	assert_int_equal(answer.address_count, FDBROKER_ADDRESSES_MAX);
	expect_text(answer.name, large.name);
	expect_text(answer.service, large.service);

	large.address_count++;
	large.name.length++;
	large.service.length++;
	data = names_data(buffer, &large);
	assert_int_equal(decode_names(data.bytes, data.length), 1);
	assert_int_equal(answer.address_count, FDBROKER_ADDRESSES_MAX);
	assert_int_equal(answer.name.length, 0);
	assert_int_equal(answer.service.length, 0);
}

/* ---- nothing else can be read ---- */

static void a_packet_cut_anywhere_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = mixed_packet(buffer);

	for (size_t length = 0; length < packet.length; length++)
		assert_int_equal(decode(packet.bytes, length), -EPROTO);
	for (size_t i = 0; i < SAMPLES; i++) {
		packet = packet_of(buffer, &samples[i]);
		for (size_t length = 0; length < packet.length; length++)
			assert_int_equal(decode(packet.bytes, length), -EPROTO);
	}
	packet = reply_packet(buffer);
	for (size_t length = 0; length < packet.length; length++)
		assert_int_equal(decode_reply(packet.bytes, length), -EPROTO);
	packet = names_data(buffer, &two_addresses);
	for (size_t length = 0; length + 3 < packet.length; length++)
		assert_int_equal(decode_names(packet.bytes, length), -EPROTO);
}

static void bytes_left_over_are_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX] = {0};
	struct fdbroker_packet packet = mixed_packet(buffer);

	for (size_t more = 1; more <= 64; more++)
		assert_int_equal(decode(packet.bytes, packet.length + more), -EPROTO);
	packet = reply_packet(buffer);
	for (size_t more = 1; more <= 64; more++)
		assert_int_equal(decode_reply(packet.bytes, packet.length + more), -EPROTO);
	memset(buffer, 0, sizeof(buffer));
	packet = names_data(buffer, &two_addresses);
	for (size_t more = 4; more <= 64; more++)
		assert_int_equal(decode_names(packet.bytes, packet.length + more), -EPROTO);
}

static void a_malformed_header_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = mixed_packet(buffer);
	const struct change changes[] = {
		{"magic", HEADER(magic), 2, 0x6642},
		{"version 0", HEADER(version), 1, 0},
		{"version 2", HEADER(version), 1, 2},
		{"a reply", HEADER(type), 1, FDBROKER_PACKET_REPLY},
		{"type 0", HEADER(type), 1, 0},
		{"count 0", HEADER(count), 2, 0},
		{"one too few", HEADER(count), 2, MIXED - 1},
		{"one too many", HEADER(count), 2, MIXED + 1},
		{"count 65", HEADER(count), 2, FDBROKER_REQUESTS_MAX + 1},
		{"reserved", HEADER(reserved), 2, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode);
}

/* What the header of a request says, for each operation. */
static void a_malformed_request_header_is_refused(void **state)
{
	(void)state;
	for (enum sample i = 0; i < SAMPLES; i++) {
		unsigned char buffer[FDBROKER_PACKET_MAX];
		uint32_t size = (uint32_t)(packet_of(buffer, &samples[i]).length - AT_REQUEST);
		const struct change changes[] = {
			{"size 0", AT_SIZE, 2, 0},
			{"size of a header", AT_SIZE, 2, size == 4 ? 3 : 4},
			{"less than its size", AT_SIZE, 2, size - 4},
			{"a size that is not padded", AT_SIZE, 2, size - 1},
			{"size beyond the packet", AT_SIZE, 2, size + 4},
			{"largest size", AT_SIZE, 2, 0xffff},
			{"operation 0", AT_OPERATION, 1, 0},
			{"an operation beyond", AT_OPERATION, 1, FDBROKER_OPERATIONS_END},
			{"operation 255", AT_OPERATION, 1, 255},
			{"reserved", AT_RESERVED, 1, 1},
		};

		expect_sample_refused(i, changes, COUNT(changes));
	}
}

/* Of the operations with texts: where the lengths stand. */
static void malformed_texts_are_refused(void **state)
{
	(void)state;
	static const struct {
		enum sample sample;
		size_t lengths;
	} table[] = {
		{OPEN, AT_BODY + NUMBER},
		{BIND_UNIX, AT_BODY + ENDPOINT},
		{DIAL_NAME, AT_BODY + ENDPOINT},
		{TUN, AT_BODY + 2 * NUMBER},
		{SETSOCKOPT_DEVICE, AT_BODY + 3 * NUMBER},
		{GETADDRINFO, AT_BODY + 4 * NUMBER},
		{GETPROTOBYNAME, AT_BODY},
		{STAT, AT_BODY + NUMBER},
		{ACCESS, AT_BODY + 2 * NUMBER},
		{MKDIR, AT_BODY},
		{RENAME, AT_BODY + NUMBER},
		{WATCH, AT_BODY + 2 * NUMBER},
		{LIMIT, AT_BODY},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		const struct fdbroker_request *sample = &samples[table[i].sample];
		uint32_t first = (uint32_t)sample->texts[0].length;
		uint32_t second = (uint32_t)sample->texts[1].length;
		size_t at = table[i].lengths, start = at + LENGTHS, end = start + first + second;
		const struct change changes[] = {
			{"longer by a word", at, 2, first + 4},
			{"far longer", at, 2, 0xffff},
			{"shorter by a word", at, 2, first > 4 ? first - 4 : 0xfffc},
			{"second longer by a word", at + 2, 2, second + 4},
			{"second far longer", at + 2, 2, 0xffff},
			{"NUL first", start, 1, 0},
			{"NUL last", end - 1, 1, 0},
			{"padding", end, (first + second) % 4 != 0 ? 1 : 0, 1},
		};
		/* The last only where there is padding. */
		size_t count = COUNT(changes) - (changes[7].size == 0 ? 1 : 0);

		expect_sample_refused(table[i].sample, changes, count);
	}
}

static void a_malformed_endpoint_is_refused(void **state)
{
	(void)state;
	static const struct {
		enum sample sample;
		size_t at;
	} ipv4[] = {{CONNECT, AT_BODY}, {DIAL, AT_BODY}};

	for (size_t i = 0; i < COUNT(ipv4); i++) {
		size_t at = ipv4[i].at;
		const struct change changes[] = {
			{"protocol 4", at, 1, 4},
			{"no family but an address", at + 1, 1, 0},
			{"family 5", at + 1, 1, 5},
			{"a path's family", at + 1, 1, FDBROKER_UNIX},
			{"reserved", at + 2, 2, 1},
			{"port 65536", at + 4, 4, 65536},
			{"IPv4 with a scope", at + 8, 4, 1},
			{"IPv4 with a flow", at + 12, 4, 1},
			{"long IPv4", at + 16 + 4, 1, 1},
			{"longest IPv4", at + 16 + 15, 1, 1},
		};

		expect_sample_refused(ipv4[i].sample, changes, COUNT(changes));
	}
}

/* What fits the layout and yet makes no sense. */
static void an_endpoint_that_the_operation_does_not_take_is_refused(void **state)
{
	(void)state;
	static const struct fdbroker_endpoint endpoints[] = {
		{.protocol = FDBROKER_TCP, .family = FDBROKER_IPV4}, {.port = 80},
		{.family = FDBROKER_UNIX}, {.family = FDBROKER_UNIX, .port = 1},
		{.protocol = FDBROKER_TCP, .family = FDBROKER_CID},
		{.protocol = FDBROKER_VSOCK, .family = FDBROKER_IPV6}, {.protocol = FDBROKER_VSOCK},
		{.family = FDBROKER_IPV4}, {.protocol = FDBROKER_UDP, .family = FDBROKER_UNIX}};
	static const struct {
		enum sample sample;
		size_t endpoint;
	} table[] = {{BIND, 0}, {BIND, 1}, {BIND, 2}, {BIND_UNIX, 3}, {BIND_UNIX, 7}, {CONNECT, 0},
		{CONNECT, 1}, {CONNECT, 2}, {LISTEN, 4}, {LISTEN, 5}, {LISTEN, 6}, {LISTEN, 7},
		{LISTEN, 8}, {DIAL, 4}, {DIAL, 5}, {DIAL, 6}, {DIAL, 7}, {DIAL, 8},
		{GETNAMEINFO, 0}, {GETNAMEINFO, 1}, {GETNAMEINFO, 2}};

	for (size_t i = 0; i < COUNT(table); i++) {
		struct fdbroker_request request = samples[table[i].sample];
		char what[64];

		request.endpoint = endpoints[table[i].endpoint];
		snprintf(what, sizeof(what), "operation %d, endpoint %zu", (int)request.operation,
			table[i].endpoint);
		expect_request_refused(&request, what);
	}
}

static void a_dial_has_either_a_name_or_a_number(void **state)
{
	(void)state;
	struct fdbroker_request request = samples[DIAL_NAME];

	request.endpoint = samples[DIAL].endpoint;
	request.endpoint.port = 0;
	expect_request_refused(&request, "an address and a host");
	request = samples[DIAL_NAME];
	request.endpoint.port = 123;
	expect_request_refused(&request, "a port and a service");
	request.service.length = 0;
	request.host.length = 0;
	expect_request_refused(&request, "neither an address nor a host");
	request = samples[DIAL_NAME];
	request.endpoint.protocol = FDBROKER_VSOCK;
	expect_request_refused(&request, "a vsock with a name");
	request.host.length = 0;
	request.endpoint.family = FDBROKER_CID;
	expect_request_refused(&request, "a vsock with a service");
}

static void a_tun_device_is_tun_or_tap(void **state)
{
	(void)state;
	const struct change changes[] = {
		{"2", AT_BODY + NUMBER, 4, 2},
		{"-1", AT_BODY + NUMBER, 4, UINT32_MAX},
	};

	expect_sample_refused(TUN, changes, COUNT(changes));
}

static void an_option_is_a_number_or_a_device(void **state)
{
	(void)state;
	const struct change device[] = {
		{"a device with a number", AT_BODY + 2 * NUMBER, 4, 1},
		{"another name with a text", AT_BODY + NUMBER, 4, 36},
		{"another level with a text", AT_BODY, 4, 6},
	};

	expect_sample_refused(SETSOCKOPT_DEVICE, device, COUNT(device));
}

static void what_stands_alone_is_alone_in_its_packet(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_request file = open_request("/a");

	for (size_t i = 0; i < SAMPLES; i++) {
		bool alone = fdbroker_operation_traits(samples[i].operation)->is_alone;
		struct fdbroker_packet packet = packet_of(buffer, &samples[i]);
		size_t first = packet.length;

		assert_int_equal(fdbroker_packet_add_request(&packet, &file), !alone);
		packet = packet_of(buffer, &file);
		assert_int_equal(fdbroker_packet_add_request(&packet, &samples[i]), !alone);

		/* As an enemy would write it. */
		packet = packet_of(buffer, &samples[i]);
		memcpy(buffer + first, buffer + AT_REQUEST, first - AT_REQUEST);
		buffer[HEADER(count)] = 2;
		assert_int_equal(decode(buffer, 2 * first - AT_REQUEST), alone ? -EPROTO : 2);
	}
}

static void a_malformed_reply_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = reply_packet(buffer);
	const struct change changes[] = {
		{"a request", HEADER(type), 1, FDBROKER_PACKET_REQUEST},
		{"an id", HEADER(id), 4, 1},
		{"count 0", HEADER(count), 2, 0},
		{"count 2", HEADER(count), 2, 2},
		{"count 4", HEADER(count), 2, 4},
		{"count 65", HEADER(count), 2, 65},
		{"negative error", RESULT(0, error), 4, 0xfffffff3u},
		{"no such errno", RESULT(1, error), 4, 4096},
		{"failed with a descriptor", RESULT(1, has_descriptor), 1, 1},
		{"two descriptors", RESULT(0, has_descriptor), 1, 2},
		{"success with a reason", RESULT(0, reason), 1, 2},
		{"failure without a reason", RESULT(1, reason), 1, 0},
		{"failure with data", RESULT(1, data_length), 2, 4},
		{"more data than there is", RESULT(0, data_length), 2, 4},
		{"less data than there is", RESULT(2, data_length), 2, 4},
		{"data that is not padded", RESULT(2, data_length), 2, 7},
		{"far more data", RESULT(2, data_length), 2, 0xfffc},
	};

	expect_refused(changes, COUNT(changes), &packet, decode_reply);
}

#define NAMES(field) offsetof(struct fdbroker_names, field)
#define ADDRESS(index) (sizeof(struct fdbroker_names) + (index) * sizeof(struct fdbroker_address))

static void a_malformed_answer_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_DATA_MAX];
	struct fdbroker_packet data = names_data(buffer, &two_addresses);
	size_t texts = ADDRESS(2), padding = texts + 15, endpoint = ADDRESS(0) + 8;
	const struct change changes[] = {
		{"negative error", NAMES(error), 4, 0xfffffff3u},
		{"no such errno", NAMES(error), 4, 4096},
		{"one address", NAMES(address_count), 2, 1},
		{"three addresses", NAMES(address_count), 2, 3},
		{"129 addresses", NAMES(address_count), 2, FDBROKER_ADDRESSES_MAX + 1},
		{"most addresses", NAMES(address_count), 2, 0xffff},
		{"a shorter name", NAMES(name_length), 2, 7},
		{"a longer name", NAMES(name_length), 2, 15},
		{"longest name", NAMES(name_length), 2, 0xffff},
		{"no service", NAMES(service_length), 2, 0},
		{"longest service", NAMES(service_length), 2, 0xffff},
		{"reserved", NAMES(reserved), 2, 1},
		{"an address with a protocol", endpoint, 1, FDBROKER_TCP},
		{"an address without a family", endpoint + 1, 1, 0},
		{"a vsock", endpoint + 1, 1, FDBROKER_CID},
		{"a reserved field of an address", endpoint + 2, 2, 1},
		{"a port beyond", endpoint + 4, 4, 65536},
		{"IPv4 with a scope", endpoint + 8, 4, 1},
		{"long IPv4", endpoint + 20, 1, 1},
		{"NUL in the name", texts + 3, 1, 0},
		{"NUL in the service", texts + 12, 1, 0},
		{"padding", padding, 1, 1},
	};

	assert_int_equal(data.length, padding + 1);
	expect_refused(changes, COUNT(changes), &data, decode_names);
}

static void a_malformed_text_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_DATA_MAX] = {0};
	const struct fdbroker_text written = TEXT("linked");
	struct fdbroker_packet data = text_data(buffer, &written);
	const struct change changes[] = {
		{"shorter", 0, 4, 5},
		{"shorter by a word", 0, 4, 2},
		{"longer than there is", 0, 4, 9},
		{"longest", 0, 4, UINT32_MAX},
		{"NUL first", 4, 1, 0},
		{"NUL last", 9, 1, 0},
		{"padding", 10, 1, 1},
	};

	assert_int_equal(data.length, 12);
	expect_refused(changes, COUNT(changes), &data, decode_text);
	for (size_t length = 0; length < 10; length++)
		assert_int_equal(decode_text(data.bytes, length), -EPROTO);
	assert_int_equal(decode_text(data.bytes, 16), -EPROTO);
}

static void flipped_bits_do_no_harm(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = mixed_packet(buffer);

	for (size_t bit = 0; bit < packet.length * 8; bit++) {
		for (size_t other = bit; other < packet.length * 8; other++) {
			buffer[bit / 8] ^= (unsigned char)(1u << bit % 8);
			buffer[other / 8] ^= (unsigned char)(1u << other % 8);
			int count = decode(packet.bytes, packet.length);
			assert_true(count == MIXED || count == -EPROTO);
			buffer[bit / 8] ^= (unsigned char)(1u << bit % 8);
			buffer[other / 8] ^= (unsigned char)(1u << other % 8);
		}
	}
}

/* A new random number: xorshift, the same in each run. */
static uint32_t next_random(void)
{
	static uint32_t number = 1;

	number ^= number << 13;
	number ^= number >> 17;
	number ^= number << 5;
	return number;
}

/* Small numbers more often than others: they are what gets far. */
static void overwrite_at_random(unsigned char *bytes, size_t length)
{
	for (uint32_t changes = 1 + next_random() % 4; changes > 0; changes--) {
		uint32_t value = next_random();

		bytes[next_random() % length] = (unsigned char)(value & 256 ? value : value % 8);
	}
}

static void random_bytes_do_no_harm(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];

	for (unsigned int i = 0; i < 200000; i++) {
		struct fdbroker_packet packet = packet_of(buffer, &samples[i % SAMPLES]);

		overwrite_at_random(buffer + AT_REQUEST, packet.length - AT_REQUEST);
		int count = decode(buffer, packet.length);
		assert_true(count == 1 || count == -EPROTO);

		packet = reply_packet(buffer);
		overwrite_at_random(buffer, packet.length);
		decode_reply(buffer, packet.length);

		packet = names_data(buffer, &two_addresses);
		overwrite_at_random(buffer, packet.length);
		if (decode_names(buffer, packet.length) == 1)
			assert_true(answer.name.length + answer.service.length <= packet.length);

		packet = text_data(buffer, &two_addresses.name);
		overwrite_at_random(buffer, packet.length);
		if (decode_text(buffer, packet.length) == 1)
			assert_true(text.length <= packet.length - 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_arrives_as_it_was_sent),
		cmocka_unit_test(requests_of_several_kinds_share_a_packet),
		cmocka_unit_test(results_and_their_data_arrive_as_they_were_sent),
		cmocka_unit_test(an_answer_of_the_name_service_arrives_as_it_was_sent),
		cmocka_unit_test(a_text_arrives_as_it_was_sent),
		cmocka_unit_test(the_examples_of_the_manual_are_right),
		cmocka_unit_test(the_examples_of_the_manual_for_limits_and_links_are_right),
		cmocka_unit_test(each_operation_has_its_traits),
		cmocka_unit_test(a_packet_holds_64_requests_and_no_more),
		cmocka_unit_test(a_packet_holds_64_results_and_no_more),
		cmocka_unit_test(a_reply_holds_8192_bytes_of_data_beside_64_results),
		cmocka_unit_test(every_text_has_its_bounds),
		cmocka_unit_test(a_text_that_must_not_be_empty_is_not),
		cmocka_unit_test(a_text_beyond_its_bound_is_refused),
		cmocka_unit_test(limits_beyond_their_bound_are_refused),
		cmocka_unit_test(more_than_64_are_refused),
		cmocka_unit_test(a_packet_never_grows_beyond_its_bound),
		cmocka_unit_test(a_longer_packet_is_refused),
		cmocka_unit_test(what_an_answer_has_no_room_for_is_left_out),
		cmocka_unit_test(a_packet_cut_anywhere_is_refused),
		cmocka_unit_test(bytes_left_over_are_refused),
		cmocka_unit_test(a_malformed_header_is_refused),
		cmocka_unit_test(a_malformed_request_header_is_refused),
		cmocka_unit_test(malformed_texts_are_refused),
		cmocka_unit_test(a_malformed_endpoint_is_refused),
		cmocka_unit_test(an_endpoint_that_the_operation_does_not_take_is_refused),
		cmocka_unit_test(a_dial_has_either_a_name_or_a_number),
		cmocka_unit_test(a_tun_device_is_tun_or_tap),
		cmocka_unit_test(an_option_is_a_number_or_a_device),
		cmocka_unit_test(what_stands_alone_is_alone_in_its_packet),
		cmocka_unit_test(a_malformed_reply_is_refused),
		cmocka_unit_test(a_malformed_answer_is_refused),
		cmocka_unit_test(a_malformed_text_is_refused),
		cmocka_unit_test(flipped_bits_do_no_harm),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
