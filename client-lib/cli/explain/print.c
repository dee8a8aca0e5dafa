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
	print_limits(peer);
}

/* ---- denied ---- */

static void print_nearest(const struct explanation *explanation, const struct explained_peer *peer)
{
	const struct nearest *nearest = &explanation->nearest;

	if (nearest->rule == POLICY_NO_RULE) {
		(void)puts("nearest: no rule comes near");
		return;
	}
	(void)fputs("nearest: ", stdout);
	print_rule_place(peer->image, nearest->rule);
	for (uint32_t i = 0; i < nearest->count; i++)
		(void)printf("%s%s", i == 0 ? ": " : "; and ", nearest->differences[i].text);
	(void)putchar('\n');
	print_rule_text(peer->image, nearest->rule);
}

static void print_no_rule(const struct explanation *explanation, const struct explained_peer *peer)
{
	if (explanation->is_malformed) {
		(void)puts("denied: nothing can be granted for such a path: it is too long, or has "
			   "an empty component, '.', '..' or a slash at its end");
		return;
	}
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

void explain_print(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	switch (explanation->decision.outcome) {
	case POLICY_ALLOWED:
		print_allowed(explanation, peer, request);
		break;
	case POLICY_DENIED_BY_RULE:
		print_rule("denied by ", peer->image, explanation->decision.rule);
		break;
	case POLICY_DENIED_NARROWED:
		print_narrowed(explanation, peer);
		break;
	case POLICY_DENIED_CONFLICT:
		print_conflict(explanation, peer);
		break;
	case POLICY_DENIED_NO_RULE:
	case POLICY_DENIED_GAIN:    /* of renames, */
	case POLICY_DENIED_LIMITED: /* and of connections that were narrowed: of neither here */
		print_no_rule(explanation, peer);
		break;
	}
}
