/* SPDX-License-Identifier: MIT */
/*
 * The policy language as a library: text goes in, a position-independent image comes out, and the
 * image answers "may this peer do that?".
 *
 *	text --scan, parse--> policy_set --names filled in--> compile --> image --> decide
 *
 * Nothing that this header declares makes a system call. Reading policy files and asking the name
 * service are the business of load.h. The language is described in fdbroker.policy(5).
 *
 * Errors: functions that can run out of memory return -ENOMEM; what is wrong with a policy is
 * never an errno but a diagnostic.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- verbs ---- */

enum policy_verb {
	POLICY_READ,
	POLICY_WRITE,
	POLICY_APPEND,
	POLICY_CREATE,
	POLICY_REMOVE,
	POLICY_STAT,
	POLICY_LIST,
	POLICY_WATCH,
	POLICY_BIND,
	POLICY_CONNECT,
	POLICY_SOCKET,
	POLICY_OPTION,
	POLICY_RESOLVE,
	POLICY_CREDENTIAL,
	POLICY_VERB_COUNT,
};

#define POLICY_BIT(verb) (1u << (verb))

/* What can be done to a file: READ to WATCH. */
#define POLICY_FILE_VERBS (POLICY_BIT(POLICY_WATCH + 1) - 1)

/* The word of the language for a verb ("read"), for logs and manuals. */
const char *policy_verb_name(enum policy_verb verb);

/* Room for all verbs with commas between them. */
#define POLICY_VERBS_TEXT_MAX 128

/* "read,write", in the order above; nothing for no verb. Returns text. */
const char *policy_verbs_text(uint32_t verbs, char text[POLICY_VERBS_TEXT_MAX]);

/* ---- from text to image ---- */

struct policy_set;   /* the files of one policy, parsed, with all that is wrong with them */
struct policy_image; /* opaque; begins at the first byte of the compiled image */

enum policy_severity { POLICY_NOTE, POLICY_WARNING, POLICY_ERROR };

struct policy_diagnostic {
	enum policy_severity severity;
	const char *file;       /* as given to policy_set_add() */
	uint32_t line;          /* from 1; 0: about the file as a whole */
	uint32_t column, width; /* in bytes, from 1; the caret and its tail */
	const char *source;     /* the line's text without its end; not NUL-terminated */
	size_t source_length;
	const char *message; /* what is wrong, naming the word */
	const char *remedy;  /* the way out; may be NULL */
};

/* What the name service must be asked for before a policy can be compiled. */
enum policy_name_kind {
	POLICY_NAME_USER,
	POLICY_NAME_GROUP,
	POLICY_NAME_SERVICE_TCP,
	POLICY_NAME_SERVICE_UDP,
	POLICY_NAME_INTERFACE,
	POLICY_NAME_PROTOCOL,
	POLICY_NAME_ACCOUNT, /* of `as`: a user with its groups; the name may be a uid in digits */
};

/*
 * The most groups of an account. The kernel takes 65536 (NGROUPS_MAX of linux/limits.h), but nobody
 * is in so many, and each user's lie in the image.
 */
#define POLICY_GROUPS_MAX 1024u

enum policy_name_status { POLICY_NAME_UNASKED, POLICY_NAME_FOUND, POLICY_NAME_UNKNOWN };

struct policy_name {
	enum policy_name_kind kind;
	enum policy_name_status status; /* filled in by the caller */
	uint32_t id;      /* uid, gid, port in host order, interface index, protocol */
	uint32_t gid;     /* for a user or account: its primary group */
	const char *name; /* NUL-terminated, owned by the set */
	/* For an account: what initgroups(3) would set, malloc'ed by who fills it in; of a name in
	 * a set, freed with it. */
	uint32_t *groups;
	uint32_t group_count;
	/* Of an unknown name: one that exists and was probably meant, malloc'ed likewise. NULL:
	 * nobody has looked for one, or none is near. */
	char *near;
};

struct policy_set *policy_set_new(void); /* NULL: out of memory */
void policy_set_free(struct policy_set *set);

/* Scans and parses one file. The text is copied. Every error of the file is recorded. */
int policy_set_add(struct policy_set *set, const char *file, const char *text, size_t length);

/*
 * The same for a text that policy_grants_write() made. All of it is for whoever it was made for, so
 * that a block without `from` is for anyone, and may have %i and deny; and blocks may have the same
 * name. Who that is, its first line says: policy_grants_identity(). One text for each set.
 */
int policy_set_add_grants(struct policy_set *set, const char *text, size_t length);

/* Records something about a file that the caller found ("not owned by root"); texts are copied. */
int policy_set_note(struct policy_set *set, enum policy_severity severity, const char *file,
	const char *message, const char *remedy);

/* The names that the files mention, each once, for the caller to fill in. Owned by the set. */
struct policy_name *policy_set_names(struct policy_set *set, size_t *count);

/*
 * Compiles what was added. On success *image is malloc'ed memory of *size bytes that can be copied
 * anywhere (alignment 16) and mapped read-only. Returns -EINVAL when the diagnostics hold an error.
 */
int policy_set_compile(struct policy_set *set, void **image, size_t *size);

/*
 * Adds to the diagnostics of a set what is right and yet probably not meant: rules that do nothing
 * because of others, grants that are wider than they look, things that need no broker. The image is
 * what the set was compiled to. Only for people: nothing of it changes what the policy means. Takes
 * a time that grows with the number of rules, and no faster. 0 or -ENOMEM.
 */
int policy_set_review(struct policy_set *set, const struct policy_image *image);

/* Whether it is among the units that a review warns of, for they run whatever their users start. */
bool policy_unit_is_shared(const char *unit, size_t length);

/* All diagnostics so far, ordered by file and line. Valid until the set is changed or freed. */
const struct policy_diagnostic *policy_set_diagnostics(const struct policy_set *set, size_t *count);
size_t policy_set_count(const struct policy_set *set, enum policy_severity severity);

/* "error", "warning", "note" */
const char *policy_severity_name(enum policy_severity severity);

/*
 * Prints one as "FILE:LINE:FIRST-LAST: error: MESSAGE", the source line, a caret line, the remedy.
 * The columns are bytes; of one byte alone it is FILE:LINE:COLUMN. Colours are for terminals.
 */
void policy_diagnostic_print(
	const struct policy_diagnostic *diagnostic, bool is_coloured, FILE *out);

/* ---- the image ---- */

/* Checks the header (magic, version, size). NULL: not an image of this version. */
const struct policy_image *policy_image_open(const void *bytes, size_t size);

/* What the broker must be able to do so that every rule can be served. */
struct policy_needs {
	uint32_t allowed_verbs; /* POLICY_BIT of every verb that some allow rule names */
	uint32_t own_verbs;     /* the same of rules without `as`: done by the broker as itself */
	uint32_t allowed_kinds; /* POLICY_BIT of every kind that some allow rule is about */
	uint32_t with;          /* enum policy_with bits that some allow rule sets */
	bool device;            /* some allow rule has `with device=IF` */
	bool owner;             /* some rule sets the owner of what it creates */
	bool low_port;          /* some rule grants to bind a port below 1024 (or any port) */
	bool unix_path;         /* some rule grants to bind a unix socket */
	bool as;                /* some allow rule has `as` */
	bool as_peer;           /* `as peer`: the peer's groups must be known */
	bool copy;              /* some allow rule has `copy` */
	bool user_name;         /* %u or %h is used: the peer's name and home must be known */
	bool unit;              /* a unit condition or %i is used */
};
void policy_image_needs(const struct policy_image *image, struct policy_needs *needs);

/* Where a rule stands, and how it is written. The strings live in the image. */
struct policy_location {
	const char *file;
	uint32_t line;
	const char *client; /* the name of its block */
	const char *text;   /* its words as they stand there, a blank between two */
};
void policy_image_location(
	const struct policy_image *image, uint32_t rule, struct policy_location *location);
uint32_t policy_image_rule_count(const struct policy_image *image);

/*
 * A user of `as USER`: its ids, and its supplementary groups, which live in the image. Of a number
 * that no decision gave out both ids are UINT32_MAX, which no system call takes for a user.
 */
struct policy_user {
	uint32_t uid, gid;
	const uint32_t *groups;
	uint32_t group_count;
};
void policy_image_user(
	const struct policy_image *image, uint32_t as_user, struct policy_user *user);

/* ---- who asks ---- */

/* All that is known of a peer. Strings may be NULL: unknown, and then nothing that names them
 * matches. */
struct policy_identity {
	uint32_t uid, gid;
	const uint32_t *groups; /* supplementary groups */
	size_t group_count;
	const char *unit; /* "nginx.service"; the rule of fdbroker.policy(5) has been applied */
	const char *user; /* the name of uid */
	const char *home; /* its home directory; the caller has checked that uid owns it */
};

#define POLICY_PEER_BLOCKS_MAX 64
#define POLICY_PEER_TEXT_MAX 256

/*
 * What decide needs to know of a peer under one image: flat bytes, no pointers, so that it can be
 * dealt from process to process. Valid only with the image that it was made for.
 */
struct policy_peer {
	uint32_t uid, gid;
	uint16_t block_count;
	uint16_t blocks[POLICY_PEER_BLOCKS_MAX]; /* the client blocks whose `from` matches,
						    ascending */
	/* Offsets into text of NUL-terminated strings; 0: undefined (text[0] is NUL). */
	uint8_t user, home, instance, unit;
	char text[POLICY_PEER_TEXT_MAX];
};

/*
 * Finds the blocks that concern this identity. Returns 0, or -E2BIG when more than
 * POLICY_PEER_BLOCKS_MAX match (nobody can be judged by a part of the policy). A user, home,
 * instance or unit that does not fit the text is undefined.
 */
int policy_peer_init(struct policy_peer *peer, const struct policy_image *image,
	const struct policy_identity *identity);

/* How much one uid may have at once, by `limit`; UINT32_MAX: as much as the broker has. */
struct policy_quota {
	uint32_t sessions; /* connections */
	uint32_t requests; /* per second */
	uint32_t unread;   /* results that were sent and not read */
};

/* The smallest amounts of all blocks that concern the peer. */
struct policy_quota policy_peer_quota(
	const struct policy_image *image, const struct policy_peer *peer);

/* ---- what a connection was narrowed to ---- */

/*
 * Limits: sets of lines "VERBS OBJECT\n", each set ended by a NUL. What is asked for must be
 * permitted by some line of every set; a set without a line permits nothing. Verbs (with what they
 * imply), objects and wildcards are those of `allow`, but for what depends on somebody: there are
 * no variables but %%, and no names of services, protocols or interfaces that would have to be
 * looked up. It is a client's text, and is matched as it is: no bytes can do more than permit less.
 */
struct policy_limits {
	const char *text;
	size_t length; /* 0: not narrowed */
};

/*
 * Is this a well-formed set (without its NUL)? If not, *why is a static sentence.
 * No system call, no allocation.
 */
bool policy_limits_check(const char *set, size_t length, const char **why);

/* ---- what is asked ---- */

/*
 * What a rule can be about, besides paths: the name in the language, and what of an endpoint
 * (below) tells one from another. A unix socket is a path under POLICY_BIND.
 */
enum policy_kind {
	POLICY_TCP,          /* address or name of a host, and number: the port */
	POLICY_UDP,          /* likewise */
	POLICY_VSOCK,        /* address: a context id, and number: the port */
	POLICY_HOST,         /* address or name */
	POLICY_ICMP,         /* nothing more */
	POLICY_ICMP6,        /* nothing more */
	POLICY_RAW,          /* number: the protocol, of IPv4 or IPv6 */
	POLICY_NETLINK,      /* number: the netlink family, netlink(7) */
	POLICY_TUN,          /* name: the device; empty: one that the kernel names */
	POLICY_TAP,          /* likewise */
	POLICY_MARK,         /* socket options, number: the value that is set, socket(7) */
	POLICY_PRIORITY,     /* likewise */
	POLICY_RCVBUFFORCE,  /* likewise */
	POLICY_SNDBUFFORCE,  /* likewise */
	POLICY_TRANSPARENT,  /* likewise; ip(7) */
	POLICY_DEBUG,        /* likewise */
	POLICY_BINDTODEVICE, /* name: the interface; empty: none any more */
	POLICY_KIND_COUNT,
};

/* The word of the language for a kind ("tcp", "mark"). */
const char *policy_kind_name(enum policy_kind kind);

/* The number of a netlink family by its word of the language ("route"). False: there is none. */
bool policy_netlink_family(const char *name, uint32_t *number);

enum policy_family {
	POLICY_NO_ADDRESS = 0, /* the endpoint has a name, or nothing but its number */
	POLICY_CID = 1,        /* VSOCK; VMADDR_CID_ANY stands for all of this machine's */
	POLICY_IPV4 = 4,       /* a mapped address may be given as either */
	POLICY_IPV6 = 6,
};

/* One thing that is asked for. What its kind does not use is 0. */
struct policy_endpoint {
	enum policy_kind kind;
	enum policy_family family;
	uint8_t address[16]; /* network byte order; IPv4 and context ids use the first four bytes */
	uint32_t scope;      /* interface index of a link-local address, or 0 */
	uint32_t number;     /* host byte order */
	const char *name; /* not NUL-terminated; host names in any case, with or without last dot */
	size_t name_length;
};

/* With whose identity files are found and opened: `as`. */
enum policy_as {
	POLICY_AS_BROKER, /* its own */
	POLICY_AS_PEER,
	POLICY_AS_USER, /* policy_image_user() */
};

enum policy_symlinks { POLICY_SYMLINKS_TRUSTED, POLICY_SYMLINKS_NONE };
enum policy_log { POLICY_LOG_ALL, POLICY_LOG_DENIED, POLICY_LOG_NONE };

enum policy_type {
	POLICY_TYPE_FILE = 1 << 0,
	POLICY_TYPE_DIRECTORY = 1 << 1,
	POLICY_TYPE_DEVICE = 1 << 2,
	POLICY_TYPE_BLOCK = 1 << 3,
	POLICY_TYPE_FIFO = 1 << 4,
	POLICY_TYPE_ANY = POLICY_TYPE_FILE | POLICY_TYPE_DIRECTORY | POLICY_TYPE_DEVICE |
			  POLICY_TYPE_BLOCK | POLICY_TYPE_FIFO,
};

#define POLICY_OWNER_DEFAULT UINT32_MAX
#define POLICY_MODE_DEFAULT 0600
#define POLICY_DIRECTORY_MODE_DEFAULT 0700

/* The most bytes of a `copy` without `max`: keys, certificates and settings are far smaller. */
#define POLICY_COPY_MAX_DEFAULT (1u << 20)

/* Set on a socket before it is bound: `with`, beside the device. */
enum policy_with {
	POLICY_WITH_FREEBIND = 1 << 0,
	POLICY_WITH_TRANSPARENT = 1 << 1,
	POLICY_WITH_REUSEPORT = 1 << 2,
	POLICY_WITH_V6ONLY = 1 << 3,
};

/* In which network namespace a socket may live: the broker's, the peer's, or any. */
enum policy_netns { POLICY_NETNS_BROKER, POLICY_NETNS_PEER, POLICY_NETNS_ANY };

struct policy_options {
	uint32_t mode;           /* of what is created */
	uint32_t directory_mode; /* of a directory: the same unless the rule names none */
	uint32_t uid, gid;       /* its owner; POLICY_OWNER_DEFAULT: the acting identity */
	uint8_t types;           /* enum policy_type bits that may be opened */
	uint8_t symlinks;        /* enum policy_symlinks */
	uint8_t log;             /* enum policy_log */
	uint8_t with;            /* enum policy_with bits */
	uint8_t netns;           /* enum policy_netns */
	uint8_t as;              /* enum policy_as */
	uint32_t as_user;        /* AS_USER: for policy_image_user() */
	uint32_t copy_max;       /* `copy`: the most bytes of a copy; 0: it is opened */
	/* `with device=IF`: the interface that a socket is bound to; NULL: none. Lives in the
	 * image.
	 */
	const char *device;
};

enum policy_outcome {
	POLICY_ALLOWED,
	POLICY_DENIED_NO_RULE,  /* no rule of any matching block allows it */
	POLICY_DENIED_BY_RULE,  /* a deny rule says so */
	POLICY_DENIED_NARROWED, /* an `only` block that matches the peer does not allow it */
	POLICY_DENIED_CONFLICT, /* the verbs of this one request have rules with different options
				 */
	POLICY_DENIED_GAIN, /* rules allow a rename, but more would be possible with the new name */
	POLICY_DENIED_LIMITED, /* a rule allows it, but the connection was narrowed; rule */
};

/* "allow", "no-rule": the words of fdbrokerd(8) for what came of it. NULL: there is no such outcome. */
const char *policy_outcome_word(unsigned int outcome);

#define POLICY_NO_RULE UINT32_MAX

struct policy_decision {
	enum policy_outcome outcome;
	uint32_t rule;    /* the deciding rule; for NARROWED the first rule of the `only` block */
	uint32_t other;   /* CONFLICT: a rule whose options are not those of `rule` */
	uint32_t missing; /* NO_RULE, NARROWED: POLICY_BIT of the verbs that nothing grants */
	struct policy_options options; /* of the deciding allow rule, or how to log a denial */
};

/*
 * The verbs that an open(2) with these flags asks for; with O_CREAT it is `create` besides if there
 * is no such file. 0: the broker does not serve it.
 */
uint32_t policy_open_verbs(uint32_t flags);

/*
 * May the peer use every verb of the set (POLICY_BIT) on this path? The path is absolute bytes,
 * without NUL; one that is not in the canonical form (empty, "." or ".." components, a slash at the
 * end of another path than "/", not absolute, longer than PATH_MAX - 1) is denied: nothing can be
 * granted for it.
 * No system call, no allocation; the cost does not grow with the number of rules. limits may be
 * NULL: none, here and below.
 */
struct policy_decision policy_decide_path(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, uint32_t verbs,
	const char *path, size_t length);

/*
 * Is there a deny rule against any verb of the set on this path? For the path that a link led to,
 * which deny judges and allow does not. Returns the rule, or POLICY_NO_RULE.
 */
uint32_t policy_deny_path(const struct policy_image *image, const struct policy_peer *peer,
	uint32_t verbs, const char *path, size_t length);

/*
 * Is anything about files granted to the peer under this path: would one of READ to WATCH, asked
 * for alone, be allowed? For the names that a list shows. real is the same object's path after
 * links, which deny judges too; it may be the same as path.
 */
bool policy_grants_name(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, const char *path, size_t length, const char *real,
	size_t real_length);

/* A name that was asked for, which allow judges, and where it led, which deny judges as well. */
struct policy_file_name {
	const char *path;
	size_t length;
	const char *real; /* may be the same as path */
	size_t real_length;
};

/*
 * For a rename: is anything about files possible with the new name that is not with the old one,
 * or only for other types, as another user, by fewer links or in smaller copies? is_directory: with
 * all that may lie below them too, as far as its old path can be asked for; then "yes" is the
 * answer in doubt, and of a narrowed connection always.
 */
bool policy_gains_by_name(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, const struct policy_file_name *old_name,
	const struct policy_file_name *new_name, bool is_directory);

/*
 * May the peer do this to an endpoint? The verb is BIND, CONNECT, SOCKET, OPTION or RESOLVE.
 *
 * The unspecified address stands for all addresses of its family (connect(2) makes it the loopback
 * address): allow needs a rule that covers all of them (`*`, /0, or the unspecified address itself)
 * and a deny on any address of the port denies it. `[::]` is also IPv4's 0.0.0.0, so both are
 * judged. With a name (TCP, UDP, HOST) rules by name and `*` are what can allow or deny it; what it
 * leads to is the caller's to judge: policy_deny_endpoint(). A vsock SOCKET is `vsock:*:*`.
 */
struct policy_decision policy_decide_endpoint(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, enum policy_verb verb,
	const struct policy_endpoint *endpoint);

/*
 * Is there a deny rule against it? For the addresses and the canonical name that a name led to,
 * which deny judges and allow does not. Returns the rule, or POLICY_NO_RULE.
 */
uint32_t policy_deny_endpoint(const struct policy_image *image, const struct policy_peer *peer,
	enum policy_verb verb, const struct policy_endpoint *endpoint);

/* A file that a service is to be given as a credential of this name, systemd.exec(5). */
struct policy_credential {
	const char *name;
	size_t name_length;
	const char *path; /* absolute, as for policy_decide_path() */
	size_t path_length;
};

/*
 * May the peer have it? A connection that was narrowed has no credentials. A deny of `read` or of
 * `all` on the path denies the credential too.
 */
struct policy_decision policy_decide_credential(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits,
	const struct policy_credential *credential);

/*
 * Is there a deny rule against it? With the path that a link led to. Returns the rule, or
 * POLICY_NO_RULE.
 */
uint32_t policy_deny_credential(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_credential *credential);

/*
 * The decision that a rule stands for which one of the policy_deny_...() returned:
 * a denial by that rule, recorded as the rule itself says. POLICY_NO_RULE: one for which there is
 * no rule, and which is always recorded.
 */
struct policy_decision policy_denial(const struct policy_image *image, uint32_t rule);

/*
 * May the peer use the verb for anything at all? For what no object of the language names: a
 * service, a protocol. Allowed when some rule allows the verb on some object, in every `only` block
 * of the peer too; the rule is the first of these, its options are the default ones, but for
 * `log`: of all the rules that allow the verb, the one that records most counts.
 */
struct policy_decision policy_decide_verb(const struct policy_image *image,
	const struct policy_peer *peer, const struct policy_limits *limits, enum policy_verb verb);

/*
 * What the peer may have, as text in the form of a policy file: a comment that says who it is, each
 * block that concerns it with its rules as they are written and its limits, but without `from`, and
 * what the connection was narrowed to as comments. Returns its length in bytes; where that is more
 * than size, the text is of no use. With text NULL and size 0 no rule is looked at.
 *
 * The first line is read again, by policy_grants_identity(): fields after ", ", in which commas and
 * what would end the line are escaped. What it is made of may change only where both do.
 */
size_t policy_grants_write(const struct policy_image *image, const struct policy_peer *peer,
	const struct policy_limits *limits, char *text, size_t size);

/*
 * Who such a text is for, by its first line: uid, user, home and unit. The strings are put into
 * storage; what is not there, or does not fit, is NULL. No group is known: gid is UINT32_MAX, as
 * is the uid where even that cannot be read; then it returns false. An instance is known only by
 * its unit (policy_peer_init()), so that of a unit too long to be shown is undefined.
 */
bool policy_grants_identity(struct policy_identity *identity, const char *text, size_t length,
	char storage[static POLICY_PEER_TEXT_MAX]);
