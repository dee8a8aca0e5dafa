/* SPDX-License-Identifier: MIT */
/*
 * An explanation as one JSON object. Its members are described in fdbroker(1); scripts rely on them.
 *
 * Must never: put bytes into a string that are no UTF-8, as paths may have.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

/* As it is, or, when that is no UTF-8, with each byte beyond ASCII as \xHH, and \ as \\. */
static json_t *text_to_json(const char *text, size_t length)
{
	json_t *json = json_stringn(text, length);
	char *escaped;
	size_t used = 0;

	if (json != NULL)
		return json;
	escaped = malloc(4 * length + 1);
	if (escaped == NULL)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 0x80)
			used += (size_t)sprintf(escaped + used, "\\x%02x", byte);
		else if (byte == '\\')
			used += (size_t)sprintf(escaped + used, "\\\\");
		else
			escaped[used++] = text[i];
	}
	json = json_stringn(escaped, used);
	free(escaped);
	return json;
}

static json_t *string_to_json(const char *text)
{
	return text_to_json(text, strlen(text));
}

static json_t *verbs_to_json(uint32_t verbs)
{
	json_t *array = json_array();

	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		if ((verbs & POLICY_BIT(verb)) != 0)
			json_array_append_new(
				array, json_string(policy_verb_name((enum policy_verb)verb)));
	return array;
}

static json_t *rule_to_json(const struct policy_image *image, uint32_t rule)
{
	struct policy_location location;
	json_t *object = json_object();

	policy_image_location(image, rule, &location);
	json_object_set_new(object, "file", string_to_json(location.file));
	json_object_set_new(object, "line", json_integer(location.line));
	json_object_set_new(object, "client", string_to_json(location.client));
	json_object_set_new(object, "text", string_to_json(location.text));
	return object;
}

static json_t *nearest_to_json(const struct policy_image *image, const struct nearest *nearest)
{
	json_t *object, *differences;

	if (nearest->rule == POLICY_NO_RULE)
		return json_null();
	object = rule_to_json(image, nearest->rule);
	differences = json_array();
	for (uint32_t i = 0; i < nearest->count; i++)
		json_array_append_new(differences, string_to_json(nearest->differences[i].text));
	json_object_set_new(object, "differences", differences);
	return object;
}

static json_t *peer_to_json(const struct policy_identity *identity)
{
	json_t *object = json_object(), *groups = json_array();

	json_object_set_new(object, "uid", json_integer(identity->uid));
	json_object_set_new(object, "gid",
		identity->gid != UINT32_MAX ? json_integer(identity->gid) : json_null());
	for (size_t i = 0; i < identity->group_count; i++)
		json_array_append_new(groups, json_integer(identity->groups[i]));
	json_object_set_new(object, "groups", groups);
	json_object_set_new(object, "user",
		identity->user != NULL ? string_to_json(identity->user) : json_null());
	json_object_set_new(object, "unit",
		identity->unit != NULL ? string_to_json(identity->unit) : json_null());
	return object;
}

/* By verb: of an endpoint and of most requests for files it is one rule. */
static json_t *rules_to_json(
	const struct explanation *explanation, const struct policy_image *image)
{
	json_t *object = json_object();

	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		if (explanation->rules[verb] != POLICY_NO_RULE)
			json_object_set_new(object, policy_verb_name((enum policy_verb)verb),
				rule_to_json(image, explanation->rules[verb]));
	return object;
}

static json_t *limits_to_json(const struct explained_peer *peer)
{
	struct explained_amount amounts[EXPLAINED_AMOUNTS];
	json_t *object = json_object();

	explain_limits(peer, amounts);
	for (size_t i = 0; i < EXPLAINED_AMOUNTS; i++)
		if (amounts[i].most != UINT32_MAX)
			json_object_set_new(object, amounts[i].name, json_integer(amounts[i].most));
	return object;
}

static void add_allowed(json_t *object, const struct explanation *explanation,
	const struct explained_peer *peer, const struct request *request)
{
	char *options = explain_options(explanation, peer, request);
	char *because = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&because, &length);

	json_object_set_new(object, "rules", rules_to_json(explanation, peer->image));
	if (out != NULL) {
		if (explanation->from != NULL)
			from_print(peer, explanation->from, out);
		(void)fclose(out);
		json_object_set_new(object, "because", text_to_json(because, length));
	}
	if (options != NULL)
		json_object_set_new(object, "options", string_to_json(options));
	json_object_set_new(object, "limits", limits_to_json(peer));
	free(because);
	free(options);
}

/* The names of the blocks. */
static json_t *narrowing_to_json(
	const struct explanation *explanation, const struct policy_set *set)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < explanation->narrowing_count; i++)
		json_array_append_new(
			array, string_to_json(set->clients.items[explanation->narrowing[i]].name));
	return array;
}

static void add_denied(
	json_t *object, const struct explanation *explanation, const struct explained_peer *peer)
{
	const struct policy_decision *decision = &explanation->decision;

	if (decision->missing != 0) {
		json_object_set_new(object, "missing", verbs_to_json(decision->missing));
		json_object_set_new(
			object, "nearest", nearest_to_json(peer->image, &explanation->nearest));
	}
	if (decision->outcome == POLICY_DENIED_NARROWED)
		json_object_set_new(object, "only", narrowing_to_json(explanation, peer->set));
	if (decision->outcome == POLICY_DENIED_CONFLICT)
		json_object_set_new(object, "other", rule_to_json(peer->image, decision->other));
}

bool explain_print_json(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	const struct policy_decision *decision = &explanation->decision;
	bool is_allowed = decision->outcome == POLICY_ALLOWED;
	json_t *object = json_object();
	int printed;

	json_object_set_new(object, "verdict", json_string(is_allowed ? "allowed" : "denied"));
	json_object_set_new(object, "reason",
		json_string(explanation->is_malformed ? "malformed"
						      : policy_outcome_word(decision->outcome)));
	json_object_set_new(object, "verbs", verbs_to_json(request->verbs));
	json_object_set_new(
		object, "object", text_to_json(request->object, request->object_length));
	json_object_set_new(object, "asker", peer_to_json(peer->identity));
	json_object_set_new(object, "rule",
		decision->rule != POLICY_NO_RULE ? rule_to_json(peer->image, decision->rule)
						 : json_null());
	if (is_allowed)
		add_allowed(object, explanation, peer, request);
	else
		add_denied(object, explanation, peer);
	printed = json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
	(void)putchar('\n');
	return printed == 0;
}
