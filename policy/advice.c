/* SPDX-License-Identifier: MIT */
/*
 * What is said of a rule on ground that is not safe, and what to do about it: as the broker refuses
 * there (broker/operations/walk.c), so it is put into words.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "advice.h"

void advise_home(const struct object *object, struct advice *advice)
{
	(void)snprintf(advice->message, sizeof(advice->message),
		"%%h is the client's own folder: it can place anything there");
	(void)snprintf(advice->remedy, sizeof(advice->remedy), "%s",
		object->kind == OBJECT_PATH
			? "only the client's own files are served there, and nothing is made or "
			  "removed: add 'as peer'"
			: "it is refused there: choose a folder that only root can write to");
}

/* Who can place things in the folder. Whose it is on a mount that is not trusted, nobody knows. */
static void advise_message(const struct unsafe_folder *folder, char *message, size_t size)
{
	const struct quoted quoted = text_quote(folder->path, strlen(folder->path));
	const struct quoted user = text_quote(folder->owner, strlen(folder->owner));

	if ((folder->mode & S_IWOTH) != 0)
		(void)snprintf(message, size,
			"'%s' may be written to by everyone (mode %04o): any user can place things "
			"there",
			quoted.text, folder->mode & 07777u);
	else if ((folder->mode & S_IWGRP) != 0)
		(void)snprintf(message, size,
			"'%s' may be written to by a group (mode %04o): its users can place things "
			"there",
			quoted.text, folder->mode & 07777u);
	else if (folder->distrust == DISTRUST_MOUNT)
		(void)snprintf(message, size,
			"'%s' is not on a trusted mount (FUSE, network, FAT, removable)",
			quoted.text);
	else
		(void)snprintf(message, size,
			"'%s' belongs to user '%s', who can place things there", quoted.text,
			user.text);
}

static void advise_remedy(
	const struct object *object, const struct unsafe_folder *folder, char *remedy, size_t size)
{
	const struct quoted user = text_quote(folder->owner, strlen(folder->owner));

	if (object->kind != OBJECT_PATH)
		(void)snprintf(remedy, size,
			"it is refused there: choose a folder that only root can write to");
	else if ((folder->mode & (S_IWGRP | S_IWOTH)) != 0)
		(void)snprintf(remedy, size,
			"all is refused there, with 'as' too: choose a folder that only its owner "
			"can write to");
	else if (folder->is_one_of_many)
		(void)snprintf(remedy, size,
			"only its owner's files are served there, and nothing is made or removed: "
			"add 'as peer', and each client has its own");
	else if (folder->distrust == DISTRUST_MOUNT)
		(void)snprintf(remedy, size,
			"only its owner's files are served there, and nothing is made or removed: "
			"choose a local file system, or add 'as' and the owner");
	else
		(void)snprintf(remedy, size,
			"only files of '%s' are served there, and nothing is made or removed: add "
			"'as %s' or 'as peer'",
			user.text, user.text);
}

void advise_folder(
	const struct object *object, const struct unsafe_folder *folder, struct advice *advice)
{
	advise_message(folder, advice->message, sizeof(advice->message));
	advise_remedy(object, folder, advice->remedy, sizeof(advice->remedy));
}
