/* SPDX-License-Identifier: MIT */
/*
 * A decision and what led to it.
 *
 * Must never: decide anything. Where decide's answer leaves open which rules are behind it, decide
 * is asked again.
 */
#include "explanation.h"

#include "judge.h"

static void rules_fill(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		explanation->rules[verb] = POLICY_NO_RULE;
		if (request->verbs & POLICY_BIT(verb))
			explanation->rules[verb] =
				request_decide(request, peer->image, peer->peer, POLICY_BIT(verb))
					.rule;
	}
}

/* The block alone: what the others allow does not help there. */
static bool block_allows(
	const struct explained_peer *peer, uint16_t block, const struct request *request)
{
	struct policy_peer alone = *peer->peer;
	alone.blocks[0] = block;
	alone.block_count = 1;
	enum policy_outcome outcome =
		request_decide(request, peer->image, &alone, request->verbs).outcome;
	return outcome == POLICY_ALLOWED || outcome == POLICY_DENIED_CONFLICT;
}

/* The `only` blocks that do not allow it: to change one of several would not be enough. */
static void narrowing_find(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	for (uint32_t i = 0; i < peer->peer->block_count; i++) {
		uint16_t block = peer->peer->blocks[i];
		if (peer->set->clients.items[block].is_only && !block_allows(peer, block, request))
			explanation->narrowing[explanation->narrowing_count++] = block;
	}
}

/* Of a denial for which no rule and no missing verb can be named. */
static enum explained_reason refusal_find_reason(
	const struct explained_peer *peer, const struct request *request)
{
	static const enum explained_reason reasons[] = {
		[STANDING_CLIENT] = REASON_MALFORMED,
		[STANDING_NOBODY] = REASON_NOBODY,
		[STANDING_BROKER] = REASON_BROKER,
		[STANDING_TOO_MANY_BLOCKS] = REASON_TOO_MANY_BLOCKS,
	};
	bool is_decidable = request->kind != REQUEST_ENDPOINT &&
			    path_is_decidable(request->path, request->length);
	if (peer->standing == STANDING_CLIENT && is_decidable)
		return REASON_TOO_MANY_PATTERNS;
	return reasons[peer->standing];
}

static enum explained_reason reason_find(const struct explained_peer *peer,
	const struct policy_decision *decision, const struct request *request)
{
	switch (decision->outcome) {
	case POLICY_ALLOWED:
	case POLICY_DENIED_BY_RULE:
		return REASON_RULE;
	case POLICY_DENIED_NARROWED:
		return REASON_ONLY;
	case POLICY_DENIED_CONFLICT:
		return REASON_CONFLICT;
	case POLICY_DENIED_NO_RULE:
	case POLICY_DENIED_GAIN:    /* of renames, */
	case POLICY_DENIED_LIMITED: /* and of connections that were narrowed: of neither here */
		break;
	}
	return decision->missing && peer->standing == STANDING_CLIENT
		       ? REASON_NO_RULE
		       : refusal_find_reason(peer, request);
}

static void denial_explain(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	struct lack lack = {.set = peer->set,
		.identity = peer->identity,
		.peer = peer->peer,
		.request = request,
		.verbs = explanation->decision.missing,
		.client = NONE};
	narrowing_find(explanation, peer, request);
	if (explanation->reason == REASON_ONLY && explanation->narrowing_count)
		lack.client = explanation->narrowing[0];
	nearest_find(&lack, &explanation->nearest);
}

/* Whether the deny could hit a path that a link leads to. */
static bool rule_denies_path(const struct policy_set *set, const struct rule *rule, uint32_t verbs)
{
	if (rule->effect != EFFECT_DENY || rule->is_never || !(rule->effective_verbs & verbs))
		return false;
	for (uint32_t i = 0; i < rule->object_count; i++) {
		if (set->objects.items[rule->first_object + i].endpoint == POLICY_KIND_COUNT)
			return true;
	}
	return false;
}

static void denies_find(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	const struct policy_set *set = peer->set;
	if (request->kind == REQUEST_ENDPOINT ||
		explanation->decision.options.symlinks == POLICY_SYMLINKS_NONE)
		return;
	for (uint32_t i = 0; i < peer->peer->block_count; i++) {
		const struct client *client = &set->clients.items[peer->peer->blocks[i]];
		for (uint32_t j = 0; j < client->rule_count; j++) {
			uint32_t rule = client->first_rule + j;
			if (!rule_denies_path(set, &set->rules.items[rule], request->verbs))
				continue;
			if (explanation->deny_count < EXPLAINED_DENIES_MAX)
				explanation->denies[explanation->deny_count] = rule;
			explanation->deny_count++;
		}
	}
}

static void permission_explain(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	const struct policy_set *set = peer->set;
	uint32_t client = set->rules.items[explanation->decision.rule].client;
	explanation->from = client_find_from(set, &set->clients.items[client], peer->identity);
	denies_find(explanation, peer, request);
}

void explanation_make(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	*explanation = (struct explanation){
		.decision = request_decide(request, peer->image, peer->peer, request->verbs),
		.nearest.rule = POLICY_NO_RULE,
	};
	rules_fill(explanation, peer, request);
	explanation->reason = reason_find(peer, &explanation->decision, request);
	if (explanation->decision.outcome == POLICY_ALLOWED)
		permission_explain(explanation, peer, request);
	else if (explanation->reason == REASON_NO_RULE || explanation->reason == REASON_ONLY)
		denial_explain(explanation, peer, request);
}

void explanation_judge_links(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request, const char *real)
{
	const struct policy_credential credential = {
		request->name, request->name_length, real, strlen(real)};
	uint32_t rule = request->kind == REQUEST_CREDENTIAL
				? policy_deny_credential(peer->image, peer->peer, &credential)
				: policy_deny_path(peer->image, peer->peer, request->verbs, real,
					  strlen(real));
	explanation->deny_count = 0;
	if (rule == POLICY_NO_RULE)
		return;
	explanation->decision = policy_denial(peer->image, rule);
	explanation->reason = REASON_LINK;
	explanation->real = real;
}

/* ---- in words ---- */

static void quoted_print(struct quoted quoted, FILE *out)
{
	fputs(quoted.text, out);
}

static void name_print(const struct policy_set *set, const struct condition *condition,
	const char *kind, uint32_t id, FILE *out)
{
	const struct principal *principal = &condition->principal;
	if (principal->name != NONE) {
		const char *name = set->names.items[principal->name].name;
		fprintf(out, "%s %s (%cid %u)", kind, text_quote(name, strlen(name)).text, kind[0],
			id);
	} else if (condition->last != principal->id) {
		fprintf(out, "%s %u-%u", kind, principal->id, condition->last);
		if (condition->kind == CONDITION_USER)
			fprintf(out, " (uid %u)", id);
	} else {
		fprintf(out, "%s %u", kind, id);
	}
}

static void unit_print(
	const struct explained_peer *peer, const struct condition *condition, FILE *out)
{
	const char *unit = peer->identity->unit;
	fputs("unit ", out);
	quoted_print(span_quote(peer->set, &condition->where), out);
	if (condition->unit.kind == COMPONENT_LITERAL || !unit)
		return;
	fputs(" (", out);
	quoted_print(text_quote(unit, strlen(unit)), out);
	fputc(')', out);
}

void from_print(const struct explained_peer *peer, const struct from *from, FILE *out)
{
	for (uint32_t i = 0; i < from->condition_count; i++) {
		const struct condition *condition =
			&peer->set->conditions.items[from->first_condition + i];
		fputs(i ? ", " : "", out);
		switch (condition->kind) {
		case CONDITION_ANYONE:
			fputs("anyone", out);
			break;
		case CONDITION_USER:
			name_print(peer->set, condition, "user", peer->identity->uid, out);
			break;
		case CONDITION_GROUP:
			name_print(peer->set, condition, "group", condition->principal.id, out);
			break;
		case CONDITION_UNIT:
			unit_print(peer, condition, out);
			break;
		}
	}
}
