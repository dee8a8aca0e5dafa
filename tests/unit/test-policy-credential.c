/* SPDX-License-Identifier: MIT */
/* What a policy means for credentials: a name and a path, and the denies of both. */
#include "policy-support.h"

#define ANYONE(rules) "client a {\nfrom anyone\n" rules "\n}\n"
#define KEY "allow credential tls.key=/etc/app/key"

static const struct credential_case {
	const char *policy, *name, *path;
	enum policy_outcome outcome;
} cases[] = {
	{ANYONE(KEY), "tls.key", "/etc/app/key", POLICY_ALLOWED},
	{ANYONE(KEY), "tls.keys", "/etc/app/key", POLICY_DENIED_NO_RULE},
	{ANYONE(KEY), "tls", "/etc/app/key", POLICY_DENIED_NO_RULE},
	{ANYONE(KEY), "", "/etc/app/key", POLICY_DENIED_NO_RULE},
	{ANYONE(KEY), "tls.key", "/etc/app/keys", POLICY_DENIED_NO_RULE},
	{ANYONE(KEY), "tls.key", "/tls.key/etc/app/key", POLICY_DENIED_NO_RULE},
	{ANYONE(KEY), "tls.key", "/etc/app/../app/key", POLICY_DENIED_NO_RULE},
	{ANYONE(KEY), "tls.key", "", POLICY_DENIED_NO_RULE},
	/* a path is no credential, and a credential no path of another one */
	{ANYONE("allow read /etc/app/key"), "tls.key", "/etc/app/key", POLICY_DENIED_NO_RULE},
	{ANYONE("allow credential a=/a\nallow credential b=/b"), "a", "/b", POLICY_DENIED_NO_RULE},
	{ANYONE("allow credential a=/a b=/b"), "b", "/b", POLICY_ALLOWED},
	/* wildcards and variables as everywhere */
	{ANYONE("allow credential a=/etc/*.key"), "a", "/etc/x.key", POLICY_ALLOWED},
	{ANYONE("allow credential a=/etc/*.key"), "a", "/etc/.x.key", POLICY_DENIED_NO_RULE},
	{ANYONE("allow credential a=/**"), "a", "/etc/x", POLICY_ALLOWED},
	{ANYONE("allow credential a=/**"), "a", "/proc/1/maps", POLICY_DENIED_NO_RULE},
	{ANYONE("allow credential proc=/**"), "proc", "/etc/x", POLICY_ALLOWED},
	{ANYONE("allow credential a=/etc/%u.key"), "a", "/etc/alice.key", POLICY_ALLOWED},
	{ANYONE("allow credential a=/etc/%u.key"), "a", "/etc/bob.key", POLICY_DENIED_NO_RULE},
	{"client a {\nfrom unit app@*.service\nallow credential a=/etc/%i.key\n}\n", "a",
		"/etc/blue.key", POLICY_ALLOWED},
	{ANYONE("allow credential a=%h/key"), "a", "/home/alice/key", POLICY_ALLOWED},
	{ANYONE("allow credential a=%h/key"), "b", "/home/alice/key", POLICY_DENIED_NO_RULE},
	{ANYONE("allow credential a=%h/key"), "a", "/key", POLICY_DENIED_NO_RULE},
	{ANYONE("allow read %h/key"), "a", "/home/alice/key", POLICY_DENIED_NO_RULE},
	/* denies: of the credential, of its path */
	{ANYONE(KEY "\ndeny credential tls.key=/etc/**"), "tls.key", "/etc/app/key",
		POLICY_DENIED_BY_RULE},
	{ANYONE(KEY "\ndeny all tls.key=/etc/**"), "tls.key", "/etc/app/key",
		POLICY_DENIED_BY_RULE},
	{ANYONE(KEY "\ndeny credential other=/etc/**"), "tls.key", "/etc/app/key", POLICY_ALLOWED},
	{ANYONE(KEY "\ndeny all /etc/app"), "tls.key", "/etc/app/key", POLICY_ALLOWED},
	{ANYONE(KEY "\ndeny all /etc/app/**"), "tls.key", "/etc/app/key", POLICY_DENIED_BY_RULE},
	{ANYONE(KEY "\ndeny read /etc/app/**"), "tls.key", "/etc/app/key", POLICY_DENIED_BY_RULE},
	{ANYONE(KEY "\ndeny write,stat,list /etc/app/**"), "tls.key", "/etc/app/key",
		POLICY_ALLOWED},
	{ANYONE("allow credential a=%h/key\ndeny credential a=%h/*"), "a", "/home/alice/key",
		POLICY_DENIED_BY_RULE},
	{ANYONE("allow credential a=%h/key\ndeny read %h/*"), "a", "/home/alice/key",
		POLICY_DENIED_BY_RULE},
	/* an `only` block */
	{ANYONE("allow credential a=/a b=/b") "client b only {\nfrom anyone\n"
					      "allow credential a=/a\nallow read /b\n}\n",
		"a", "/a", POLICY_ALLOWED},
	{ANYONE("allow credential a=/a b=/b") "client b only {\nfrom anyone\n"
					      "allow credential a=/a\nallow read /b\n}\n",
		"b", "/b", POLICY_DENIED_NARROWED},
};

static struct policy_decision credential_decide(const struct policy *policy,
	const struct policy_identity *identity, const struct policy_limits *limits,
	const char *name, const char *path)
{
	const struct policy_credential credential = {name, strlen(name), path, strlen(path)};
	struct policy_peer peer = peer_make(policy, identity);
	return policy_decide_credential(policy->image, &peer, limits, &credential);
}

static void a_credential_is_judged_by_its_name_and_its_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct credential_case *c = &cases[i];
		struct policy policy = policy_make(c->policy);
		enum policy_outcome outcome =
			credential_decide(&policy, &alice, NULL, c->name, c->path).outcome;
		if (outcome != c->outcome)
			fail_msg("%s%s=%s: %d instead of %d", c->policy, c->name, c->path, outcome,
				c->outcome);
		policy_drop(&policy);
	}
}

static void a_narrowed_connection_has_no_credentials(void **state)
{
	static const char set[] = "read,list /**\n";
	const struct policy_limits limits = {set, sizeof(set)}, none = {NULL, 0};
	struct policy policy = policy_make(ANYONE(KEY));
	(void)state;
	assert_int_equal(
		credential_decide(&policy, &alice, &limits, "tls.key", "/etc/app/key").outcome,
		POLICY_DENIED_LIMITED);
	assert_int_equal(
		credential_decide(&policy, &alice, &none, "tls.key", "/etc/app/key").outcome,
		POLICY_ALLOWED);
	policy_drop(&policy);
}

static void an_undefined_home_never_allows_a_credential_and_always_denies_it(void **state)
{
	const struct policy_identity homeless = {.uid = 1, .gid = 1};
	struct policy policy = policy_make(
		ANYONE("allow credential a=%h/key b=/x/key c=/x/key\ndeny credential b=%h/key"));
	(void)state;
	assert_int_equal(credential_decide(&policy, &homeless, NULL, "a", "/x/key").outcome,
		POLICY_DENIED_NO_RULE);
	assert_int_equal(credential_decide(&policy, &homeless, NULL, "b", "/x/key").outcome,
		POLICY_DENIED_BY_RULE);
	assert_int_equal(
		credential_decide(&policy, &homeless, NULL, "c", "/x/key").outcome, POLICY_ALLOWED);
	policy_drop(&policy);
}

static uint32_t credential_deny(const struct policy *policy, const char *name, const char *path)
{
	const struct policy_credential credential = {name, strlen(name), path, strlen(path)};
	struct policy_peer peer = peer_make(policy, &alice);
	return policy_deny_credential(policy->image, &peer, &credential);
}

static void a_deny_is_found_for_where_a_link_led(void **state)
{
	struct policy policy = policy_make(ANYONE(
		"allow credential a=/**\ndeny credential a=/x/* log none\ndeny read /secret"));
	(void)state;
	assert_int_equal(credential_deny(&policy, "a", "/x/y"), 1);
	assert_int_equal(credential_deny(&policy, "b", "/x/y"), POLICY_NO_RULE);
	assert_int_equal(credential_deny(&policy, "a", "/secret"), 2);
	assert_int_equal(credential_deny(&policy, "b", "/secret"), 2);
	assert_int_not_equal(credential_deny(&policy, "a", "not/absolute"), POLICY_NO_RULE);
	assert_int_equal(policy_denial(policy.image, 1).options.log, POLICY_LOG_NONE);
	policy_drop(&policy);
}

static void the_more_specific_path_of_a_credential_decides_its_options(void **state)
{
	struct policy policy = policy_make(ANYONE("allow credential a=/** type any\n"
						  "allow credential a=/x/y symlinks none\n"
						  "allow credential b=/x/y type fifo"));
	(void)state;
	struct policy_decision decision = credential_decide(&policy, &alice, NULL, "a", "/x/y");
	assert_int_equal(decision.rule, 1);
	assert_int_equal(decision.options.symlinks, POLICY_SYMLINKS_NONE);
	assert_int_equal(decision.options.types, POLICY_TYPE_FILE);
	decision = credential_decide(&policy, &alice, NULL, "a", "/x/z");
	assert_int_equal(decision.options.types, POLICY_TYPE_ANY);
	policy_drop(&policy);
}

static void a_denied_credential_leaves_files_alone(void **state)
{
	struct policy policy =
		policy_make(ANYONE("allow read,stat /x\ndeny all a=/x\ndeny credential b=/x"));
	(void)state;
	assert_int_equal(path_decide(&policy, &alice, POLICY_BIT(POLICY_READ), "/x").outcome,
		POLICY_ALLOWED);
	policy_drop(&policy);
}

static void an_allowed_credential_is_noted_to_be_of_no_use_yet(void **state)
{
	struct policy policy = policy_make(ANYONE(KEY "\ndeny credential a=/b"));
	size_t count;
	(void)state;
	const struct policy_diagnostic *all = policy_set_diagnostics(policy.set, &count);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].severity, POLICY_NOTE);
	assert_int_equal(all[0].line, 3);
	assert_int_equal(all[0].column, 7);
	assert_non_null(strstr(all[0].message, "does not hand out credentials yet"));
	policy_drop(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_credential_is_judged_by_its_name_and_its_path),
		cmocka_unit_test(a_narrowed_connection_has_no_credentials),
		cmocka_unit_test(an_undefined_home_never_allows_a_credential_and_always_denies_it),
		cmocka_unit_test(a_deny_is_found_for_where_a_link_led),
		cmocka_unit_test(the_more_specific_path_of_a_credential_decides_its_options),
		cmocka_unit_test(a_denied_credential_leaves_files_alone),
		cmocka_unit_test(an_allowed_credential_is_noted_to_be_of_no_use_yet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
