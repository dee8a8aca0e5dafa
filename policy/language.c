/* SPDX-License-Identifier: MIT */
/* The tables of the language. */
#include "language.h"

#define PATH KIND_BIT(OBJECT_PATH)
#define SAME(verb) .grants = POLICY_BIT(verb), .covers = POLICY_BIT(verb)
/* What opens a file, or makes one, would tell as much of it as stat(2). */
#define AND_STAT(verbs) .grants = (verbs) | POLICY_BIT(POLICY_STAT)
#define EVERY_WRITE                                                                                \
	(POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) | POLICY_BIT(POLICY_CREATE) |        \
		POLICY_BIT(POLICY_REMOVE))

const struct verb_word verb_words[POLICY_VERB_COUNT] = {
	[POLICY_READ] = {"read", PATH, AND_STAT(POLICY_BIT(POLICY_READ)),
		/* What is in a file is what its credential is. */
		.covers = POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_CREDENTIAL)},
	[POLICY_WRITE] = {"write", PATH,
		AND_STAT(POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND)),
		.covers = EVERY_WRITE | POLICY_BIT(POLICY_BIND)},
	[POLICY_APPEND] = {"append", PATH, AND_STAT(POLICY_BIT(POLICY_APPEND)),
		.covers = POLICY_BIT(POLICY_APPEND)},
	/* Binding a unix socket creates it. */
	[POLICY_CREATE] = {"create", PATH, AND_STAT(POLICY_BIT(POLICY_CREATE)),
		.covers = POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_BIND)},
	[POLICY_REMOVE] = {"remove", PATH, SAME(POLICY_REMOVE)},
	[POLICY_STAT] = {"stat", PATH, SAME(POLICY_STAT)},
	[POLICY_LIST] = {"list", PATH, SAME(POLICY_LIST)},
	[POLICY_WATCH] = {"watch", PATH, SAME(POLICY_WATCH)},
	[POLICY_BIND] = {"bind", OBJECTS_NETWORK | KIND_BIT(OBJECT_UNIX) | KIND_BIT(OBJECT_VSOCK),
		SAME(POLICY_BIND)},
	[POLICY_CONNECT] = {"connect", OBJECTS_NETWORK | KIND_BIT(OBJECT_VSOCK),
		SAME(POLICY_CONNECT)},
	[POLICY_SOCKET] = {"socket",
		KIND_BIT(OBJECT_RAW) | KIND_BIT(OBJECT_NETLINK) | KIND_BIT(OBJECT_TUN) |
			KIND_BIT(OBJECT_TAP) | KIND_BIT(OBJECT_ICMP) | KIND_BIT(OBJECT_ICMP6) |
			KIND_BIT(OBJECT_VSOCK),
		SAME(POLICY_SOCKET)},
	[POLICY_OPTION] = {"option", KIND_BIT(OBJECT_SETTING), SAME(POLICY_OPTION)},
	[POLICY_RESOLVE] = {"resolve", KIND_BIT(OBJECT_HOST), SAME(POLICY_RESOLVE)},
	[POLICY_CREDENTIAL] = {"credential", KIND_BIT(OBJECT_CREDENTIAL), SAME(POLICY_CREDENTIAL)},
};

const struct object_word object_words[OBJECT_KIND_COUNT] = {
	[OBJECT_PATH] = {"a path", NULL, "/PATH", POLICY_KIND_COUNT},
	[OBJECT_TCP] = {"a tcp endpoint", "tcp:", "tcp:[HOST:]PORT", POLICY_TCP},
	[OBJECT_UDP] = {"a udp endpoint", "udp:", "udp:[HOST:]PORT", POLICY_UDP},
	[OBJECT_UNIX] = {"a unix socket", "unix:", "unix:/PATH", POLICY_KIND_COUNT},
	[OBJECT_VSOCK] = {"a vsock endpoint", "vsock:", "vsock:CID:PORT", POLICY_VSOCK},
	[OBJECT_HOST] = {"a host", "host:", "host:HOST", POLICY_HOST},
	[OBJECT_RAW] = {"a raw socket", "raw:", "raw:NUMBER", POLICY_RAW},
	[OBJECT_NETLINK] = {"a netlink socket", "netlink:", "netlink:FAMILY", POLICY_NETLINK},
	[OBJECT_TUN] = {"a tun device", "tun:", "tun:DEVICE", POLICY_TUN},
	[OBJECT_TAP] = {"a tap device", "tap:", "tap:DEVICE", POLICY_TAP},
	[OBJECT_ICMP] = {"an icmp socket", NULL, "icmp", POLICY_ICMP},
	[OBJECT_ICMP6] = {"an icmp6 socket", NULL, "icmp6", POLICY_ICMP6},
	[OBJECT_SETTING] = {"a socket option", NULL, "NAME=VALUE", POLICY_KIND_COUNT},
	[OBJECT_CREDENTIAL] = {"a credential", NULL, "NAME=/PATH", POLICY_KIND_COUNT},
};

const char *policy_verb_name(enum policy_verb verb)
{
	return (unsigned)verb < POLICY_VERB_COUNT ? verb_words[verb].name : "?";
}

const char *policy_verbs_text(uint32_t verbs, char text[POLICY_VERBS_TEXT_MAX])
{
	size_t length = 0;
	text[0] = '\0';
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		if (verbs & POLICY_BIT(verb))
			length += (size_t)snprintf(text + length, POLICY_VERBS_TEXT_MAX - length,
				"%s%s", length ? "," : "", verb_words[verb].name);
	}
	return text;
}

const char *policy_kind_name(enum policy_kind kind)
{
	static const char *const names[] = {
		[POLICY_TCP] = "tcp",
		[POLICY_UDP] = "udp",
		[POLICY_VSOCK] = "vsock",
		[POLICY_HOST] = "host",
		[POLICY_ICMP] = "icmp",
		[POLICY_ICMP6] = "icmp6",
		[POLICY_RAW] = "raw",
		[POLICY_NETLINK] = "netlink",
		[POLICY_TUN] = "tun",
		[POLICY_TAP] = "tap",
		[POLICY_MARK] = "mark",
		[POLICY_PRIORITY] = "priority",
		[POLICY_RCVBUFFORCE] = "rcvbufforce",
		[POLICY_SNDBUFFORCE] = "sndbufforce",
		[POLICY_TRANSPARENT] = "transparent",
		[POLICY_DEBUG] = "debug",
		[POLICY_BINDTODEVICE] = "bindtodevice",
	};
	return (unsigned)kind < POLICY_KIND_COUNT ? names[kind] : "?";
}

const char *policy_outcome_word(unsigned int outcome)
{
	static const char *const words[] = {
		[POLICY_ALLOWED] = "allow",
		[POLICY_DENIED_NO_RULE] = "no-rule",
		[POLICY_DENIED_BY_RULE] = "deny",
		[POLICY_DENIED_NARROWED] = "only",
		[POLICY_DENIED_CONFLICT] = "options",
		[POLICY_DENIED_GAIN] = "gain",
		[POLICY_DENIED_LIMITED] = "limit",
	};
	return outcome < sizeof(words) / sizeof(*words) ? words[outcome] : NULL;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

#define NEAR_MAX 32u /* longer than every keyword, and as long as names of users are */

/*
 * How many letters to add, drop or replace, or neighbours to swap (the optimal string alignment
 * distance; Damerau 1964: nearly all mistypings are one of these).
 */
static uint32_t word_distance(const char *a, uint32_t a_length, const char *b, uint32_t b_length)
{
	uint32_t rows[3][NEAR_MAX + 1];
	for (uint32_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (uint32_t i = 1; i <= a_length; i++) {
		uint32_t *row = rows[i % 3];
		const uint32_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		row[0] = i;
		for (uint32_t j = 1; j <= b_length; j++) {
			uint32_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

#define CONSTANT_MAX 32u

/*
 * The word of a constant of a C header: SO_MARK is mark, NETLINK_ROUTE is route. In lower case, at
 * `lower`, of which `*length` bytes are left.
 */
static const char *word_from_constant(const char *bytes, size_t *length, char lower[CONSTANT_MAX])
{
	static const char *const prefixes[] = {"so_", "ip_", "ipv6_", "netlink_"};
	for (size_t i = 0; i < *length; i++)
		lower[i] = bytes[i] >= 'A' && bytes[i] <= 'Z' ? (char)(bytes[i] - 'A' + 'a')
							      : bytes[i];
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t prefix = strlen(prefixes[i]);
		if (*length <= prefix || memcmp(lower, prefixes[i], prefix) != 0)
			continue;
		*length -= prefix;
		return lower + prefix;
	}
	return lower;
}

const char *word_find_near(const char *bytes, size_t length, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	char lower[CONSTANT_MAX];
	if (length > sizeof(lower))
		return NULL;
	bytes = word_from_constant(bytes, &length, lower);
	uint32_t nearest_distance = length > 4 ? 3 : 2;
	if (length < 2 || length > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t word_length = strlen(words[i]);
		if (word_length > NEAR_MAX)
			continue;
		uint32_t distance =
			word_distance(bytes, (uint32_t)length, words[i], (uint32_t)word_length);
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = words[i];
		}
	}
	return nearest;
}
