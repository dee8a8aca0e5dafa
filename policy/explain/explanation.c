/* SPDX-License-Identifier: MIT */
/*
 * A decision and what led to it.
 *
 * Must never: decide anything. Where decide's answer leaves open which rules are behind it, decide
 * is asked again.
 */
#include "explanation.h"

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

static void denial_explain(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	const struct policy_decision *decision = &explanation->decision;
	struct lack lack = {.set = peer->set,
		.identity = peer->identity,
		.peer = peer->peer,
		.request = request,
		.verbs = decision->missing,
		.client = NONE};
	if (decision->outcome == POLICY_DENIED_NARROWED)
		narrowing_find(explanation, peer, request);
	if (explanation->narrowing_count)
		lack.client = explanation->narrowing[0];
	explanation->is_malformed = !decision->missing;
	if (decision->missing)
		nearest_find(&lack, &explanation->nearest);
}

void explanation_make(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	*explanation = (struct explanation){
		.decision = request_decide(request, peer->image, peer->peer, request->verbs),
		.nearest.rule = POLICY_NO_RULE,
	};
	const struct policy_decision *decision = &explanation->decision;
	rules_fill(explanation, peer, request);
	if (decision->outcome == POLICY_ALLOWED)
		explanation->from = client_find_from(peer->set,
			&peer->set->clients.items[peer->set->rules.items[decision->rule].client],
			peer->identity);
	else if (decision->outcome != POLICY_DENIED_BY_RULE &&
		 decision->outcome != POLICY_DENIED_CONFLICT)
		denial_explain(explanation, peer, request);
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
