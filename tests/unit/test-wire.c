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

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static struct fdbroker_request requests[FDBROKER_REQUESTS_MAX];
static struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
static uint32_t first_id;
static const char *why;

/* ---- helpers ---- */

/* What decoding returned; paths are looked at before the copy goes. */
static int decode(const unsigned char *bytes, size_t length)
{
	unsigned char *copy = malloc(length + 1);

	assert_non_null(copy);
	memcpy(copy + 1, bytes, length);
	int count = fdbroker_packet_decode(copy + 1, length, &first_id, requests, &why);
	for (int i = 0; i < count; i++) {
		if (requests[i].operation == FDBROKER_OPEN)
			assert_null(memchr(requests[i].path, 0, requests[i].path_length));
	}
	if (count < 0)
		assert_non_null(why);
	free(copy);
	return count;
}

static int decode_reply(const unsigned char *bytes, size_t length)
{
	unsigned char *copy = malloc(length + 1);

	assert_non_null(copy);
	memcpy(copy + 1, bytes, length);
	int count = fdbroker_reply_decode(copy + 1, length, results);
	free(copy);
	return count;
}

static struct fdbroker_request open_request(const char *path)
{
	return (struct fdbroker_request){
		.operation = FDBROKER_OPEN,
		.flags = O_WRONLY | O_APPEND,
		.path = path,
		.path_length = strlen(path),
	};
}

static struct fdbroker_request endpoint_request(enum fdbroker_operation operation)
{
	return (struct fdbroker_request){
		.operation = operation,
		.endpoint =
			{
				.protocol = FDBROKER_UDP,
				.family = 6,
				.port = 53,
				.scope = 2,
				.flowinfo = 7,
				.address = {0xfe, 0x80, [15] = 1},
			},
		.backlog = operation == FDBROKER_LISTEN ? 128 : 0,
	};
}

static struct fdbroker_packet begin(unsigned char *buffer)
{
	struct fdbroker_packet packet;

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, 1000);
	return packet;
}

static struct fdbroker_packet packet_of(unsigned char *buffer, struct fdbroker_request request)
{
	struct fdbroker_packet packet = begin(buffer);

	assert_true(fdbroker_packet_add_request(&packet, &request));
	return packet;
}

/* Paths of each padding, and an endpoint between them. */
static struct fdbroker_packet mixed_packet(unsigned char *buffer)
{
	struct fdbroker_packet packet = begin(buffer);
	const struct fdbroker_request mixed[] = {
		open_request("/"),
		open_request("/a"),
		endpoint_request(FDBROKER_LISTEN),
		open_request("/ab"),
		open_request("/abc"),
	};

	for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++)
		assert_true(fdbroker_packet_add_request(&packet, &mixed[i]));
	return packet;
}

static struct fdbroker_packet reply_packet(unsigned char *buffer)
{
	struct fdbroker_packet packet;
	const struct fdbroker_result both[] = {
		{.id = 1, .has_descriptor = 1},
		{.id = 2, .error = EACCES, .reason = 2},
	};

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REPLY, 1000);
	assert_true(fdbroker_packet_add_result(&packet, &both[0]));
	assert_true(fdbroker_packet_add_result(&packet, &both[1]));
	return packet;
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HEADER(field) offsetof(struct fdbroker_header, field)
#define BODY(type, field) (sizeof(struct fdbroker_header) + offsetof(struct type, field))

/* ---- what is written can be read ---- */

static void an_open_request_arrives_as_it_was_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = packet_of(buffer, open_request("/etc/x\n\xff"));

	/* Straight from the buffer, since requests point into it. */
	assert_int_equal(
		fdbroker_packet_decode(buffer, packet.length, &first_id, requests, &why), 1);
	assert_int_equal(first_id, 1000);
	assert_int_equal(requests[0].operation, FDBROKER_OPEN);
	assert_int_equal(requests[0].flags, O_WRONLY | O_APPEND);
	assert_int_equal(requests[0].path_length, 8);
	assert_memory_equal(requests[0].path, "/etc/x\n\xff", 8);
}

static void an_endpoint_arrives_as_it_was_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	const enum fdbroker_operation operations[] = {FDBROKER_BIND, FDBROKER_LISTEN};

	for (size_t i = 0; i < COUNT(operations); i++) {
		struct fdbroker_request sent = endpoint_request(operations[i]);
		struct fdbroker_packet packet = packet_of(buffer, sent);

		assert_int_equal(decode(packet.bytes, packet.length), 1);
		assert_int_equal(requests[0].operation, operations[i]);
		assert_memory_equal(&requests[0].endpoint, &sent.endpoint, sizeof(sent.endpoint));
		assert_int_equal(requests[0].backlog, sent.backlog);
	}
}

static void requests_of_several_kinds_share_a_packet(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = mixed_packet(buffer);

	assert_int_equal(fdbroker_packet_count(&packet), 5);
	assert_int_equal(decode(packet.bytes, packet.length), 5);
	assert_int_equal(requests[2].operation, FDBROKER_LISTEN);
	assert_int_equal(requests[4].path_length, 4);
}

static void results_arrive_as_they_were_sent(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = reply_packet(buffer);

	assert_int_equal(decode_reply(packet.bytes, packet.length), 2);
	assert_int_equal(results[0].id, 1);
	assert_int_equal(results[0].has_descriptor, 1);
	assert_int_equal(results[1].id, 2);
	assert_int_equal(results[1].error, EACCES);
	assert_int_equal(results[1].reason, 2);
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

static void a_path_has_1_to_4095_bytes(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char path[FDBROKER_PATH_MAX + 1];
	struct fdbroker_packet packet = begin(buffer);
	struct fdbroker_request request = {.operation = FDBROKER_OPEN, .path = path};

	memset(path, 'x', sizeof(path));
	assert_false(fdbroker_packet_add_request(&packet, &request));
	request.path_length = FDBROKER_PATH_MAX + 1;
	assert_false(fdbroker_packet_add_request(&packet, &request));
	assert_int_equal(fdbroker_packet_count(&packet), 0);
	request.path_length = FDBROKER_PATH_MAX;
	assert_true(fdbroker_packet_add_request(&packet, &request));
	assert_int_equal(decode(packet.bytes, packet.length), 1);
}

static void a_packet_never_grows_beyond_its_bound(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	static char path[FDBROKER_PATH_MAX];
	struct fdbroker_packet packet = begin(buffer);
	struct fdbroker_request request = {
		.operation = FDBROKER_OPEN, .path = path, .path_length = FDBROKER_PATH_MAX};

	memset(path, 'x', sizeof(path));
	while (fdbroker_packet_add_request(&packet, &request))
		;
	assert_int_equal(fdbroker_packet_count(&packet), 7);
	/* To the last byte: what is left takes a request of exactly that size. */
	request.path_length =
		FDBROKER_PACKET_MAX - packet.length - sizeof(struct fdbroker_open_body);
	request.path_length++;
	assert_false(fdbroker_packet_add_request(&packet, &request));
	request.path_length--;
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

/* ---- nothing else can be read ---- */

static void a_packet_cut_anywhere_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = mixed_packet(buffer);

	for (size_t length = 0; length < packet.length; length++)
		assert_int_equal(decode(packet.bytes, length), -EPROTO);
	packet = reply_packet(buffer);
	for (size_t length = 0; length < packet.length; length++)
		assert_int_equal(decode_reply(packet.bytes, length), -EPROTO);
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
		{"one too few", HEADER(count), 2, 4},
		{"one too many", HEADER(count), 2, 6},
		{"count 65", HEADER(count), 2, FDBROKER_REQUESTS_MAX + 1},
		{"reserved", HEADER(reserved), 2, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode);
}

static void a_malformed_open_request_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = packet_of(buffer, open_request("/abcd"));
	size_t path = sizeof(struct fdbroker_header) + sizeof(struct fdbroker_open_body);
	const struct change changes[] = {
		{"size 0", BODY(fdbroker_open_body, header.size), 2, 0},
		{"size of a header", BODY(fdbroker_open_body, header.size), 2, 4},
		{"size without padding", BODY(fdbroker_open_body, header.size), 2, 17},
		{"size beyond the packet", BODY(fdbroker_open_body, header.size), 2, 24},
		{"largest size", BODY(fdbroker_open_body, header.size), 2, 0xffff},
		{"operation 0", BODY(fdbroker_open_body, header.operation), 1, 0},
		{"operation 4", BODY(fdbroker_open_body, header.operation), 1, 4},
		{"operation 255", BODY(fdbroker_open_body, header.operation), 1, 255},
		{"reserved", BODY(fdbroker_open_body, header.reserved), 1, 1},
		{"no path", BODY(fdbroker_open_body, path_length), 2, 0},
		{"shorter path", BODY(fdbroker_open_body, path_length), 2, 4},
		{"longer path", BODY(fdbroker_open_body, path_length), 2, 9},
		{"far longer path", BODY(fdbroker_open_body, path_length), 2, 0xffff},
		{"second reserved", BODY(fdbroker_open_body, reserved), 2, 1},
		{"NUL first", path, 1, 0},
		{"NUL last", path + 4, 1, 0},
		{"padding", path + 5, 1, 1},
		{"last padding", path + 7, 1, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode);
}

static void a_malformed_endpoint_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_request request = endpoint_request(FDBROKER_LISTEN);
	request.endpoint = (struct fdbroker_endpoint){
		.protocol = FDBROKER_TCP, .family = 4, .address = {127, 0, 0, 1}};
	struct fdbroker_packet packet = packet_of(buffer, request);
	const struct change changes[] = {
		{"too short", BODY(fdbroker_endpoint_body, header.size), 2, 32},
		{"protocol 0", BODY(fdbroker_endpoint_body, endpoint.protocol), 1, 0},
		{"protocol 3", BODY(fdbroker_endpoint_body, endpoint.protocol), 1, 3},
		{"no family but an address", BODY(fdbroker_endpoint_body, endpoint.family), 1, 0},
		{"family 5", BODY(fdbroker_endpoint_body, endpoint.family), 1, 5},
		{"IPv4 with a scope", BODY(fdbroker_endpoint_body, endpoint.scope), 4, 1},
		{"IPv4 with a flow", BODY(fdbroker_endpoint_body, endpoint.flowinfo), 4, 1},
		{"long IPv4", BODY(fdbroker_endpoint_body, endpoint.address) + 4, 1, 1},
		{"longest IPv4", BODY(fdbroker_endpoint_body, endpoint.address) + 15, 1, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode);
}

static void only_listen_may_mean_both_families(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_request request = endpoint_request(FDBROKER_LISTEN);
	request.endpoint = (struct fdbroker_endpoint){.protocol = FDBROKER_TCP, .port = 80};
	request.backlog = 0;
	struct fdbroker_packet packet = packet_of(buffer, request);
	const struct change changes[] = {
		{"BIND", BODY(fdbroker_endpoint_body, header.operation), 1, FDBROKER_BIND},
		{"scope", BODY(fdbroker_endpoint_body, endpoint.scope), 4, 1},
		{"flow", BODY(fdbroker_endpoint_body, endpoint.flowinfo), 4, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode);
}

static void a_bind_with_a_backlog_is_refused(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet = packet_of(buffer, endpoint_request(FDBROKER_BIND));
	const struct change changes[] = {
		{"backlog", BODY(fdbroker_endpoint_body, backlog), 4, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode);
}

static void a_bind_is_alone_in_its_packet(void **state)
{
	(void)state;
	unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_request bind = endpoint_request(FDBROKER_BIND);
	struct fdbroker_request listen = endpoint_request(FDBROKER_LISTEN);
	struct fdbroker_packet packet = packet_of(buffer, bind);

	assert_true(fdbroker_operation_takes_descriptor(FDBROKER_BIND));
	assert_false(fdbroker_operation_takes_descriptor(FDBROKER_OPEN));
	assert_false(fdbroker_operation_takes_descriptor((enum fdbroker_operation)200));
	assert_false(fdbroker_packet_add_request(&packet, &listen));
	packet = packet_of(buffer, listen);
	assert_false(fdbroker_packet_add_request(&packet, &bind));

	/* As an enemy would write it: a second LISTEN turned into a BIND. */
	listen.backlog = 0;
	packet = packet_of(buffer, listen);
	assert_true(fdbroker_packet_add_request(&packet, &listen));
	const struct change changes[] = {
		{"first", BODY(fdbroker_endpoint_body, header.operation), 1, FDBROKER_BIND},
		{"second", BODY(fdbroker_endpoint_body, header.operation) + 36, 1, FDBROKER_BIND},
	};
	expect_refused(changes, COUNT(changes), &packet, decode);
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
		{"count 1", HEADER(count), 2, 1},
		{"count 3", HEADER(count), 2, 3},
		{"count 65", HEADER(count), 2, 65},
		{"negative error", BODY(fdbroker_result, error), 4, 0xfffffff3u},
		{"no such errno", BODY(fdbroker_result, error) + 12, 4, 4096},
		{"failed with a descriptor", BODY(fdbroker_result, has_descriptor) + 12, 1, 1},
		{"two descriptors", BODY(fdbroker_result, has_descriptor), 1, 2},
		{"success with a reason", BODY(fdbroker_result, reason), 1, 2},
		{"failure without a reason", BODY(fdbroker_result, reason) + 12, 1, 0},
		{"reserved", BODY(fdbroker_result, reserved), 2, 1},
	};

	expect_refused(changes, COUNT(changes), &packet, decode_reply);
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
			assert_true(count == 5 || count == -EPROTO);
			decode_reply(packet.bytes, packet.length);
			buffer[bit / 8] ^= (unsigned char)(1u << bit % 8);
			buffer[other / 8] ^= (unsigned char)(1u << other % 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_request_arrives_as_it_was_sent),
		cmocka_unit_test(an_endpoint_arrives_as_it_was_sent),
		cmocka_unit_test(requests_of_several_kinds_share_a_packet),
		cmocka_unit_test(results_arrive_as_they_were_sent),
		cmocka_unit_test(a_packet_holds_64_requests_and_no_more),
		cmocka_unit_test(a_packet_holds_64_results_and_no_more),
		cmocka_unit_test(a_path_has_1_to_4095_bytes),
		cmocka_unit_test(a_packet_never_grows_beyond_its_bound),
		cmocka_unit_test(a_longer_packet_is_refused),
		cmocka_unit_test(a_packet_cut_anywhere_is_refused),
		cmocka_unit_test(bytes_left_over_are_refused),
		cmocka_unit_test(a_malformed_header_is_refused),
		cmocka_unit_test(a_malformed_open_request_is_refused),
		cmocka_unit_test(a_malformed_endpoint_is_refused),
		cmocka_unit_test(only_listen_may_mean_both_families),
		cmocka_unit_test(a_bind_with_a_backlog_is_refused),
		cmocka_unit_test(a_bind_is_alone_in_its_packet),
		cmocka_unit_test(a_malformed_reply_is_refused),
		cmocka_unit_test(flipped_bits_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
