/* SPDX-License-Identifier: MIT */
/* Whom a block is for, and why a peer is not among them. */
#include "near-parts.h"

#include "peer.h"

static bool principal_is_known(const struct policy_set *set, const struct principal *principal)
{
	return principal->name == NONE ||
	       set->names.items[principal->name].status == POLICY_NAME_FOUND;
}

static bool condition_holds(const struct policy_set *set, const struct condition *condition,
	const struct policy_identity *identity)
{
	switch (condition->kind) {
	case CONDITION_ANYONE:
		return true;
	case CONDITION_USER:
		return principal_is_known(set, &condition->principal) &&
		       identity->uid >= condition->principal.id && identity->uid <= condition->last;
	case CONDITION_GROUP:
		return principal_is_known(set, &condition->principal) &&
		       identity_has_group(identity, condition->principal.id, condition->last);
	case CONDITION_UNIT:
		return identity_has_unit(identity, condition->unit.bytes, condition->unit.length,
			condition->unit.kind == COMPONENT_LITERAL);
	}
	return false;
}

/* How many of its conditions do not hold. */
static uint32_t from_count_failing(const struct policy_set *set, const struct from *from,
	const struct policy_identity *identity)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < from->condition_count; i++)
		count += !condition_holds(
			set, &set->conditions.items[from->first_condition + i], identity);
	return count;
}

const struct from *client_find_from(const struct policy_set *set, const struct client *client,
	const struct policy_identity *identity)
{
	for (uint32_t i = 0; i < client->from_count; i++) {
		const struct from *from = &set->froms.items[client->first_from + i];
		if (!from_count_failing(set, from, identity))
			return from;
	}
	return NULL;
}

/* A name, an id or a range of ids. */
static struct quoted principal_quote(
	const struct policy_set *set, const struct condition *condition)
{
	const struct principal *principal = &condition->principal;
	char text[sizeof("4294967295-4294967295")];
	if (principal->name != NONE) {
		const char *name = set->names.items[principal->name].name;
		return text_quote(name, strlen(name));
	}
	if (condition->last == principal->id)
		snprintf(text, sizeof(text), "%u", principal->id);
	else
		snprintf(text, sizeof(text), "%u-%u", principal->id, condition->last);
	return text_quote(text, strlen(text));
}

/* A user or a group that the peer is not, or not in. */
static void principal_describe(
	const struct lack *lack, const struct condition *condition, struct difference *difference)
{
	const struct policy_identity *identity = lack->identity;
	struct quoted wanted = principal_quote(lack->set, condition);
	const char *kind = condition->kind == CONDITION_GROUP ? "group" : "user";
	char *text = difference->text;
	if (!principal_is_known(lack->set, &condition->principal))
		snprintf(text, sizeof(difference->text), "%s %s, which does not exist", kind,
			wanted.text);
	else if (condition->kind == CONDITION_GROUP)
		snprintf(text, sizeof(difference->text), "group %s, which the asker is not in",
			wanted.text);
	else if (identity->user)
		snprintf(text, sizeof(difference->text), "user %s, not %s", wanted.text,
			text_quote(identity->user, strlen(identity->user)).text);
	else
		snprintf(text, sizeof(difference->text), "user %s, not uid %u", wanted.text,
			identity->uid);
}

static void condition_describe(
	const struct lack *lack, const struct condition *condition, struct difference *difference)
{
	const char *unit = lack->identity->unit;
	if (condition->kind != CONDITION_UNIT) {
		principal_describe(lack, condition, difference);
		return;
	}
	struct quoted wanted = span_quote(lack->set, &condition->where);
	if (unit)
		snprintf(difference->text, sizeof(difference->text), "unit %s, not %s", wanted.text,
			text_quote(unit, strlen(unit)).text);
	else
		snprintf(difference->text, sizeof(difference->text),
			"unit %s, and the asker is in no unit", wanted.text);
}

uint32_t client_compare(const struct lack *lack, const struct client *client,
	struct difference differences[static DIFFERENCES_MAX])
{
	const struct policy_set *set = lack->set;
	const struct from *best = NULL;
	uint32_t least = UINT32_MAX, count = 0;
	for (uint32_t i = 0; i < client->from_count; i++) {
		const struct from *from = &set->froms.items[client->first_from + i];
		uint32_t failing = from_count_failing(set, from, lack->identity);
		if (failing < least) {
			least = failing;
			best = from;
		}
	}
	for (uint32_t i = 0; best && i < best->condition_count && count < DIFFERENCES_MAX; i++) {
		const struct condition *condition =
			&set->conditions.items[best->first_condition + i];
		if (!condition_holds(set, condition, lack->identity))
			condition_describe(lack, condition, &differences[count++]);
	}
	return least;
}
