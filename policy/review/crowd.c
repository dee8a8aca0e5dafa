/* SPDX-License-Identifier: MIT */
/*
 * Users that more blocks are for than a peer can have: the broker disconnects them, as nobody can be
 * judged by a part of the policy. Counted are `from` lines of users alone and of anyone. Who is in a
 * group or a unit is not known here.
 */
#include "review.h"

#include <stdlib.h>

/* A range of uids begins or is past its end. */
struct change {
	uint64_t uid;
	int step;
	uint32_t client;
};

struct crowd {
	struct policy_set *set;
	LIST(struct change) changes;
};

struct uid_range {
	uint64_t first, end;
};

static int change_compare(const void *first, const void *second)
{
	const struct change *a = first, *b = second;
	int order = (a->uid > b->uid) - (a->uid < b->uid);
	if (order == 0)
		order = a->step - b->step;
	return order == 0 ? (a->client > b->client) - (a->client < b->client) : order;
}

static int range_compare(const void *first, const void *second)
{
	const struct uid_range *a = first, *b = second;
	return (a->first > b->first) - (a->first < b->first);
}

/* False: whom it is for is not known, or nobody. */
static bool from_uids(
	const struct policy_set *set, const struct from *from, struct uid_range *range)
{
	*range = (struct uid_range){0, (uint64_t)UINT32_MAX + 1};
	for (uint32_t i = 0; i < from->condition_count; i++) {
		const struct condition *condition =
			&set->conditions.items[from->first_condition + i];
		if (condition->kind == CONDITION_GROUP || condition->kind == CONDITION_UNIT)
			return false;
		if (condition->kind == CONDITION_USER && condition->principal.id > range->first)
			range->first = condition->principal.id;
		if (condition->kind == CONDITION_USER && condition->last < range->end)
			range->end = (uint64_t)condition->last + 1;
	}
	return !from->is_never && range->first < range->end;
}

static void change_add(struct crowd *crowd, uint32_t client, uint64_t uid, int step)
{
	struct change *change = list_append(&crowd->changes, &crowd->set->out_of_memory);
	if (change)
		*change = (struct change){uid, step, client};
}

/* Each uid once, however many lines of the block name it. */
static void client_add(struct crowd *crowd, uint32_t number)
{
	const struct client *client = &crowd->set->clients.items[number];
	struct uid_range *ranges = calloc((size_t)client->from_count + 1, sizeof(*ranges));
	uint32_t count = 0;
	if (!ranges) {
		crowd->set->out_of_memory = true;
		return;
	}
	for (uint32_t i = 0; i < client->from_count; i++)
		count += from_uids(crowd->set, &crowd->set->froms.items[client->first_from + i],
			&ranges[count]);
	qsort(ranges, count, sizeof(*ranges), range_compare);
	for (uint32_t i = 0; i < count;) {
		uint64_t first = ranges[i].first, end = ranges[i].end;
		for (i++; i < count && ranges[i].first <= end; i++)
			end = ranges[i].end > end ? ranges[i].end : end;
		change_add(crowd, number, first, 1);
		change_add(crowd, number, end, -1);
	}
	free(ranges);
}

static void crowd_report(const struct crowd *crowd, const struct change *change, uint64_t last)
{
	char whom[64];
	if (change->uid == 0 && last == UINT32_MAX)
		snprintf(whom, sizeof(whom), "everybody");
	else if (change->uid == last)
		snprintf(whom, sizeof(whom), "uid %u", (uint32_t)last);
	else
		snprintf(
			whom, sizeof(whom), "uids %u to %u", (uint32_t)change->uid, (uint32_t)last);
	set_report(crowd->set, POLICY_WARNING, &crowd->set->clients.items[change->client].where,
		"write the rules for the same users into one block",
		"more than %u blocks are for %s, who will be disconnected", POLICY_PEER_BLOCKS_MAX,
		whom);
}

void review_crowd(struct policy_set *set)
{
	struct crowd crowd = {.set = set};
	for (uint32_t i = 0; i < set->clients.count && !set->out_of_memory; i++)
		client_add(&crowd, i);
	if (crowd.changes.count > 0)
		qsort(crowd.changes.items, crowd.changes.count, sizeof(*crowd.changes.items),
			change_compare);
	int64_t count = 0;
	const struct change *begin = NULL;
	for (uint32_t i = 0; i < crowd.changes.count; i++) {
		const struct change *change = &crowd.changes.items[i];
		count += change->step;
		if (count > POLICY_PEER_BLOCKS_MAX && !begin)
			begin = change;
		if (count > POLICY_PEER_BLOCKS_MAX || !begin)
			continue;
		crowd_report(&crowd, begin, change->uid - 1);
		break;
	}
	free(crowd.changes.items);
}
