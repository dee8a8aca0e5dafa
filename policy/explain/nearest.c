/* SPDX-License-Identifier: MIT */
/*
 * Every rule is compared with what was denied: whom it is for, its verbs, its objects. The image
 * could not tell: it finds what matches, and nothing else.
 *
 * Must never: say of a rule that it allows something.
 */
#include "near-parts.h"

#include "language.h"

/* What differs, from what is likeliest to be a mistake of the request to what is least likely. */
enum { WEIGHT_VERB = 1, WEIGHT_OBJECT = 2, WEIGHT_OTHER_USE = 3, WEIGHT_CLIENT = 4 };

/* The best rule so far. */
struct search {
	const struct lack *lack;
	struct near_names names;
	struct nearest *nearest;
	uint32_t weight, closeness;
};

/* A rule, and how it differs. */
struct candidate_rule {
	const struct rule *rule;
	uint32_t count, weight, closeness;
	struct difference differences[DIFFERENCES_MAX];
};

static void verbs_compare(const struct lack *lack, struct candidate_rule *candidate)
{
	const struct rule *rule = candidate->rule;
	char named[POLICY_VERBS_TEXT_MAX], missing[POLICY_VERBS_TEXT_MAX];
	if (!(lack->verbs & ~rule->effective_verbs))
		return;
	policy_verbs_text(rule->named_verbs, named);
	policy_verbs_text(lack->verbs & ~rule->effective_verbs, missing);
	if (candidate->count < DIFFERENCES_MAX)
		snprintf(candidate->differences[candidate->count].text,
			sizeof(candidate->differences[0].text), "%s, not %s", named, missing);
	candidate->count++;
	/* Who connects hardly ever meant to bind; who writes may well have meant to append. */
	candidate->weight +=
		lack->request->kind == REQUEST_ENDPOINT ? WEIGHT_OTHER_USE : WEIGHT_VERB;
}

/* Whether the object is one to which the same could be done at all. */
static bool kinds_agree(const struct request *request, const struct object *object)
{
	if (request->kind == REQUEST_ENDPOINT)
		return object->endpoint != POLICY_KIND_COUNT;
	if (request->verbs & POLICY_BIT(POLICY_BIND))
		return object->kind == OBJECT_UNIX;
	/* A file can be opened, or had as a credential: then it is the verb that differs. */
	return object->kind == OBJECT_PATH || object->kind == OBJECT_CREDENTIAL;
}

/* The path, after the name when both have one. */
static uint32_t file_compare(const struct search *search, const struct object *object,
	struct difference differences[static DIFFERENCES_MAX], uint32_t *closeness)
{
	const struct request *request = search->lack->request;
	const struct address *named = &object->address;
	uint32_t count = 0;
	if (request->kind == REQUEST_CREDENTIAL && object->kind == OBJECT_CREDENTIAL &&
		(named->name_length != request->name_length ||
			memcmp(named->name, request->name, request->name_length) != 0))
		snprintf(differences[count++].text, sizeof(differences[0].text), "name %s, not %s",
			text_quote(named->name, named->name_length).text,
			text_quote(request->name, request->name_length).text);
	return count +
	       path_compare(search->lack, &search->names, object, &differences[count], closeness);
}

static uint32_t object_compare(const struct search *search, const struct object *object,
	struct difference differences[static DIFFERENCES_MAX], uint32_t *closeness)
{
	const struct lack *lack = search->lack;
	*closeness = 0;
	if (!kinds_agree(lack->request, object))
		return DIFFERENCES_MAX + 1;
	if (lack->request->kind == REQUEST_ENDPOINT)
		return endpoint_compare(lack, object, differences, closeness);
	return file_compare(search, object, differences, closeness);
}

/* Adds how the nearest of the rule's objects differs. */
static void objects_compare(const struct search *search, struct candidate_rule *candidate)
{
	struct difference differences[DIFFERENCES_MAX], best[DIFFERENCES_MAX];
	const struct rule *rule = candidate->rule;
	uint32_t least = DIFFERENCES_MAX + 1;
	for (uint32_t i = 0; i < rule->object_count; i++) {
		const struct object *object =
			&search->lack->set->objects.items[rule->first_object + i];
		uint32_t closeness;
		uint32_t count = object_compare(search, object, differences, &closeness);
		if (count > DIFFERENCES_MAX || count > least ||
			(count == least && closeness <= candidate->closeness))
			continue;
		least = count;
		candidate->closeness = closeness;
		memcpy(best, differences, sizeof(best));
	}
	if (least > DIFFERENCES_MAX) {
		candidate->count += least;
		return;
	}
	for (uint32_t i = 0; i < least && candidate->count + i < DIFFERENCES_MAX; i++)
		candidate->differences[candidate->count + i] = best[i];
	candidate->count += least;
	candidate->weight += least * WEIGHT_OBJECT;
}

static bool candidate_is_nearer(const struct search *search, const struct candidate_rule *candidate)
{
	const struct nearest *nearest = search->nearest;
	if (nearest->rule == POLICY_NO_RULE || candidate->count != nearest->count)
		return nearest->rule == POLICY_NO_RULE || candidate->count < nearest->count;
	if (candidate->weight != search->weight)
		return candidate->weight < search->weight;
	return candidate->closeness > search->closeness;
}

static void never_describe(struct candidate_rule *candidate)
{
	if (candidate->count < DIFFERENCES_MAX)
		snprintf(candidate->differences[candidate->count].text,
			sizeof(candidate->differences[0].text),
			"its owner, or the user of its `as`, who does not exist");
	candidate->count++;
	candidate->weight += WEIGHT_CLIENT;
}

/* What differs in its client is known already. */
static void rule_compare(
	struct search *search, const struct candidate_rule *client, const struct rule *rule)
{
	const struct policy_set *set = search->lack->set;
	struct candidate_rule candidate = *client;
	candidate.rule = rule;
	if (rule->effect != EFFECT_ALLOW)
		return;
	if (rule->is_never)
		never_describe(&candidate);
	verbs_compare(search->lack, &candidate);
	if (candidate.count <= DIFFERENCES_MAX)
		objects_compare(search, &candidate);
	/* None at all: then it is something else that keeps it from counting. */
	if (!candidate.count || candidate.count > DIFFERENCES_MAX ||
		!candidate_is_nearer(search, &candidate))
		return;
	search->weight = candidate.weight;
	search->closeness = candidate.closeness;
	search->nearest->rule = (uint32_t)(rule - set->rules.items);
	search->nearest->count = candidate.count;
	memcpy(search->nearest->differences, candidate.differences, sizeof(candidate.differences));
}

static void client_search(struct search *search, uint32_t number)
{
	const struct policy_set *set = search->lack->set;
	const struct client *client = &set->clients.items[number];
	struct candidate_rule candidate = {0};
	candidate.count = client_compare(search->lack, client, candidate.differences);
	candidate.weight = candidate.count * WEIGHT_CLIENT;
	for (uint32_t i = 0; i < client->rule_count && candidate.count <= DIFFERENCES_MAX; i++)
		rule_compare(search, &candidate, &set->rules.items[client->first_rule + i]);
}

/* Whether it allows all that is missing, for something else of the kind. */
static bool rule_is_other(const struct lack *lack, const struct rule *rule)
{
	if (rule->effect != EFFECT_ALLOW || rule->is_never || lack->verbs & ~rule->effective_verbs)
		return false;
	for (uint32_t i = 0; i < rule->object_count; i++) {
		if (kinds_agree(lack->request, &lack->set->objects.items[rule->first_object + i]))
			return true;
	}
	return false;
}

/* Of the asker's blocks, or of the one that is meant. */
static void others_find(const struct lack *lack, struct nearest *nearest)
{
	const struct policy_set *set = lack->set;
	for (uint32_t i = 0; i < lack->peer->block_count; i++) {
		uint16_t block = lack->peer->blocks[i];
		const struct client *client = &set->clients.items[block];
		if (lack->client != NONE && lack->client != block)
			continue;
		for (uint32_t j = 0; j < client->rule_count; j++) {
			uint32_t rule = client->first_rule + j;
			if (!rule_is_other(lack, &set->rules.items[rule]))
				continue;
			nearest->others[nearest->other_count++] = rule;
			if (nearest->other_count == NEAREST_OTHERS_MAX)
				return;
		}
	}
}

void nearest_find(const struct lack *lack, struct nearest *nearest)
{
	struct search search = {.lack = lack, .nearest = nearest};
	*nearest = (struct nearest){.rule = POLICY_NO_RULE};
	if (lack->request->kind != REQUEST_ENDPOINT)
		near_names_init(&search.names, lack->request->path, lack->request->length);
	for (uint32_t i = 0; i < lack->set->clients.count; i++) {
		if (lack->client == NONE || lack->client == i)
			client_search(&search, i);
	}
	if (nearest->rule == POLICY_NO_RULE)
		others_find(lack, nearest);
}
