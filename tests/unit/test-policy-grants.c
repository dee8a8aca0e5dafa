/* SPDX-License-Identifier: MIT */
/*
 * What is granted, as it is shown to a client, read again: whoever asks the image made of that text
 * hears what the broker says. Policies of this repository and made ones, random peers and requests.
 */
#include "policy-support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>

#define PEERS 40
#define PATHS 120
#define ENDPOINTS 150

/* ---- both sides of a round trip ---- */

/* The name service knows everything: the same name is always the same number. */
static void names_invent(struct policy_set *set)
{
	size_t count;
	struct policy_name *names = policy_set_names(set, &count);
	names_answer(set);
	for (size_t i = 0; i < count; i++) {
		if (names[i].status == POLICY_NAME_FOUND)
			continue;
		uint32_t id = 2166136261u;
		for (const char *at = names[i].name; *at; at++)
			id = (id ^ (uint8_t)*at) * 16777619u;
		names[i].status = POLICY_NAME_FOUND;
		names[i].id = id % 60000;
		names[i].gid = id % 50000;
	}
}

/* policy.image is NULL if it is in error. */
static struct policy text_compile(const char *text, size_t length, bool is_grants)
{
	struct policy policy = {.set = policy_set_new()};
	assert_non_null(policy.set);
	assert_int_equal(is_grants ? policy_set_add_grants(policy.set, text, length)
				   : policy_set_add(policy.set, "test.policy", text, length),
		0);
	names_invent(policy.set);
	policy.result = policy_set_compile(policy.set, &policy.bytes, &policy.size);
	if (policy.result == 0)
		policy.image = policy_image_open(policy.bytes, policy.size);
	if (is_grants && policy.result)
		diagnostics_print(policy.set);
	return policy;
}

struct side {
	struct policy policy;
	struct policy_peer peer;
};

static char *grants_text(const struct side *side)
{
	size_t size = policy_grants_write(side->policy.image, &side->peer, NULL, NULL, 0);
	char *text = malloc(size + 1);
	assert_non_null(text);
	assert_int_equal(
		policy_grants_write(side->policy.image, &side->peer, NULL, text, size), size);
	text[size] = '\0';
	return text;
}

/* What a client makes of what the broker shows it. */
static struct side side_read(const char *text)
{
	char storage[POLICY_PEER_TEXT_MAX];
	struct policy_identity identity;
	struct side side = {.policy = text_compile(text, strlen(text), true)};
	if (!side.policy.image)
		fail_msg("not a policy: %s", text);
	assert_true(policy_grants_identity(&identity, text, strlen(text), storage));
	side.peer = peer_make(&side.policy, &identity);
	return side;
}

static void decisions_agree(const struct side *a, const struct policy_decision *first,
	const struct side *b, const struct policy_decision *second, const char *what)
{
	const struct policy_options *one = &first->options, *other = &second->options;
	struct policy_user user, other_user;
	struct policy_location rule, other_rule;
	policy_image_user(a->policy.image, one->as_user, &user);
	policy_image_user(b->policy.image, other->as_user, &other_user);
	policy_image_location(a->policy.image, first->rule, &rule);
	policy_image_location(b->policy.image, second->rule, &other_rule);
	bool is_same = first->outcome == second->outcome && first->missing == second->missing &&
		       strcmp(rule.text, other_rule.text) == 0 &&
		       strcmp(rule.client, other_rule.client) == 0;
	if (first->outcome == POLICY_ALLOWED)
		is_same = is_same && one->mode == other->mode && one->uid == other->uid &&
			  one->gid == other->gid && one->types == other->types &&
			  one->symlinks == other->symlinks && one->netns == other->netns &&
			  one->with == other->with && one->copy_max == other->copy_max &&
			  one->as == other->as && !one->device == !other->device &&
			  (one->as != POLICY_AS_USER || user.uid == other_user.uid);
	if (!is_same)
		fail_msg("%s: %s by '%s', and read again %s by '%s'", what,
			policy_outcome_word(first->outcome), rule.text,
			policy_outcome_word(second->outcome), other_rule.text);
}

/* ---- what is asked ---- */

static const char *random_of(const char *const *items, size_t count)
{
	return items[random_below((uint32_t)count)];
}
#define RANDOM_OF(items) random_of(items, COUNT(items))

/* What a pattern of the policy might match: its wildcards and variables are filled in. */
static void path_from_pattern(char *path, size_t size, const char *word, size_t length,
	const struct policy_identity *identity)
{
	static const char *const fillings[] = {"a", "b", "x1", ".d", "alice", "log/x", "deep/er/x"};
	size_t used = 0;
	for (size_t i = 0; i < length && used + 64 < size; i++) {
		const char *part = NULL;
		char next = i + 1 < length ? word[i + 1] : '\0', byte[2] = {word[i], '\0'};
		if (word[i] == '%' && next == 'h')
			part = identity->home ? identity->home : "/home/alice";
		else if (word[i] == '%' && next == 'u')
			part = identity->user ? identity->user : "alice";
		else if (word[i] == '%')
			part = "blue";
		i += part != NULL;
		if (word[i] == '*' && next == '*')
			i++;
		if (word[i] == '*' || word[i] == '?')
			part = RANDOM_OF(fillings);
		used += (size_t)snprintf(path + used, size - used, "%s", part ? part : byte);
	}
	if (random_below(4) == 0)
		snprintf(path + used, size - used, "/%s", RANDOM_OF(fillings));
}

/* A word of the text that has a slash, from a random place on. */
static void random_path(
	char *path, size_t size, const char *text, const struct policy_identity *identity)
{
	static const char *const others[] = {
		"/", "/etc/shadow", "/a", "/a/b", "/home/alice/x", "x"};
	const char *at = text + random_below((uint32_t)strlen(text) + 1);
	at = strpbrk(at, "/%");
	if (!at || random_below(8) == 0) {
		snprintf(path, size, "%s", RANDOM_OF(others));
		return;
	}
	path_from_pattern(path, size, at, strcspn(at, " \t\n\""), identity);
}

static uint32_t random_number(const char *text)
{
	const char *at = text + random_below((uint32_t)strlen(text) + 1);
	at += strcspn(at, "0123456789");
	return *at ? (uint32_t)strtoul(at, NULL, 10) + (random_below(4) == 0) : random_below(2000);
}

static struct policy_endpoint random_endpoint(const char *text)
{
	static const char *const v4[] = {"0.0.0.0", "127.0.0.1", "10.0.0.1", "192.0.2.7"};
	static const char *const v6[] = {"::", "::1", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1"};
	static const char *const names[] = {"db.internal", "example.org", "tun0", "eth0", "br1"};
	static const enum policy_family families[] = {
		POLICY_NO_ADDRESS, POLICY_CID, POLICY_IPV4, POLICY_IPV6};
	struct policy_endpoint endpoint = {
		.kind = (enum policy_kind)random_below(POLICY_KIND_COUNT),
		.family = families[random_below(4)],
		.number = random_number(text)};
	if (endpoint.family == POLICY_IPV4)
		inet_pton(AF_INET, RANDOM_OF(v4), endpoint.address);
	if (endpoint.family == POLICY_IPV6)
		inet_pton(AF_INET6, RANDOM_OF(v6), endpoint.address);
	if (endpoint.family == POLICY_NO_ADDRESS && random_below(2)) {
		endpoint.name = RANDOM_OF(names);
		endpoint.name_length = strlen(endpoint.name);
	}
	return endpoint;
}

static struct policy_identity random_identity(void)
{
	static const uint32_t uids[] = {0, 33, 34, 990, 1001, 1002, 100000, 4294967294u};
	static const uint32_t groups[] = {4, 50, 51, 33};
	static const char *const users[] = {NULL, "alice", "bob", "a,b, home /x", "we\\ir\"d\n"};
	static const char *const homes[] = {
		NULL, "/home/alice", "/srv/h, unit x.service", "/home/\xff y", "/root"};
	static const char *const units[] = {
		NULL, "nginx.service", "app@blue.service", "app@a\\x2db.service", "job@1.scope"};
	return (struct policy_identity){
		.uid = uids[random_below(COUNT(uids))],
		.gid = 1 + random_below(60),
		.groups = groups,
		.group_count = random_below(COUNT(groups) + 1),
		.user = RANDOM_OF(users),
		.home = RANDOM_OF(homes),
		.unit = RANDOM_OF(units),
	};
}

/* ---- comparing ---- */

static size_t allowed, denied, narrowed;

static void count(const struct policy_decision *decision)
{
	allowed += decision->outcome == POLICY_ALLOWED;
	denied += decision->outcome == POLICY_DENIED_BY_RULE;
	narrowed += decision->outcome == POLICY_DENIED_NARROWED;
}

static void compare_paths(const struct side *a, const struct side *b, const char *text,
	const struct policy_identity *identity)
{
	char path[1024];
	for (int i = 0; i < PATHS; i++) {
		uint32_t verbs = POLICY_BIT(random_below(POLICY_BIND + 1));
		verbs |= random_below(3) ? 0 : POLICY_BIT(random_below(POLICY_BIND));
		random_path(path, sizeof(path), text, identity);
		struct policy_decision first = policy_decide_path(
			a->policy.image, &a->peer, NULL, verbs, path, strlen(path));
		struct policy_decision second = policy_decide_path(
			b->policy.image, &b->peer, NULL, verbs, path, strlen(path));
		count(&first);
		decisions_agree(a, &first, b, &second, path);
	}
}

static void compare_endpoints(const struct side *a, const struct side *b, const char *text)
{
	static const enum policy_verb verbs[] = {
		POLICY_BIND, POLICY_CONNECT, POLICY_SOCKET, POLICY_OPTION, POLICY_RESOLVE};
	for (int i = 0; i < ENDPOINTS; i++) {
		enum policy_verb verb = verbs[random_below(COUNT(verbs))];
		struct policy_endpoint endpoint = random_endpoint(text);
		struct policy_decision first =
			policy_decide_endpoint(a->policy.image, &a->peer, NULL, verb, &endpoint);
		struct policy_decision second =
			policy_decide_endpoint(b->policy.image, &b->peer, NULL, verb, &endpoint);
		count(&first);
		decisions_agree(a, &first, b, &second, policy_kind_name(endpoint.kind));
	}
}

/* Whether it is one without errors. */
static bool compare(const char *text, size_t length)
{
	struct side broker = {.policy = text_compile(text, length, false)};
	for (int i = 0; i < PEERS && broker.policy.image; i++) {
		struct policy_identity identity = random_identity();
		broker.peer = peer_make(&broker.policy, &identity);
		char *shown = grants_text(&broker);
		struct side client = side_read(shown);
		char *again = grants_text(&client);
		assert_string_equal(again, shown);
		compare_paths(&broker, &client, text, &identity);
		compare_endpoints(&broker, &client, text);
		policy_drop(&client.policy);
		free(again);
		free(shown);
	}
	bool is_policy = broker.policy.image != NULL;
	policy_drop(&broker.policy);
	return is_policy;
}

/* ---- tests ---- */

static bool file_compare(const char *folder, const char *name)
{
	char path[4096];
	char *text = NULL;
	size_t size = 0;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	ssize_t length = getdelim(&text, &size, EOF, file);
	assert_true(length >= 0);
	fclose(file);
	bool is_policy = compare(text, (size_t)length);
	free(text);
	return is_policy;
}

static void whoever_reads_a_policy_of_this_repository_by_its_grants_decides_the_same(void **state)
{
	(void)state;
	static const char *const folders[] = {SOURCE "/policy/examples", SOURCE "/tests/policies"};
	size_t policies = 0;
	allowed = denied = narrowed = 0;
	for (size_t i = 0; i < COUNT(folders); i++) {
		DIR *folder = opendir(folders[i]);
		assert_non_null(folder);
		for (struct dirent *entry; (entry = readdir(folder));) {
			const char *end = strrchr(entry->d_name, '.');
			if (end && strcmp(end, ".policy") == 0)
				policies += file_compare(folders[i], entry->d_name);
		}
		closedir(folder);
	}
	assert_true(policies > 20);
	assert_true(allowed > 1000 && denied > 100);
}

static const char *const made[] = {
	"client a {\nfrom anyone\n"
	"allow read,write /srv/** mode 0640\n"
	"deny all /srv/*/x1 /etc/**\n}\n"
	"client b only {\nfrom user alice\nfrom user 0\n"
	"allow read /srv/**\n"
	"allow bind tcp:1-90\n}\n"
	"client c {\nfrom user 0-2000\n"
	"allow bind tcp:* udp:10.0.0.1:53\n"
	"deny bind tcp:127.0.0.1:80\n}\n",

	"client a {\nfrom anyone\n"
	"allow read /u/%u/* /n/%U/a /u/%u.d/**\n"
	"allow read %h/** /i/a\n"
	"deny read %h/.d /u/alice/b /u/%u/x1\n}\n"
	"client \"i %i\" {\nfrom unit app@*.service\n"
	"allow read,write /i/%i /i/%i/**\n"
	"allow bind unix:/i/%i/**\n}\n",

	"client \"\\\\q \\\"#{}\\\" ,\" only {\nfrom anyone\n"
	"allow read \"/a b/*\" \"/a\\x0ab\" \"/q\\\"\\\\/**\"\n"
	"allow read,list \\\n\t/srv/a/* \\\n /srv/b/**  # comment\n"
	"limit sessions 4 requests 9/s\n}\n"
	"client \"{\" {\nfrom anyone\n"
	"allow read,list /**\n}\n"
	"client only only {\nfrom user bob\n"
	"allow read /a /srv/**\n"
	"limit unread 3\n}\n",

	"client a {\nfrom user alice\n"
	"allow read /as/** as peer\n"
	"allow read,create /as/bob/* as bob mode 0600\n"
	"allow write /as/* as 1001\n"
	"allow create /own/* owner www-data:adm\n"
	"allow create /o/** owner 33 type directory\n"
	"allow read /c/* copy max 4K log none\n}\n"
	"client b {\nfrom group staff\n"
	"allow bind tcp:http,443-445 udp:domain with reuseport netns any\n"
	"allow socket netlink:route raw:icmp icmp tun:* tap:eth0\n"
	"allow resolve host:*.internal\n"
	"allow connect tcp:db.internal:5432 vsock:*:9 tcp:[2001:db8::]/32:80\n"
	"allow option mark=1-9 priority=6\n"
	"allow connect udp:[fe80::1%eth0]:1\n}\n",

	/* For others these two would be in conflict; nobody is both. */
	"client a {\nfrom unit nginx.service\nallow create /a mode 0600\n}\n"
	"client b {\nfrom unit job@1.scope\nallow create /a mode 0644\n}\n"
	"client c {\nfrom user alice\nallow create /a/b mode 0600 owner alice\n}\n"
	"client d {\nfrom user bob\nallow create /a/b mode 0644 owner bob\n}\n",
};

static void whoever_reads_a_made_policy_by_its_grants_decides_the_same(void **state)
{
	(void)state;
	allowed = denied = narrowed = 0;
	for (size_t i = 0; i < COUNT(made); i++) {
		for (int round = 0; round < 10; round++) {
			if (!compare(made[i], strlen(made[i])))
				policy_make(made[i]); /* says why */
		}
	}
	assert_true(allowed > 1000 && denied > 1000 && narrowed > 1000);
}

static void a_line_of_many_objects_is_read_again(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	fputs("client long {\nfrom anyone\nallow read", out);
	for (int i = 0; i < 3000; i++)
		fprintf(out, " /srv/%d/*/x1", i);
	fputs("\n}\n", out);
	assert_int_equal(fclose(out), 0);
	allowed = 0;
	assert_true(compare(text, size));
	assert_true(allowed > 10);
	free(text);
}

/* Blocks of several files may have the same name. */
static void a_name_may_be_there_twice_and_nowhere_else(void **state)
{
	(void)state;
	static const char text[] = "# uid 1001\nclient a {\n\tallow read /one\n}\n"
				   "client a {\n\tallow read /two\n}\n";
	struct side side = side_read(text);
	assert_int_equal(policy_decide_path(side.policy.image, &side.peer, NULL,
				 POLICY_BIT(POLICY_READ), "/two", 4)
				 .outcome,
		POLICY_ALLOWED);
	policy_drop(&side.policy);
	struct policy policy = text_compile(text, strlen(text), false);
	assert_int_equal(policy_set_count(policy.set, POLICY_ERROR), 3); /* two have no `from` */
	policy_drop(&policy);
}

static void nothing_is_granted_where_no_block_is_for_the_peer(void **state)
{
	(void)state;
	struct side side = side_read("# uid 7\n# no client block of the policy is for it\n");
	assert_int_equal(policy_decide_path(side.policy.image, &side.peer, NULL,
				 POLICY_BIT(POLICY_READ), "/a", 2)
				 .outcome,
		POLICY_DENIED_NO_RULE);
	policy_drop(&side.policy);
}

static void who_it_is_for_is_read_from_the_first_line(void **state)
{
	(void)state;
	static const struct {
		const char *line, *user, *home, *unit;
	} lines[] = {
		{"# uid 7", NULL, NULL, NULL},
		{"# uid 7, user a, home /b c, unit d.service\n# uid 8", "a", "/b c", "d.service"},
		{"# uid 7, home /b", NULL, "/b", NULL},
		{"# uid 7, unit \\x5cx2d\\x22\n, user a", NULL, NULL, "\\x2d\""},
		{"# uid 7, user a\\x2c home /b, unit u", "a, home /b", NULL, "u"},
		/* What cannot be read is undefined, and nothing else is. */
		{"# uid 7, user \\x0, home /b", NULL, "/b", NULL},
		{"# uid 7, user \\x00, home /b\\", NULL, NULL, NULL},
		{"# uid 7, user \\q1, unit u", NULL, NULL, "u"},
		{"# uid 7, user , unit \\xg0", NULL, NULL, NULL},
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct policy_identity identity;
		char storage[POLICY_PEER_TEXT_MAX];
		const char *text = lines[i].line;
		assert_true(policy_grants_identity(&identity, text, strlen(text), storage));
		assert_int_equal(identity.uid, 7);
		const char *const read[] = {identity.user, identity.home, identity.unit},
				  *const wanted[] = {lines[i].user, lines[i].home, lines[i].unit};
		for (size_t j = 0; j < COUNT(read); j++) {
			if (!read[j] != !wanted[j] || (read[j] && strcmp(read[j], wanted[j]) != 0))
				fail_msg("%s: '%s'", text, read[j] ? read[j] : "nothing");
		}
	}
}

static void a_text_that_does_not_say_who_it_is_for_is_for_nobody(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "\n# uid 7", "# uid", "# uid ", "# uid x", "# uid 4294967296", "# uid 7 "};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct policy_identity identity;
		char storage[POLICY_PEER_TEXT_MAX];
		assert_false(
			policy_grants_identity(&identity, texts[i], strlen(texts[i]), storage));
		assert_int_equal(identity.uid, UINT32_MAX);
		assert_int_equal(identity.gid, UINT32_MAX);
	}
}

/* Text that nobody wrote: a byte more than there is room for, in whichever field. */
static void fields_that_are_too_long_are_undefined(void **state)
{
	(void)state;
	for (size_t length = 200; length < 300; length++) {
		char text[400] = "# uid 7, user u, home /", storage[POLICY_PEER_TEXT_MAX];
		struct policy_identity identity;
		size_t used = strlen(text);
		memset(text + used, 'h', length - 1);
		strcpy(text + used + length - 1, ", unit v");
		assert_true(policy_grants_identity(&identity, text, strlen(text), storage));
		bool fits = length + 1 + 2 <= POLICY_PEER_TEXT_MAX;
		assert_int_equal(identity.home != NULL, fits);
		assert_true(!fits || strlen(identity.home) == length);
		assert_int_equal(
			identity.unit != NULL, !fits || length + 5 <= POLICY_PEER_TEXT_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			whoever_reads_a_policy_of_this_repository_by_its_grants_decides_the_same),
		cmocka_unit_test(whoever_reads_a_made_policy_by_its_grants_decides_the_same),
		cmocka_unit_test(a_line_of_many_objects_is_read_again),
		cmocka_unit_test(a_name_may_be_there_twice_and_nowhere_else),
		cmocka_unit_test(nothing_is_granted_where_no_block_is_for_the_peer),
		cmocka_unit_test(who_it_is_for_is_read_from_the_first_line),
		cmocka_unit_test(a_text_that_does_not_say_who_it_is_for_is_for_nobody),
		cmocka_unit_test(fields_that_are_too_long_are_undefined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
