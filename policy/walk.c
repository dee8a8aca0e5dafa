/* SPDX-License-Identifier: MIT */
/*
 * Following a path through the tree of patterns. A node is reached from its parent alone, and the
 * parent is in the set once; only `**` can be reached twice, from its parent and from itself, so
 * only these are looked up before they are added.
 */
#include "walk.h"

#include "peer.h"

#include <assert.h>

#define DEEP_SLOT_MASK (2 * POLICY_ACTIVE_MAX - 1)
static_assert((POLICY_ACTIVE_MAX & (POLICY_ACTIVE_MAX - 1)) == 0, "the slots are masked");

/* A component of the path. */
struct name {
	const char *bytes;
	size_t length;
};

static void deep_add(struct walk *walk, uint32_t node)
{
	struct walk_deep_set *deep = &walk->deep;
	uint32_t at = node * 2654435761u >> 16 & DEEP_SLOT_MASK; /* Knuth's multiplier */
	for (; deep->slots[at]; at = (at + 1) & DEEP_SLOT_MASK) {
		if (deep->slots[at] == node)
			return;
	}
	if (deep->count == POLICY_ACTIVE_MAX) {
		walk->has_overflowed = true;
		return;
	}
	deep->slots[at] = node;
	deep->nodes[deep->count++] = node;
}

static void deep_clear(struct walk *walk)
{
	if (!walk->deep.count)
		return;
	walk->deep.count = 0;
	memset(walk->deep.slots, 0, sizeof(walk->deep.slots));
}

/* A `**` below the node takes no component at all as well as many: it is reached with the node. */
static void node_reach(struct walk *walk, uint32_t node)
{
	if (walk->reached.count == POLICY_ACTIVE_MAX) {
		walk->has_overflowed = true;
		return;
	}
	walk->reached.nodes[walk->reached.count++] = node;
	uint32_t deep = image_nodes(walk->image)[node].deep;
	if (deep)
		deep_add(walk, deep);
}

/*
 * The children with wildcards that match. They are tried by the bytes they begin with, so those
 * that share a beginning (`*.log`, `*.gz`) are tried one after the other.
 */
static void globs_follow(struct walk *walk, uint32_t node, const struct name *name)
{
	const struct policy_image *image = walk->image;
	enum sense sense = walk->effect == EFFECT_DENY ? SENSE_DENY : SENSE_ALLOW;
	uint64_t hash = LOOKUP_HASH_EMPTY;
	size_t most = image_nodes(image)[node].prefix_max;
	most = most < name->length ? most : name->length;
	for (size_t length = 0; length <= most; length++) {
		if (length)
			hash = lookup_hash(hash, name->bytes + length - 1, 1);
		uint32_t glob = lookup_find(
			&walk->lookup, OWNER(OWNER_PREFIX, node), hash, name->bytes, length);
		for (glob = glob == LOOKUP_NONE ? 0 : glob + 1; glob;) {
			const struct image_glob *entry = &image_globs(image)[glob - 1];
			if (glob_match(image_bytes(image) + entry->program, entry->program_length,
				    name->bytes, name->length, &walk->variables, sense))
				node_reach(walk, entry->node);
			glob = entry->next;
		}
	}
}

static void node_follow(struct walk *walk, uint32_t node, const struct name *name, uint64_t hash,
	bool is_kernel_tree)
{
	const struct image_node *entry = &image_nodes(walk->image)[node];
	uint32_t literal = lookup_find(
		&walk->lookup, OWNER(OWNER_LITERAL, node), hash, name->bytes, name->length);
	if (literal != LOOKUP_NONE)
		node_reach(walk, literal);
	if (is_kernel_tree)
		return;
	if (entry->has_globs)
		globs_follow(walk, node, name);
	if (entry->star && (walk->effect == EFFECT_DENY || name->bytes[0] != '.'))
		node_reach(walk, entry->star);
}

/*
 * Takes one component. Returns how many nodes of the deep set have taken it; those that come
 * after them have been reached by it but have taken nothing yet.
 */
static uint32_t component_follow(struct walk *walk, const struct name *name, bool is_first)
{
	bool is_allow = walk->effect == EFFECT_ALLOW;
	bool is_kernel_tree =
		is_allow && is_first && name_is_kernel_tree(name->bytes, name->length);
	uint64_t hash = lookup_hash(LOOKUP_HASH_EMPTY, name->bytes, name->length);
	struct walk_set *left = &walk->left;
	memcpy(left->nodes, walk->reached.nodes, walk->reached.count * sizeof(*left->nodes));
	memcpy(left->nodes + walk->reached.count, walk->deep.nodes,
		walk->deep.count * sizeof(*left->nodes));
	left->count = walk->reached.count + walk->deep.count;
	walk->reached.count = 0;
	if (is_kernel_tree || (is_allow && name->bytes[0] == '.'))
		deep_clear(walk);
	uint32_t taken = walk->deep.count;
	for (uint32_t i = 0; i < left->count; i++)
		node_follow(walk, left->nodes[i], name, hash, is_kernel_tree);
	return taken;
}

/* Patterns with %h begin where the home directory ends, or anywhere when a deny has none to go by.
 */
static void home_begin(struct walk *walk, const char *path, size_t length, size_t depth)
{
	if (!walk->home_root)
		return;
	if (walk->home_depth) {
		bool is_there = depth == walk->home_depth && length >= walk->home_length &&
				memcmp(path, walk->home, walk->home_length) == 0 &&
				(length == walk->home_length || path[walk->home_length] == '/');
		if (is_there)
			node_reach(walk, walk->home_root);
	} else if (walk->effect == EFFECT_DENY && depth == 0) {
		uint32_t deep = image_nodes(walk->image)[walk->home_root].deep;
		deep_add(walk, walk->home_root);
		if (deep)
			deep_add(walk, deep);
	}
}

/*
 * What is left of the `**` in the end. Those that have not taken the last component include it as
 * the folder itself: for deny always, for allow under some verbs only, so these come last.
 */
static void deep_settle(struct walk *walk, uint32_t taken)
{
	memcpy(walk->reached.nodes + walk->reached.count, walk->deep.nodes,
		walk->deep.count * sizeof(*walk->reached.nodes));
	walk->reached.count += walk->deep.count;
	walk->folder_count = walk->effect == EFFECT_DENY ? 0 : walk->deep.count - taken;
}

static void walk_init(struct walk *walk, const struct policy_image *image,
	const struct policy_peer *peer, enum effect effect)
{
	walk->image = image;
	walk->effect = effect;
	walk->lookup = lookup_of(image);
	walk->has_overflowed = false;
	walk->reached.count = 0;
	walk->deep.count = 0;
	memset(walk->deep.slots, 0, sizeof(walk->deep.slots));
	struct variable home = peer_text(peer, peer->home);
	walk->home = home.text;
	walk->home_length = home.length;
	walk->home_depth = path_depth(home.text, home.length);
	walk->variables = peer_variables(peer, walk->uid);
}

struct walk_roots walk_roots_of_paths(enum effect effect)
{
	return (struct walk_roots){NODE_ROOT(effect), NODE_HOME(effect)};
}

static uint32_t credential_root(const struct lookup *lookup, uint32_t parent, uint64_t hash,
	const char *name, size_t length)
{
	uint32_t node = lookup_find(lookup, OWNER(OWNER_LITERAL, parent), hash, name, length);
	return node == LOOKUP_NONE ? 0 : node;
}

struct walk_roots walk_roots_of_credential(
	const struct policy_image *image, enum effect effect, const char *name, size_t length)
{
	const struct lookup lookup = lookup_of(image);
	uint64_t hash = lookup_hash(LOOKUP_HASH_EMPTY, name, length);
	return (struct walk_roots){
		credential_root(&lookup, NODE_CREDENTIAL(effect), hash, name, length),
		credential_root(&lookup, NODE_CREDENTIAL_HOME(effect), hash, name, length)};
}

bool walk_path(struct walk *walk, const struct policy_image *image, const struct policy_peer *peer,
	enum effect effect, const char *path, size_t length)
{
	return walk_path_from(walk, image, peer, effect, walk_roots_of_paths(effect), path, length);
}

bool walk_path_from(struct walk *walk, const struct policy_image *image,
	const struct policy_peer *peer, enum effect effect, struct walk_roots roots,
	const char *path, size_t length)
{
	size_t at = 0, depth = 0;
	uint32_t taken = 0;
	walk_init(walk, image, peer, effect);
	walk->home_root = roots.home;
	length = path_is_root(path, length) ? 0 : length;
	if (roots.root)
		node_reach(walk, roots.root);
	home_begin(walk, path, length, depth);
	while (at < length && !walk->has_overflowed) {
		const char *slash = memchr(path + at + 1, '/', length - at - 1);
		size_t end = slash ? (size_t)(slash - path) : length;
		const struct name name = {path + at + 1, end - at - 1};
		taken = component_follow(walk, &name, depth == 0);
		at = end;
		home_begin(walk, path, length, ++depth);
	}
	deep_settle(walk, taken);
	return !walk->has_overflowed;
}
