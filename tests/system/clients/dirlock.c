/* SPDX-License-Identifier: MIT */
/*
 * Holds the lock of a folder that it may only read: dirlock FOLDER FILE reads the folder into
 * memory that is to come from a file that never answers. As long as it hangs nobody can make,
 * rename or remove anything in the folder, whoever it is (getdents64(2), iterate_dir() in
 * fs/readdir.c).
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BYTES 4096

int main(int argc, char **argv)
{
	int folder, file;
	void *memory;

	if (argc != 3)
		errx(64, "usage: dirlock FOLDER FILE");
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		err(1, "%s", argv[1]);
	file = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		err(1, "%s", argv[2]);
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	printf("reading\n");
	fflush(stdout);
	(void)syscall(SYS_getdents64, folder, memory, BYTES);
	return 0;
}
