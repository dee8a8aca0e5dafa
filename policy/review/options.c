/* SPDX-License-Identifier: MIT */
/* Options that do nothing, or less than they seem to, on the verbs and objects of their line. */
#include "review.h"

#define VERBS_THAT_MAKE (POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_BIND))
#define VERBS_THAT_WRITE (POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND))

/* Whether a rule at the terminal makes what this pattern matches; of many, that is taken for so. */
static bool terminal_makes(const struct review *review, uint32_t terminal)
{
	uint32_t count;
	const uint32_t *entries = terminal_entries(review, terminal, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (i == REVIEW_ENTRIES_MAX ||
			rule_at(review, entries[i])->named_verbs & VERBS_THAT_MAKE)
			return true;
	}
	return false;
}

/* Two rules of one pattern must have the same options: then these are there for the other one. */
static bool pattern_is_made(const struct review *review, const struct rule *rule)
{
	struct cover cover;
	for (uint32_t i = 0; i < rule->object_count; i++) {
		const struct object *object = &review->set->objects.items[rule->first_object + i];
		if (object->kind != OBJECT_PATH)
			continue;
		cover_find_pattern(&review->index, EFFECT_ALLOW, &object->pattern, &cover);
		if (cover.own_terminal != NONE && terminal_makes(review, cover.own_terminal))
			return true;
	}
	return false;
}

static void review_idle(struct review *review, const struct rule *rule, const struct span *where,
	const char *option)
{
	if (!where->line || rule->named_verbs & VERBS_THAT_MAKE || pattern_is_made(review, rule))
		return;
	set_report(review->set, POLICY_WARNING, where,
		"add 'create' if it is to be made: what exists stays as it is",
		"'%s' counts for what is created, and this line creates nothing", option);
}

/* inode(7): who may list a directory and not search it gets names that lead nowhere. */
static void review_directory_mode(struct policy_set *set, const struct rule *rule)
{
	const struct policy_options *options = &rule->options;
	uint32_t searchable = options->directory_mode | (options->directory_mode & 0444) >> 2;
	if (!rule->mode_where.line || options->types != POLICY_TYPE_DIRECTORY ||
		searchable == options->directory_mode)
		return;
	char remedy[32];
	snprintf(remedy, sizeof(remedy), "write mode %04o", searchable);
	set_report(set, POLICY_WARNING, &rule->mode_where, remedy,
		"without search permission nothing in the directory can be reached");
}

/* The verbs of all allow lines of the block, made once for all its lines. */
static uint32_t block_verbs(struct review *review, uint32_t number)
{
	const struct client *client = &review->set->clients.items[number];
	if (review->verbs_client == number)
		return review->verbs;
	review->verbs_client = number;
	review->verbs = 0;
	for (uint32_t i = 0; i < client->rule_count; i++) {
		const struct rule *rule = rule_at(review, client->first_rule + i);
		if (rule->effect == EFFECT_ALLOW)
			review->verbs |= rule->named_verbs;
	}
	return review->verbs;
}

/* A file is made by opening it, and whoever opens it for reading alone makes an empty one. */
static void review_create(struct review *review, const struct rule *rule)
{
	const uint32_t others = VERBS_THAT_WRITE | POLICY_BIT(POLICY_READ) |
				POLICY_BIT(POLICY_REMOVE); /* a rename needs no more */
	if (rule->named_verbs != POLICY_BIT(POLICY_CREATE) ||
		rule->options.types != POLICY_TYPE_FILE ||
		block_verbs(review, rule->client) & others)
		return;
	review->verbs |= others; /* once for each block is enough */
	set_report(review->set, POLICY_NOTE, &rule->verbs_where,
		"write create,write or create,append; of a folder: type directory",
		"'create' alone opens nothing");
}

/* unix(7): connecting takes write permission on the socket. */
static void review_socket(struct policy_set *set, const struct rule *rule)
{
	const uint32_t first = rule->first_object;
	if (!(rule->named_verbs & POLICY_BIT(POLICY_BIND)) || rule->has_owner ||
		rule->mode_where.line)
		return;
	for (uint32_t i = 0; i < rule->object_count; i++) {
		const struct object *object = &set->objects.items[first + i];
		if (object->kind != OBJECT_UNIX)
			continue;
		set_report(set, POLICY_NOTE, &object->where,
			"say who may connect, as in: mode 0660 owner USER:GROUP",
			"this socket gets mode 0600: none but the broker's user and root can "
			"connect");
		return; /* the others are no different */
	}
}

void review_options(struct review *review, const struct rule *rule)
{
	review_idle(review, rule, &rule->mode_where, "mode");
	review_idle(review, rule, &rule->owner_where, "owner");
	review_directory_mode(review->set, rule);
	review_create(review, rule);
	review_socket(review->set, rule);
}
