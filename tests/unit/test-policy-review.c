/* SPDX-License-Identifier: MIT */
/*
 * What a review says, and that it is true. The sentences and their places are written out; that
 * nothing is called needless or dead which is not, random policies show: what a warning is about is
 * taken out, and all that is asked is decided as before.
 */
#include "policy-support.h"

#define ROUNDS 6000
#define REQUESTS 250

/* ---- what is said, and where ---- */

struct review_case {
	const char *text;
	const char *expected; /* "LINE:COLUMN+WIDTH MESSAGE\n" of each diagnostic */
};

#define ALICE "client a {\nfrom user alice\n"
#define ALICE_WRITES "allow append /z\n" /* who only creates is told so */

static const struct review_case cases[] = {
	/* dead */
	{ALICE "allow read /a /b\ndeny read,stat /a\n}\n",
		"3:12+2 denied at test.policy:4: it allows nothing\n"},
	{ALICE "allow read,list /a /b/*.x\ndeny all /** log none\n}\n",
		"3:1+5 the deny at test.policy:4 swallows the whole rule\n"},
	{ALICE "allow read,write /a /b\ndeny write /a /b\n}\n",
		"3:12+5 'write' is denied at test.policy:4: this line never allows it\n"},
	{ALICE "allow read,write /a /b\ndeny write /b\n}\n",
		"3:21+2 'write' of it is denied at test.policy:4\n"},
	{ALICE "allow read /a/**\ndeny all /a/*/**\n}\n", ""},
	{ALICE "allow read %h/x\ndeny all /**\n}\n",
		"3:1+5 the deny at test.policy:4 swallows the whole rule\n"},
	{ALICE "allow read /a/%u\ndeny all /a/*\n}\n",
		"3:1+5 the deny at test.policy:4 swallows the whole rule\n"},
	{ALICE "allow read /a/b\ndeny all /a/%u\n}\n", ""},
	{ALICE "allow read /a/x*.key.pem\ndeny all /a/*.pem\n}\n",
		"3:1+5 the deny at test.policy:4 swallows the whole rule\n"},
	{ALICE "allow bind unix:/run/x owner bob\ndeny create /run/**\n}\n",
		"3:1+5 the deny at test.policy:4 swallows the whole rule\n"},
	{"client d {\nfrom anyone\ndeny all /a\n}\n" ALICE "allow read /a\n}\n",
		"7:1+5 the deny at test.policy:3 swallows the whole rule\n"},
	{"client d {\nfrom user 1000-2000\ndeny all /a\n}\n" ALICE "allow read /a\n}\n",
		"7:1+5 the deny at test.policy:3 swallows the whole rule\n"},
	{"client d {\nfrom user bob\ndeny all /a\n}\n" ALICE "allow read /a\n}\n", ""},
	{"client d {\nfrom user alice\ndeny all /a\n}\n"
	 "client a {\nfrom user alice\nfrom user bob\nallow read /a\n}\n",
		""},
	{"client d {\nfrom user alice\ndeny all /a\n}\n"
	 "client a {\nfrom group staff\nallow read /a\n}\n",
		""},
	{"client d {\nfrom user alice\ndeny all /a\n}\n"
	 "client a {\nfrom group staff user alice\nallow read /a\n}\n",
		"7:1+5 the deny at test.policy:3 swallows the whole rule\n"},
	{ALICE "allow connect tcp:10.1.0.0/16:80 tcp:10.1.0.0/16:90\n"
	       "deny connect tcp:10.0.0.0/8:1-80\n}\n",
		"3:15+18 denied at test.policy:4: it allows nothing\n"},
	{ALICE "allow connect tcp:*:80\ndeny connect tcp:0.0.0.0/0:80 tcp:[::]/0:80\n}\n", ""},
	{ALICE "allow bind,connect tcp:10.0.0.1:80,443\ndeny bind tcp:10.0.0.1:80\n"
	       "deny connect tcp:10.0.0.1:443\n}\n",
		""},
	/* needless */
	{ALICE "allow read /a/** /a/b /a/x*/*.y\n}\n",
		"3:18+4 needless: this line allows it already\n"
		"3:23+9 needless: this line allows it already\n"},
	{ALICE "allow read /a\nallow read /a\n}\n",
		"4:12+2 needless: test.policy:3 allows it already\n"},
	{ALICE "allow read /a /a\n}\n", "3:15+2 needless: this line allows it already\n"},
	{ALICE "allow read /a\nallow read,write /a\n}\n",
		"3:12+2 needless: test.policy:4 allows it already\n"},
	{ALICE "allow read,write /a\nallow read /a log none\n}\n", ""},
	{ALICE "allow create /s/** mode 0600\nallow create /s/a/* mode 0640\n"
	       "allow create /s/a/b mode 0600\n" ALICE_WRITES "}\n",
		""},
	{ALICE "allow create /s/** mode 0600\nallow create /t/a/* mode 0640\n"
	       "allow create /s/a/b mode 0600\n" ALICE_WRITES "}\n",
		"5:14+6 needless: test.policy:3 allows it already\n"},
	{ALICE "allow create /s/** mode 0640\nallow create /s/a/* mode 0600\n"
	       "allow create /s/a/b mode 0600\n" ALICE_WRITES "}\n",
		"5:14+6 needless: test.policy:4 allows it already\n"},
	{ALICE "allow create /s/a* mode 0600\nallow create /s/*b mode 0640\n"
	       "allow create /s/ab mode 0600\n" ALICE_WRITES "}\n",
		""},
	{ALICE "allow create /h/** /h/u/x\nallow create %h/x mode 0640\n" ALICE_WRITES "}\n", ""},
	{ALICE "allow create /h/** /h/u/x\nallow create /h/%u/x mode 0640\n" ALICE_WRITES "}\n",
		""},
	{ALICE "allow read /a/*x /a/.*x /a/%ux\n}\n", ""},
	{ALICE "allow bind tcp:0.0.0.0/8:80 tcp:0.0.0.0:80\n}\n", ""},
	{ALICE "allow read /srv/** /srv/*.x\nallow read /var/** log none\n}\n",
		"3:20+8 needless: this line allows it already\n"},
	{ALICE "allow read /srv/** /srv/*.x\nallow read /*/x log none\n}\n", ""},
	{ALICE "allow read /srv/** /srv/*.x\nallow read %h/x log none\n}\n", ""},
	{ALICE "allow read /srv/** /srv/a/*.x\nallow read /srv/b/* log none\n}\n",
		"3:20+10 needless: this line allows it already\n"},
	{ALICE "allow list /a/** /a\n}\n", "3:18+2 needless: this line allows it already\n"},
	{ALICE "allow read /a/** /a\n}\n", ""},
	{ALICE "allow read /a/* /a/.b\n}\n", ""},
	{ALICE "allow read /** /proc/self/status\n}\n", ""},
	{ALICE "allow read %h/** %h/a\n}\n", "3:18+4 needless: this line allows it already\n"},
	{ALICE "allow read /a/**\n}\nclient b {\nfrom user bob\nallow read /a/b\n}\n", ""},
	{ALICE "deny read /a/b\ndeny all /a/*\n}\n",
		"3:11+4 needless: test.policy:4 denies it already\n"},
	{ALICE "deny read /a/b log none\ndeny all /a/*\n}\n", ""},
	{ALICE "deny all /a/*\ndeny read /a/b log none\n}\n",
		"4:11+4 needless: test.policy:3 denies it already\n"},
	{ALICE "deny all /a\n}\nclient b {\nfrom anyone\ndeny all /a\n}\n",
		"3:10+2 needless: test.policy:7 denies it already\n"},
	{ALICE "allow connect tcp:*.a.b:80 tcp:x.a.b:80 tcp:x.y.a.b:80\n}\n",
		"3:28+12 needless: this line allows it already\n"},
	{ALICE "allow bind tcp:1-1000 tcp:80,443\n}\n",
		"3:23+10 needless: this line allows it already\n"},
	{ALICE "allow socket raw:icmp raw:1\n}\n",
		"3:23+5 needless: this line allows it already\n"},
	{ALICE "allow option mark=1-10 mark=11\n}\n", ""},
	/* a rule on the home itself may be between them, wherever that is */
	{ALICE "allow read %h/x %h/*\nallow read /home/alice/x* symlinks none\n}\n", ""},
	/* directories */
	{ALICE "allow read /a type file,directory\n}\n",
		"3:25+9 who gets a directory can go on to '..' and to all that is below it\n"},
	{ALICE "allow append /a type any\n}\n",
		"3:22+3 who gets a directory can go on to '..' and to all that is below it\n"},
	{ALICE "allow create,remove /a type directory\n}\n", ""},
	/* units */
	{"client a {\nfrom unit *.service\nallow read /a\n}\n",
		"2:11+9 this matches user@1000.service too, which runs whatever its users start\n"},
	{"client a {\nfrom unit user@1001.service\nfrom unit cron.service\nallow read /a\n}\n",
		"2:11+17 this unit runs whatever its users start\n"
		"3:11+12 this unit runs whatever its users start\n"},
	{"client a {\nfrom unit docker-*.scope\nfrom unit run-u77.service\nfrom unit gdm.service\n"
	 "allow read /a\n}\n",
		"2:11+14 this matches docker-0.scope too, which runs whatever its users start\n"
		"3:11+15 this unit runs whatever its users start\n"
		"4:11+11 this unit runs whatever its users start\n"},
	{"client a {\nfrom unit session-?0.scope\nfrom unit run-p3-i4.service\n"
	 "from unit run-rdeadbeef.scope\nallow read /a\n}\n",
		"2:11+16 this matches session-10.scope too, which runs whatever its users start\n"
		"3:11+17 this unit runs whatever its users start\n"
		"4:11+19 this unit runs whatever its users start\n"},
	/* names that only begin as those do */
	{"client a {\nfrom unit docker-registry@*.service\nfrom unit machine-learning@*.service\n"
	 "from unit session-manager@*.service\nfrom unit run-backup.service\n"
	 "from unit run-update.service\nfrom unit run-*-now.service\nfrom unit user@.service\n"
	 "allow read /a\n}\n",
		""},
	{"client a {\nfrom unit session-*.scope user alice\nallow read /a\n}\n", ""},
	{"client a {\nfrom unit app@*.service\nfrom unit nginx*\nallow read /a\n}\n", ""},
	/* ports */
	{ALICE "allow bind tcp:8080 tcp:80,8080 udp:1024-2000\n}\n",
		"3:12+8 a program may bind port 8080 by itself: no broker is needed\n"
		"3:33+13 a program may bind ports 1024 to 2000 by itself: no broker is needed\n"},
	{ALICE "allow bind tcp:8080 with freebind\nallow bind tcp:8081 netns peer\n"
	       "allow connect tcp:8080\n}\n",
		""},
	/* hosts */
	{ALICE "allow connect tcp:localhost:80,443 udp:a.localhost:53\nallow connect "
	       "tcp:localhost.example:80 tcp:mylocalhost:80\ndeny connect tcp:localhost:80\n"
	       "allow resolve host:localhost\n}\n",
		"3:15+20 this name is of the loopback addresses, which no rule by name reaches\n"
		"3:36+18 this name is of the loopback addresses, which no rule by name reaches\n"},
	/* paths */
	{ALICE "allow read /a, /b;\nallow read /c,/d\ndeny read /e,\n}\n",
		"3:14+1 ',' is part of the path here\n3:18+1 ';' is part of the path here\n"
		"4:14+1 ',' is part of the path here\n"},
	/* of a maildir */
	{ALICE "allow read /m/123:2, \nallow read /m/5:2,\nallow read /m/4:2, \\\n/e\n}\n",
		"5:18+1 ',' is part of the path here\n"},
	{ALICE "allow read /s/{a,b}.x /s/(a|b)\nallow read /a,b /{a} /(x) \"/a,\" \"/{a,b}\"\n}\n",
		"3:15+5 '{a,b}' is part of the path here\n"
		"3:26+5 '(a|b)' is part of the path here\n"},
	{ALICE "allow read /home/%u/x\nallow read /home/%u/y as peer\nallow read /home/%u\n"
	       "allow read /home/%u.x/y\nallow read %h/a\nallow read %h/b as root\n"
	       "allow read %h/c as alice\n}\n",
		"3:12+10 this is the client's own folder: it can place anything there\n"
		"8:12+4 root would act in the client's own folder, where it can place anything\n"},
	{"client a {\nfrom user 0\nallow read %h/b as root\n}\n", ""},
	{"client a {\nfrom unit backup.service\nallow read %h/b as root\n}\n", ""},
	/* options */
	{ALICE "allow append /a mode 0640\nallow read /b owner bob\nallow create,read /c mode "
	       "0640\n"
	       "allow create /d type directory mode 0640\nallow create /e type directory mode "
	       "0711\n"
	       "allow create /f type directory,file mode 0640\n}\n",
		"3:22+4 'mode' counts for what is created, and this line creates nothing\n"
		"4:21+3 'owner' counts for what is created, and this line creates nothing\n"
		"6:37+4 without search permission nothing in the directory can be reached\n"},
	{ALICE "allow create /a\n}\n", "3:7+6 'create' alone opens nothing\n"},
	{ALICE "allow create /a\nallow remove /b\n}\n", ""},
	{ALICE "allow create /a type directory\n}\n", ""},
	{ALICE "allow bind unix:/run/a\nallow bind unix:/run/b mode 0666\n"
	       "allow bind unix:/run/c owner bob\n}\n",
		"3:12+11 this socket gets mode 0600: none but the broker's user and root can "
		"connect\n"},
	/* who */
	{"client a {\nfrom user alice user bob\nfrom user 1000-2000 user 1500\nfrom user 1-5 user "
	 "6-7\n"
	 "from unit a.service user alice unit b.service\nfrom unit x*.service unit b.service\n"
	 "from group staff group lab\nallow read /a\n}\n",
		"2:22+3 nobody is both: this line never matches\n"
		"4:20+3 nobody is both: this line never matches\n"
		"5:37+9 nobody is both: this line never matches\n"},
	{"client a {\nfrom unit nginx.servce\nfrom unit a.b user alice\nfrom unit \"a.b\"\n"
	 "from unit a@*.scope\nfrom unit a.*\nallow read /a\n}\n",
		"2:16+7 no unit's name ends in '.servce'\n3:12+2 no unit's name ends in '.b'\n"},
	{"client a only {\nfrom user alice\ndeny read /a\n}\n",
		"1:8+1 an 'only' block without an allow takes everything away from its peers\n"},
	{"client a {\nfrom user alice\n}\n", ""},
	/* devices */
	{ALICE "allow read /dev/ttyUSB0\n}\n",
		"3:12+12 this name may mean another device after a reboot\n"
		"3:12+12 what is not a regular file is refused: this rule opens no device\n"},
	{ALICE "allow read /dev/sdb2 /dev/nvme0n1 /dev/input/event3 /dev/snd/controlC1 type "
	       "device,block\n}\n",
		"3:12+9 this name may mean another device after a reboot\n"
		"3:22+12 this name may mean another device after a reboot\n"
		"3:35+17 this name may mean another device after a reboot\n"
		"3:53+18 this name may mean another device after a reboot\n"},
	{ALICE "allow read /dev/hwrng /dev/ppp /dev/vfio/vfio /dev/tpm0 /dev/ttyS0 /dev/null "
	       "/dev/cpu_dma_latency /dev/btrfs-control /dev/zero /dev/urandom /dev/net/tun "
	       "/dev/fuse /dev/kvm /dev/stdin /dev/stderr /dev/mapper/root /dev/tty1 /dev/snd/seq "
	       "/dev/bus/usb/001/002 type device\n}\n",
		""},
	{ALICE "allow read /dev/null /dev/serial/by-id/x type device\nallow stat /dev/kvm\n"
	       "allow read /dev/shm/x /dev/tty*\n}\n",
		""},
};

static void said(const struct policy_set *set, char *text, size_t size)
{
	size_t count, length = 0;
	const struct policy_diagnostic *all = policy_set_diagnostics(set, &count);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, size - length, "%u:%u+%u %s\n",
			all[i].line, all[i].column, all[i].width, all[i].message);
}

/* What of 63 blocks of anyone and two others is said. */
static void crowd_expect(const char *froms, const char *others, const char *expected)
{
	char text[8192] = "", warnings[512];
	for (uint32_t i = 0; i < 63; i++)
		sprintf(text + strlen(text), "client a%u {\nfrom anyone\n}\n", i);
	sprintf(text + strlen(text), "client b {\n%s}\nclient c {\n%s}\n", froms, others);
	struct policy policy = policy_make(text);
	assert_int_equal(policy_set_review(policy.set, policy.image), 0);
	said(policy.set, warnings, sizeof(warnings));
	assert_string_equal(warnings, expected);
	policy_drop(&policy);
}

static void users_of_more_blocks_than_a_peer_can_have_are_warned_of(void **state)
{
	(void)state;
	crowd_expect("from user alice\n", "from user bob\n", "");
	crowd_expect("from user alice\nfrom user 1000-1010\nfrom user 1001\n", "from user 5\n", "");
	crowd_expect("from user 1000-1010\n", "from user 1011\n", "");
	crowd_expect("from anyone\n", "from group staff\nfrom unit a.service user alice\n", "");
	crowd_expect("from user 1000-1010\n", "from user 1010-1020\n",
		"193:8+1 more than 64 blocks are for uid 1010, who will be disconnected\n");
	crowd_expect("from anyone\n", "from user 7-9\n",
		"193:8+1 more than 64 blocks are for uids 7 to 9, who will be disconnected\n");
	crowd_expect("from anyone\n", "from anyone\n}\nclient d {\nfrom user 7\n",
		"193:8+1 more than 64 blocks are for everybody, who will be disconnected\n");
	crowd_expect("from user 1\nfrom anyone\n", "from anyone\nfrom user 3\n",
		"194:8+1 more than 64 blocks are for everybody, who will be disconnected\n");
}

/* One of them has other options, and stands where it is not tried any more. */
static void a_path_among_more_globs_than_are_tried_is_not_called_needless(void **state)
{
	(void)state;
	for (uint32_t other = 0; other < 100; other += 99) {
		char text[8192] = ALICE "allow read /a/xyz /a/*\n", warnings[256];
		for (uint32_t i = 0; i < 100; i++)
			sprintf(text + strlen(text),
				i == other ? "allow read /a/x*z symlinks none\n"
					   : "allow read /a/x*-%u\n",
				i);
		strcat(text, "}\n");
		struct policy policy = policy_make(text);
		assert_int_equal(policy_set_review(policy.set, policy.image), 0);
		said(policy.set, warnings, sizeof(warnings));
		assert_string_equal(warnings, "");
		policy_drop(&policy);
	}
}

static void each_warning_points_at_its_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];
		struct policy policy = policy_make(cases[i].text);
		assert_int_equal(policy_set_review(policy.set, policy.image), 0);
		said(policy.set, text, sizeof(text));
		if (strcmp(text, cases[i].expected) != 0)
			fail_msg("%s\nsaid:\n%s\nexpected:\n%s", cases[i].text, text,
				cases[i].expected);
		policy_drop(&policy);
	}
}

/* ---- random policies ---- */

#define BLOCKS 4
#define RULES_MAX 10
#define OBJECTS_MAX 3

struct random_rule {
	bool is_path, is_deny;
	int block;
	uint32_t verbs;
	const char *option;
	uint32_t object_count;
	char objects[OBJECTS_MAX][80];
	uint32_t line, columns[OBJECTS_MAX]; /* once it is written */
};

struct random_policy {
	uint32_t rule_count;
	struct random_rule rules[RULES_MAX];
};

static const char *const block_heads[BLOCKS] = {
	"client a {\nfrom user alice\n",
	"client b {\nfrom anyone\n",
	"client c only {\nfrom user alice\nfrom user bob\n",
	"client d {\nfrom user 1000-1005\n",
};
#define BLOCK_HEAD_LINES 2u

static void random_pattern(char *text)
{
	static const char *const parts[] = {"a", "b", "ab", ".a", "*", "?", "a*", "*b", "*a*b",
		"[ab]", "[!a]", "a?", ".*", "**", "**", "proc", "*?", "%u", "%U*", "a%u", "alice"};
	uint32_t count = 1 + random_below(3);
	strcpy(text, random_below(8) ? "" : "%h");
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, "/");
		strcat(text, parts[random_below(COUNT(parts))]);
	}
	/* Most rules of a folder, so that they meet. */
	if (text[0] == '/' && !random_below(3))
		strcpy(text, random_below(2) ? "/a/**" : "/a/b");
}

static void random_endpoint(char *text)
{
	static const char *const hosts[] = {"*", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3",
		"0.0.0.0/0", "0.0.0.0", "[::]/0", "[2001:db8::]/32", "[2001:db8::1]", "[::]",
		"[fe80::1%eth0]", "[fe80::1]", "*.a.b", "x.a.b", "a.b"};
	static const uint32_t ports[] = {1, 80, 81, 95, 96, 127, 128, 443};
	uint32_t first = ports[random_below(COUNT(ports))];
	uint32_t last = random_below(2) ? first : first + random_below(60);
	if (random_below(3))
		sprintf(text, "tcp:%s:%u-%u", hosts[random_below(COUNT(hosts))], first, last);
	else
		sprintf(text, "tcp:%s:80,%u", hosts[random_below(COUNT(hosts))],
			ports[random_below(COUNT(ports))]);
}

static void random_rule(struct random_rule *rule, int block)
{
	static const char *const path_options[] = {
		"", "", "", "", "", "", "mode 0640", "symlinks none", "log none"};
	static const char *const endpoint_options[] = {
		"", "", "", "", "", "netns peer", "log none"};
	*rule = (struct random_rule){.block = block, .option = ""};
	rule->is_path = random_below(4);
	rule->is_deny = !random_below(4);
	rule->verbs = POLICY_BIT(POLICY_CONNECT);
	if (rule->is_path)
		rule->verbs = 1 + random_below(POLICY_BIT(POLICY_WATCH + 1) - 1);
	if (rule->is_path && random_below(2))
		rule->verbs = POLICY_BIT(random_below(POLICY_WATCH + 1));
	if (rule->is_deny)
		rule->option = random_below(6) ? "" : "log none";
	else if (rule->is_path)
		rule->option = path_options[random_below(COUNT(path_options))];
	else
		rule->option = endpoint_options[random_below(COUNT(endpoint_options))];
	rule->object_count = 1 + random_below(OBJECTS_MAX);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		if (rule->is_path)
			random_pattern(rule->objects[i]);
		else
			random_endpoint(rule->objects[i]);
	}
}

static void random_policy(struct random_policy *policy)
{
	policy->rule_count = 2 + random_below(RULES_MAX - 1);
	for (uint32_t i = 0; i < policy->rule_count; i++)
		random_rule(&policy->rules[i], (int)(i * BLOCKS / RULES_MAX));
}

static char *verbs_write(char *at, uint32_t verbs)
{
	const char *separator = "";
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (!(verbs & POLICY_BIT(verb)))
			continue;
		at += sprintf(at, "%s%s", separator, policy_verb_name((enum policy_verb)verb));
		separator = ",";
	}
	return at;
}

static char *rule_write(char *at, struct random_rule *rule)
{
	const char *start = at;
	at += sprintf(at, "%s ", rule->is_deny ? "deny" : "allow");
	at = verbs_write(at, rule->verbs);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		rule->columns[i] = (uint32_t)(at - start) + 2;
		at += sprintf(at, " %s", rule->objects[i]);
	}
	return at + sprintf(at, " %s\n", rule->option);
}

/* Rules without an object are left out. */
static void policy_write(struct random_policy *policy, char *text)
{
	uint32_t line = 1;
	for (int block = 0; block < BLOCKS; block++) {
		text += sprintf(text, "%s", block_heads[block]);
		line += BLOCK_HEAD_LINES + (block == 2 ? 1u : 0u);
		for (uint32_t i = 0; i < policy->rule_count; i++) {
			struct random_rule *rule = &policy->rules[i];
			if (rule->block != block || !rule->object_count)
				continue;
			rule->line = line++;
			text = rule_write(text, rule);
		}
		text += sprintf(text, "}\n");
		line++;
	}
}

/* ---- random requests ---- */

static const struct policy_identity people[] = {
	{.uid = 1001, .gid = 1101, .user = "alice", .home = "/home/alice"},
	{.uid = 1001, .gid = 1101},
	{.uid = 1002, .gid = 1102, .user = "a", .home = "/a/b"},
	{.uid = 7, .gid = 7, .user = "ab", .home = "/.a/proc"},
};

struct request {
	struct policy_identity who;
	bool is_path;
	uint32_t verbs;
	char name[64];
	struct policy_endpoint endpoint;
};

static void random_path(char *text, const struct policy_identity *who)
{
	static const char *const parts[] = {
		"a", "b", "ab", "ba", ".a", "alice", "aalice", "1001", "aab", "proc"};
	uint32_t count = 1 + random_below(4);
	strcpy(text, who->home && !random_below(4) ? who->home : "");
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, "/");
		strcat(text, parts[random_below(COUNT(parts))]);
	}
}

static void random_request(struct request *request)
{
	static const struct policy_endpoint endpoints[] = {
		{.family = POLICY_IPV4, .address = {10, 1, 2, 3}},
		{.family = POLICY_IPV4, .address = {10, 1, 9, 9}},
		{.family = POLICY_IPV4, .address = {10, 9, 9, 9}},
		{.family = POLICY_IPV4, .address = {9, 9, 9, 9}},
		{.family = POLICY_IPV4},
		{.family = POLICY_IPV6},
		{.family = POLICY_IPV6, .address = {0x20, 1, 0xd, 0xb8, [15] = 1}},
		{.family = POLICY_IPV6, .address = {0x20, 1, 0xd, 0xb8, [15] = 2}},
		{.family = POLICY_IPV6, .address = {0xfe, 0x80, [15] = 1}, .scope = 2},
		{.family = POLICY_IPV6, .address = {0xfe, 0x80, [15] = 1}},
		{.name = "x.a.b", .name_length = 5},
		{.name = "y.a.b", .name_length = 5},
		{.name = "a.b", .name_length = 3},
		{.name = "x..a", .name_length = 4},
	};
	static const uint32_t ports[] = {0, 1, 80, 81, 90, 95, 96, 100, 127, 128, 443, 450};
	request->who = people[random_below(COUNT(people))];
	request->is_path = random_below(2);
	request->verbs = POLICY_BIT(random_below(POLICY_WATCH + 1));
	if (!random_below(3))
		request->verbs |= POLICY_BIT(random_below(POLICY_WATCH + 1));
	random_path(request->name, &request->who);
	request->endpoint = endpoints[random_below(COUNT(endpoints))];
	request->endpoint.kind = POLICY_TCP;
	request->endpoint.number = ports[random_below(COUNT(ports))];
}

static struct policy_decision decide(const struct policy *policy, const struct request *request)
{
	struct policy_peer peer = peer_make(policy, &request->who);
	if (!request->is_path)
		return policy_decide_endpoint(
			policy->image, &peer, NULL, POLICY_CONNECT, &request->endpoint);
	return policy_decide_path(
		policy->image, &peer, NULL, request->verbs, request->name, strlen(request->name));
}

static bool denies(const struct policy *policy, const struct request *request)
{
	struct policy_peer peer = peer_make(policy, &request->who);
	if (!request->is_path)
		return policy_deny_endpoint(policy->image, &peer, POLICY_CONNECT,
			       &request->endpoint) != POLICY_NO_RULE;
	return policy_deny_path(policy->image, &peer, request->verbs, request->name,
		       strlen(request->name)) != POLICY_NO_RULE;
}

static bool decisions_agree(const struct policy_decision *a, const struct policy_decision *b)
{
	const struct policy_options *x = &a->options, *y = &b->options;
	if (a->outcome != b->outcome || x->log != y->log || a->missing != b->missing)
		return false;
	return a->outcome != POLICY_ALLOWED ||
	       (x->mode == y->mode && x->symlinks == y->symlinks && x->netns == y->netns &&
		       x->types == y->types && x->uid == y->uid);
}

/* ---- every warning is true ---- */

static void fail_policy(const char *what, const struct request *request, const char *text,
	const struct policy_diagnostic *said_of)
{
	char verbs[128] = "";
	verbs_write(verbs, request->verbs);
	fail_msg("%s: %s %s port %u by uid %u home %s\n%s\n%u:%u %s", what, verbs,
		request->is_path ? request->name : "(endpoint)", request->endpoint.number,
		request->who.uid, request->who.home ? request->who.home : "-", text, said_of->line,
		said_of->column, said_of->message);
}

static void object_remove(struct random_policy *written, uint32_t rule, uint32_t object)
{
	struct random_rule *changed = &written->rules[rule];
	changed->object_count--;
	for (uint32_t i = object; i < changed->object_count; i++)
		strcpy(changed->objects[i], changed->objects[i + 1]);
}

/* Nothing that is asked is decided otherwise without what has been taken out. */
static void check_needless(const struct policy *policy, const char *text,
	struct random_policy *without, const struct policy_diagnostic *said_of)
{
	char without_text[4096];
	policy_write(without, without_text);
	struct policy other = policy_make(without_text);
	for (int i = 0; i < REQUESTS; i++) {
		struct request request;
		random_request(&request);
		struct policy_decision a = decide(policy, &request), b = decide(&other, &request);
		if (!decisions_agree(&a, &b) ||
			denies(policy, &request) != denies(&other, &request))
			fail_policy("needed", &request, text, said_of);
	}
	policy_drop(&other);
}

/* What these objects and verbs alone would allow, the whole policy does not. */
static void check_dead(const struct policy *policy, const char *text,
	const struct random_policy *written, uint32_t rule, uint32_t object, uint32_t verbs,
	const struct policy_diagnostic *said_of)
{
	char alone_text[4096];
	struct random_policy alone = {.rule_count = 1, .rules = {written->rules[rule]}};
	struct random_rule *only = &alone.rules[0];
	if (verbs)
		only->verbs = verbs;
	if (object != UINT32_MAX) {
		memmove(only->objects[0], only->objects[object], sizeof(only->objects[0]));
		only->object_count = 1;
	}
	if (only->block == 2)
		only->block = 1; /* not narrowed */
	policy_write(&alone, alone_text);
	char *narrowing = strstr(alone_text, " only");
	memset(narrowing, ' ', strlen(" only"));
	struct policy other = policy_make(alone_text);
	for (int i = 0; i < REQUESTS; i++) {
		struct request request;
		random_request(&request);
		uint32_t asked = verbs ? verbs & (0u - verbs) : request.verbs;
		request.verbs = request.is_path ? asked : request.verbs;
		if (written->rules[rule].block == 2 && request.who.uid == 7)
			continue; /* it is not for them */
		if (decide(&other, &request).outcome == POLICY_ALLOWED &&
			decide(policy, &request).outcome == POLICY_ALLOWED)
			fail_policy("allowed", &request, text, said_of);
	}
	policy_drop(&other);
}

static uint32_t verbs_read(const char *message)
{
	uint32_t verbs = 0;
	char list[128];
	if (*message++ != '\'')
		return 0;
	size_t length = strcspn(message, "'");
	snprintf(list, sizeof(list), ",%.*s,", (int)length, message);
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		char word[32];
		snprintf(word, sizeof(word), ",%s,", policy_verb_name((enum policy_verb)verb));
		if (strstr(list, word))
			verbs |= POLICY_BIT(verb);
	}
	return verbs;
}

static int seen_needless, seen_needless_denies, seen_dead, seen_verbs;

/* The rule and the object that a warning is about; UINT32_MAX: the whole rule, or its verbs. */
static uint32_t warning_find(const struct random_policy *written,
	const struct policy_diagnostic *warning, uint32_t *object)
{
	uint32_t rule = 0;
	*object = UINT32_MAX;
	while (written->rules[rule].line != warning->line)
		rule++;
	for (uint32_t i = 0; i < written->rules[rule].object_count; i++) {
		if (written->rules[rule].columns[i] == warning->column)
			*object = i;
	}
	return rule;
}

static bool warning_is_needless(const struct policy_diagnostic *warning)
{
	return strncmp(warning->message, "needless", 8) == 0;
}

/* Of the others only the places are tested: a policy has to mean something for them to be true. */
static bool warning_is_of_rules(const struct policy_diagnostic *warning)
{
	return warning_is_needless(warning) || strstr(warning->message, "denied at ") ||
	       strstr(warning->message, "the deny at ");
}

static void check_warning(const struct policy *policy, const char *text,
	const struct random_policy *written, const struct policy_diagnostic *warning)
{
	uint32_t object, rule, verbs;
	if (!warning_is_of_rules(warning))
		return;
	rule = warning_find(written, warning, &object);
	verbs = verbs_read(warning->message);
	if (warning_is_needless(warning)) {
		struct random_policy without = *written;
		assert_int_not_equal(object, UINT32_MAX);
		object_remove(&without, rule, object);
		check_needless(policy, text, &without, warning);
		seen_needless++;
		seen_needless_denies += written->rules[rule].is_deny;
	} else {
		check_dead(policy, text, written, rule, object, verbs, warning);
		seen_dead += !verbs;
		seen_verbs += verbs != 0;
	}
}

/* Who follows all warnings at once must not lose what each of two left to the other. */
static void check_all_needless(const struct policy *policy, const char *text,
	const struct random_policy *written, const struct policy_diagnostic *all, size_t count)
{
	struct random_policy without = *written;
	const struct policy_diagnostic *last = NULL;
	for (size_t i = count; i-- > 0;) {
		uint32_t object, rule;
		if (!warning_is_needless(&all[i]))
			continue;
		rule = warning_find(written, &all[i], &object);
		object_remove(&without, rule, object);
		last = &all[i];
	}
	if (last)
		check_needless(policy, text, &without, last);
}

static void nothing_is_called_needless_or_dead_that_is_not(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char text[4096];
		struct random_policy written;
		random_policy(&written);
		policy_write(&written, text);
		struct policy policy = policy_try(text);
		if (policy.result == 0) {
			size_t count;
			assert_int_equal(policy_set_review(policy.set, policy.image), 0);
			const struct policy_diagnostic *all =
				policy_set_diagnostics(policy.set, &count);
			for (size_t i = 0; i < count; i++)
				check_warning(&policy, text, &written, &all[i]);
			check_all_needless(&policy, text, &written, all, count);
		}
		policy_drop(&policy);
	}
	print_message("needless %d (%d of them denies), dead %d, dead verbs %d\n", seen_needless,
		seen_needless_denies, seen_dead, seen_verbs);
	assert_true(seen_needless - seen_needless_denies > 300 && seen_needless_denies > 300);
	assert_true(seen_dead > 300 && seen_verbs > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_of_more_blocks_than_a_peer_can_have_are_warned_of),
		cmocka_unit_test(each_warning_points_at_its_word),
		cmocka_unit_test(a_path_among_more_globs_than_are_tried_is_not_called_needless),
		cmocka_unit_test(nothing_is_called_needless_or_dead_that_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
