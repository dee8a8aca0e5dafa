/* SPDX-License-Identifier: MIT */
/*
 * "Did you mean": for each name that does not exist, the nearest one that does, out of all that the
 * name service and the kernel can list.
 *
 * Must never matter: a name service that lists nothing, or fails, leaves the names without a guess.
 * Must never run where policy_load_names() must not.
 */
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "language.h"
#include "load.h"

/* Nobody reads more guesses than this, and each is compared with everything there is. */
#define NEAR_NAMES_MAX 64u
/* A directory server may list the users of a whole university. */
#define NEAR_CANDIDATES_MAX 65536u

/* The unknown names of one kind, or of several that the same list is for. */
struct search {
	struct policy_name *names[NEAR_NAMES_MAX];
	size_t count;
	size_t candidates; /* so far */
	int error;
};

/* Looks whether it is nearer than what was found before. False: that is enough. */
static bool search_offer(struct search *search, const char *candidate)
{
	for (size_t i = 0; i < search->count; i++) {
		struct policy_name *name = search->names[i];
		const char *words[] = {name->near != NULL ? name->near : candidate, candidate};
		char *copy;

		if (word_find_near(name->name, strlen(name->name), words, 2) != candidate)
			continue;
		copy = strdup(candidate);
		if (copy == NULL) {
			search->error = -ENOMEM;
			return false;
		}
		free(name->near);
		name->near = copy;
	}
	return ++search->candidates < NEAR_CANDIDATES_MAX;
}

static void offer_users(struct search *search)
{
	const struct passwd *user;

	setpwent();
	do
		user = getpwent();
	while (user != NULL && search_offer(search, user->pw_name));
	endpwent();
}

/* What follows `as` may be a word of the language too. */
static void offer_accounts(struct search *search)
{
	if (search_offer(search, "peer"))
		offer_users(search);
}

static void offer_groups(struct search *search)
{
	const struct group *group;

	setgrent();
	do
		group = getgrent();
	while (group != NULL && search_offer(search, group->gr_name));
	endgrent();
}

static void offer_services(struct search *search, const char *protocol)
{
	const struct servent *service;

	setservent(1);
	do
		service = getservent();
	while (service != NULL &&
		(strcmp(service->s_proto, protocol) != 0 || search_offer(search, service->s_name)));
	endservent();
}

static void offer_services_tcp(struct search *search)
{
	offer_services(search, "tcp");
}

static void offer_services_udp(struct search *search)
{
	offer_services(search, "udp");
}

static void offer_protocols(struct search *search)
{
	const struct protoent *protocol;

	setprotoent(1);
	do
		protocol = getprotoent();
	while (protocol != NULL && search_offer(search, protocol->p_name));
	endprotoent();
}

static void offer_interfaces(struct search *search)
{
	struct if_nameindex *interfaces = if_nameindex();

	if (interfaces == NULL)
		return;
	for (size_t i = 0; interfaces[i].if_index != 0; i++)
		if (!search_offer(search, interfaces[i].if_name))
			break;
	if_freenameindex(interfaces);
}

static void (*const offers[])(struct search *search) = {
	[POLICY_NAME_USER] = offer_users,
	[POLICY_NAME_GROUP] = offer_groups,
	[POLICY_NAME_SERVICE_TCP] = offer_services_tcp,
	[POLICY_NAME_SERVICE_UDP] = offer_services_udp,
	[POLICY_NAME_INTERFACE] = offer_interfaces,
	[POLICY_NAME_PROTOCOL] = offer_protocols,
	[POLICY_NAME_ACCOUNT] = offer_accounts,
};

/* An id in digits has no neighbours. */
static bool name_is_sought(const struct policy_name *name, size_t kind)
{
	return name->kind == kind && name->status == POLICY_NAME_UNKNOWN && name->near == NULL &&
	       name->name[strspn(name->name, "0123456789")] != '\0';
}

int policy_load_near(struct policy_name *names, size_t count)
{
	for (size_t kind = 0; kind < sizeof(offers) / sizeof(offers[0]); kind++) {
		struct search search = {.count = 0};

		for (size_t i = 0; i < count && search.count < NEAR_NAMES_MAX; i++)
			if (name_is_sought(&names[i], kind))
				search.names[search.count++] = &names[i];
		if (search.count > 0)
			offers[kind](&search);
		if (search.error < 0)
			return search.error;
	}
	return 0;
}
