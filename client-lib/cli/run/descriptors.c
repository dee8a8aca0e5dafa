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

/* From first to last, both included. */
static bool close_all(unsigned int first, unsigned int last)
{
	return first > last || close_range(first, last, 0) == 0;
}

bool descriptors_keep(int *kept, size_t count)
{
	unsigned int next = STDERR_FILENO + 1;

	qsort(kept, count, sizeof(*kept), compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < (int)next)
			continue;
		if (!close_all(next, (unsigned int)kept[i] - 1))
			return false;
		next = (unsigned int)kept[i] + 1;
	}
	return close_all(next, ~0u);
}

void descriptors_leave_standard(int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= last; fd++)
		(void)dup2(null, fd);
	if (null > last)
		close(null);
}
