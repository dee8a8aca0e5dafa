/* SPDX-License-Identifier: MIT */
/*
 * Comments for whoever looks at what is suggested: how often, who, when, and what helps where a rule
 * does not.
 */
#include "comments.h"

#include <string.h>
#include <time.h>

#include "write.h"

static void text_write(const struct audit_text *text, FILE *out)
{
	if (text->bytes != NULL)
		policy_write_comment(text->bytes, text->length, out);
}

static void string_write(const char *text, FILE *out)
{
	policy_write_comment(text, strlen(text), out);
}

void comment_asker(const struct asker *asker, FILE *out)
{
	if (asker->user != NULL) {
		string_write(asker->user, out);
		fprintf(out, " (uid %u)", asker->uid);
	} else {
		fprintf(out, "uid %u", asker->uid);
	}
	if (asker->unit != NULL) {
		fputs(" in ", out);
		string_write(asker->unit, out);
	}
}

static void time_write(int64_t usec, FILE *out)
{
	time_t seconds = (time_t)(usec / 1000000);
	struct tm broken_down;
	char text[32];

	if (gmtime_r(&seconds, &broken_down) != NULL &&
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &broken_down) > 0)
		fputs(text, out);
}

void comment_often(uint64_t count, int64_t first_usec, int64_t last_usec, FILE *out)
{
	fprintf(out, "%llu time%s", (unsigned long long)count, count == 1 ? "" : "s");
	if (first_usec == AUDIT_NO_TIME)
		return;
	fputs(", ", out);
	time_write(first_usec, out);
	if (last_usec / 1000000 == first_usec / 1000000)
		return;
	fputs(" to ", out);
	time_write(last_usec, out);
}

void comment_verbs(uint32_t verbs, FILE *out)
{
	char text[POLICY_VERBS_TEXT_MAX];

	fputs(policy_verbs_text(verbs, text), out);
}

/* By the words of why and reason in fdbrokerd(8), the first that fits. */
static const struct {
	const char *why, *reason; /* NULL: any */
	const char *remedy;
} remedies[] = {
	{"deny", NULL, "a deny is not lifted by an allow; it is to be taken out or made narrower"},
	{"only", NULL, "an 'only' block that is for this client has to allow it too"},
	{"options", NULL,
		"rules with other options allow some of its verbs, and a request has those of one; "
		"write one rule with all its verbs and the options, as in 'allow write,create "
		"OBJECT mode 0640', for both"},
	{"gain", NULL, "a rename may gain nothing: the old name needs all that the new one has"},
	{"limit", NULL, "the program has narrowed its own connection"},
	{"no-client", NULL,
		"no client block is for it, so nothing could be asked: give it one, and see then"},
	{"connections", NULL, "it has more connections than its share of what the broker can have"},
	{"sessions", NULL, "it has as many connections as 'limit sessions' lets it have"},
	{NULL, "placement",
		"a user could have placed it; a rule for it needs 'as peer' or 'as' that user; in "
		"a folder that several may write to, such as /tmp, nothing is served, with 'as' "
		"either"},
	{NULL, "type",
		"it is no plain file, and a rule has to say so; look at these, and where there is "
		"a rule for just this name, change that one"},
	{NULL, "symlink", "a symbolic link on the way that is not root's, or 'symlinks none'"},
	{NULL, "netns", "the socket is in another network namespace; the rule needs 'netns'"},
	{NULL, "policy", "the file is larger than the 'max' of its rule's 'copy'"},
	{NULL, "limit", "a limit of the broker; it may be tried again"},
	{NULL, NULL, "no rule changes that"},
};

static bool text_fits(const struct audit_text *text, const char *word)
{
	return word == NULL || audit_text_is(text, word);
}

static const char *remedy_find(const struct denial *denial)
{
	size_t i = 0;

	while (!text_fits(&denial->why, remedies[i].why) ||
		!text_fits(&denial->reason, remedies[i].reason))
		i++;
	return remedies[i].remedy;
}

static void what_write(const struct denial *denial, FILE *out)
{
	if (denial->verbs != 0) {
		comment_verbs(denial->verbs, out);
		fputc(' ', out);
	}
	text_write(&denial->object, out);
	if (denial->target.bytes != NULL) {
		fputs(" to ", out);
		text_write(&denial->target, out);
	}
}

/* A rule as it would be. The log does not say which type it was, but most are one of two. */
static void typed_rule_write(const struct denial *denial, FILE *out)
{
	static const char devices[] = "/dev/";
	const struct audit_text *object = &denial->object;
	bool is_device = object->length >= sizeof(devices) &&
			 memcmp(object->bytes, devices, sizeof(devices) - 1) == 0;

	fputs("#	allow  ", out);
	comment_verbs(denial->verbs, out);
	fputs("  ", out);
	if (!policy_write_path("", object->bytes, object->length, NULL, out))
		text_write(object, out);
	fprintf(out, "  type %s\n", is_device ? "device" : "file,directory");
}

static void example_write(const struct denial *denial, FILE *out)
{
	if (denial->object.length == 0)
		return;
	fputs("#	", out);
	what_write(denial, out);
	fputs(denial->count > 1 ? ", for one\n" : "\n", out);
}

/* As one, with how often and when they came together. */
static struct denial denials_sum(struct denial *const *denials, size_t count)
{
	struct denial sum = *denials[0];

	for (size_t i = 1; i < count; i++) {
		sum.count += denials[i]->count;
		if (sum.first_usec == AUDIT_NO_TIME ||
			(denials[i]->first_usec != AUDIT_NO_TIME &&
				denials[i]->first_usec < sum.first_usec))
			sum.first_usec = denials[i]->first_usec;
		if (denials[i]->last_usec > sum.last_usec)
			sum.last_usec = denials[i]->last_usec;
	}
	return sum;
}

void comment_other(struct denial *const *denials, size_t count, FILE *out)
{
	const struct denial sum = denials_sum(denials, count);

	fputs("# ", out);
	comment_often(sum.count, sum.first_usec, sum.last_usec, out);
	fputs(", ", out);
	comment_asker(sum.asker, out);
	fputs(": denied", out);
	if (sum.rule.bytes != NULL) {
		fputs(" by ", out);
		text_write(&sum.rule, out);
	}
	fputs(" (", out);
	text_write(sum.why.bytes != NULL ? &sum.why : &sum.reason, out);
	fprintf(out, "): %s\n", remedy_find(&sum));
	for (size_t i = 0; i < count; i++) {
		if (denial_is_of_type(denials[i]))
			typed_rule_write(denials[i], out);
		else
			example_write(denials[i], out);
	}
}

void comment_misfit(const struct misfit *misfit, FILE *out)
{
	const struct denial *denial = misfit->denial;

	fputs("# ", out);
	comment_often(denial->count, denial->first_usec, denial->last_usec, out);
	fputs(", ", out);
	comment_asker(denial->asker, out);
	fprintf(out, ": %s\n#	", misfit->why);
	what_write(denial, out);
	fputc('\n', out);
}
