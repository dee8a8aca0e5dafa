/* SPDX-License-Identifier: MIT */
/*
 * What a rule's options come to for one request: as whom, which mode, which links. What depends on
 * what is found on the disk is said as what must be found there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "language.h"

/* Under these a descriptor is handed out, or what one would read. */
#define OPENING                                                                                    \
	(POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) |          \
		POLICY_BIT(POLICY_CREDENTIAL))

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

/* A type that the rule does not have cannot be made either. */
static void write_new_file(const struct wording *wording)
{
	const struct policy_options *options = wording->options;
	const char *separator = "; a new ";

	if ((options->types & POLICY_TYPE_FILE) != 0) {
		(void)fprintf(wording->out, "%sfile gets mode %04o", separator, options->mode);
		separator = ", a new ";
	}
	if ((options->types & POLICY_TYPE_DIRECTORY) != 0)
		(void)fprintf(wording->out, "%sdirectory gets mode %04o", separator,
			options->directory_mode);
	if ((options->types & (POLICY_TYPE_FILE | POLICY_TYPE_DIRECTORY)) != 0)
		write_owner(wording);
}

static void write_new(const struct wording *wording)
{
	if ((wording->request->verbs & POLICY_BIT(POLICY_CREATE)) != 0) {
		write_new_file(wording);
	} else if ((wording->request->verbs & POLICY_BIT(POLICY_BIND)) != 0) {
		(void)fprintf(
			wording->out, "; a new socket gets mode %04o", wording->options->mode);
		write_owner(wording);
	}
}

/* Could a user have placed it: WHAT USERS COULD HAVE PLACED in fdbroker.policy(5). */
static void write_placed(const struct wording *wording)
{
	if (wording->options->as == POLICY_AS_BROKER) {
		(void)fputs(", which nobody unprivileged could have placed there", wording->out);
		return;
	}
	(void)fputs(", which nobody but root and ", wording->out);
	write_as(wording);
	(void)fputs(" could have placed there", wording->out);
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
	write_placed(wording);
	if (wording->options->copy_max != 0)
		(void)fprintf(wording->out, "; handed out as a sealed copy, of at most %u bytes",
			wording->options->copy_max);
}

static void write_links(const struct wording *wording)
{
	if (wording->options->symlinks == POLICY_SYMLINKS_NONE) {
		(void)fputs("; links: none is followed", wording->out);
		return;
	}
	(void)fputs("; links: followed where only root could have placed them", wording->out);
	if (request_is_about_name(wording->request))
		(void)fputs(", but not at the end of the path", wording->out);
	else if (wording->request->verbs == POLICY_BIT(POLICY_STAT))
		(void)fputs(", but by lstat and readlink not at the end of the path", wording->out);
}

static void write_path(const struct wording *wording)
{
	(void)fputs((wording->request->verbs & OPENING) != 0 ? "opened as: " : "done as: ",
		wording->out);
	write_as(wording);
	write_types(wording);
	write_new(wording);
	write_links(wording);
	if (wording->request->kind == REQUEST_CREDENTIAL)
		(void)fputs("; this version of fdbrokerd does not hand out credentials yet",
			wording->out);
}

static void write_with(const struct wording *wording)
{
	const struct policy_options *options = wording->options;
	const char *separator = "set before: ";

	for (unsigned int i = 0; i < WITH_WORDS; i++) {
		if ((options->with & with_words[i].bit) == 0)
			continue;
		(void)fprintf(wording->out, "%s%s", separator, with_words[i].name);
		separator = ", ";
	}
	if (options->device != NULL)
		(void)fprintf(wording->out, "%sdevice=%s", separator, options->device);
	if (options->with != 0 || options->device != NULL)
		(void)fputs("; ", wording->out);
}

/* What the name alone does not tell, and what the kernel asks besides. */
static void write_conditions(const struct wording *wording)
{
	const struct policy_endpoint *endpoint = &wording->request->endpoint;
	bool is_host = endpoint->kind == POLICY_TCP || endpoint->kind == POLICY_UDP ||
		       endpoint->kind == POLICY_HOST;

	if (is_host && endpoint->name_length > 0)
		(void)fputs("; of its addresses: none that a deny is about, and a loopback, "
			    "link-local or other special one only with a rule by address",
			wording->out);
	if (endpoint->kind == POLICY_ICMP || endpoint->kind == POLICY_ICMP6)
		(void)fputs("; needs: a group of the broker in net.ipv4.ping_group_range "
			    "(icmp(7))",
			wording->out);
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
	write_conditions(wording);
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
	(void)fprintf(wording.out, "; log: %s", log_words[wording.options->log]);
	if (fclose(wording.out) == 0)
		return text;
	free(text);
	return NULL;
}
