/* SPDX-License-Identifier: MIT */
/*
 * The verdict on a path. First the denies, over everything that could match; then the allows.
 * Anything unexpected (a path that is not canonical, too many patterns at once, a verb that does
 * not exist) is a denial.
 */
#include "judge.h"
#include "limit.h"
#include "walk.h"

#define ALL_VERBS ((1u << POLICY_VERB_COUNT) - 1)

bool path_is_decidable(const char *path, size_t length)
{
	return path_is_root(path, length) ||
	       (length <= POLICY_PATH_MAX && path_is_canonical(path, length));
}

static bool verbs_are_known(uint32_t verbs)
{
	return verbs && !(verbs & ~ALL_VERBS);
}

static bool hear_path_from(struct judge *judge, enum effect effect, struct walk_roots roots,
	const char *path, size_t length)
{
	struct walk walk;
	if (!walk_path_from(&walk, judge->image, judge->peer, effect, roots, path, length))
		return false;
	uint32_t folders = walk.reached.count - walk.folder_count;
	for (uint32_t i = 0; i < walk.reached.count; i++) {
		uint32_t terminal = image_nodes(judge->image)[walk.reached.nodes[i]].terminal;
		if (terminal)
			judge_hear(judge, terminal - 1, i < folders ? ALL_VERBS : FOLDER_VERBS);
	}
	return true;
}

bool judge_hear_path(struct judge *judge, enum effect effect, const char *path, size_t length)
{
	return (effect == EFFECT_DENY && judge->image->first_deny == POLICY_NO_RULE) ||
	       hear_path_from(judge, effect, walk_roots_of_paths(effect), path, length);
}

bool judge_hear_credential(
	struct judge *judge, enum effect effect, const struct policy_credential *credential)
{
	struct walk_roots roots = walk_roots_of_credential(
		judge->image, effect, credential->name, credential->name_length);
	return hear_path_from(judge, effect, roots, credential->path, credential->path_length);
}

struct policy_decision policy_decide_path(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, uint32_t verbs,
	const char *path, size_t length)
{
	struct judge judge;
	if (!verbs_are_known(verbs) || !path_is_decidable(path, length))
		return decision_refuse(0);
	judge_init(&judge, image, peer, verbs);
	if (!judge_hear_path(&judge, EFFECT_DENY, path, length))
		return decision_refuse(0);
	if (judge.deny_rule != POLICY_NO_RULE)
		return policy_denial(image, judge.deny_rule);
	if (!judge_hear_path(&judge, EFFECT_ALLOW, path, length))
		return decision_refuse(0);
	struct policy_decision decision = judge_allow(&judge);
	if (decision.outcome == POLICY_ALLOWED && !limits_permit_path(limits, verbs, path, length))
		decision.outcome = POLICY_DENIED_LIMITED;
	return decision;
}

uint32_t policy_deny_path(const struct policy_image *image, const struct policy_peer *peer,
	uint32_t verbs, const char *path, size_t length)
{
	struct judge judge;
	if (image->first_deny == POLICY_NO_RULE)
		return POLICY_NO_RULE;
	if (!verbs_are_known(verbs) || !path_is_decidable(path, length))
		return image->first_deny;
	judge_init(&judge, image, peer, verbs);
	if (!judge_hear_path(&judge, EFFECT_DENY, path, length))
		return image->first_deny;
	return judge.deny_rule;
}

/*
 * Whose path the denies of files are about as well: the credential is what the file holds. False:
 * too many patterns to follow.
 */
static bool credential_hear_denies(struct judge *judge, const struct policy_credential *credential)
{
	return judge_hear_path(judge, EFFECT_DENY, credential->path, credential->path_length) &&
	       judge_hear_credential(judge, EFFECT_DENY, credential);
}

struct policy_decision policy_decide_credential(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits,
	const struct policy_credential *credential)
{
	struct judge judge;
	if (!path_is_decidable(credential->path, credential->path_length))
		return decision_refuse(0);
	judge_init(&judge, image, peer, POLICY_BIT(POLICY_CREDENTIAL));
	if (!credential_hear_denies(&judge, credential))
		return decision_refuse(0);
	if (judge.deny_rule != POLICY_NO_RULE)
		return policy_denial(image, judge.deny_rule);
	if (!judge_hear_credential(&judge, EFFECT_ALLOW, credential))
		return decision_refuse(0);
	struct policy_decision decision = judge_allow(&judge);
	/* No set of limits can name a credential, so none permits it. */
	if (decision.outcome == POLICY_ALLOWED && limits && limits->length)
		decision.outcome = POLICY_DENIED_LIMITED;
	return decision;
}

uint32_t policy_deny_credential(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_credential *credential)
{
	struct judge judge;
	if (image->first_deny == POLICY_NO_RULE)
		return POLICY_NO_RULE;
	judge_init(&judge, image, peer, POLICY_BIT(POLICY_CREDENTIAL));
	if (!path_is_decidable(credential->path, credential->path_length) ||
		!credential_hear_denies(&judge, credential))
		return image->first_deny;
	return judge.deny_rule;
}
