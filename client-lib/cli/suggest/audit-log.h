/* SPDX-License-Identifier: MIT */
/*
 * The audit log of fdbrokerd(8), read back: lines of text, JSON lines of its own, and those of
 * `journalctl -o json`, told apart line by line. Fields are found by their names, wherever they
 * stand, and those that are not known are passed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Bytes that somebody else chose, decoded. NULL: the record has no such field, or "-". */
struct audit_text {
	const char *bytes;
	size_t length;
};

bool audit_text_is(const struct audit_text *text, const char *word);

/* Decimal digits alone, of at most `most`. */
bool audit_text_number(const struct audit_text *text, int64_t most, int64_t *number);

#define AUDIT_NO_TIME INT64_MIN

struct audit_record {
	bool is_denied;
	uint32_t uid;
	uint32_t verbs; /* POLICY_BIT; 0: it did not come to that */
	struct audit_text unit, object, target, reason, rule, client, why;
	int64_t time_usec; /* since 1970, or AUDIT_NO_TIME */
	/* It came through syslog, which does not say who wrote it. */
	bool is_by_syslog;
};

enum audit_line {
	AUDIT_RECORD,
	AUDIT_OTHER,   /* something else that is in the log */
	AUDIT_BROKEN,  /* a record that was cut off, or is none that fdbrokerd wrote */
	AUDIT_FOREIGN, /* a record, but the journal says that another user wrote it */
	AUDIT_FAILED,  /* reading, or there is no memory: see errno */
};

struct audit_reader {
	FILE *in;
	/* A journal says which user wrote what, and other users can write what looks like a record.
	 * So only root's counts and this one's. */
	uid_t broker_uid;
	uid_t foreign_uid; /* who wrote what was AUDIT_FOREIGN last */
	/* The reader's own. */
	char *line;
	size_t line_size;
	char *texts; /* of the record */
	size_t texts_size, texts_length;
};

/* Reads a line. False: there are no more. The record's texts are good until the next call. */
bool audit_read(struct audit_reader *reader, enum audit_line *kind, struct audit_record *record);

void audit_reader_release(struct audit_reader *reader);
