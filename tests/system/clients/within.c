/* SPDX-License-Identifier: MIT */
/*
 * Becomes a program under the Landlock rules of `fdbroker run --sandbox`, and under nothing else of
 * it: within [-r DIR]... [-w DIR]... PROGRAM ARGS...
 */
#include "confinement.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char **readable = calloc((size_t)argc, sizeof(char *));
	char **writable = calloc((size_t)argc, sizeof(char *));
	struct confinement_wishes wishes = {.readable = readable, .writable = writable};
	int next = 1, confinement;

	for (; next + 2 < argc && argv[next][0] == '-'; next += 2) {
		if (strcmp(argv[next], "-r") == 0)
			readable[wishes.readable_count++] = argv[next + 1];
		else
			writable[wishes.writable_count++] = argv[next + 1];
	}
	if (next >= argc)
		errx(64, "usage: %s [-r DIR]... [-w DIR]... PROGRAM ARGS...", argv[0]);
	wishes.program = argv[next];
	confinement = confinement_make(&wishes);
	if (confinement < 0)
		return 125;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !confinement_enter(confinement))
		err(125, "confinement");
	execvp(argv[next], argv + next);
	err(errno == ENOENT ? 127 : 126, "%s", argv[next]);
}
