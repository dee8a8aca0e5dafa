/* SPDX-License-Identifier: MIT */
/*
 * An explanation in plain words. What only the disk can tell - what is found there, and how it came
 * there - is said as a condition.
 *
 * Must never: print a byte that somebody else chose and that could steer a terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

static void print_text(const char *text)
{
	text_print(text, strlen(text), stdout);
}

static void print_verbs(uint32_t verbs)
{
	char text[POLICY_VERBS_TEXT_MAX];

	(void)fputs(policy_verbs_text(verbs, text), stdout);
}

void explain_print_place(const struct policy_image *image, uint32_t rule)
{
	struct policy_location location;

	if (rule == POLICY_NO_RULE) {
		(void)putchar('-');
		return;
	}
	policy_image_location(image, rule, &location);
	print_text(location.file);
	(void)printf(":%u", location.line);
}

/* "FILE:LINE (client NAME)" */
static void print_rule_place(const struct policy_image *image, uint32_t rule)
{
	struct policy_location location;

	policy_image_location(image, rule, &location);
	explain_print_place(image, rule);
	(void)fputs(" (client ", stdout);
	print_text(location.client);
	(void)putchar(')');
}

static void print_rule_text(const struct policy_image *image, uint32_t rule)
{
	struct policy_location location;

	policy_image_location(image, rule, &location);
	(void)fputs("    ", stdout);
	print_text(location.text);
	(void)putchar('\n');
}

static void print_rule(const char *before, const struct policy_image *image, uint32_t rule)
{
	(void)fputs(before, stdout);
	print_rule_place(image, rule);
	(void)putchar('\n');
	print_rule_text(image, rule);
}

/* ---- allowed ---- */

static bool is_same_line(const struct policy_image *image, uint32_t a, uint32_t b)
{
	struct policy_location first, second;

	policy_image_location(image, a, &first);
	policy_image_location(image, b, &second);
	return first.line == second.line && strcmp(first.file, second.file) == 0;
}

/* Other verbs of the request may be allowed by other rules, which have the same options then. */
static void print_other_rules(
	const struct explanation *explanation, const struct explained_peer *peer)
{
	uint32_t printed[POLICY_VERB_COUNT] = {explanation->decision.rule};
	unsigned int count = 1;

	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		uint32_t rule = explanation->rules[verb];
		bool is_known = rule == POLICY_NO_RULE;

		for (unsigned int i = 0; i < count && !is_known; i++)
			is_known = is_same_line(peer->image, rule, printed[i]);
		if (is_known)
			continue;
		printed[count++] = rule;
		(void)printf("and %s by ", policy_verb_name((enum policy_verb)verb));
		print_rule("", peer->image, rule);
	}
}

static void print_because(const struct explanation *explanation, const struct explained_peer *peer)
{
	struct policy_location location;

	if (explanation->from == NULL)
		return;
	policy_image_location(peer->image, explanation->decision.rule, &location);
	(void)fputs("because: ", stdout);
	from_print(peer, explanation->from, stdout);
	(void)fputs(" (", stdout);
	print_text(location.file);
	(void)printf(":%u)\n", explanation->from->where.line);
}

/* Of all blocks for the asker: they say how much, not what, and hold for whatever is asked. */
static void print_limits(const struct explained_peer *peer)
{
	struct explained_amount amounts[EXPLAINED_AMOUNTS];
	const char *separator = "limits: ";

	explain_limits(peer, amounts);
	for (size_t i = 0; i < EXPLAINED_AMOUNTS; i++) {
		if (amounts[i].most == UINT32_MAX)
			continue;
		(void)printf(
			"%s%s %u%s", separator, amounts[i].name, amounts[i].most, amounts[i].unit);
		separator = ", ";
	}
	if (separator[0] == ',')
		(void)putchar('\n');
}

/* What a link leads to cannot be told from the policy alone. */
static void print_denies_of_links(
	const struct explanation *explanation, const struct explained_peer *peer)
{
	const char *separator = "where a link leads is judged by deny too, and was not looked at "
				"here: ";

	for (uint32_t i = 0; i < explanation->deny_count && i < EXPLAINED_DENIES_MAX; i++) {
		(void)fputs(separator, stdout);
		explain_print_place(peer->image, explanation->denies[i]);
		separator = ", ";
	}
	if (explanation->deny_count > EXPLAINED_DENIES_MAX)
		(void)printf(" and %u more", explanation->deny_count - EXPLAINED_DENIES_MAX);
	if (explanation->deny_count > 0)
		(void)putchar('\n');
}

static void print_allowed(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	char *options;

	print_rule("allowed by ", peer->image, explanation->decision.rule);
	print_other_rules(explanation, peer);
	print_because(explanation, peer);
	options = explain_options(explanation, peer, request);
	if (options != NULL)
		(void)printf("%s\n", options);
	free(options);
	print_denies_of_links(explanation, peer);
	print_limits(peer);
}

/* ---- denied ---- */

/* Without one that is near: what the same is allowed for. */
static void print_others(const struct explanation *explanation, const struct explained_peer *peer)
{
	const struct nearest *nearest = &explanation->nearest;

	(void)fputs("nearest: no rule comes near", stdout);
	if (nearest->other_count > 0) {
		(void)fputs("; rules for ", stdout);
		print_verbs(explanation->decision.missing);
		(void)fputs(" are:", stdout);
	}
	(void)putchar('\n');
	for (uint32_t i = 0; i < nearest->other_count; i++)
		print_rule("", peer->image, nearest->others[i]);
}

/* An `only` block, beside the block of the nearest rule, that would still be in the way. */
static void print_only(const struct explanation *explanation, const struct explained_peer *peer)
{
	const struct policy_set *set = peer->set;

	if (explanation->reason == REASON_ONLY)
		return; /* it has been said */
	for (uint32_t i = 0; i < explanation->narrowing_count; i++) {
		uint16_t block = explanation->narrowing[i];

		if (block == set->rules.items[explanation->nearest.rule].client)
			continue;
		(void)fputs("; and client ", stdout);
		print_text(set->clients.items[block].name);
		(void)fputs(", an 'only' block, must allow it too", stdout);
	}
}

static void print_nearest(const struct explanation *explanation, const struct explained_peer *peer)
{
	const struct nearest *nearest = &explanation->nearest;

	if (nearest->rule == POLICY_NO_RULE) {
		print_others(explanation, peer);
		return;
	}
	(void)fputs("nearest: ", stdout);
	print_rule_place(peer->image, nearest->rule);
	for (uint32_t i = 0; i < nearest->count; i++)
		(void)printf("%s%s", i == 0 ? ": " : "; and ", nearest->differences[i].text);
	print_only(explanation, peer);
	(void)putchar('\n');
	print_rule_text(peer->image, nearest->rule);
}

static void print_no_rule(const struct explanation *explanation, const struct explained_peer *peer)
{
	(void)fputs("denied: no rule allows ", stdout);
	print_verbs(explanation->decision.missing);
	(void)putchar('\n');
	if (peer->peer->block_count == 0)
		(void)puts("no client block is for this asker: the broker would close the "
			   "connection");
	print_nearest(explanation, peer);
}

static void print_narrowed(const struct explanation *explanation, const struct explained_peer *peer)
{
	for (uint32_t i = 0; i < explanation->narrowing_count; i++) {
		(void)fputs(i == 0 ? "denied: client " : "so is client ", stdout);
		print_text(peer->set->clients.items[explanation->narrowing[i]].name);
		if (i == 0) {
			(void)fputs(" is an 'only' block for this asker, and no rule of it allows ",
				stdout);
			print_verbs(explanation->decision.missing);
			(void)fputs(" of this object", stdout);
		}
		(void)putchar('\n');
	}
	print_nearest(explanation, peer);
}

static void print_conflict(const struct explanation *explanation, const struct explained_peer *peer)
{
	(void)puts("denied: the rules that allow it have different options, and nothing says which "
		   "count");
	print_rule("one: ", peer->image, explanation->decision.rule);
	print_rule("other: ", peer->image, explanation->decision.other);
}

static void print_link(const struct explanation *explanation, const struct explained_peer *peer)
{
	print_rule("denied by ", peer->image, explanation->decision.rule);
	(void)fputs("because a link on the way leads to ", stdout);
	print_text(explanation->real);
	(void)putchar('\n');
}

static void print_malformed(const struct request *request)
{
	if (request->kind == REQUEST_ENDPOINT)
		(void)puts("denied: nothing can be granted for such an endpoint");
	else
		(void)puts("denied: nothing can be granted for such a path: it is too long, or has "
			   "an empty component, '.', '..' or a slash at its end");
}

void explain_print_standing(const struct explained_peer *peer, FILE *out)
{
	uint32_t uid = peer->identity->uid;

	switch (peer->standing) {
	case STANDING_CLIENT:
		break;
	case STANDING_NOBODY:
		(void)fprintf(out,
			"uid %u may be anybody (user_namespaces(7)): the broker has nothing to do "
			"with it\n",
			uid);
		break;
	case STANDING_BROKER:
		(void)fprintf(out,
			"uid %u is the broker's own user, whom it does not serve, whatever the "
			"policy says\n",
			uid);
		break;
	case STANDING_TOO_MANY_BLOCKS:
		(void)fprintf(out,
			"uid %u is concerned by more than %d client blocks: the broker grants it "
			"nothing\n",
			uid, POLICY_PEER_BLOCKS_MAX);
		break;
	}
}

static void print_refused(const struct explained_peer *peer)
{
	(void)fputs("denied: ", stdout);
	explain_print_standing(peer, stdout);
}

void explain_print(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	switch (explanation->reason) {
	case REASON_RULE:
		if (explanation->decision.outcome == POLICY_ALLOWED)
			print_allowed(explanation, peer, request);
		else
			print_rule("denied by ", peer->image, explanation->decision.rule);
		break;
	case REASON_NO_RULE:
		print_no_rule(explanation, peer);
		break;
	case REASON_ONLY:
		print_narrowed(explanation, peer);
		break;
	case REASON_CONFLICT:
		print_conflict(explanation, peer);
		break;
	case REASON_LINK:
		print_link(explanation, peer);
		break;
	case REASON_MALFORMED:
		print_malformed(request);
		break;
	case REASON_TOO_MANY_PATTERNS:
		(void)puts("denied: more patterns of the policy are at work on this path than the "
			   "broker follows: rules with fewer wildcards would do");
		break;
	case REASON_NOBODY:
	case REASON_BROKER:
	case REASON_TOO_MANY_BLOCKS:
	case REASON_COUNT:
		print_refused(peer);
		break;
	}
}
