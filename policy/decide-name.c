/* SPDX-License-Identifier: MIT */
/*
 * What a name is worth: whether anything is granted under it, and whether a file that is renamed
 * could then be used as it could not before. All verbs are heard at once and judged one by one.
 * Must never say that nothing is gained where it cannot tell: the rename would lift a denial.
 */
#include "judge.h"
#include "limit.h"
#include "walk.h"

#include <assert.h>

#define OPENING_VERBS                                                                              \
	(POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) |          \
		POLICY_BIT(POLICY_CREATE))

/* What has been heard of a name. */
struct hearing {
	struct judge judge;
	uint32_t permitted; /* by the limits; POLICY_BIT of each verb */
	bool is_denied;     /* altogether */
};

static bool name_is_real(const struct policy_file_name *name)
{
	return name->length == name->real_length &&
	       memcmp(name->path, name->real, name->length) == 0;
}

static bool name_is_decidable(const struct policy_file_name *name)
{
	return path_is_decidable(name->path, name->length) &&
	       path_is_decidable(name->real, name->real_length);
}

static void name_hear(struct hearing *hearing, const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits,
	const struct policy_file_name *name)
{
	struct judge *judge = &hearing->judge;
	judge_init(judge, image, peer, POLICY_FILE_VERBS);
	hearing->is_denied = !name_is_decidable(name) ||
			     !judge_hear_path(judge, EFFECT_DENY, name->path, name->length) ||
			     (!name_is_real(name) && !judge_hear_path(judge, EFFECT_DENY,
							     name->real, name->real_length)) ||
			     !judge_hear_path(judge, EFFECT_ALLOW, name->path, name->length);
	hearing->permitted =
		limits_find_permitted(limits, POLICY_FILE_VERBS, name->path, name->length);
}

/* Whether the verb, asked for alone, is allowed; then *granted are the options. */
static bool hearing_grants(
	const struct hearing *hearing, enum policy_verb verb, struct policy_options *granted)
{
	struct judge judge = hearing->judge;
	judge.verbs = POLICY_BIT(verb);
	if (hearing->is_denied || judge.denied & judge.verbs || !(hearing->permitted & judge.verbs))
		return false;
	struct policy_decision decision = judge_allow(&judge);
	*granted = decision.options;
	return decision.outcome == POLICY_ALLOWED;
}

bool policy_grants_name(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, const char *path, size_t length, const char *real,
	size_t real_length)
{
	const struct policy_file_name name = {path, length, real, real_length};
	struct policy_options options;
	struct hearing hearing;
	name_hear(&hearing, image, peer, limits, &name);
	/* Most rules imply stat: of what is granted at all it nearly always is. */
	if (hearing_grants(&hearing, POLICY_STAT, &options))
		return true;
	for (int verb = POLICY_READ; verb <= POLICY_WATCH; verb++) {
		if (hearing_grants(&hearing, (enum policy_verb)verb, &options))
			return true;
	}
	return false;
}

/* ---- renaming ---- */

/* Whether they let do more to a file that is there already, which `mode` and `owner` do not. */
static bool options_exceed(enum policy_verb verb, const struct policy_options *options,
	const struct policy_options *old_options)
{
	uint32_t added_types = options->types & ~(uint32_t)old_options->types;
	bool is_copy_more = old_options->copy_max &&
			    (!options->copy_max || options->copy_max > old_options->copy_max);
	return options->as != old_options->as || options->as_user != old_options->as_user ||
	       options->symlinks < old_options->symlinks ||
	       (POLICY_BIT(verb) & OPENING_VERBS && added_types) ||
	       (verb == POLICY_READ && is_copy_more);
}

static_assert(POLICY_SYMLINKS_TRUSTED < POLICY_SYMLINKS_NONE, "the lesser allows more");

static bool hearing_gains(const struct hearing *hearing, const struct hearing *old_hearing)
{
	struct policy_options options, old_options;
	for (int i = POLICY_READ; i <= POLICY_WATCH; i++) {
		enum policy_verb verb = (enum policy_verb)i;
		/* `create` is about a name that is free, and so nothing that can be done to a file. */
		if (verb != POLICY_CREATE && hearing_grants(hearing, verb, &options) &&
			(!hearing_grants(old_hearing, verb, &old_options) ||
				options_exceed(verb, &options, &old_options)))
			return true;
	}
	return false;
}

/* What the policy says, whatever the connection was narrowed to: the peer may have others. */
static bool file_gains(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_file_name *old_name, const struct policy_file_name *new_name)
{
	struct hearing hearing, old_hearing;
	name_hear(&old_hearing, image, peer, NULL, old_name);
	name_hear(&hearing, image, peer, NULL, new_name);
	return hearing_gains(&hearing, &old_hearing);
}

/* Whether what the limits keep from the old name is granted under the new one. */
static bool limits_are_lifted(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, const struct policy_file_name *old_name,
	const struct policy_file_name *new_name)
{
	struct policy_options options;
	struct hearing hearing;
	name_hear(&hearing, image, peer, NULL, new_name);
	for (int i = POLICY_READ; i <= POLICY_WATCH; i++) {
		enum policy_verb verb = (enum policy_verb)i;
		if (verb != POLICY_CREATE && hearing_grants(&hearing, verb, &options) &&
			limits_lift(limits, verb, old_name, new_name))
			return true;
	}
	return false;
}

static bool nodes_have(const struct walk_set *set, uint32_t node)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->nodes[i] == node)
			return true;
	}
	return false;
}

static bool nodes_are_the_same(const struct walk_set *a, const struct walk_set *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		if (!nodes_have(b, a->nodes[i]))
			return false;
	}
	return a->count == b->count;
}

/* Patterns with %h begin there, which the walk that ends above it does not know yet. */
static bool home_is_below(const struct policy_peer *peer, const char *path, size_t length)
{
	const char *home = peer->text + peer->home;
	size_t most = sizeof(peer->text) - peer->home;
	return peer->home && strnlen(home, most) > length && memcmp(home, path, length) == 0 &&
	       home[length] == '/';
}

/*
 * Whether something below could be allowed by the new path and not by the old, or with other
 * options. What lies below is judged from the nodes that the two paths have led to, so the same
 * nodes judge it the same. Fewer for the new path would not do: the node that is gone may have been
 * the more specific one, whose options were narrower, or the one that left the options in doubt.
 */
static bool below_allows_more(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_file_name *old_name, const struct policy_file_name *new_name)
{
	struct walk old_walk, new_walk;
	if (home_is_below(peer, old_name->path, old_name->length) ||
		home_is_below(peer, new_name->path, new_name->length))
		return true;
	return !walk_path(&old_walk, image, peer, EFFECT_ALLOW, old_name->path, old_name->length) ||
	       !walk_path(&new_walk, image, peer, EFFECT_ALLOW, new_name->path, new_name->length) ||
	       !nodes_are_the_same(&old_walk.reached, &new_walk.reached);
}

/*
 * Whether something below is denied by one of the paths and not by the other. Denied by the new one
 * alone is no gain of this rename; but who walks below the old one at this moment ends below the new
 * one, judged by the name that it came by.
 */
static bool below_denies_differ(const struct policy_image *image, const struct policy_peer *peer,
	const char *old_path, size_t old_length, const char *new_path, size_t new_length)
{
	struct walk old_walk, new_walk;
	if (image->first_deny == POLICY_NO_RULE)
		return false;
	if (home_is_below(peer, old_path, old_length) || home_is_below(peer, new_path, new_length))
		return true;
	return !walk_path(&old_walk, image, peer, EFFECT_DENY, old_path, old_length) ||
	       !walk_path(&new_walk, image, peer, EFFECT_DENY, new_path, new_length) ||
	       !nodes_are_the_same(&old_walk.reached, &new_walk.reached);
}

static bool folder_gains(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_file_name *old_name, const struct policy_file_name *new_name)
{
	return !name_is_decidable(old_name) || !name_is_decidable(new_name) ||
	       below_allows_more(image, peer, old_name, new_name) ||
	       below_denies_differ(image, peer, old_name->path, old_name->length, new_name->path,
		       new_name->length) ||
	       below_denies_differ(image, peer, old_name->real, old_name->real_length,
		       new_name->real, new_name->real_length);
}

bool policy_gains_by_name(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, const struct policy_file_name *old_name,
	const struct policy_file_name *new_name, bool is_directory)
{
	bool is_narrowed = limits && limits->length;
	if (file_gains(image, peer, old_name, new_name) ||
		(is_narrowed && limits_are_lifted(image, peer, limits, old_name, new_name)))
		return true;
	return is_directory && (is_narrowed || folder_gains(image, peer, old_name, new_name));
}
