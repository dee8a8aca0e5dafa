/* SPDX-License-Identifier: MIT */
/*
 * A block is for a unit and its user, or for a user alone: never for more than what asked, as far as
 * it can be told when it asks again.
 */
#include "asker.h"

#include <string.h>

#include "policy.h"
#include "write.h"

/* The users that systemd makes for a service with DynamicUser= (systemd.exec(5)). */
#define DYNAMIC_UID_MIN 61184u
#define DYNAMIC_UID_MAX 65519u

/* A name that can be nothing else in a rule: digits would be an id, or a range of them. */
static bool user_is_plain(const char *user)
{
	static const char accepted[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$";

	return user != NULL && strspn(user, accepted) == strlen(user) &&
	       strcspn(user, "0123456789-") > 0 && strlen(user) <= POLICY_NAME_MAX;
}

/* While its service does not run, it has no name, and may be another when it runs again. */
static bool user_is_dynamic(const struct asker *asker)
{
	return asker->uid >= DYNAMIC_UID_MIN && asker->uid <= DYNAMIC_UID_MAX &&
	       (asker->user == NULL || asker->is_made_up);
}

/* The unit is enough, and the user would be too much. */
static bool unit_is_enough(const struct asker *asker)
{
	return asker->unit != NULL && user_is_dynamic(asker) &&
	       !policy_unit_is_shared(asker->unit, strlen(asker->unit));
}

void asker_from(const struct asker *asker, FILE *out)
{
	fputs("\tfrom ", out);
	if (asker->unit != NULL) {
		fputs(" unit ", out);
		policy_write_unit(asker->unit, strlen(asker->unit), out);
	}
	if (!unit_is_enough(asker)) {
		if (user_is_plain(asker->user) && asker->user_uid == asker->uid)
			fprintf(out, " user %s", asker->user);
		else
			fprintf(out, " user %u", asker->uid);
	}
	fputc('\n', out);
}

void asker_name(const struct asker *asker, char name[static POLICY_CLIENT_NAME_MAX + 1])
{
	static const char accepted[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@_-";
	const size_t most = POLICY_CLIENT_NAME_MAX + 1;
	size_t kept = 0;

	if (asker->unit != NULL)
		snprintf(name, most, "suggested-%s", asker->unit);
	else if (asker->user != NULL)
		snprintf(name, most, "suggested-%s", asker->user);
	else
		snprintf(name, most, "suggested-%u", asker->uid);
	for (size_t i = 0; name[i] != '\0'; i++) {
		if (strchr(accepted, name[i]) != NULL)
			name[kept++] = name[i];
	}
	name[kept] = '\0';
}
