/* SPDX-License-Identifier: MIT */
/*
 * What `as` may do is what the user may do: acting PEER USER COUNT SEED, as root. COUNT random
 * objects in random folders below /srv/ground, one after the other: random owners, groups, modes
 * and access control lists, sticky folders, root's own, links, what is not there. On each of them
 * everything that can be asked for is done twice, on the same ground: by a plain process of USER,
 * with the system call, and for a client of PEER, with the function of the library that stands for
 * it, under a rule that says to act as USER.
 *
 * What the broker grants the plain process must be able to do, and to the same end. What the broker
 * refuses in the kernel's name the kernel refuses, with that errno. What the broker refuses in its
 * own name must be one of the reasons that are documented.
 *
 * Prints how often each came to pass; the status is 1 if anything was wrong.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fdbroker.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GROUND "/srv/ground"
#define DEPTH_MAX 3
/* What the rule gives to what is created. */
#define RULE_MODE 0640
#define WRONG_MAX 20

/* ---- random ground ---- */

static uint64_t random_state;

/* SplitMix64: the same ground for the same seed everywhere. */
static unsigned int random_below(unsigned int bound)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned int)((z ^ (z >> 31)) % bound);
}

struct rights {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool has_list; /* an access control list, with an entry for the user */
	uint16_t permitted;
};

struct place {
	unsigned int depth;
	struct rights folders[DEPTH_MAX];
	struct rights object;
	char type;          /* f d l - */
	const char *target; /* of a link */
};

static const struct passwd *user;
static gid_t supplementary;

static struct rights random_rights(const mode_t *modes, unsigned int count)
{
	const uid_t uids[] = {
		0, 0, user->pw_uid, user->pw_uid, user->pw_uid, user->pw_uid, user->pw_uid + 1};
	const gid_t gids[] = {0, user->pw_gid, supplementary, user->pw_gid + 1};

	return (struct rights){.uid = uids[random_below(COUNT(uids))],
		.gid = gids[random_below(COUNT(gids))],
		.mode = modes[random_below(count)],
		.has_list = random_below(8) == 0,
		.permitted = (uint16_t)random_below(8)};
}

static struct place random_place(void)
{
	static const mode_t folder_modes[] = {0755, 0755, 0755, 0755, 0700, 0750, 0711, 0710, 0775,
		0777, 01777, 01775, 02755, 02775, 0500, 0311, 0555, 0000, 0755, 0755, 0755, 0755};
	static const mode_t modes[] = {
		0644, 0600, 0640, 0660, 0666, 0400, 0200, 0220, 0040, 0004, 0000, 0755, 0700, 0777};
	static const char *const targets[] = {"beside", "nothing", "..", GROUND "/file", "object"};
	struct place place = {.depth = random_below(DEPTH_MAX) + 1,
		.type = "fffffddl-"[random_below(9)],
		.target = targets[random_below(COUNT(targets))]};

	for (unsigned int i = 0; i < place.depth; i++)
		place.folders[i] = random_rights(folder_modes, COUNT(folder_modes));
	place.object = random_rights(modes, COUNT(modes));
	return place;
}

static void check(int result, const char *what)
{
	if (result < 0)
		err(2, "%s", what);
}

/* As acl(5) has it in an extended attribute: version, then tag, permissions and id of each. */
static void give_list(const char *path, const struct rights *rights)
{
	const struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} list = {2,
		{{0x01, rights->mode >> 6 & 7, UINT32_MAX}, {0x02, rights->permitted, user->pw_uid},
			{0x04, rights->mode >> 3 & 7, UINT32_MAX}, {0x10, 7, UINT32_MAX},
			{0x20, rights->mode & 7, UINT32_MAX}}};

	/* Where there are none, there is one thing less to try. */
	if (setxattr(path, "system.posix_acl_access", &list, sizeof(list), 0) < 0 &&
		errno != EOPNOTSUPP)
		err(2, "access control list of %s", path);
}

static void give(const char *path, const struct rights *rights)
{
	check(lchown(path, rights->uid, rights->gid), path);
	check(chmod(path, rights->mode), path);
	if (rights->has_list)
		give_list(path, rights);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	check(fd, path);
	if (write(fd, "content", 7) != 7)
		err(2, "%s", path);
	close(fd);
}

static void make_object(const struct place *place, const char *path)
{
	if (place->type == 'f')
		make_file(path);
	else if (place->type == 'd')
		check(mkdir(path, 0700), path);
	else if (place->type == 'l')
		check(symlink(place->target, path), path);
	if (place->type == 'l')
		check(lchown(path, place->object.uid, place->object.gid), path);
	else if (place->type != '-')
		give(path, &place->object);
}

static int remove_it(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

static void clear_ground(void)
{
	if (nftw(GROUND, remove_it, 8, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		err(2, "cannot clear the ground");
}

/* Everything is what it was. Names: GROUND/folder/.../folder/object. */
static void make_place(const struct place *place, char *object)
{
	static const struct rights neighbour = {.mode = 0644};
	char folder[PATH_MAX], beside[PATH_MAX + 8], *end = folder + sprintf(folder, "%s", GROUND);

	clear_ground();
	check(mkdir(GROUND, 0755), GROUND);
	make_file(GROUND "/file");
	check(chmod(GROUND "/file", 0644), "file");
	for (unsigned int i = 0; i < place->depth; i++) {
		end += sprintf(end, "/folder");
		check(mkdir(folder, 0700), folder);
	}
	memcpy(stpcpy(object, folder), "/object", sizeof("/object"));
	make_object(place, object);
	snprintf(beside, sizeof(beside), "%s/beside", folder);
	make_file(beside);
	give(beside, &neighbour);
	for (unsigned int i = place->depth; i-- > 0;) {
		give(folder, &place->folders[i]);
		*strrchr(folder, '/') = '\0';
	}
}

/* ---- what is done ---- */

struct outcome {
	int error; /* 0: done */
	enum fdbroker_reason reason;
	char seen[200]; /* what was done, or found */
};

static struct fdbroker *broker; /* NULL: directly */
static int inotify;

static void __attribute__((format(printf, 2, 3)))
see(struct outcome *outcome, const char *format, ...)
{
	size_t length = strlen(outcome->seen);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(outcome->seen + length, sizeof(outcome->seen) - length, format, arguments);
	va_end(arguments);
}

static void see_status(struct outcome *outcome, const struct stat *status)
{
	see(outcome, "%ju %o %u:%u %jd %ju ", (uintmax_t)status->st_ino, status->st_mode,
		status->st_uid, status->st_gid, (intmax_t)status->st_size,
		(uintmax_t)status->st_nlink);
}

static void see_descriptor(struct outcome *outcome, int fd)
{
	struct stat status;

	check(fstat(fd, &status), "fstat");
	see(outcome, "%o %u:%u flags %o", status.st_mode, status.st_uid, status.st_gid,
		(unsigned int)fcntl(fd, F_GETFL));
}

static int do_open(const char *path, int flags, struct outcome *outcome)
{
	int fd = broker != NULL ? fdbroker_open(broker, path, flags | O_CLOEXEC, 0)
				: open(path, flags | O_CLOEXEC, RULE_MODE);

	if (fd < 0)
		return -1;
	see_descriptor(outcome, fd);
	close(fd);
	return 0;
}

static int open_read(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_open(path, O_RDONLY, outcome);
}

static int open_write(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_open(path, O_WRONLY, outcome);
}

static int open_both(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_open(path, O_RDWR, outcome);
}

static int open_append(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_open(path, O_WRONLY | O_APPEND, outcome);
}

static int open_truncate(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_open(path, O_WRONLY | O_TRUNC, outcome);
}

static int open_create(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_open(path, O_RDWR | O_CREAT, outcome);
}

static int create_new(const char *path, const char *other, struct outcome *outcome)
{
	(void)path;
	return do_open(other, O_WRONLY | O_CREAT | O_EXCL, outcome);
}

static int do_stat(const char *path, const char *other, struct outcome *outcome)
{
	struct stat status;

	(void)other;
	if ((broker != NULL ? fdbroker_stat(broker, path, &status) : stat(path, &status)) < 0)
		return -1;
	see_status(outcome, &status);
	return 0;
}

static int do_lstat(const char *path, const char *other, struct outcome *outcome)
{
	struct stat status;

	(void)other;
	if ((broker != NULL ? fdbroker_lstat(broker, path, &status) : lstat(path, &status)) < 0)
		return -1;
	see_status(outcome, &status);
	return 0;
}

static int access_read(const char *path, const char *other, struct outcome *outcome)
{
	(void)other, (void)outcome;
	return broker != NULL ? fdbroker_access(broker, path, R_OK) : access(path, R_OK);
}

static int access_write(const char *path, const char *other, struct outcome *outcome)
{
	(void)other, (void)outcome;
	return broker != NULL ? fdbroker_access(broker, path, W_OK) : access(path, W_OK);
}

static int do_readlink(const char *path, const char *other, struct outcome *outcome)
{
	char text[64];
	ssize_t length = broker != NULL ? fdbroker_readlink(broker, path, text, sizeof(text))
					: readlink(path, text, sizeof(text));

	(void)other;
	see(outcome, "%.*s", (int)length, text);
	return length < 0 ? -1 : 0;
}

/* A sum: they come in no order. */
static int list_directly(const char *path, size_t *names)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (folder == NULL)
		return -1;
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			*names += strlen(entry->d_name) + 1;
	closedir(folder);
	return 0;
}

static int do_list(const char *path, const char *other, struct outcome *outcome)
{
	size_t names = 0;
	int fd;

	(void)other;
	if (broker == NULL) {
		if (list_directly(path, &names) < 0)
			return -1;
	} else {
		fd = fdbroker_list(broker, path);
		if (fd < 0)
			return -1;
		names = (size_t)lseek(fd, 0, SEEK_END);
		close(fd);
	}
	see(outcome, "%zu bytes of names", names);
	return 0;
}

static int list_folder(const char *path, const char *other, struct outcome *outcome)
{
	char folder[PATH_MAX];

	(void)other;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	return do_list(folder, NULL, outcome);
}

static int do_watch(const char *path, const char *other, struct outcome *outcome)
{
	const uint32_t mask = IN_DELETE_SELF | IN_MOVE_SELF;
	int watch = broker != NULL ? fdbroker_watch(broker, inotify, path, mask)
				   : inotify_add_watch(inotify, path, mask);

	(void)other, (void)outcome;
	return watch < 0 ? -1 : inotify_rm_watch(inotify, watch);
}

static int do_unlink(const char *path, const char *other, struct outcome *outcome)
{
	(void)other, (void)outcome;
	return broker != NULL ? fdbroker_unlink(broker, path) : unlink(path);
}

static int do_rmdir(const char *path, const char *other, struct outcome *outcome)
{
	(void)other, (void)outcome;
	return broker != NULL ? fdbroker_rmdir(broker, path) : rmdir(path);
}

static int do_mkdir(const char *path, const char *other, struct outcome *outcome)
{
	(void)path, (void)outcome;
	return broker != NULL ? fdbroker_mkdir(broker, other, 0) : mkdir(other, RULE_MODE);
}

static int mkdir_there(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_mkdir(NULL, path, outcome);
}

static int do_rename(const char *path, const char *other, struct outcome *outcome)
{
	(void)outcome;
	return broker != NULL ? fdbroker_rename(broker, path, other) : rename(path, other);
}

static int rename_over(const char *path, const char *other, struct outcome *outcome)
{
	char beside[PATH_MAX + 8];

	(void)other;
	snprintf(beside, sizeof(beside), "%.*s/beside", (int)(strrchr(path, '/') - path), path);
	return do_rename(path, beside, outcome);
}

static int rename_away(const char *path, const char *other, struct outcome *outcome)
{
	(void)other;
	return do_rename(path, GROUND "/folder/elsewhere", outcome);
}

static const struct deed {
	const char *name;
	int (*run)(const char *path, const char *other, struct outcome *outcome);
	bool changes; /* what is there */
} deeds[] = {
	{"open to read", open_read, false},
	{"open to write", open_write, false},
	{"open to read and write", open_both, false},
	{"open to append", open_append, false},
	{"open to truncate", open_truncate, true},
	{"open to create", open_create, true},
	{"create", create_new, true},
	{"stat", do_stat, false},
	{"lstat", do_lstat, false},
	{"access to read", access_read, false},
	{"access to write", access_write, false},
	{"readlink", do_readlink, false},
	{"list", do_list, false},
	{"list of the folder", list_folder, false},
	{"watch", do_watch, false},
	{"unlink", do_unlink, true},
	{"rmdir", do_rmdir, true},
	{"mkdir", do_mkdir, true},
	{"mkdir over it", mkdir_there, true},
	{"rename", do_rename, true},
	{"rename over another", rename_over, true},
	{"rename away", rename_away, true},
};

/* ---- the two who do it ---- */

static void become(const char *name)
{
	const struct passwd *entry = getpwnam(name);

	if (entry == NULL)
		errx(2, "no user %s", name);
	check(initgroups(name, entry->pw_gid), "initgroups");
	check(setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid), "setresgid");
	check(setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid), "setresuid");
}

struct order {
	size_t deed;
	char path[PATH_MAX], other[PATH_MAX + 8];
};

static void obey(int channel)
{
	static struct order order;

	umask(0);
	inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	while (recv(channel, &order, sizeof(order), 0) == (ssize_t)sizeof(order)) {
		struct outcome outcome = {.error = 0};

		if (deeds[order.deed].run(order.path, order.other, &outcome) < 0) {
			outcome.error = errno;
			outcome.reason = fdbroker_last_reason();
		}
		if (send(channel, &outcome, sizeof(outcome), 0) < 0)
			break;
	}
	_exit(0);
}

/* Returns the channel to a process of that user. */
static int start(const char *name, bool is_brokered)
{
	int ends[2];
	pid_t pid;

	check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
	pid = fork();
	check(pid, "fork");
	if (pid == 0) {
		close(ends[0]);
		become(name);
		broker = is_brokered ? fdbroker_new(NULL) : NULL;
		if (is_brokered && broker == NULL)
			err(2, "no broker");
		obey(ends[1]);
	}
	close(ends[1]);
	return ends[0];
}

static struct outcome command(int channel, const struct order *order)
{
	struct outcome outcome;

	if (send(channel, order, sizeof(*order), 0) < 0 ||
		recv(channel, &outcome, sizeof(outcome), 0) != (ssize_t)sizeof(outcome))
		errx(2, "%s %s: no outcome", deeds[order->deed].name, order->path);
	return outcome;
}

/* ---- judging ---- */

static struct {
	unsigned int granted, kernel, placement, symlink, type, policy, wrong;
} counted;

static void describe(const struct place *place, const struct rights *rights, const char *what)
{
	(void)place;
	fprintf(stderr, "    %s: %u:%u %o", what, rights->uid, rights->gid, rights->mode);
	if (rights->has_list)
		fprintf(stderr, ", list %o", rights->permitted);
	fputc('\n', stderr);
}

static void complain(const struct place *place, const struct order *order,
	const struct outcome *direct, const struct outcome *brokered, const char *why)
{
	if (++counted.wrong > WRONG_MAX)
		return;
	fprintf(stderr, "%s of %s: %s\n    directly: %s (%s)\n    as: %s, reason %d (%s)\n",
		deeds[order->deed].name, order->path, why, strerrorname_np(direct->error),
		direct->seen, strerrorname_np(brokered->error), brokered->reason, brokered->seen);
	for (unsigned int i = 0; i < place->depth; i++)
		describe(place, &place->folders[i], "folder");
	describe(place, &place->object, (char[2]){place->type, '\0'});
	if (place->type == 'l')
		fprintf(stderr, "    to %s\n", place->target);
}

static unsigned int *count_of_reason(enum fdbroker_reason reason)
{
	switch (reason) {
	case FDBROKER_REASON_PLACEMENT:
		return &counted.placement;
	case FDBROKER_REASON_SYMLINK:
		return &counted.symlink;
	case FDBROKER_REASON_TYPE:
		return &counted.type;
	case FDBROKER_REASON_POLICY:
		return &counted.policy;
	default:
		return NULL;
	}
}

/* What went wrong, or NULL. */
static const char *judge(const struct outcome *direct, const struct outcome *brokered)
{
	unsigned int *count = count_of_reason(brokered->reason);

	if (brokered->error == 0) {
		counted.granted++;
		if (direct->error != 0)
			return "granted, and the user cannot do it";
		return strcmp(direct->seen, brokered->seen) != 0 ? "not the same" : NULL;
	}
	if (brokered->reason == FDBROKER_REASON_KERNEL) {
		counted.kernel++;
		return direct->error != brokered->error ? "not the kernel's errno" : NULL;
	}
	if (count == NULL)
		return "no documented reason";
	++*count;
	return NULL;
}

/* What a change has left must be the same, but for the numbers of inodes. */
static void see_what_is_left(struct outcome *outcome, const struct order *order)
{
	const char *const paths[] = {order->path, order->other, GROUND "/folder/elsewhere"};
	struct stat status;

	if (outcome->error != 0)
		return;
	for (size_t i = 0; i < COUNT(paths); i++) {
		if (lstat(paths[i], &status) < 0)
			see(outcome, " -");
		else
			see(outcome, " %o %u:%u", status.st_mode, status.st_uid, status.st_gid);
	}
}

/* What is new has the user's own group here; in a set-group-ID folder a plain process's has not. */
static bool is_of_another_group(const struct place *place)
{
	return (place->folders[place->depth - 1].mode & S_ISGID) != 0;
}

static void try(const struct place *place, size_t deed, int plain, int client)
{
	static struct order order;
	struct outcome direct, brokered;
	const char *why;

	order.deed = deed;
	/* What changes nothing is done where it was done before, so that inodes are the same. */
	if (deed == 0 || deeds[deed].changes || deeds[deed - 1].changes)
		make_place(place, order.path);
	snprintf(order.other, sizeof(order.other), "%.*s/other",
		(int)(strrchr(order.path, '/') - order.path), order.path);
	direct = command(plain, &order);
	if (deeds[deed].changes) {
		see_what_is_left(&direct, &order);
		make_place(place, order.path);
	}
	brokered = command(client, &order);
	if (deeds[deed].changes)
		see_what_is_left(&brokered, &order);
	if (deeds[deed].changes && is_of_another_group(place))
		direct.seen[0] = brokered.seen[0] = '\0';
	why = judge(&direct, &brokered);
	if (why != NULL)
		complain(place, &order, &direct, &brokered, why);
}

int main(int argc, char **argv)
{
	int plain, client;

	if (argc != 5)
		errx(64, "usage: acting PEER USER COUNT SEED");
	user = getpwnam(argv[2]);
	supplementary = getgrnam("staff")->gr_gid;
	random_state = strtoull(argv[4], NULL, 10);
	umask(0);
	plain = start(argv[2], false);
	client = start(argv[1], true);
	for (unsigned long i = 0; i < strtoul(argv[3], NULL, 10); i++) {
		const struct place place = random_place();

		for (size_t deed = 0; deed < COUNT(deeds); deed++)
			try(&place, deed, plain, client);
	}
	printf("granted=%u kernel=%u placement=%u symlink=%u type=%u policy=%u wrong=%u\n",
		counted.granted, counted.kernel, counted.placement, counted.symlink, counted.type,
		counted.policy, counted.wrong);
	return counted.wrong != 0;
}
