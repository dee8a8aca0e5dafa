/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <unistd.h>

static int compare_numbers(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

void descriptors_keep(int *kept, size_t count)
{
	int next = STDERR_FILENO + 1;

	qsort(kept, count, sizeof(*kept), compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < next)
			continue;
		if (kept[i] > next)
			(void)close_range((unsigned int)next, (unsigned int)kept[i] - 1, 0);
		next = kept[i] + 1;
	}
	(void)close_range((unsigned int)next, ~0u, 0);
}

void descriptors_leave_standard(int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= last; fd++)
		(void)dup2(null, fd);
	if (null > last)
		close(null);
}
