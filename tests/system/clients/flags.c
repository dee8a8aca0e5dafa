/* SPDX-License-Identifier: MIT */
/*
 * Opens files by the broker with every bit of the flags of open(2), in every access mode, alone and
 * with those that change what the policy is asked for, and compares what comes of it with the table
 * in the manual: flags TABLE FOLDER, where TABLE is the source of fdbroker-protocol(7). FOLDER has
 * folders whose names are the verbs that are granted in them, with a "+" between, and each has a
 * `file` and a `link` to it. Prints what is not as the table says.
 *
 * Must never: know by itself what the table says.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdbroker.h"
#include "words.h"

/* Both sides of glibc's: O_SYNC and O_TMPFILE have bits of other flags too. */
#define SYNC_ALONE (O_SYNC & ~O_DSYNC)
#define TMPFILE_ALONE (O_TMPFILE & ~O_DIRECTORY)
#if defined(__x86_64__)
#define LARGEFILE 0100000 /* the kernel's; glibc's is 0 */
#else
#define LARGEFILE O_LARGEFILE
#endif

#define ROWS_MAX 32
#define OUTCOME_BYTES 128

static const struct {
	const char *name;
	unsigned int value;
} known[] = {
	{"O_APPEND", O_APPEND},
	{"O_ASYNC", O_ASYNC},
	{"O_CLOEXEC", O_CLOEXEC},
	{"O_CREAT", O_CREAT},
	{"O_DIRECT", O_DIRECT},
	{"O_DIRECTORY", O_DIRECTORY},
	{"O_DSYNC", O_DSYNC},
	{"O_EXCL", O_EXCL},
	{"O_LARGEFILE", LARGEFILE},
	{"O_NOATIME", O_NOATIME},
	{"O_NOCTTY", O_NOCTTY},
	{"O_NOFOLLOW", O_NOFOLLOW},
	{"O_NONBLOCK", O_NONBLOCK},
	{"O_PATH", O_PATH},
	{"O_RDONLY", O_RDONLY},
	{"O_RDWR", O_RDWR},
	{"O_SYNC", SYNC_ALONE},
	{"O_TMPFILE", TMPFILE_ALONE},
	{"O_TRUNC", O_TRUNC},
	{"O_WRONLY", O_WRONLY},
};

/* One line of the table. */
struct row {
	char flag[32], verbs[64], fate[64], not_with[32];
};

static struct row rows[ROWS_MAX];
static size_t row_count;
static struct fdbroker *broker;
static unsigned long wrong, done;

/* ---- the table ---- */

/* A cell without what makes it bold. */
static void take_cell(char *cell, size_t size, const char *line)
{
	size_t length = 0;

	for (line += 3; *line != '\0' && *line != '\n' && length + 1 < size; line++) {
		if (*line != '*')
			cell[length++] = *line;
	}
	cell[length] = '\0';
}

static struct row *next_row(void)
{
	if (row_count == ROWS_MAX)
		errx(1, "too many flags");
	return &rows[row_count++];
}

/* Each cell has a line; what is before the first row names the columns. */
static void read_rows(FILE *file)
{
	struct row *row = NULL;
	char line[256];
	int cell = 0;

	while (fgets(line, sizeof(line), file) != NULL && line[0] != '\n') {
		if (line[0] == '|') {
			row = next_row();
			take_cell(row->flag, sizeof(row->flag), line);
			cell = 0;
		} else if (row != NULL && cell == 0) {
			take_cell(row->verbs, sizeof(row->verbs), line);
			cell++;
		} else if (row != NULL && cell == 1) {
			take_cell(row->fate, sizeof(row->fate), line);
			cell++;
		} else if (row != NULL) {
			take_cell(row->not_with, sizeof(row->not_with), line);
		}
	}
}

static void read_table(const char *path)
{
	char line[256];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL && strcmp(line, "[[ *flag*\n") != 0)
		continue;
	read_rows(file);
	fclose(file);
	if (row_count == 0)
		errx(1, "%s: there is no table of flags", path);
}

/* Which bits a row is about. */
static unsigned int row_value(const struct row *row)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, row->flag) == 0)
			return known[i].value;
	}
	errx(1, "the table has an unknown flag: %s", row->flag);
}

static const struct row *row_named(const char *name)
{
	for (size_t i = 0; i < row_count; i++) {
		if (strcmp(rows[i].flag, name) == 0)
			return &rows[i];
	}
	errx(1, "the table does not have: %s", name);
}

static const struct row *row_of_bit(unsigned int bit)
{
	for (size_t i = 0; i < row_count; i++) {
		if (strncmp(rows[i].flag, "O_", 2) == 0 && row_value(&rows[i]) == bit)
			return &rows[i];
	}
	return row_named("any other bit");
}

/* NULL: both bits of the access mode. */
static const struct row *row_of_mode(unsigned int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return row_named("O_RDONLY");
	case O_WRONLY:
		return row_named("O_WRONLY");
	case O_RDWR:
		return row_named("O_RDWR");
	default:
		return NULL;
	}
}

static bool has_word(const char *text, const char *word)
{
	const char *found = strstr(text, word);
	size_t length = strlen(word);

	return found != NULL && (found == text || strchr(" +", found[-1]) != NULL) &&
	       strchr(" +,", found[length]) != NULL;
}

/* ---- what the table says of one request ---- */

struct request {
	const char *granted; /* verbs, with + between them */
	const char *name;    /* file, link, or of what is not there */
	unsigned int flags;
};

static bool is_there(const struct request *request)
{
	return strcmp(request->name, "file") == 0 || strcmp(request->name, "link") == 0;
}

static bool has_flag(const struct request *request, const struct row *row)
{
	if (row == row_of_mode(request->flags))
		return true;
	return (row_value(row) & ~(unsigned int)O_ACCMODE & request->flags) != 0;
}

static bool row_refuses(const struct request *request, const struct row *row)
{
	return strcmp(row->fate, "refused") == 0 ||
	       (strcmp(row->not_with, "-") != 0 && has_flag(request, row_named(row->not_with)));
}

static bool is_refused(const struct request *request)
{
	const struct row *mode = row_of_mode(request->flags);

	if (mode == NULL || row_refuses(request, mode))
		return true;
	for (unsigned int bit = 4; bit != 0; bit <<= 1) {
		if ((request->flags & bit) != 0 && row_refuses(request, row_of_bit(bit)))
			return true;
	}
	return false;
}

/* Is a verb of this row needed? "append for write" takes the place of another. */
static bool row_needs(const struct request *request, const struct row *row, const char *verb)
{
	if (strcmp(row->verbs, "create, if nothing is there") == 0)
		return strcmp(verb, "create") == 0 && !is_there(request);
	if (strcmp(row->verbs, "append for write") == 0)
		return false;
	return has_word(row->verbs, verb);
}

static bool needs(const struct request *request, const char *verb)
{
	if (row_needs(request, row_of_mode(request->flags), verb))
		return true;
	for (unsigned int bit = 4; bit != 0; bit <<= 1) {
		if ((request->flags & bit) != 0 && row_needs(request, row_of_bit(bit), verb))
			return true;
	}
	return false;
}

static bool is_granted(const struct request *request)
{
	const bool appends = (request->flags & O_APPEND) != 0 && (request->flags & O_TRUNC) == 0 &&
			     strcmp(row_named("O_APPEND")->verbs, "append for write") == 0;
	const bool writes = has_word(request->granted, "write");

	if (needs(request, "read") && !has_word(request->granted, "read"))
		return false;
	if (needs(request, "create") && !has_word(request->granted, "create"))
		return false;
	if (needs(request, "write") && appends)
		return writes || has_word(request->granted, "append");
	return !needs(request, "write") || writes;
}

static bool is_heeded(const struct request *request, const char *name)
{
	const struct row *row = row_named(name);

	return strncmp(row->fate, "heeded", 6) == 0 && has_flag(request, row);
}

/* open(2), for a request that is granted. */
static const char *open_says(const struct request *request)
{
	const bool creates = is_heeded(request, "O_CREAT");

	if (!is_there(request))
		return creates ? "ok" : "ENOENT kernel";
	if (creates && is_heeded(request, "O_EXCL"))
		return "EEXIST kernel";
	if (is_heeded(request, "O_DIRECTORY"))
		return "ENOTDIR kernel";
	if (strcmp(request->name, "link") == 0 && is_heeded(request, "O_NOFOLLOW"))
		return "ELOOP kernel";
	return "ok";
}

/* What F_GETFL says after success, and FD_CLOEXEC, which the library sees to; and the size. */
static void expect(const struct request *request, char outcome[OUTCOME_BYTES])
{
	const char *says = open_says(request);
	unsigned int passed = request->flags & O_ACCMODE;

	if (is_refused(request)) {
		snprintf(outcome, OUTCOME_BYTES, "EINVAL flags");
		return;
	}
	if (!is_granted(request) || strcmp(says, "ok") != 0) {
		snprintf(
			outcome, OUTCOME_BYTES, "%s", is_granted(request) ? says : "EACCES policy");
		return;
	}
	for (unsigned int bit = 4; bit != 0; bit <<= 1) {
		if ((request->flags & bit) != 0 && strcmp(row_of_bit(bit)->fate, "passed on") == 0)
			passed |= bit;
	}
	/* The kernel adds O_DSYNC to the other bit of O_SYNC: build_open_flags() in fs/open.c. */
	if ((passed & SYNC_ALONE) != 0)
		passed |= O_DSYNC;
	snprintf(outcome, OUTCOME_BYTES, "ok flags=%#o cloexec=%d size=%d",
		passed & ~(unsigned int)O_TRUNC, (request->flags & O_CLOEXEC) != 0,
		is_there(request) && (passed & O_TRUNC) == 0 ? 4 : 0);
}

/* ---- what comes of it ---- */

/* A file that was truncated is filled again. */
static void fill(int fd)
{
	if (fcntl(fd, F_SETFL, 0) < 0 || write(fd, "text", 4) != 4)
		err(1, "write");
}

static void ask(const struct request *request, char outcome[OUTCOME_BYTES])
{
	struct stat status;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", request->granted, request->name);
	fd = fdbroker_open(broker, path, (int)request->flags, 0600);
	if (fd < 0) {
		snprintf(outcome, OUTCOME_BYTES, "%s %s", strerrorname_np(errno),
			reason_word(fdbroker_last_reason()));
		return;
	}
	if (fstat(fd, &status) < 0)
		err(1, "fstat");
	snprintf(outcome, OUTCOME_BYTES, "ok flags=%#o cloexec=%d size=%lld",
		(unsigned int)fcntl(fd, F_GETFL) & ~(unsigned int)LARGEFILE,
		(fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, (long long)status.st_size);
	if (status.st_size == 0 && is_there(request))
		fill(fd);
	close(fd);
}

static void compare(const struct request *request)
{
	char expected[OUTCOME_BYTES], actual[OUTCOME_BYTES];

	expect(request, expected);
	ask(request, actual);
	done++;
	if (strcmp(expected, actual) == 0)
		return;
	printf("%s %s flags %#o: %s, but by the table %s\n", request->granted, request->name,
		request->flags, actual, expected);
	wrong++;
}

/* ---- all of them ---- */

static void compare_flags(const char *granted, unsigned int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "missing%lu", done);
	compare(&(struct request){granted, "file", flags});
	compare(&(struct request){granted, "link", flags});
	compare(&(struct request){granted, name, flags});
}

static void compare_all(const char *granted)
{
	static const unsigned int deciding[] = {O_CREAT, O_TRUNC, O_APPEND};

	for (unsigned int mode = 0; mode <= O_ACCMODE; mode++) {
		for (unsigned int set = 0; set < 8; set++) {
			unsigned int flags = mode;

			for (unsigned int i = 0; i < 3; i++)
				flags |= (set & 1u << i) != 0 ? deciding[i] : 0;
			compare_flags(granted, flags);
			for (unsigned int bit = 4; bit != 0; bit <<= 1)
				compare_flags(granted, flags | bit);
		}
	}
}

int main(int argc, char **argv)
{
	DIR *folder;

	if (argc != 3)
		errx(64, "usage: flags TABLE FOLDER");
	read_table(argv[1]);
	broker = fdbroker_new(NULL);
	folder = opendir(argv[2]);
	if (broker == NULL || folder == NULL || chdir(argv[2]) < 0)
		err(1, "%s", argv[2]);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] != '.')
			compare_all(entry->d_name);
	}
	closedir(folder);
	fdbroker_free(broker);
	printf("%lu of %lu are not as the table says\n", wrong, done);
	return wrong == 0 && done > 0 ? 0 : 1;
}
