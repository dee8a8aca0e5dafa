/* SPDX-License-Identifier: MIT */
/*
 * The compiled policy: tables that refer to each other by index and to texts by offset, so that
 * the bytes mean the same wherever they are mapped. Whoever reads them trusts them: they come from
 * the compiler by way of sealed memory.
 *
 * Paths are a tree by component, one for allow and one for deny; those of credentials are another
 * for each name. A literal child is found through
 * the hash table by (node, name), a child with wildcards by (node, the bytes it begins with).
 * Endpoints are in the same table: a range of numbers is split into aligned powers of two and an
 * address is kept with its prefix, so that an exact lookup for each length in use finds them. Names
 * are looked up as they are, and once more without their first label for `*.x`.
 * Both lead to a terminal, whose rules are sorted; a peer's blocks pick theirs by binary search.
 */
#pragma once

#include "policy.h"

#include <string.h>

#define IMAGE_MAGIC "fdbrokP"
#define IMAGE_VERSION 7u
#define IMAGE_ALIGNMENT 16u

/* No limit of any kind. */
#define QUOTA_NONE ((struct policy_quota){UINT32_MAX, UINT32_MAX, UINT32_MAX})

enum effect { EFFECT_ALLOW, EFFECT_DENY, EFFECT_COUNT };

/* Node 0 means "none"; these are always there. */
#define NODE_ROOT(effect) (1u + (uint32_t)(effect))
#define NODE_HOME(effect) (3u + (uint32_t)(effect))
/* Their children are the names of credentials; below each, its paths begin as they do above. */
#define NODE_CREDENTIAL(effect) (5u + (uint32_t)(effect))
#define NODE_CREDENTIAL_HOME(effect) (7u + (uint32_t)(effect))
#define NODE_FIRST_FREE 9u

struct image_block {
	uint32_t name;
	uint32_t file; /* the name's offset in the bytes */
	uint32_t first_from, from_count;
	uint32_t first_rule, rule_count;
	uint32_t is_only;
	uint32_t grants_length; /* of what grants.c writes of it */
	struct policy_quota quota;
	uint32_t first_allow[POLICY_VERB_COUNT]; /* a rule, or POLICY_NO_RULE */
	/* enum policy_log, of all rules that allow it; a multiple of four, to leave no gap */
	uint8_t allow_log[(POLICY_VERB_COUNT + 3) / 4 * 4];
};

struct image_from {
	uint32_t first_condition, condition_count;
};

enum condition_kind { CONDITION_ANYONE, CONDITION_USER, CONDITION_GROUP, CONDITION_UNIT };

struct image_condition {
	uint32_t kind; /* enum condition_kind */
	uint32_t first, last;
	uint32_t glob, glob_length; /* a program; see pattern.h */
	uint32_t is_literal;        /* the glob is the name itself */
};

struct image_rule {
	uint32_t block, line;
	uint32_t text;  /* as written, its offset in the bytes */
	uint32_t verbs; /* with what they imply */
	uint32_t mode, directory_mode, uid, gid;
	uint32_t device; /* its name's offset in the bytes; 0: none */
	uint32_t as_user, copy_max;
	uint8_t types, symlinks, log, with, netns, as;
	uint8_t effect;
	uint8_t reserved;
};

struct image_user {
	uint32_t uid, gid;
	uint32_t first_group, group_count;
};

struct image_node {
	uint32_t star;     /* the child `*` */
	uint32_t deep;     /* the child `**` */
	uint32_t terminal; /* plus one; 0: no pattern ends here */
	uint16_t prefix_max;
	uint16_t has_globs;
};

/* A child with wildcards; those that begin with the same bytes are a chain. */
struct image_glob {
	uint32_t next; /* plus one */
	uint32_t node;
	uint32_t program, program_length;
};

struct image_terminal {
	uint32_t first_entry, entry_count; /* rules, ascending */
	uint32_t ranks, rank_count;        /* bytes of enum component_rank, without those of %h */
	uint32_t is_home;                  /* %h comes first */
};

struct image_key {
	uint64_t owner;
	uint32_t hash;
	uint32_t bytes, length;
	uint32_t value;
};

enum image_table {
	TABLE_BYTES,
	TABLE_BLOCKS,
	TABLE_FROMS,
	TABLE_CONDITIONS,
	TABLE_RULES,
	TABLE_USERS,
	TABLE_GROUPS, /* of the users */
	TABLE_NODES,
	TABLE_GLOBS,
	TABLE_TERMINALS,
	TABLE_ENTRIES,
	TABLE_KEYS,
	TABLE_SLOTS,
	TABLE_COUNT,
};

struct image_section {
	uint64_t offset;
	uint64_t count;
};

/*
 * What an endpoint of a rule has beside its number: an address of enum policy_family or one of
 * these.
 */
enum place_family {
	PLACE_ANY = 0,       /* `*`, or nothing but the number */
	PLACE_NAME = 2,      /* this name */
	PLACE_LABEL = 3,     /* `*.x`: one label before this name */
	PLACE_SOME_NAME = 5, /* some name or other (deny only) */
};

/* Which lengths occur among the endpoints, so that only these are looked up. */
struct image_endpoints {
	uint64_t levels;        /* a bit for each power of two of a range of numbers, 0 to 32 */
	uint32_t families;      /* a bit for each place_family and policy_family */
	uint32_t has_interface; /* [...%IF] */
	uint64_t prefixes4[1], prefixes6[3]; /* a bit for each length of a prefix; 4: ids too */
};

struct policy_image {
	char magic[8];
	uint32_t version;
	uint32_t first_deny; /* some deny rule, or POLICY_NO_RULE */
	uint64_t size;
	uint32_t allowed_verbs, own_verbs, allowed_kinds;
	uint8_t needs_owner, needs_low_port, needs_user_name, needs_unit;
	uint8_t needs_with, needs_device, needs_unix_path, needs_copy;
	uint8_t needs_as, needs_as_peer;
	uint8_t reserved[6];
	struct image_endpoints endpoints[EFFECT_COUNT][POLICY_KIND_COUNT];
	struct image_section sections[TABLE_COUNT];
};

#define IMAGE_TABLE(name, type, table)                                                             \
	static inline const type *image_##name(const struct policy_image *image)                   \
	{                                                                                          \
		return (const void *)((const char *)image + image->sections[table].offset);        \
	}

IMAGE_TABLE(bytes, uint8_t, TABLE_BYTES)
IMAGE_TABLE(blocks, struct image_block, TABLE_BLOCKS)
IMAGE_TABLE(froms, struct image_from, TABLE_FROMS)
IMAGE_TABLE(conditions, struct image_condition, TABLE_CONDITIONS)
IMAGE_TABLE(rules, struct image_rule, TABLE_RULES)
IMAGE_TABLE(users, struct image_user, TABLE_USERS)
IMAGE_TABLE(groups, uint32_t, TABLE_GROUPS)
IMAGE_TABLE(nodes, struct image_node, TABLE_NODES)
IMAGE_TABLE(globs, struct image_glob, TABLE_GLOBS)
IMAGE_TABLE(terminals, struct image_terminal, TABLE_TERMINALS)
IMAGE_TABLE(entries, uint32_t, TABLE_ENTRIES)
IMAGE_TABLE(keys, struct image_key, TABLE_KEYS)
IMAGE_TABLE(slots, uint32_t, TABLE_SLOTS)

/* Fills in grants_length (grants.c). */
void image_measure_grants(struct policy_image *image);

static inline const char *image_text(const struct policy_image *image, uint32_t offset)
{
	return (const char *)image_bytes(image) + offset;
}
