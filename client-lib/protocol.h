/* SPDX-License-Identifier: MIT */
/*
 * The wire protocol between libfdbroker and fdbrokerd: what fdbroker-protocol(7) describes, as
 * structures, and the checks that both sides make. No system calls here, so that it fuzzes at full
 * speed; descriptors travel beside the bytes (SCM_RIGHTS) and are the business of who sends them.
 *
 * AF_UNIX SOCK_SEQPACKET, all numbers in host byte order (both ends are one machine).
 *
 *	request packet:	header, then `count` requests one after the other
 *	request:	header, numbers, endpoint, lengths of texts, texts, padding to 4 bytes;
 *			which of them there are is a matter of the operation
 *	reply packet:	header, then `count` results; then the data of those that have some, and
 *			beside it the descriptors of those that have one, both in the same order
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

/* A packet larger than this ends the connection. 8 KiB hold any request but RENAME, 9 KiB that. */
#define FDBROKER_PACKET_MAX 32768u
/* Requests in a packet; also the most descriptors in a reply (the kernel's SCM_MAX_FD is 253). */
#define FDBROKER_REQUESTS_MAX 64u
/* Bytes of a path, without the NUL that it does not carry: PATH_MAX - 1. */
#define FDBROKER_PATH_MAX 4095u
/* Bytes of the limits of a connection: of one LIMIT, and of all of them together. */
#define FDBROKER_LIMITS_MAX 4000u
/* Bytes of the path of a unix socket: sizeof(sun_path) - 1, unix(7). */
#define FDBROKER_UNIX_PATH_MAX 107u
/* Bytes of a host name, of the name of a service or protocol, of an interface (IFNAMSIZ - 1). */
#define FDBROKER_HOST_MAX 253u
#define FDBROKER_SERVICE_MAX 63u
#define FDBROKER_INTERFACE_MAX 15u

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

/*
 * What can be asked: the numbers, the endpoint and the texts of a request in the order in which
 * they travel, and what comes back on success beside the result.
 */
enum fdbroker_operation {
	/* flags (open(2)); path. Gives a descriptor. */
	FDBROKER_OPEN = 1,
	/* Endpoint; for a unix socket its path, else an empty text. Takes a descriptor. */
	FDBROKER_BIND = 2,
	/* backlog (ignored for UDP); endpoint. Gives a descriptor. */
	FDBROKER_LISTEN = 3,
	/* Endpoint. Takes a descriptor. Its connecting may go on: EINPROGRESS, as connect(2). */
	FDBROKER_CONNECT = 4,
	/* Endpoint; host, service. With a host the endpoint has no address (family 0), with a
	   service it has no port. Gives a descriptor. */
	FDBROKER_DIAL = 5,
	/* domain, type, protocol (socket(2)). Gives a descriptor. */
	FDBROKER_SOCKET = 6,
	/* flags (FDBROKER_TUN_... of fdbroker.h), 1 for a tap device; name, which may be empty.
	   Gives a descriptor. */
	FDBROKER_TUN = 7,
	/* level, name, value; for SO_BINDTODEVICE the device as text, else empty. Takes a
	   descriptor. */
	FDBROKER_SETSOCKOPT = 8,
	/* ai_flags, ai_family, ai_socktype, ai_protocol; node, service (empty: none). Gives
	   struct fdbroker_names. */
	FDBROKER_GETADDRINFO = 9,
	/* flags (NI_...); endpoint with an address. Gives struct fdbroker_names. */
	FDBROKER_GETNAMEINFO = 10,
	/* Name of a protocol. Gives struct fdbroker_names. */
	FDBROKER_GETPROTOBYNAME = 11,

	/* What follows is about a path. Its flags are of open(2): O_DIRECTORY, where the path ended
	   in a slash, and O_NOFOLLOW, for a link at the end itself. */

	/* flags; path. Gives struct fdbroker_status. */
	FDBROKER_STAT = 12,
	/* flags (O_DIRECTORY), mode (access(2)); path. */
	FDBROKER_ACCESS = 13,
	/* flags (O_DIRECTORY); path. Gives a text. */
	FDBROKER_READLINK = 14,
	/* Path. */
	FDBROKER_MKDIR = 15,
	/* flags (O_DIRECTORY); path. */
	FDBROKER_UNLINK = 16,
	/* Path. */
	FDBROKER_RMDIR = 17,
	/* flags (O_DIRECTORY, if either path ended in a slash); path, new path. */
	FDBROKER_RENAME = 18,
	/* Path. Takes a memfd, which comes to hold the names, each ended by a NUL. */
	FDBROKER_LIST = 19,
	/* flags (O_DIRECTORY), mask (inotify(7)); path. Takes an inotify descriptor, gives a
	   number. */
	FDBROKER_WATCH = 20,
	/* flags (O_DIRECTORY, O_NOFOLLOW); path. Takes a memfd, which comes to hold the file. */
	FDBROKER_COPY = 21,

	/* A set of limits: lines of verbs, a blank, an object, and a newline. */
	FDBROKER_LIMIT = 22,
	/* Nothing. Gives a descriptor: another connection. */
	FDBROKER_CLONE = 23,
	/* Nothing. Takes a memfd, which comes to hold what the client may have, as text. */
	FDBROKER_GRANTS = 24,

	FDBROKER_OPERATIONS_END,
};

enum fdbroker_protocol { FDBROKER_TCP = 1, FDBROKER_UDP = 2, FDBROKER_VSOCK = 3 };

enum fdbroker_family {
	FDBROKER_ANY = 0,  /* LISTEN: every address of both families. DIAL: there is a host */
	FDBROKER_UNIX = 1, /* BIND: there is a path */
	FDBROKER_IPV4 = 4,
	FDBROKER_IPV6 = 6,
	FDBROKER_CID = 40, /* a context id, vsock(7) */
};

/* Where to. Unused bytes are 0. */
struct fdbroker_endpoint {
	uint8_t protocol;  /* enum fdbroker_protocol; 0 where a socket comes along, which knows */
	uint8_t family;    /* enum fdbroker_family */
	uint16_t reserved; /* 0 */
	uint32_t port;     /* host byte order; up to 65535 but for vsock */
	uint32_t scope;    /* interface index of a link-local address (sin6_scope_id) */
	uint32_t flowinfo; /* sin6_flowinfo, network byte order as in struct sockaddr_in6 */
	/* network byte order, IPv4 and context ids (host byte order) in the first four bytes */
	uint8_t address[16];
};

/* Every request begins with this; size covers it, what follows, and padding to 4 bytes. */
struct fdbroker_request_header {
	uint16_t size;
	uint8_t operation; /* enum fdbroker_operation */
	uint8_t reserved;  /* 0 */
};

#define FDBROKER_NUMBERS_MAX 4u
#define FDBROKER_TEXTS_MAX 2u

/*
 * After the header: int32_t for each number; struct fdbroker_endpoint, if the operation has one;
 * two uint16_t lengths, if it has any text (the second 0 if it has one); the texts, one directly
 * after the other; 0 to 3 zero bytes.
 */

struct fdbroker_result {
	uint32_t id;
	int32_t error;  /* 0 or a positive errno */
	uint8_t reason; /* enum fdbroker_reason (fdbroker.h); 0 exactly if error is 0 */
	uint8_t has_descriptor;
	uint16_t data_length; /* bytes after the results that are this one's; a multiple of 4 */
};

/*
 * What data is: struct fdbroker_names, struct fdbroker_status; a number (int32_t); or a text: its
 * length (uint32_t), its bytes, and 0 to 3 zero bytes.
 */

/* What stat(2) says; times in seconds and nanoseconds. */
struct fdbroker_status {
	uint64_t ino, size, blocks; /* blocks of 512 bytes */
	uint32_t dev_major, dev_minor;
	uint32_t rdev_major, rdev_minor;
	uint32_t mode, nlink, uid, gid;
	int64_t atime, mtime, ctime;
	uint32_t atime_nsec, mtime_nsec, ctime_nsec;
	uint32_t blksize;
};

/* Bytes of data in one reply. */
#define FDBROKER_DATA_MAX 8192u
/* Addresses in one answer of the name service; what is more is cut off. */
#define FDBROKER_ADDRESSES_MAX 128u
/* Bytes of the names in one: NI_MAXHOST - 1, NI_MAXSERV - 1. */
#define FDBROKER_NAME_MAX 1024u
#define FDBROKER_SERVICE_NAME_MAX 31u

/*
 * What the name service said: this, then address_count struct fdbroker_address, then the name and
 * the service, then 0 to 3 zero bytes.
 */
struct fdbroker_names {
	int32_t code;           /* 0 or one of EAI_... of <netdb.h>; then the rest is 0 */
	int32_t error;          /* EAI_SYSTEM: a positive errno */
	int32_t number;         /* GETPROTOBYNAME: of the protocol */
	uint16_t address_count; /* GETADDRINFO */
	uint16_t name_length;   /* GETADDRINFO: canonical name. GETNAMEINFO: host */
	uint16_t service_length;
	uint16_t reserved; /* 0 */
};

struct fdbroker_address {
	int32_t socktype, protocol;        /* as in struct addrinfo */
	struct fdbroker_endpoint endpoint; /* protocol 0; family 4 or 6 */
};

/* ---- reading ---- */

/* Bytes of a packet; not NUL-terminated. */
struct fdbroker_text {
	const char *bytes;
	size_t length;
};

/* One request, taken apart. The texts point into the packet. */
struct fdbroker_request {
	enum fdbroker_operation operation;
	union {
		int32_t numbers[FDBROKER_NUMBERS_MAX];
		struct {
			uint32_t flags;
		} open;
		struct {
			int32_t backlog;
		} listen;
		struct {
			int32_t domain, type, protocol;
		} socket;
		struct {
			uint32_t flags;
			int32_t is_tap;
		} tun;
		struct {
			int32_t level, name, value;
		} option;
		struct {
			int32_t flags, family, socktype, protocol;
		} addrinfo;
		struct {
			int32_t flags;
		} nameinfo;
		struct {
			uint32_t flags;
			int32_t mode; /* ACCESS */
		} find;               /* STAT, ACCESS, READLINK, UNLINK, RENAME, COPY */
		struct {
			uint32_t flags, mask;
		} watch;
	};
	struct fdbroker_endpoint endpoint;
	union {
		struct fdbroker_text texts[FDBROKER_TEXTS_MAX];
		struct {
			struct fdbroker_text path, new_path; /* OPEN, BIND, STAT to COPY */
		};
		struct fdbroker_text name; /* TUN, SETSOCKOPT, GETPROTOBYNAME */
		struct {
			struct fdbroker_text host, service; /* DIAL, GETADDRINFO */
		};
		struct fdbroker_text limits; /* LIMIT */
	};
};

/*
 * Checks a whole packet and takes it apart. Returns the number of requests (at least 1), or
 * -EPROTO with *why set to a static sentence when it is anything but a well-formed request packet
 * of this version: bounds, sizes, zero padding, no byte left over, no NUL in a text, at most one
 * request when it is one that stands alone.
 */
int fdbroker_packet_decode(const void *packet, size_t length, uint32_t *first_id,
	struct fdbroker_request requests[static FDBROKER_REQUESTS_MAX], const char **why);

/*
 * The same for a reply packet. Returns the number of results, or -EPROTO. *data becomes where the
 * data of the first result begins that has some; the others' follow it.
 */
int fdbroker_reply_decode(const void *packet, size_t length,
	struct fdbroker_result results[static FDBROKER_REQUESTS_MAX], const unsigned char **data);

/* What an operation is like. */
struct fdbroker_traits {
	bool takes_descriptor;
	bool gives_descriptor; /* on success */
	bool gives_data;       /* on success */
	bool is_alone;      /* in its packet: it takes a descriptor, gives data or may take long */
	bool is_repeatable; /* nothing remains of it where it was not finished */
	bool has_paths;     /* its texts are paths */
};
/* operation is one of enum fdbroker_operation. */
const struct fdbroker_traits *fdbroker_operation_traits(enum fdbroker_operation operation);

/*
 * So many descriptors came with the packet of which this is the first request. NULL, or a static
 * sentence when they are not as many as it takes.
 */
const char *fdbroker_descriptors_wrong(
	const struct fdbroker_request *first, unsigned int descriptors);

/* An answer of the name service, taken apart. The texts point into the data. */
struct fdbroker_answer {
	int32_t code, error, number;
	unsigned int address_count;
	struct fdbroker_address addresses[FDBROKER_ADDRESSES_MAX];
	struct fdbroker_text name, service;
};
/* Returns 0, or -EPROTO: the data is not a well-formed struct fdbroker_names. */
int fdbroker_names_decode(const void *data, size_t length, struct fdbroker_answer *answer);

/* A text, which points into the data. Returns 0, or -EPROTO: the data is not a well-formed text. */
int fdbroker_text_decode(const void *data, size_t length, struct fdbroker_text *text);

/* ---- writing ---- */

/* The largest reply packet. */
#define FDBROKER_REPLY_MAX                                                                         \
	(sizeof(struct fdbroker_header) + FDBROKER_REQUESTS_MAX * sizeof(struct fdbroker_result) + \
		FDBROKER_DATA_MAX)

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
/* Adds data of a result, after all results; length is a multiple of 4. */
bool fdbroker_packet_add_data(struct fdbroker_packet *packet, const void *data, size_t length);
unsigned int fdbroker_packet_count(const struct fdbroker_packet *packet);

/*
 * Writes an answer of the name service as data. What does not fit the bounds is cut off (addresses)
 * or left out (names). Returns the length, a multiple of 4 and at most FDBROKER_DATA_MAX.
 */
size_t fdbroker_names_encode(
	unsigned char data[static FDBROKER_DATA_MAX], const struct fdbroker_answer *answer);

/* Writes a text as data; its length is at most FDBROKER_PATH_MAX. The same length. */
size_t fdbroker_text_encode(
	unsigned char data[static FDBROKER_DATA_MAX], const struct fdbroker_text *text);
