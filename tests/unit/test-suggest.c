/* SPDX-License-Identifier: MIT */
/*
 * From lines of an audit log to a policy, and from there to what the policy grants: what was denied
 * for want of a rule, and nothing else, whoever chose the names.
 */
#include "policy-support.h"

#include "audit-log.h"
#include "denials.h"
#include "since.h"
#include "suggestions.h"
#include "words.h"

#include <errno.h>
#include <time.h>

#define READ POLICY_BIT(POLICY_READ)
#define ROUNDS 150
#define NAMES 20
#define NAME_MAX_BYTES 12

/* ---- logs ---- */

struct counts {
	size_t records, others, broken, foreign, by_syslog;
};

/* There are two of one name, and one that systemd has made up. */
static void user_find(struct asker *asker)
{
	const bool is_alice = asker->uid == 1001 || asker->uid == 5000;
	if (is_alice || asker->uid == 61200 || asker->uid == 61300)
		asker->user = strdup(is_alice ? "alice" : "guest");
	asker->user_uid = is_alice ? 1001 : asker->uid;
	asker->is_made_up = asker->uid == 61300;
}

/* Reads a log; what it denied is in *denials. */
static struct counts log_read(const char *log, size_t length, struct denials *denials)
{
	struct audit_reader reader = {.in = fmemopen((char *)log, length, "r"), .broker_uid = 900};
	struct audit_record record;
	struct counts counts = {0};
	enum audit_line kind;
	assert_non_null(reader.in);
	while (audit_read(&reader, &kind, &record)) {
		assert_int_not_equal(kind, AUDIT_FAILED);
		counts.records += kind == AUDIT_RECORD;
		counts.others += kind == AUDIT_OTHER;
		counts.broken += kind == AUDIT_BROKEN;
		counts.foreign += kind == AUDIT_FOREIGN;
		counts.by_syslog += kind == AUDIT_RECORD && record.is_by_syslog;
		if (kind == AUDIT_RECORD)
			assert_int_equal(denials_add(denials, &record), 0);
	}
	fclose(reader.in);
	audit_reader_release(&reader);
	return counts;
}

static char *suggestions_text(struct denials *denials, const char *client)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(suggestions_write(denials, client, out), 0);
	assert_int_equal(fclose(out), 0);
	for (const char *at = text; *at; at++)
		assert_true((*at >= ' ' && *at < 0x7f) || *at == '\n' || *at == '\t');
	return text;
}

/* What is suggested for a log, all of whose lines are records. */
static char *suggest(const char *log)
{
	struct denials denials = {.user_find = user_find};
	struct counts counts = log_read(log, strlen(log), &denials);
	assert_int_equal(counts.others + counts.broken, 0);
	char *text = suggestions_text(&denials, NULL);
	denials_release(&denials);
	return text;
}

#define START "audit: denied uid=1001 pid=7 unit=- "
#define END " reason=policy error=EACCES rule=- client=- why=no-rule\n"
#define LINE(verbs, object) START "verb=" verbs " object=\"" object "\"" END

static void expect_rule(const char *log, const char *rule)
{
	char *text = suggest(log);
	if (!strstr(text, rule))
		fail_msg("no '%s' in\n%s", rule, text);
	struct policy policy = policy_make(text);
	policy_drop(&policy);
	free(text);
}

static void expect_no_rule(const char *log, const char *comment)
{
	char *text = suggest(log);
	if (strstr(text, "\n\tallow") || !strstr(text, comment))
		fail_msg("a rule, or no '%s' in\n%s", comment, text);
	free(text);
}

/* ---- reading ---- */

static void a_record_is_the_same_in_each_way_of_writing(void **state)
{
	(void)state;
	static const char *const logs[] = {
		"audit: denied uid=1001 pid=7 unit=a\\x20b.service verb=read,write "
		"object=\"/a \\\"\\\\\\xff\" reason=policy error=EACCES rule=- client=- "
		"why=no-rule time=2026-11-21T21:35:13.000001Z later=more\n",
		"<5>audit: denied time=2026-11-21T21:35:13.000001Z why=no-rule "
		"object=\"/a \\\"\\\\\\xff\" verb=read,write uid=1001 unit=a\\x20b.service\n",
		"Nov 21 21:35:13 host fdbrokerd[12]: audit: denied uid=1001 unit=a\\x20b.service "
		"verb=write,read object=\"/a \\\"\\\\\\xff\" why=no-rule "
		"time=2026-11-21T21:35:13.000001Z\n",
		"{\"audit\":\"denied\",\"uid\":1001,\"unit\":\"a b.service\",\"verb\":\"read,"
		"write\",\"object\":\"/a \\\"\\\\\\u00ff\",\"why\":\"no-rule\",\"time\":\"2026-11-"
		"21T21:35:13.000001Z\",\"later\":[1]}\n",
		"{\"_UID\":\"900\",\"__REALTIME_TIMESTAMP\":\"1795296913000001\",\"FDBROKER_"
		"VERDICT\":\"denied\",\"FDBROKER_UID\":\"1001\",\"FDBROKER_UNIT\":\"a\\\\x20b."
		"service\",\"FDBROKER_VERB\":\"read,write\",\"FDBROKER_OBJECT\":\"/a "
		"\\\\\\\"\\\\\\\\\\\\xff\",\"FDBROKER_WHY\":\"no-rule\",\"MESSAGE\":\"x\"}\n",
		"{\"__REALTIME_TIMESTAMP\":\"1795296913000001\",\"FDBROKER_VERDICT\":\"denied\","
		"\"FDBROKER_UID\":[49,48,48,49],\"FDBROKER_UNIT\":[97,32,98,46,115,101,114,118,105,"
		"99,101],\"FDBROKER_VERB\":\"read,write\",\"FDBROKER_OBJECT\":[47,97,32,92,34,92,"
		"92,255],\"FDBROKER_WHY\":\"no-rule\"}\n",
		"{\"__REALTIME_TIMESTAMP\":\"1795296913000001\",\"MESSAGE\":\"audit: denied "
		"uid=1001 unit=a\\\\x20b.service verb=read,write object=\\\"/a "
		"\\\\\\\"\\\\\\\\\\\\xff\\\" why=no-rule\"}\n",
		"{\"__REALTIME_TIMESTAMP\":\"1795296913000001\",\"MESSAGE\":\"{\\\"audit\\\":"
		"\\\"denied\\\",\\\"uid\\\":1001,\\\"unit\\\":\\\"a b.service\\\",\\\"verb\\\":"
		"\\\"read,write\\\",\\\"object\\\":\\\"/a \\\\\\\"\\\\\\\\\\\\u00ff\\\","
		"\\\"why\\\":\\\"no-rule\\\"}\"}\n",
	};
	for (size_t i = 0; i < COUNT(logs); i++) {
		struct denials denials = {.user_find = user_find};
		struct counts counts = log_read(logs[i], strlen(logs[i]), &denials);
		if (counts.records != 1)
			fail_msg("no record: %s", logs[i]);
		const struct denial *denial = denials.items[0];
		assert_int_equal(denial->asker->uid, 1001);
		assert_string_equal(denial->asker->unit, "a b.service");
		assert_true(denial->is_mendable);
		assert_int_equal(denial->verbs, READ | POLICY_BIT(POLICY_WRITE));
		assert_string_equal(denial->object.bytes, "/a \"\\\xff");
		assert_int_equal(denial->object.length, 6);
		assert_true(denial->first_usec == INT64_C(1795296913000001));
		denials_release(&denials);
	}
}

static void what_is_no_whole_record_is_none(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"audit: denied uid=1001 verb=read object=\"/a\n",
		"audit: denied uid=1001 verb=read object=\"/a\\\"\n",
		"audit: denied uid=1001 verb=read object=\"/a\"b\n",
		"audit: denied uid=1001 verb=read object=\"/a\\n\"\n",
		"audit: denied uid=1001 verb=read object=\"/a\\x0\"\n",
		"audit: denied uid=1001 verb=read object=\"/a\\x00\"\n",
		"audit: denied uid=1001 verb=read object=\"/a\" uid=0\n",
		"audit: denied uid=1001 verb=read object=\"/a\" object=\"/b\"\n",
		"audit: denied uid=1001 verb=fly object=\"/a\"\n",
		"audit: denied uid=4294967296 verb=read object=\"/a\"\n",
		"audit: denied uid=-1 verb=read object=\"/a\"\n",
		"audit: denied uid=4294967295 verb=read object=\"/a\"\n",
		"audit: denied uid=1001 unit=a/b verb=read object=\"/a\"\n",
		"audit: denied uid=1001 unit= verb=read object=\"/a\"\n",
		"audit: denied verb=read object=\"/a\"\n",
		"audit: denied uid=1001 verb=read\n",
		"{\"audit\":\"denied\",\"uid\":1001,\"verb\":\"read\",\"object\":\"/a\n",
		"{\"audit\":\"denied\",\"uid\":1001,\"verb\":\"read\",\"object\":\"/\\u0100\"}\n",
		"{\"audit\":\"denied\",\"uid\":1001,\"uid\":0,\"verb\":\"read\",\"object\":\"/"
		"a\"}\n",
		"{\"FDBROKER_VERDICT\":\"denied\",\"FDBROKER_UID\":\"1001\",\"FDBROKER_VERB\":"
		"\"read\",\"FDBROKER_OBJECT\":null}\n",
		"{\"FDBROKER_VERDICT\":\"denied\",\"FDBROKER_UID\":[\"0\",\"1001\"],\"FDBROKER_"
		"VERB\":\"read\",\"FDBROKER_OBJECT\":\"/a\"}\n",
	};
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct denials denials = {0};
		struct counts counts = log_read(broken[i], strlen(broken[i]), &denials);
		if (counts.broken != 1 || denials.count)
			fail_msg("not broken: %s", broken[i]);
		denials_release(&denials);
	}
}

static void nothing_that_another_writes_is_taken_for_a_record(void **state)
{
	(void)state;
	static const char *const others[] = {
		"\n",
		"fdbrokerd: ready\n",
		"audit: type=1400 audit(1.1:1): apparmor=\"DENIED\"\n",
		"fdbrokerd: no file ' fdbrokerd[1]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"Nov 21 21:35:13 host sshd[1]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"Nov 21 21:35:13 host sshd[1]: x fdbrokerd[1]: audit: denied uid=0 verb=read "
		"object=\"/a\"\n",
		"Nov 21 21:35:13 host fdbrokerd[1]: x fdbrokerd[1]: audit: denied uid=0 verb=read "
		"object=\"/a\"\n",
		"Nov 21 21:35:13 host x: fdbrokerd[1]: audit: denied uid=0 verb=read "
		"object=\"/a\"\n",
		"Nov 21 21:35:13 host sshd: Invalid user fdbrokerd[1]: audit: denied uid=0 "
		"verb=read object=\"/a\"\n",
		"Nov 21 21:35:13 host x fdbrokerd[1]: audit: denied uid=0 verb=read "
		"object=\"/a\"\n",
		"Nov 21 21:35:13  fdbrokerd[1]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"Nov 21 21:35:13 host fdbrokerd[]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"Nov 21 21:35:13 host fdbrokerd[x]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"Nov 21 21:35:13 host xfdbrokerd[1]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"x host fdbrokerd[1]: audit: denied uid=0 verb=read object=\"/a\"\n",
		"{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"audit: denied uid=0 verb=read "
		"object=/a\"}\n",
		"{\"_BOOT_ID\":\"1\",\"FDBROKER_VERDICT\":\"denied\",\"FDBROKER_UID\":\"0\","
		"\"FDBROKER_VERB\":\"read\",\"FDBROKER_OBJECT\":\"/a\"}\n",
		"{\"_UID\":\"x\",\"MESSAGE\":\"audit: denied uid=0 verb=read object=/a\"}\n",
		"{\"MESSAGE\":null}\n",
		"{\"MESSAGE\":\"{\\\"MESSAGE\\\":\\\"audit: denied uid=0 object=/a\\\"}\"}\n",
		"{\"skipped\":3}\n",
		"[1]\n",
		"{\"level\":6,\"message\":\"audit: denied uid=0 verb=read object=/a\"}\n",
	};
	for (size_t i = 0; i < COUNT(others); i++) {
		struct denials denials = {0};
		struct counts counts = log_read(others[i], strlen(others[i]), &denials);
		if (counts.others != 1 || denials.total)
			fail_msg("not passed over: %s", others[i]);
		denials_release(&denials);
	}
}

static void what_the_journal_has_of_another_user_is_told_apart(void **state)
{
	(void)state;
	static const char *const others[] = {
		"{\"_UID\":\"1001\",\"FDBROKER_VERDICT\":\"denied\",\"FDBROKER_UID\":\"0\","
		"\"FDBROKER_VERB\":\"read\",\"FDBROKER_OBJECT\":\"/a\"}\n",
		"{\"_UID\":\"1001\",\"MESSAGE\":\"audit: denied uid=0 verb=read object=/a\"}\n",
	};
	for (size_t i = 0; i < COUNT(others); i++) {
		struct denials denials = {0};
		struct counts counts = log_read(others[i], strlen(others[i]), &denials);
		if (counts.foreign != 1 || denials.total)
			fail_msg("not told apart: %s", others[i]);
		denials_release(&denials);
	}
}

static void what_syslog_and_journalctl_put_before_a_record_is_known(void **state)
{
	(void)state;
	static const char *const starts[] = {"Nov 21 21:35:13 host", "Nov  1 21:35:13 host",
		"Nov 21 21:35:13.123456 host", "2026-11-21T21:35:13+0100 host",
		"2026-11-21T21:35:13.123456+01:00 host.example", "2026-11-21T21:35:13Z host",
		"Sat 2026-11-21 21:35:13 UTC host", "Sat 2026-11-21 21:35:13 CET host"};
	for (size_t i = 0; i < COUNT(starts); i++) {
		char *log;
		assert_true(asprintf(&log, "%s fdbrokerd[12]: " LINE("read", "/a"), starts[i]) > 0);
		struct denials denials = {0};
		struct counts counts = log_read(log, strlen(log), &denials);
		if (counts.records != 1 || counts.by_syslog != 1)
			fail_msg("no record: %s", log);
		denials_release(&denials);
		expect_rule(log,
			"# 1 of them came as lines of syslog: anybody who may write to that log");
		free(log);
	}
	char *text = suggest("<5>" LINE("read", "/a"));
	assert_null(strstr(text, "syslog"));
	free(text);
}

static void a_time_that_fdbrokerd_would_not_write_is_none(void **state)
{
	(void)state;
	static const char *const times[] = {"2026-1-1T1:1:1Z", "2026-11-21T21:35:13Z",
		"2026-11-21T21:35:13.1Z", "2026-11-21T21:35:13.123456",
		"2026-11-21T21:35:13.123456Zx", "2026-13-21T21:35:13.123456Z",
		"+026-11-21T21:35:13.123456Z", "", "-"};
	for (size_t i = 0; i < COUNT(times); i++) {
		char *log;
		assert_true(asprintf(&log, START "verb=read object=/a time=%s\n", times[i]) > 0);
		struct denials denials = {0};
		log_read(log, strlen(log), &denials);
		assert_int_equal(denials.count, 1);
		if (denials.items[0]->first_usec != AUDIT_NO_TIME)
			fail_msg("a time: %s", times[i]);
		denials_release(&denials);
		free(log);
	}
}

static ssize_t fail_to_read(void *cookie, char *buffer, size_t size)
{
	(void)cookie, (void)buffer, (void)size;
	errno = EIO;
	return -1;
}

static void a_log_that_fails_is_not_taken_for_its_end(void **state)
{
	(void)state;
	struct audit_reader reader = {
		.in = fopencookie(NULL, "r", (cookie_io_functions_t){.read = fail_to_read})};
	struct audit_record record;
	enum audit_line kind;
	assert_true(audit_read(&reader, &kind, &record));
	assert_int_equal(kind, AUDIT_FAILED);
	assert_int_equal(errno, EIO);
	fclose(reader.in);
	audit_reader_release(&reader);
}

static void no_bytes_at_all_upset_the_reader(void **state)
{
	(void)state;
	static const char whole[] =
		"audit: denied uid=1001 unit=a.b verb=read object=\"/a\\xff\"" END
		"{\"audit\":\"denied\",\"uid\":1,"
		"\"verb\":\"read\",\"object\":\"/"
		"\\u00ff\"}\n";
	for (int round = 0; round < 20000; round++) {
		char log[sizeof(whole)];
		struct denials denials = {.user_find = user_find};
		memcpy(log, whole, sizeof(whole));
		for (uint32_t i = random_below(4) + 1; i-- > 0;)
			log[random_below(sizeof(whole) - 1)] = (char)random_below(256);
		log_read(log, sizeof(whole) - 1, &denials);
		char *text = suggestions_text(&denials, NULL);
		struct policy policy = policy_make(text);
		policy_drop(&policy);
		free(text);
		denials_release(&denials);
	}
}

/* ---- rules ---- */

static void verbs_of_one_object_are_one_rule(void **state)
{
	(void)state;
	expect_rule(LINE("read", "/a") LINE("write,create", "/a") LINE("append", "/a")
			    LINE("stat", "/a"),
		"\tallow  read,write,create  /a\n");
	expect_rule(LINE("read", "/b") LINE("read", "/a") LINE("read", "/b"),
		"\t# 3 times, alice (uid 1001)\n\tallow  read  /a /b\n");
	expect_rule(LINE("stat", "/a") LINE("list", "/a"), "\tallow  stat,list  /a\n");
}

static void what_is_written_may_have_to_be_made(void **state)
{
	(void)state;
#define MADE "\t# if it may have to be made: create too\n"
	expect_rule(LINE("append", "/a") LINE("append", "/b"), MADE "\tallow  append  /a /b\n");
	expect_rule(LINE("write,read", "/a"), MADE "\tallow  read,write  /a\n");
	static const char *const logs[] = {
		LINE("append,create", "/a"), LINE("read", "/a"), LINE("bind", "unix:/a")};
	for (size_t i = 0; i < COUNT(logs); i++) {
		char *text = suggest(logs[i]);
		assert_null(strstr(text, MADE));
		free(text);
	}
}

static void endpoints_are_exactly_those_that_were_asked_for(void **state)
{
	(void)state;
	expect_rule(LINE("bind", "tcp:127.0.0.1:8001") LINE("bind", "tcp:127.0.0.1:8000")
			    LINE("bind", "tcp:127.0.0.1:8002") LINE("bind", "tcp:127.0.0.1:8004")
				    LINE("bind", "tcp:127.0.0.1:0"),
		"\tallow  bind  tcp:127.0.0.1:0,8000-8002,8004\n");
	expect_rule(LINE("bind", "tcp:*:80"), "\tallow  bind  tcp:80\n");
	expect_rule(LINE("bind", "tcp:[::]:80"),
		"\t# wider than what was seen: this also lets it bind a single address\n");
	expect_rule(LINE("bind", "udp:0.0.0.0:53"), "\tallow  bind  udp:0.0.0.0:53\n");
	expect_rule(LINE("connect", "tcp:DB.example.org.:5432"),
		"\tallow  connect  tcp:db.example.org:5432\n");
	expect_rule(LINE("connect", "tcp:[2001:db8::1]:443") LINE("connect", "udp:192.0.2.1:53"),
		"\tallow  connect  tcp:[2001:db8::1]:443 udp:192.0.2.1:53\n");
	expect_rule(LINE("connect", "tcp:local:80 (127.0.0.1)"),
		"\tallow  connect  tcp:127.0.0.1:80\n");
	expect_rule(LINE("connect", "tcp:local:80 (::1)"), "\tallow  connect  tcp:[::1]:80\n");
	expect_rule(LINE("resolve", "host:example.org"), "\tallow  resolve  host:example.org\n");
	expect_rule(LINE("bind", "unix:/run/a b"), "\tallow  bind  \"unix:/run/a b\"\n");
	expect_rule(LINE("bind", "vsock:*:1024") LINE("connect", "vsock:2:9"),
		"\tallow  connect  vsock:2:9\n");
	expect_rule(LINE("socket", "icmp") LINE("socket", "icmp6") LINE("socket", "netlink:0"),
		"\tallow  socket  icmp icmp6 netlink:0\n");
	expect_rule(LINE("socket", "tun:t*n0"), "\tallow  socket  \"tun:t\\x2an0\"\n");
	expect_rule(LINE("option", "mark=5") LINE("option", "transparent=7"),
		"\tallow  option  mark=5 transparent=1\n");
	expect_rule(LINE("option", "bindtodevice=eth0"), "\tallow  option  bindtodevice=eth0\n");
}

static void names_in_endpoints_mean_no_more_than_they_say(void **state)
{
	(void)state;
	static const char *const objects[] = {"tcp:*:80", "tcp:a,b:80", "tcp:a b:80",
		"tcp:[::]x:80", "tcp:*.org:80", "tcp:a:80-90", "tcp:a:*", "tcp:a:80 (1.2.3.4) (x)",
		"tcp::80", "tcp:a:99999", "tcp:10.0.0.0/8:80", "tcp:a:80,443", "udp:#:1", "tcp:"};
	for (size_t i = 0; i < COUNT(objects); i++) {
		char *log;
		assert_true(asprintf(&log, START "verb=connect object=\"%s\"" END, objects[i]) > 0);
		expect_no_rule(log, objects[i]);
		free(log);
	}
	expect_no_rule(LINE("resolve", "host:*"), "host:*");
	expect_no_rule(LINE("resolve", "service:http"), "no rule can be suggested");
	expect_no_rule(LINE("socket", "domain=2 type=3 protocol=255"), "no rule can be suggested");
	expect_no_rule(LINE("option", "level=1 name=2"), "no rule can be suggested");
	expect_no_rule(LINE("option", "mark=*"), "mark=*");
	expect_no_rule(LINE("socket", "tun:a,b"), "tun:a,b");
	expect_no_rule(LINE("read", "/a/../b"), "read /a/../b");
	expect_no_rule(LINE("read", "a"), "read a");
}

static void a_rename_gets_what_it_needs(void **state)
{
	(void)state;
	char *text = suggest(START "verb=create,remove object=\"/a\" target=\"/b\"" END);
	struct policy policy = policy_make(text);
	struct policy_peer peer = peer_make(&policy, &alice);
	const struct policy_file_name from = {"/a", 2, "/a", 2}, to = {"/b", 2, "/b", 2};
	assert_int_equal(path_decide(&policy, &alice, POLICY_BIT(POLICY_REMOVE), "/a").outcome,
		POLICY_ALLOWED);
	assert_int_equal(path_decide(&policy, &alice, POLICY_BIT(POLICY_CREATE), "/b").outcome,
		POLICY_ALLOWED);
	assert_false(policy_gains_by_name(policy.image, &peer, NULL, &from, &to, false));
	policy_drop(&policy);
	free(text);
}

static void what_is_dangerous_is_not_granted_by_pasting(void **state)
{
	(void)state;
	static const struct {
		const char *verbs, *object;
	} things[] = {{"read", "/etc/shadow"}, {"read", "/etc/shadow-"}, {"write", "/etc/passwd"},
		{"create", "/usr/bin/x"}, {"read", "/root/x"}, {"read", "/home/bob/.ssh/id_rsa"},
		{"read", "/dev/sda1"}, {"write", "/proc/sys/kernel/core_pattern"},
		{"socket", "raw:1"}, {"socket", "tun:*"}, {"bind", "unix:/run/systemd/notify"},
		{"write", "/var/run/systemd/system/x.service"}, {"read", "/dev/block/8:0"},
		{"write", "/dev/xvda"}, {"read", "/dev/vda1"}, {"read", "/dev/md0"},
		{"write", "/dev/loop0"}, {"read", "/dev/mem"}, {"read", "/proc/1/mem"},
		{"read", "/proc/1/task/1/environ"}, {"read", "/etc/ssh/ssh_host_ed25519_key"},
		{"read", "/etc/sudoers.d/x"}, {"write", "/etc/ssl/private/key.pem"},
		{"write", "/run/udev/rules.d/9.rules"}, {"write", "/var/lib/dpkg/info/x.postinst"},
		{"write", "/var/spool/anacron/x"}, {"create", "/var/spool/cron/crontabs/bob"},
		{"bind", "unix:/run/docker.sock"}, {"bind", "unix:/var/run/dbus/system_bus_socket"},
		{"read", "/home/.sshkeys/bob/.ssh/id_rsa"}, {"write", "/home/bob/.bashrc"},
		{"create", "/home/bob/.config/autostart/x"}, {"read", "/dev/input/event0"},
		{"read", "/var/backups/shadow.bak"}, {"read", "/var/lib/sss/secrets/x"}};
	for (size_t i = 0; i < COUNT(things); i++) {
		char *log;
		assert_true(asprintf(&log, START "verb=%s object=\"%s\"" END, things[i].verbs,
				    things[i].object) > 0);
		expect_no_rule(log, "\t# not granted lightly: ");
		char *text = suggest(log);
		assert_non_null(strstr(text, "\t#allow  "));
		struct policy policy = policy_make(text);
		assert_int_equal(policy_image_rule_count(policy.image), 0);
		policy_drop(&policy);
		free(text);
		free(log);
	}
	expect_rule(LINE("read", "/etc/ssl/private/key.pem"),
		"\t# a private key: who has it can pass for whom it is\n"
		"\tallow  read  /etc/ssl/private/key.pem\n");
	expect_rule(LINE("read", "/etc/ssl/certs/a.pem"), "\tallow  read  /etc/ssl/certs");
	expect_rule(LINE("read", "/etc/ssh/ssh_host_ed25519_key.pub"), "\tallow  read  /etc/ssh");
	expect_rule(LINE("read", "/home/bob/.profile"), "\tallow  read  /home");
	expect_rule(LINE("read", "/srv/.sshkeys/a"), "\tallow  read  /srv");
	expect_rule(LINE("read", "/rootless"), "\tallow  read  /rootless");
	expect_rule(LINE("stat", "/etc/shadow"), "\tallow  stat  /etc/shadow");
}

static void what_no_rule_mends_is_said(void **state)
{
	(void)state;
#define DENIED(rest) START "verb=read object=\"/a\" error=EACCES " rest "\n"
	expect_no_rule(DENIED("reason=policy rule=/p:3 client=c why=deny")
			       DENIED("reason=policy rule=/p:3 client=c why=deny"),
		"# 2 times, alice (uid 1001): denied by /p:3 (deny): a deny is not lifted");
	expect_no_rule(DENIED("reason=policy rule=/p:3 client=c why=only"), "'only' block");
	expect_no_rule(DENIED("reason=policy rule=/p:3 client=c why=options"),
		"write one rule with all its verbs and the options, as in 'allow write,create");
	expect_no_rule(DENIED("reason=placement rule=/p:3 client=c"),
		"needs 'as peer' or 'as' that user; in a folder that several may write to, such as "
		"/tmp, nothing is served");
	expect_no_rule(DENIED("reason=flags rule=- client=-"), "(flags): no rule changes that");
	expect_no_rule("audit: denied uid=1001 pid=7 unit=- verb=- object=\"\" reason=broker "
		       "error=ECONNRESET rule=- client=- why=no-client\n",
		"no client block is for it, so nothing could be asked: give it one, and see then\n"
		"#client suggested-alice {\n#\tfrom  user alice\n#\tallow  VERBS  OBJECTS\n#}\n");
	expect_no_rule(DENIED("reason=policy rule=/p\\x0aallow:3 client=c why=\\x1b"),
		"denied by /p\\x0aallow:3 (\\x1b): ");
}

static void whoever_lacks_a_type_reads_all_the_names(void **state)
{
	(void)state;
#define OF_TYPE(verbs, object)                                                                     \
	START "verb=" verbs " object=\"" object "\" reason=type error=EACCES rule=/p:3 client=c\n"
	expect_no_rule(OF_TYPE("read", "/srv/b") OF_TYPE("read", "/srv/a*")
			       OF_TYPE("read,write", "/dev/null") OF_TYPE("read", "/srv/b"),
		"# 4 times, alice (uid 1001): denied by /p:3 (type): it is no plain file, and a "
		"rule has to say so; look at these, and where there is a rule for just this name, "
		"change that one\n"
		"#	allow  read,write  /dev/null  type device\n"
		"#	allow  read  /srv/a[*]  type file,directory\n"
		"#	allow  read  /srv/b  type file,directory\n");
	/* Of another rule, it is another comment. */
	expect_no_rule(OF_TYPE("read", "/a") START
		"verb=read object=\"/b\" reason=type error=EACCES rule=/p:4 client=c\n",
		"file,directory\n# 1 time, alice (uid 1001): denied by /p:4 (type)");
	expect_no_rule(OF_TYPE("read", "/a\\x0aallow read /b"),
		"#	allow  read  \"/a\\x0aallow read /b\"  type file,directory\n");
}

static bool may_bind(const struct policy *policy, uint32_t port)
{
	struct policy_peer peer = peer_make(policy, &alice);
	const struct policy_endpoint endpoint = {.kind = POLICY_TCP,
		.family = POLICY_IPV4,
		.address = {127, 0, 0, 1},
		.number = port};
	return policy_decide_endpoint(policy->image, &peer, NULL, POLICY_BIND, &endpoint).outcome ==
	       POLICY_ALLOWED;
}

static void ports_are_granted_as_they_were_seen(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		bool seen[60] = {false};
		char log[60 * 160] = "";
		for (uint32_t i = 0; i < COUNT(seen); i++) {
			seen[i] = random_below(3) > 0;
			if (seen[i])
				snprintf(log + strlen(log), sizeof(log) - strlen(log),
					LINE("bind", "tcp:127.0.0.1:%u"), i);
		}
		char *text = suggest(log);
		struct policy policy = policy_make(text);
		for (uint32_t i = 0; i < COUNT(seen); i++)
			assert_int_equal(may_bind(&policy, i), seen[i]);
		policy_drop(&policy);
		free(text);
	}
}

/* ---- who ---- */

static void expect_from(const char *who, const char *from)
{
	char *log;
	assert_true(asprintf(&log, "audit: denied %s pid=1 verb=read object=\"/a\"" END, who) > 0);
	expect_rule(log, from);
	free(log);
}

static void a_block_is_for_whoever_asked(void **state)
{
	(void)state;
	expect_from("uid=1001 unit=-", "client suggested-alice {\n\tfrom  user alice\n");
	expect_from("uid=5 unit=-", "client suggested-5 {\n\tfrom  user 5\n");
	expect_from("uid=1001 unit=a@b.service",
		"client suggested-a@b.service {\n\tfrom  unit a@b.service user alice\n");
	expect_from("uid=1001 unit=a*\\x22%.service",
		"client suggested-a.service {\n\tfrom  unit \"a[*]\\\"%%.service\" user alice\n");
	/* A session has another number the next time. */
	expect_from("uid=1001 unit=session-3.scope", "\tfrom  user alice\n");
	expect_from("uid=1001 unit=user@1001.service", "\tfrom  user alice\n");
	/* DynamicUser= of systemd. */
	expect_from("uid=61184 unit=a.service", "\tfrom  unit a.service\n");
	expect_from("uid=61300 unit=a.service", "\tfrom  unit a.service\n");
	expect_from("uid=61183 unit=a.service", "\tfrom  unit a.service user 61183\n");
	/* Others may have such a uid, and of some units there is more than one user. */
	expect_from("uid=61200 unit=a.service", "\tfrom  unit a.service user guest\n");
	expect_from("uid=61184 unit=cron.service", "\tfrom  unit cron.service user 61184\n");
	/* The name is somebody else's too. */
	expect_from("uid=5000 unit=-", "\tfrom  user 5000\n\t# 1 time, alice (uid 5000)\n");
	/* These say who it is. */
	expect_from("uid=1001 unit=session-manager.service",
		"\tfrom  unit session-manager.service user alice\n");
	expect_from("uid=1001 unit=session-.scope", "\tfrom  unit session-.scope user alice\n");
	expect_from("uid=1001 unit=user@1.x.service", "\tfrom  unit user@1.x.service user alice\n");
	expect_from("uid=1001 unit=user@.service", "\tfrom  unit user@.service user alice\n");
}

static char *suggest_client(const char *log, const char *client)
{
	struct denials denials = {.user_find = user_find, .client = client};
	log_read(log, strlen(log), &denials);
	char *text = suggestions_text(&denials, client);
	denials_release(&denials);
	return text;
}

static void a_client_is_found_by_unit_user_or_block(void **state)
{
	(void)state;
	static const char log[] =
		"audit: denied uid=1001 unit=web@1.service verb=read object=\"/a\"" END
		"audit: denied uid=5 unit=webmail.service verb=read object=\"/b\"" END
		"audit: denied uid=5 unit=- verb=read object=\"/c\" reason=policy rule=/p:1 "
		"client=web why=deny\n";
	char *text = suggest_client(log, "web");
	assert_non_null(strstr(text, "from 2 denials"));
	assert_non_null(strstr(text, "client web {\n\tfrom  unit web@1.service user alice\n"));
	assert_null(strstr(text, "/b"));
	assert_non_null(strstr(text, "/c"));
	free(text);
	text = suggest_client(log, "webmail");
	assert_non_null(strstr(text, "client webmail {\n"));
	assert_null(strstr(text, "/a"));
	free(text);
	text = suggest_client(log, "5");
	assert_non_null(strstr(text, "/b"));
	free(text);
	text = suggest_client(log, "alice");
	assert_non_null(strstr(text, "/a"));
	free(text);
	text = suggest_client(log, "we");
	assert_null(strstr(text, "client "));
	free(text);
}

static void a_block_may_have_any_name_that_is_wanted(void **state)
{
	(void)state;
	static const char *const names[] = {
		"only", "{", "}", "#", "a b", "\"", "\\", "*", "%", "\xff", "client", "[", "-"};
	for (size_t i = 0; i < COUNT(names); i++) {
		static const char log[] = LINE("read", "/a");
		struct policy_location location;
		struct denials denials = {.user_find = user_find};
		log_read(log, strlen(log), &denials);
		char *text = suggestions_text(&denials, names[i]);
		struct policy policy = policy_make(text);
		policy_image_location(policy.image, 0, &location);
		assert_string_equal(location.client, names[i]);
		policy_drop(&policy);
		denials_release(&denials);
		free(text);
	}
}

static void blocks_of_one_name_are_told_apart(void **state)
{
	(void)state;
	static const char log[] = "audit: denied uid=1 unit=- verb=read object=\"/a\"" END
				  "audit: denied uid=1 unit=1 verb=read object=\"/a\"" END
				  "audit: denied uid=2 unit=1 verb=read object=\"/a\"" END;
	char *text = suggest_client(log, "1");
	assert_non_null(strstr(text, "client 1 {"));
	assert_non_null(strstr(text, "client 1-2 {"));
	assert_non_null(strstr(text, "client 1-3 {"));
	struct policy policy = policy_make(text);
	policy_drop(&policy);
	free(text);
}

static void a_long_name_gives_way_to_its_number(void **state)
{
	(void)state;
	char name[POLICY_CLIENT_NAME_MAX + 1], wanted[sizeof(name) + 16];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	char *log;
	assert_true(asprintf(&log,
			    "audit: denied uid=1 unit=%s verb=read object=\"/a\"" END
			    "audit: denied uid=2 unit=%s verb=read object=\"/a\"" END,
			    name, name) > 0);
	char *text = suggest_client(log, name);
	snprintf(wanted, sizeof(wanted), "client %s {\n", name);
	assert_non_null(strstr(text, wanted));
	snprintf(wanted, sizeof(wanted), "client %.*s-2 {\n", (int)sizeof(name) - 7, name);
	assert_non_null(strstr(text, wanted));
	struct policy policy = policy_make(text);
	policy_drop(&policy);
	free(text);
	free(log);
}

/* ---- series ---- */

static void names_that_differ_in_digits_become_one_pattern(void **state)
{
	(void)state;
	expect_rule(LINE("read", "/l/a-2026-11-20.log") LINE("read", "/l/a-2026-11-21.log")
			    LINE("read", "/l/a-2026-11-25.log"),
		"\t# wider than what was seen: 3 of the 10 names that it matches were asked for, "
		"from /l/a-2026-11-20.log to /l/a-2026-11-25.log\n"
		"\tallow  read  /l/a-2026-11-2[0-9].log\n");
	/* Two are none yet, nor are names of other lengths, folders or verbs. */
	expect_rule(LINE("read", "/l/1") LINE("read", "/l/2"), "\tallow  read  /l/1 /l/2\n");
	expect_rule(LINE("read", "/l/1") LINE("read", "/l/2") LINE("read", "/l/10"),
		"\tallow  read  /l/1 /l/2 /l/10\n");
	expect_rule(LINE("read", "/1/a") LINE("read", "/2/a") LINE("read", "/3/a"),
		"\tallow  read  /1/a /2/a /3/a\n");
	expect_rule(LINE("read", "/1/1") LINE("read", "/1/2") LINE("read", "/2/3"),
		"\tallow  read  /1/1 /1/2 /2/3\n");
	expect_rule(LINE("read", "/l/1") LINE("read", "/l/2") LINE("stat", "/l/3"),
		"\tallow  read  /l/1 /l/2\n");
}

static void a_pattern_all_of_whose_names_were_seen_is_not_called_wider(void **state)
{
	(void)state;
	char log[4096] = "";
	for (int i = 0; i < 10; i++)
		snprintf(log + strlen(log), sizeof(log) - strlen(log), LINE("read", "/l/%d"), i);
	char *text = suggest(log);
	assert_non_null(strstr(text, "\tallow  read  /l/[0-9]\n"));
	assert_null(strstr(text, "wider"));
	free(text);
}

/* All the time that there is for a test is too short for what takes the square of these. */
#define MANY 40000

/* With a number between, so many times. */
static char *many_lines(const char *before, int times, const char *after)
{
	char *log = NULL;
	size_t size;
	FILE *out = open_memstream(&log, &size);
	assert_non_null(out);
	for (int i = 0; i < MANY; i++) {
		fputs(before, out);
		for (int j = 0; j < times; j++)
			fprintf(out, "%05d", i);
		fputs(after, out);
	}
	assert_int_equal(fclose(out), 0);
	return log;
}

static void many_names_that_are_no_series_take_no_longer_each(void **state)
{
	(void)state;
	/* As a pattern, a name is too long. */
	char *log = many_lines(START "verb=read object=\"/srv/", 20, "\"" END);
	char *text = suggest(log);
	assert_non_null(strstr(text, " /srv/0000000000"));
	assert_non_null(strstr(text, " /srv/3999939999"));
	free(text);
	free(log);
}

static void many_askers_of_one_unit_take_no_longer_each(void **state)
{
	(void)state;
	char *log =
		many_lines("audit: denied uid=", 1, " unit=a.service verb=read object=\"/a\"" END);
	char *text = suggest_client(log, "a");
	assert_non_null(strstr(text, "client a {\n"));
	assert_non_null(strstr(text, "client a-2 {\n"));
	assert_non_null(strstr(text, "client a-40000 {\n"));
	free(text);
	free(log);
}

/* ---- exactly what was seen ---- */

struct names {
	char names[NAMES][NAME_MAX_BYTES + 1];
	size_t lengths[NAMES];
};

static void names_make(struct names *names, const char *alphabet)
{
	for (size_t i = 0; i < NAMES; i++) {
		size_t length = 2 + random_below(NAME_MAX_BYTES - 2);
		names->names[i][0] = '/';
		for (size_t j = 1; j < length; j++)
			names->names[i][j] = alphabet[random_below((uint32_t)strlen(alphabet))];
		names->lengths[i] = length;
		names->names[i][length] = '\0';
	}
}

/* As the daemon writes them. */
static char *names_log(const struct names *names)
{
	char *log = NULL;
	size_t size;
	FILE *out = open_memstream(&log, &size);
	assert_non_null(out);
	for (size_t i = 0; i < NAMES; i++) {
		fputs(START "verb=read object=\"", out);
		for (size_t j = 0; j < names->lengths[i]; j++) {
			unsigned char byte = (unsigned char)names->names[i][j];
			if (byte == '\\' || byte == '"')
				fprintf(out, "\\%c", byte);
			else if (byte >= ' ' && byte < 0x7f)
				fputc(byte, out);
			else
				fprintf(out, "\\x%02x", byte);
		}
		fputs("\"" END, out);
	}
	assert_int_equal(fclose(out), 0);
	return log;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Whether they differ in digits of the last component alone. */
static bool are_alike(const char *a, const char *b)
{
	size_t name = (size_t)(strrchr(a, '/') - a);
	if (strlen(a) != strlen(b))
		return false;
	for (size_t i = 0; a[i]; i++) {
		if (a[i] != b[i] && (i <= name || !is_digit(a[i]) || !is_digit(b[i])))
			return false;
	}
	return true;
}

/* A rule may be for it: it was seen, or is like so many different ones that were. */
static bool may_be_granted(const struct names *names, const char *path)
{
	size_t alike = 0;
	for (size_t i = 0; i < NAMES; i++) {
		bool is_again = false;
		if (strcmp(names->names[i], path) == 0)
			return true;
		for (size_t j = 0; j < i; j++)
			is_again = is_again || strcmp(names->names[i], names->names[j]) == 0;
		alike += !is_again && are_alike(names->names[i], path);
	}
	return alike >= WORD_SERIES_MIN;
}

/* Asks for all that was seen, and for much that is near it. */
static void expect_exactly(const struct names *names, const char *alphabet)
{
	char *log = names_log(names), *text = suggest(log);
	struct policy policy = policy_make(text);
	for (size_t i = 0; i < NAMES; i++) {
		const char *name = names->names[i];
		bool can_be = !strstr(name, "//") && name[names->lengths[i] - 1] != '/' &&
			      !strstr(name, "/./") && !strstr(name, "/../");
		const char *last = strrchr(name, '/');
		can_be = can_be && strcmp(last, "/.") != 0 && strcmp(last, "/..") != 0;
		assert_int_equal(path_decide(&policy, &alice, READ, name).outcome,
			can_be ? POLICY_ALLOWED : POLICY_DENIED_NO_RULE);
		for (int j = 0; j < 40; j++) {
			char near[NAME_MAX_BYTES + 1];
			memcpy(near, name, sizeof(near));
			near[1 + random_below((uint32_t)names->lengths[i] - 1)] =
				alphabet[random_below((uint32_t)strlen(alphabet))];
			if (path_decide(&policy, &alice, READ, near).outcome == POLICY_ALLOWED &&
				!may_be_granted(names, near))
				fail_msg("'%s' is granted by\n%s", near, text);
		}
	}
	policy_drop(&policy);
	free(text);
	free(log);
}

static void names_of_any_bytes_are_granted_as_they_are(void **state)
{
	(void)state;
	static const char *const alphabets[] = {
		"ab*?[]!^-%uUih\"\\ \t\n\r#{}/.,=:\x01\x1b\x7f\x80\xc2\x9b\xff", "*a", "[]*!-ab",
		"\\\"\n# ", "%uhi", "./a", "012a/", "01", "[0-9]/1"};
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < COUNT(alphabets); i++) {
			struct names names;
			names_make(&names, alphabets[i]);
			expect_exactly(&names, alphabets[i]);
		}
	}
}

static void the_order_of_the_log_does_not_matter(void **state)
{
	(void)state;
	char *first = suggest(LINE("read", "/a") LINE("write", "/b") LINE("bind", "tcp:80:1"));
	char *second = suggest(LINE("bind", "tcp:80:1") LINE("write", "/b") LINE("read", "/a"));
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void only_what_is_not_older_counts_and_what_has_no_time(void **state)
{
	(void)state;
	static const char log[] = START
		"verb=read object=\"/old\" why=no-rule "
		"time=2026-11-21T21:35:12.999999Z\n" START "verb=read object=\"/new\" why=no-rule "
		"time=2026-11-21T21:35:13.000000Z\n" LINE("read", "/timeless");
	struct denials denials = {.user_find = user_find, .since_usec = INT64_C(1795296913000000)};
	struct counts counts = log_read(log, strlen(log), &denials);
	assert_int_equal(counts.records, 3);
	char *text = suggestions_text(&denials, NULL);
	assert_null(strstr(text, "/old"));
	assert_non_null(strstr(text, "/new"));
	assert_non_null(strstr(text, "/timeless"));
	free(text);
	denials_release(&denials);
}

/* 2026-11-22 00:30:00 UTC, when it is the day before in New York still, five hours behind. */
#define NOW INT64_C(1795307400)

static void a_time_in_words_is_the_one_of_the_manual(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"now", NOW},
		{"today", NOW - 19 * 3600 - 1800},
		{"yesterday", NOW - 43 * 3600 - 1800},
		{"-1h", NOW - 3600},
		{"-10min", NOW - 600},
		{"-90s", NOW - 90},
		{"-1h30min", NOW - 5400},
		{"- 1 hour 30 minutes", NOW - 5400},
		{"1h ago", NOW - 3600},
		{"2 days 1h ago", NOW - 49 * 3600},
		{"1week ago", NOW - 7 * 86400},
		{"-1M", NOW - 2629800},
		{"-1m", NOW - 60},
		{"-1y", NOW - 31557600},
		{"2026-11-21", NOW - 19 * 3600 - 1800},
		{"2026-11-21 21:35", 1795314900},
		{"2026-11-21 21:35:13", 1795314913},
		{"2026-11-21T21:35:13", 1795314913},
		{"21:35", 1795314900},
		{"21:35:13", 1795314913},
		{"2026-11-21 21:35 UTC", 1795296900},
		{"2026-11-21 21:35:13 UTC", 1795296913},
		{"2026-11-21 21:35:13Z", 1795296913},
		{"2026-11-21T21:35:13.000000Z", 1795296913},
		{"2026-11-21 UTC", 1795219200},
		{"2026-11-21Z", 1795219200},
		{"2026-07-01 12:00", 1782921600}, /* in summer it is four hours */
		{"2024-02-29 UTC", 1709164800},
	};
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t usec;
		if (!since_read(cases[i].text, NOW * 1000000, &usec))
			fail_msg("'%s' was not understood", cases[i].text);
		if (usec != cases[i].seconds * 1000000)
			fail_msg("'%s': %lld", cases[i].text, (long long)usec);
	}
	int64_t usec;
	assert_true(since_read("2026-11-21T21:35:13.25Z", 0, &usec));
	assert_true(usec == INT64_C(1795296913250000));
	assert_true(since_read("1s ago", 1, &usec));
	assert_true(usec == -999999);
}

static void a_time_that_may_mean_something_else_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"", " ", "-", "ago", " ago", "1 ago", "h ago", "-h",
		"-1", "-1x", "-1h-", "--1h", "-1hx", "1h", "+1h", "-1.5h", "1h ago ", "-1h ago",
		"tomorrow", "Today", "now ", "2026", "2026-11", "2026-11-", "2026-11-2", "26-11-21",
		"2026-13-01", "2026-00-01", "2026-11-00", "2026-02-29", "2026-11-31", "2026-11-21 ",
		"2026-11-21 2", "2026-11-21 24:00", "2026-11-21 21:60", "2026-11-21 21:35:60",
		"2026-11-21 21:35:", "2026-11-21 21:35:13.", "2026-11-21 21", "2026-11-21  21:35",
		"2026-11-21T", "2026-11-21 21:35 CET", "2026-11-21 21:35 UTC ",
		"2026-11-21 21:35:13z", "2026/11/21", "11/21/2026", "9:35", "21.35",
		"-99999999999999999999s", "-9223372036854775807y", "-300000y 9999999y"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		int64_t usec;
		if (since_read(texts[i], NOW * 1000000, &usec))
			fail_msg("'%s' was understood as %lld", texts[i], (long long)usec);
	}
}

static void more_denials_than_there_is_room_for_are_counted(void **state)
{
	(void)state;
	struct denials denials = {.user_find = user_find};
	struct audit_record record = {.is_denied = true,
		.uid = 1,
		.verbs = READ,
		.why = {"no-rule", 7},
		.time_usec = AUDIT_NO_TIME};
	char name[32];
	/* As many as fdbroker(1) says, and not one more. */
	for (uint32_t i = 0; i < 65536 + 3; i++) {
		record.object = (struct audit_text){
			name, (size_t)snprintf(name, sizeof(name), "/%c%u", 'a' + i % 26, i)};
		assert_int_equal(denials_add(&denials, &record), 0);
		assert_int_equal(denials.count, i < 65536 ? i + 1 : 65536);
		assert_true(denials.beyond == (i < 65536 ? 0 : i - 65535));
	}
	assert_true(denials.total == 65536 + 3);
	char *text = suggestions_text(&denials, NULL);
	assert_non_null(strstr(text, "# There is more: 3 denials"));
	free(text);
	denials_release(&denials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_the_same_in_each_way_of_writing),
		cmocka_unit_test(what_is_no_whole_record_is_none),
		cmocka_unit_test(nothing_that_another_writes_is_taken_for_a_record),
		cmocka_unit_test(what_the_journal_has_of_another_user_is_told_apart),
		cmocka_unit_test(what_syslog_and_journalctl_put_before_a_record_is_known),
		cmocka_unit_test(a_time_that_fdbrokerd_would_not_write_is_none),
		cmocka_unit_test(a_log_that_fails_is_not_taken_for_its_end),
		cmocka_unit_test(no_bytes_at_all_upset_the_reader),
		cmocka_unit_test(verbs_of_one_object_are_one_rule),
		cmocka_unit_test(what_is_written_may_have_to_be_made),
		cmocka_unit_test(endpoints_are_exactly_those_that_were_asked_for),
		cmocka_unit_test(names_in_endpoints_mean_no_more_than_they_say),
		cmocka_unit_test(ports_are_granted_as_they_were_seen),
		cmocka_unit_test(a_rename_gets_what_it_needs),
		cmocka_unit_test(what_is_dangerous_is_not_granted_by_pasting),
		cmocka_unit_test(what_no_rule_mends_is_said),
		cmocka_unit_test(whoever_lacks_a_type_reads_all_the_names),
		cmocka_unit_test(a_block_is_for_whoever_asked),
		cmocka_unit_test(a_client_is_found_by_unit_user_or_block),
		cmocka_unit_test(a_block_may_have_any_name_that_is_wanted),
		cmocka_unit_test(blocks_of_one_name_are_told_apart),
		cmocka_unit_test(a_long_name_gives_way_to_its_number),
		cmocka_unit_test(names_that_differ_in_digits_become_one_pattern),
		cmocka_unit_test(a_pattern_all_of_whose_names_were_seen_is_not_called_wider),
		cmocka_unit_test(many_names_that_are_no_series_take_no_longer_each),
		cmocka_unit_test(many_askers_of_one_unit_take_no_longer_each),
		cmocka_unit_test(names_of_any_bytes_are_granted_as_they_are),
		cmocka_unit_test(the_order_of_the_log_does_not_matter),
		cmocka_unit_test(only_what_is_not_older_counts_and_what_has_no_time),
		cmocka_unit_test(a_time_in_words_is_the_one_of_the_manual),
		cmocka_unit_test(a_time_that_may_mean_something_else_is_refused),
		cmocka_unit_test(more_denials_than_there_is_room_for_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
