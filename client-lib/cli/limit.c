/* SPDX-License-Identifier: MIT */
/*
 * The connection that `fdbroker exec --limit` hands on. Nothing here may hand one on that was not
 * narrowed, nor leave the program one that it was narrowed from.
 */
#include "limit.h"
#include "policy.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* NULL if it is well-formed, else what is wrong with it, or with both together. */
static const char *check(const char *verbs, const char *object)
{
	char line[FDBROKER_LIMITS_MAX + 1];
	int length = snprintf(line, sizeof(line), "%s %s\n", verbs, object);
	const char *why = NULL;

	if (strpbrk(verbs, " \t\n") != NULL || strchr(object, '\n') != NULL)
		return "there are no blanks in verbs, and no newlines in objects";
	if (length < 0 || (size_t)length >= sizeof(line))
		return "it is too long";
	return policy_limits_check(line, (size_t)length, &why) ? NULL : why;
}

static bool is_verb(const char *word, size_t length)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		const char *name = policy_verb_name((enum policy_verb)verb);

		if (strlen(name) == length && strncmp(name, word, length) == 0)
			return true;
	}
	return false;
}

/* The first of the words that is none, and how long it is; NULL: all of them are verbs. */
static const char *find_unknown_verb(const char *verbs, int *length)
{
	do {
		*length = (int)strcspn(verbs, ",");
		if (!is_verb(verbs, (size_t)*length))
			return verbs;
		verbs += *length;
	} while (*verbs++ == ',');
	return NULL;
}

static int complain(const char *verbs, const char *object, const char *wrong)
{
	int length;
	const char *unknown = find_unknown_verb(verbs, &length);

	if (unknown == NULL || length == 0 || strpbrk(verbs, " \t\n") != NULL)
		return tool_usage_error(
			"exec ", "exec: --limit: '%s:%s': %s", verbs, object, wrong);
	return tool_usage_error("exec ", "exec: --limit: '%s:%s': there is no verb '%.*s'; %s",
		verbs, object, length, unknown, wrong);
}

/* No verb has a colon, so the first one ends them. */
int limits_add(struct limits *limits, char *text)
{
	char *colon = text != NULL ? strchr(text, ':') : NULL;
	const char *wrong;

	if (text == NULL)
		return tool_usage_error("exec ", "exec: --limit: its argument is missing");
	if (colon == NULL)
		return tool_usage_error("exec ",
			"exec: --limit: '%s' is no limit: write VERBS:OBJECT, as in "
			"read,list:/srv/** "
			"or bind:tcp:80",
			text);
	*colon = '\0';
	wrong = check(text, colon + 1);
	if (wrong != NULL)
		return complain(text, colon + 1, wrong);
	limits->list[limits->count++] = (struct fdbroker_limit){.verbs = text, .object = colon + 1};
	return 0;
}

int limits_impose(const struct limits *limits, struct fdbroker *broker, int first)
{
	int fd = -1;

	if (fdbroker_limit(broker, limits->list, limits->count) != 0) {
		tool_complain("--limit");
		return -1;
	}
	/* It has more than is passed on. */
	if (tool_drop_inherited())
		fd = fcntl(fdbroker_fd(broker), F_DUPFD, first);
	if (fd < 0)
		fprintf(stderr, "fdbroker: exec: %s\n", strerror(errno));
	return fd;
}
