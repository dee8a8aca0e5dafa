/* SPDX-License-Identifier: MIT */
/*
 * From the patterns that match to a verdict: which rules of the peer's blocks they belong to,
 * which of these decides each verb, whether every `only` block agrees.
 */
#pragma once

#include "image.h"

struct candidate {
	uint32_t rule; /* POLICY_NO_RULE: none yet */
	uint32_t terminal;
	uint8_t log;
	bool is_only;
	uint32_t other; /* just as specific, with other options; POLICY_NO_RULE: there is none */
};

struct judge {
	const struct policy_image *image;
	const struct policy_peer *peer;
	uint32_t verbs; /* that are asked for */
	size_t home_depth;
	uint32_t granted[POLICY_PEER_BLOCKS_MAX]; /* verbs, by each of the peer's blocks */
	struct candidate candidates[POLICY_VERB_COUNT];
	uint32_t deny_rule; /* the first that applies, or POLICY_NO_RULE */
	uint32_t denied;    /* verbs, by any rule */
};

void judge_init(struct judge *judge, const struct policy_image *image,
	const struct policy_peer *peer, uint32_t verbs);

/* Takes the rules of a terminal that matches into account, as far as they are about these verbs. */
void judge_hear(struct judge *judge, uint32_t terminal, uint32_t verbs);

/* The first of the sorted entries of a terminal that is not below `least`; count: there is none. */
uint32_t entries_find(const uint32_t *entries, uint32_t count, uint32_t least);

/* Whether a path is one that rules can be about: in the canonical form, and not too long. */
bool path_is_decidable(const char *path, size_t length);

/* Hears every pattern of the effect that the path matches. False: too many to follow. */
bool judge_hear_path(struct judge *judge, enum effect effect, const char *path, size_t length);

/* The same of the patterns of a credential's name. */
bool judge_hear_credential(
	struct judge *judge, enum effect effect, const struct policy_credential *credential);

/* What the allow rules heard so far amount to. */
struct policy_decision judge_allow(const struct judge *judge);

/* What a rule says besides whom and what; device points into the image. */
struct policy_options rule_options(const struct policy_image *image, uint32_t rule);

/* Whether they come to the same; `log` is not among them, as the more verbose one can win. */
bool options_agree(const struct policy_options *a, const struct policy_options *b);

/*
 * Whether they come to the same for these verbs. Nothing is opened or made under `stat`, which most
 * rules imply: for it counts only how the object is found.
 */
bool options_agree_on(
	uint32_t verbs, const struct policy_options *a, const struct policy_options *b);

/* The smaller value of enum policy_log says more. */
uint8_t log_join(uint8_t a, uint8_t b);

/* A denial for which there is no rule. */
struct policy_decision decision_refuse(uint32_t missing);
