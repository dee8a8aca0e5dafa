/* SPDX-License-Identifier: MIT */
/* The ring's two sides: see ring.h. Pure memory, no system calls. */
#include <string.h>

#include "ring.h"

static void ring_copy_in(struct ring *ring, uint64_t at, const void *bytes, size_t length)
{
	size_t offset = at % RING_BYTES;
	size_t first = length < RING_BYTES - offset ? length : RING_BYTES - offset;

	if (length == 0)
		return;
	memcpy(ring->bytes + offset, bytes, first);
	memcpy(ring->bytes, (const char *)bytes + first, length - first);
}

static void ring_copy_out(const struct ring *ring, uint64_t at, void *bytes, size_t length)
{
	size_t offset = at % RING_BYTES;
	size_t first = length < RING_BYTES - offset ? length : RING_BYTES - offset;

	memcpy(bytes, ring->bytes + offset, first);
	memcpy((char *)bytes + first, ring->bytes, length - first);
}

/* Copies a record in behind the others. Returns its length, 0 when there is no room. */
static size_t ring_put(
	struct ring *ring, const struct record *record, const void *unit, const void *text)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	size_t total = sizeof(*record) + record->text_length;

	/* Whoever reads must not see a mixture of two. */
	atomic_store_explicit(&ring->pending, 0, memory_order_release);
	if (head - tail > RING_BYTES || total > RING_BYTES - (head - tail))
		return 0;
	ring_copy_in(ring, head, record, sizeof(*record));
	ring_copy_in(ring, head + sizeof(*record), unit, record->unit_length);
	ring_copy_in(ring, head + sizeof(*record) + record->unit_length, text,
		(size_t)(record->text_length - record->unit_length));
	return total;
}

void ring_write(struct ring *ring, const struct record *record, const void *unit, const void *text)
{
	size_t total = ring_put(ring, record, unit, text);

	if (total == 0)
		atomic_fetch_add_explicit(&ring->skipped, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&ring->head, total, memory_order_release);
}

void ring_write_pending(
	struct ring *ring, const struct record *record, const void *unit, const void *text)
{
	size_t total = ring_put(ring, record, unit, text);

	atomic_store_explicit(&ring->pending, (uint32_t)total, memory_order_release);
}

void ring_drop_pending(struct ring *ring)
{
	atomic_store_explicit(&ring->pending, 0, memory_order_release);
}

uint64_t ring_head(const struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire);
}

/* Copies the record at a place out, of which so many bytes can be had; false: it is none. */
static bool ring_get(
	const struct ring *ring, uint64_t at, uint64_t available, struct record *record, void *text)
{
	if (available < sizeof(*record) || available > RING_BYTES)
		return false;
	ring_copy_out(ring, at, record, sizeof(*record));
	if (available - sizeof(*record) < record->text_length ||
		record->unit_length > record->text_length)
		return false;
	ring_copy_out(ring, at + sizeof(*record), text, record->text_length);
	return true;
}

bool ring_read(struct ring *ring, uint64_t *tail, uint64_t head, struct record *record, void *text)
{
	bool is_there = head != *tail && ring_get(ring, *tail, head - *tail, record, text);

	if (is_there)
		*tail += sizeof(*record) + record->text_length;
	else
		*tail = head; /* what a writer that lies left */
	atomic_store_explicit(&ring->tail, *tail, memory_order_release);
	return is_there;
}

bool ring_read_pending(struct ring *ring, uint64_t tail, struct record *record, void *text)
{
	uint32_t pending = atomic_exchange_explicit(&ring->pending, 0, memory_order_acquire);

	return pending != 0 && ring_get(ring, tail, pending, record, text);
}
