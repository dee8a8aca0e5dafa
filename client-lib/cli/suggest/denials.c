/* SPDX-License-Identifier: MIT */
/*
 * Denials and askers, each in a balanced tree: names in a log were chosen by whoever asked, who
 * could choose them to be bad for a hash table.
 *
 * Must never: take for an asker what will not come again, such as the number of a login session.
 */
#include "denials.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

static int texts_compare(const struct audit_text *a, const struct audit_text *b)
{
	size_t length = a->length < b->length ? a->length : b->length;
	int order = length > 0 ? memcmp(a->bytes, b->bytes, length) : 0;

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int strings_compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int askers_compare(const void *first, const void *second)
{
	const struct asker *a = first, *b = second;
	int order = strings_compare(a->unit, b->unit);

	return order != 0 ? order : (a->uid > b->uid) - (a->uid < b->uid);
}

static int mendable_compare(const struct denial *a, const struct denial *b)
{
	int order = texts_compare(&a->object, &b->object);

	if (order == 0)
		order = texts_compare(&a->target, &b->target);
	return order != 0 ? order : (a->verbs > b->verbs) - (a->verbs < b->verbs);
}

static int refusals_compare(const struct denial *a, const struct denial *b)
{
	int order = texts_compare(&a->why, &b->why);

	if (order == 0)
		order = texts_compare(&a->reason, &b->reason);
	if (order == 0)
		order = texts_compare(&a->rule, &b->rule);
	return order != 0 ? order : texts_compare(&a->client, &b->client);
}

static int other_compare(const struct denial *a, const struct denial *b)
{
	int order = refusals_compare(a, b);

	if (order != 0 || !denial_is_of_type(a))
		return order;
	return mendable_compare(a, b);
}

static int denials_compare(const void *first, const void *second)
{
	const struct denial *a = first, *b = second;
	int order = askers_compare(a->asker, b->asker);

	if (order == 0)
		order = b->is_mendable - a->is_mendable;
	if (order != 0)
		return order;
	return a->is_mendable ? mendable_compare(a, b) : other_compare(a, b);
}

static int pointers_compare(const void *first, const void *second)
{
	return denials_compare(
		*(const struct denial *const *)first, *(const struct denial *const *)second);
}

bool denial_is_of_type(const struct denial *denial)
{
	return audit_text_is(&denial->reason, "type") && denial->verbs != 0;
}

bool denials_are_alike(const struct denial *a, const struct denial *b)
{
	return !a->is_mendable && !b->is_mendable && refusals_compare(a, b) == 0 &&
	       denial_is_of_type(a) == denial_is_of_type(b);
}

/* ---- lists ---- */

/* Room for one pointer more, with those that there are; NULL: out of memory. */
static void *pointers_grow(void *pointers, size_t count)
{
	/* The room doubles: it is full at each power of two. */
	if ((count & (count - 1)) != 0)
		return pointers;
	return reallocarray(pointers, count > 0 ? 2 * count : 1, sizeof(void *));
}

static int asker_append(struct denials *denials, struct asker *asker)
{
	struct asker **grown = pointers_grow(denials->askers, denials->asker_count);

	if (grown == NULL)
		return -ENOMEM;
	denials->askers = grown;
	grown[denials->asker_count] = asker;
	return 0;
}

static int denial_append(struct denials *denials, struct denial *denial)
{
	struct denial **grown = pointers_grow(denials->items, denials->count);

	if (grown == NULL)
		return -ENOMEM;
	denials->items = grown;
	grown[denials->count] = denial;
	return 0;
}

/* ---- askers ---- */

/* What is between the two: at least a byte. NULL: it does not begin and end so. */
static const char *text_between(
	const struct audit_text *text, const char *start, const char *end, size_t *length)
{
	size_t start_length = strlen(start), end_length = strlen(end);

	if (text->length <= start_length + end_length ||
		memcmp(text->bytes, start, start_length) != 0 ||
		memcmp(text->bytes + text->length - end_length, end, end_length) != 0)
		return NULL;
	*length = text->length - start_length - end_length;
	return text->bytes + start_length;
}

/*
 * A login session has a number of its own each time, and user@UID.service is all that a user runs:
 * neither says more than the user does. Other units may begin likewise.
 */
static bool unit_says_who(const struct audit_text *unit)
{
	size_t length;
	const char *uid;

	if (unit->bytes == NULL || text_between(unit, "session-", ".scope", &length) != NULL)
		return false;
	uid = text_between(unit, "user@", ".service", &length);
	return uid == NULL || strspn(uid, "0123456789") != length;
}

static struct asker *asker_new(const struct denials *denials, const struct asker *like)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	*asker = *like;
	if (like->unit != NULL)
		asker->unit = strdup(like->unit);
	if (like->unit != NULL && asker->unit == NULL) {
		free(asker);
		return NULL;
	}
	if (denials->user_find != NULL)
		denials->user_find(asker);
	return asker;
}

static void asker_free(struct asker *asker)
{
	if (asker == NULL)
		return;
	free((char *)asker->unit);
	free((char *)asker->user);
	free(asker);
}

static int asker_add(struct denials *denials, const struct asker *like, struct asker **added)
{
	struct asker *asker = asker_new(denials, like);

	*added = asker;
	if (asker == NULL || asker_append(denials, asker) < 0 ||
		tsearch(asker, &denials->askers_tree, askers_compare) == NULL) {
		asker_free(asker);
		return -ENOMEM;
	}
	denials->asker_count++;
	return 0;
}

/* *asker is NULL when there is no room for one more. */
static int asker_find(
	struct denials *denials, const struct audit_record *record, struct asker **asker)
{
	const struct asker sought = {.uid = record->uid,
		.unit = unit_says_who(&record->unit) ? record->unit.bytes : NULL};
	struct asker *const *found = tfind(&sought, &denials->askers_tree, askers_compare);

	*asker = found != NULL ? *found : NULL;
	if (found != NULL || denials->asker_count == DENIALS_MAX)
		return 0;
	return asker_add(denials, &sought, asker);
}

/* ---- --client ---- */

/* NAME is a unit's with or without its suffix, or that of a template of which it is an instance. */
static bool unit_is_called(const char *unit, const char *name)
{
	size_t length = strlen(name);

	return unit != NULL && strncmp(unit, name, length) == 0 &&
	       (unit[length] == '\0' || unit[length] == '@' ||
		       (unit[length] == '.' && strchr(unit + length + 1, '.') == NULL));
}

static bool user_is_called(const struct asker *asker, const char *name)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", asker->uid);
	return strcmp(digits, name) == 0 || (asker->user != NULL && strcmp(asker->user, name) == 0);
}

/* A record names a client when a rule of it decided, else it is the asker that tells. */
static bool concerns_client(
	const struct denials *denials, const struct asker *asker, const struct audit_text *client)
{
	if (denials->client == NULL)
		return true;
	return (client->bytes != NULL && strcmp(client->bytes, denials->client) == 0) ||
	       unit_is_called(asker->unit, denials->client) ||
	       user_is_called(asker, denials->client);
}

/* ---- denials ---- */

static size_t text_copy(struct audit_text *text, char *to)
{
	if (text->bytes == NULL)
		return 0;
	memcpy(to, text->bytes, text->length);
	to[text->length] = '\0';
	text->bytes = to;
	return text->length + 1;
}

/* With all its texts behind it. */
static struct denial *denial_copy(const struct denial *like, size_t *size)
{
	struct denial *denial;
	char *to;

	*size = sizeof(*denial) + like->object.length + like->target.length + like->reason.length +
		like->rule.length + like->client.length + like->why.length + 6;
	denial = malloc(*size);
	if (denial == NULL)
		return NULL;
	*denial = *like;
	to = (char *)(denial + 1);
	to += text_copy(&denial->object, to);
	to += text_copy(&denial->target, to);
	to += text_copy(&denial->reason, to);
	to += text_copy(&denial->rule, to);
	to += text_copy(&denial->client, to);
	text_copy(&denial->why, to);
	return denial;
}

/* *denial is NULL when there is no room for one more. */
static int denial_find(struct denials *denials, const struct denial *sought, struct denial **denial)
{
	struct denial *const *found = tfind(sought, &denials->items_tree, denials_compare);
	size_t size;

	*denial = found != NULL ? *found : NULL;
	if (found != NULL || denials->count == DENIALS_MAX || denials->bytes > DENIALS_BYTES_MAX)
		return 0;
	*denial = denial_copy(sought, &size);
	if (*denial == NULL || denial_append(denials, *denial) < 0 ||
		tsearch(*denial, &denials->items_tree, denials_compare) == NULL) {
		free(*denial);
		return -ENOMEM;
	}
	denials->count++;
	denials->bytes += size;
	return 0;
}

static void denial_count(struct denial *denial, int64_t time_usec)
{
	denial->count++;
	if (time_usec == AUDIT_NO_TIME)
		return;
	if (denial->first_usec == AUDIT_NO_TIME || time_usec < denial->first_usec)
		denial->first_usec = time_usec;
	if (denial->last_usec == AUDIT_NO_TIME || time_usec > denial->last_usec)
		denial->last_usec = time_usec;
}

int denials_add(struct denials *denials, const struct audit_record *record)
{
	struct denial sought = {.verbs = record->verbs,
		.object = record->object,
		.target = record->target,
		.reason = record->reason,
		.rule = record->rule,
		.client = record->client,
		.why = record->why,
		.first_usec = AUDIT_NO_TIME,
		.last_usec = AUDIT_NO_TIME};
	struct denial *denial;
	struct asker *asker;
	int r;

	if (!record->is_denied ||
		(record->time_usec != AUDIT_NO_TIME && record->time_usec < denials->since_usec))
		return 0;
	r = asker_find(denials, record, &asker);
	if (r < 0)
		return r;
	if (asker != NULL && !concerns_client(denials, asker, &record->client))
		return 0;
	denials->total++;
	denials->by_syslog += record->is_by_syslog;
	sought.asker = asker;
	sought.is_mendable = audit_text_is(&record->why, "no-rule") && record->verbs != 0;
	denial = NULL;
	r = asker != NULL ? denial_find(denials, &sought, &denial) : 0;
	if (r < 0)
		return r;
	if (denial != NULL)
		denial_count(denial, record->time_usec);
	else
		denials->beyond++;
	return 0;
}

void denials_sort(struct denials *denials)
{
	if (denials->count > 0)
		qsort(denials->items, denials->count, sizeof(struct denial *), pointers_compare);
}

static void keep(void *item)
{
	(void)item; /* the lists own what the trees lead to */
}

void denials_release(struct denials *denials)
{
	tdestroy(denials->items_tree, keep);
	tdestroy(denials->askers_tree, keep);
	for (size_t i = 0; i < denials->count; i++)
		free(denials->items[i]);
	for (size_t i = 0; i < denials->asker_count; i++)
		asker_free(denials->askers[i]);
	free(denials->items);
	free(denials->askers);
}
