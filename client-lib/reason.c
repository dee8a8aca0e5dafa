/* SPDX-License-Identifier: MIT */
/*
 * The reason of each thread's last call, and reasons in words. The numbers are written out in
 * fdbroker.h, for those who read it, and kept in reason.h, for all who need the table: this file
 * must never let the two differ.
 */
#include "reason.h"
#include "connection.h"

#include <assert.h>
#include <errno.h>

#define CHECK(symbol, number, name, text)                                                          \
	static_assert(                                                                             \
		FDBROKER_REASON_##symbol == (number), "fdbroker.h and reason.h differ: " name);
FDBROKER_REASONS(CHECK)

/* One string behind the other and where each begins: pointers would have to be relocated. */
#define ROOM(symbol, number, name, text) char symbol[sizeof(name ": " text)];
#define WORDS(symbol, number, name, text) .symbol = name ": " text,
static const struct words {
	FDBROKER_REASONS(ROOM)
} words = {FDBROKER_REASONS(WORDS)};

#define OFFSET(symbol, number, name, text) [number] = offsetof(struct words, symbol),
static const uint16_t offsets[] = {FDBROKER_REASONS(OFFSET)};

static _Thread_local enum fdbroker_reason last_reason = FDBROKER_REASON_NONE;

enum fdbroker_reason fdbroker_last_reason(void)
{
	return last_reason;
}

const char *fdbroker_strreason(enum fdbroker_reason reason)
{
	unsigned int number = (unsigned int)reason;

	if (number >= sizeof(offsets) / sizeof(offsets[0]))
		return "other: a reason that this version of libfdbroker does not know";
	return (const char *)&words + offsets[number];
}

void set_last_reason(enum fdbroker_reason reason)
{
	last_reason = reason;
}

int report_outcome(int error, enum fdbroker_reason reason)
{
	set_last_reason(reason);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}
