/* SPDX-License-Identifier: MIT */
/*
 * A record of a decision as the log shows it: the fields of fdbrokerd(8), and the three ways to
 * write them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "line.h"
#include "policy.h"
#include "ring.h"

/* In their order. */
enum decision_field {
	DECISION_VERDICT,
	DECISION_UID,
	DECISION_PID,
	DECISION_UNIT,
	DECISION_VERB,
	DECISION_OBJECT,
	DECISION_TARGET,
	DECISION_REAL,
	DECISION_REASON,
	DECISION_ERROR,
	DECISION_RULE,
	DECISION_CLIENT,
	DECISION_WHY,
	DECISION_FIELDS,
};

/* Raw bytes; NULL: there is nothing to say. */
struct decision_value {
	const char *bytes;
	size_t length;
};

struct decision {
	struct decision_value values[DECISION_FIELDS];
	char uid[16], pid[16];
	char verbs[POLICY_VERBS_TEXT_MAX];
	char rule[512]; /* of a longer name of a file the end */
	char client[256];
};

/* text, raw bytes that a worker chose, is that of the record, and is pointed to. */
void decision_read(struct decision *decision, const struct record *record, const char *text);

/* Where the record's rule stands, if it has one. */
void decision_locate(
	struct decision *decision, const struct record *record, const struct policy_image *image);

void decision_set(struct decision *decision, enum decision_field field, const char *word);

/* "audit: ..." with the time, or a JSON object, as the line says. */
void decision_write(struct line *line, const struct decision *decision);

/* Fields of the journal, escaped as in text whatever the format of the message. */
void decision_write_fields(struct line *fields, const struct decision *decision);
