/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include <stdio.h>

unsigned int setting_read(const char *file, unsigned int otherwise)
{
	FILE *stream = fopen(file, "re");
	unsigned int number;

	if (stream == NULL)
		return otherwise;
	if (fscanf(stream, "%u", &number) != 1)
		number = otherwise;
	fclose(stream);
	return number;
}
