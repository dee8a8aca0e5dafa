/* SPDX-License-Identifier: MIT */
/*
 * Takes packets apart and puts them together, as protocol.h declares and fdbroker-protocol(7)
 * describes. What arrives was written by somebody who may be an enemy: every byte is checked or
 * copied out before it is used, nothing is read in place through a cast (a packet is not aligned),
 * and no byte goes unexplained. This file must never make a system call, allocate, or keep state.
 */
#include "protocol.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The structures are the format: a compiler that pads them differently must not build this. */
static_assert(sizeof(struct fdbroker_header) == 12, "header");
static_assert(sizeof(struct fdbroker_request_header) == 4, "request header");
static_assert(sizeof(struct fdbroker_open_body) == 12, "open request");
static_assert(sizeof(struct fdbroker_endpoint) == 28, "endpoint");
static_assert(sizeof(struct fdbroker_endpoint_body) == 36, "endpoint request");
static_assert(sizeof(struct fdbroker_result) == 12, "result");
static_assert(FDBROKER_PACKET_MAX >= sizeof(struct fdbroker_header) +
					     FDBROKER_REQUESTS_MAX * sizeof(struct fdbroker_result),
	"the results of a full packet fit into one");

/* No errno of Linux is larger (include/linux/err.h, MAX_ERRNO). */
#define ERRNO_MAX 4095

static size_t pad_to_4(size_t length)
{
	return (length + 3u) & ~(size_t)3u;
}

static bool all_zero(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* ---- reading ---- */

/* Each of these takes apart one request of exactly size bytes; NULL, or what is wrong with it. */

static const char *decode_open(
	const unsigned char *bytes, size_t size, struct fdbroker_request *request)
{
	struct fdbroker_open_body body;

	if (size < sizeof(body))
		return "an open request is too short";
	memcpy(&body, bytes, sizeof(body));
	if (body.reserved != 0)
		return "a reserved field of an open request is not 0";
	if (body.path_length == 0 || body.path_length > FDBROKER_PATH_MAX)
		return "a path is empty or too long";
	size_t end = sizeof(body) + body.path_length;
	if (size != pad_to_4(end))
		return "the size of an open request does not fit its path";
	if (!all_zero(bytes + end, size - end))
		return "the padding after a path is not 0";
	if (memchr(bytes + sizeof(body), 0, body.path_length) != NULL)
		return "a path contains a NUL";

	request->flags = body.flags;
	request->path = (const char *)bytes + sizeof(body);
	request->path_length = body.path_length;
	return NULL;
}

/* How many bytes of the address a family uses; -1: there is no such family. */
static int address_length(unsigned int family)
{
	switch (family) {
	case 0:
		return 0;
	case 4:
		return 4;
	case 6:
		return 16;
	default:
		return -1;
	}
}

static const char *check_endpoint(const struct fdbroker_endpoint *endpoint)
{
	int used = address_length(endpoint->family);

	if (used < 0)
		return "the family of an endpoint is not 0, 4 or 6";
	if (!all_zero(endpoint->address + used, sizeof(endpoint->address) - (size_t)used))
		return "an endpoint has address bytes that its family does not use";
	if (endpoint->family != 6 && (endpoint->scope != 0 || endpoint->flowinfo != 0))
		return "an endpoint that is not IPv6 has a scope or a flow label";
	return NULL;
}

static const char *decode_endpoint(
	const unsigned char *bytes, size_t size, struct fdbroker_request *request)
{
	struct fdbroker_endpoint_body body;

	if (size != sizeof(body))
		return "the size of an endpoint request is wrong";
	memcpy(&body, bytes, sizeof(body));
	request->endpoint = body.endpoint;
	request->backlog = body.backlog;
	return check_endpoint(&body.endpoint);
}

static const char *decode_bind(
	const unsigned char *bytes, size_t size, struct fdbroker_request *request)
{
	const char *wrong = decode_endpoint(bytes, size, request);

	if (wrong == NULL && request->backlog != 0)
		return "a bind request has a backlog";
	if (wrong == NULL && request->endpoint.family == 0)
		return "a bind request has no family";
	return wrong;
}

static const char *decode_listen(
	const unsigned char *bytes, size_t size, struct fdbroker_request *request)
{
	const char *wrong = decode_endpoint(bytes, size, request);

	if (wrong == NULL && request->endpoint.protocol != FDBROKER_TCP &&
		request->endpoint.protocol != FDBROKER_UDP)
		return "the protocol of an endpoint is neither TCP nor UDP";
	return wrong;
}

static const struct {
	const char *(*decode)(const unsigned char *, size_t, struct fdbroker_request *);
	bool takes_descriptor; /* and is therefore alone in its packet: whose would it be? */
} operations[] = {
	[FDBROKER_OPEN] = {decode_open, false},
	[FDBROKER_BIND] = {decode_bind, true},
	[FDBROKER_LISTEN] = {decode_listen, false},
};

static bool is_operation(unsigned int operation)
{
	return operation < sizeof(operations) / sizeof(operations[0]) &&
	       operations[operation].decode != NULL;
}

bool fdbroker_operation_takes_descriptor(enum fdbroker_operation operation)
{
	return is_operation(operation) && operations[operation].takes_descriptor;
}

/* Sets *size to what this request takes of the packet. */
static const char *decode_request(
	const unsigned char *bytes, size_t left, struct fdbroker_request *request, size_t *size)
{
	struct fdbroker_request_header header;

	if (left < sizeof(header))
		return "the packet holds fewer requests than it says";
	memcpy(&header, bytes, sizeof(header));
	if (header.size < sizeof(header) || header.size > left)
		return "a request is larger than what is left of the packet";
	if (header.reserved != 0)
		return "a reserved field of a request is not 0";
	if (!is_operation(header.operation))
		return "an operation that this version does not have";

	*size = header.size;
	memset(request, 0, sizeof(*request));
	request->operation = (enum fdbroker_operation)header.operation;
	return operations[header.operation].decode(bytes, header.size, request);
}

static const char *decode_header(const unsigned char *bytes, size_t length,
	enum fdbroker_packet_type type, struct fdbroker_header *header)
{
	if (length > FDBROKER_PACKET_MAX)
		return "the packet is too long";
	if (length < sizeof(*header))
		return "the packet is shorter than a header";
	memcpy(header, bytes, sizeof(*header));
	if (header->magic != FDBROKER_PROTOCOL_MAGIC)
		return "the packet is not of this protocol";
	if (header->version != FDBROKER_PROTOCOL_VERSION)
		return "the packet is of another version of the protocol";
	if (header->type != type)
		return "the packet is of the wrong type";
	if (header->count == 0 || header->count > FDBROKER_REQUESTS_MAX)
		return "the number of requests or results is out of bounds";
	if (header->reserved != 0)
		return "a reserved field of the header is not 0";
	return NULL;
}

static const char *decode_requests(const unsigned char *bytes, size_t length, unsigned int count,
	struct fdbroker_request *requests)
{
	for (unsigned int i = 0; i < count; i++) {
		size_t size = 0;
		const char *wrong = decode_request(bytes, length, &requests[i], &size);

		if (wrong != NULL)
			return wrong;
		if (count > 1 && operations[requests[i].operation].takes_descriptor)
			return "a request that takes a descriptor is not alone in its packet";
		bytes += size;
		length -= size;
	}
	return length == 0 ? NULL : "bytes are left over after the last request";
}

int fdbroker_packet_decode(const void *packet, size_t length, uint32_t *first_id,
	struct fdbroker_request requests[static FDBROKER_REQUESTS_MAX], const char **why)
{
	const unsigned char *bytes = packet;
	struct fdbroker_header header;

	*why = decode_header(bytes, length, FDBROKER_PACKET_REQUEST, &header);
	if (*why != NULL)
		return -EPROTO;
	*why = decode_requests(
		bytes + sizeof(header), length - sizeof(header), header.count, requests);
	if (*why != NULL)
		return -EPROTO;
	*first_id = header.id;
	return header.count;
}

static bool is_result_sound(const struct fdbroker_result *result)
{
	bool failed = result->error != 0;

	return result->error >= 0 && result->error <= ERRNO_MAX && result->reserved == 0 &&
	       result->has_descriptor <= (failed ? 0 : 1) && (result->reason != 0) == failed;
}

int fdbroker_reply_decode(const void *packet, size_t length,
	struct fdbroker_result results[static FDBROKER_REQUESTS_MAX])
{
	const unsigned char *bytes = packet;
	struct fdbroker_header header;

	if (decode_header(bytes, length, FDBROKER_PACKET_REPLY, &header) != NULL || header.id != 0)
		return -EPROTO;
	if (length != sizeof(header) + header.count * sizeof(results[0]))
		return -EPROTO;
	memcpy(results, bytes + sizeof(header), header.count * sizeof(results[0]));
	for (unsigned int i = 0; i < header.count; i++) {
		if (!is_result_sound(&results[i]))
			return -EPROTO;
	}
	return header.count;
}

/* ---- writing ---- */

static struct fdbroker_header packet_header(const struct fdbroker_packet *packet)
{
	struct fdbroker_header header;

	memcpy(&header, packet->bytes, sizeof(header));
	return header;
}

void fdbroker_packet_begin(struct fdbroker_packet *packet, unsigned char *buffer,
	enum fdbroker_packet_type type, uint32_t first_id)
{
	struct fdbroker_header header = {
		.magic = FDBROKER_PROTOCOL_MAGIC,
		.version = FDBROKER_PROTOCOL_VERSION,
		.type = (uint8_t)type,
		.id = type == FDBROKER_PACKET_REQUEST ? first_id : 0,
	};

	memcpy(buffer, &header, sizeof(header));
	packet->bytes = buffer;
	packet->length = sizeof(header);
}

unsigned int fdbroker_packet_count(const struct fdbroker_packet *packet)
{
	return packet_header(packet).count;
}

/* Room for one more piece of so many bytes, counted in the header; NULL when there is none. */
static unsigned char *packet_extend(struct fdbroker_packet *packet, size_t size)
{
	struct fdbroker_header header = packet_header(packet);
	unsigned char *piece = packet->bytes + packet->length;

	if (header.count == FDBROKER_REQUESTS_MAX || size > FDBROKER_PACKET_MAX - packet->length)
		return NULL;
	header.count++;
	memcpy(packet->bytes, &header, sizeof(header));
	packet->length += size;
	return piece;
}

static bool add_open(struct fdbroker_packet *packet, const struct fdbroker_request *request)
{
	struct fdbroker_open_body body = {
		.header.operation = FDBROKER_OPEN,
		.flags = request->flags,
		.path_length = (uint16_t)request->path_length,
	};

	if (request->path_length == 0 || request->path_length > FDBROKER_PATH_MAX)
		return false;
	size_t end = sizeof(body) + request->path_length;
	size_t size = pad_to_4(end);
	unsigned char *piece = packet_extend(packet, size);
	if (piece == NULL)
		return false;

	body.header.size = (uint16_t)size;
	memcpy(piece, &body, sizeof(body));
	memcpy(piece + sizeof(body), request->path, request->path_length);
	memset(piece + end, 0, size - end);
	return true;
}

static bool add_endpoint(struct fdbroker_packet *packet, const struct fdbroker_request *request)
{
	struct fdbroker_endpoint_body body = {
		.header = {.size = sizeof(body), .operation = (uint8_t)request->operation},
		.endpoint = request->endpoint,
		.backlog = request->operation == FDBROKER_LISTEN ? request->backlog : 0,
	};
	unsigned char *piece = packet_extend(packet, sizeof(body));

	if (piece == NULL)
		return false;
	memcpy(piece, &body, sizeof(body));
	return true;
}

/* Whether the one request that the packet holds wants to stay alone. */
static bool holds_descriptor_request(const struct fdbroker_packet *packet)
{
	struct fdbroker_request_header first;

	memcpy(&first, packet->bytes + sizeof(struct fdbroker_header), sizeof(first));
	return fdbroker_operation_takes_descriptor((enum fdbroker_operation)first.operation);
}

bool fdbroker_packet_add_request(
	struct fdbroker_packet *packet, const struct fdbroker_request *request)
{
	if (fdbroker_packet_count(packet) > 0 &&
		(fdbroker_operation_takes_descriptor(request->operation) ||
			holds_descriptor_request(packet)))
		return false;
	if (request->operation == FDBROKER_OPEN)
		return add_open(packet, request);
	return add_endpoint(packet, request);
}

bool fdbroker_packet_add_result(
	struct fdbroker_packet *packet, const struct fdbroker_result *result)
{
	unsigned char *piece = packet_extend(packet, sizeof(*result));

	if (piece == NULL)
		return false;
	memcpy(piece, result, sizeof(*result));
	return true;
}
