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

void ring_write(struct ring *ring, const struct record *record, const void *unit, const void *text)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	size_t total = sizeof(*record) + record->text_length;

	if (head - tail > RING_BYTES || total > RING_BYTES - (head - tail)) {
		atomic_fetch_add_explicit(&ring->skipped, 1, memory_order_relaxed);
		return;
	}
	ring_copy_in(ring, head, record, sizeof(*record));
	ring_copy_in(ring, head + sizeof(*record), unit, record->unit_length);
	ring_copy_in(ring, head + sizeof(*record) + record->unit_length, text,
		(size_t)(record->text_length - record->unit_length));
	atomic_store_explicit(&ring->head, head + total, memory_order_release);
}

uint64_t ring_head(const struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire);
}

bool ring_read(struct ring *ring, uint64_t *tail, uint64_t head, struct record *record, void *text)
{
	uint64_t available = head - *tail;

	if (available == 0)
		return false;
	if (available < sizeof(*record) || available > RING_BYTES)
		goto lied;
	ring_copy_out(ring, *tail, record, sizeof(*record));
	if (available - sizeof(*record) < record->text_length ||
		record->unit_length > record->text_length)
		goto lied;
	ring_copy_out(ring, *tail + sizeof(*record), text, record->text_length);
	*tail += sizeof(*record) + record->text_length;
	atomic_store_explicit(&ring->tail, *tail, memory_order_release);
	return true;

lied:
	*tail = head;
	atomic_store_explicit(&ring->tail, head, memory_order_release);
	return false;
}
