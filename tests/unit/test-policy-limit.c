/* SPDX-License-Identifier: MIT */
/*
 * Limits against the policy language itself: a line of a limit permits what `allow` with the same
 * words allows, and whatever the text is, a narrowed connection is granted no more than before.
 */
#include "policy-support.h"

#include "language.h"
#include "limit.h"
#include "parse.h"

#include <arpa/inet.h>

#define ROUNDS 3000
#define REQUESTS 40
#define LINES 3
#define SETS 3
#define TEXT_MAX 4096

#define READ POLICY_BIT(POLICY_READ)
#define WRITE POLICY_BIT(POLICY_WRITE)
#define APPEND POLICY_BIT(POLICY_APPEND)
#define CREATE POLICY_BIT(POLICY_CREATE)
#define STAT POLICY_BIT(POLICY_STAT)
#define LIST_NAMES POLICY_BIT(POLICY_LIST)
#define WATCH POLICY_BIT(POLICY_WATCH)
#define BIND POLICY_BIT(POLICY_BIND)

/* ---- asking ---- */

/* A copy of just these bytes, so that a sanitizer sees who reads past them. */
static struct policy_limits limits_make(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);
	assert_non_null(copy);
	if (length)
		memcpy(copy, text, length);
	return (struct policy_limits){copy, length};
}

static void limits_drop(struct policy_limits *limits)
{
	free((char *)limits->text);
}

static bool path_permits(const char *text, size_t length, uint32_t verbs, const char *path)
{
	struct policy_limits limits = limits_make(text, length);
	bool permits = limits_permit_path(&limits, verbs, path, strlen(path));
	limits_drop(&limits);
	return permits;
}

static bool endpoint_permits(const char *text, size_t length, enum policy_verb verb,
	const struct policy_endpoint *endpoint)
{
	struct policy_limits limits = limits_make(text, length);
	struct asked asked, other;
	bool permits =
		asked_make(&asked, verb, endpoint) && limits_permit_asked(&limits, verb, &asked) &&
		(!asked_find_other(&asked, &other) || limits_permit_asked(&limits, verb, &other));
	limits_drop(&limits);
	return permits;
}

/* Anything that can be asked for. */
struct request {
	bool is_path;
	uint32_t verbs;
	char path[96];
	enum policy_verb verb;
	struct policy_endpoint endpoint;
};

static bool request_permits(const struct request *request, const char *text, size_t length)
{
	return request->is_path ? path_permits(text, length, request->verbs, request->path)
				: endpoint_permits(text, length, request->verb, &request->endpoint);
}

static struct policy_decision request_decide(const struct request *request,
	const struct policy *policy, const struct policy_limits *limits)
{
	struct policy_peer peer = peer_make(policy, &alice);
	if (request->is_path)
		return policy_decide_path(policy->image, &peer, limits, request->verbs,
			request->path, strlen(request->path));
	return policy_decide_endpoint(
		policy->image, &peer, limits, request->verb, &request->endpoint);
}

/* ---- what is well-formed ---- */

struct form_case {
	const char *set;
	const char *why; /* a part of the reason; NULL: it is well-formed */
};

static const struct form_case forms[] = {
	{"", NULL},
	{"read /a\n", NULL},
	{"read,write,append,create,remove,stat,list,watch /a\n", NULL},
	{"read /a b\n", NULL},
	{"list /\n", NULL},
	{"read /a\"b\\\t#\n", NULL},
	{"read /%%u\n", NULL},
	{"read /**/a*[!b-d]?/**\n", NULL},
	{"bind unix:/run/*\n", NULL},
	{"bind,connect tcp:*:1-2,*\nsocket icmp\n", NULL},
	{"socket netlink:route\n", NULL},
	{"option mark=1-2K\n", NULL},
	{"connect tcp:*.Example.org.:443\n", NULL},
	{"bind tcp:[fe80::1]:80\n", NULL},
	{"read /a", "newline"},
	{"read /a\nread /b", "newline"},
	{"\n", "one blank"},
	{"read\n", "one blank"},
	{"read \n", "one blank"},
	{"read  /a\n", "an absolute path"},
	{" read /a\n", "verb"},
	{"read\t/a\n", "one blank"},
	{"reads /a\n", "verb"},
	{"all /a\n", "verb"},
	{"read,,write /a\n", "verb"},
	{"read, /a\n", "verb"},
	{"read a\n", "an absolute path"},
	{"read icmp7\n", "an absolute path"},
	{"read tcp:80\n", "does not go"},
	{"bind /a\n", "does not go"},
	{"read unix:/a\n", "does not go"},
	{"connect unix:/a\n", "does not go"},
	{"connect,bind,read tcp:1\n", "does not go"},
	{"bind unix:/\n", "below it"},
	{"read /a/\n", "/FOLDER/**"},
	{"read /a//b\n", "empty component"},
	{"read /./a\n", ". or .."},
	{"read /a/../b\n", ". or .."},
	{"read /a**\n", "**"},
	{"read /[a\n", "[abc]"},
	{"read /[]\n", "[abc]"},
	{"read /%u\n", "cannot name"},
	{"read /%U\n", "cannot name"},
	{"read /a%i\n", "cannot name"},
	{"read /%\n", "cannot name"},
	{"read %h/a\n", "%h"},
	{"read /a/%h\n", "cannot name"},
	{"bind unix:a\n", "slash"},
	{"bind unix:\n", "slash"},
	{"bind tcp:http\n", "cannot name services"},
	{"bind tcp:\n", "tcp:"},
	{"bind tcp:80,\n", "tcp:"},
	{"bind udp:0-1\n", "udp:"},
	{"bind tcp:65536\n", "tcp:"},
	{"bind tcp:2-1\n", "tcp:"},
	{"bind tcp:localhost:80\n", "names only for connect"},
	{"connect,bind tcp:a.b:80\n", "names only for connect"},
	{"connect tcp:1.2.3:80\n", "tcp:"},
	{"connect tcp:10.0.0.1/8:80\n", "tcp:"},
	{"connect tcp:::1:80\n", "tcp:"},
	{"bind tcp:[::1:80\n", "tcp:"},
	{"bind tcp:[::1]\n", "tcp:"},
	{"bind tcp:[fe80::1%eth0]:80\n", "interfaces"},
	{"resolve host:[fe80::1%2]\n", "interfaces"},
	{"resolve host:a:80\n", "host:"},
	{"resolve host:\n", "host:"},
	{"socket raw:icmp\n", "cannot name protocols"},
	{"socket raw:256\n", "raw:"},
	{"socket netlink:routes\n", "netlink"},
	{"socket netlink:32\n", "netlink"},
	{"socket vsock:*:80\n", "vsock"},
	{"socket vsock:2:*\n", "vsock"},
	{"bind vsock:2\n", "vsock"},
	{"socket tun:a*\n", "tun:"},
	{"socket tap:\n", "tap:"},
	{"option marks=1\n", "option"},
	{"option mark=\n", "option"},
	{"option mark=0x1\n", "option"},
	{"option transparent=2\n", "option"},
	{"option priority=6-0\n", "option"},
	{"credential a=/b\n", "credentials"},
};

static void a_set_that_is_not_of_the_language_is_refused_with_the_way_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct policy_limits set = limits_make(forms[i].set, strlen(forms[i].set));
		const char *why = "unset";
		bool is_good = policy_limits_check(set.text, set.length, &why);
		if (is_good != !forms[i].why || (is_good && why) ||
			(!is_good && !strstr(why, forms[i].why)))
			fail_msg("%s: %d, %s", forms[i].set, is_good, why ? why : "-");
		limits_drop(&set);
	}
}

/* But for one, of which no rule of this version can be made. */
static void who_writes_no_verb_is_told_all_of_them(void **state)
{
	const char *why;
	(void)state;
	assert_false(policy_limits_check("reed /a\n", 8, &why));
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		char word[32];
		snprintf(word, sizeof(word), " %s%s", policy_verb_name((enum policy_verb)verb),
			verb == POLICY_OPTION || verb == POLICY_RESOLVE ? "" : ",");
		if (!strstr(why, word) != (verb == POLICY_CREDENTIAL))
			fail_msg("%s: %s", word, why);
	}
}

static void a_set_holds_no_nul(void **state)
{
	const char *why;
	(void)state;
	assert_true(policy_limits_check("read /a\nread /b\n", 16, &why));
	assert_false(policy_limits_check("read /a\n\0ead /b\n", 16, &why));
	assert_non_null(strstr(why, "NUL"));
	assert_false(policy_limits_check("read /\0\n", 8, &why));
	assert_false(policy_limits_check("\0", 1, &why));
}

/* "read /aaa...\n" with a component, or a path, of so many bytes. */
static bool long_line_is_good(const char *start, size_t length, size_t component)
{
	char text[TEXT_MAX * 2];
	size_t used = (size_t)sprintf(text, "%s", start);
	const char *path = strchr(text, '/');
	for (size_t i = 1; used < (size_t)(path - text) + length; i++)
		text[used++] = i % component ? 'a' : '/';
	text[used++] = '\n';
	struct policy_limits set = limits_make(text, used);
	const char *why;
	bool is_good = policy_limits_check(set.text, set.length, &why);
	limits_drop(&set);
	return is_good;
}

static void lengths_are_those_of_the_language(void **state)
{
	(void)state;
	assert_true(long_line_is_good("read /", 256, 1000));
	assert_false(long_line_is_good("read /", 257, 1000));
	assert_true(long_line_is_good("read /", 4095, 200));
	assert_false(long_line_is_good("read /", 4096, 200));
	assert_true(long_line_is_good("bind unix:/", 107, 1000));
	assert_false(long_line_is_good("bind unix:/", 108, 1000));
}

/* ---- tables ---- */

struct path_case {
	const char *text; /* lines; '|' ends a set */
	uint32_t verbs;
	const char *path;
	bool permits;
};

static const struct path_case path_cases[] = {
	{"read /a\n|", READ, "/a", true},
	{"read /a\n|", READ, "/b", false},
	{"read /a\n|", READ | WRITE, "/a", false},
	{"read /a\n|", WRITE, "/a", false},
	{"read /a\n|", 0, "/a", false},
	{"read /a\n|", READ | UINT32_C(1) << 31, "/a", false},
	{"read /a\n|", READ, "a", false},
	{"read /a\n|", READ, "/a/", false},
	{"read /a\n|", READ, "/b/../a", false},
	{"read /**\n|", READ, "/a/./b", false},
	{"write /a\n|", APPEND, "/a", true},
	{"append /a\n|", WRITE, "/a", false},
	/* each verb may be permitted by another line, but by each set */
	{"read /a\nwrite /*\n|", READ | WRITE, "/a", true},
	{"read /a\nwrite /*\n|", READ | WRITE, "/b", false},
	{"read /a\n|read /*\n|", READ, "/a", true},
	{"read /a\n|read /*\n|", READ, "/b", false},
	{"read /*\n|read /a\n|", READ, "/b", false},
	{"read /a\n|write /a\n|", READ, "/a", false},
	{"read /a\n|write /a\n|", READ | WRITE, "/a", false},
	{"read /*\n|read /*\n|read /b\n|", READ, "/a", false},
	/* sets without a line, without an end, without a newline */
	{"|", READ, "/a", false},
	{"read /a\n||", READ, "/a", false},
	{"|read /a\n|", READ, "/a", false},
	{"read /a\n", READ, "/a", true},
	{"read /a", READ, "/a", false},
	{"read /a|", READ, "/a", false},
	{"read /*\n|read /a", READ, "/a", false},
	/* what is not understood permits nothing, nor takes it from other lines */
	{"x\nread /a\n\n|", READ, "/a", true},
	{"read /a/[\nread /b\n|", READ, "/a", false},
	{"read /**/[\n|", READ, "/a", false},
	{"read,x /a\n|", READ, "/a", false},
	{"read,bind /a\n|", READ, "/a", false},
	{"read /%u\n|", READ, "/alice", false},
	{"read /a /b\n|", READ, "/a", false},
	{"read /a b\n|", READ, "/a b", true},
	{"read \"/a\"\n|", READ, "/a", false},
	{"read /a\\x62\n|", READ, "/ab", false},
	{"read /a%%\n|", READ, "/a%", true},
	/* wildcards */
	{"read /[*]\n|", READ, "/a", false},
	{"read /[*]\n|", READ, "/*", true},
	{"read /*\n|", READ, "/.a", false},
	{"read /.*\n|", READ, "/.a", true},
	{"read /**\n|", READ, "/a/.b/c", false},
	{"read /**/.b/**\n|", READ, "/a/.b/c", true},
	{"read /**\n|", READ, "/proc/1", false},
	{"read /*/1\n|", READ, "/proc/1", false},
	{"read /proc/*\n|", READ, "/proc/1", true},
	{"read /[s]ys/*\n|", READ, "/sys/a", true},
	{"read /de[uv]/null\n|", READ, "/dev/null", false},
	{"read /a/**\n|", READ, "/a", false},
	{"read /a/**\n|", READ, "/a/b/c", true},
	{"read /a/**/**\n|", READ, "/a/b", true},
	{"read /a/**/b\n|", READ, "/a/b", true},
	{"list,stat,watch /a/**\n|", LIST_NAMES | STAT | WATCH, "/a", true},
	{"list,stat,watch /a/**/**\n|", LIST_NAMES | STAT | WATCH, "/a", true},
	{"list,read /a/**\n|", LIST_NAMES | READ, "/a", false},
	{"list /\n|", LIST_NAMES, "/", true},
	{"list /\n|", STAT, "/", false},
	{"list /\n|", LIST_NAMES, "/a", false},
	{"list /**\n|", LIST_NAMES, "/", true},
	{"read /**\n|", READ, "/", false},
	{"list /*\n|", LIST_NAMES, "/", false},
	{"list /**/*\n|", LIST_NAMES, "/", false},
	{"list /**\n|", LIST_NAMES, "//", false},
	{"list /a/*\n|", LIST_NAMES, "/a", false},
	{"list /a/**/b\n|", LIST_NAMES, "/a", false},
	{"list,read /a/**\n|", READ, "/a", false},
	{"create,remove /a/**\n|", CREATE, "/a", false},
	/* a socket is no file, a file is no socket */
	{"bind unix:/a\n|", BIND, "/a", true},
	{"bind unix:/a\n|", STAT, "/a", false},
	{"bind unix:/a\n|", READ, "/a", false},
	{"read,write,append,create /a\n|", BIND, "/a", false},
	{"bind tcp:*\n|", BIND, "/a", false},
};

/* '|' becomes NUL. Returns the length. */
static size_t text_make(char *text, const char *from)
{
	size_t length = strlen(from);
	for (size_t i = 0; i <= length; i++)
		text[i] = from[i] == '|' ? '\0' : from[i];
	return length;
}

static void a_path_is_permitted_by_some_line_of_every_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(path_cases); i++) {
		char text[TEXT_MAX];
		size_t length = text_make(text, path_cases[i].text);
		if (path_permits(text, length, path_cases[i].verbs, path_cases[i].path) !=
			path_cases[i].permits)
			fail_msg("%s: %x %s", path_cases[i].text, path_cases[i].verbs,
				path_cases[i].path);
	}
}

struct verb_case {
	const char *text;
	enum policy_verb verb;
	bool permits;
};

static const struct verb_case verb_cases[] = {
	{"resolve host:a.b\n|", POLICY_RESOLVE, true},
	{"resolve host:a.b\n|read /a\n|", POLICY_RESOLVE, false},
	{"resolve host:\n|", POLICY_RESOLVE, false},
	{"read host:*\n|", POLICY_RESOLVE, false},
	{"resolve,read host:*\n|", POLICY_RESOLVE, false},
	{"resolve host:*|", POLICY_RESOLVE, false},
	{"|", POLICY_RESOLVE, false},
	{"write /a\n|", POLICY_APPEND, true},
	{"write /a/\n|", POLICY_APPEND, false},
	{"read /a\n|", POLICY_VERB_COUNT, false},
};

static void a_verb_is_permitted_by_a_line_that_has_it_in_every_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(verb_cases); i++) {
		char text[TEXT_MAX];
		struct policy_limits limits =
			limits_make(text, text_make(text, verb_cases[i].text));
		if (limits_permit_verb(&limits, verb_cases[i].verb) != verb_cases[i].permits)
			fail_msg("%s: %d", verb_cases[i].text, verb_cases[i].verb);
		limits_drop(&limits);
	}
}

static void what_was_never_narrowed_is_not_limited(void **state)
{
	const struct policy_limits none = {"read /a\n", 0}, nowhere = {NULL, 1};
	struct asked asked = {.kind = POLICY_ICMP};
	(void)state;
	assert_true(limits_permit_path(NULL, READ, "/b", 2));
	assert_true(limits_permit_path(&none, READ, "/b", 2));
	assert_true(limits_permit_asked(NULL, POLICY_SOCKET, &asked));
	assert_true(limits_permit_asked(&none, POLICY_SOCKET, &asked));
	assert_true(limits_permit_verb(NULL, POLICY_RESOLVE));
	assert_true(limits_permit_verb(&none, POLICY_RESOLVE));
	assert_false(limits_permit_path(&nowhere, READ, "/b", 2));
	assert_false(limits_permit_asked(&nowhere, POLICY_SOCKET, &asked));
	assert_false(limits_permit_verb(&nowhere, POLICY_RESOLVE));
}

/* "/x" so many times. */
static size_t path_repeat(char *text, const char *part, size_t count)
{
	size_t length = 0;
	for (size_t i = 0; i < count; i++)
		length += (size_t)sprintf(text + length, "%s", part);
	return length;
}

/* It would match, but others wait. */
static void a_pattern_that_takes_too_long_permits_nothing(void **state)
{
	char text[TEXT_MAX] = "read ", path[TEXT_MAX];
	(void)state;
	size_t length = 5 + path_repeat(text + 5, "/**/a", 20);
	text[length++] = '\n';
	path_repeat(path, "/a", 200);
	assert_true(path_permits(text, length, READ, path));
	length = 5 + path_repeat(text + 5, "/**/a", 700);
	text[length++] = '\n';
	path_repeat(path, "/a", 2000);
	assert_false(path_permits(text, length, READ, path));
	/* nor is a line that comes after it looked at */
	length += (size_t)sprintf(text + length, "read /a/**\n");
	assert_false(path_permits(text, length, READ, path));
}

/* ---- random lines and requests ---- */

#define PICK(array) ((array)[random_below(COUNT(array))])

static void random_pattern(char *text)
{
	static const char *const parts[] = {"a", "b", "ab", ".a", "*", "?", "a*", "*b", "*a*b",
		"[ab]", "[!a]", "a?", ".*", "**", "**", "proc", "dev", "[!b]*", "*?", "a b",
		"[a-c]", "[.]a", "[p]roc", "[*]", "%%", "a%%", "s[y]s"};
	static const char *const bad[] = {
		"a**", "[", "[]", "[!", "[!]", ".", "..", "", "%", "[c-a]", "[^a]", "a%b", "[.]"};
	uint32_t count = 1 + random_below(4);
	*text = '\0';
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, "/");
		strcat(text, random_below(60) ? PICK(parts) : PICK(bad));
	}
	if (!text[1]) /* `/` stands in the table */
		strcat(text, "a");
}

static void random_address(char *text)
{
	static const char *const addresses[] = {"*", "10.1.2.3", "10.0.0.0/8", "10.1.0.0/16",
		"0.0.0.0", "0.0.0.0/0", "0.0.0.0/1", "[::]", "[::]/0", "[::]/1", "[2001:db8::]/33",
		"[2001:db8::1]", "[fe80::1]", "[fe80::]/10", "[::ffff:10.1.2.3]",
		"[::ffff:10.0.0.0]/104", "[::ffff:0:0]/96", "[::1]", "127.0.0.0/8"};
	static const char *const names[] = {
		"a", "a.b", "*.b", "A.B", "a.b.", "*.a.b", "*.B.", "a-b"};
	static const char *const bad[] = {"10.1", "10.0.0.1/8", "[::1", "::1", "[10.1.2.3]", "",
		"[::]/129", "a..b", "*.*", "1.2.3.4.5", "a.1", "//a", "[::1/64]", "a:1",
		"10.0.0.0/", "[::]x", ".", "*."};
	strcpy(text, !random_below(40) ? PICK(bad)
		     : random_below(3) ? PICK(addresses)
				       : PICK(names));
}

static void random_ports(char *text)
{
	static const char *const ports[] = {"*", "80", "0", "1-65535", "79-81", "443", "65535",
		"4294967295", "4294967294", "0,1-9", "80,443"};
	static const char *const bad[] = {"", "65536", "0-5", "5-4", "1-", "80x"};
	*text = '\0';
	do {
		strcat(text, *text ? "," : "");
		strcat(text, random_below(40) ? PICK(ports) : PICK(bad));
	} while (!random_below(4));
}

static void random_endpoint_object(char *text)
{
	static const char *const plain[] = {"icmp", "icmp6", "raw:*", "raw:1", "raw:255", "raw:256",
		"netlink:*", "netlink:route", "netlink:0", "netlink:31", "netlink:32",
		"netlink:rout", "tun:*", "tun:t0", "tun:T0", "tap:t0", "tap:*", "tun:", "tap:a*",
		"tun:sixteen-bytes-it", "mark=*", "mark=1", "mark=1-1K", "mark=4294967295",
		"mark=4G", "mark=2-1", "priority=0-6", "rcvbufforce=1M", "sndbufforce=*",
		"transparent=1", "transparent=*", "debug=0-1", "debug=2", "bindtodevice=t0",
		"bindtodevice=T0", "bindtodevice=*", "bindtodevice=a,b", "vsock:*:*", "nonsense:1",
		"mark=", "=1"};
	char address[64], ports[128];
	random_address(address);
	random_ports(ports);
	switch (random_below(6)) {
	case 0:
		sprintf(text, "%s:%s", random_below(2) ? "tcp" : "udp", ports);
		return;
	case 1:
		sprintf(text, "host:%s", address);
		return;
	case 2:
		sprintf(text, "vsock:%s:%s",
			(const char *[]){"*", "2", "4294967295", "x"}[random_below(4)], ports);
		return;
	case 3:
		strcpy(text, PICK(plain));
		return;
	default:
		sprintf(text, "%s:%s:%s", random_below(2) ? "tcp" : "udp", address, ports);
	}
}

/* No limit can name a credential. */
#define LIMITED_VERBS (POLICY_BIT(POLICY_CREDENTIAL) - 1)

/* Verbs for the object: mostly those that go with it. */
static void random_verbs(char *text, const char *object)
{
	const struct word word = {.bytes = object, .length = (uint32_t)strlen(object)};
	enum object_kind kind = object_find_kind(&word);
	uint32_t fitting = 0, chosen = 0;
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (kind < OBJECT_KIND_COUNT && verb_words[verb].objects & KIND_BIT(kind))
			fitting |= POLICY_BIT(verb);
	}
	fitting = (fitting && random_below(30) ? fitting : UINT32_MAX) & LIMITED_VERBS;
	while (!chosen) {
		for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
			chosen |= random_below(3) ? 0 : POLICY_BIT(verb) & fitting;
	}
	*text = '\0';
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (chosen & POLICY_BIT(verb))
			sprintf(text + strlen(text), "%s%s", *text ? "," : "",
				verb_words[verb].name);
	}
}

struct limit_words {
	char verbs[128], object[128];
};

static void random_line(struct limit_words *line, bool is_path)
{
	if (!is_path) {
		random_endpoint_object(line->object);
	} else if (random_below(4)) {
		random_pattern(line->object);
	} else {
		strcpy(line->object, "unix:");
		random_pattern(line->object + 5);
	}
	random_verbs(line->verbs, line->object);
}

static void random_name(char *text)
{
	static const char *const parts[] = {"a", "b", "ab", "ba", ".a", ".b", "aab", "abab", "proc",
		"dev", "aa", "a b", "*", "%", "a%", "c", "sys"};
	strcat(text, random_below(200) ? "/" : "//");
	strcat(text, PICK(parts));
}

static uint32_t random_path_verbs(void)
{
	uint32_t verbs = POLICY_BIT(random_below(POLICY_BIND + 1));
	if (!random_below(3))
		verbs |= POLICY_BIT(random_below(POLICY_BIND + 1));
	return verbs;
}

static void random_path_request(struct request *request)
{
	*request = (struct request){.is_path = true, .verbs = random_path_verbs()};
	for (uint32_t i = random_below(16) ? 1 + random_below(4) : 0; i > 0; i--)
		random_name(request->path);
	if (!*request->path)
		strcpy(request->path, "/");
}

/* One that the pattern may well match: its literal parts, and names for the others. */
static void near_path_request(struct request *request, const struct limit_words *line)
{
	const char *at = strchr(line->object, '/');
	*request = (struct request){.is_path = true};
	for (; *at; at += 1 + strcspn(at + 1, "/")) {
		size_t length = strcspn(at + 1, "/");
		if (!strcspn(at + 1, "*?[%/") || strcspn(at + 1, "*?[%") < length) {
			bool is_deep = length == 2 && memcmp(at + 1, "**", 2) == 0;
			for (uint32_t i = is_deep ? random_below(3) : 1; i > 0; i--)
				random_name(request->path);
		} else {
			strncat(request->path, at, length + 1);
		}
	}
	if (!*request->path)
		strcpy(request->path, "/");
	for (int verb = 0; verb <= POLICY_BIND; verb++) {
		if (strstr(line->verbs, verb_words[verb].name) && random_below(2))
			request->verbs |= POLICY_BIT(verb);
	}
	if (!request->verbs)
		request->verbs = random_path_verbs();
}

static void random_endpoint_request(struct request *request)
{
	static const char *const v4[] = {"0.0.0.0", "10.1.2.3", "10.2.0.1", "127.0.0.1", "0.0.0.1"};
	static const char *const v6[] = {"::", "::1", "2001:db8::1", "2001:db8:8000::1", "fe80::1",
		"::ffff:10.1.2.3", "::ffff:0.0.0.0"};
	static const char *const names[] = {
		"a", "a.b", "c.b", "A.b.", "a.a.b", "t0", "T0", "a,b", "a-b", "..", "*"};
	static const uint32_t numbers[] = {
		0, 1, 79, 80, 82, 255, 256, 443, 1024, 65535, 65536, UINT32_MAX - 1, UINT32_MAX};
	static const enum policy_verb some[] = {
		POLICY_BIND, POLICY_CONNECT, POLICY_SOCKET, POLICY_OPTION, POLICY_RESOLVE};
	struct policy_endpoint *endpoint = &request->endpoint;
	struct asked asked;
	do {
		*request = (struct request){.verb = PICK(some)};
		endpoint->kind = (enum policy_kind)random_below(
			random_below(2) ? POLICY_HOST + 1 : POLICY_KIND_COUNT);
		endpoint->number = PICK(numbers);
		switch (random_below(4)) {
		case 0:
			endpoint->family = POLICY_IPV4;
			inet_pton(AF_INET, PICK(v4), endpoint->address);
			break;
		case 1:
			endpoint->family = POLICY_IPV6;
			endpoint->scope = random_below(2);
			inet_pton(AF_INET6, PICK(v6), endpoint->address);
			break;
		case 2:
			endpoint->name = PICK(names);
			endpoint->name_length = random_below(9) ? strlen(endpoint->name) : 0;
			break;
		default:
			endpoint->family = random_below(3) ? POLICY_CID : POLICY_NO_ADDRESS;
			memset(endpoint->address, random_below(2) ? 0xff : 0, 4);
			endpoint->address[3] = random_below(2) ? 2 : endpoint->address[3];
		}
	} while (!asked_make(&asked, request->verb, endpoint));
}

/* One of the kind of the line's object, under one of its verbs, if one is soon found. */
static void near_endpoint_request(struct request *request, const struct limit_words *line)
{
	for (int i = 0; i < 400; i++) {
		random_endpoint_request(request);
		const char *kind = policy_kind_name(request->endpoint.kind);
		if (strncmp(line->object, kind, strlen(kind)) == 0 &&
			strstr(line->verbs, policy_verb_name(request->verb)))
			return;
	}
}

/* lines: some that it may be about. */
static void random_request(
	struct request *request, bool is_path, const struct limit_words *lines, uint32_t count)
{
	const struct limit_words *line =
		count && random_below(4) ? &lines[random_below(count)] : NULL;
	if (is_path && line)
		near_path_request(request, line);
	else if (is_path)
		random_path_request(request);
	else if (line)
		near_endpoint_request(request, line);
	else
		random_endpoint_request(request);
}

static void request_print(const struct request *request)
{
	const struct policy_endpoint *endpoint = &request->endpoint;
	if (request->is_path)
		print_error("asked: %x %s\n", request->verbs, request->path);
	else
		print_error("asked: %s %s family %d %08x name '%.*s' number %u\n",
			policy_verb_name(request->verb), policy_kind_name(endpoint->kind),
			endpoint->family, ntohl(*(const uint32_t *)endpoint->address),
			(int)endpoint->name_length, endpoint->name ? endpoint->name : "",
			endpoint->number);
}

/* ---- against the compiled policy ---- */

/* The line as `allow`, in quotes where it has a blank. */
static void rule_append(char *text, const char *effect, const struct limit_words *line)
{
	const char *quote = strchr(line->object, ' ') ? "\"" : "";
	sprintf(text + strlen(text), "%s %s %s%s%s\n", effect, line->verbs, quote, line->object,
		quote);
}

/* Whether the policy language takes it, and so a limit must. */
static bool line_is_good(const struct limit_words *line)
{
	char text[512] = "client c {\nfrom anyone\n";
	rule_append(text, "allow", line);
	strcat(text, "}\n");
	struct policy policy = policy_try(text);
	bool is_good = policy.result == 0;
	policy_drop(&policy);
	return is_good;
}

/* Fails unless a limit takes the line just when the language does. */
static bool line_check(const struct limit_words *line, const char *text, size_t length)
{
	const char *why;
	bool is_good = line_is_good(line);
	if (policy_limits_check(text, length, &why) != is_good)
		fail_msg("'%s': the policy takes it: %d; %s", text, is_good, why ? why : "-");
	return is_good;
}

/* Lines as a set, and those that are well-formed as a policy; without any there is none. */
struct sample {
	char text[LINES * sizeof(struct limit_words) + 1];
	size_t length; /* with the NUL */
	struct limit_words lines[LINES];
	uint32_t count;
	bool has_policy;
	struct policy policy;
};

/* other: one that it may have lines in common with, or NULL. */
static void sample_make(struct sample *sample, bool is_path, const struct sample *other)
{
	char rules[TEXT_MAX] = "client c {\nfrom anyone\n";
	*sample = (struct sample){.count = random_below(12) ? 1 + random_below(LINES) : 0};
	for (uint32_t i = 0; i < sample->count; i++) {
		struct limit_words line;
		char *text = sample->text + sample->length;
		random_line(&line, is_path);
		if (other && other->count && random_below(3))
			line = other->lines[random_below(other->count)];
		sample->lines[i] = line;
		size_t length = (size_t)sprintf(text, "%s %s\n", line.verbs, line.object);
		sample->length += length;
		if (!line_check(&line, text, length))
			continue;
		sample->has_policy = true;
		rule_append(rules, "allow", &line);
	}
	sample->length++;
	strcat(rules, "}\n");
	if (sample->has_policy)
		sample->policy = policy_make(rules);
}

static void sample_drop(struct sample *sample)
{
	if (sample->has_policy)
		policy_drop(&sample->policy);
}

static bool sample_allows(const struct sample *sample, const struct request *request)
{
	return sample->has_policy &&
	       request_decide(request, &sample->policy, NULL).outcome == POLICY_ALLOWED;
}

static void samples_check(bool is_path)
{
	uint32_t permitted = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct sample sample;
		sample_make(&sample, is_path, NULL);
		for (int i = 0; i < REQUESTS; i++) {
			struct request request;
			random_request(&request, is_path, sample.lines, sample.count);
			bool permits = request_permits(&request, sample.text, sample.length);
			bool allows = sample_allows(&sample, &request);
			permitted += permits;
			if (permits == allows)
				continue;
			request_print(&request);
			fail_msg("%s: permitted %d, allowed %d", sample.text, permits, allows);
		}
		sample_drop(&sample);
	}
	assert_true(permitted > ROUNDS); /* else the test says little */
}

static void paths_are_permitted_as_the_policy_would_allow_them(void **state)
{
	(void)state;
	samples_check(true);
}

static void endpoints_are_permitted_as_the_policy_would_allow_them(void **state)
{
	(void)state;
	samples_check(false);
}

/* ---- narrowing ---- */

/* Allows, denies, and now and then a block that narrows. */
static struct policy random_policy(bool is_path)
{
	for (;;) {
		char text[TEXT_MAX] = "";
		uint32_t blocks = 1 + random_below(2);
		for (uint32_t i = 0; i < blocks; i++) {
			sprintf(text + strlen(text), "client c%u %s{\nfrom anyone\n", i,
				i && random_below(2) ? "only " : "");
			strcat(text,
				is_path ? "allow read,write,create /**\n"
					: "allow bind,connect tcp:* udp:*\nallow resolve host:*\n");
			for (uint32_t j = random_below(4); j > 0; j--) {
				struct limit_words line;
				random_line(&line, is_path);
				rule_append(text, random_below(3) ? "allow" : "deny", &line);
			}
			strcat(text, "}\n");
		}
		struct policy policy = policy_try(text);
		if (policy.result == 0)
			return policy;
		policy_drop(&policy);
	}
}

/* Sets one after the other, and where each begins. */
struct narrowing {
	struct sample sets[SETS];
	char text[SETS * sizeof(((struct sample *)0)->text)];
	size_t starts[SETS + 1];
};

static void narrowing_make(struct narrowing *narrowing, bool is_path)
{
	size_t length = 0;
	for (int i = 0; i < SETS; i++) {
		struct sample *set = &narrowing->sets[i];
		/* With nothing in common they would leave nothing. */
		sample_make(set, is_path, i ? set - 1 : NULL);
		narrowing->starts[i] = length;
		memcpy(narrowing->text + length, set->text, set->length);
		length += set->length;
	}
	narrowing->starts[SETS] = length;
}

static void narrowing_drop(struct narrowing *narrowing)
{
	for (int i = 0; i < SETS; i++)
		sample_drop(&narrowing->sets[i]);
}

static void narrowing_request(
	struct request *request, const struct narrowing *narrowing, bool is_path)
{
	const struct sample *set = &narrowing->sets[random_below(SETS)];
	random_request(request, is_path, set->lines, set->count);
}

/*
 * What is granted with so many sets is what is granted without, and by the policy that each of them
 * would be. Returns whether it is with all of them.
 */
static bool narrowing_check(const struct policy *policy, const struct narrowing *narrowing,
	const struct request *request)
{
	const struct policy_decision free = request_decide(request, policy, NULL);
	bool expected = free.outcome == POLICY_ALLOWED;
	for (int i = 1; i <= SETS; i++) {
		struct policy_limits limits = limits_make(narrowing->text, narrowing->starts[i]);
		const struct policy_decision decision = request_decide(request, policy, &limits);
		expected = expected && sample_allows(&narrowing->sets[i - 1], request);
		if ((decision.outcome == POLICY_ALLOWED) != expected) {
			request_print(request);
			fail_msg("with %d sets: %d, not narrowed: %d", i, decision.outcome,
				free.outcome);
		}
		/* A denial by the policy stays what it was; of `[::]` each family may have its own. */
		if (!expected && free.outcome == POLICY_ALLOWED)
			assert_int_equal(decision.outcome, POLICY_DENIED_LIMITED);
		else if (request->is_path)
			assert_int_equal(decision.outcome, free.outcome);
		limits_drop(&limits);
	}
	return expected;
}

static void narrowings_check(bool is_path)
{
	uint32_t granted = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct policy policy = random_policy(is_path);
		struct narrowing narrowing;
		narrowing_make(&narrowing, is_path);
		for (int i = 0; i < REQUESTS; i++) {
			struct request request;
			narrowing_request(&request, &narrowing, is_path);
			granted += narrowing_check(&policy, &narrowing, &request);
		}
		narrowing_drop(&narrowing);
		policy_drop(&policy);
	}
	assert_true(granted > ROUNDS / 4); /* else the test says little */
}

static void each_limit_leaves_a_part_of_what_was_granted_before(void **state)
{
	(void)state;
	narrowings_check(true);
	narrowings_check(false);
}

/* Cut at any byte but the first, sets permit no more than those of them that have begun. */
static void cuts_check(const struct narrowing *narrowing, const struct request *request)
{
	for (int i = 0; i < SETS; i++) {
		bool permits = request_permits(request, narrowing->text, narrowing->starts[i + 1]);
		for (size_t cut = narrowing->starts[i] + 1; cut < narrowing->starts[i + 1]; cut++) {
			if (!request_permits(request, narrowing->text, cut) || permits)
				continue;
			request_print(request);
			fail_msg("'%.*s' permits it, as a part of '%s'",
				(int)(cut - narrowing->starts[i]),
				narrowing->text + narrowing->starts[i],
				narrowing->text + narrowing->starts[i]);
		}
	}
}

static void a_set_that_was_cut_off_permits_no_more_than_the_whole(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
		bool is_path = random_below(2);
		struct narrowing narrowing;
		narrowing_make(&narrowing, is_path);
		for (int i = 0; i < REQUESTS / 4; i++) {
			struct request request;
			narrowing_request(&request, &narrowing, is_path);
			cuts_check(&narrowing, &request);
		}
		narrowing_drop(&narrowing);
	}
}

/* ---- garbage ---- */

static size_t random_garbage(char *text)
{
	static const char *const words[] = {"read ", "read,write ", "bind ", "connect ", "socket ",
		"option ", "resolve ", "list,stat ", "/a", "/b", "/*", "/**", "*", "?", "[", "]",
		"!", "%", "\n", "\n", "\n", "tcp:", "udp:", "80", ",", "-", ":",
		"unix:", "vsock:", "host:", "[::1]", "/32", "raw:", "netlink:", "route",
		"tun:", "mark=", "K", "a", ".", " ", "x", "\xff", "\r", "icmp\n", "bindtodevice="};
	size_t length = 0;
	for (uint32_t count = random_below(40); count > 0; count--) {
		const char *word = PICK(words);
		if (random_below(30)) {
			length += (size_t)sprintf(text + length, "%s", word);
			continue;
		}
		text[length++] = (char)random_below(256);
	}
	return length;
}

/* The lines of one set that are well-formed by themselves, each to its newline. */
static size_t lines_keep_good(const char *text, size_t length, char *kept)
{
	size_t used = 0, at = 0;
	const char *end;
	while ((end = length > at ? memchr(text + at, '\n', length - at) : NULL)) {
		size_t line = (size_t)(end - (text + at)) + 1;
		const char *why;
		if (policy_limits_check(text + at, line, &why)) {
			memcpy(kept + used, text + at, line);
			used += line;
		}
		at += line;
	}
	kept[used++] = '\0';
	return used;
}

/* Without its garbage each set is one that somebody could have sent. */
static void garbage_check(const char *text, size_t length, bool is_path, const struct sample *near)
{
	char good[TEXT_MAX];
	size_t good_length = 0;
	for (size_t at = 0; at < length;) {
		const char *end = memchr(text + at, '\0', length - at);
		size_t set = end ? (size_t)(end - (text + at)) : length - at;
		good_length += lines_keep_good(text + at, set, good + good_length);
		at += set + 1;
	}
	for (int i = 0; i < REQUESTS; i++) {
		struct request request;
		random_request(
			&request, is_path, near ? near->lines : NULL, near ? near->count : 0);
		if (!length || request_permits(&request, text, length) ==
				       request_permits(&request, good, good_length))
			continue;
		request_print(&request);
		fail_msg("'%.*s' is not judged as '%.*s'", (int)length, text, (int)good_length,
			good);
	}
}

static void garbage_permits_nothing_that_the_same_without_it_does_not(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[TEXT_MAX];
		garbage_check(text, random_garbage(text), random_below(2), NULL);
	}
}

/* Good sets with a few bytes that are not what they were. */
static void a_set_with_broken_bytes_is_judged_by_the_lines_that_are_left(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		bool is_path = random_below(2);
		struct narrowing narrowing;
		narrowing_make(&narrowing, is_path);
		for (uint32_t count = 1 + random_below(3); count > 0; count--)
			narrowing.text[random_below((uint32_t)narrowing.starts[SETS])] =
				(char)random_below(256);
		garbage_check(narrowing.text, narrowing.starts[SETS], is_path, &narrowing.sets[0]);
		narrowing_drop(&narrowing);
	}
}

static void bytes_of_no_meaning_permit_nothing(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS * 4; round++) {
		char text[TEXT_MAX];
		size_t length = 1 + random_below(300);
		struct request request;
		for (size_t i = 0; i < length; i++)
			text[i] = (char)random_below(256);
		random_request(&request, random_below(2), NULL, 0);
		assert_false(request_permits(&request, text, length));
		struct policy_limits limits = limits_make(text, length);
		for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
			assert_false(limits_permit_verb(&limits, (enum policy_verb)verb));
		limits_drop(&limits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_that_is_not_of_the_language_is_refused_with_the_way_out),
		cmocka_unit_test(who_writes_no_verb_is_told_all_of_them),
		cmocka_unit_test(a_set_holds_no_nul),
		cmocka_unit_test(lengths_are_those_of_the_language),
		cmocka_unit_test(a_path_is_permitted_by_some_line_of_every_set),
		cmocka_unit_test(a_verb_is_permitted_by_a_line_that_has_it_in_every_set),
		cmocka_unit_test(what_was_never_narrowed_is_not_limited),
		cmocka_unit_test(a_pattern_that_takes_too_long_permits_nothing),
		cmocka_unit_test(paths_are_permitted_as_the_policy_would_allow_them),
		cmocka_unit_test(endpoints_are_permitted_as_the_policy_would_allow_them),
		cmocka_unit_test(each_limit_leaves_a_part_of_what_was_granted_before),
		cmocka_unit_test(a_set_that_was_cut_off_permits_no_more_than_the_whole),
		cmocka_unit_test(garbage_permits_nothing_that_the_same_without_it_does_not),
		cmocka_unit_test(a_set_with_broken_bytes_is_judged_by_the_lines_that_are_left),
		cmocka_unit_test(bytes_of_no_meaning_permit_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
