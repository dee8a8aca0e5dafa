/* SPDX-License-Identifier: MIT */
/*
 * The daemon's own evaluator on the policy files as they are. No daemon is needed, and none is
 * asked; of the disk, only where links lead is looked at, for one request by itself.
 *
 * Must never: have an opinion of its own on what a policy means.
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "explain.h"
#include "links.h"
#include "load.h"
#include "nobody.h"
#include "persona.h"
#include "policy-files.h"

enum {
	EXPLAIN_UNWRITTEN = -1, /* of which the user has been told */
	EXPLAIN_ALLOWED = 0,
	EXPLAIN_FAILED = 1,
	EXPLAIN_DENIED = 3,
};

/* As tool_usage_error() takes it. */
#define COMMAND "explain "

static const char explain_help[] =
	"Usage: fdbroker explain [OPTION]... VERBS OBJECT\n"
	"       fdbroker explain [OPTION]... -\n"
	"\n"
	"Says whether the policy allows it, by which rule, and if not, which rule comes\n"
	"nearest. With -, answers each line 'VERBS OBJECT' of the standard input by a line.\n"
	"\n"
	"  --policy FILE|DIR   a draft instead of the installed policy; may be repeated\n"
	"  --user USER         as this user, by name or uid, with the groups of a login\n"
	"  --group GROUP       in this group too, by name or gid; may be repeated\n"
	"  --unit UNIT         in this unit of the service manager\n"
	"  --pid PID           as this process would be known; without --user and --pid:\n"
	"                      as the caller\n"
	"  --json              print JSON\n"
	"  --help              show this text\n"
	"\n"
	"VERBS have commas between them: read,write. OBJECT is a path, taken as it is, or\n"
	"an endpoint: tcp:443, tcp:10.1.2.3:443, tcp:db.internal:5432, udp:[::1]:53,\n"
	"unix:/PATH, vsock:2:99, host:NAME, icmp, raw:89, netlink:route, tun:vpn0, mark=1,\n"
	"or a credential: tls.key=/PATH.\n"
	"\n"
	"Exit status: 0 allowed, 3 denied, 1 the policy has errors, 64 wrong usage.\n";

struct explain {
	const char **policies; /* as many as there are arguments */
	size_t policy_count;
	struct persona_options as;
	bool json;
	const char *verbs, *object; /* NULL: those of the standard input */

	struct persona persona;
	struct loaded_policy policy;
	struct policy_peer judged;
	struct explained_peer asker;
};

static void explain_end(struct explain *explain)
{
	free(explain->policies);
	persona_release(&explain->persona);
	policy_release(&explain->policy);
}

/* ---- the command line ---- */

static bool take_group(struct explain *explain, const char *group)
{
	if (explain->as.group_count == PERSONA_GROUPS_MAX)
		return false;
	explain->as.groups[explain->as.group_count++] = group;
	return true;
}

/* What there can be one of. -1 or the exit status. */
static int take_once(const char **taken, const char *option, const char *text)
{
	if (*taken != NULL)
		return tool_usage_error(
			COMMAND, "--%s is given twice, and there is one asker", option);
	*taken = text;
	return -1;
}

/* -1: go on; else the exit status. */
static int take_option(struct explain *explain, int option)
{
	switch (option) {
	case 'p':
		explain->policies[explain->policy_count++] = optarg;
		return -1;
	case 'u':
		return take_once(&explain->as.user, "user", optarg);
	case 'g':
		return take_group(explain, optarg)
			       ? -1
			       : tool_usage_error(
					 COMMAND, "more than %d groups", PERSONA_GROUPS_MAX);
	case 'n':
		return take_once(&explain->as.unit, "unit", optarg);
	case 'i':
		return take_once(&explain->as.pid, "pid", optarg);
	case 'j':
		explain->json = true;
		return -1;
	default:
		return tool_print(explain_help);
	}
}

/* -1: go on; else the exit status. Options may stand behind the object too. */
static int take_options(struct explain *explain, int argc, char **argv)
{
	static const struct option options[] = {{"policy", required_argument, NULL, 'p'},
		{"user", required_argument, NULL, 'u'}, {"group", required_argument, NULL, 'g'},
		{"unit", required_argument, NULL, 'n'}, {"pid", required_argument, NULL, 'i'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option, status = -1;
	char letter[3];

	opterr = 0; /* its messages do not name the subcommand */
	optind = 0; /* begin anew, whatever main() did with it (man 3 getopt) */
	while (status < 0 && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == ':')
			return tool_usage_error(COMMAND, "%s needs an argument", argv[optind - 1]);
		if (option == '?')
			return tool_usage_error(COMMAND, "there is no option '%s'",
				tool_wrong_option(argv, letter));
		status = take_option(explain, option);
	}
	return status;
}

static int parse_arguments(struct explain *explain, int argc, char **argv)
{
	int status = take_options(explain, argc, argv);
	int count = argc - optind;

	if (status >= 0)
		return status;
	if (explain->as.user != NULL && explain->as.pid != NULL)
		return tool_usage_error(
			COMMAND, "--user and --pid are two askers: leave one of them out");
	if (count == 1 && strcmp(argv[optind], "-") == 0)
		return -1;
	if (count != 2)
		return tool_usage_error(
			COMMAND, count < 2 ? "write verbs and one object, as in: read /etc/motd"
					   : "write one object");
	explain->verbs = argv[optind];
	explain->object = argv[optind + 1];
	return -1;
}

/* ---- what is asked under, and by whom ---- */

static bool load(struct explain *explain)
{
	enum policy_loaded loaded =
		policy_load(&explain->policy, EXPLAIN, explain->policies, explain->policy_count);

	if (loaded != POLICY_NOT_LOADED && !policy_print(&explain->policy, POLICY_ERROR))
		return false;
	return loaded == POLICY_LOADED && explain->policy.image != NULL;
}

/* As the broker finds it, identify.c: it makes itself nobody's client when it starts as root. */
static bool uid_is_brokers(uint32_t uid)
{
	const struct passwd *user = getpwnam(FDBROKER_USER);

	return user != NULL && user->pw_uid == uid;
}

static bool find_asker(struct explain *explain)
{
	const struct policy_identity *identity = &explain->persona.identity;
	enum standing standing = STANDING_CLIENT;

	if (!persona_find_user(&explain->persona))
		return false;
	if (uid_is_nobody(identity->uid))
		standing = STANDING_NOBODY;
	else if (uid_is_brokers(identity->uid))
		standing = STANDING_BROKER;
	else if (policy_peer_init(&explain->judged, explain->policy.image, identity) < 0)
		standing = STANDING_TOO_MANY_BLOCKS;
	if (standing != STANDING_CLIENT)
		explain->judged = (struct policy_peer){.uid = identity->uid};
	explain->asker = (struct explained_peer){.standing = standing,
		.set = explain->policy.set,
		.image = explain->policy.image,
		.identity = identity,
		.peer = &explain->judged};
	return true;
}

/* ---- requests ---- */

/* 0, or the exit status; then the request says what is wrong. */
static int request_load_names(struct request *request)
{
	struct policy_name *names;
	size_t count, failed;
	int error;

	names = policy_set_names(request->set, &count);
	error = policy_load_names(names, count, &failed);
	if (error == 0)
		return request_resolve(request) ? 0 : EXIT_USAGE;
	(void)snprintf(request->problem, sizeof(request->problem), "the name service failed: %s",
		policy_load_names_error(error));
	return EXPLAIN_FAILED;
}

static int request_prepare(struct request *request, const char *verbs, size_t verbs_length,
	const char *object, size_t object_length)
{
	if (!request_read(request, verbs, verbs_length, object, object_length))
		return EXIT_USAGE;
	return request_load_names(request);
}

/* Where: "" or "line N: ". */
static int complain(const char *where, const struct request *request, int status)
{
	(void)fprintf(stderr, EXPLAIN ": %s%s\n", where, request->problem);
	if (request->remedy[0] != '\0')
		(void)fprintf(stderr, "    %s\n", request->remedy);
	return status;
}

/* Files that were found and left out: what they would allow is denied. */
static size_t count_skipped(const struct policy_set *set)
{
	const struct policy_diagnostic *diagnostics;
	size_t count, skipped = 0;

	diagnostics = policy_set_diagnostics(set, &count);
	for (size_t i = 0; i < count; i++)
		skipped += diagnostics[i].severity == POLICY_WARNING && diagnostics[i].line == 0;
	return skipped;
}

/* What the files do not tell of the broker. Of a draft there is nothing to be said. */
static void print_loading(const struct explain *explain, bool is_allowed)
{
	size_t skipped = count_skipped(explain->policy.set);

	if (is_allowed && explain->policy_count == 0)
		(void)puts("as the files are now: the broker may not have loaded them yet");
	if (!is_allowed && skipped > 0)
		(void)printf("%zu file%s not count: see 'fdbroker check'\n", skipped,
			skipped == 1 ? " does" : "s do");
}

static int answer_in_full(const struct explain *explain, const struct request *request)
{
	struct explanation explanation;
	char real[PATH_MAX];
	bool is_allowed;

	explanation_make(&explanation, &explain->asker, request);
	/* A list is a policy's own test, which comes out the same on every machine. */
	if (explain->verbs != NULL && explanation.deny_count > 0 && links_follow(request, real))
		explanation_judge_links(&explanation, &explain->asker, request, real);
	is_allowed = explanation.decision.outcome == POLICY_ALLOWED;
	if (!explain->json) {
		explain_print(&explanation, &explain->asker, request);
		print_loading(explain, is_allowed);
	} else if (!explain_print_json(&explanation, &explain->asker, request)) {
		(void)fprintf(stderr, EXPLAIN ": %s\n", strerror(ENOMEM));
		return EXPLAIN_FAILED;
	}
	return is_allowed ? EXPLAIN_ALLOWED : EXPLAIN_DENIED;
}

/* One line: the verdict, the rule, and what was asked as it was written. */
static int answer_in_short(const struct explain *explain, const struct request *request,
	const char *line, size_t length)
{
	struct policy_decision decision =
		request_decide(request, explain->asker.image, explain->asker.peer, request->verbs);
	bool is_allowed = decision.outcome == POLICY_ALLOWED;

	(void)fputs(is_allowed ? "allowed " : "denied ", stdout);
	explain_print_place(explain->asker.image, decision.rule);
	(void)fputc(' ', stdout);
	text_print(line, length, stdout);
	(void)fputc('\n', stdout);
	return is_allowed ? EXPLAIN_ALLOWED : EXPLAIN_DENIED;
}

static int answer_one(const struct explain *explain)
{
	_cleanup_(request_release) struct request request = {.set = NULL};
	int status = request_prepare(&request, explain->verbs, strlen(explain->verbs),
		explain->object, strlen(explain->object));

	return status != 0 ? complain("", &request, status) : answer_in_full(explain, &request);
}

/* ---- the standard input ---- */

static int answer_line(
	const struct explain *explain, unsigned long number, const char *line, size_t length)
{
	_cleanup_(request_release) struct request request = {.set = NULL};
	const char *blank = memchr(line, ' ', length);
	size_t verbs = blank != NULL ? (size_t)(blank - line) : length;
	size_t object = blank != NULL ? verbs + 1 : length;
	char where[sizeof("line 18446744073709551615: ")];
	int status;

	(void)snprintf(where, sizeof(where), "line %lu: ", number);
	if (memchr(line, '\0', length) != NULL) {
		(void)snprintf(request.problem, sizeof(request.problem), "a NUL byte");
		return complain(where, &request, EXIT_USAGE);
	}
	status = request_prepare(&request, line, verbs, line + object, length - object);
	if (status != 0)
		return complain(where, &request, status);
	return explain->json ? answer_in_full(explain, &request)
			     : answer_in_short(explain, &request, line, length);
}

/* What outweighs what when there are several: a line that is wrong may have meant anything. */
static int worse(int a, int b)
{
	static const int order[] = {EXPLAIN_FAILED, EXIT_USAGE, EXPLAIN_DENIED};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXPLAIN_ALLOWED;
}

static int answer_lines(const struct explain *explain)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int status = EXPLAIN_ALLOWED;

	if (!explain->json)
		explain_print_standing(&explain->asker, stderr);
	for (unsigned long number = 1; (length = getline(&line, &size, stdin)) >= 0; number++) {
		if (length > 0 && line[length - 1] == '\n')
			length--;
		if (length == 0 || line[0] == '#')
			continue;
		status = worse(status, answer_line(explain, number, line, (size_t)length));
		if (ferror(stdout)) {
			(void)fprintf(stderr, EXPLAIN ": stdout: %s\n", strerror(errno));
			return EXPLAIN_UNWRITTEN;
		}
	}
	if (ferror(stdin)) {
		(void)fprintf(stderr, EXPLAIN ": stdin: %s\n", strerror(errno));
		return EXPLAIN_FAILED;
	}
	return status;
}

int explain_main(int argc, char **argv)
{
	_cleanup_(explain_end) struct explain explain = {.policies = NULL};
	int status;

	explain.policies = calloc((size_t)argc, sizeof(*explain.policies));
	if (explain.policies == NULL)
		return EXPLAIN_FAILED;
	status = parse_arguments(&explain, argc, argv);
	if (status >= 0)
		return status;
	if (!persona_find(&explain.persona, &explain.as))
		return explain.persona.has_failed ? EXPLAIN_FAILED : EXIT_USAGE;
	if (!load(&explain) || !find_asker(&explain))
		return EXPLAIN_FAILED;
	status = explain.verbs != NULL ? answer_one(&explain) : answer_lines(&explain);
	if (status == EXPLAIN_UNWRITTEN)
		return EXPLAIN_FAILED;
	return tool_print("") == EXIT_SUCCESS ? status : EXPLAIN_FAILED;
}
