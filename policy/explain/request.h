/* SPDX-License-Identifier: MIT */
/*
 * A request in words: "read,write" "/etc/motd", "bind" "tcp:80". The words are those of the
 * language, but say exactly one thing: a path is taken as bytes, in which nothing is a wildcard, and
 * an endpoint is one that a program could ask for.
 */
#pragma once

#include "policy.h"

struct request {
	uint32_t verbs;     /* POLICY_BIT of each; of an endpoint it is one */
	bool is_path;       /* or that of a unix socket; else the endpoint counts */
	const char *object; /* the word itself, of object_length bytes */
	size_t object_length;
	const char *path;
	size_t length;
	struct policy_endpoint endpoint;
	struct policy_set *set; /* holds all this, and the names that are to be asked for */
	/* When it cannot be asked for: why not, and the way out, which may be empty. */
	char problem[256], remedy[192];
};

/*
 * Reads the words; the object has no NUL in it. False: request->problem says why. To be released in
 * any case. No system call.
 */
bool request_read(struct request *request, const char *verbs, size_t verbs_length,
	const char *object, size_t object_length);

/*
 * The names of policy_set_names(request->set) have been filled in: services, protocols, interfaces.
 * False: one of them is unknown.
 */
bool request_resolve(struct request *request);

void request_release(struct request *request);

/* What the image says to it: policy_decide_path() or policy_decide_endpoint(). */
struct policy_decision request_decide(const struct request *request,
	const struct policy_image *image, const struct policy_peer *peer, uint32_t verbs);
