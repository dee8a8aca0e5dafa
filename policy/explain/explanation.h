/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a request, with the reasons: the decision is decide's, everything else is found
 * in the rules as they are written.
 */
#pragma once

#include "nearest.h"

/* What the policy can be asked for somebody at all. */
enum standing {
	STANDING_CLIENT,
	/* The broker closes their connections at once, whatever is in the policy: */
	STANDING_NOBODY,          /* who may be anybody, nobody.h */
	STANDING_BROKER,          /* the broker's own user */
	STANDING_TOO_MANY_BLOCKS, /* for whom there are more than POLICY_PEER_BLOCKS_MAX */
};

/* A policy that has been compiled, and a peer under it: of no block, if it is no client. */
struct explained_peer {
	enum standing standing;
	const struct policy_set *set; /* with its names filled in */
	const struct policy_image *image;
	const struct policy_identity *identity;
	const struct policy_peer *peer;
};

/* How the verdict came about. */
enum explained_reason {
	REASON_RULE,     /* by the rule of the decision, for or against */
	REASON_NO_RULE,  /* no rule allows decision.missing */
	REASON_ONLY,     /* an `only` block does not allow decision.missing */
	REASON_CONFLICT, /* of rule and other of the decision */
	REASON_LINK,     /* by the rule of the decision, which is about what a link leads to */
	REASON_MALFORMED,
	REASON_TOO_MANY_PATTERNS, /* as many as nobody follows are at work on the path */
	/* By the asker's standing: */
	REASON_NOBODY,
	REASON_BROKER,
	REASON_TOO_MANY_BLOCKS,
	REASON_COUNT,
};

#define EXPLAINED_DENIES_MAX 3u

struct explanation {
	struct policy_decision decision;
	enum explained_reason reason;
	/* ALLOWED: by verb, the rule that allows it, or POLICY_NO_RULE. */
	uint32_t rules[POLICY_VERB_COUNT];
	/* ALLOWED: the line by which the deciding rule's block is for the peer. */
	const struct from *from;
	/* ALLOWED, a path on which links are followed: how many rules deny the asker one of the
	 * verbs on other paths, and the first of them. Where a link leads, they are judged. */
	uint32_t deny_count;
	uint32_t denies[EXPLAINED_DENIES_MAX];
	/* LINK: what it leads to, as it was given. */
	const char *real;
	/* NO_RULE, ONLY: the `only` blocks that do not allow it, by their clients; of ONLY the
	 * nearest rule is one of the first's. */
	uint32_t narrowing_count;
	uint16_t narrowing[POLICY_PEER_BLOCKS_MAX];
	/* NO_RULE, ONLY: of decision.missing. */
	struct nearest nearest;
};

void explanation_make(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request);

/*
 * Of one with deny_count: somebody has looked where the links lead, and deny judges that path too.
 * `real` is kept.
 */
void explanation_judge_links(struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request, const char *real);

/* "user www-data (uid 33), unit nginx.service": the conditions of a line that holds. */
void from_print(const struct explained_peer *peer, const struct from *from, FILE *out);
