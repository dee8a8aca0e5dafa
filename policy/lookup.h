/* SPDX-License-Identifier: MIT */
/*
 * The one hash table of an image: from (owner, bytes) to a number. The compiler fills the very
 * arrays that the image holds.
 */
#pragma once

#include "image.h"
#include "set.h"

#define LOOKUP_NONE UINT32_MAX

/* What the bytes of a key are; a key's owner is a kind and a number. */
enum owner_kind {
	OWNER_LITERAL = 1, /* of a node; the bytes are a name, the value the child */
	OWNER_PREFIX,      /* of a node; the bytes begin the names, the value is the first glob */
	OWNER_GLOB,        /* of a node; only while compiling: a program, the value is the child */
	OWNER_ENDPOINT,    /* the value is a terminal */
};
#define OWNER(kind, number) ((uint64_t)(kind) << 32 | (number))

struct lookup {
	const uint32_t *slots; /* number of a key plus one; 0: free */
	uint32_t slot_count;   /* a power of two, or 0 */
	const struct image_key *keys;
	const uint8_t *bytes;
};

struct lookup lookup_of(const struct policy_image *image);

/* The hash of bytes, which can be extended; hashes of several owners begin with the same one. */
#define LOOKUP_HASH_EMPTY UINT64_C(0xcbf29ce484222325)
uint64_t lookup_hash(uint64_t hash, const void *bytes, size_t length);

/* `hash` is that of the bytes. LOOKUP_NONE: no such key. */
uint32_t lookup_find(const struct lookup *lookup, uint64_t owner, uint64_t hash, const void *bytes,
	size_t length);

/* ---- while compiling ---- */

struct byte_pool {
	uint8_t *items;
	uint32_t count, capacity;
};

/* The offset of a copy of the bytes, or NONE: out of memory, or out of 32 bits. */
uint32_t pool_add(struct byte_pool *pool, const void *bytes, size_t length);

struct lookup_table {
	LIST(struct image_key) keys;
	uint32_t *slots;
	uint32_t slot_count;
};

uint32_t lookup_table_find(const struct lookup_table *table, const struct byte_pool *pool,
	uint64_t owner, const void *bytes, size_t length);

/* Adds a key that is not there, or replaces its value. False: out of memory. */
bool lookup_table_put(struct lookup_table *table, struct byte_pool *pool, uint64_t owner,
	const void *bytes, size_t length, uint32_t value);

void lookup_table_free(struct lookup_table *table);

/* ---- endpoints as keys ---- */

/*
 * Whether the kernel looks at the scope of an IPv6 address at all: of link-local ones, and of
 * multicast ones that do not leave the interface or the link (RFC 4007; __ipv6_addr_needs_scope_id()
 * in include/net/ipv6.h). What comes with any other is noise.
 */
bool ipv6_has_scope(const uint8_t address[static 16]);

/* A prefix length that stands for "any address of the family at all" (deny only). */
#define PREFIX_ANY_ADDRESS 255u
/* An interface that stands for "on some interface" (deny only). */
#define INTERFACE_SOME UINT32_MAX

struct endpoint_place {
	uint8_t effect, kind;
	uint8_t family; /* enum place_family or policy_family */
	uint8_t prefix;
	uint8_t level;   /* 2^level numbers, 0 to 32 */
	uint32_t number; /* any of them */
	uint8_t address[16];
	uint32_t interface;
	const char *name; /* NAME, LABEL; at most POLICY_HOST_MAX bytes */
	uint32_t name_length;
};

#define ENDPOINT_KEY_FIXED 8u /* the number and the interface */

struct endpoint_key {
	uint64_t owner;
	uint32_t length;
	uint8_t bytes[ENDPOINT_KEY_FIXED + POLICY_HOST_MAX];
};

/* Bits of the address below the prefix, and of the number below the level, do not count. */
void endpoint_key_make(struct endpoint_key *key, const struct endpoint_place *place);
