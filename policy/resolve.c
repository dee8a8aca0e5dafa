/* SPDX-License-Identifier: MIT */
/*
 * Names to numbers. A name that does not exist makes an allow match nothing, which is safe and
 * worth a warning; in a block with a deny it might take the deny away, so there it is an error.
 */
#include "build.h"

#include <stdlib.h>

static const char *const kind_names[] = {
	[POLICY_NAME_USER] = "user",
	[POLICY_NAME_GROUP] = "group",
	[POLICY_NAME_SERVICE_TCP] = "tcp service",
	[POLICY_NAME_SERVICE_UDP] = "udp service",
	[POLICY_NAME_INTERFACE] = "interface",
	[POLICY_NAME_PROTOCOL] = "protocol",
	[POLICY_NAME_ACCOUNT] = "user",
};

/*
 * An id of all ones changes nothing in setfsuid(2) and is an error elsewhere: whoever has it, if
 * anyone, is nobody to act as.
 */
static bool name_is_usable(const struct policy_name *name)
{
	bool is_usable = name->status == POLICY_NAME_FOUND;
	if (name->kind != POLICY_NAME_ACCOUNT)
		return is_usable;
	is_usable = is_usable && name->id != UINT32_MAX && name->gid != UINT32_MAX;
	for (uint32_t i = 0; is_usable && i < name->group_count; i++)
		is_usable = name->groups[i] != UINT32_MAX;
	return is_usable;
}

/* What was meant by a name that nobody has: a word of the language, or several names. */
static const char *name_find_form(const struct policy_name *name)
{
	static const char *const everybody[] = {
		"all", "any", "anyone", "anybody", "everyone", "everybody"};
	bool is_user = name->kind == POLICY_NAME_USER;
	if (!is_user && name->kind != POLICY_NAME_GROUP)
		return NULL;
	for (size_t i = 0; is_user && i < sizeof(everybody) / sizeof(*everybody); i++) {
		if (strcmp(name->name, everybody[i]) == 0)
			return "for everybody write: from anyone";
	}
	if (strchr(name->name, ','))
		return "one name each: write a line for each";
	if (is_user && strchr(name->name, '.'))
		return "create it or correct the name; a group follows a colon: USER:GROUP";
	return NULL;
}

/* Reports a name that does not exist, with the one that was probably meant, if any is known. */
static void name_report_unknown(struct policy_set *set, const struct client *client,
	const struct policy_name *name, const struct span *where)
{
	const char *kind = kind_names[name->kind];
	struct quoted quoted = text_quote(name->name, strlen(name->name));
	char guess[sizeof(struct quoted) + sizeof("did you mean ''?")];
	bool is_error = client->first_deny != NONE;
	const char *form = name_find_form(name);
	const char *remedy =
		form ? form
		: is_error
			? "a block with a deny must name what exists: create it or use its number"
			: "create it or correct the name, and load the policy again";
	if (name->near)
		snprintf(guess, sizeof(guess), "did you mean '%s'?",
			text_quote(name->near, strlen(name->near)).text);
	set_report(set, is_error ? POLICY_ERROR : POLICY_WARNING, where,
		name->near ? guess : remedy,
		is_error ? "there is no %s '%s'" : "there is no %s '%s': this never matches", kind,
		quoted.text);
}

/* NULL when the name is not to be had; that has been reported. */
static const struct policy_name *name_resolve(struct policy_set *set, const struct client *client,
	uint32_t number, const struct span *where)
{
	const struct policy_name *name = &set->names.items[number];
	if (name_is_usable(name))
		return name;
	if (name->status == POLICY_NAME_UNASKED)
		set_report(set, POLICY_ERROR, where, NULL, "nobody was asked for the %s '%s'",
			kind_names[name->kind], text_quote(name->name, strlen(name->name)).text);
	else
		name_report_unknown(set, client, name, where);
	return NULL;
}

static bool principal_resolve(
	struct policy_set *set, const struct client *client, struct principal *principal)
{
	if (principal->name == NONE)
		return true;
	const struct policy_name *name =
		name_resolve(set, client, principal->name, &principal->where);
	if (name)
		principal->id = name->id;
	return name != NULL;
}

static void from_resolve(struct policy_set *set, const struct client *client, struct from *from)
{
	for (uint32_t i = 0; i < from->condition_count; i++) {
		struct condition *condition = &set->conditions.items[from->first_condition + i];
		if (condition->kind != CONDITION_USER && condition->kind != CONDITION_GROUP)
			continue;
		if (!principal_resolve(set, client, &condition->principal))
			from->is_never = true;
		else if (condition->principal.name != NONE)
			condition->last = condition->principal.id;
	}
}

/* Those of the set's users so far, by what they are: one user may be known by several names. */
struct user_index {
	struct lookup_table table;
	struct byte_pool bytes;
};

static void user_index_free(struct user_index *index)
{
	lookup_table_free(&index->table);
	free(index->bytes.items);
}

/* The number of the user, new when it is none of them yet; NONE: out of memory. */
static uint32_t user_number(
	struct policy_set *set, struct user_index *index, const struct policy_name *name)
{
	uint64_t ids = (uint64_t)name->id << 32 | name->gid;
	size_t size = name->group_count * sizeof(*name->groups);
	const void *groups = size ? (const void *)name->groups : "";
	uint32_t number = lookup_table_find(&index->table, &index->bytes, ids, groups, size);
	if (number != LOOKUP_NONE)
		return number;
	struct policy_user *user = set_append(set, users);
	if (!user || !lookup_table_put(&index->table, &index->bytes, ids, groups, size,
			     set->users.count - 1)) {
		set->out_of_memory = true;
		return NONE;
	}
	*user = (struct policy_user){name->id, name->gid, name->groups, name->group_count};
	return set->users.count - 1;
}

static void as_resolve(struct policy_set *set, struct user_index *index,
	const struct client *client, struct rule *rule)
{
	if (rule->as.name == NONE) /* no `as`, `as peer`, or in error */
		return;
	const struct policy_name *name = name_resolve(set, client, rule->as.name, &rule->as.where);
	rule->options.as_user = name ? user_number(set, index, name) : NONE;
	rule->is_never = rule->is_never || !name;
}

static void owner_resolve(struct policy_set *set, const struct client *client, struct rule *rule)
{
	if (!rule->has_owner)
		return;
	rule->is_never = !principal_resolve(set, client, &rule->owner);
	rule->options.uid = rule->owner.id;
	/* The primary group of a uid that was given by number is not known here. */
	if (rule->owner.name != NONE)
		rule->options.gid = set->names.items[rule->owner.name].gid;
	if (!rule->has_owner_group)
		return;
	rule->is_never = !principal_resolve(set, client, &rule->owner_group) || rule->is_never;
	rule->options.gid = rule->owner_group.id;
}

static void endpoint_resolve(
	struct policy_set *set, const struct client *client, struct object *object)
{
	uint32_t interface = object->address.interface;
	object->interface_index = 0;
	if (interface != NONE) {
		const struct policy_name *name =
			name_resolve(set, client, interface, &object->address.interface_where);
		object->is_never = !name;
		object->interface_index = name ? name->id : 0;
	}
	for (uint32_t i = 0; i < object->range_count; i++) {
		struct number_range *range = &set->ranges.items[object->first_range + i];
		if (range->name == NONE)
			continue;
		const struct policy_name *name =
			name_resolve(set, client, range->name, &range->where);
		range->is_never = !name || name->id > UINT16_MAX;
		if (!range->is_never)
			range->first = range->last = name->id;
	}
}

static void rule_resolve(struct policy_set *set, struct user_index *index,
	const struct client *client, struct rule *rule)
{
	owner_resolve(set, client, rule);
	as_resolve(set, index, client, rule);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct object *object = &set->objects.items[rule->first_object + i];
		if (object->endpoint != POLICY_KIND_COUNT)
			endpoint_resolve(set, client, object);
	}
}

void names_resolve(struct policy_set *set)
{
	struct user_index index = {0};
	set->users.count = 0;
	for (uint32_t i = 0; i < set->clients.count; i++) {
		const struct client *client = &set->clients.items[i];
		for (uint32_t j = 0; j < client->from_count; j++)
			from_resolve(set, client, &set->froms.items[client->first_from + j]);
		for (uint32_t j = 0; j < client->rule_count; j++)
			rule_resolve(
				set, &index, client, &set->rules.items[client->first_rule + j]);
	}
	user_index_free(&index);
}
