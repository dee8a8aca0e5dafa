/* SPDX-License-Identifier: MIT */
/*
 * Links are followed whoever placed them: where the broker would refuse one, it comes to a denial
 * all the same, and what is found here is only ever used to deny.
 *
 * Must never: open anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "links.h"

/* The folder's links are followed, the name in it is taken as it is. */
static bool follow_folder(const char *path, char real[static PATH_MAX])
{
	char folder[PATH_MAX];
	const char *name = strrchr(path, '/') + 1;
	size_t length = (size_t)(name - path), used;

	memcpy(folder, path, length);
	folder[length] = '\0';
	if (realpath(folder, real) == NULL)
		return false;
	used = strcmp(real, "/") == 0 ? 0 : strlen(real);
	return snprintf(real + used, PATH_MAX - used, "/%s", name) < (int)(PATH_MAX - used);
}

bool links_follow(const struct request *request, char real[static PATH_MAX])
{
	char path[PATH_MAX];
	struct stat status;

	if (request->length >= sizeof(path))
		return false;
	memcpy(path, request->path, request->length);
	path[request->length] = '\0';
	if (request_is_about_name(request))
		return follow_folder(path, real);
	if (realpath(path, real) != NULL)
		return true;
	/* What is not there yet may be made; a link that leads nowhere may lead anywhere later. */
	return errno == ENOENT && lstat(path, &status) < 0 && errno == ENOENT &&
	       follow_folder(path, real);
}
