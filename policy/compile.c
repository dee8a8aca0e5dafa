/* SPDX-License-Identifier: MIT */
/*
 * A policy without errors becomes an image: each table is filled, then all are laid one after the
 * other. Every byte is set on purpose, so that the same policy gives the same image.
 */
#include "build.h"

#include "judge.h"

#include <errno.h>
#include <stdlib.h>

/* The tables that are copied from the set rather than built. */
struct plain_tables {
	struct image_block *blocks;
	struct image_from *froms;
	struct image_condition *conditions;
	struct image_rule *rules;
	struct image_user *users;
	uint32_t *groups;
	uint32_t from_count, condition_count;
};

static size_t groups_count(const struct policy_set *set)
{
	size_t count = 0;
	for (uint32_t i = 0; i < set->users.count; i++)
		count += set->users.items[i].group_count;
	return count;
}

static bool tables_alloc(struct plain_tables *tables, const struct policy_set *set)
{
	*tables = (struct plain_tables){
		.blocks = calloc((size_t)set->clients.count + 1, sizeof(*tables->blocks)),
		.froms = calloc((size_t)set->froms.count + 1, sizeof(*tables->froms)),
		.conditions =
			calloc((size_t)set->conditions.count + 1, sizeof(*tables->conditions)),
		.rules = calloc((size_t)set->rules.count + 1, sizeof(*tables->rules)),
		.users = calloc((size_t)set->users.count + 1, sizeof(*tables->users)),
		.groups = calloc(groups_count(set) + 1, sizeof(*tables->groups)),
	};
	return tables->blocks && tables->froms && tables->conditions && tables->rules &&
	       tables->users && tables->groups;
}

static void tables_free(struct plain_tables *tables)
{
	free(tables->blocks);
	free(tables->froms);
	free(tables->conditions);
	free(tables->rules);
	free(tables->users);
	free(tables->groups);
}

static uint32_t text_add(struct builder *builder, const char *text)
{
	uint32_t offset = pool_add(&builder->bytes, text, strlen(text) + 1);
	builder->out_of_memory |= offset == NONE;
	return offset;
}

static struct image_condition condition_make(
	struct builder *builder, const struct condition *condition)
{
	struct image_condition made = {.kind = condition->kind};
	if (condition->kind == CONDITION_USER || condition->kind == CONDITION_GROUP) {
		made.first = condition->principal.id;
		made.last = condition->last;
	} else if (condition->kind == CONDITION_UNIT) {
		made.glob =
			pool_add(&builder->bytes, condition->unit.bytes, condition->unit.length);
		made.glob_length = condition->unit.length;
		made.is_literal = condition->unit.kind == COMPONENT_LITERAL;
		builder->out_of_memory |= made.glob == NONE;
	}
	return made;
}

/* Lines that name somebody who does not exist are left out: they match nobody. */
static void froms_fill(struct builder *builder, struct plain_tables *tables,
	const struct client *client, struct image_block *block)
{
	const struct policy_set *set = builder->set;
	block->first_from = tables->from_count;
	for (uint32_t i = 0; i < client->from_count; i++) {
		const struct from *from = &set->froms.items[client->first_from + i];
		if (from->is_never)
			continue;
		tables->froms[tables->from_count++] =
			(struct image_from){tables->condition_count, from->condition_count};
		for (uint32_t j = 0; j < from->condition_count; j++)
			tables->conditions[tables->condition_count++] = condition_make(
				builder, &set->conditions.items[from->first_condition + j]);
	}
	block->from_count = tables->from_count - block->first_from;
}

static void rules_fill(struct builder *builder, struct plain_tables *tables)
{
	const struct policy_set *set = builder->set;
	uint32_t text = 0;
	for (uint32_t i = 0; i < set->rules.count; i++) {
		const struct rule *rule = &set->rules.items[i];
		/* A line may be two rules. */
		if (i == 0 || rule->text != rule[-1].text)
			text = text_add(builder, rule->text);
		tables->rules[i] = (struct image_rule){
			.block = rule->client,
			.line = rule->where.line,
			.text = text,
			.verbs = rule->effective_verbs,
			.mode = rule->options.mode,
			.directory_mode = rule->options.directory_mode,
			.uid = rule->options.uid,
			.gid = rule->options.gid,
			.types = rule->options.types,
			.symlinks = rule->options.symlinks,
			.log = rule->options.log,
			.with = rule->options.with,
			.netns = rule->options.netns,
			.as = rule->options.as,
			.as_user = rule->options.as_user,
			.copy_max = rule->options.copy_max,
			.device =
				rule->options.device ? text_add(builder, rule->options.device) : 0,
			.effect = (uint8_t)rule->effect,
		};
	}
}

static void users_fill(const struct policy_set *set, struct plain_tables *tables)
{
	uint32_t first = 0;
	for (uint32_t i = 0; i < set->users.count; i++) {
		const struct policy_user *user = &set->users.items[i];
		tables->users[i] =
			(struct image_user){user->uid, user->gid, first, user->group_count};
		if (user->group_count)
			memcpy(tables->groups + first, user->groups,
				user->group_count * sizeof(*user->groups));
		first += user->group_count;
	}
}

/* Whether it allows anything, on something that can exist. */
static bool rule_can_allow(const struct policy_set *set, const struct rule *rule)
{
	bool can_match = false;
	for (uint32_t i = 0; i < rule->object_count && !can_match; i++)
		can_match = !set->objects.items[rule->first_object + i].is_never;
	return can_match && rule->effect == EFFECT_ALLOW && !rule->is_never;
}

/* For each verb, the first rule of the block that allows it, and how all of them record it. */
static void allows_fill(
	const struct policy_set *set, const struct client *client, struct image_block *block)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		block->first_allow[verb] = POLICY_NO_RULE;
		block->allow_log[verb] = POLICY_LOG_NONE;
	}
	for (uint32_t i = 0; i < client->rule_count; i++) {
		const struct rule *rule = &set->rules.items[client->first_rule + i];
		if (!rule_can_allow(set, rule))
			continue;
		for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
			if (!(rule->effective_verbs & POLICY_BIT(verb)))
				continue;
			if (block->first_allow[verb] == POLICY_NO_RULE)
				block->first_allow[verb] = client->first_rule + i;
			block->allow_log[verb] =
				log_join(block->allow_log[verb], rule->options.log);
		}
	}
}

/* A file's name is stored once; its blocks stand together. */
static void blocks_fill(struct builder *builder, struct plain_tables *tables)
{
	const struct policy_set *set = builder->set;
	uint32_t file = NONE, file_name = 0;
	for (uint32_t i = 0; i < set->clients.count; i++) {
		const struct client *client = &set->clients.items[i];
		if (client->where.file != file) {
			file = client->where.file;
			file_name = text_add(builder, set->files.items[file].name);
		}
		struct image_block *block = &tables->blocks[i];
		*block = (struct image_block){
			.name = text_add(builder, client->name),
			.file = file_name,
			.first_rule = client->first_rule,
			.rule_count = client->rule_count,
			.is_only = client->is_only,
			.quota = client->quota,
		};
		allows_fill(set, client, block);
		froms_fill(builder, tables, client, block);
	}
}

/* ip(7), vsock(7): ports below 1024 are privileged; port 0 of IP is any free one above. */
static bool object_has_low_port(const struct policy_set *set, const struct object *object)
{
	for (uint32_t i = 0; i < object->range_count; i++) {
		const struct number_range *range = &set->ranges.items[object->first_range + i];
		bool is_free_port = object->endpoint != POLICY_VSOCK && range->last == 0;
		if (!range->is_never && range->first < 1024 && !is_free_port)
			return true;
	}
	return false;
}

static void object_note_needs(const struct policy_set *set, const struct rule *rule,
	const struct object *object, struct policy_image *header)
{
	const struct pattern *pattern = &object->pattern;
	header->needs_user_name |= pattern->is_home || pattern->has_user;
	header->needs_unit |= pattern->has_instance;
	if (rule->effect != EFFECT_ALLOW)
		return;
	header->needs_unix_path |= object->kind == OBJECT_UNIX;
	if (object->endpoint != POLICY_KIND_COUNT)
		header->allowed_kinds |= 1u << object->endpoint;
	if (rule->named_verbs & POLICY_BIT(POLICY_BIND))
		header->needs_low_port |= object_has_low_port(set, object);
}

#define VERBS_THAT_CREATE (POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_BIND))

static void needs_fill(const struct policy_set *set, struct policy_image *header)
{
	header->first_deny = POLICY_NO_RULE;
	for (uint32_t i = 0; i < set->conditions.count; i++)
		header->needs_unit |= set->conditions.items[i].kind == CONDITION_UNIT;
	for (uint32_t i = 0; i < set->rules.count; i++) {
		const struct rule *rule = &set->rules.items[i];
		if (rule->effect == EFFECT_ALLOW)
			header->allowed_verbs |= rule->named_verbs;
		if (rule->effect == EFFECT_ALLOW && rule->options.as == POLICY_AS_BROKER)
			header->own_verbs |= rule->named_verbs;
		if (rule->effect == EFFECT_DENY && header->first_deny == POLICY_NO_RULE)
			header->first_deny = i;
		header->needs_owner |= rule->has_owner && rule->named_verbs & VERBS_THAT_CREATE;
		header->needs_with |= rule->options.with;
		header->needs_device |= rule->options.device != NULL;
		header->needs_as |= rule->options.as != POLICY_AS_BROKER;
		header->needs_as_peer |= rule->options.as == POLICY_AS_PEER;
		header->needs_copy |= rule->options.copy_max != 0;
		for (uint32_t j = 0; j < rule->object_count; j++)
			object_note_needs(
				set, rule, &set->objects.items[rule->first_object + j], header);
	}
}

struct table_source {
	const void *items;
	size_t count, item_size;
};

static int image_write(struct policy_image *header,
	const struct table_source sources[static TABLE_COUNT], void **image, size_t *size)
{
	size_t at = (sizeof(*header) + IMAGE_ALIGNMENT - 1) & ~(size_t)(IMAGE_ALIGNMENT - 1);
	for (int i = 0; i < TABLE_COUNT; i++) {
		size_t bytes, end;
		if (__builtin_mul_overflow(sources[i].count, sources[i].item_size, &bytes) ||
			__builtin_add_overflow(at, bytes, &end) || end > SIZE_MAX / 2)
			return -ENOMEM;
		header->sections[i] = (struct image_section){at, sources[i].count};
		at = (end + IMAGE_ALIGNMENT - 1) & ~(size_t)(IMAGE_ALIGNMENT - 1);
	}
	header->size = at;
	char *bytes = calloc(1, at);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, header, sizeof(*header));
	for (int i = 0; i < TABLE_COUNT; i++) {
		size_t length = sources[i].count * sources[i].item_size;
		if (length)
			memcpy(bytes + header->sections[i].offset, sources[i].items, length);
	}
	*image = bytes;
	*size = at;
	return 0;
}

#define SOURCE(list)                                                                               \
	{                                                                                          \
		(list).items, (list).count, sizeof(*(list).items)                                  \
	}

static int image_make(
	struct builder *builder, const struct plain_tables *tables, void **image, size_t *size)
{
	const struct policy_set *set = builder->set;
	struct policy_image header;
	memset(&header, 0, sizeof(header));
	memcpy(header.magic, IMAGE_MAGIC, sizeof(header.magic));
	header.version = IMAGE_VERSION;
	memcpy(header.endpoints, builder->endpoints, sizeof(header.endpoints));
	needs_fill(set, &header);
	const struct table_source sources[TABLE_COUNT] = {
		[TABLE_BYTES] = SOURCE(builder->bytes),
		[TABLE_BLOCKS] = {tables->blocks, set->clients.count, sizeof(*tables->blocks)},
		[TABLE_FROMS] = {tables->froms, tables->from_count, sizeof(*tables->froms)},
		[TABLE_CONDITIONS] = {tables->conditions, tables->condition_count,
			sizeof(*tables->conditions)},
		[TABLE_RULES] = {tables->rules, set->rules.count, sizeof(*tables->rules)},
		[TABLE_USERS] = {tables->users, set->users.count, sizeof(*tables->users)},
		[TABLE_GROUPS] = {tables->groups, groups_count(set), sizeof(*tables->groups)},
		[TABLE_NODES] = SOURCE(builder->nodes),
		[TABLE_GLOBS] = SOURCE(builder->globs),
		[TABLE_TERMINALS] = SOURCE(builder->terminals),
		[TABLE_ENTRIES] = SOURCE(builder->entries),
		[TABLE_KEYS] = SOURCE(builder->lookup.keys),
		[TABLE_SLOTS] = {builder->lookup.slots, builder->lookup.slot_count,
			sizeof(*builder->lookup.slots)},
	};
	int result = image_write(&header, sources, image, size);
	if (!result)
		image_measure_grants(*image);
	return result;
}

static int builder_compile(
	struct builder *builder, struct plain_tables *tables, void **image, size_t *size)
{
	if (!tables_alloc(tables, builder->set))
		return -ENOMEM;
	builder_add_objects(builder);
	if (!builder->out_of_memory)
		builder_settle_entries(builder);
	rules_fill(builder, tables);
	users_fill(builder->set, tables);
	blocks_fill(builder, tables);
	if (builder->out_of_memory || builder->set->out_of_memory)
		return -ENOMEM;
	if (policy_set_count(builder->set, POLICY_ERROR))
		return -EINVAL;
	return image_make(builder, tables, image, size);
}

static int set_compile(struct policy_set *set, void **image, size_t *size)
{
	if (set->out_of_memory)
		return -ENOMEM;
	names_resolve(set);
	if (policy_set_count(set, POLICY_ERROR))
		return set->out_of_memory ? -ENOMEM : -EINVAL;
	struct builder builder;
	struct plain_tables tables;
	builder_init(&builder, set);
	int result = builder_compile(&builder, &tables, image, size);
	tables_free(&tables);
	builder_free(&builder);
	return result;
}

int policy_set_compile(struct policy_set *set, void **image, size_t *size)
{
	int result = set_compile(set, image, size);
	set_order_diagnostics(set);
	return result;
}
