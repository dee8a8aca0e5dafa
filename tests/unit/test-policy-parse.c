/* SPDX-License-Identifier: MIT */
/* What the language takes, what it refuses, and whether it says where and why. */
#include "policy-support.h"

#include <errno.h>

#define ALLOW(line) "client a {\nfrom user alice\n" line "\n}\n"

/* 101 bytes */
#define UNIX_NAME                                                                                  \
	"12345678901234567890123456789012345678901234567890"                                       \
	"12345678901234567890123456789012345678901234567890/"

/* `place` is LINE:COLUMN+WIDTH. Exactly the errors listed are expected. */
struct expected {
	const char *place, *message;
};
struct broken {
	const char *text;
	struct expected errors[4];
};

static const struct broken broken_inputs[] = {
	/* bytes and words */
	{"\xef\xbb\xbf# x\n", {{"1:1+3", "byte order mark"}}},
	{"# x\r\n# y\r\n", {{"1:4+1", "carriage return"}}},
	{"# x\ry\n", {{"1:4+1", "carriage return"}}},
	{ALLOW("allow read \"/a"), {{"3:12+3", "not closed"}}},
	{ALLOW("allow read \"/a\"b"), {{"3:16+1", "glued"}}},
	{ALLOW("allow read /a\"b"), {{"3:14+1", "quote inside"}}},
	{ALLOW("allow read /a\\b"), {{"3:14+1", "backslash inside"}}},
	{ALLOW("allow read \"/a\\n\""), {{"3:15+2", "unknown escape"}}},
	{ALLOW("allow read \"/a\\x00\""), {{"3:15+4", "NUL"}}},
	{ALLOW("allow read \\ # more\n/a"), {{"3:12+1", "not the last"}}},
	{ALLOW("allow read \\ \n/a/ log al"), {{"3:12+1", "not the last"}}},
	{ALLOW("allow read /a\\\n/a"), {{"3:14+1", "backslash inside"}}},
	{ALLOW("allow read \\ /a\nreed /a"),
		{{"3:12+1", "not the last"}, {"4:1+4", "unknown statement"}}},
	{"client a {\nfrom anyone\n} \\", {{"3:3+1", "continues the last line"}}},
	/* blocks */
	{"allow read /a\n", {{"1:1+5", "outside of a client"}}},
	{"from anyone\n", {{"1:1+4", "outside of a client"}}},
	{"}\n", {{"1:1+1", "without a block"}}},
	{"clinet a {\nfrom anyone\nallow reed /a\n}\n",
		{{"1:1+6", "unknown statement"}, {"3:7+4", "reed"}}},
	{"client {\nfrom anyone\n}\n", {{"1:9+1", "no name"}}},
	{"client a\nfrom anyone\n}\n", {{"1:9+1", "'{' is missing"}}},
	{"client a onyl {\nfrom anyone\n}\n", {{"1:10+4", "'onyl'"}}},
	{"client a { from anyone\nfrom anyone\n}\n", {{"1:12+4", "after '{'"}}},
	{"client a {\nfrom anyone\n} }\n", {{"3:3+1", "after '}'"}}},
	{"client a {\nfrom anyone\n", {{"1:8+1", "not closed"}}},
	{"client a {\nfrom anyone\nclient b {\nfrom anyone\n}\n", {{"1:8+1", "not closed"}}},
	{"client a {\n}\n", {{"1:8+1", "no 'from'"}}},
	{"client a {\nfrom anyone\n}\nclient a {\nfrom anyone\n}\n",
		{{"4:8+1", "also at test.policy:1"}}},
	{"client \"a\\x0a\" {\nfrom anyone\n}\n", {{"1:10+4", "control character"}}},
	/* from */
	{"client a {\nfrom\n}\n", {{"2:5+1", "whom"}}},
	{"client a {\nfrom user\n}\n", {{"2:10+1", "without a name"}}},
	{"client a {\nfrom usr bob\n}\n", {{"2:6+3", "unknown condition 'usr'"}}},
	{"client a {\nfrom anyone user bob\n}\n", {{"2:6+6", "'anyone'"}}},
	{"client a {\nfrom user 9-5\n}\n", {{"2:11+3", "reversed"}}},
	{"client a {\nfrom user 4294967295\n}\n", {{"2:11+10", "no id"}}},
	{"client a {\nfrom unit a/b.service\n}\n", {{"2:11+11", "no slash"}}},
	{"client a {\nfrom unit %u.service\n}\n", {{"2:11+2", "no variables"}}},
	{"client a {\nfrom group adm\ndeny read /a\n}\n", {{"3:1+4", "can shed"}}},
	{"client a {\nfrom user bob\nfrom unit x.service\ndeny read /a\n}\n",
		{{"4:1+4", "can shed"}}},
	{"client a {\nfrom unit x.service\nallow read /a/%i\n}\n", {{"3:15+2", "%i needs"}}},
	{"client a {\nfrom unit x.service\nallow bind unix:/a/%i\n}\n", {{"3:20+2", "%i needs"}}},
	/* verbs */
	{ALLOW("allow"), {{"3:6+1", "verb is missing"}}},
	{ALLOW("allow reed /a"), {{"3:7+4", "unknown verb 'reed'"}}},
	{ALLOW("allow read, write /a"), {{"3:12+1", "verb is missing"}}},
	{ALLOW("allow /a"), {{"3:7+2", "verb is missing before '/a'"}}},
	{ALLOW("deny tcp:80"), {{"3:6+6", "verb is missing before 'tcp:80'"}}},
	{ALLOW("allow all /a"), {{"3:7+3", "deny only"}}},
	{ALLOW("allow \"read\" /a"), {{"3:7+6", "never a verb"}}},
	{ALLOW("allow bind,credential tcp:80"), {{"3:23+6", "'credential' does not go"}}},
	{ALLOW("allow read,credential /a"), {{"3:23+2", "'credential' does not go"}}},
	{ALLOW("allow list,watch tcp:80"), {{"3:18+6", "'list' does not go"}}},
	/* paths */
	{ALLOW("allow read"), {{"3:11+1", "object is missing"}}},
	{ALLOW("allow read mode 0600"), {{"3:12+4", "object is missing"}}},
	{ALLOW("allow read a/b"), {{"3:12+3", "not an absolute path"}}},
	{ALLOW("allow read /a/"), {{"3:14+1", "ends with a slash"}}},
	{ALLOW("allow read %h/"), {{"3:14+1", "ends with a slash"}}},
	{ALLOW("allow bind unix:/"), {{"3:17+1", "'/' alone is no path of a socket"}}},
	{ALLOW("deny all unix:/"), {{"3:15+1", "'/' alone is no path of a socket"}}},
	{ALLOW("allow read /a//b"), {{"3:15+1", "empty component"}}},
	{ALLOW("allow read /a/./b /b/.."), {{"3:15+1", "'.' is not"}, {"3:22+2", "'..' is not"}}},
	{ALLOW("allow read /a/[.][.]"), {{"3:15+6", "'..' is not"}}},
	{ALLOW("allow read /a/x**"), {{"3:16+2", "glued"}}},
	{ALLOW("allow read /a/***"), {{"3:15+2", "glued"}}},
	{ALLOW("allow read /a/[bc"), {{"3:15+3", "without ']'"}}},
	{ALLOW("allow read /a/[]"), {{"3:15+2", "empty"}}},
	{ALLOW("allow read /a/[z-a]"), {{"3:16+3", "reversed"}}},
	{ALLOW("allow read /a/[^a]"), {{"3:16+1", "negate"}}},
	{ALLOW("allow read /a/[[:alpha:]]"), {{"3:16+2", "classes"}}},
	{ALLOW("allow read /a/%x"), {{"3:15+2", "'%x' is no variable"}}},
	{ALLOW("allow read /a/%h"), {{"3:15+2", "start of a path"}}},
	{ALLOW("allow read %hx/y"), {{"3:12+5", "not an absolute path"}}},
	{ALLOW("allow read \"/\\x61/%x\""), {{"3:19+2", "'%x' is no variable"}}},
	/* options */
	{ALLOW("allow read /a mode 640"), {{"3:20+3", "no mode"}}},
	{ALLOW("allow read /a mode 01000"), {{"3:20+5", "no mode"}}},
	{ALLOW("allow read /a mode 0680"), {{"3:20+4", "no mode"}}},
	{ALLOW("allow read /a mode"), {{"3:19+1", "without a value"}}},
	{ALLOW("allow read /a log all log none"), {{"3:23+3", "twice"}}},
	{ALLOW("allow read /a log al"), {{"3:19+2", "unknown log 'al'"}}},
	{ALLOW("allow read /a sylinks none"), {{"3:15+7", "unknown option"}}},
	{ALLOW("allow read /a type socket"), {{"3:20+6", "unknown type"}}},
	{ALLOW("allow read /a type file,pipe"), {{"3:25+4", "pipe"}}},
	{ALLOW("allow read /a owner :adm"), {{"3:21+1", "name is missing"}}},
	{ALLOW("allow read /a log all /b"), {{"3:23+2", "after the options"}}},
	{ALLOW("allow read /a \"log\" all"), {{"3:15+5", "never an option"}}},
	{ALLOW("deny read /a mode 0600"), {{"3:14+4", "does not go with deny"}}},
	{ALLOW("allow bind tcp:80 mode 0600"), {{"3:19+4", "does not go with a tcp endpoint"}}},
	{ALLOW("allow read /a max 4K"), {{"3:15+3", "'max' is the size of a 'copy'"}}},
	{ALLOW("allow read /a copy max 4X"), {{"3:24+2", "'4X' is no size"}}},
	{ALLOW("allow read /a copy max 4G"), {{"3:24+2", "'4G' is no size"}}},
	{ALLOW("allow read /a copy max 4294967296"), {{"3:24+10", "is no size"}}},
	{ALLOW("allow read /a copy max 0"), {{"3:24+1", "no bytes"}}},
	{ALLOW("allow read /a copy max 0K"), {{"3:24+2", "no bytes"}}},
	{ALLOW("allow read /a copy max"), {{"3:23+1", "'max' without a value"}}},
	{ALLOW("allow read /a copy copy"), {{"3:20+4", "twice"}}},
	{ALLOW("allow write /a copy"), {{"3:16+4", "'copy' does not go with write"}}},
	{ALLOW("allow read,list /a copy"), {{"3:20+4", "every verb"}}},
	{ALLOW("allow list /a max 4"), {{"3:15+3", "'max' does not go with list"}}},
	{ALLOW("allow bind tcp:80 copy"), {{"3:19+4", "'copy' does not go with a tcp endpoint"}}},
	{ALLOW("allow read /a type any copy"), {{"3:15+4", "'copy' goes with type file alone"}}},
	{ALLOW("allow read /a copy type file,fifo"), {{"3:20+4", "'copy' goes with type file"}}},
	{ALLOW("deny read /a copy"), {{"3:14+4", "does not go with deny"}}},
	{ALLOW("allow read /a as"), {{"3:17+1", "'as' without a value"}}},
	{ALLOW("allow read /a as 4294967295"), {{"3:18+10", "is no id"}}},
	{ALLOW("allow read /a as bob as bob"), {{"3:22+2", "twice"}}},
	{ALLOW("allow read /a as bob owner bob"), {{"3:22+5", "'owner' does not go with 'as'"}}},
	{ALLOW("allow create /a owner :adm as peer"), {{"3:23+1", "name is missing"}}},
	{ALLOW("allow create /a owner bob as peer"), {{"3:17+5", "'owner' does not go with 'as'"}}},
	{ALLOW("allow bind unix:/a as peer"), {{"3:20+2", "'as' does not go with a unix socket"}}},
	{ALLOW("allow resolve host:* as bob"), {{"3:22+2", "'as' does not go with a host"}}},
	{ALLOW("allow read /a symlinks none as bob mode 9"), {{"3:41+1", "no mode"}}},
	{ALLOW("deny read /a as peer"), {{"3:14+2", "does not go with deny"}}},
	/* limits */
	{ALLOW("limit"), {{"3:6+1", "'limit' what?"}}},
	{ALLOW("limit 4"), {{"3:7+1", "unknown limit '4'"}}},
	{ALLOW("limit session 4"), {{"3:7+7", "unknown limit 'session'"}}},
	{ALLOW("limit \"sessions\" 4"), {{"3:7+10", "quoted"}}},
	{ALLOW("limit sessions"), {{"3:15+1", "'sessions' without its number"}}},
	{ALLOW("limit sessions four"), {{"3:16+4", "'four' is no number"}}},
	{ALLOW("limit sessions -4"), {{"3:16+2", "'-4' is no number"}}},
	{ALLOW("limit sessions 4/s"), {{"3:16+3", "'4/s' is no number"}}},
	{ALLOW("limit sessions 4294967295"), {{"3:16+10", "is no number"}}},
	{ALLOW("limit sessions 0"), {{"3:16+1", "nobody is ever served"}}},
	{ALLOW("limit unread 0"), {{"3:14+1", "nobody is ever served"}}},
	{ALLOW("limit requests 0/s"), {{"3:16+3", "nobody is ever served"}}},
	{ALLOW("limit requests 0 /s"), {{"3:16+1", "nobody is ever served"}}},
	{ALLOW("limit requests 4"), {{"3:16+1", "'4' is no rate"}}},
	{ALLOW("limit requests 4/m"), {{"3:16+3", "'4/m' is no rate"}}},
	{ALLOW("limit requests /s"), {{"3:16+2", "'/s' is no number"}}},
	{ALLOW("limit requests 4 unread 3"), {{"3:16+1", "'4' is no rate"}}},
	{ALLOW("limit requests 4 / s"), {{"3:16+1", "'4' is no rate"}}},
	{ALLOW("limit sessions 4 unread"), {{"3:24+1", "'unread' without its number"}}},
	{ALLOW("limt sessions 4"), {{"3:1+4", "unknown statement 'limt'"}}},
	/* endpoints */
	{ALLOW("allow bind 127.0.0.1:80"), {{"3:12+10", "unknown kind"}}},
	{ALLOW("allow bind tcp:"), {{"3:16+1", "port is missing"}}},
	{ALLOW("allow bind tcp:80,"), {{"3:19+1", "port is missing"}}},
	{ALLOW("allow bind tcp:65536"), {{"3:16+5", "no port"}}},
	{ALLOW("allow bind tcp:90-80"), {{"3:16+5", "reversed"}}},
	{ALLOW("allow bind tcp:0-80"), {{"3:16+4", "begins with port 0"}}},
	{ALLOW("allow bind tcp:127.1:80"), {{"3:16+5", "no IPv4 address"}}},
	{ALLOW("allow bind tcp:127.0.0.1"), {{"3:16+9", "port belongs"}}},
	{ALLOW("allow bind tcp:10.0.0.1/8:80"), {{"3:16+10", "below its prefix"}}},
	{ALLOW("allow bind tcp:10.0.0.0/33:80"), {{"3:24+3", "no prefix"}}},
	{ALLOW("allow bind tcp:::1:80"), {{"3:16+3", "no brackets"}}},
	{ALLOW("allow bind tcp:[::1:80"), {{"3:16+7", "without ']'"}}},
	{ALLOW("allow bind tcp:[::1]"), {{"3:16+5", "port belongs"}}},
	{ALLOW("allow bind tcp:[fe80::1]/10:80"), {{"3:16+12", "below its prefix"}}},
	{ALLOW("allow bind tcp:[::x]:80"), {{"3:16+5", "no IPv6 address"}}},
	{ALLOW("allow bind tcp:[fe80::1%]:80"), {{"3:25+1", "interface"}}},
	{ALLOW("allow bind tcp:[fd00::5%eth0]:80"), {{"3:24+5", "not link-local"}}},
	{ALLOW("allow bind tcp:[::%eth0]/0:80"), {{"3:19+5", "not link-local"}}},
	{ALLOW("allow bind tcp:[ff05::1%eth0]:80"), {{"3:24+5", "not link-local"}}},
	{ALLOW("allow bind tcp:example.org:80"), {{"3:16+11", "is a name"}}},
	{ALLOW("allow bind tcp:a..b:80"), {{"3:16+4", "no host"}}},
	/* credentials */
	{ALLOW("allow credential /b"), {{"3:18+2", "'credential' does not go with a path"}}},
	{ALLOW("allow read a=/b"), {{"3:12+4", "'read' does not go with a credential"}}},
	{ALLOW("allow credential *=/b"), {{"3:18+1", "'*' is no name of a credential"}}},
	{ALLOW("deny credential *=/b"), {{"3:17+1", "'*' is no name of a credential"}}},
	{ALLOW("allow credential a+b=/b"), {{"3:18+3", "'a+b' is no name"}}},
	{ALLOW("allow credential .=/b"), {{"3:18+1", "'.' is no name"}}},
	{ALLOW("deny all ..=/b"), {{"3:10+2", "'..' is no name"}}},
	{ALLOW("allow credential a=/"), {{"3:20+1", "'/' is no file"}}},
	{ALLOW("allow credential a=/b/"), {{"3:22+1", "ends with a slash"}}},
	{ALLOW("allow credential a=%hb"), {{"3:20+3", "not an absolute path"}}},
	{ALLOW("allow credential a=/b mode 0600"), {{"3:23+4", "does not go with a credential"}}},
	{ALLOW("allow credential a=/b as peer"), {{"3:23+2", "does not go with a credential"}}},
	{ALLOW("allow credential a=/%i"), {{"3:21+2", "%i needs"}}},
	{ALLOW("allow bind host:example.org"), {{"3:12+16", "does not go"}}},
	{ALLOW("allow read tcp:80"), {{"3:12+6", "does not go with"}}},
	{ALLOW("allow connect tcp:db.internal"), {{"3:19+11", "port belongs"}}},
	{ALLOW("allow connect tcp:a..b:80"), {{"3:19+4", "no host"}}},
	{ALLOW("allow connect tcp:.a:80"), {{"3:19+2", "no host"}}},
	{ALLOW("allow connect tcp:a.:80 tcp:.:80"), {{"3:29+1", "no IPv4 address"}}},
	{ALLOW("allow connect tcp:a_b+c:80"), {{"3:19+5", "no host"}}},
	{ALLOW("allow connect tcp:*.*.a:80"), {{"3:19+5", "no host"}}},
	{ALLOW("allow connect tcp:a*.b:80"), {{"3:19+4", "no host"}}},
	{ALLOW("allow connect tcp:*.:80"), {{"3:19+2", "no host"}}},
	{ALLOW("allow connect tcp:*.0.0.1:80"), {{"3:19+7", "no host"}}},
	{ALLOW("allow connect tcp:a.0x7f:80"), {{"3:19+6", "no host"}}},
	{ALLOW("allow connect tcp:127.1:80"), {{"3:19+5", "no IPv4 address"}}},
	{ALLOW("allow bind,connect tcp:example.org:80"), {{"3:24+11", "is a name"}}},
	{ALLOW("allow bind unix:run/a"), {{"3:17+5", "not an absolute path"}}},
	{ALLOW("allow bind unix:"), {{"3:17+1", "not an absolute path"}}},
	{ALLOW("allow bind unix:/run/"), {{"3:21+1", "ends with a slash"}}},
	{ALLOW("allow connect unix:/run/a"), {{"3:15+11", "does not go"}}},
	{ALLOW("allow bind vsock:80"), {{"3:18+2", "port is missing"}}},
	{ALLOW("allow bind vsock:x:80"), {{"3:18+1", "no context id"}}},
	{ALLOW("allow bind vsock:*:http"), {{"3:20+4", "no port"}}},
	{ALLOW("allow bind vsock:*:4294967296"), {{"3:20+10", "no port"}}},
	{ALLOW("allow bind vsock:*:1024-4294967295"), {{"3:20+15", "ends with port"}}},
	{ALLOW("allow bind vsock:4294967296:1"), {{"3:18+10", "no context id"}}},
	{ALLOW("allow socket vsock:*:80"), {{"3:14+10", "no port yet"}}},
	{ALLOW("allow socket vsock:2:*"), {{"3:14+9", "no port yet"}}},
	{ALLOW("allow resolve host:"), {{"3:20+1", "no host"}}},
	{ALLOW("allow resolve host:[::1]x"), {{"3:25+1", "no prefix"}}},
	{ALLOW("allow resolve host:[::1"), {{"3:20+4", "without ']'"}}},
	{ALLOW("allow resolve host:[::1%eth0"), {{"3:20+9", "without ']'"}}},
	{ALLOW("allow resolve host:["), {{"3:20+1", "without ']'"}}},
	{ALLOW("allow resolve host:[::1/64"), {{"3:20+7", "without ']'"}}},
	{ALLOW("allow resolve host:::1"), {{"3:20+3", "no brackets"}}},
	{ALLOW("allow socket raw:256"), {{"3:18+3", "no protocol"}}},
	{ALLOW("allow socket raw:"), {{"3:18+1", "no protocol"}}},
	{ALLOW("allow socket raw:1-2"), {{"3:18+3", "no protocol"}}},
	{ALLOW("allow socket netlink:32"), {{"3:22+2", "no netlink family"}}},
	{ALLOW("allow socket netlink:rout"), {{"3:22+4", "unknown netlink family 'rout'"}}},
	{ALLOW("allow socket tun:a/b"), {{"3:18+3", "no name of an interface"}}},
	{ALLOW("allow socket tun:vpn%d"), {{"3:18+5", "no name of an interface"}}},
	{ALLOW("allow socket tap:vpn*"), {{"3:18+4", "no name of an interface"}}},
	{ALLOW("allow socket tun:"), {{"3:18+1", "no name of an interface"}}},
	{ALLOW("allow socket tun:a123456789012345"), {{"3:18+16", "no name of an interface"}}},
	{ALLOW("allow socket icmp tcp:80"), {{"3:19+6", "does not go"}}},
	{ALLOW("allow option mark=9-1"), {{"3:19+3", "reversed"}}},
	{ALLOW("allow option mark=x"), {{"3:19+1", "no range"}}},
	{ALLOW("allow option mark="), {{"3:19+1", "no range"}}},
	{ALLOW("allow option mark=1-"), {{"3:19+2", "no range"}}},
	{ALLOW("allow option rcvbufforce=0-4G"), {{"3:26+4", "no range"}}},
	{ALLOW("allow option mark=K"), {{"3:19+1", "no range"}}},
	{ALLOW("allow option bindtodevice=eth*"), {{"3:27+4", "no name of an interface"}}},
	{ALLOW("allow option marck=1"), {{"3:14+5", "unknown socket option 'marck'"}}},
	{ALLOW("allow bind mark=1"), {{"3:12+6", "does not go"}}},
	{ALLOW("allow socket tun:vpn0,vpn1"), {{"3:18+9", "no name of an interface"}}},
	{ALLOW("allow option bindtodevice=a,b"), {{"3:27+3", "no name of an interface"}}},
	{ALLOW("allow option transparent=5"), {{"3:26+1", "no value of 'transparent'"}}},
	{ALLOW("allow option debug=0-2"), {{"3:20+3", "no value of 'debug'"}}},
	{ALLOW("allow option debug=9-1"), {{"3:20+3", "no value of 'debug'"}}},
	/* hosts that are written as elsewhere */
	{ALLOW("deny connect tcp:169.254.0.0/16"), {{"3:18+14", "port belongs"}}},
	{ALLOW("allow resolve host:example.org:80"), {{"3:31+3", "':80' after a host"}}},
	{ALLOW("allow resolve host:[::1]:80"), {{"3:25+3", "':80' after a host"}}},
	{ALLOW("allow connect tcp:::80"), {{"3:19+1", "no brackets"}}},
	{ALLOW("allow connect tcp:example.org:80:90"), {{"3:30+3", "':80' after a host"}}},
	{ALLOW("allow connect tcp://example.org:80"), {{"3:19+2", "begins with '//'"}}},
	{ALLOW("allow connect tcp://example.org"), {{"3:19+2", "begins with '//'"}}},
	{ALLOW("allow connect tcp:[2001:db8::1/64]:443"), {{"3:31+3", "prefix '/64' is inside"}}},
	{ALLOW("allow connect tcp:[10.0.0.1]:80"), {{"3:19+10", "no IPv6 address"}}},
	/* a unix socket's path, of one byte too many */
	{ALLOW("allow bind unix:/run/" UNIX_NAME "ab"), {{"3:17+108", "at most 107 bytes"}}},
	{ALLOW("deny all unix:/run/" UNIX_NAME "ab"), {{"3:15+108", "at most 107 bytes"}}},
	/* options of endpoints */
	{ALLOW("allow bind tcp:80 with freebind,freebind"), {{"3:33+8", "twice"}}},
	{ALLOW("allow bind tcp:80 with device=a,device=b"), {{"3:33+8", "twice"}}},
	{ALLOW("allow bind tcp:80 with freebind,"), {{"3:33+1", "missing"}}},
	{ALLOW("allow bind tcp:80 with freebnd"), {{"3:24+7", "unknown item"}}},
	{ALLOW("allow bind tcp:80 with device"), {{"3:24+6", "unknown item"}}},
	{ALLOW("allow bind tcp:80 with device="), {{"3:31+1", "no name of an interface"}}},
	{ALLOW("allow connect tcp:80 with freebind"), {{"3:22+4", "with connect"}}},
	{ALLOW("allow bind,connect tcp:80 with freebind"), {{"3:27+4", "every verb"}}},
	{ALLOW("allow bind vsock:*:80 with freebind"), {{"3:23+4", "a vsock endpoint"}}},
	{ALLOW("allow bind unix:/a netns any"), {{"3:20+5", "a unix socket"}}},
	{ALLOW("allow bind tcp:80 udp:80 mode 0666"), {{"3:26+4", "any object"}}},
	{ALLOW("allow bind tcp:80 unix:/a mode 0666"), {{"3:27+4", "every object"}}},
	{ALLOW("allow socket vsock:*:* netns any"), {{"3:24+5", "with socket"}}},
	{ALLOW("allow socket icmp netns any"), {{"3:19+5", "an icmp socket"}}},
	{ALLOW("allow bind tcp:80 netns ours"), {{"3:25+4", "unknown netns 'ours'"}}},
	{ALLOW("allow bind unix:/a type file"), {{"3:20+4", "a unix socket"}}},
	{ALLOW("deny bind tcp:80 with freebind"), {{"3:18+4", "does not go with deny"}}},
	/* every error of a file */
	{"client a {\nfrom user\nallow reed /a\nallow read /a/ mode 9\n}\nfoo\n",
		{{"2:10+1", "without a name"}, {"3:7+4", "reed"}, {"4:14+1", "slash"},
			{"4:21+1", "no mode"}}},
};

/* In one line, to be told from the others. */
static const char *input_show(const char *text)
{
	static char shown[512];
	size_t length = 0;
	for (; *text && length < sizeof(shown) - 1; text++)
		shown[length++] = *text == '\n' ? '|' : *text;
	shown[length] = '\0';
	return shown;
}

static bool errors_match(
	const struct policy *policy, const char *text, const struct expected *errors, size_t max)
{
	size_t count, found = 0;
	const struct policy_diagnostic *all = policy_set_diagnostics(policy->set, &count);
	for (size_t i = 0; i < count; i++) {
		char place[64];
		if (all[i].severity != POLICY_ERROR || found == max)
			continue;
		snprintf(
			place, sizeof(place), "%u:%u+%u", all[i].line, all[i].column, all[i].width);
		if (!errors[found].place || strcmp(place, errors[found].place) != 0 ||
			!strstr(all[i].message, errors[found].message)) {
			print_error("%s\nunexpected at %s: %s\n", text, place, all[i].message);
			return false;
		}
		found++;
	}
	if (found == max || !errors[found].place)
		return true;
	print_error("%s\nno error at %s\n", text, errors[found].place);
	return false;
}

static void an_error_is_reported_where_it_stands(void **state)
{
	const char *first_wrong = NULL;
	int wrong = 0;
	(void)state;
	for (size_t i = 0; i < COUNT(broken_inputs); i++) {
		const char *text = broken_inputs[i].text;
		struct policy policy = policy_try(text);
		if (policy.result != -EINVAL ||
			!errors_match(&policy, text, broken_inputs[i].errors, 4)) {
			first_wrong = first_wrong ? first_wrong : text;
			wrong++;
		}
		policy_drop(&policy);
	}
	if (wrong)
		fail_msg("%d inputs are judged wrong, the first is: %s", wrong,
			input_show(first_wrong));
}

static const struct {
	const char *text, *remedy;
} remedies[] = {
	{ALLOW("deny all +=/a"), "write letters, digits, '.', '_' and '-', as in "
				 "tls.key=/etc/app/tls.key"},
	{ALLOW("limit sessions"), "write: limit sessions N requests N/s unread N"},
	{ALLOW("limit requests 10"), "write so many per second: requests 100/s"},
	{ALLOW("limit unread 0"), "write at least 1; who is to have nothing needs no client block"},
	{ALLOW("limit request 10/s"), "did you mean 'requests'?"},
	{ALLOW("allow read /a max 4K"), "write: copy max SIZE"},
	{ALLOW("allow read /a copy max 0"), "write at least 1"},
	{ALLOW("allow read /a copy max x"),
		"write a number of bytes below 4G, which may end in K, M or G, as in 8M"},
	{ALLOW("allow write /a copy"), "'copy' goes with read of /PATH"},
	{ALLOW("allow read,list /a copy"), "write a line of its own for the other verbs"},
	{ALLOW("allow read /a copy type any"),
		"leave it out, or leave out 'copy': only a file has an end to copy to"},
	{ALLOW("allow create /a as bob owner bob"), "leave it out: the owner is the user of 'as'"},
	{ALLOW("allow bind tcp:80 as bob"), "'as' goes with /PATH"},
	{ALLOW("allow bind tcp:80 copy"), "'copy' goes with read of /PATH"},
	{ALLOW("allow remov /a"), "did you mean 'remove'?"},
	{ALLOW("limits sessions 4"), "did you mean 'limit'?"},
	{ALLOW("quota sessions 4"), "a line of a block begins with from, allow, deny or limit"},
	{ALLOW("allow listen tcp:80"), "did you mean 'bind'?"},
	{ALLOW("allow lists /a"), "did you mean 'list'?"},
	{ALLOW("allow rename /a"), "a rename needs 'remove' here, and 'create' of the new name"},
	{ALLOW("allow unlink /a"), "did you mean 'remove'?"},
	{ALLOW("allow mkdir /a"), "write 'create', and after the path: type directory"},
	{ALLOW("allow execute /a"), "the verbs are: read write append create remove stat list "
				    "watch bind connect socket option resolve credential"},
	{ALLOW("allow conect tcp:80"), "did you mean 'connect'?"},
	{ALLOW("allow bind vsok:*:80"), "did you mean 'vsock:'?"},
	{ALLOW("allow bind tcq:80"), "did you mean 'tcp:'?"},
	{ALLOW("allow bind 127.0.0.1:80"),
		"endpoints begin with their kind, as in tcp:80, paths with a slash"},
	{ALLOW("allow socket netlink:roote"), "did you mean 'route'?"},
	{ALLOW("allow socket netlink:foo"),
		"write one of: route usersock sock_diag nflog xfrm selinux iscsi audit fib_lookup "
		"connector netfilter dnrtmsg kobject_uevent generic scsitransport ecryptfs rdma "
		"crypto smc"},
	{ALLOW("allow option prio=1"),
		"write one of: mark priority rcvbufforce sndbufforce transparent debug "
		"bindtodevice"},
	{ALLOW("allow option rcvbuforce=1"), "did you mean 'rcvbufforce'?"},
	{ALLOW("allow bind tcp:80 with reusport"), "did you mean 'reuseport'?"},
	{ALLOW("allow socket vsock:*:80"),
		"write socket vsock:*:*, and bind or connect with the port"},
	{ALLOW("allow socket tap:vpn*"), "write the whole name; there are no wildcards in it"},
	{ALLOW("allow bind tcp:example.org:80"), "write the address, or * for all"},
	{ALLOW("allow socket tun:vpn0,vpn1"), "each is an object of its own; no name has a comma"},
	{ALLOW("allow option mark=1,2"), "write each as an object of its own, or a range: NUM-NUM"},
	{ALLOW("allow option mark=0x10"), "write numbers in decimal"},
	{ALLOW("allow option rcvbufforce=0-8MB"), "write K, M or G without a B, as in 8M"},
	{ALLOW("allow option transparent=yes"), "write 0 or 1: it is off or on"},
	{ALLOW("allow bind unix:/run/" UNIX_NAME "ab"), "choose a shorter one: unix(7)"},
	{ALLOW("deny connect tcp:169.254.0.0/16"), "write a colon and the port after the address"},
	{ALLOW("allow connect tcp:10.0.0.1"), "write a colon and the port after the address"},
	{ALLOW("allow connect tcp:db.internal"), "write a colon and the port after the host"},
	{ALLOW("allow resolve host:example.org:80"), "leave it out: a host has no port of its own"},
	{ALLOW("allow connect tcp://example.org:80"), "leave out the //"},
	{ALLOW("allow connect tcp:[2001:db8::1/64]:443"),
		"write it behind the bracket: [2001:db8::]/64"},
	{ALLOW("allow connect tcp:[fe80::1%eth0/64]:80"),
		"write it behind the bracket: [fe80::%eth0]/64"},
	{ALLOW("allow connect tcp:[fe80::1/x]:80"), "write it behind the bracket: [2001:db8::]/64"},
	{ALLOW("allow connect tcp:[10.0.0.1]:80"), "write an IPv4 address without brackets"},
	{ALLOW("allow connect tcp:[::x]:80"), "write it as in [2001:db8::1]"},
	{ALLOW("allow socket icmp:8"), "did you mean 'icmp'?"},
	{ALLOW("allow socket icmpv6:*"), "did you mean 'icmp6'?"},
	{ALLOW("allow option SO_MARK=7"), "did you mean 'mark'?"},
	{ALLOW("allow option IPV6_TRANSPARENT=1"), "did you mean 'transparent'?"},
	{ALLOW("allow socket netlink:NETLINK_KOBJECT_UEVENT"), "did you mean 'kobject_uevent'?"},
	{ALLOW("allow socket netlink:ROUTE"), "did you mean 'route'?"},
	{ALLOW("allow connect TCP:80"), "did you mean 'tcp:'?"},
	{ALLOW("allow connect unix:/run/a"), "'connect' goes with tcp: udp: vsock: - a unix server "
					     "would see the broker's credentials"},
	{ALLOW("allow socket tcp:80"),
		"'socket' goes with vsock: raw: netlink: tun: tap: icmp icmp6"},
	{ALLOW("allow resolve tcp:example.org:80"), "'resolve' goes with host:"},
	{ALLOW("allow bind host:example.org"), "'bind' goes with tcp: udp: unix: vsock:"},
	{ALLOW("allow option tcp:80"), "'option' goes with NAME=VALUE"},
	{ALLOW("allow read,connect tcp:80"), "'read' goes with /PATH"},
	{ALLOW("allow bind tcp:80 host:a"), "write a line for each kind of object"},
	{ALLOW("allow bind host:a tcp:80"), "write a line for each kind of object"},
	{ALLOW("allow bind tcp:80 mode 0660"), "'mode' goes with /PATH unix:"},
	{ALLOW("allow bind unix:/x netns peer"),
		"'netns' goes with bind connect option of tcp: udp: vsock: NAME=VALUE"},
	{ALLOW("allow socket icmp netns peer"),
		"'netns' goes with bind connect option of tcp: udp: vsock: NAME=VALUE"},
	{ALLOW("allow connect tcp:80 with freebind"), "'with' goes with bind of tcp: udp:"},
	{ALLOW("allow bind,connect tcp:80 with freebind"),
		"write a line of its own for the other verbs"},
	{ALLOW("allow bind tcp:80 unix:/a mode 0666"),
		"write a line of its own for the other objects"},
	{ALLOW("allow socket raw"), "write raw:NUMBER"},
	{ALLOW("allow socket netlink"), "write netlink:FAMILY"},
	{ALLOW("allow socket tun"), "write tun:DEVICE"},
	{ALLOW("allow socket vsock"), "write vsock:*:*"},
	{ALLOW("allow connect vsock"), "write vsock:CID:PORT"},
	{ALLOW("allow bind tcp"), "write tcp:[HOST:]PORT"},
	{ALLOW("allow socket icmpv6"), "write icmp6"},
	{ALLOW("allow socket ping"), "write icmp"},
	{ALLOW("allow socket all"), "'socket' goes with vsock: raw: netlink: tun: tap: icmp icmp6"},
	{ALLOW("allow option mark"), "write mark=VALUE"},
	{ALLOW("allow option SO_MARK 7"), "write mark=VALUE"},
	{ALLOW("allow option mark 7"), "write mark=VALUE"},
	{ALLOW("allow resolve db.internal"), "write host:db.internal"},
	{ALLOW("allow resolve *"), "write host:*"},
	{ALLOW("allow resolve 10.0.0.0/8"), "write host:10.0.0.0/8"},
	{ALLOW("allow connect 10.0.0.0/8"), "'connect' goes with tcp: udp: vsock:"},
	{ALLOW("allow read etc/motd"), "paths begin with a slash, or with %h/"},
	{ALLOW("allow read motd"),
		"paths begin with a slash, endpoints with their kind, as in tcp:80"},
	{ALLOW("allow wriet /a"), "did you mean 'write'?"},
	{ALLOW("allow read /a copi"), "did you mean 'copy'?"},
	{ALLOW("allow read /a log all compressed"),
		"the options are: mode owner type symlinks as copy max with netns log"},
	{ALLOW("allow read /a b.txt"),
		"the options are: mode owner type symlinks as copy max with netns log; a path with "
		"a blank stands in double quotes"},
	{ALLOW("allow read '/a b'"), "a path with a blank stands in double quotes"},
	{ALLOW("allow read /a\\ b"), "a word with a blank stands in double quotes"},
	{ALLOW("allow read /\\*"), "a literal star is [*]"},
	{ALLOW("allow read \"/\\*\""), "a literal star is [*]"},
	{ALLOW("allow read /a copy 64K"), "write: copy max 64K"},
	{ALLOW("allow read list /a"), "join verbs by a comma: read,list"},
	{ALLOW("allow bind tcp:80, 443"), "write the list without blanks: tcp:80,443"},
	{ALLOW("allow read /a type device, block"), "write the list without blanks: a,b"},
	{ALLOW("allow read /a as"), "write as peer, or as USER"},
	{ALLOW("allow bind /run/x"), "write unix:/run/x"},
	{ALLOW("allow connect sctp:80"),
		"endpoints begin with their kind, as in tcp:80, paths with a slash"},
	{ALLOW("allow read /a/**.txt"), "write /**/*.txt, or in one folder alone /*.txt"},
	{ALLOW("allow read %h"), "write %h/ and what is below it: %h/NAME, %h/**"},
	{ALLOW("deny"), "write: deny VERBS OBJECT..., as in deny all /etc/shadow"},
	{ALLOW("deny /a"), "write what must not be done before it, as in: deny all /a"},
	{"client a\n{\nfrom anyone\n}\n", "end the line with a blank and '{'"},
	{"client a {\nfrom user 1000-\n}\n", "write FIRST-LAST, or one id"},
	{"client a {\nfrom user *\n}\n", "for everybody write: from anyone"},
	{"client a {\nfrom user a or user b\n}\n", "write another line: from user b"},
	{"client a {\nfrom user a and group b\n}\n",
		"leave it out: all conditions of a line must hold"},
	{"client a {\nfrom user alice bob\n}\n",
		"one name each: write another line: from user bob"},
	{"client a {\nfrom user alice untt x.service\n}\n", "did you mean 'unit'?"},
	{"client a {\nfrom alice\n}\n", "say what it is: from user alice, group or unit"},
	{"client a {\nfrom everyone\n}\n", "did you mean 'anyone'?"},
	{"client a {\nfrom service nginx.service\n}\n", "did you mean 'unit'?"},
	{"client a {\nform user alice\nfrom anyone\n}\n", "did you mean 'from'?"},
	{"client a oly {\nfrom anyone\n}\n", "did you mean 'only'?"},
	{ALLOW("deny al /a"), "did you mean 'all'?"},
	{ALLOW("allow raed /a"), "did you mean 'read'?"},
	{ALLOW("allow bind tpc:80"), "did you mean 'tcp:'?"},
	{ALLOW("allow bind 80"), "write tcp:80 or udp:80"},
	{ALLOW("allow connect http"), "write tcp:http or udp:http"},
	{ALLOW("allow bind tcp:80/tcp"), "write a number, FIRST-LAST, a service or *"},
	{ALLOW("allow bind tcp:80000"), "ports go from 0 to 65535"},
};

static void a_remedy_is_one_that_works(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(remedies); i++) {
		struct policy policy = policy_try(remedies[i].text);
		size_t count;
		const struct policy_diagnostic *all = policy_set_diagnostics(policy.set, &count);
		if (count != 1 || strcmp(all->remedy, remedies[i].remedy) != 0)
			fail_msg("%s: %s", input_show(remedies[i].text),
				count ? all->remedy : "no diagnostic");
		policy_drop(&policy);
	}
}

static void a_nul_byte_is_an_error(void **state)
{
	static const char text[] = "client a {\nfrom any\0one\n}\n";
	struct policy policy = {.set = policy_set_new()};
	(void)state;
	assert_int_equal(policy_set_add(policy.set, "nul", text, sizeof(text) - 1), 0);
	assert_true(errors_match(&policy, text, (const struct expected[]){{"2:9+1", "NUL"}}, 1));
	policy_drop(&policy);
}

static const char *const good_inputs[] = {
	"",
	"\n# nothing\n",
	"client a { # a comment\n\tfrom anyone # one\n} # end",
	"client only only {\nfrom anyone\n}\n",
	"client \"a b\" {\nfrom user \"alice\"\n}\n",
	"client a {\nfrom user alice group adm group staff unit x@*.service\nfrom user 1-5\n}\n",
	ALLOW("allow read \\\n  /a \\\n\t/b log none"),
	ALLOW("allow read \"/a b/\\x2a\\\"\\\\/[*]*\" /c#d /e,f"),
	ALLOW("allow read /\xff\xfe /caf\xc3\xa9"),
	ALLOW("allow read /[a-z0-9_.-]/[!a]/x[a^]"),
	ALLOW("allow read %h/** /home/%u/%U/100%%"),
	ALLOW("allow create /a mode 00 owner alice:adm type file symlinks none log denied"),
	ALLOW("allow remove,stat,list,watch /a/** mode 0600 as peer type directory,file"),
	ALLOW("allow create,append /a mode 0600 as root\nallow read /b as 01001 copy"),
	ALLOW("allow read /a copy type file max 4294967295 as bob\nallow read /b max 3G copy"),
	ALLOW("allow list / /a \"/\"\ndeny all /"),
	ALLOW("deny remove,stat,list,watch /a/** log none"),
	ALLOW("allow bind tcp:80 udp:domain tcp:http,443,8000-8999 tcp:* tcp:0 tcp:*:80"),
	ALLOW("allow bind tcp:10.0.0.0/8:80 tcp:[::1]:80 udp:[fe80::%eth0]/64:*"),
	ALLOW("deny all /a/** tcp:80 udp:[::]/0:1-5 log none"),
	ALLOW("allow connect tcp:db.internal:5432 udp:*.Example.ORG.:domain tcp:x-1._y:* tcp:80"),
	ALLOW("allow bind unix:/run/a.sock unix:%h/a mode 0666 owner alice:adm symlinks none"),
	ALLOW("allow bind,connect vsock:*:1024-4294967294 vsock:2:4294967295,0 netns any"),
	ALLOW("allow socket vsock:*:* icmp icmp6 raw:* raw:icmp raw:255 netlink:* netlink:route "
	      "netlink:31 tun:vpn0 tun:* tap:br-lan"),
	ALLOW("allow option mark=100-199 priority=7 rcvbufforce=0-8M sndbufforce=4K debug=* "
	      "transparent=1 bindtodevice=eth0 bindtodevice=* netns peer"),
	ALLOW("allow option mark=4294967295 rcvbufforce=3G"),
	ALLOW("allow option transparent=0 transparent=0-1 transparent=* debug=1"),
	ALLOW("allow bind unix:/run/" UNIX_NAME "a unix:/run/" UNIX_NAME "*a"),
	ALLOW("allow socket tun:eth0-eth3"),
	ALLOW("allow resolve host:* host:a.b host:*.b host:10.0.0.0/8 host:[2001:db8::]/32"),
	ALLOW("allow bind tcp:80 udp:80 with freebind,transparent,reuseport,v6only,device=eth9 "
	      "netns broker log none"),
	ALLOW("deny all unix:/run/** tcp:example.org:25 vsock:3:* host:*.x icmp tun:a mark=1 /a "
	      "b=/c"),
	ALLOW("allow credential tls.key=/etc/%u/*.key A-1_b=%h/x \"c=/a b\" type any symlinks none "
	      "log none"),
	ALLOW("deny credential a=/b c=/** log none"),
	ALLOW("limit sessions 4 requests 100/s unread 16\nlimit requests 5 /s sessions 4294967294"),
};

static void what_the_grammar_has_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good_inputs); i++) {
		struct policy policy = policy_make(good_inputs[i]);
		assert_int_equal(policy_set_count(policy.set, POLICY_WARNING), 0);
		policy_drop(&policy);
	}
}

static const struct broken examples[] = {
	{"client nginx {\n"
	 "    from   unit nginx.service\n"
	 "    allow  read  /etc/letsencrypt/live/*/*.pem\n"
	 "    allow  append,create  /var/log/nginx/*.log  mode 0640 owner www-data:adm\n"
	 "    allow  bind  tcp:80,443 udp:443\n"
	 "}\n"
	 "client nginx-local only {                 # the administrator narrows the vendor's file\n"
	 "    from   unit nginx.service\n"
	 "    allow  read  /etc/letsencrypt/live/www.example.org/*.pem\n"
	 "    allow  bind  tcp:443\n"
	 "}\n",
		{{0}}},
	{"client app {\n"
	 "    from   unit app@*.service\n"
	 "    allow  connect  tcp:db.internal:5432\n"
	 "    allow  bind  unix:/run/app/%i.sock  mode 0660 owner app:www-data\n"
	 "    allow  credential  tls.key=/etc/app/%i.key\n"
	 "}\n",
		{{0}}},
	{"client serial {\n"
	 "    from   group lab\n"
	 "    allow  read,write  /dev/serial/by-id/usb-FTDI_*  type device\n"
	 "}\n",
		{{0}}},
	{"client home {\n"
	 "    from   group staff\n"
	 "    allow  read,list  %h/.config/app/**  as peer\n"
	 "}\n",
		{{0}}},
	{"client build only {\n"
	 "    from   user builder\n"
	 "    allow  read,list  /srv/src/** /usr/include/**\n"
	 "}\n",
		{{0}}},
	{"client backup {\n"
	 "    from   user backup\n"
	 "    allow  read,list  /**\n"
	 "    deny   all  /etc/shadow* /etc/ssl/private/** /home/*/.ssh/**\n"
	 "}\n",
		{{0}}},
	{"client podman {\n"
	 "    from   user 100000-165535\n"
	 "    allow  bind  tcp:80  netns peer\n"
	 "}\n",
		{{0}}},
};

static void the_examples_of_the_manual_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		struct policy policy = policy_try(examples[i].text);
		assert_true(errors_match(&policy, examples[i].text, examples[i].errors, 4));
		policy_drop(&policy);
	}
}

static void an_unknown_name_under_allow_never_matches_and_is_warned_of(void **state)
{
	struct policy policy = policy_make("client a {\n"
					   "from user nobody-here\nfrom user alice\n"
					   "allow read /a\nallow create /b owner ghost\n"
					   "allow bind tcp:gopher tcp:[fe80::%wlan9]/64:80\n}\n");
	(void)state;
	assert_int_equal(policy_set_count(policy.set, POLICY_WARNING), 4);
	assert_int_equal(path_decide(&policy, &alice, POLICY_BIT(POLICY_READ), "/a").outcome,
		POLICY_ALLOWED);
	assert_int_equal(path_decide(&policy, &alice, POLICY_BIT(POLICY_CREATE), "/b").outcome,
		POLICY_DENIED_NO_RULE);
	policy_drop(&policy);
}

static void an_unknown_name_beside_a_deny_is_an_error(void **state)
{
	static const char text[] = "client a {\nfrom user ghost\ndeny read /a\n}\n";
	struct policy policy = policy_try(text);
	(void)state;
	assert_true(errors_match(
		&policy, text, (const struct expected[]){{"2:11+5", "no user 'ghost'"}}, 1));
	policy_drop(&policy);
}

static void a_name_that_nobody_was_asked_for_is_an_error(void **state)
{
	static const char text[] = "client a {\nfrom user alice\n}\n";
	struct policy_set *set = policy_set_new();
	void *image;
	size_t size;
	(void)state;
	assert_int_equal(policy_set_add(set, "x", text, strlen(text)), 0);
	assert_int_equal(policy_set_compile(set, &image, &size), -EINVAL);
	policy_set_free(set);
}

static void the_same_client_in_two_files_is_a_warning(void **state)
{
	static const char text[] = "client a {\nfrom anyone\n}\n";
	struct policy_set *set = policy_set_new();
	size_t count;
	(void)state;
	policy_set_add(set, "one", text, strlen(text));
	policy_set_add(set, "two", text, strlen(text));
	const struct policy_diagnostic *all = policy_set_diagnostics(set, &count);
	assert_int_equal(count, 1);
	assert_int_equal(all->severity, POLICY_WARNING);
	assert_string_equal(all->file, "two");
	policy_set_free(set);
}

/* The first diagnostic of the text as it is printed; malloc'ed. */
static char *first_diagnostic_print(const char *source, bool is_coloured)
{
	char *text = NULL;
	size_t length = 0, count;
	FILE *out = open_memstream(&text, &length);
	struct policy policy = policy_try(source);
	policy_diagnostic_print(policy_set_diagnostics(policy.set, &count), is_coloured, out);
	fclose(out);
	policy_drop(&policy);
	return text;
}

static void a_diagnostic_is_shown_with_a_caret(void **state)
{
	char *text = first_diagnostic_print(
		"client a {\n\tfrom anyone\n\tallow read /\xc3\xa9/ /b\n}\n", false);
	(void)state;
	assert_string_equal(text,
		"test.policy:3:16: error: the path ends with a slash\n"
		"    \tallow read /\xc3\xa9/ /b\n"
		"    \t             ^\n"
		"    leave it out; what is in a folder is /folder/*, with all below it "
		"/folder/**\n");
	free(text);
}

static void a_word_of_several_bytes_has_a_first_and_a_last_column(void **state)
{
	char *text = first_diagnostic_print(
		"client a {\n\tfrom anyone\n\tallow r\xc3\xa9\xff,read /b\n}\n", false);
	(void)state;
	assert_string_equal(text,
		"test.policy:3:8-11: error: unknown verb 'r\\xc3\\xa9\\xff'\n"
		"    \tallow r\xc3\xa9?,read /b\n"
		"    \t      ^~~\n"
		"    the verbs are: read write append create remove stat list watch "
		"bind connect socket option resolve credential\n");
	free(text);
}

static void colours_change_nothing_but_the_colours(void **state)
{
	static const char source[] = "client a {\nfrom anyone\nallow read /a/\n}\n";
	char *plain = first_diagnostic_print(source, false);
	char *coloured = first_diagnostic_print(source, true), *to = coloured;
	(void)state;
	assert_ptr_equal(strstr(coloured, "\033[1mtest.policy:3:14:\033[m "), coloured);
	assert_non_null(strstr(coloured, " \033[1;31merror:\033[m "));
	assert_non_null(strstr(coloured, " \033[1;32m             ^\033[m\n"));
	for (const char *from = coloured; *from;) {
		from += *from == '\033' ? strcspn(from, "m") + 1 : 0;
		if (*from != '\033' && *from)
			*to++ = *from++;
	}
	*to = '\0';
	assert_string_equal(coloured, plain);
	free(plain);
	free(coloured);
}

static void nothing_of_a_file_steers_the_terminal(void **state)
{
	char *text = first_diagnostic_print(
		"x\x1b["
		"2J\xc2\x9b\x9b\xed\xa0\x80\xe2\x82\xf4\x90\x80\x80\xe2\x82\xac\xf0\x9f\x98\x80\n",
		false);
	(void)state;
	/* A `?` for ESC, for c2 9b, and for each of the other bytes up to e2 82 ac. */
	assert_non_null(strstr(text, "\n    x?[2J?\??\??\??\??\??\xe2\x82\xac\xf0\x9f\x98\x80\n    "
				     "^~~~~~~~~~~~~~~~~~\n"));
	free(text);
}

static void diagnostics_are_ordered_by_file_and_line(void **state)
{
	struct policy_set *set = policy_set_new();
	size_t count;
	(void)state;
	policy_set_note(set, POLICY_WARNING, "b", "second", NULL);
	policy_set_add(set, "a", "x\ny\n", 4);
	policy_set_note(set, POLICY_WARNING, "a", "first", "do");
	const struct policy_diagnostic *all = policy_set_diagnostics(set, &count);
	assert_int_equal(count, 4);
	assert_string_equal(all[0].message, "second");
	assert_string_equal(all[1].message, "first");
	assert_int_equal(all[2].line, 1);
	assert_int_equal(all[3].line, 2);
	policy_set_free(set);
}

/* A client block that holds `count` times `repeated` between `before` and `after`. */
static int compile_repeated(
	const char *before, const char *repeated, size_t count, const char *after)
{
	size_t each = strlen(repeated), length = strlen(before);
	char *text = malloc(length + each * count + strlen(after) + 1);
	assert_non_null(text);
	memcpy(text, before, length);
	for (size_t i = 0; i < count; i++, length += each)
		memcpy(text + length, repeated, each);
	strcpy(text + length, after);
	struct policy policy = policy_try(text);
	int result = policy.result;
	policy_drop(&policy);
	free(text);
	return result;
}

static void a_limit_holds_where_it_is_and_one_further_is_an_error(void **state)
{
	static const struct {
		const char *before, *repeated;
		size_t most;
		const char *after;
	} cases[] = {
		{"client ", "a", 64, " {\nfrom anyone\n}\n"},
		{"client a {\nfrom anyone\nallow read /", "x", 255, "/*\n}\n"},
		{"client a {\nfrom anyone\nallow read /a", "/bbb", 1023, "\n}\n"},
		{"client a {\nfrom anyone\nallow bind tcp:1", ",2", 1023, "\n}\n"},
		{"client a {\nfrom user ", "u", 255, "\nfrom anyone\n}\n"},
		{"client a {\nfrom anyone\n", "allow read /a\n", 1u << 20, "}\n"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(compile_repeated(cases[i].before, cases[i].repeated, cases[i].most,
					 cases[i].after),
			0);
		assert_int_equal(compile_repeated(cases[i].before, cases[i].repeated,
					 cases[i].most + 1, cases[i].after),
			-EINVAL);
	}
}

static int compile_blocks(size_t count)
{
	char *text = malloc(count * 48 + 1);
	size_t length = 0;
	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		length += (size_t)sprintf(text + length, "client c%zu {\nfrom anyone\n}\n", i);
	struct policy policy = policy_try(text);
	int result = policy.result;
	policy_drop(&policy);
	free(text);
	return result;
}

static void as_many_blocks_as_16_bits_count_are_taken(void **state)
{
	(void)state;
	assert_int_equal(compile_blocks(65535), 0);
	assert_int_equal(compile_blocks(65536), -EINVAL);
}

static void verbs_are_written_with_commas_in_their_order(void **state)
{
	char text[POLICY_VERBS_TEXT_MAX];
	(void)state;
	assert_string_equal(policy_verbs_text(0, text), "");
	assert_string_equal(
		policy_verbs_text(POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_READ), text),
		"read,write");
	assert_string_equal(policy_verbs_text(UINT32_MAX, text),
		"read,write,append,create,remove,stat,list,watch,bind,connect,socket,option,"
		"resolve,credential");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_are_written_with_commas_in_their_order),
		cmocka_unit_test(an_error_is_reported_where_it_stands),
		cmocka_unit_test(a_remedy_is_one_that_works),
		cmocka_unit_test(a_nul_byte_is_an_error),
		cmocka_unit_test(what_the_grammar_has_is_taken),
		cmocka_unit_test(the_examples_of_the_manual_are_parsed),
		cmocka_unit_test(an_unknown_name_under_allow_never_matches_and_is_warned_of),
		cmocka_unit_test(an_unknown_name_beside_a_deny_is_an_error),
		cmocka_unit_test(a_name_that_nobody_was_asked_for_is_an_error),
		cmocka_unit_test(the_same_client_in_two_files_is_a_warning),
		cmocka_unit_test(a_diagnostic_is_shown_with_a_caret),
		cmocka_unit_test(a_word_of_several_bytes_has_a_first_and_a_last_column),
		cmocka_unit_test(colours_change_nothing_but_the_colours),
		cmocka_unit_test(nothing_of_a_file_steers_the_terminal),
		cmocka_unit_test(diagnostics_are_ordered_by_file_and_line),
		cmocka_unit_test(a_limit_holds_where_it_is_and_one_further_is_an_error),
		cmocka_unit_test(as_many_blocks_as_16_bits_count_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
