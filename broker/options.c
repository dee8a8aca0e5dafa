/* SPDX-License-Identifier: MIT */
/* The command line of fdbrokerd: what is asked for, or which word is wrong and what would be right.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "limits.h"
#include "options.h"

static const char help[] =
	"Usage: fdbrokerd [OPTION]...\n"
	"Opens, makes and lists files, binds and connects sockets and looks up names for\n"
	"programs that may not do it themselves, as far as the policy allows it to them.\n"
	"\n"
	"  --policy FILE|DIR    policy to load, may be repeated; without it, *.policy from\n"
	"                       /usr/lib/fdbroker/policy.d, /run/fdbroker/policy.d and\n"
	"                       /etc/fdbroker/policy.d\n"
	"  --socket PATH        socket to listen on; without it, the one that the service\n"
	"                       manager passed, else " FDBROKER_SOCKET_PATH "\n"
	"  --workers N          processes that serve (default 1)\n"
	"  --log-level LEVEL    error, warning, notice, info (default) or debug\n"
	"  --log-format FORMAT  text (default) or json\n"
	"  --check              load the policy, say what is wrong with it, and end: 0 fine,\n"
	"                       1 errors\n"
	"  --help, --version\n"
	"\n"
	"SIGHUP reloads the policy, SIGTERM stops. See fdbrokerd(8).\n";

static const struct {
	const char *word;
	int level;
} levels[] = {
	{"error", LOG_ERR},
	{"warning", LOG_WARNING},
	{"notice", LOG_NOTICE},
	{"info", LOG_INFO},
	{"debug", LOG_DEBUG},
};

static int usage_error(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "fdbrokerd: %s '%s': %s (see 'fdbrokerd --help')\n", option, value, wanted);
	return EX_USAGE;
}

static int parse_level(struct options *options, const char *value)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].word, value) == 0) {
			options->log_level = levels[i].level;
			return -1;
		}
	}
	return usage_error("--log-level", value, "must be error, warning, notice, info or debug");
}

static int parse_format(struct options *options, const char *value)
{
	if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
		return usage_error("--log-format", value, "must be text or json");
	options->log_format = strcmp(value, "json") == 0 ? LOG_JSON : LOG_TEXT;
	return -1;
}

static int parse_workers(struct options *options, const char *value)
{
	char *end;
	long workers = strtol(value, &end, 10);

	if (*value == '\0' || *end != '\0' || workers < 1 || workers > WORKERS_MAX) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "must be a number from 1 to %d", WORKERS_MAX);
		return usage_error("--workers", value, wanted);
	}
	options->workers = (int)workers;
	return -1;
}

static int parse_policy(struct options *options, const char *value)
{
	if (value[0] == '\0')
		return usage_error("--policy", value, "must be a file or a folder");
	if (options->policy_count == OPTIONS_POLICIES_MAX)
		return usage_error("--policy", value, "is one too many: put the files in a folder");
	options->policies[options->policy_count++] = value;
	return -1;
}

static int parse_socket(struct options *options, const char *value)
{
	/* unix(7): sun_path has 108 bytes. Relative paths and abstract names are nobody's. */
	if (value[0] != '/' || strlen(value) >= 108)
		return usage_error(
			"--socket", value, "must be an absolute path of at most 107 bytes");
	options->socket = value;
	return -1;
}

static int parse_option(struct options *options, int option, char *value)
{
	switch (option) {
	case 'p':
		return parse_policy(options, value);
	case 's':
		return parse_socket(options, value);
	case 'w':
		return parse_workers(options, value);
	case 'l':
		return parse_level(options, value);
	case 'f':
		return parse_format(options, value);
	case 'c':
		options->check = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	case 'V':
		puts("fdbrokerd " FDBROKER_VERSION);
		return 0;
	default:
		fputs("See 'fdbrokerd --help'.\n", stderr); /* getopt has named the word */
		return EX_USAGE;
	}
}

int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{"policy", required_argument, NULL, 'p'},
		{"socket", required_argument, NULL, 's'},
		{"workers", required_argument, NULL, 'w'},
		{"log-level", required_argument, NULL, 'l'},
		{"log-format", required_argument, NULL, 'f'},
		{"check", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	*options = (struct options){.workers = 1, .log_level = LOG_INFO};
	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		status = parse_option(options, option, optarg);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return usage_error(
			"argument", argv[optind], "is not wanted: policies go after --policy");
	return -1;
}
