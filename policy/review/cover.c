/* SPDX-License-Identifier: MIT */
/*
 * Following a pattern through the tree: as walk.c does with a path, only that an edge is taken by
 * what covers the whole component. A `**` of the pattern is covered by a `**` alone.
 */
#include "cover.h"

#include <assert.h>
#include <stdlib.h>

#define ALL_VERBS ((1u << POLICY_VERB_COUNT) - 1)

struct cover_place {
	uint32_t node;
	bool is_sure;
	bool has_taken; /* a `**`: the last component was taken by it, and is not its folder */
};

struct cover_places {
	uint32_t count;
	struct cover_place items[COVER_NODES_MAX];
};

struct cover_walk {
	const struct cover_index *index;
	enum effect effect;
	struct cover *cover;
	struct cover_places reached, deep; /* deep: those that stand for a `**` */
	uint32_t own;                      /* the node of the same components, or 0 */
	uint32_t globs_left;               /* to try */
};

/* ---- the index ---- */

static bool chain_index(struct cover_index *index, const struct image_key *key)
{
	const struct policy_image *image = index->image;
	uint32_t parent = (uint32_t)key->owner;
	for (uint32_t glob = key->value + 1; glob;) {
		const struct image_glob *entry = &image_globs(image)[glob - 1];
		if (!lookup_table_put(&index->globs, &index->bytes, OWNER(OWNER_GLOB, parent),
			    image_bytes(image) + entry->program, entry->program_length,
			    entry->node))
			return false;
		glob = entry->next;
	}
	return true;
}

bool cover_index_make(struct cover_index *index, const struct policy_image *image)
{
	*index = (struct cover_index){.image = image, .lookup = lookup_of(image)};
	for (uint32_t i = 0; i < image->sections[TABLE_KEYS].count; i++) {
		const struct image_key *key = &image_keys(image)[i];
		if (key->owner >> 32 == OWNER_PREFIX && !chain_index(index, key))
			return false;
	}
	return true;
}

void cover_index_free(struct cover_index *index)
{
	lookup_table_free(&index->globs);
	free(index->bytes.items);
}

/* ---- patterns ---- */

static const struct image_node *node_of(const struct cover_walk *walk, uint32_t node)
{
	return &image_nodes(walk->index->image)[node];
}

static void place_add(
	struct cover_walk *walk, struct cover_places *places, const struct cover_place *place)
{
	if (places->count == COVER_NODES_MAX)
		walk->cover->is_complete = false;
	else
		places->items[places->count++] = *place;
}

/* One that is here already has been reached in another way, and is left as it is. */
static void deep_add(struct cover_walk *walk, uint32_t node, bool is_sure)
{
	for (uint32_t i = 0; i < walk->deep.count; i++) {
		if (walk->deep.items[i].node == node)
			return;
	}
	place_add(walk, &walk->deep, &(struct cover_place){.node = node, .is_sure = is_sure});
}

static void node_reach(struct cover_walk *walk, uint32_t node, bool is_sure)
{
	place_add(walk, &walk->reached, &(struct cover_place){.node = node, .is_sure = is_sure});
	uint32_t deep = node_of(walk, node)->deep;
	if (deep)
		deep_add(walk, deep, is_sure);
}

static uint32_t literal_child(
	const struct cover_walk *walk, uint32_t node, const struct component *component)
{
	uint32_t child = lookup_find(&walk->index->lookup, OWNER(OWNER_LITERAL, node),
		lookup_hash(LOOKUP_HASH_EMPTY, component->bytes, component->length),
		component->bytes, component->length);
	return child == LOOKUP_NONE ? 0 : child;
}

static uint32_t glob_child(
	const struct cover_walk *walk, uint32_t node, const struct component *component)
{
	uint32_t child = lookup_table_find(&walk->index->globs, &walk->index->bytes,
		OWNER(OWNER_GLOB, node), component->bytes, component->length);
	return child == LOOKUP_NONE ? 0 : child;
}

static uint32_t same_child(
	const struct cover_walk *walk, uint32_t node, const struct component *component)
{
	switch ((enum component_kind)component->kind) {
	case COMPONENT_LITERAL:
		return literal_child(walk, node, component);
	case COMPONENT_GLOB:
		return glob_child(walk, node, component);
	case COMPONENT_STAR:
		return node_of(walk, node)->star;
	case COMPONENT_DEEP:
		return node_of(walk, node)->deep;
	}
	return 0;
}

static void chain_follow(struct cover_walk *walk, const struct cover_place *from, uint32_t glob,
	const struct component *component, uint32_t except)
{
	const struct policy_image *image = walk->index->image;
	bool is_literal = component->kind == COMPONENT_LITERAL;
	for (uint32_t next = glob + 1; next;) {
		const struct image_glob *entry = &image_globs(image)[next - 1];
		const uint8_t *program = image_bytes(image) + entry->program;
		next = entry->next;
		if (!walk->globs_left) {
			walk->cover->is_complete = false;
			return;
		}
		walk->globs_left--;
		if (entry->node == except)
			continue;
		if (program_covers(program, entry->program_length, component, walk->effect))
			node_reach(walk, entry->node, from->is_sure);
		else if (is_literal && program_may_match(program, entry->program_length, component))
			node_reach(walk, entry->node, false);
	}
}

/* What covers it begins with the bytes that it begins with itself, or with fewer of them. */
static void globs_follow(
	struct cover_walk *walk, const struct cover_place *from, const struct component *component)
{
	const uint8_t *begin = component->bytes;
	size_t most = component->length;
	uint32_t same = 0;
	if (component->kind == COMPONENT_GLOB) {
		begin = glob_prefix(component->bytes, component->length, &most);
		same = glob_child(walk, from->node, component);
	}
	if (same)
		node_reach(walk, same, from->is_sure);
	size_t prefix_max = node_of(walk, from->node)->prefix_max;
	most = most < prefix_max ? most : prefix_max;
	uint64_t hash = LOOKUP_HASH_EMPTY;
	for (size_t length = 0; length <= most; length++) {
		if (length)
			hash = lookup_hash(hash, begin + length - 1, 1);
		uint32_t glob = lookup_find(
			&walk->index->lookup, OWNER(OWNER_PREFIX, from->node), hash, begin, length);
		if (glob != LOOKUP_NONE)
			chain_follow(walk, from, glob, component, same);
	}
}

/* Whether the wildcards of an allow may leave out something that the component matches. */
static bool component_is_special(
	const struct cover_walk *walk, const struct component *component, bool may_be_first)
{
	if (walk->effect == EFFECT_DENY)
		return false;
	return component_may_begin_dot(component) ||
	       (may_be_first && component->kind == COMPONENT_LITERAL &&
		       name_is_kernel_tree((const char *)component->bytes, component->length));
}

static void place_follow(struct cover_walk *walk, const struct cover_place *from,
	const struct component *component, bool may_be_first, bool is_special)
{
	const struct image_node *node = node_of(walk, from->node);
	bool is_literal = component->kind == COMPONENT_LITERAL;
	uint32_t child = is_literal ? literal_child(walk, from->node, component) : 0;
	if (child)
		node_reach(walk, child, from->is_sure);
	/* A name with a dot may still be matched by globs that begin with one. */
	bool is_kernel_tree =
		is_literal && is_special && may_be_first && !component_may_begin_dot(component);
	if (is_kernel_tree)
		return;
	if (node->has_globs && component->kind != COMPONENT_STAR)
		globs_follow(walk, from, component);
	if (node->star && !is_special)
		node_reach(walk, node->star, from->is_sure);
}

static void component_follow(
	struct cover_walk *walk, const struct component *component, bool may_be_first)
{
	bool is_special = component_is_special(walk, component, may_be_first);
	struct cover_places left = walk->reached, deep = walk->deep;
	walk->reached.count = 0;
	if (is_special)
		walk->deep.count = 0;
	for (uint32_t i = 0; i < walk->deep.count; i++)
		walk->deep.items[i].has_taken = true;
	for (uint32_t i = 0; i < left.count; i++)
		place_follow(walk, &left.items[i], component, may_be_first, is_special);
	for (uint32_t i = 0; i < deep.count; i++)
		place_follow(walk, &deep.items[i], component, may_be_first, is_special);
}

/* Only a `**` covers what goes to any depth. As the last component it takes one at least, but under
 * those verbs that a final `**` grants on its folder, too. */
static void deep_follow(struct cover_walk *walk, bool is_last)
{
	walk->reached.count = 0;
	for (uint32_t i = 0; i < walk->deep.count; i++)
		walk->deep.items[i].has_taken |= is_last;
}

static void walk_begin(struct cover_walk *walk, const struct pattern *pattern)
{
	uint32_t deep = node_of(walk, NODE_ROOT(walk->effect))->deep;
	walk->own = pattern->is_home ? NODE_HOME(walk->effect) : NODE_ROOT(walk->effect);
	node_reach(walk, walk->own, true);
	/* Wherever a home directory is, a deny of everything covers it. */
	if (pattern->is_home && walk->effect == EFFECT_DENY && deep)
		deep_add(walk, deep, true);
}

static void covering_add(struct cover *cover, uint32_t terminal, uint32_t verbs, bool is_sure)
{
	if (cover->count == COVER_FOUND_MAX)
		cover->is_complete = false;
	else
		cover->found[cover->count++] = (struct covering){terminal, verbs, is_sure};
}

static void walk_end(struct cover_walk *walk)
{
	struct cover *cover = walk->cover;
	uint32_t own = walk->own ? node_of(walk, walk->own)->terminal : 0;
	cover->own_terminal = own ? own - 1 : NONE;
	for (uint32_t i = 0; i < walk->reached.count; i++) {
		const struct cover_place *place = &walk->reached.items[i];
		uint32_t terminal = node_of(walk, place->node)->terminal;
		if (terminal)
			covering_add(cover, terminal - 1, ALL_VERBS, place->is_sure);
	}
	for (uint32_t i = 0; i < walk->deep.count; i++) {
		const struct cover_place *place = &walk->deep.items[i];
		uint32_t terminal = node_of(walk, place->node)->terminal;
		bool has_all = place->has_taken || walk->effect == EFFECT_DENY;
		if (terminal)
			covering_add(cover, terminal - 1, has_all ? ALL_VERBS : FOLDER_VERBS,
				place->is_sure);
	}
}

void cover_find_pattern(const struct cover_index *index, enum effect effect,
	const struct pattern *pattern, struct cover *cover)
{
	struct cover_walk walk = {
		.index = index, .effect = effect, .cover = cover, .globs_left = COVER_GLOBS_MAX};
	const struct component *components = pattern->components;
	cover->is_complete = true;
	cover->count = 0;
	walk_begin(&walk, pattern);
	for (uint32_t i = 0; i < pattern->component_count; i++) {
		bool is_first = i == 0 || (i == 1 && components[0].kind == COMPONENT_DEEP);
		if (walk.own)
			walk.own = same_child(&walk, walk.own, &components[i]);
		if (components[i].kind == COMPONENT_DEEP)
			deep_follow(&walk, i + 1 == pattern->component_count);
		else
			component_follow(&walk, &components[i], is_first && !pattern->is_home);
	}
	walk_end(&walk);
}

/* ---- endpoints ---- */

/* What is looked up: the place made wider step by step. */
struct place_search {
	const struct cover_index *index;
	struct cover *cover;
	struct endpoint_place place;
	uint8_t level; /* the least */
};

static uint32_t place_find(const struct cover_index *index, const struct endpoint_place *place)
{
	struct endpoint_key key;
	endpoint_key_make(&key, place);
	return lookup_find(&index->lookup, key.owner,
		lookup_hash(LOOKUP_HASH_EMPTY, key.bytes, key.length), key.bytes, key.length);
}

static const struct image_endpoints *search_use(const struct place_search *search)
{
	return &search->index->image->endpoints[search->place.effect][search->place.kind];
}

static void levels_find(
	struct place_search *search, uint8_t family, uint8_t prefix, uint32_t interface)
{
	const struct image_endpoints *use = search_use(search);
	if (!(use->families & 1u << family))
		return;
	search->place.family = family;
	search->place.prefix = prefix;
	search->place.interface = interface;
	for (uint8_t level = search->level; level <= 32; level++) {
		search->place.level = level;
		uint32_t terminal = use->levels & UINT64_C(1) << level
					    ? place_find(search->index, &search->place)
					    : LOOKUP_NONE;
		if (terminal != LOOKUP_NONE)
			covering_add(search->cover, terminal, ALL_VERBS, true);
	}
}

/* An address that stands for all of its family: asked for, it is matched by few prefixes. */
static bool place_is_unspecified(const struct endpoint_place *place)
{
	uint8_t byte = place->family == POLICY_CID ? 0xff : 0;
	uint32_t size = place->family == POLICY_IPV6 ? 16 : 4;
	for (uint32_t i = 0; i < size; i++) {
		if (place->address[i] != byte)
			return false;
	}
	return place->prefix == size * 8;
}

static void prefixes_find(struct place_search *search, const struct endpoint_place *place)
{
	const struct image_endpoints *use = search_use(search);
	const uint64_t *prefixes = place->family == POLICY_IPV6 ? use->prefixes6 : use->prefixes4;
	bool is_unspecified = place_is_unspecified(place);
	for (uint32_t prefix = 0; prefix <= place->prefix; prefix++) {
		if (!(prefixes[prefix / 64] & UINT64_C(1) << prefix % 64) ||
			(is_unspecified && prefix != 0 && prefix != place->prefix))
			continue;
		levels_find(search, place->family, (uint8_t)prefix, 0);
		if (place->interface)
			levels_find(search, place->family, (uint8_t)prefix, place->interface);
	}
}

static void names_find(struct place_search *search, const struct endpoint_place *place)
{
	levels_find(search, place->family, 0, 0);
	const char *dot = memchr(place->name, '.', place->name_length);
	if (place->family != PLACE_NAME || !dot)
		return;
	search->place.name = dot + 1;
	search->place.name_length = place->name_length - (uint32_t)(dot + 1 - place->name);
	levels_find(search, PLACE_LABEL, 0, 0);
}

void cover_find_own(
	const struct cover_index *index, const struct endpoint_place *place, struct cover *cover)
{
	static_assert(LOOKUP_NONE == NONE, "both mean that there is none");
	cover->is_complete = true;
	cover->count = 0;
	cover->own_terminal = place_find(index, place);
}

void cover_find_endpoint(
	const struct cover_index *index, const struct endpoint_place *place, struct cover *cover)
{
	struct place_search search = {
		.index = index, .cover = cover, .place = *place, .level = place->level};
	cover_find_own(index, place, cover);
	levels_find(&search, PLACE_ANY, 0, 0);
	if (place->family == PLACE_NAME || place->family == PLACE_LABEL)
		names_find(&search, place);
	else if (place->family != PLACE_ANY)
		prefixes_find(&search, place);
}
