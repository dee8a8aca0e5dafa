/* SPDX-License-Identifier: MIT */
/*
 * What a rule's options come to for one request: as whom, which mode, which links. What depends on
 * what is found on the disk is said as what must be found there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

#define CREATING (POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_BIND))
#define OPENING                                                                                    \
	(POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) |          \
		POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_CREDENTIAL))

/* What the words are made from. */
struct wording {
	FILE *out;
	const struct policy_options *options;
	const struct rule *rule;
	const struct explained_peer *peer;
	const struct request *request;
};

static void write_principal(const struct wording *wording, const struct principal *principal)
{
	const char *name;

	if (principal->name == NONE) {
		(void)fprintf(wording->out, "%u", principal->id);
		return;
	}
	name = wording->peer->set->names.items[principal->name].name;
	(void)fputs(text_quote(name, strlen(name)).text, wording->out);
}

static void write_as(const struct wording *wording)
{
	struct policy_user user;

	switch ((enum policy_as)wording->options->as) {
	case POLICY_AS_BROKER:
		(void)fputs("the broker", wording->out);
		break;
	case POLICY_AS_PEER:
		(void)fputs("the asker", wording->out);
		break;
	case POLICY_AS_USER:
		policy_image_user(wording->peer->image, wording->options->as_user, &user);
		(void)fputs("user ", wording->out);
		write_principal(wording, &wording->rule->as);
		(void)fprintf(wording->out, " (uid %u)", user.uid);
		break;
	}
}

static void write_owner(const struct wording *wording)
{
	const struct rule *rule = wording->rule;
	const struct policy_options *options = wording->options;

	(void)fputs(", owner ", wording->out);
	if (!rule->has_owner) {
		write_as(wording);
		return;
	}
	write_principal(wording, &rule->owner);
	if (rule->has_owner_group) {
		(void)fputc(':', wording->out);
		write_principal(wording, &rule->owner_group);
	}
	(void)fprintf(wording->out, " (%u", options->uid);
	if (options->gid != POLICY_OWNER_DEFAULT)
		(void)fprintf(wording->out, ":%u", options->gid);
	(void)fputc(')', wording->out);
}

static void write_new(const struct wording *wording)
{
	const struct policy_options *options = wording->options;
	bool is_socket = (wording->request->verbs & POLICY_BIT(POLICY_BIND)) != 0;

	if ((wording->request->verbs & CREATING) == 0)
		return;
	(void)fprintf(wording->out, "; a new %s gets mode %04o", is_socket ? "socket" : "file",
		options->mode);
	if (!is_socket && (options->types & POLICY_TYPE_DIRECTORY) != 0)
		(void)fprintf(wording->out, ", a directory %04o", options->directory_mode);
	write_owner(wording);
}

static void write_types(const struct wording *wording)
{
	static const struct {
		uint8_t type;
		const char *name;
	} types[] = {
		{POLICY_TYPE_FILE, "regular file"},
		{POLICY_TYPE_DIRECTORY, "directory"},
		{POLICY_TYPE_DEVICE, "character device"},
		{POLICY_TYPE_BLOCK, "block device"},
		{POLICY_TYPE_FIFO, "fifo"},
	};
	const char *separator = "; must be: a ";

	if ((wording->request->verbs & OPENING) == 0)
		return;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((wording->options->types & types[i].type) == 0)
			continue;
		(void)fprintf(wording->out, "%s%s", separator, types[i].name);
		separator = " or a ";
	}
	(void)fputs(", which nobody unprivileged could have placed there", wording->out);
	if (wording->options->copy_max != 0)
		(void)fprintf(wording->out, "; handed out as a sealed copy, of at most %u bytes",
			wording->options->copy_max);
}

static void write_path(const struct wording *wording)
{
	(void)fputs((wording->request->verbs & OPENING) != 0 ? "opened as: " : "done as: ",
		wording->out);
	write_as(wording);
	write_types(wording);
	write_new(wording);
	(void)fprintf(wording->out, "; links: %s",
		wording->options->symlinks == POLICY_SYMLINKS_NONE
			? "none is followed"
			: "followed where only root could have placed them");
	if (wording->request->kind == REQUEST_CREDENTIAL)
		(void)fputs("; this version of fdbrokerd does not hand out credentials yet",
			wording->out);
}

static void write_with(const struct wording *wording)
{
	static const char *const names[] = {"freebind", "transparent", "reuseport", "v6only"};
	const struct policy_options *options = wording->options;
	const char *separator = "set before: ";

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((options->with & 1u << i) == 0)
			continue;
		(void)fprintf(wording->out, "%s%s", separator, names[i]);
		separator = ", ";
	}
	if (options->device != NULL)
		(void)fprintf(wording->out, "%sdevice=%s", separator, options->device);
	if (options->with != 0 || options->device != NULL)
		(void)fputs("; ", wording->out);
}

static void write_endpoint(const struct wording *wording)
{
	static const char *const namespaces[] = {
		[POLICY_NETNS_BROKER] = "the broker's",
		[POLICY_NETNS_PEER] = "the asker's",
		[POLICY_NETNS_ANY] = "any",
	};

	write_with(wording);
	(void)fprintf(wording->out, "network namespace: %s", namespaces[wording->options->netns]);
}

void explain_limits(const struct explained_peer *peer,
	struct explained_amount amounts[static EXPLAINED_AMOUNTS])
{
	struct policy_quota quota = policy_peer_quota(peer->image, peer->peer);

	amounts[0] = (struct explained_amount){"sessions", "", quota.sessions};
	amounts[1] = (struct explained_amount){"requests", "/s", quota.requests};
	amounts[2] = (struct explained_amount){"unread", "", quota.unread};
}

char *explain_options(const struct explanation *explanation, const struct explained_peer *peer,
	const struct request *request)
{
	static const char *const logs[] = {[POLICY_LOG_ALL] = "all",
		[POLICY_LOG_DENIED] = "denied",
		[POLICY_LOG_NONE] = "none"};
	struct wording wording = {.options = &explanation->decision.options,
		.rule = &peer->set->rules.items[explanation->decision.rule],
		.peer = peer,
		.request = request};
	char *text = NULL;
	size_t length;

	wording.out = open_memstream(&text, &length);
	if (wording.out == NULL)
		return NULL;
	if (request->kind == REQUEST_ENDPOINT)
		write_endpoint(&wording);
	else
		write_path(&wording);
	(void)fprintf(wording.out, "; log: %s", logs[wording.options->log]);
	if (fclose(wording.out) == 0)
		return text;
	free(text);
	return NULL;
}
