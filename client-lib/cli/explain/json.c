/* SPDX-License-Identifier: MIT */
/*
 * An explanation as one JSON object. Its members are described in fdbroker(1), and scripts rely on
 * them.
 *
 * Must never: print an object of which something is missing.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "explain.h"
#include "json-text.h"

/* Each of these is the whole value, or NULL: out of memory. */

static json_t *verbs_value(uint32_t verbs)
{
	_cleanup_(json_release) json_t *array = json_array();

	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		if ((verbs & POLICY_BIT(verb)) != 0 &&
			!json_append(array, json_word(policy_verb_name((enum policy_verb)verb))))
			return NULL;
	return TAKE_PTR(array);
}

static json_t *rule_value(const struct policy_image *image, uint32_t rule)
{
	_cleanup_(json_release) json_t *object = NULL;
	struct policy_location location;

	if (rule == POLICY_NO_RULE)
		return json_null();
	object = json_object();
	policy_image_location(image, rule, &location);
	if (!json_add(object, "file", json_word(location.file)) ||
		!json_add(object, "line", json_integer(location.line)) ||
		!json_add(object, "client", json_word(location.client)) ||
		!json_add(object, "text", json_word(location.text)))
		return NULL;
	return TAKE_PTR(object);
}

static json_t *rule_list_value(
	const struct policy_image *image, const uint32_t *rules, uint32_t count)
{
	_cleanup_(json_release) json_t *array = json_array();

	for (uint32_t i = 0; i < count; i++)
		if (!json_append(array, rule_value(image, rules[i])))
			return NULL;
	return TAKE_PTR(array);
}

static json_t *differences_value(const struct nearest *nearest)
{
	_cleanup_(json_release) json_t *array = json_array();

	for (uint32_t i = 0; i < nearest->count; i++)
		if (!json_append(array, json_word(nearest->differences[i].text)))
			return NULL;
	return TAKE_PTR(array);
}

static json_t *nearest_value(const struct policy_image *image, const struct nearest *nearest)
{
	_cleanup_(json_release) json_t *object = rule_value(image, nearest->rule);

	if (nearest->rule != POLICY_NO_RULE &&
		!json_add(object, "differences", differences_value(nearest)))
		return NULL;
	return TAKE_PTR(object);
}

static json_t *groups_value(const struct policy_identity *identity)
{
	_cleanup_(json_release) json_t *array = json_array();

	for (size_t i = 0; i < identity->group_count; i++)
		if (!json_append(array, json_integer(identity->groups[i])))
			return NULL;
	return TAKE_PTR(array);
}

static json_t *gid_value(uint32_t gid)
{
	return gid != UINT32_MAX ? json_integer(gid) : json_null();
}

static json_t *asker_value(const struct policy_identity *identity)
{
	_cleanup_(json_release) json_t *object = json_object();

	if (!json_add(object, "uid", json_integer(identity->uid)) ||
		!json_add(object, "gid", gid_value(identity->gid)) ||
		!json_add(object, "groups", groups_value(identity)) ||
		!json_add(object, "user", json_word(identity->user)) ||
		!json_add(object, "unit", json_word(identity->unit)))
		return NULL;
	return TAKE_PTR(object);
}

/* What the log says too has the log's word for it. */
static const char *reason_word(const struct explanation *explanation)
{
	static const char *const words[REASON_COUNT] = {
		[REASON_LINK] = "link",
		[REASON_MALFORMED] = "malformed",
		[REASON_TOO_MANY_PATTERNS] = "too-many-patterns",
		[REASON_NOBODY] = "nobody",
		[REASON_BROKER] = "broker",
		[REASON_TOO_MANY_BLOCKS] = "too-many-blocks",
	};
	const char *word = words[explanation->reason];

	return word != NULL ? word : policy_outcome_word(explanation->decision.outcome);
}

/* By verb: of an endpoint and of most requests for files it is one rule. */
static json_t *rules_value(const struct explanation *explanation, const struct policy_image *image)
{
	_cleanup_(json_release) json_t *object = json_object();

	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		if (explanation->rules[verb] != POLICY_NO_RULE &&
			!json_add(object, policy_verb_name((enum policy_verb)verb),
				rule_value(image, explanation->rules[verb])))
			return NULL;
	return TAKE_PTR(object);
}

static json_t *limits_value(const struct explained_peer *peer)
{
	_cleanup_(json_release) json_t *object = json_object();
	struct explained_amount amounts[EXPLAINED_AMOUNTS];

	explain_limits(peer, amounts);
	for (size_t i = 0; i < EXPLAINED_AMOUNTS; i++)
		if (amounts[i].most != UINT32_MAX &&
			!json_add(object, amounts[i].name, json_integer(amounts[i].most)))
			return NULL;
	return TAKE_PTR(object);
}

static json_t *because_value(
	const struct explanation *explanation, const struct explained_peer *peer)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	if (explanation->from != NULL)
		from_print(peer, explanation->from, out);
	return fclose(out) == 0 ? json_text(text, length) : NULL;
}

static json_t *options_value(const struct explanation *explanation,
	const struct explained_peer *peer, const struct request *request)
{
	_cleanup_free_ char *text = explain_options(explanation, peer, request);

	return text != NULL ? json_word(text) : NULL;
}

static uint32_t shown_denies(const struct explanation *explanation)
{
	return explanation->deny_count < EXPLAINED_DENIES_MAX ? explanation->deny_count
							      : EXPLAINED_DENIES_MAX;
}

static bool add_allowed(json_t *object, const struct explanation *explanation,
	const struct explained_peer *peer, const struct request *request)
{
	return json_add(object, "rules", rules_value(explanation, peer->image)) &&
	       json_add(object, "because", because_value(explanation, peer)) &&
	       json_add(object, "options", options_value(explanation, peer, request)) &&
	       json_add(object, "limits", limits_value(peer)) &&
	       json_add(object, "denies",
		       rule_list_value(
			       peer->image, explanation->denies, shown_denies(explanation)));
}

/* The names of the blocks. */
static json_t *only_value(const struct explanation *explanation, const struct policy_set *set)
{
	_cleanup_(json_release) json_t *array = json_array();

	for (uint32_t i = 0; i < explanation->narrowing_count; i++)
		if (!json_append(
			    array, json_word(set->clients.items[explanation->narrowing[i]].name)))
			return NULL;
	return TAKE_PTR(array);
}

static bool add_denied(
	json_t *object, const struct explanation *explanation, const struct explained_peer *peer)
{
	const struct nearest *nearest = &explanation->nearest;

	if (explanation->reason == REASON_CONFLICT)
		return json_add(
			object, "other", rule_value(peer->image, explanation->decision.other));
	if (explanation->reason == REASON_LINK)
		return json_add(object, "target", json_word(explanation->real));
	if (explanation->reason != REASON_NO_RULE && explanation->reason != REASON_ONLY)
		return true;
	return json_add(object, "missing", verbs_value(explanation->decision.missing)) &&
	       json_add(object, "nearest", nearest_value(peer->image, nearest)) &&
	       json_add(object, "others",
		       rule_list_value(peer->image, nearest->others, nearest->other_count)) &&
	       json_add(object, "only", only_value(explanation, peer->set));
}

static bool add_all(json_t *object, const struct explanation *explanation,
	const struct explained_peer *peer, const struct request *request)
{
	bool is_allowed = explanation->decision.outcome == POLICY_ALLOWED;

	if (!json_add(object, "verdict", json_word(is_allowed ? "allowed" : "denied")) ||
		!json_add(object, "reason", json_word(reason_word(explanation))) ||
		!json_add(object, "verbs", verbs_value(request->verbs)) ||
		!json_add(object, "object", json_text(request->object, request->object_length)) ||
		!json_add(object, "asker", asker_value(peer->identity)) ||
		!json_add(object, "rule", rule_value(peer->image, explanation->decision.rule)))
		return false;
	return is_allowed ? add_allowed(object, explanation, peer, request)
			  : add_denied(object, explanation, peer);
}

bool explain_print_json(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	_cleanup_(json_release) json_t *object = json_object();
	_cleanup_free_ char *text = NULL;

	if (add_all(object, explanation, peer, request))
		text = json_dumps(object, JSON_COMPACT);
	if (text != NULL)
		(void)puts(text);
	return text != NULL;
}
