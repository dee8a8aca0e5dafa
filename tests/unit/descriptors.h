/* SPDX-License-Identifier: MIT */
/* Counting this process's open descriptors, before and after; for cmocka tests. */
#pragma once

#include <dirent.h>

/* As many as there are entries in /proc/self/fd, the listing's own among them: for comparing. */
static inline int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}
