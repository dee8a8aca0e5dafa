/* SPDX-License-Identifier: MIT */
/*
 * The memory of a policy before it is compiled: an arena for texts, growing lists for the rest,
 * and two indexes by name. Nothing here knows the language.
 */
#include "set.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#define ARENA_CHUNK_SIZE 65536u

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

void *list_grow(void *items, uint32_t count, uint32_t *capacity, size_t item_size)
{
	if (items && count < *capacity)
		return items;
	uint32_t wanted = *capacity ? *capacity : 8;
	if (__builtin_add_overflow(wanted, *capacity, &wanted))
		return NULL;
	void *grown = reallocarray(items, wanted, item_size);
	if (grown)
		*capacity = wanted;
	return grown;
}

void *set_alloc(struct policy_set *set, size_t size)
{
	if (!set)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_chunk *chunk = set->arena;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t chunk_size = size > ARENA_CHUNK_SIZE ? size : ARENA_CHUNK_SIZE;
		chunk = malloc(sizeof(*chunk) + chunk_size);
		if (!chunk) {
			set->out_of_memory = true;
			return NULL;
		}
		*chunk = (struct arena_chunk){.next = set->arena, .size = chunk_size};
		set->arena = chunk;
	}
	void *memory = chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

char *set_copy(struct policy_set *set, const char *bytes, size_t length)
{
	char *copy = set_alloc(set, length + 1);
	if (!copy)
		return NULL;
	if (length)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

static uint32_t text_hash(uint32_t seed, const char *bytes, size_t length)
{
	uint32_t hash = 2166136261u ^ seed; /* FNV-1a */
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 16777619u;
	return hash;
}

/* Keeps the index at most half full. */
static bool index_grow(struct name_index *index)
{
	if (index->used < index->slot_count / 2)
		return true;
	uint32_t slot_count = index->slot_count ? index->slot_count * 2 : 64;
	struct index_slot *slots = calloc(slot_count, sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < index->slot_count; i++) {
		if (!index->slots[i].item)
			continue;
		uint32_t at = index->slots[i].hash & (slot_count - 1);
		while (slots[at].item)
			at = (at + 1) & (slot_count - 1);
		slots[at] = index->slots[i];
	}
	free(index->slots);
	index->slots = slots;
	index->slot_count = slot_count;
	return true;
}

static bool name_equals(const struct policy_name *name, enum policy_name_kind kind,
	const char *bytes, size_t length)
{
	return name->kind == kind && strlen(name->name) == length &&
	       memcmp(name->name, bytes, length) == 0;
}

uint32_t set_name(
	struct policy_set *set, enum policy_name_kind kind, const char *bytes, size_t length)
{
	if (!set)
		return NONE;
	struct name_index *index = &set->names_index;
	if (!index_grow(index)) {
		set->out_of_memory = true;
		return NONE;
	}
	uint32_t hash = text_hash(kind, bytes, length);
	uint32_t at = hash & (index->slot_count - 1);
	for (; index->slots[at].item; at = (at + 1) & (index->slot_count - 1)) {
		uint32_t item = index->slots[at].item - 1;
		if (name_equals(&set->names.items[item], kind, bytes, length))
			return item;
	}
	const char *copy = set_copy(set, bytes, length);
	struct policy_name *name = copy ? set_append(set, names) : NULL;
	if (!name)
		return NONE;
	*name = (struct policy_name){.kind = kind, .name = copy};
	index->slots[at] = (struct index_slot){hash, set->names.count};
	index->used++;
	return set->names.count - 1;
}

uint32_t set_client_first(struct policy_set *set, uint32_t client)
{
	struct name_index *index = &set->clients_index;
	if (!index_grow(index)) {
		set->out_of_memory = true;
		return client;
	}
	const char *name = set->clients.items[client].name;
	uint32_t hash = text_hash(0, name, strlen(name));
	uint32_t at = hash & (index->slot_count - 1);
	for (; index->slots[at].item; at = (at + 1) & (index->slot_count - 1)) {
		uint32_t item = index->slots[at].item - 1;
		if (strcmp(set->clients.items[item].name, name) == 0)
			return item;
	}
	index->slots[at] = (struct index_slot){hash, client + 1};
	index->used++;
	return client;
}

uint32_t set_file(struct policy_set *set, const char *name)
{
	for (uint32_t i = set->files.count; i-- > 0;) {
		if (strcmp(set->files.items[i].name, name) == 0)
			return i;
	}
	const char *copy = set_copy(set, name, strlen(name));
	struct source_file *file = copy ? set_append(set, files) : NULL;
	if (!file)
		return NONE;
	*file = (struct source_file){.name = copy, .text = ""};
	return set->files.count - 1;
}

struct policy_set *policy_set_new(void)
{
	return calloc(1, sizeof(struct policy_set));
}

static void name_free(struct policy_name *name)
{
	free(name->groups);
	free(name->near);
}

void policy_set_free(struct policy_set *set)
{
	if (!set)
		return;
	while (set->arena) {
		struct arena_chunk *next = set->arena->next;
		free(set->arena);
		set->arena = next;
	}
	free(set->files.items);
	free(set->diagnostics.items);
	free(set->diagnostic_files.items);
	for (uint32_t i = 0; i < set->names.count; i++)
		name_free(&set->names.items[i]);
	free(set->names.items);
	free(set->names_index.slots);
	free(set->clients.items);
	free(set->clients_index.slots);
	free(set->froms.items);
	free(set->conditions.items);
	free(set->rules.items);
	free(set->objects.items);
	free(set->ranges.items);
	free(set->users.items);
	free(set);
}

struct policy_name *policy_set_names(struct policy_set *set, size_t *count)
{
	*count = set->names.count;
	return set->names.items;
}
