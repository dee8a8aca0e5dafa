/* SPDX-License-Identifier: MIT */
/*
 * The denials of an audit log, each distinct one once, with how often it came and when: what is
 * kept grows with what is different in a log, not with its length.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit-log.h"

/*
 * So many distinct denials are kept: more than anybody reads, and whoever may ask the broker can
 * fill a log with different names. The bytes of their names are bounded too, since one may have
 * 4095.
 */
#define DENIALS_MAX 65536u
#define DENIALS_BYTES_MAX ((size_t)64 << 20)

/* Who asked. */
struct asker {
	uint32_t uid;
	const char *unit;  /* NULL: none that says who it is */
	const char *user;  /* malloc'ed; NULL: the uid has no name */
	uint32_t user_uid; /* who is found by that name: two users may have one, passwd(5) */
	bool is_made_up;   /* the user is there while its service runs, nss-systemd(8) */
};

struct denial {
	const struct asker *asker;
	/* Whether no rule allows it, which a rule can mend. All the others are told apart by why and
	 * by which rule, and object and verbs are an example; but for the wrong type, where a rule
	 * can mend each. */
	bool is_mendable;
	uint32_t verbs;
	struct audit_text object, target, reason, rule, client, why;
	uint64_t count;
	int64_t first_usec, last_usec; /* AUDIT_NO_TIME: not known */
};

struct denials {
	const char *client; /* only what concerns this one, or NULL */
	int64_t since_usec; /* only what is not older, or has no time */
	/* Fills in what is known of the asker's uid: the last three. NULL: nothing is. */
	void (*user_find)(struct asker *asker);

	struct denial **items; /* by asker and then by object, once denials_sort() was called */
	size_t count, bytes;
	uint64_t total;        /* how many were taken, the same ones too */
	uint64_t by_syslog;    /* how many of them came through syslog */
	uint64_t beyond;       /* and how many were not, for there was no room */
	struct asker **askers; /* those of all denials in the log, also of those left out */
	size_t asker_count;

	void *items_tree, *askers_tree; /* tsearch(3) */
};

/* Takes a record into account, if it is a denial. 0 or -ENOMEM. */
int denials_add(struct denials *denials, const struct audit_record *record);

/* Whether a rule for it has but to name its type. */
bool denial_is_of_type(const struct denial *denial);

/* Of one asker: whether they were refused for the same reason, by the same rule, and no new rule is
 * all that they need. Sorted, they are neighbours. */
bool denials_are_alike(const struct denial *a, const struct denial *b);

void denials_sort(struct denials *denials);
void denials_release(struct denials *denials);
