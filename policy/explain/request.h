/* SPDX-License-Identifier: MIT */
/*
 * A request in words: "read,write" "/etc/motd", "bind" "tcp:80". The words are those of the
 * language, but say exactly one thing: a path is taken as bytes, in which nothing is a wildcard, and
 * an endpoint is one that a program could ask for.
 */
#pragma once

#include "policy.h"

/* Which function of policy.h decides on it. */
enum request_kind {
	REQUEST_PATH, /* of a file, or of a unix socket */
	REQUEST_ENDPOINT,
	REQUEST_CREDENTIAL,
};

struct request {
	enum request_kind kind;
	uint32_t verbs;     /* POLICY_BIT of each; of an endpoint or a credential it is one */
	const char *object; /* the word itself, of object_length bytes */
	size_t object_length;
	const char *path; /* PATH, CREDENTIAL */
	size_t length;
	const char *name; /* CREDENTIAL; no NUL at its end */
	size_t name_length;
	struct policy_endpoint endpoint; /* ENDPOINT */
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

/* Whether it is about the name itself: a link at the end of the path is not followed. */
bool request_is_about_name(const struct request *request);

void request_release(struct request *request);

/* What the image says to it, by the function of its kind. */
struct policy_decision request_decide(const struct request *request,
	const struct policy_image *image, const struct policy_peer *peer, uint32_t verbs);
