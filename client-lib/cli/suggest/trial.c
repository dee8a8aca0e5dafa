/* SPDX-License-Identifier: MIT */
/*
 * A rule is tried by what will judge it in the broker: the policy library, from the text on.
 *
 * Must never look at a rule in any other form than the one that is printed.
 */
#include "trial.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "asker.h"
#include "comments.h"

/* What the name service says; there are no other names in these blocks. */
static void names_answer(struct policy_set *set, const struct asker *asker)
{
	size_t count;
	struct policy_name *names = policy_set_names(set, &count);

	for (size_t i = 0; i < count; i++) {
		bool is_user = names[i].kind == POLICY_NAME_USER && asker->user != NULL &&
			       strcmp(names[i].name, asker->user) == 0;

		names[i].id = asker->user_uid;
		if (names[i].kind == POLICY_NAME_INTERFACE)
			names[i].id = if_nametoindex(names[i].name);
		names[i].status =
			is_user || (names[i].kind == POLICY_NAME_INTERFACE && names[i].id != 0)
				? POLICY_NAME_FOUND
				: POLICY_NAME_UNKNOWN;
	}
}

static int image_allows(const struct policy_image *image, const struct asker *asker,
	const struct rule_word *words, size_t count)
{
	const struct policy_identity identity = {
		.uid = asker->uid, .gid = UINT32_MAX - 1, .unit = asker->unit, .user = asker->user};
	struct policy_peer peer;
	int r = image != NULL ? policy_peer_init(&peer, image, &identity) : -EINVAL;

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < words[i].need_count; j++) {
			if (!wanted_is_allowed(&words[i].needs[j].wanted, image, &peer))
				return 0;
		}
	}
	return 1;
}

static int set_allows(struct policy_set *set, const char *text, size_t length,
	const struct asker *asker, const struct rule_word *words, size_t count)
{
	void *bytes = NULL;
	size_t size;
	int r = policy_set_add(set, "suggested", text, length);

	if (r < 0)
		return r;
	names_answer(set, asker);
	r = policy_set_compile(set, &bytes, &size);
	if (r == 0)
		r = image_allows(policy_image_open(bytes, size), asker, words, count);
	free(bytes);
	return r;
}

void rule_write(const struct rule_word *words, size_t count, FILE *out)
{
	fputs("allow  ", out);
	comment_verbs(words[0].verbs, out);
	fputc(' ', out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " %s", words[i].text);
	fputc('\n', out);
}

int rule_serves(const struct asker *asker, const struct rule_word *words, size_t count)
{
	struct policy_set *set = policy_set_new();
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int r = -ENOMEM;

	if (out != NULL) {
		fputs("client suggested {\n", out);
		asker_from(asker, out);
		rule_write(words, count, out);
		fputs("}\n", out);
		if (fclose(out) == 0 && set != NULL)
			r = set_allows(set, text, length, asker, words, count);
	}
	free(text);
	policy_set_free(set);
	/* Whatever else is wrong with it, it does not serve. */
	return r < 0 && r != -ENOMEM ? 0 : r;
}
