/* SPDX-License-Identifier: MIT */
/* A decision in words, for people and for the log. */
#include "set.h"

static void location_print(const struct policy_image *image, uint32_t rule, FILE *out)
{
	struct policy_location location;
	policy_image_location(image, rule, &location);
	text_print(location.file, strlen(location.file), out);
	fprintf(out, ":%u (client ", location.line);
	text_print(location.client, strlen(location.client), out);
	fputc(')', out);
}

static void verbs_print(uint32_t verbs, FILE *out)
{
	const char *separator = " ";
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (!(verbs & POLICY_BIT(verb)))
			continue;
		fprintf(out, "%s%s", separator, policy_verb_name((enum policy_verb)verb));
		separator = ",";
	}
}

/* What would surprise whoever asks, when it is allowed: whose identity counts, and what comes back. */
static void options_print(
	const struct policy_image *image, const struct policy_options *options, FILE *out)
{
	struct policy_user user;
	if (options->as == POLICY_AS_PEER)
		fputs(", as the client itself", out);
	if (options->as == POLICY_AS_USER) {
		policy_image_user(image, options->as_user, &user);
		fprintf(out, ", as uid %u", user.uid);
	}
	if (options->copy_max)
		fprintf(out, ", as a copy of at most %u bytes", options->copy_max);
}

static const char *const openings[] = {
	[POLICY_ALLOWED] = "allowed by ",
	[POLICY_DENIED_NO_RULE] = "denied: no rule allows",
	[POLICY_DENIED_BY_RULE] = "denied by ",
	[POLICY_DENIED_NARROWED] = "denied: an 'only' block does not allow",
	[POLICY_DENIED_GAIN] = "denied: more would be possible with the new name; but for that "
			       "allowed by ",
	[POLICY_DENIED_LIMITED] = "denied: the connection was narrowed; but for that allowed by ",
	[POLICY_DENIED_CONFLICT] = "denied: rules with different options apply, one is ",
};

void policy_explain(
	const struct policy_image *image, const struct policy_decision *decision, FILE *out)
{
	fputs(openings[decision->outcome], out);
	bool is_missing = decision->outcome == POLICY_DENIED_NO_RULE ||
			  decision->outcome == POLICY_DENIED_NARROWED;
	if (decision->missing)
		verbs_print(decision->missing, out);
	else if (is_missing)
		fputs(" it", out);
	if (is_missing && decision->rule != POLICY_NO_RULE)
		fputs(": ", out);
	if (decision->rule != POLICY_NO_RULE)
		location_print(image, decision->rule, out);
	if (decision->outcome == POLICY_ALLOWED)
		options_print(image, &decision->options, out);
	fputc('\n', out);
}
