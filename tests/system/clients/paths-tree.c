/* SPDX-License-Identifier: MIT */
/* What the program `paths` sees of a tree of files, before and after an operation. */
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "paths.h"

#define DESCRIPTORS_MAX 16

/* nftw(3) has no argument for its function. */
static struct tree *looked_at;

/* The content, or the target of a link: enough of it to tell one from another. */
static void content_of(const char *path, const struct stat *status, char *text, size_t size)
{
	ssize_t length = 0;
	int fd;

	if (S_ISLNK(status->st_mode)) {
		length = readlink(path, text, size - 1);
	} else if (S_ISREG(status->st_mode)) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0) {
			length = read(fd, text, size - 1);
			close(fd);
		}
	}
	text[length > 0 ? length : 0] = '\0';
}

static int look(const char *path, const struct stat *status, int type, struct FTW *place)
{
	struct tree *tree = looked_at;
	char content[33];

	(void)type, (void)place;
	content_of(path, status, content, sizeof(content));
	tree->lines = reallocarray(tree->lines, tree->count + 1, sizeof(*tree->lines));
	if (tree->lines == NULL ||
		asprintf(&tree->lines[tree->count++], "%s mode=%o owner=%u:%u links=%u \"%s\"",
			path, status->st_mode, status->st_uid, status->st_gid,
			(unsigned int)status->st_nlink, content) < 0)
		err(1, "memory");
	return 0;
}

static int compare_lines(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

void tree_look(struct tree *tree, const char *root)
{
	*tree = (struct tree){NULL, 0};
	looked_at = tree;
	if (nftw(root, look, DESCRIPTORS_MAX, FTW_PHYS) != 0)
		err(1, "%s", root);
	qsort(tree->lines, tree->count, sizeof(*tree->lines), compare_lines);
}

void tree_print_changes(const struct tree *before, const struct tree *after)
{
	size_t i = 0, j = 0;

	while (i < before->count || j < after->count) {
		int order = i == before->count  ? 1
			    : j == after->count ? -1
						: strcmp(before->lines[i], after->lines[j]);

		if (order < 0)
			printf("    - %s\n", before->lines[i]);
		else if (order > 0)
			printf("    + %s\n", after->lines[j]);
		i += order <= 0;
		j += order >= 0;
	}
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->lines[i]);
	free(tree->lines);
}
