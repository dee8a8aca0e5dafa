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
	{POLICY_NAME_USER, POLICY_NAME_FOUND, 1001, 1101, "alice"},
	{POLICY_NAME_USER, POLICY_NAME_FOUND, 1002, 1102, "bob"},
	{POLICY_NAME_USER, POLICY_NAME_FOUND, 34, 34, "backup"},
	{POLICY_NAME_USER, POLICY_NAME_FOUND, 33, 33, "www-data"},
	{POLICY_NAME_USER, POLICY_NAME_FOUND, 990, 990, "builder"},
	{POLICY_NAME_GROUP, POLICY_NAME_FOUND, 4, 0, "adm"},
	{POLICY_NAME_GROUP, POLICY_NAME_FOUND, 50, 0, "staff"},
	{POLICY_NAME_GROUP, POLICY_NAME_FOUND, 51, 0, "lab"},
	{POLICY_NAME_GROUP, POLICY_NAME_FOUND, 33, 0, "www-data"},
	{POLICY_NAME_SERVICE_TCP, POLICY_NAME_FOUND, 80, 0, "http"},
	{POLICY_NAME_SERVICE_UDP, POLICY_NAME_FOUND, 53, 0, "domain"},
	{POLICY_NAME_INTERFACE, POLICY_NAME_FOUND, 2, 0, "eth0"},
	{POLICY_NAME_PROTOCOL, POLICY_NAME_FOUND, 1, 0, "icmp"},
};

static inline void names_answer(struct policy_set *set)
{
	size_t count;
	struct policy_name *names = policy_set_names(set, &count);
	for (size_t i = 0; i < count; i++) {
		names[i].status = POLICY_NAME_UNKNOWN;
		for (size_t j = 0; j < COUNT(known_names); j++) {
			if (known_names[j].kind != names[i].kind ||
				strcmp(known_names[j].name, names[i].name) != 0)
				continue;
			names[i].status = POLICY_NAME_FOUND;
			names[i].id = known_names[j].id;
			names[i].gid = known_names[j].gid;
		}
	}
}

static inline void diagnostics_print(const struct policy_set *set)
{
	size_t count;
	const struct policy_diagnostic *all = policy_set_diagnostics(set, &count);
	for (size_t i = 0; i < count; i++)
		policy_diagnostic_print(&all[i], stderr);
}

/* A compiled policy with what it was made from. */
struct policy {
	struct policy_set *set;
	void *bytes;
	size_t size;
	int result;
	const struct policy_image *image;
};

static inline struct policy policy_try(const char *text)
{
	struct policy policy = {.set = policy_set_new()};
	assert_non_null(policy.set);
	assert_int_equal(policy_set_add(policy.set, "test.policy", text, strlen(text)), 0);
	names_answer(policy.set);
	policy.result = policy_set_compile(policy.set, &policy.bytes, &policy.size);
	if (policy.result == 0)
		policy.image = policy_image_open(policy.bytes, policy.size);
	return policy;
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
