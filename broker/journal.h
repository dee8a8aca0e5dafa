/* SPDX-License-Identifier: MIT */
/*
 * Sending to the journal by its own protocol, for which no library is mapped:
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. It never waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* MESSAGE_ID: sd_id128_t of systemd.journal-fields(7), explained by systemd/fdbroker.catalog. */
#define JOURNAL_DENIED "a195c944b26946dab7d5184784d40166"
#define JOURNAL_ALLOWED "9a566dad7da947b1a69dd4fd19b32ff4"
#define JOURNAL_RELOAD_FAILED "8e36e4064c314b0493fec43662987e37"
#define JOURNAL_RELOAD_DONE "9568f9823574462da1111292cd0aea39"

/* False: nobody listens there, and nothing is left open. */
bool journal_open(const char *path);

/* Bytes without a newline (a message), or lines NAME=value with one at the end of each (fields). */
struct journal_text {
	const char *bytes;
	size_t length;
};

/* One entry. message_id may be NULL. False: the journal does not take it now. */
bool journal_write(int priority, const char *message_id, struct journal_text fields,
	struct journal_text message);
