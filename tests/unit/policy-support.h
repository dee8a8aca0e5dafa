/* SPDX-License-Identifier: MIT */
/* What the tests of the policy library share: policies written in place, and a small name service.
 */
#pragma once

#include "policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define KNOWN(name_kind, name_id, name_gid, text)                                                  \
	{                                                                                          \
		.kind = POLICY_NAME_##name_kind, .id = (name_id), .gid = (name_gid),               \
		.name = (text)                                                                     \
	}
#define KNOWN_ACCOUNT(name_id, name_gid, text, ...)                                                \
	{                                                                                          \
		.kind = POLICY_NAME_ACCOUNT, .id = (name_id), .gid = (name_gid), .name = (text),   \
		.groups = (uint32_t[]){__VA_ARGS__},                                               \
		.group_count = COUNT(((uint32_t[]){__VA_ARGS__}))                                  \
	}

/* Numbers that are the same in each run. */
static inline uint32_t random_below(uint32_t bound)
{
	static uint32_t state = 20240607;
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % bound;
}

static const struct policy_name known_names[] = {
	KNOWN(USER, 1001, 1101, "alice"),
	KNOWN(USER, 1002, 1102, "bob"),
	KNOWN(USER, 34, 34, "backup"),
	KNOWN(USER, 33, 33, "www-data"),
	KNOWN(USER, 990, 990, "builder"),
	KNOWN(GROUP, 4, 0, "adm"),
	KNOWN(GROUP, 50, 0, "staff"),
	KNOWN(GROUP, 51, 0, "lab"),
	KNOWN(GROUP, 33, 0, "www-data"),
	KNOWN(SERVICE_TCP, 80, 0, "http"),
	KNOWN(SERVICE_UDP, 53, 0, "domain"),
	KNOWN(INTERFACE, 2, 0, "eth0"),
	KNOWN(PROTOCOL, 1, 0, "icmp"),
	KNOWN_ACCOUNT(0, 0, "root", 0),
	KNOWN_ACCOUNT(1001, 1101, "alice", 1101, 50),
	KNOWN_ACCOUNT(1001, 1101, "1001", 1101, 50), /* the same one */
	KNOWN_ACCOUNT(1001, 1101, "alias", 1101),    /* not quite */
	KNOWN_ACCOUNT(1002, 1102, "bob", 1102),
	KNOWN_ACCOUNT(UINT32_MAX, 1, "nobody-to-be", 1),
};

static inline void name_answer(struct policy_name *name, const struct policy_name *known)
{
	name->status = POLICY_NAME_FOUND;
	name->id = known->id;
	name->gid = known->gid;
	if (!known->group_count)
		return;
	name->groups = calloc(known->group_count, sizeof(*name->groups));
	assert_non_null(name->groups);
	memcpy(name->groups, known->groups, known->group_count * sizeof(*name->groups));
	name->group_count = known->group_count;
}

static inline void names_answer(struct policy_set *set)
{
	size_t count;
	struct policy_name *names = policy_set_names(set, &count);
	for (size_t i = 0; i < count; i++) {
		names[i].status = POLICY_NAME_UNKNOWN;
		for (size_t j = 0; j < COUNT(known_names); j++) {
			if (known_names[j].kind == names[i].kind &&
				strcmp(known_names[j].name, names[i].name) == 0)
				name_answer(&names[i], &known_names[j]);
		}
	}
}

static inline void diagnostics_print(const struct policy_set *set)
{
	size_t count;
	const struct policy_diagnostic *all = policy_set_diagnostics(set, &count);
	for (size_t i = 0; i < count; i++)
		policy_diagnostic_print(&all[i], false, stderr);
}

/* A compiled policy with what it was made from. */
struct policy {
	struct policy_set *set;
	void *bytes;
	size_t size;
	int result;
	const struct policy_image *image;
};

static inline struct policy policy_try_file(const char *file, const char *text)
{
	struct policy policy = {.set = policy_set_new()};
	assert_non_null(policy.set);
	assert_int_equal(policy_set_add(policy.set, file, text, strlen(text)), 0);
	names_answer(policy.set);
	policy.result = policy_set_compile(policy.set, &policy.bytes, &policy.size);
	if (policy.result == 0)
		policy.image = policy_image_open(policy.bytes, policy.size);
	return policy;
}

static inline struct policy policy_try(const char *text)
{
	return policy_try_file("test.policy", text);
}

/* A policy that must be good. */
static inline struct policy policy_make(const char *text)
{
	struct policy policy = policy_try(text);
	if (policy.result)
		diagnostics_print(policy.set);
	assert_int_equal(policy.result, 0);
	assert_non_null(policy.image);
	return policy;
}

static inline void policy_drop(struct policy *policy)
{
	free(policy->bytes);
	policy_set_free(policy->set);
}

static const struct policy_identity alice = {
	.uid = 1001,
	.gid = 1101,
	.user = "alice",
	.home = "/home/alice",
	.unit = "app@blue.service",
};

static inline struct policy_peer peer_make(
	const struct policy *policy, const struct policy_identity *identity)
{
	struct policy_peer peer;
	assert_int_equal(policy_peer_init(&peer, policy->image, identity), 0);
	return peer;
}

static inline struct policy_decision path_decide(const struct policy *policy,
	const struct policy_identity *identity, uint32_t verbs, const char *path)
{
	struct policy_peer peer = peer_make(policy, identity);
	return policy_decide_path(policy->image, &peer, NULL, verbs, path, strlen(path));
}
