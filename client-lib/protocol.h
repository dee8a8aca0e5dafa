/* SPDX-License-Identifier: MIT */
/*
 * The wire protocol between libfdbroker and fdbrokerd: what fdbroker-protocol(7) describes, as
 * structures, and the checks that both sides make. No system calls here, so that it fuzzes at full
 * speed; descriptors travel beside the bytes (SCM_RIGHTS) and are the business of who sends them.
 *
 * AF_UNIX SOCK_SEQPACKET, all numbers in host byte order (both ends are one machine).
 *
 *	request packet:	header, then `count` requests one after the other
 *	reply packet:	header, then `count` results; the descriptors of those that have one ride
 *			along in the same order
 *
 * The requests of a packet have the ids header.id, header.id + 1, ... A packet is served as a
 * whole before the next one of its connection is looked at, but its results may come in several
 * reply packets and in any order. After a crash of the broker's worker a request may be answered
 * a second time; whoever receives drops results with an id that it is not waiting for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDBROKER_PROTOCOL_MAGIC 0x4266u /* "fB" */
#define FDBROKER_PROTOCOL_VERSION 1u

/* A packet larger than this ends the connection. 8 KiB hold any single request. */
#define FDBROKER_PACKET_MAX 32768u
/* Requests in a packet; also the most descriptors in a reply (the kernel's SCM_MAX_FD is 253). */
#define FDBROKER_REQUESTS_MAX 64u
/* Bytes of a path, without the NUL that it does not carry: PATH_MAX - 1. */
#define FDBROKER_PATH_MAX 4095u

enum fdbroker_packet_type {
	FDBROKER_PACKET_REQUEST = 1,
	FDBROKER_PACKET_REPLY = 2,
};

struct fdbroker_header {
	uint16_t magic;
	uint8_t version;
	uint8_t type;      /* enum fdbroker_packet_type */
	uint16_t count;    /* of requests or results, 1 to FDBROKER_REQUESTS_MAX */
	uint16_t reserved; /* 0 */
	uint32_t id;       /* of the first request; in a reply 0 */
};

enum fdbroker_operation {
	FDBROKER_OPEN = 1,   /* flags; path */
	FDBROKER_BIND = 2,   /* endpoint; the packet holds this request alone, and one descriptor */
	FDBROKER_LISTEN = 3, /* endpoint, backlog (ignored for UDP); a new socket comes back */
};

enum fdbroker_protocol { FDBROKER_TCP = 1, FDBROKER_UDP = 2 };

/* An Internet endpoint. Unused bytes are 0. */
struct fdbroker_endpoint {
	uint8_t protocol;  /* enum fdbroker_protocol; ignored for BIND, where the socket knows */
	uint8_t family;    /* 4 or 6; in LISTEN also 0: every address of both families */
	uint16_t port;     /* host byte order */
	uint32_t scope;    /* interface index of a link-local address (sin6_scope_id) */
	uint32_t flowinfo; /* sin6_flowinfo, network byte order as in struct sockaddr_in6 */
	uint8_t address[16];
};

/* Every request begins with this; size covers it, what follows, and padding to 4 bytes. */
struct fdbroker_request_header {
	uint16_t size;
	uint8_t operation; /* enum fdbroker_operation */
	uint8_t reserved;  /* 0 */
};

struct fdbroker_open_body {
	struct fdbroker_request_header header;
	uint32_t flags; /* open(2) */
	uint16_t path_length;
	uint16_t reserved; /* 0 */
			   /* path bytes, then 0 to 3 zero bytes of padding */
};

struct fdbroker_endpoint_body {
	struct fdbroker_request_header header;
	struct fdbroker_endpoint endpoint;
	int32_t backlog;
};

struct fdbroker_result {
	uint32_t id;
	int32_t error;  /* 0 or a positive errno */
	uint8_t reason; /* enum fdbroker_reason (fdbroker.h); 0 exactly if error is 0 */
	uint8_t has_descriptor;
	uint16_t reserved; /* 0 */
};

/* ---- reading ---- */

/* One request, taken apart. path points into the packet and is not NUL-terminated. */
struct fdbroker_request {
	enum fdbroker_operation operation;
	uint32_t flags;
	const char *path;
	size_t path_length;
	struct fdbroker_endpoint endpoint;
	int backlog;
};

/*
 * Checks a whole packet and takes it apart. Returns the number of requests (at least 1), or
 * -EPROTO with *why set to a static sentence when it is anything but a well-formed request packet
 * of this version: bounds, sizes, zero padding, no byte left over, no NUL in a path, at most one
 * request when it is a BIND.
 */
int fdbroker_packet_decode(const void *packet, size_t length, uint32_t *first_id,
	struct fdbroker_request requests[static FDBROKER_REQUESTS_MAX], const char **why);

/* The same for a reply packet. Returns the number of results, or -EPROTO. */
int fdbroker_reply_decode(const void *packet, size_t length,
	struct fdbroker_result results[static FDBROKER_REQUESTS_MAX]);

/* Which requests of this operation need a descriptor to come along. */
bool fdbroker_operation_takes_descriptor(enum fdbroker_operation operation);

/* ---- writing ---- */

/* The largest reply packet: a header and FDBROKER_REQUESTS_MAX results. */
#define FDBROKER_REPLY_MAX                                                                         \
	(sizeof(struct fdbroker_header) + FDBROKER_REQUESTS_MAX * sizeof(struct fdbroker_result))

/*
 * A packet being put together in the caller's buffer of FDBROKER_PACKET_MAX bytes, or
 * FDBROKER_REPLY_MAX for a reply.
 */
struct fdbroker_packet {
	unsigned char *bytes;
	size_t length;
};

void fdbroker_packet_begin(struct fdbroker_packet *packet, unsigned char *buffer,
	enum fdbroker_packet_type type, uint32_t first_id);
/* Adds one more. Returns false, and adds nothing, when the packet has no room for it. */
bool fdbroker_packet_add_request(
	struct fdbroker_packet *packet, const struct fdbroker_request *request);
bool fdbroker_packet_add_result(
	struct fdbroker_packet *packet, const struct fdbroker_result *result);
unsigned int fdbroker_packet_count(const struct fdbroker_packet *packet);
