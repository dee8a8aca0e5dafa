/* SPDX-License-Identifier: MIT */
/*
 * What the files of a policy say, between parsing and compiling: lists of clients, rules and
 * objects that refer to each other by index, each with its place in the text. Everything that
 * they point at lives in the set's arena until the set is freed.
 *
 * Running out of memory is remembered in the set, so that the parser need not pass it up through
 * every function: what comes back as NULL is left out, and policy_set_add() says -ENOMEM. Where
 * there is no set at all (NULL), nothing can be kept or reported either: set_alloc(), set_copy(),
 * set_name(), set_report() and set_vreport() take that, for an object that belongs to no policy.
 */
#pragma once

#include "bounds.h"
#include "image.h"
#include "pattern.h"
#include "policy.h"

#include <stdarg.h>
#include <string.h>

#define NONE UINT32_MAX

/* A stretch of one line of a file. */
struct span {
	uint32_t file;
	uint32_t line_start; /* offset of the line in the file's text */
	uint32_t line;       /* 0: the file as a whole */
	uint32_t column, width;
};

#define LIST(type)                                                                                 \
	struct {                                                                                   \
		type *items;                                                                       \
		uint32_t count, capacity;                                                          \
	}

/* Room for one more item; NULL when memory ran out, and then the old items are untouched. */
void *list_grow(void *items, uint32_t count, uint32_t *capacity, size_t item_size);

/* A new zeroed item at the end of a list; NULL and *out_of_memory when there is no memory. */
#define list_append(list, out_of_memory)                                                           \
	({                                                                                         \
		__typeof__(list) list_ = (list);                                                   \
		void *grown_ = list_grow(                                                          \
			list_->items, list_->count, &list_->capacity, sizeof(*list_->items));      \
		if (grown_) {                                                                      \
			list_->items = grown_;                                                     \
			grown_ = memset(&list_->items[list_->count++], 0, sizeof(*list_->items));  \
		} else {                                                                           \
			*(out_of_memory) = true;                                                   \
		}                                                                                  \
		grown_;                                                                            \
	})

struct source_file {
	const char *name;
	const char *text;
	uint32_t length;
};

/* A uid or gid: a number, or a name that the name service is asked for. */
struct principal {
	uint32_t name; /* index into set->names, or NONE */
	uint32_t id;
	struct span where;
};

struct condition {
	enum condition_kind kind;
	struct span where;          /* the name, or the word `anyone` */
	struct principal principal; /* its id is the first of a range */
	uint32_t last;              /* the last id of a range */
	struct component unit;
};

struct from {
	struct span where;
	uint32_t first_condition, condition_count;
	bool is_never; /* names somebody who does not exist */
};

struct rule {
	enum effect effect;
	uint32_t client;
	struct span where;
	struct span verbs_where;             /* of all of them, which are one word */
	struct span mode_where, owner_where; /* what follows these words, if they are there */
	struct span type_where;              /* of the type that makes it one of directories */
	const char *text;         /* of its line: the words as written, a blank between two */
	uint32_t named_verbs;     /* as written */
	uint32_t effective_verbs; /* with what they imply */
	uint32_t first_object, object_count;
	struct policy_options options;
	bool has_owner, has_owner_group;
	bool is_never; /* its owner, or whom it acts as, does not exist */
	struct principal owner, owner_group;
	struct principal as; /* `as USER`: always with a name */
};

/* What an endpoint has beside its number. */
struct address {
	uint8_t family; /* enum place_family */
	uint8_t prefix; /* in bits */
	uint8_t bytes[16];
	uint32_t interface; /* index into set->names, or NONE */
	struct span interface_where;
	const char *name; /* of a host, as it is compared, of a device, or of a credential */
	uint32_t name_length;
};

/* Ports, protocols, or values of a socket option. */
struct number_range {
	uint32_t first, last;
	uint32_t name; /* of a service or protocol: index into set->names, or NONE */
	bool is_never; /* it does not exist */
	struct span where;
};

enum object_kind {
	OBJECT_PATH,
	OBJECT_TCP,
	OBJECT_UDP,
	OBJECT_UNIX,
	OBJECT_VSOCK,
	OBJECT_HOST,
	OBJECT_RAW,
	OBJECT_NETLINK,
	OBJECT_TUN,
	OBJECT_TAP,
	OBJECT_ICMP,
	OBJECT_ICMP6,
	OBJECT_SETTING,
	OBJECT_CREDENTIAL,
	OBJECT_KIND_COUNT,
};

struct object {
	enum object_kind kind;
	enum policy_kind endpoint; /* POLICY_KIND_COUNT: in the tree of paths */
	struct span where;
	struct pattern pattern;
	struct address address;
	uint32_t first_range, range_count; /* none: an endpoint without a number */
	uint32_t interface_index;          /* once resolved; 0: any */
	bool is_never;                     /* the interface does not exist */
};

struct client {
	struct span where;
	const char *name;
	bool is_only;
	bool has_from;     /* also when the line was in error */
	bool is_deniable;  /* every `from` is users or anyone */
	bool is_instanced; /* every `from` names a unit with an @ */
	uint32_t first_from, from_count;
	uint32_t first_rule, rule_count;
	uint32_t first_deny; /* index of a rule, or NONE */
	struct policy_quota quota;
};

struct index_slot {
	uint32_t hash;
	uint32_t item; /* plus one; 0: free */
};

/* Finds the number of an item by its text, so that a hundred thousand names stay affordable. */
struct name_index {
	struct index_slot *slots;
	uint32_t slot_count, used;
};

struct arena_chunk;

struct policy_set {
	struct arena_chunk *arena;
	bool out_of_memory;

	LIST(struct source_file) files;
	LIST(struct policy_diagnostic) diagnostics;
	LIST(uint32_t) diagnostic_files; /* file number of each diagnostic, to keep the order */
	uint32_t diagnostics_ordered;    /* how many, from the first on, are in order */

	LIST(struct policy_name) names;
	struct name_index names_index;

	LIST(struct client) clients;
	struct name_index clients_index;
	LIST(struct from) froms;
	LIST(struct condition) conditions;
	LIST(struct rule) rules;
	LIST(struct object) objects;
	LIST(struct number_range) ranges;

	LIST(struct policy_user) users; /* of `as`, each once; options.as_user is an index */
};

#define set_append(set, list) list_append(&(set)->list, &(set)->out_of_memory)

/* Memory that lives as long as the set; NULL: there is none, and the set knows. */
void *set_alloc(struct policy_set *set, size_t size);
char *set_copy(struct policy_set *set, const char *bytes, size_t length);

/* The number of a file, new when the set does not know it yet; NONE: out of memory. */
uint32_t set_file(struct policy_set *set, const char *name);

/* The number of the name in set->names, new when it was not mentioned yet; NONE: out of memory. */
uint32_t set_name(
	struct policy_set *set, enum policy_name_kind kind, const char *bytes, size_t length);

/* The client of that name that was added first, which is the given one when the name is new. */
uint32_t set_client_first(struct policy_set *set, uint32_t client);

/* ---- diagnostic.c ---- */

/*
 * Brings the diagnostics into the order of the text. Whatever of policy.h may have recorded some
 * ends with it: at once, as each for itself would take a time that grows with their square.
 */
void set_order_diagnostics(struct policy_set *set);

/* Text for a message: control bytes escaped, cut when long. */
struct quoted {
	char text[96];
};
struct quoted text_quote(const char *bytes, size_t length);

/* The rule's text as it stands in its file at this place. */
struct quoted span_quote(const struct policy_set *set, const struct span *where);

/* How many bytes the character of UTF-8 has that they begin with; 0: they are none. */
size_t text_character(const char *bytes, size_t length);

/*
 * Writes text so that it cannot steer a terminal, break a line or look like another: a `?` for
 * each character that could, and for each byte that is not UTF-8.
 */
void text_print(const char *bytes, size_t length, FILE *out);

/*
 * Of a longer line only what is around the caret is shown: many diagnostics of one long line would
 * take a time that grows with the square of its length, and nobody reads it. In bytes of the line.
 */
struct shown {
	size_t from, to;
};
struct shown diagnostic_shown(const struct policy_diagnostic *diagnostic);

/* Records a diagnostic. The remedy is copied and may be NULL. */
__attribute__((format(printf, 5, 0))) void set_vreport(struct policy_set *set,
	enum policy_severity severity, const struct span *where, const char *remedy,
	const char *format, va_list arguments);
__attribute__((format(printf, 5, 6))) void set_report(struct policy_set *set,
	enum policy_severity severity, const struct span *where, const char *remedy,
	const char *format, ...);
