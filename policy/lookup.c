/* SPDX-License-Identifier: MIT */
/* The hash table of the image, and what endpoints look like as its keys. */
#include "lookup.h"

#include <assert.h>
#include <stdlib.h>

struct lookup lookup_of(const struct policy_image *image)
{
	return (struct lookup){
		.slots = image_slots(image),
		.slot_count = (uint32_t)image->sections[TABLE_SLOTS].count,
		.keys = image_keys(image),
		.bytes = image_bytes(image),
	};
}

uint64_t lookup_hash(uint64_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

/* Lets every bit of both count in the low bits, which choose the slot (the mixer of splitmix64). */
static uint32_t hash_finish(uint64_t owner, uint64_t hash)
{
	uint64_t mixed = hash ^ owner * UINT64_C(0x9e3779b97f4a7c15);
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(mixed ^ mixed >> 31);
}

/* The key's number, or LOOKUP_NONE. */
static uint32_t key_find(const struct lookup *lookup, uint64_t owner, uint32_t hash,
	const void *bytes, size_t length)
{
	if (!lookup->slot_count)
		return LOOKUP_NONE;
	uint32_t mask = lookup->slot_count - 1;
	for (uint32_t at = hash & mask; lookup->slots[at]; at = (at + 1) & mask) {
		const struct image_key *key = &lookup->keys[lookup->slots[at] - 1];
		if (key->hash == hash && key->owner == owner && key->length == length &&
			memcmp(lookup->bytes + key->bytes, bytes, length) == 0)
			return lookup->slots[at] - 1;
	}
	return LOOKUP_NONE;
}

uint32_t lookup_find(const struct lookup *lookup, uint64_t owner, uint64_t hash, const void *bytes,
	size_t length)
{
	uint32_t key = key_find(lookup, owner, hash_finish(owner, hash), bytes, length);
	return key == LOOKUP_NONE ? LOOKUP_NONE : lookup->keys[key].value;
}

uint32_t pool_add(struct byte_pool *pool, const void *bytes, size_t length)
{
	if (length >= UINT32_MAX - pool->count)
		return NONE;
	uint32_t wanted = pool->count + (uint32_t)length;
	if (wanted > pool->capacity) {
		uint64_t capacity = (uint64_t)wanted * 2;
		capacity = capacity > UINT32_MAX ? UINT32_MAX : capacity;
		uint8_t *grown = realloc(pool->items, capacity);
		if (!grown)
			return NONE;
		pool->items = grown;
		pool->capacity = (uint32_t)capacity;
	}
	uint32_t offset = pool->count;
	if (length)
		memcpy(pool->items + offset, bytes, length);
	pool->count = wanted;
	return offset;
}

static struct lookup table_view(const struct lookup_table *table, const struct byte_pool *pool)
{
	static const uint8_t nothing;
	return (struct lookup){table->slots, table->slot_count, table->keys.items,
		pool->items ? pool->items : &nothing};
}

/* Keeps the table at most half full. */
static bool table_grow(struct lookup_table *table)
{
	if (table->keys.count < table->slot_count / 2)
		return true;
	uint32_t slot_count = table->slot_count ? table->slot_count * 2 : 64;
	uint32_t *slots = slot_count ? calloc(slot_count, sizeof(*slots)) : NULL;
	if (!slots)
		return false;
	for (uint32_t i = 0; i < table->keys.count; i++) {
		uint32_t at = table->keys.items[i].hash & (slot_count - 1);
		while (slots[at])
			at = (at + 1) & (slot_count - 1);
		slots[at] = i + 1;
	}
	free(table->slots);
	table->slots = slots;
	table->slot_count = slot_count;
	return true;
}

uint32_t lookup_table_find(const struct lookup_table *table, const struct byte_pool *pool,
	uint64_t owner, const void *bytes, size_t length)
{
	struct lookup view = table_view(table, pool);
	return lookup_find(
		&view, owner, lookup_hash(LOOKUP_HASH_EMPTY, bytes, length), bytes, length);
}

bool lookup_table_put(struct lookup_table *table, struct byte_pool *pool, uint64_t owner,
	const void *bytes, size_t length, uint32_t value)
{
	if (!table_grow(table))
		return false;
	struct lookup view = table_view(table, pool);
	uint32_t hash = hash_finish(owner, lookup_hash(LOOKUP_HASH_EMPTY, bytes, length));
	uint32_t found = key_find(&view, owner, hash, bytes, length);
	if (found != LOOKUP_NONE) {
		table->keys.items[found].value = value;
		return true;
	}
	bool out_of_memory = false;
	uint32_t offset = pool_add(pool, bytes, length);
	struct image_key *key = offset == NONE ? NULL : list_append(&table->keys, &out_of_memory);
	if (!key)
		return false;
	*key = (struct image_key){owner, hash, offset, (uint32_t)length, value};
	uint32_t at = hash & (table->slot_count - 1);
	while (table->slots[at])
		at = (at + 1) & (table->slot_count - 1);
	table->slots[at] = table->keys.count;
	return true;
}

void lookup_table_free(struct lookup_table *table)
{
	free(table->keys.items);
	free(table->slots);
}

/* Effect 1 bit, kind 5, family 3, prefix 8, level 6: no two places share an owner by chance. */
static_assert(POLICY_KIND_COUNT <= 32, "a kind has five bits in the owner of a key");

static uint64_t place_owner(const struct endpoint_place *place)
{
	return OWNER(OWNER_ENDPOINT, (uint32_t)place->effect << 28 | (uint32_t)place->kind << 20 |
					     (uint32_t)place->family << 16 |
					     (uint32_t)place->prefix << 8 | place->level);
}

bool ipv6_has_scope(const uint8_t address[static 16])
{
	bool is_link_local = address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
	uint8_t multicast_scope = address[1] & 0x0f;
	return is_link_local ||
	       (address[0] == 0xff && (multicast_scope == 1 || multicast_scope == 2));
}

void endpoint_key_make(struct endpoint_key *key, const struct endpoint_place *place)
{
	uint32_t number = (uint32_t)((uint64_t)place->number >> place->level);
	key->owner = place_owner(place);
	memcpy(key->bytes, &number, sizeof(number));
	memcpy(key->bytes + 4, &place->interface, sizeof(place->interface));
	key->length = ENDPOINT_KEY_FIXED;
	if (place->family == PLACE_NAME || place->family == PLACE_LABEL) {
		memcpy(key->bytes + key->length, place->name, place->name_length);
		key->length += place->name_length;
		return;
	}
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t prefix = place->prefix == PREFIX_ANY_ADDRESS ? 0 : place->prefix;
		uint32_t kept = prefix > i * 8 ? prefix - i * 8 : 0;
		uint32_t mask = kept >= 8 ? 0xff : 0xff00u >> kept;
		key->bytes[key->length++] = (uint8_t)(place->address[i] & mask);
	}
}
