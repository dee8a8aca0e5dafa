/* SPDX-License-Identifier: MIT */
/*
 * The tree of paths and the table of endpoints. Patterns that are the same end at the same
 * terminal, whatever rules they stand in.
 */
#include "build.h"

#include <stdlib.h>

static uint32_t node_add(struct builder *builder)
{
	return builder_append(builder, nodes) ? builder->nodes.count - 1 : 0;
}

void builder_init(struct builder *builder, struct policy_set *set)
{
	*builder = (struct builder){.set = set};
	pool_add(&builder->bytes, "", 1); /* offset 0 is the empty text */
	for (uint32_t i = 0; i < NODE_FIRST_FREE; i++)
		node_add(builder);
}

void builder_free(struct builder *builder)
{
	free(builder->bytes.items);
	free(builder->nodes.items);
	free(builder->globs.items);
	free(builder->terminals.items);
	free(builder->pending.items);
	free(builder->entries.items);
	lookup_table_free(&builder->lookup);
	lookup_table_free(&builder->programs);
}

static uint32_t literal_child(
	struct builder *builder, uint32_t parent, const struct component *component)
{
	uint64_t owner = OWNER(OWNER_LITERAL, parent);
	uint32_t child = lookup_table_find(
		&builder->lookup, &builder->bytes, owner, component->bytes, component->length);
	if (child != LOOKUP_NONE)
		return child;
	child = node_add(builder);
	if (!child || !lookup_table_put(&builder->lookup, &builder->bytes, owner, component->bytes,
			      component->length, child))
		builder->out_of_memory = true;
	return child;
}

/* Puts the glob at the head of the chain of those that begin with the same bytes. */
static uint32_t glob_add(
	struct builder *builder, uint32_t parent, const struct component *component)
{
	size_t prefix_length;
	const uint8_t *prefix = glob_prefix(component->bytes, component->length, &prefix_length);
	uint64_t owner = OWNER(OWNER_PREFIX, parent);
	uint32_t next =
		lookup_table_find(&builder->lookup, &builder->bytes, owner, prefix, prefix_length);
	uint32_t program = pool_add(&builder->bytes, component->bytes, component->length);
	uint32_t child = node_add(builder);
	struct image_glob *glob = builder_append(builder, globs);
	if (!child || !glob || program == NONE ||
		!lookup_table_put(&builder->lookup, &builder->bytes, owner, prefix, prefix_length,
			builder->globs.count - 1)) {
		builder->out_of_memory = true;
		return 0;
	}
	*glob = (struct image_glob){.next = next == LOOKUP_NONE ? 0 : next + 1,
		.node = child,
		.program = program,
		.program_length = component->length};
	struct image_node *node = &builder->nodes.items[parent];
	node->has_globs = 1;
	if (node->prefix_max < prefix_length)
		node->prefix_max = (uint16_t)prefix_length;
	return child;
}

static uint32_t glob_child(
	struct builder *builder, uint32_t parent, const struct component *component)
{
	uint64_t owner = OWNER(OWNER_GLOB, parent);
	uint32_t child = lookup_table_find(
		&builder->programs, &builder->bytes, owner, component->bytes, component->length);
	if (child != LOOKUP_NONE)
		return child;
	child = glob_add(builder, parent, component);
	if (child && !lookup_table_put(&builder->programs, &builder->bytes, owner, component->bytes,
			     component->length, child))
		builder->out_of_memory = true;
	return child;
}

static uint32_t star_child(struct builder *builder, uint32_t parent)
{
	uint32_t child = builder->nodes.items[parent].star;
	if (!child)
		child = node_add(builder);
	builder->nodes.items[parent].star = child;
	return child;
}

static uint32_t deep_child(struct builder *builder, uint32_t parent)
{
	uint32_t child = builder->nodes.items[parent].deep;
	if (!child)
		child = node_add(builder);
	builder->nodes.items[parent].deep = child;
	return child;
}

static uint32_t node_child(
	struct builder *builder, uint32_t parent, const struct component *component)
{
	switch ((enum component_kind)component->kind) {
	case COMPONENT_LITERAL:
		return literal_child(builder, parent, component);
	case COMPONENT_GLOB:
		return glob_child(builder, parent, component);
	case COMPONENT_STAR:
		return star_child(builder, parent);
	case COMPONENT_DEEP:
		return deep_child(builder, parent);
	}
	return 0;
}

static uint32_t terminal_add(
	struct builder *builder, const uint8_t *ranks, uint32_t count, bool is_home)
{
	uint32_t offset = pool_add(&builder->bytes, ranks, count);
	struct image_terminal *terminal = builder_append(builder, terminals);
	if (!terminal || offset == NONE) {
		builder->out_of_memory = true;
		return NONE;
	}
	*terminal =
		(struct image_terminal){.ranks = offset, .rank_count = count, .is_home = is_home};
	return builder->terminals.count - 1;
}

static void entry_add(struct builder *builder, uint32_t terminal, uint32_t rule, uint32_t object)
{
	struct pending_entry *entry = builder_append(builder, pending);
	if (entry)
		*entry = (struct pending_entry){terminal, rule, object};
}

/* The node that the first component of a pattern hangs on; 0: out of memory. */
static uint32_t pattern_root(
	struct builder *builder, enum effect effect, const struct object *object)
{
	bool is_home = object->pattern.is_home;
	if (object->kind != OBJECT_CREDENTIAL)
		return is_home ? NODE_HOME(effect) : NODE_ROOT(effect);
	const struct component name = {.kind = COMPONENT_LITERAL,
		.length = (uint16_t)object->address.name_length,
		.bytes = (const uint8_t *)object->address.name};
	return literal_child(
		builder, is_home ? NODE_CREDENTIAL_HOME(effect) : NODE_CREDENTIAL(effect), &name);
}

static void pattern_add(struct builder *builder, enum effect effect, uint32_t rule, uint32_t object)
{
	const struct pattern *pattern = &builder->set->objects.items[object].pattern;
	uint8_t ranks[POLICY_PATH_MAX / 2 + 1];
	uint32_t node = pattern_root(builder, effect, &builder->set->objects.items[object]);
	if (!node)
		return;
	for (uint32_t i = 0; i < pattern->component_count; i++) {
		ranks[i] = pattern->components[i].rank;
		node = node_child(builder, node, &pattern->components[i]);
		if (!node)
			return;
	}
	uint32_t terminal = builder->nodes.items[node].terminal;
	if (!terminal) {
		terminal =
			terminal_add(builder, ranks, pattern->component_count, pattern->is_home) +
			1;
		builder->nodes.items[node].terminal = terminal;
	}
	if (terminal)
		entry_add(builder, terminal - 1, rule, object);
}

/* How specific an endpoint is, in bytes that compare as the ranks of a path do. */
static uint32_t endpoint_rank(const struct endpoint_place *place)
{
	switch (place->family) {
	case PLACE_NAME:
		return 0;
	case PLACE_LABEL:
		return 1;
	case PLACE_ANY:
		return 129;
	default:
		return 128u - place->prefix; /* of a deny it does not matter */
	}
}

static uint32_t endpoint_terminal(struct builder *builder, const struct endpoint_place *place)
{
	struct endpoint_key key;
	endpoint_key_make(&key, place);
	uint32_t terminal = lookup_table_find(
		&builder->lookup, &builder->bytes, key.owner, key.bytes, key.length);
	if (terminal != LOOKUP_NONE)
		return terminal;
	const uint8_t ranks[] = {
		(uint8_t)endpoint_rank(place),
		place->interface ? 0 : 1,
		place->level,
	};
	terminal = terminal_add(builder, ranks, sizeof(ranks), false);
	if (terminal != NONE && !lookup_table_put(&builder->lookup, &builder->bytes, key.owner,
					key.bytes, key.length, terminal))
		builder->out_of_memory = true;
	return terminal;
}

static void endpoint_note_use(struct builder *builder, const struct endpoint_place *place)
{
	struct image_endpoints *use = &builder->endpoints[place->effect][place->kind];
	use->levels |= UINT64_C(1) << place->level;
	use->families |= 1u << place->family;
	use->has_interface |= place->interface != 0;
	if (place->prefix == PREFIX_ANY_ADDRESS)
		return;
	if (place->family == POLICY_IPV4 || place->family == POLICY_CID)
		use->prefixes4[0] |= UINT64_C(1) << place->prefix;
	else if (place->family == POLICY_IPV6)
		use->prefixes6[place->prefix / 64] |= UINT64_C(1) << place->prefix % 64;
}

static void place_add(
	struct builder *builder, const struct endpoint_place *place, uint32_t rule, uint32_t object)
{
	uint32_t terminal = endpoint_terminal(builder, place);
	endpoint_note_use(builder, place);
	if (terminal != NONE)
		entry_add(builder, terminal, rule, object);
}

bool endpoint_next_piece(
	struct endpoint_place *place, const struct number_range *range, uint64_t *next)
{
	uint64_t first = *next, last = range->last;
	if (first > last)
		return false;
	uint8_t level = 0;
	while (level < 32 && first % (UINT64_C(2) << level) == 0 &&
		first + (UINT64_C(2) << level) - 1 <= last)
		level++;
	place->level = level;
	place->number = (uint32_t)first;
	*next = first + (UINT64_C(1) << level);
	return true;
}

static void range_add(struct builder *builder, struct endpoint_place *place,
	const struct number_range *range, uint32_t rule, uint32_t object)
{
	uint64_t next = range->first;
	while (endpoint_next_piece(place, range, &next))
		place_add(builder, place, rule, object);
}

struct endpoint_place endpoint_place_make(enum effect effect, const struct object *object)
{
	struct endpoint_place place = {
		.effect = (uint8_t)effect,
		.kind = (uint8_t)object->endpoint,
		.family = object->address.family,
		.prefix = object->address.prefix,
		.interface = object->interface_index,
		.name = object->address.name,
		.name_length = object->address.name_length,
	};
	memcpy(place.address, object->address.bytes, sizeof(place.address));
	return place;
}

/*
 * A deny also stands where a request that says less than it could be about the denied endpoint:
 * all addresses at once, an address without a scope, a name that cannot be told.
 */
static void deny_add(struct builder *builder, const struct endpoint_place *place,
	const struct number_range *range, uint32_t rule, uint32_t object)
{
	bool is_name = place->family == PLACE_NAME || place->family == PLACE_LABEL;
	struct endpoint_place wider = {.effect = place->effect, .kind = place->kind};
	wider.family = is_name ? (uint8_t)PLACE_SOME_NAME : place->family;
	wider.prefix = is_name ? 0 : PREFIX_ANY_ADDRESS;
	struct endpoint_place unscoped = *place;
	unscoped.interface = INTERFACE_SOME;
	if (place->interface)
		range_add(builder, &unscoped, range, rule, object);
	if (place->family != PLACE_ANY)
		range_add(builder, &wider, range, rule, object);
}

const struct number_range *endpoint_ranges(
	const struct policy_set *set, const struct object *object, uint32_t *count)
{
	static const struct number_range no_number = {.name = NONE};
	*count = object->range_count ? object->range_count : 1;
	return object->range_count ? &set->ranges.items[object->first_range] : &no_number;
}

static void endpoint_add(
	struct builder *builder, enum effect effect, uint32_t rule, uint32_t object_number)
{
	uint32_t count;
	const struct object *object = &builder->set->objects.items[object_number];
	const struct number_range *ranges = endpoint_ranges(builder->set, object, &count);
	struct endpoint_place place = endpoint_place_make(effect, object);
	for (uint32_t i = 0; i < count && !object->is_never; i++) {
		if (ranges[i].is_never)
			continue;
		range_add(builder, &place, &ranges[i], rule, object_number);
		if (effect == EFFECT_DENY)
			deny_add(builder, &place, &ranges[i], rule, object_number);
	}
}

void builder_add_objects(struct builder *builder)
{
	const struct policy_set *set = builder->set;
	for (uint32_t i = 0; i < set->rules.count && !builder->out_of_memory; i++) {
		const struct rule *rule = &set->rules.items[i];
		for (uint32_t j = 0; j < rule->object_count && !rule->is_never; j++) {
			uint32_t object = rule->first_object + j;
			if (set->objects.items[object].endpoint == POLICY_KIND_COUNT)
				pattern_add(builder, rule->effect, i, object);
			else
				endpoint_add(builder, rule->effect, i, object);
		}
	}
}
