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
#include <sys/socket.h>

/* The structures are the format: a compiler that pads them differently must not build this. */
static_assert(sizeof(struct fdbroker_header) == 12, "header");
static_assert(sizeof(struct fdbroker_request_header) == 4, "request header");
static_assert(sizeof(struct fdbroker_endpoint) == 32, "endpoint");
static_assert(sizeof(struct fdbroker_result) == 12, "result");
static_assert(sizeof(struct fdbroker_names) == 20, "answer of the name service");
static_assert(sizeof(struct fdbroker_address) == 40, "address of an answer");
static_assert(sizeof(struct fdbroker_status) == 96, "status");
static_assert(FDBROKER_PACKET_MAX >= FDBROKER_REPLY_MAX, "a reply is a packet");
static_assert(
	FDBROKER_DATA_MAX >= sizeof(struct fdbroker_names) +
				     FDBROKER_ADDRESSES_MAX * sizeof(struct fdbroker_address) +
				     FDBROKER_NAME_MAX + FDBROKER_SERVICE_NAME_MAX + 3,
	"the largest answer of the name service fits into a reply");

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

/* ---- what each operation looks like ---- */

struct text_bounds {
	uint16_t min, max;
};

/* Of an operation that looks at a path and changes nothing. */
#define LOOKS .is_alone = true, .is_repeatable = true, .has_paths = true
/* clang-format off */
#define PATH {1, FDBROKER_PATH_MAX}
/* clang-format on */

static const struct operation {
	struct fdbroker_traits traits;
	uint8_t numbers;
	bool has_endpoint;
	struct text_bounds texts[FDBROKER_TEXTS_MAX]; /* max 0: there is no such text */
} operations[] = {
	[FDBROKER_OPEN] =
		{
			.traits = {.gives_descriptor = true, .has_paths = true},
			.numbers = 1,
			.texts = {PATH},
		},
	[FDBROKER_BIND] =
		{
			.traits = {.takes_descriptor = true, .is_alone = true},
			.has_endpoint = true,
			.texts = {{0, FDBROKER_UNIX_PATH_MAX}},
		},
	[FDBROKER_LISTEN] =
		{
			.traits = {.gives_descriptor = true},
			.numbers = 1,
			.has_endpoint = true,
		},
	[FDBROKER_CONNECT] =
		{
			.traits = {.takes_descriptor = true, .is_alone = true},
			.has_endpoint = true,
		},
	[FDBROKER_DIAL] =
		{
			.traits = {.gives_descriptor = true,
				.is_alone = true,
				.is_repeatable = true},
			.has_endpoint = true,
			.texts = {{0, FDBROKER_HOST_MAX}, {0, FDBROKER_SERVICE_MAX}},
		},
	[FDBROKER_SOCKET] = {.traits = {.gives_descriptor = true}, .numbers = 3},
	[FDBROKER_TUN] =
		{
			.traits = {.gives_descriptor = true},
			.numbers = 2,
			.texts = {{0, FDBROKER_INTERFACE_MAX}},
		},
	[FDBROKER_SETSOCKOPT] =
		{
			.traits = {.takes_descriptor = true, .is_alone = true},
			.numbers = 3,
			.texts = {{0, FDBROKER_INTERFACE_MAX}},
		},
	[FDBROKER_GETADDRINFO] =
		{
			.traits = {.gives_data = true, .is_alone = true, .is_repeatable = true},
			.numbers = 4,
			.texts = {{0, FDBROKER_HOST_MAX}, {0, FDBROKER_SERVICE_MAX}},
		},
	[FDBROKER_GETNAMEINFO] =
		{
			.traits = {.gives_data = true, .is_alone = true, .is_repeatable = true},
			.numbers = 1,
			.has_endpoint = true,
		},
	[FDBROKER_GETPROTOBYNAME] =
		{
			.traits = {.gives_data = true, .is_alone = true, .is_repeatable = true},
			.texts = {{1, FDBROKER_SERVICE_MAX}},
		},
	[FDBROKER_STAT] =
		{
			.traits = {.gives_data = true, LOOKS},
			.numbers = 1,
			.texts = {PATH},
		},
	[FDBROKER_ACCESS] = {.traits = {LOOKS}, .numbers = 2, .texts = {PATH}},
	[FDBROKER_READLINK] =
		{
			.traits = {.gives_data = true, LOOKS},
			.numbers = 1,
			.texts = {PATH},
		},
	[FDBROKER_MKDIR] = {.traits = {.has_paths = true}, .texts = {PATH}},
	[FDBROKER_UNLINK] = {.traits = {.has_paths = true}, .numbers = 1, .texts = {PATH}},
	[FDBROKER_RMDIR] = {.traits = {.has_paths = true}, .texts = {PATH}},
	[FDBROKER_RENAME] =
		{
			.traits = {.is_alone = true, .has_paths = true},
			.numbers = 1,
			.texts = {PATH, PATH},
		},
	[FDBROKER_LIST] =
		{
			.traits = {.takes_descriptor = true, .is_alone = true, .has_paths = true},
			.texts = {PATH},
		},
	[FDBROKER_WATCH] =
		{
			.traits = {.takes_descriptor = true,
				.gives_data = true,
				.is_alone = true,
				.has_paths = true},
			.numbers = 2,
			.texts = {PATH},
		},
	[FDBROKER_COPY] =
		{
			.traits = {.takes_descriptor = true, .is_alone = true, .has_paths = true},
			.numbers = 1,
			.texts = {PATH},
		},
	[FDBROKER_LIMIT] = {.traits = {.is_alone = true}, .texts = {{0, FDBROKER_LIMITS_MAX}}},
	[FDBROKER_CLONE] = {.traits = {.gives_descriptor = true, .is_alone = true}},
	[FDBROKER_GRANTS] = {.traits = {.takes_descriptor = true, .is_alone = true}},
};

static_assert(sizeof(operations) / sizeof(operations[0]) == FDBROKER_OPERATIONS_END,
	"each operation has a row");

static bool is_operation(unsigned int operation)
{
	return operation > 0 && operation < sizeof(operations) / sizeof(operations[0]);
}

const struct fdbroker_traits *fdbroker_operation_traits(enum fdbroker_operation operation)
{
	return &operations[operation].traits;
}

const char *fdbroker_descriptors_wrong(
	const struct fdbroker_request *first, unsigned int descriptors)
{
	bool takes_one = operations[first->operation].traits.takes_descriptor;

	if (descriptors > (takes_one ? 1u : 0u))
		return "a descriptor that no request asks for";
	return descriptors < (takes_one ? 1u : 0u) ? "a request without its descriptor" : NULL;
}

static bool has_texts(const struct operation *operation)
{
	return operation->texts[0].max > 0;
}

/* ---- checks ---- */

/* How many bytes of the address a family uses; -1: there is no such family. */
static int address_length(unsigned int family)
{
	switch (family) {
	case FDBROKER_ANY:
	case FDBROKER_UNIX:
		return 0;
	case FDBROKER_IPV4:
	case FDBROKER_CID:
		return 4;
	case FDBROKER_IPV6:
		return 16;
	default:
		return -1;
	}
}

static const char *check_endpoint(const struct fdbroker_endpoint *endpoint)
{
	int used = address_length(endpoint->family);

	if (used < 0)
		return "there is no such family of endpoints";
	if (endpoint->reserved != 0)
		return "a reserved field of an endpoint is not 0";
	if (!all_zero(endpoint->address + used, sizeof(endpoint->address) - (size_t)used))
		return "an endpoint has address bytes that its family does not use";
	if (endpoint->family != FDBROKER_IPV6 && (endpoint->scope != 0 || endpoint->flowinfo != 0))
		return "an endpoint that is not IPv6 has a scope or a flow label";
	if (endpoint->port > UINT16_MAX && endpoint->family != FDBROKER_CID)
		return "a port is larger than 65535";
	return NULL;
}

/* With a socket, which knows its protocol. */
static const char *check_address(const struct fdbroker_endpoint *endpoint)
{
	if (endpoint->protocol != 0)
		return "an endpoint names a protocol, and the socket has one";
	if (endpoint->family == FDBROKER_ANY)
		return "an endpoint without a family";
	return NULL;
}

static const char *check_bind(const struct fdbroker_request *request)
{
	bool is_unix = request->endpoint.family == FDBROKER_UNIX;

	if ((request->path.length > 0) != is_unix)
		return "a path without the family of unix sockets, or that without a path";
	if (is_unix && request->endpoint.port != 0)
		return "a unix socket with a port";
	return check_address(&request->endpoint);
}

static const char *check_connect(const struct fdbroker_request *request)
{
	if (request->endpoint.family == FDBROKER_UNIX)
		return "unix sockets are not connected by the broker";
	return check_address(&request->endpoint);
}

/* With a protocol, whose sockets the broker makes. */
static const char *check_protocol(const struct fdbroker_endpoint *endpoint)
{
	bool is_internet = endpoint->protocol == FDBROKER_TCP || endpoint->protocol == FDBROKER_UDP;

	if (!is_internet && endpoint->protocol != FDBROKER_VSOCK)
		return "there is no such protocol";
	if (endpoint->family == FDBROKER_UNIX)
		return "an endpoint of the family of unix sockets";
	if (endpoint->family != FDBROKER_ANY &&
		(endpoint->family == FDBROKER_CID) != (endpoint->protocol == FDBROKER_VSOCK))
		return "an endpoint whose family is not of its protocol";
	return NULL;
}

static const char *check_listen(const struct fdbroker_request *request)
{
	if (request->endpoint.family == FDBROKER_ANY &&
		request->endpoint.protocol == FDBROKER_VSOCK)
		return "a vsock endpoint without a context id";
	return check_protocol(&request->endpoint);
}

static const char *check_dial(const struct fdbroker_request *request)
{
	const struct fdbroker_endpoint *endpoint = &request->endpoint;

	if ((request->host.length > 0) != (endpoint->family == FDBROKER_ANY))
		return "neither an address nor a host, or both";
	if (request->service.length > 0 && endpoint->port != 0)
		return "both a port and a service";
	if ((request->host.length > 0 || request->service.length > 0) &&
		endpoint->protocol == FDBROKER_VSOCK)
		return "a vsock endpoint with a name";
	return check_protocol(endpoint);
}

static const char *check_nameinfo(const struct fdbroker_request *request)
{
	if (request->endpoint.family != FDBROKER_IPV4 && request->endpoint.family != FDBROKER_IPV6)
		return "the name of an address that is not of the Internet";
	return check_address(&request->endpoint);
}

static const char *check_tun(const struct fdbroker_request *request)
{
	return request->tun.is_tap == 0 || request->tun.is_tap == 1
		       ? NULL
		       : "neither a tun nor a tap device";
}

/* An int, or the name of a device. */
static const char *check_setsockopt(const struct fdbroker_request *request)
{
	bool is_device =
		request->option.level == SOL_SOCKET && request->option.name == SO_BINDTODEVICE;

	if (is_device && request->option.value != 0)
		return "a device with a number";
	return !is_device && request->name.length > 0 ? "an option that is no text, with one"
						      : NULL;
}

/*
 * What else must hold for an operation; returns NULL, or what is wrong with it. Not in the table
 * above, which writers need too: the shared library has nothing of this.
 */
static const char *(*const checks[FDBROKER_OPERATIONS_END])(
	const struct fdbroker_request *request) = {
	[FDBROKER_BIND] = check_bind,
	[FDBROKER_LISTEN] = check_listen,
	[FDBROKER_CONNECT] = check_connect,
	[FDBROKER_DIAL] = check_dial,
	[FDBROKER_TUN] = check_tun,
	[FDBROKER_SETSOCKOPT] = check_setsockopt,
	[FDBROKER_GETNAMEINFO] = check_nameinfo,
};

/* ---- reading ---- */

/* What is left to read of a request, or of data. */
struct reader {
	const unsigned char *bytes;
	size_t left;
};

static bool read_bytes(struct reader *reader, void *out, size_t length)
{
	if (reader->left < length)
		return false;
	memcpy(out, reader->bytes, length);
	reader->bytes += length;
	reader->left -= length;
	return true;
}

static bool read_text(struct reader *reader, size_t length, struct fdbroker_text *text)
{
	if (reader->left < length)
		return false;
	*text = (struct fdbroker_text){(const char *)reader->bytes, length};
	reader->bytes += length;
	reader->left -= length;
	return true;
}

static bool is_padding(const struct reader *reader)
{
	return reader->left < 4 && all_zero(reader->bytes, reader->left);
}

static const char *read_texts(const struct operation *operation, struct reader *reader,
	struct fdbroker_text texts[static FDBROKER_TEXTS_MAX])
{
	uint16_t lengths[FDBROKER_TEXTS_MAX];

	if (!read_bytes(reader, lengths, sizeof(lengths)))
		return "a request is too short";
	for (unsigned int i = 0; i < FDBROKER_TEXTS_MAX; i++) {
		if (lengths[i] < operation->texts[i].min || lengths[i] > operation->texts[i].max)
			return "a text is empty or too long";
		if (!read_text(reader, lengths[i], &texts[i]))
			return "a text is longer than its request";
		if (lengths[i] > 0 && memchr(texts[i].bytes, 0, lengths[i]) != NULL)
			return "a text contains a NUL";
	}
	return NULL;
}

/* Takes apart one request, whose header has been read; NULL, or what is wrong with it. */
static const char *decode_body(
	const struct operation *operation, struct reader reader, struct fdbroker_request *request)
{
	const char *wrong = NULL;

	if (!read_bytes(&reader, request->numbers, operation->numbers * sizeof(int32_t)))
		return "a request is too short";
	if (operation->has_endpoint) {
		if (!read_bytes(&reader, &request->endpoint, sizeof(request->endpoint)))
			return "a request is too short";
		wrong = check_endpoint(&request->endpoint);
	}
	if (wrong == NULL && has_texts(operation))
		wrong = read_texts(operation, &reader, request->texts);
	if (wrong == NULL && !is_padding(&reader))
		wrong = "the size of a request does not fit what it holds";
	if (wrong == NULL && checks[request->operation] != NULL)
		wrong = checks[request->operation](request);
	return wrong;
}

/* Takes the first request off the reader. */
static const char *decode_request(struct reader *reader, struct fdbroker_request *request)
{
	struct fdbroker_request_header header;
	struct reader body = *reader;

	if (!read_bytes(&body, &header, sizeof(header)))
		return "the packet holds fewer requests than it says";
	if (header.size < sizeof(header) || header.size > reader->left || header.size % 4 != 0)
		return "the size of a request is out of bounds";
	if (header.reserved != 0)
		return "a reserved field of a request is not 0";
	if (!is_operation(header.operation))
		return "an operation that this version does not have";

	body.left = header.size - sizeof(header);
	reader->bytes += header.size;
	reader->left -= header.size;
	memset(request, 0, sizeof(*request));
	request->operation = (enum fdbroker_operation)header.operation;
	return decode_body(&operations[header.operation], body, request);
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

static const char *decode_requests(
	struct reader reader, unsigned int count, struct fdbroker_request *requests)
{
	for (unsigned int i = 0; i < count; i++) {
		const char *wrong = decode_request(&reader, &requests[i]);

		if (wrong != NULL)
			return wrong;
		if (count > 1 && operations[requests[i].operation].traits.is_alone)
			return "a request that stands alone has company in its packet";
	}
	return reader.left == 0 ? NULL : "bytes are left over after the last request";
}

int fdbroker_packet_decode(const void *packet, size_t length, uint32_t *first_id,
	struct fdbroker_request requests[static FDBROKER_REQUESTS_MAX], const char **why)
{
	const unsigned char *bytes = packet;
	struct fdbroker_header header;

	*why = decode_header(bytes, length, FDBROKER_PACKET_REQUEST, &header);
	if (*why != NULL)
		return -EPROTO;
	*why = decode_requests((struct reader){bytes + sizeof(header), length - sizeof(header)},
		header.count, requests);
	if (*why != NULL)
		return -EPROTO;
	*first_id = header.id;
	return header.count;
}

static bool is_result_sound(const struct fdbroker_result *result)
{
	bool failed = result->error != 0;

	return result->error >= 0 && result->error <= ERRNO_MAX && result->data_length % 4 == 0 &&
	       (!failed || result->data_length == 0) &&
	       result->has_descriptor <= (failed ? 0 : 1) && (result->reason != 0) == failed;
}

int fdbroker_reply_decode(const void *packet, size_t length,
	struct fdbroker_result results[static FDBROKER_REQUESTS_MAX], const unsigned char **data)
{
	const unsigned char *bytes = packet;
	struct fdbroker_header header;

	if (decode_header(bytes, length, FDBROKER_PACKET_REPLY, &header) != NULL || header.id != 0)
		return -EPROTO;
	struct reader reader = {bytes + sizeof(header), length - sizeof(header)};
	size_t data_length = 0;
	if (!read_bytes(&reader, results, header.count * sizeof(results[0])))
		return -EPROTO;
	for (unsigned int i = 0; i < header.count; i++) {
		if (!is_result_sound(&results[i]))
			return -EPROTO;
		data_length += results[i].data_length;
	}
	if (reader.left != data_length)
		return -EPROTO;
	*data = reader.bytes;
	return header.count;
}

static bool is_address_sound(const struct fdbroker_address *address)
{
	const struct fdbroker_endpoint *endpoint = &address->endpoint;

	return endpoint->protocol == 0 && check_endpoint(endpoint) == NULL &&
	       (endpoint->family == FDBROKER_IPV4 || endpoint->family == FDBROKER_IPV6);
}

int fdbroker_names_decode(const void *data, size_t length, struct fdbroker_answer *answer)
{
	struct reader reader = {data, length};
	struct fdbroker_names names;

	if (!read_bytes(&reader, &names, sizeof(names)) || names.reserved != 0 ||
		names.address_count > FDBROKER_ADDRESSES_MAX ||
		names.name_length > FDBROKER_NAME_MAX ||
		names.service_length > FDBROKER_SERVICE_NAME_MAX || names.error < 0 ||
		names.error > ERRNO_MAX)
		return -EPROTO;
	answer->code = names.code;
	answer->error = names.error;
	answer->number = names.number;
	answer->address_count = names.address_count;
	if (!read_bytes(&reader, answer->addresses,
		    names.address_count * sizeof(answer->addresses[0])) ||
		!read_text(&reader, names.name_length, &answer->name) ||
		!read_text(&reader, names.service_length, &answer->service) || !is_padding(&reader))
		return -EPROTO;
	for (unsigned int i = 0; i < answer->address_count; i++) {
		if (!is_address_sound(&answer->addresses[i]))
			return -EPROTO;
	}
	if (memchr(answer->name.bytes, 0, answer->name.length + answer->service.length) != NULL)
		return -EPROTO;
	return 0;
}

int fdbroker_text_decode(const void *data, size_t length, struct fdbroker_text *text)
{
	struct reader reader = {data, length};
	uint32_t text_length;

	if (!read_bytes(&reader, &text_length, sizeof(text_length)) ||
		!read_text(&reader, text_length, text) || !is_padding(&reader) ||
		memchr(text->bytes, 0, text_length) != NULL)
		return -EPROTO;
	return 0;
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

static unsigned char *write_bytes(unsigned char *at, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(at, bytes, length);
	return at + length;
}

/* Whether the one request that the packet holds wants to stay alone. */
static bool holds_lone_request(const struct fdbroker_packet *packet)
{
	struct fdbroker_request_header first;

	memcpy(&first, packet->bytes + sizeof(struct fdbroker_header), sizeof(first));
	return operations[first.operation].traits.is_alone;
}

static bool texts_fit(const struct operation *operation, const struct fdbroker_request *request)
{
	for (unsigned int i = 0; i < FDBROKER_TEXTS_MAX; i++) {
		if (request->texts[i].length < operation->texts[i].min ||
			request->texts[i].length > operation->texts[i].max)
			return false;
	}
	return true;
}

bool fdbroker_packet_add_request(
	struct fdbroker_packet *packet, const struct fdbroker_request *request)
{
	const struct operation *operation = &operations[request->operation];
	size_t numbers = operation->numbers * sizeof(int32_t), length;
	uint16_t lengths[FDBROKER_TEXTS_MAX];

	if (!texts_fit(operation, request) ||
		(fdbroker_packet_count(packet) > 0 &&
			(operation->traits.is_alone || holds_lone_request(packet))))
		return false;
	length = sizeof(struct fdbroker_request_header) + numbers;
	length += operation->has_endpoint ? sizeof(request->endpoint) : 0;
	length += has_texts(operation) ? sizeof(lengths) : 0;
	length += request->texts[0].length + request->texts[1].length;
	unsigned char *piece = packet_extend(packet, pad_to_4(length));
	if (piece == NULL)
		return false;

	struct fdbroker_request_header header = {
		.size = (uint16_t)pad_to_4(length), .operation = (uint8_t)request->operation};
	unsigned char *at = write_bytes(piece, &header, sizeof(header));
	at = write_bytes(at, request->numbers, numbers);
	if (operation->has_endpoint)
		at = write_bytes(at, &request->endpoint, sizeof(request->endpoint));
	for (unsigned int i = 0; i < FDBROKER_TEXTS_MAX; i++)
		lengths[i] = (uint16_t)request->texts[i].length;
	if (has_texts(operation))
		at = write_bytes(at, lengths, sizeof(lengths));
	for (unsigned int i = 0; i < FDBROKER_TEXTS_MAX; i++)
		at = write_bytes(at, request->texts[i].bytes, request->texts[i].length);
	memset(at, 0, pad_to_4(length) - length);
	return true;
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

bool fdbroker_packet_add_data(struct fdbroker_packet *packet, const void *data, size_t length)
{
	if (length > FDBROKER_REPLY_MAX - packet->length)
		return false;
	write_bytes(packet->bytes + packet->length, data, length);
	packet->length += length;
	return true;
}

size_t fdbroker_names_encode(
	unsigned char data[static FDBROKER_DATA_MAX], const struct fdbroker_answer *answer)
{
	struct fdbroker_names names = {
		.code = answer->code,
		.error = answer->error,
		.number = answer->number,
		.address_count = (uint16_t)(answer->address_count < FDBROKER_ADDRESSES_MAX
						    ? answer->address_count
						    : FDBROKER_ADDRESSES_MAX),
		.name_length =
			(uint16_t)(answer->name.length <= FDBROKER_NAME_MAX ? answer->name.length
									    : 0),
		.service_length = (uint16_t)(answer->service.length <= FDBROKER_SERVICE_NAME_MAX
						     ? answer->service.length
						     : 0),
	};
	unsigned char *at = write_bytes(data, &names, sizeof(names));

	at = write_bytes(at, answer->addresses, names.address_count * sizeof(answer->addresses[0]));
	at = write_bytes(at, answer->name.bytes, names.name_length);
	at = write_bytes(at, answer->service.bytes, names.service_length);
	size_t length = (size_t)(at - data);
	memset(at, 0, pad_to_4(length) - length);
	return pad_to_4(length);
}

size_t fdbroker_text_encode(
	unsigned char data[static FDBROKER_DATA_MAX], const struct fdbroker_text *text)
{
	uint32_t text_length = (uint32_t)text->length;
	size_t length = sizeof(text_length) + text->length;
	unsigned char *at = write_bytes(data, &text_length, sizeof(text_length));

	at = write_bytes(at, text->bytes, text->length);
	memset(at, 0, pad_to_4(length) - length);
	return pad_to_4(length);
}
