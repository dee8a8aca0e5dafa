/* SPDX-License-Identifier: MIT */
/*
 * Does operations on files, and prints in full what came of each: the result, the errno, every
 * field of a struct stat, the text of a link, the names in a folder, and what has changed in a tree
 * of files. Started as root, it acts, or connects to the broker, as a user:
 *
 *	paths direct USER TREE		with the system calls
 *	paths brokered USER TREE	with the functions of the library, and prints the same; the
 *					library's reason too where the errno is not the kernel's
 *	paths reasons USER		always with the reason
 *	paths often USER FILE [N]	each operation again and again until FILE exists and each was
 *					done N times (1000); then removes FILE, and prints what came
 *					of each how often, in brief
 *
 * Each line of the standard input is one of
 *
 *	open FLAGS PATH | stat PATH | lstat PATH | access MODE PATH | readlink SIZE PATH
 *	mkdir PATH | unlink PATH | rmdir PATH | rename PATH PATH | list PATH | watch MASK PATH
 *	copy PATH	as `open O_RDONLY`, but for what is different in a copy
 *	events MASK PATH	as watch, and then the first event that comes within 10 seconds
 *	many FLAGS PATH [FLAGS PATH]...		fdbroker_open_many()
 *	cd PATH		for the paths that are relative
 *	descriptors	how many are open
 *	room N		for so many more, RLIMIT_NOFILE
 *
 * or empty. In a path, "@N" are N letters, and "#N" so many "/." that the path becomes N bytes long. After
 * "=>" stands what the broker answers differently on purpose; then nothing is compared with what
 * the system call does, but that answer has to be exactly this one, and nothing may have changed.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "paths.h"
#include "words.h"

#define LINE_BYTES 16384
#define LINES_MAX 64
#define OUTCOMES_MAX 64
#define NAMES_MAX 4096

/* One line, taken apart. */
struct operation {
	const char *name;
	int number;
	char path[2 * LINE_BYTES], new_path[2 * LINE_BYTES];
	const char *differs; /* NULL: it does not */
};

static const struct way *way;
static bool is_brief, is_explained;

/* What came of the last operation. */
static char said[65536];
static size_t said_length;

/* ---- words ---- */

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(said + said_length, sizeof(said) - said_length, format, arguments);
	va_end(arguments);
	said_length += (size_t)length;
	if (said_length >= sizeof(said))
		errx(1, "too much to say");
}

/*
 * Does the reason stand for an errno that the system call would have given as well? Of too many
 * links the broker says why, and the kernel's errno.
 */
static bool is_kernels(enum fdbroker_reason reason, int error)
{
	return reason == FDBROKER_REASON_KERNEL || reason == FDBROKER_REASON_LOCAL ||
	       (reason == FDBROKER_REASON_SYMLINK && error == ELOOP);
}

static void say_failure(void)
{
	const int error = errno;
	const enum fdbroker_reason reason = fdbroker_last_reason();

	say("%s", strerrorname_np(error) != NULL ? strerrorname_np(error) : "?");
	if (way == &way_brokered && (is_explained || !is_kernels(reason, error)))
		say(" %s", reason_word(reason));
}

/* ---- operations ---- */

static void say_content(int fd)
{
	char text[64];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	if (length >= 0)
		say(" content=\"%.*s\"", (int)length, text);
}

/* open(2) keeps these in what F_GETFL says; they mean nothing any more. */
#define FLAGS_OF_FINDING (O_DIRECTORY | O_NOFOLLOW | O_LARGEFILE | 0100000)

static void say_opened(const struct operation *operation, bool is_copy)
{
	int fd = way->open(operation->path, operation->number);
	struct stat status;

	if (fd < 0) {
		say_failure();
		return;
	}
	if (fstat(fd, &status) < 0)
		err(1, "fstat");
	say("ok size=%llu", (unsigned long long)status.st_size);
	if (!is_copy)
		say(" mode=%o owner=%u:%u flags=%#o at=%lld", status.st_mode, status.st_uid,
			status.st_gid, (unsigned int)(fcntl(fd, F_GETFL) & ~FLAGS_OF_FINDING),
			(long long)lseek(fd, 0, SEEK_CUR));
	if (S_ISREG(status.st_mode))
		say_content(fd);
	close(fd);
}

static void do_open(const struct operation *operation)
{
	say_opened(operation, false);
}

static void do_copy(const struct operation *operation)
{
	say_opened(operation, true);
}

static void say_time(const char *name, const struct timespec *time)
{
	say(" %s=%lld.%09ld", name, (long long)time->tv_sec, time->tv_nsec);
}

static void say_status(int result, const struct stat *status)
{
	if (result < 0) {
		say_failure();
		return;
	}
	say("ok ino=%llu mode=%o owner=%u:%u", (unsigned long long)status->st_ino, status->st_mode,
		status->st_uid, status->st_gid);
	if (is_brief)
		return;
	say(" dev=%u:%u nlink=%llu rdev=%u:%u size=%lld blksize=%lld blocks=%lld",
		major(status->st_dev), minor(status->st_dev), (unsigned long long)status->st_nlink,
		major(status->st_rdev), minor(status->st_rdev), (long long)status->st_size,
		(long long)status->st_blksize, (long long)status->st_blocks);
	say_time("atime", &status->st_atim);
	say_time("mtime", &status->st_mtim);
	say_time("ctime", &status->st_ctim);
}

static void do_stat(const struct operation *operation)
{
	struct stat status;

	say_status(way->stat(operation->path, &status), &status);
}

static void do_lstat(const struct operation *operation)
{
	struct stat status;

	say_status(way->lstat(operation->path, &status), &status);
}

static void say_result(int result)
{
	if (result < 0)
		say_failure();
	else
		say("ok %d", result);
}

static void do_access(const struct operation *operation)
{
	say_result(way->access(operation->path, operation->number));
}

static void do_readlink(const struct operation *operation)
{
	char text[8192];
	ssize_t length = way->readlink(operation->path, text, (size_t)operation->number);

	if (length < 0)
		say_failure();
	else
		say("ok %zd \"%.*s\"", length, (int)length, text);
}

static void do_mkdir(const struct operation *operation)
{
	say_result(way->mkdir(operation->path));
}

static void do_unlink(const struct operation *operation)
{
	say_result(way->unlink(operation->path));
}

static void do_rmdir(const struct operation *operation)
{
	say_result(way->rmdir(operation->path));
}

static void do_rename(const struct operation *operation)
{
	say_result(way->rename(operation->path, operation->new_path));
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int compare_names(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void do_list(const struct operation *operation)
{
	static char text[65536];
	const char *names[NAMES_MAX];
	size_t length = 0, count = 0;
	ssize_t got;
	int fd = way->list(operation->path);

	if (fd < 0) {
		say_failure();
		return;
	}
	while ((got = read(fd, text + length, sizeof(text) - length)) > 0)
		length += (size_t)got;
	for (size_t at = 0; at < length && count < NAMES_MAX; at += strlen(text + at) + 1)
		names[count++] = text + at;
	qsort(names, count, sizeof(names[0]), compare_names);
	say(way == &way_direct || (fcntl(fd, F_GET_SEALS) & ALL_SEALS) == ALL_SEALS
			? "ok"
			: "ok, not sealed:");
	for (size_t i = 0; i < count; i++)
		say(" %s", names[i]);
	close(fd);
}

/* What the kernel says of an inotify instance: proc(5), fdinfo. */
static void say_watches(int inotify)
{
	char name[64], line[256];
	FILE *info;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", inotify);
	info = fopen(name, "re");
	if (info == NULL)
		err(1, "%s", name);
	while (fgets(line, sizeof(line), info) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "inotify ", 8) == 0)
			say(" %s", line);
	}
	fclose(info);
}

static void do_watch(const struct operation *operation)
{
	int inotify = inotify_init1(IN_CLOEXEC);
	int watch;

	if (inotify < 0)
		err(1, "inotify");
	watch = way->watch(inotify, operation->path, (unsigned int)operation->number);
	say_result(watch);
	say_watches(inotify);
	close(inotify);
}

static void do_events(const struct operation *operation)
{
	union {
		struct inotify_event event;
		char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
	} next = {0};
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd ready = {.fd = inotify, .events = POLLIN};

	if (way->watch(inotify, operation->path, (unsigned int)operation->number) < 0)
		say_failure();
	else if (poll(&ready, 1, 10000) == 1 && read(inotify, next.bytes, sizeof(next)) > 0)
		say("ok mask=%#x name=\"%.*s\"", next.event.mask, (int)next.event.len,
			next.event.name);
	else
		say("no event");
	close(inotify);
}

static void do_many(const struct operation *operation)
{
	struct fdbroker_open_request requests[LINES_MAX] = {0};
	char *rest = strdup(operation->path);
	size_t count = 0;
	int opened;

	for (char *words = rest; words != NULL && count < LINES_MAX; count++) {
		requests[count].flags = number_from(strsep(&words, " ")) | O_CLOEXEC;
		requests[count].path = words != NULL ? strsep(&words, " ") : "";
	}
	opened = fdbroker_open_many(broker, requests, count);
	say("%d", opened);
	for (size_t i = 0; i < count; i++) {
		say(",");
		if (requests[i].fd >= 0)
			say_content(requests[i].fd);
		else
			say(" %s %s", strerrorname_np(requests[i].error),
				reason_word(requests[i].reason));
		if (requests[i].fd >= 0)
			close(requests[i].fd);
	}
	free(rest);
}

static void do_cd(const struct operation *operation)
{
	say_result(chdir(operation->path));
}

static void do_descriptors(const struct operation *operation)
{
	int count = 0;

	(void)operation;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	say("%d", count);
}

static void do_room(const struct operation *operation)
{
	struct rlimit limit;
	int first = 0;

	while (fcntl(first, F_GETFD) >= 0)
		first++;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "RLIMIT_NOFILE");
	limit.rlim_cur = (rlim_t)(first + operation->number);
	say_result(setrlimit(RLIMIT_NOFILE, &limit));
}

static const struct {
	const char *name;
	void (*run)(const struct operation *operation);
	bool has_number;
	int paths;
} operations[] = {
	{"open", do_open, true, 1},
	{"copy", do_copy, false, 1},
	{"stat", do_stat, false, 1},
	{"lstat", do_lstat, false, 1},
	{"access", do_access, true, 1},
	{"readlink", do_readlink, true, 1},
	{"mkdir", do_mkdir, false, 1},
	{"unlink", do_unlink, false, 1},
	{"rmdir", do_rmdir, false, 1},
	{"rename", do_rename, false, 2},
	{"list", do_list, false, 1},
	{"watch", do_watch, true, 1},
	{"events", do_events, true, 1},
	{"many", do_many, false, 1},
	{"cd", do_cd, false, 1},
	{"descriptors", do_descriptors, false, 0},
	{"room", do_room, true, 0},
};

/* ---- lines ---- */

/* "@255" becomes letters; "#4095" as many "/." as make the path that long. */
static void expand(const char *text, char path[2 * LINE_BYTES])
{
	size_t length = 0, count, rest;
	char *end;

	for (; *text != '\0'; text++) {
		if ((*text != '@' && *text != '#') || !isdigit((unsigned char)text[1])) {
			path[length++] = *text;
			continue;
		}
		count = strtoul(text + 1, &end, 10);
		rest = strlen(end);
		if (*text == '@')
			memset(path + length, 'x', count);
		else
			count -= length + rest;
		for (size_t i = 0; *text == '#' && i < count; i++)
			path[length + i] = i % 2 == 0 ? '/' : '.';
		length += count;
		text = end - 1;
	}
	path[length] = '\0';
}

static const char *next_word(char **rest)
{
	const char *word = strsep(rest, " ");

	return word != NULL ? word : "";
}

/* Takes a line apart, and returns which of the operations it is. The line is cut to pieces. */
static size_t operation_from(char *line, struct operation *operation)
{
	char *mark = strstr(line, " => "), *rest = line;
	size_t i = 0;

	operation->differs = NULL;
	if (mark != NULL) {
		*mark = '\0';
		operation->differs = mark + 4;
	}
	operation->name = next_word(&rest);
	while (i < sizeof(operations) / sizeof(operations[0]) &&
		strcmp(operations[i].name, operation->name) != 0)
		i++;
	if (i == sizeof(operations) / sizeof(operations[0]))
		errx(64, "no such operation: %s", operation->name);
	operation->number = operations[i].has_number ? number_from(next_word(&rest)) : 0;
	if (operations[i].run == do_many)
		snprintf(operation->path, sizeof(operation->path), "%s", rest);
	else
		expand(operations[i].paths > 0 ? next_word(&rest) : "", operation->path);
	expand(operations[i].paths > 1 ? next_word(&rest) : "", operation->new_path);
	return i;
}

/* What came of it is in `said`. */
static void run(size_t index, const struct operation *operation)
{
	said_length = 0;
	said[0] = '\0';
	errno = 0;
	operations[index].run(operation);
}

/* ---- who acts ---- */

static uid_t user;

/* With 0 as the saved id, so that it can be root again in between. */
static void become(const char *name)
{
	const struct passwd *account = getpwnam(name);

	if (account == NULL)
		errx(64, "no such user: %s", name);
	user = account->pw_uid;
	if (initgroups(name, account->pw_gid) < 0 ||
		setresgid(account->pw_gid, account->pw_gid, 0) < 0 || setresuid(user, user, 0) < 0)
		err(1, "%s", name);
}

static void look_as_root(struct tree *tree, const char *root)
{
	if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0)
		err(1, "root");
	tree_look(tree, root);
	if (setresuid((uid_t)-1, user, (uid_t)-1) < 0)
		err(1, "user");
}

/* ---- each line once ---- */

/* A difference on purpose reads the same on both sides, if it is the one that is meant. */
static void print_outcome(const char *line, const struct operation *operation)
{
	bool is_as_said = operation->differs != NULL &&
			  (way == &way_direct || strcmp(said, operation->differs) == 0);

	printf("%s: %s\n", line, is_as_said ? "differs on purpose" : said);
}

static void run_line(char *line, const char *root)
{
	static struct operation operation;
	struct tree before = {0}, after = {0};
	char *whole = strdup(line);
	size_t index = operation_from(line, &operation);
	bool hides = way == &way_direct && operation.differs != NULL;

	if (root != NULL)
		look_as_root(&before, root);
	run(index, &operation);
	if (root != NULL)
		look_as_root(&after, root);
	print_outcome(whole, &operation);
	if (!hides)
		tree_print_changes(&before, &after);
	tree_free(&before);
	tree_free(&after);
	free(whole);
}

static void run_lines(const char *root)
{
	static char line[LINE_BYTES];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			run_line(line, root);
		fflush(stdout);
	}
}

/* ---- each line often ---- */

struct tally {
	char line[256];
	struct {
		char *said;
		unsigned long count;
	} outcomes[OUTCOMES_MAX];
};

static void tally_add(struct tally *tally)
{
	size_t i = 0;

	while (i < OUTCOMES_MAX && tally->outcomes[i].said != NULL &&
		strcmp(tally->outcomes[i].said, said) != 0)
		i++;
	if (i == OUTCOMES_MAX)
		errx(1, "%s: too many outcomes", tally->line);
	if (tally->outcomes[i].said == NULL)
		tally->outcomes[i].said = strdup(said);
	tally->outcomes[i].count++;
}

static void tally_print(const struct tally *tally)
{
	for (size_t i = 0; i < OUTCOMES_MAX && tally->outcomes[i].said != NULL; i++)
		printf("%s: %s (%lu times)\n", tally->line, tally->outcomes[i].said,
			tally->outcomes[i].count);
}

static void run_often(const char *file, unsigned long times)
{
	static struct tally tallies[LINES_MAX];
	static struct operation operation;
	char line[256];
	size_t count = 0;

	while (count < LINES_MAX && fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			memcpy(tallies[count++].line, line, sizeof(line));
	}
	for (unsigned long i = 0; i < times || access(file, F_OK) != 0; i++) {
		for (size_t j = 0; j < count; j++) {
			memcpy(line, tallies[j].line, sizeof(line));
			run(operation_from(line, &operation), &operation);
			tally_add(&tallies[j]);
		}
	}
	unlink(file);
	for (size_t j = 0; j < count; j++)
		tally_print(&tallies[j]);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";

	is_brief = strcmp(mode, "often") == 0;
	is_explained = is_brief || strcmp(mode, "reasons") == 0;
	if (argc < (is_explained && !is_brief ? 3 : 4))
		errx(64, "usage: paths direct|brokered|reasons|often USER TREE|FILE [N]");
	way = strcmp(mode, "direct") == 0 ? &way_direct : &way_brokered;
	umask(0022);
	become(argv[2]);
	if (way == &way_brokered && (broker = fdbroker_new(NULL)) == NULL)
		err(1, "fdbroker_new");
	if (is_brief)
		run_often(argv[3], argc > 4 ? strtoul(argv[4], NULL, 10) : 1000);
	else
		run_lines(argc > 3 ? argv[3] : NULL);
	return 0;
}
