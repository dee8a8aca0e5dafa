/* SPDX-License-Identifier: MIT */
/* The ring between a process of the broker and the log, with writers that lie as well. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/ring.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Both sides. Everything is allocated, so that the address sanitizer knows where it ends. */
struct sides {
	struct ring *ring;
	uint64_t tail;
	struct record record; /* read last */
	char *text;
};

static int sides_make(void **state)
{
	struct sides *sides = calloc(1, sizeof(*sides));

	assert_non_null(sides);
	sides->ring = calloc(1, sizeof(*sides->ring));
	sides->text = calloc(1, UINT16_MAX);
	assert_non_null(sides->ring);
	assert_non_null(sides->text);
	*state = sides;
	return 0;
}

static int sides_free(void **state)
{
	struct sides *sides = *state;

	free(sides->text);
	free(sides->ring);
	free(sides);
	return 0;
}

/* Both sides are at this position, and nothing is in between. */
static void sides_move(struct sides *sides, uint64_t position)
{
	atomic_store(&sides->ring->head, position);
	atomic_store(&sides->ring->tail, position);
	sides->tail = position;
}

static void write_text(struct sides *sides, const char *unit, const char *text)
{
	size_t unit_length = strlen(unit);

	ring_write(sides->ring,
		&(struct record){.kind = RECORD_DECISION,
			.unit_length = (uint8_t)unit_length,
			.text_length = (uint16_t)(unit_length + strlen(text))},
		unit, text);
}

/* A record that takes so many bytes of the ring. */
static void write_sized(struct sides *sides, size_t total)
{
	static const char nothing[UINT16_MAX];
	struct record record = {
		.kind = RECORD_MESSAGE, .text_length = (uint16_t)(total - sizeof(record))};

	assert_in_range(total, sizeof(record), sizeof(record) + UINT16_MAX);
	ring_write(sides->ring, &record, "", nothing);
}

static bool read_until(struct sides *sides, uint64_t head)
{
	return ring_read(sides->ring, &sides->tail, head, &sides->record, sides->text);
}

static bool read_one(struct sides *sides)
{
	return read_until(sides, ring_head(sides->ring));
}

static void assert_text(const struct sides *sides, const char *text)
{
	assert_int_equal(sides->record.text_length, strlen(text));
	assert_memory_equal(sides->text, text, strlen(text));
}

/* Nothing is read, nothing is left, and what an honest writer adds later comes through. */
static void assert_skipped(struct sides *sides)
{
	assert_false(read_one(sides));
	assert_true(sides->tail == ring_head(sides->ring));
	assert_true(sides->tail == atomic_load(&sides->ring->tail));
	assert_false(read_one(sides));
	write_text(sides, "", "honest");
	assert_true(read_one(sides));
	assert_text(sides, "honest");
}

static void an_empty_ring_gives_nothing(void **state)
{
	struct sides *sides = *state;

	assert_false(read_one(sides));
	assert_true(sides->tail == 0);
}

static void a_record_is_read_as_it_was_written(void **state)
{
	struct sides *sides = *state;
	const struct record record = {.text_length = 14,
		.kind = RECORD_DECISION,
		.level = 3,
		.uid = 4000000000u,
		.pid = 4711,
		.verbs = 0x80000001u,
		.rule = UINT32_MAX,
		.error = 13,
		.reason = 2,
		.allowed = 1,
		.unit_length = 9};

	ring_write(sides->ring, &record, "a.service", "/a\0b\n");
	assert_true(read_one(sides));
	assert_memory_equal(&sides->record, &record, sizeof(record));
	assert_memory_equal(sides->text, "a.service/a\0b\n", 14);
	assert_false(read_one(sides));
}

static void a_record_may_have_no_text_or_the_longest(void **state)
{
	struct sides *sides = *state;

	write_text(sides, "", "");
	write_sized(sides, sizeof(struct record) + UINT16_MAX);
	write_text(sides, "u", "");
	assert_true(read_one(sides));
	assert_text(sides, "");
	assert_true(read_one(sides));
	assert_int_equal(sides->record.text_length, UINT16_MAX);
	assert_true(read_one(sides));
	assert_text(sides, "u");
	assert_false(read_one(sides));
}

static void records_come_in_the_order_they_were_written(void **state)
{
	static const char *const texts[] = {"one", "two", "", "three"};
	struct sides *sides = *state;

	for (size_t i = 0; i < COUNT(texts); i++)
		write_text(sides, "", texts[i]);
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(read_one(sides));
		assert_text(sides, texts[i]);
	}
	assert_false(read_one(sides));
}

/* The end of the ring lies in turn at each byte of header, unit and text. */
static void a_record_that_goes_round_the_end_is_whole(void **state)
{
	struct sides *sides = *state;
	const size_t total = sizeof(struct record) + strlen("a.service/object");

	for (size_t before = 0; before <= total + 1; before++) {
		sides_move(sides, 3 * (uint64_t)RING_BYTES - before);
		write_text(sides, "a.service", "/object");
		assert_true(read_one(sides));
		assert_text(sides, "a.service/object");
		assert_int_equal(sides->record.unit_length, strlen("a.service"));
		assert_false(read_one(sides));
	}
	assert_true(atomic_load(&sides->ring->skipped) == 0);
}

static void a_full_ring_takes_no_more_and_counts_what_it_did_not_take(void **state)
{
	struct sides *sides = *state;
	const unsigned int records = RING_BYTES / 4096;

	sides_move(sides, 12345);
	for (unsigned int i = 0; i < records; i++)
		write_sized(sides, 4096);
	assert_true(atomic_load(&sides->ring->skipped) == 0);
	write_sized(sides, sizeof(struct record));
	write_sized(sides, 4096);
	assert_true(atomic_load(&sides->ring->skipped) == 2);
	for (unsigned int i = 0; i < records; i++)
		assert_true(read_one(sides));
	assert_false(read_one(sides));
}

static void what_was_read_makes_room_to_the_byte(void **state)
{
	struct sides *sides = *state;

	for (unsigned int i = 0; i < RING_BYTES / 4096; i++)
		write_sized(sides, 4096);
	assert_true(read_one(sides));
	write_sized(sides, 4097);
	assert_true(atomic_load(&sides->ring->skipped) == 1);
	write_sized(sides, 4096);
	assert_true(atomic_load(&sides->ring->skipped) == 1);
}

static void a_head_further_than_the_ring_is_long_is_skipped(void **state)
{
	static const uint64_t ahead[] = {RING_BYTES + 1, 2 * (uint64_t)RING_BYTES, UINT32_MAX,
		(uint64_t)1 << 63, UINT64_MAX};
	struct sides *sides = *state;

	for (size_t i = 0; i < COUNT(ahead); i++) {
		atomic_store(&sides->ring->head, sides->tail + ahead[i]);
		assert_skipped(sides);
	}
}

static void a_head_that_went_back_is_skipped(void **state)
{
	struct sides *sides = *state;

	sides_move(sides, 1000);
	atomic_store(&sides->ring->head, 999);
	assert_skipped(sides);
	atomic_store(&sides->ring->head, 0);
	assert_skipped(sides);
}

static void a_ring_that_is_full_to_the_last_byte_is_read(void **state)
{
	struct sides *sides = *state;

	atomic_store(&sides->ring->head, RING_BYTES);
	assert_true(read_one(sides));
	assert_true(sides->tail == sizeof(struct record));
}

static void less_than_a_record_is_skipped(void **state)
{
	struct sides *sides = *state;

	for (uint64_t bytes = 1; bytes < sizeof(struct record); bytes++) {
		atomic_store(&sides->ring->head, sides->tail + bytes);
		assert_skipped(sides);
	}
}

/* Puts a header where the reader is, and says that so many bytes were written. */
static void write_lie(struct sides *sides, struct record record, size_t bytes)
{
	sides_move(sides, 5 * (uint64_t)RING_BYTES);
	memcpy(sides->ring->bytes, &record, sizeof(record));
	atomic_store(&sides->ring->head, sides->tail + bytes);
}

static void a_text_longer_than_what_was_written_is_not_read(void **state)
{
	static const uint16_t lengths[] = {11, 4096, UINT16_MAX};
	struct sides *sides = *state;

	for (size_t i = 0; i < COUNT(lengths); i++) {
		memset(sides->text, '-', UINT16_MAX);
		write_lie(sides, (struct record){.text_length = lengths[i]},
			sizeof(struct record) + 10);
		assert_false(read_one(sides));
		for (size_t j = 0; j < UINT16_MAX; j++)
			assert_int_equal(sides->text[j], '-');
		assert_skipped(sides);
	}
	write_lie(sides, (struct record){.text_length = 10}, sizeof(struct record) + 10);
	assert_true(read_one(sides));
}

static void a_unit_longer_than_its_text_is_not_read(void **state)
{
	struct sides *sides = *state;

	write_lie(sides, (struct record){.text_length = 10, .unit_length = 11},
		sizeof(struct record) + 10);
	assert_skipped(sides);
	write_lie(sides, (struct record){.text_length = 0, .unit_length = 255},
		sizeof(struct record));
	assert_skipped(sides);
	write_lie(sides, (struct record){.text_length = 10, .unit_length = 10},
		sizeof(struct record) + 10);
	assert_true(read_one(sides));
}

static void the_reader_believes_no_position_but_its_own(void **state)
{
	struct sides *sides = *state;

	write_text(sides, "", "one");
	write_text(sides, "", "two");
	atomic_store(&sides->ring->tail, UINT64_MAX / 2);
	assert_true(read_one(sides));
	assert_text(sides, "one");
	atomic_store(&sides->ring->tail, 0);
	assert_true(read_one(sides));
	assert_text(sides, "two");
	assert_true(atomic_load(&sides->ring->tail) == sides->tail);
}

static void a_writer_that_never_stops_does_not_hold_the_reader(void **state)
{
	struct sides *sides = *state;
	unsigned int count = 0;
	uint64_t head;

	for (unsigned int i = 0; i < 100; i++)
		write_text(sides, "", "before");
	head = ring_head(sides->ring);
	while (read_until(sides, head)) {
		write_text(sides, "", "since");
		assert_int_not_equal(++count, 101);
	}
	assert_int_equal(count, 100);
	assert_true(sides->tail == head);
	assert_true(read_one(sides));
	assert_text(sides, "since");
}

/* ---- a writer that changes what the reader is looking at ---- */

static atomic_bool liar_ends;

static void *liar_run(void *argument)
{
	struct ring *ring = argument;
	unsigned int seed = 1;

	while (!atomic_load(&liar_ends)) {
		volatile unsigned char *bytes = ring->bytes;

		for (size_t i = 0; i < sizeof(struct record); i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (unsigned char)(seed >> 16);
		}
	}
	return NULL;
}

static void what_was_checked_of_a_record_is_what_is_used(void **state)
{
	struct sides *sides = *state;
	pthread_t liar;
	bool consistent = true;
	unsigned int taken = 0, refused = 0;

	atomic_store(&liar_ends, false);
	assert_int_equal(pthread_create(&liar, NULL, liar_run, sides->ring), 0);
	/* On one processor the liar's turn has to be waited for. */
	while (taken < 20000 || refused < 200) {
		uint64_t before;

		sides_move(sides, 0);
		before = sides->tail;
		if (!read_until(sides, 60000)) {
			consistent &= sides->tail == 60000;
			refused++;
			continue;
		}
		taken++;
		consistent &= sides->record.unit_length <= sides->record.text_length;
		consistent &=
			sides->tail == before + sizeof(struct record) + sides->record.text_length;
		consistent &= sides->tail <= 60000;
	}
	atomic_store(&liar_ends, true);
	assert_int_equal(pthread_join(liar, NULL), 0);
	assert_true(consistent);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sides_make, sides_free)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_ring_gives_nothing),
		TEST(a_record_is_read_as_it_was_written),
		TEST(a_record_may_have_no_text_or_the_longest),
		TEST(records_come_in_the_order_they_were_written),
		TEST(a_record_that_goes_round_the_end_is_whole),
		TEST(a_full_ring_takes_no_more_and_counts_what_it_did_not_take),
		TEST(what_was_read_makes_room_to_the_byte),
		TEST(a_head_further_than_the_ring_is_long_is_skipped),
		TEST(a_head_that_went_back_is_skipped),
		TEST(a_ring_that_is_full_to_the_last_byte_is_read),
		TEST(less_than_a_record_is_skipped),
		TEST(a_text_longer_than_what_was_written_is_not_read),
		TEST(a_unit_longer_than_its_text_is_not_read),
		TEST(the_reader_believes_no_position_but_its_own),
		TEST(a_writer_that_never_stops_does_not_hold_the_reader),
		TEST(what_was_checked_of_a_record_is_what_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
