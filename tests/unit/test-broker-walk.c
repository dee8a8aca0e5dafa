/* SPDX-License-Identifier: MIT */
/*
 * The walk from `/` to an object, in a tmpfs that each test mounts on /mnt in a mount namespace of
 * its own: so the ground is trusted, and nothing is left of it. Every test ends with as many
 * descriptors as it began with.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bounds.h"
#include "broker/operations/walk.h"
#include "descriptors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Numbers that need no name. */
#define ALICE 4711
#define BOB 4712

struct ground {
	const char *missing; /* why there is no such ground here; NULL: there is */
	struct trusted_mounts *mounts;
	struct walker walker;
	struct walk walk;
	int descriptors;
};

/* Once for all tests: the namespace. */
static int ground_find(void **state)
{
	static struct ground ground;

	*state = &ground;
	if (geteuid() != 0)
		ground.missing = "only root can make files of root";
	else if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		ground.missing = "cannot have a mount namespace here";
	return 0;
}

static int ground_mount(void **state)
{
	struct ground *ground = *state;
	struct statx status;

	if (ground->missing != NULL)
		return 0;
	if (mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755") < 0) {
		ground->missing = "cannot mount a tmpfs on /mnt";
		return 0;
	}
	ground->descriptors = count_descriptors();
	ground->walker.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ground->walker.cached = false;
	if (ground->walker.root < 0 || trusted_mounts_read(&ground->mounts) < 0 ||
		trust_statx(ground->mounts, ground->walker.root, &status) < 0)
		return -1;
	ground->walker.mounts = ground->mounts;
	ground->walk.parent = ground->walk.object = -1;
	if (!directory_is_trusted(ground->mounts, &status))
		ground->missing = "the root directory is not trusted here";
	return 0;
}

static int ground_unmount(void **state)
{
	struct ground *ground = *state;

	if (ground->mounts == NULL)
		return 0;
	walk_end(&ground->walk);
	free(ground->mounts);
	ground->mounts = NULL;
	assert_int_equal(close(ground->walker.root), 0);
	assert_int_equal(umount2("/mnt", MNT_DETACH), 0);
	assert_int_equal(count_descriptors(), ground->descriptors);
	return 0;
}

static struct ground *ground_of(void **state)
{
	struct ground *ground = *state;

	if (ground->missing != NULL) {
		print_message("skipped: %s\n", ground->missing);
		skip();
	}
	return ground;
}

static void make_folder(const char *path, uid_t uid, mode_t mode)
{
	assert_int_equal(mkdir(path, 0), 0);
	assert_int_equal(chown(path, uid, 0), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_file(const char *path, uid_t uid)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, uid, 0), 0);
	assert_int_equal(close(fd), 0);
}

static void make_link(const char *path, uid_t uid, const char *text)
{
	assert_int_equal(symlink(text, path), 0);
	assert_int_equal(lchown(path, uid, 0), 0);
}

/* As that user would, with all that the kernel has to say against it. */
static void rename_as(uid_t uid, const char *from, const char *to)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 ||
			rename(from, to) < 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static enum walk_outcome walk_by(
	struct ground *ground, const char *path, const struct walk_way *way)
{
	walk_end(&ground->walk);
	return walk_to(&ground->walker, path, strlen(path), way, &ground->walk);
}

static enum walk_outcome walk_with(
	struct ground *ground, const char *path, enum walk_links links, enum walk_final final)
{
	return walk_by(ground, path,
		&(struct walk_way){.links = links, .final = final, .as = WALK_AS_NOBODY});
}

static enum walk_outcome walk_path(struct ground *ground, const char *path)
{
	return walk_with(ground, path, WALK_LINKS_TRUSTED, WALK_FINAL_FOLLOW);
}

static void assert_error(struct ground *ground, const char *path, int error)
{
	assert_int_equal(walk_path(ground, path), WALK_ERROR);
	assert_int_equal(ground->walk.error, error);
}

static void assert_same(int fd, const char *path)
{
	struct stat held, expected;

	assert_int_equal(fstat(fd, &held), 0);
	assert_int_equal(lstat(path, &expected), 0);
	assert_int_equal(held.st_dev, expected.st_dev);
	assert_int_equal(held.st_ino, expected.st_ino);
}

/* The walk leads there, and holds that very object and its folder by O_PATH. */
static void assert_leads(struct ground *ground, const char *path, const char *to)
{
	struct walk *walk = &ground->walk;
	char parent[PATH_MAX];

	assert_int_equal(walk_path(ground, path), WALK_FOUND);
	assert_same(walk->object, to);
	assert_int_equal(fcntl(walk->object, F_GETFL) & O_PATH, O_PATH);
	assert_int_equal(fcntl(walk->object, F_GETFD), FD_CLOEXEC);
	assert_string_equal(walk->path, to);
	assert_int_equal(walk->length, strlen(to));
	assert_string_equal(walk->path + walk->name, strrchr(to, '/') + 1);
	(void)snprintf(parent, sizeof(parent), "%.*s/", (int)walk->name - 1, to);
	assert_same(walk->parent, parent);
}

/* ---- what is found, and what is not ---- */

static void a_path_without_links_is_found(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/folder", 0, 0755);
	make_file("/mnt/folder/file", 0);
	assert_leads(ground, "/mnt/folder/file", "/mnt/folder/file");
	assert_int_equal(ground->walk.links, 0);
	assert_false(ground->walk.final_link);
	assert_true(ground->walk.parent_trusted);
	assert_true(S_ISREG(ground->walk.status.stx_mode));
	assert_leads(ground, "/mnt/folder", "/mnt/folder");
	assert_leads(ground, "/mnt", "/mnt");
}

static void the_root_is_found_and_has_no_parent(void **state)
{
	struct ground *ground = ground_of(state);

	assert_int_equal(walk_path(ground, "/"), WALK_FOUND);
	assert_same(ground->walk.object, "/");
	assert_int_equal(ground->walk.parent, -1);
}

static void the_last_component_may_be_missing_and_its_folder_is_held(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/folder", 0, 0755);
	assert_int_equal(walk_path(ground, "/mnt/folder/file"), WALK_MISSING);
	assert_same(ground->walk.parent, "/mnt/folder");
	assert_int_equal(ground->walk.object, -1);
	assert_string_equal(ground->walk.path + ground->walk.name, "file");
	assert_true(ground->walk.parent_trusted);
	assert_false(ground->walk.final_link);
}

static void a_missing_folder_is_an_error(void **state)
{
	struct ground *ground = ground_of(state);

	assert_error(ground, "/mnt/folder/file", ENOENT);
	assert_error(ground, "/missing-from-the-root/mnt/file", ENOENT);
}

static void a_file_in_the_place_of_a_folder_is_an_error(void **state)
{
	struct ground *ground = ground_of(state);

	make_file("/mnt/file", 0);
	make_link("/mnt/link", 0, "file/..");
	assert_error(ground, "/mnt/file/below", ENOTDIR);
	assert_error(ground, "/mnt/link", ENOTDIR);
}

static void a_name_may_have_255_bytes_and_no_more(void **state)
{
	struct ground *ground = ground_of(state);
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/mnt/%0*d", NAME_MAX, 0);
	assert_int_equal(walk_path(ground, path), WALK_MISSING);
	make_file(path, 0);
	assert_leads(ground, path, path);
	(void)snprintf(path, sizeof(path), "/mnt/%0*d", NAME_MAX + 1, 0);
	assert_error(ground, path, ENAMETOOLONG);
	(void)snprintf(path, sizeof(path), "/mnt/%0*d/file", NAME_MAX + 1, 0);
	assert_error(ground, path, ENAMETOOLONG);
}

static void a_path_may_have_4095_bytes_and_no_more(void **state)
{
	struct ground *ground = ground_of(state);
	char path[FDBROKER_PATH_MAX + 2] = "/mnt";
	size_t length = strlen(path);

	assert_int_equal(chdir("/mnt"), 0);
	while (length + 201 < FDBROKER_PATH_MAX) {
		size_t name = length + 1;

		length += (size_t)snprintf(path + length, sizeof(path) - length, "/%0200d", 0);
		make_folder(path + name, 0, 0755);
		assert_int_equal(chdir(path + name), 0);
	}
	memset(path + length, 'x', FDBROKER_PATH_MAX + 1 - length);
	path[length] = '/';
	path[FDBROKER_PATH_MAX] = '\0';
	make_file(path + length + 1, 0);
	assert_int_equal(chdir("/"), 0);
	assert_leads(ground, path, path);
	path[FDBROKER_PATH_MAX] = 'x';
	path[FDBROKER_PATH_MAX + 1] = '\0';
	assert_error(ground, path, ENAMETOOLONG);
}

/* ---- links that are followed ---- */

/* As certbot places them. */
static void a_relative_link_of_root_is_followed(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/live", 0, 0755);
	make_folder("/mnt/live/site", 0, 0755);
	make_folder("/mnt/archive", 0, 0700);
	make_folder("/mnt/archive/site", 0, 0755);
	make_file("/mnt/archive/site/cert1.pem", 0);
	make_link("/mnt/live/site/cert.pem", 0, "../../archive/site/cert1.pem");
	assert_leads(ground, "/mnt/live/site/cert.pem", "/mnt/archive/site/cert1.pem");
	assert_int_equal(ground->walk.links, 1);
	assert_true(ground->walk.final_link);
	assert_true(ground->walk.parent_trusted);
}

static void a_link_on_the_way_is_no_final_link(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/real", 0, 0755);
	make_file("/mnt/real/file", 0);
	make_link("/mnt/alias", 0, "/mnt/real");
	assert_leads(ground, "/mnt/alias/file", "/mnt/real/file");
	assert_int_equal(ground->walk.links, 1);
	assert_false(ground->walk.final_link);
	/* "link" is the last of the path that was asked for, "alias" of no path at all. */
	make_link("/mnt/link", 0, "alias/file");
	assert_leads(ground, "/mnt/link", "/mnt/real/file");
	assert_int_equal(ground->walk.links, 2);
	assert_true(ground->walk.final_link);
}

static void a_link_may_lead_to_the_root(void **state)
{
	struct ground *ground = ground_of(state);

	make_file("/mnt/file", 0);
	make_link("/mnt/root", 0, "/");
	make_link("/mnt/up", 0, "..");
	make_link("/mnt/above", 0, "../../../..//../mnt/file");
	assert_int_equal(walk_path(ground, "/mnt/root"), WALK_FOUND);
	assert_same(ground->walk.object, "/");
	assert_string_equal(ground->walk.path, "/");
	assert_int_equal(ground->walk.length, 1);
	assert_int_equal(walk_path(ground, "/mnt/up"), WALK_FOUND);
	assert_same(ground->walk.object, "/");
	assert_leads(ground, "/mnt/root/mnt/file", "/mnt/file");
	assert_leads(ground, "/mnt/up/mnt/root/mnt/up/mnt/file", "/mnt/file");
	assert_leads(ground, "/mnt/above", "/mnt/file");
}

/* `..` is the folder that the link before it leads to, not the one it lies in. */
static void where_links_lead_the_walk_and_the_kernel_agree(void **state)
{
	static const char *const texts[] = {".", "./", "real", "real/", "./real//deep/.",
		"/mnt/real", "//mnt///real//", "real/deep/..", "real/deep/../..", "alias/..",
		"alias/../file", "alias/deeper/../../deep", "../mnt/./alias/../file",
		"/mnt/alias/deeper/.."};
	struct ground *ground = ground_of(state);

	make_folder("/mnt/real", 0, 0755);
	make_folder("/mnt/real/deep", 0, 0755);
	make_folder("/mnt/real/deep/deeper", 0, 0755);
	make_file("/mnt/real/file", 0);
	make_file("/mnt/file", 0);
	make_link("/mnt/alias", 0, "real/deep");
	for (size_t i = 0; i < COUNT(texts); i++) {
		char expected[PATH_MAX];

		make_link("/mnt/link", 0, texts[i]);
		assert_non_null(realpath("/mnt/link", expected));
		assert_leads(ground, "/mnt/link", expected);
		assert_int_equal(unlink("/mnt/link"), 0);
	}
}

static void what_a_link_leads_to_may_be_missing(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/real", 0, 0755);
	make_link("/mnt/link", 0, "real/file");
	make_link("/mnt/alias", 0, "real");
	make_link("/mnt/broken", 0, "missing/file");
	assert_int_equal(walk_path(ground, "/mnt/link"), WALK_MISSING);
	assert_true(ground->walk.final_link);
	assert_string_equal(ground->walk.path, "/mnt/real/file");
	assert_same(ground->walk.parent, "/mnt/real");
	assert_int_equal(walk_path(ground, "/mnt/alias/file"), WALK_MISSING);
	assert_false(ground->walk.final_link);
	assert_error(ground, "/mnt/broken", ENOENT);
	assert_error(ground, "/mnt/broken/file", ENOENT);
}

/* /mnt/1 leads to the file, /mnt/2 to /mnt/1, and so on. */
static void make_chain(unsigned int links)
{
	make_file("/mnt/0", 0);
	for (unsigned int i = 1; i <= links; i++) {
		char path[32], text[32];

		(void)snprintf(path, sizeof(path), "/mnt/%u", i);
		(void)snprintf(text, sizeof(text), "%u", i - 1);
		make_link(path, 0, text);
	}
}

static void eight_links_are_followed_and_no_more(void **state)
{
	struct ground *ground = ground_of(state);
	char path[32];

	make_chain(POLICY_LINKS_MAX + 1);
	(void)snprintf(path, sizeof(path), "/mnt/%u", POLICY_LINKS_MAX);
	assert_leads(ground, path, "/mnt/0");
	assert_int_equal(ground->walk.links, POLICY_LINKS_MAX);
	(void)snprintf(path, sizeof(path), "/mnt/%u", POLICY_LINKS_MAX + 1);
	assert_int_equal(walk_path(ground, path), WALK_LINK);
}

static void links_that_lead_round_in_a_circle_are_not_followed_for_ever(void **state)
{
	struct ground *ground = ground_of(state);

	make_link("/mnt/self", 0, "self");
	make_link("/mnt/a", 0, "/mnt/b");
	make_link("/mnt/b", 0, "a");
	make_link("/mnt/growing", 0, "growing/growing");
	assert_int_equal(walk_path(ground, "/mnt/self"), WALK_LINK);
	assert_int_equal(walk_path(ground, "/mnt/self/below"), WALK_LINK);
	assert_int_equal(walk_path(ground, "/mnt/a"), WALK_LINK);
	assert_int_equal(walk_path(ground, "/mnt/growing"), WALK_LINK);
}

/* The longest text that a link can have, PATH_MAX - 1, and what is left of the path behind it. */
static void a_path_that_links_make_too_long_is_an_error(void **state)
{
	struct ground *ground = ground_of(state);
	char text[FDBROKER_PATH_MAX + 1];

	for (size_t i = 0; i < FDBROKER_PATH_MAX; i++)
		text[i] = i % 2 == 0 ? '.' : '/';
	text[FDBROKER_PATH_MAX] = '\0';
	make_link("/mnt/link", 0, text);
	assert_leads(ground, "/mnt/link", "/mnt");
	assert_error(ground, "/mnt/link/file", ENAMETOOLONG);
	memset(text, 'x', FDBROKER_PATH_MAX);
	make_link("/mnt/long", 0, text);
	assert_error(ground, "/mnt/long", ENAMETOOLONG);
}

static void a_rule_may_follow_no_links_or_none_at_the_end(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/real", 0, 0755);
	make_file("/mnt/real/file", 0);
	make_link("/mnt/real/link", 0, "file");
	make_link("/mnt/alias", 0, "real");
	make_link("/mnt/both", 0, "alias/link");
	assert_int_equal(walk_with(ground, "/mnt/alias/file", WALK_LINKS_NONE, WALK_FINAL_FOLLOW),
		WALK_LINK);
	assert_int_equal(
		walk_with(ground, "/mnt/real/link", WALK_LINKS_NONE, WALK_FINAL_FOLLOW), WALK_LINK);
	assert_int_equal(walk_with(ground, "/mnt/real/file", WALK_LINKS_NONE, WALK_FINAL_FOLLOW),
		WALK_FOUND);

	assert_int_equal(walk_with(ground, "/mnt/alias/file", WALK_LINKS_TRUSTED, WALK_FINAL_HOLD),
		WALK_FOUND);
	assert_int_equal(walk_with(ground, "/mnt/alias/link", WALK_LINKS_TRUSTED, WALK_FINAL_HOLD),
		WALK_FOUND);
	assert_true(S_ISLNK(ground->walk.status.stx_mode));
	assert_int_equal(
		walk_with(ground, "/mnt/both", WALK_LINKS_TRUSTED, WALK_FINAL_HOLD), WALK_FOUND);
	assert_int_equal(ground->walk.links, 0);
	assert_true(S_ISLNK(ground->walk.status.stx_mode));
}

/* ---- links that are not ---- */

static void a_link_of_a_user_is_not_followed(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/folder", 0, 0755);
	make_file("/mnt/folder/file", 0);
	make_link("/mnt/link", ALICE, "folder/file");
	make_link("/mnt/alias", ALICE, "folder");
	make_link("/mnt/indirect", 0, "link");
	assert_int_equal(walk_path(ground, "/mnt/link"), WALK_LINK);
	assert_int_equal(walk_path(ground, "/mnt/alias/file"), WALK_LINK);
	assert_int_equal(walk_path(ground, "/mnt/indirect"), WALK_LINK);
}

static void a_link_where_others_may_write_is_not_followed(void **state)
{
	static const mode_t modes[] = {01777, 0777, 0775, 01775, 0757, 0722};
	struct ground *ground = ground_of(state);

	make_file("/mnt/file", 0);
	make_folder("/mnt/folder", 0, 0755);
	make_link("/mnt/folder/link", 0, "/mnt/file");
	make_link("/mnt/folder/alias", 0, "/mnt");
	assert_int_equal(walk_path(ground, "/mnt/folder/link"), WALK_FOUND);
	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_int_equal(chmod("/mnt/folder", modes[i]), 0);
		assert_int_equal(walk_path(ground, "/mnt/folder/link"), WALK_LINK);
		assert_int_equal(walk_path(ground, "/mnt/folder/alias/file"), WALK_LINK);
	}
}

static void a_link_of_root_that_a_user_has_moved_is_not_followed(void **state)
{
	struct ground *ground = ground_of(state);

	make_file("/mnt/file", 0);
	make_folder("/mnt/shared", 0, 0777);
	make_folder("/mnt/home", ALICE, 0755);
	make_folder("/mnt/home/sub", ALICE, 0755);
	make_link("/mnt/shared/link", 0, "/mnt/file");
	rename_as(ALICE, "/mnt/shared/link", "/mnt/home/link");
	assert_int_equal(walk_path(ground, "/mnt/home/link"), WALK_LINK);
	rename_as(ALICE, "/mnt/home/link", "/mnt/home/sub/link");
	assert_int_equal(walk_path(ground, "/mnt/home/sub/link"), WALK_LINK);
}

/* Its folder can be moved as a whole, with all that is in it. */
static void a_link_in_a_folder_of_root_below_a_users_is_not_followed(void **state)
{
	struct ground *ground = ground_of(state);

	make_file("/mnt/file", 0);
	make_folder("/mnt/home", ALICE, 0755);
	make_folder("/mnt/home/root", 0, 0755);
	make_link("/mnt/home/root/link", 0, "/mnt/file");
	assert_int_equal(walk_path(ground, "/mnt/home/root/link"), WALK_LINK);
	rename_as(ALICE, "/mnt/home/root", "/mnt/home/moved");
	assert_int_equal(walk_path(ground, "/mnt/home/moved/link"), WALK_LINK);
}

static void a_link_on_a_mount_that_came_since_is_not_followed(void **state)
{
	struct ground *ground = ground_of(state);

	make_file("/mnt/file", 0);
	make_folder("/mnt/folder", 0, 0755);
	assert_int_equal(mount("tmpfs", "/mnt/folder", "tmpfs", 0, "mode=0755"), 0);
	make_link("/mnt/folder/link", 0, "/mnt/file");
	assert_int_equal(walk_path(ground, "/mnt/folder/link"), WALK_LINK);
}

/* Neither /proc/self, a link whose text nobody can have placed, nor the magic ones (proc(5)). */
static void a_link_of_proc_is_not_followed(void **state)
{
	struct ground *ground = ground_of(state);
	char path[64];

	assert_int_equal(walk_path(ground, "/proc/self/status"), WALK_LINK);
	(void)snprintf(path, sizeof(path), "/proc/%d/root/mnt", getpid());
	assert_int_equal(walk_path(ground, path), WALK_LINK);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), ground->walker.root);
	assert_int_equal(walk_path(ground, path), WALK_LINK);
}

/* ---- who could have placed it ---- */

static void a_file_of_anybody_in_a_folder_of_root_is_found(void **state)
{
	struct ground *ground = ground_of(state);

	make_file("/mnt/of-alice", ALICE);
	make_folder("/mnt/home", ALICE, 0777);
	assert_leads(ground, "/mnt/of-alice", "/mnt/of-alice");
	assert_leads(ground, "/mnt/home", "/mnt/home");
	assert_true(ground->walk.parent_trusted);
}

static void a_users_folder_holds_what_is_the_users_own(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0755);
	make_file("/mnt/home/own", ALICE);
	make_file("/mnt/home/of-root", 0);
	make_file("/mnt/home/of-bob", BOB);
	assert_leads(ground, "/mnt/home/own", "/mnt/home/own");
	assert_false(ground->walk.parent_trusted);
	assert_int_equal(walk_path(ground, "/mnt/home/of-root"), WALK_PLACEMENT);
	assert_int_equal(walk_path(ground, "/mnt/home/of-bob"), WALK_PLACEMENT);
	assert_int_equal(walk_path(ground, "/mnt/home/missing"), WALK_MISSING);
	assert_false(ground->walk.parent_trusted);
}

static void folders_below_a_users_are_the_users_or_roots(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0755);
	make_folder("/mnt/home/root", 0, 0755);
	make_file("/mnt/home/root/own", ALICE);
	make_file("/mnt/home/root/of-root", 0);
	make_folder("/mnt/home/bob", BOB, 0755);
	make_file("/mnt/home/bob/own", ALICE);
	make_file("/mnt/home/bob/of-bob", BOB);
	assert_leads(ground, "/mnt/home/root/own", "/mnt/home/root/own");
	assert_false(ground->walk.parent_trusted);
	assert_int_equal(walk_path(ground, "/mnt/home/root/of-root"), WALK_PLACEMENT);
	assert_int_equal(walk_path(ground, "/mnt/home/bob/own"), WALK_PLACEMENT);
	assert_int_equal(walk_path(ground, "/mnt/home/bob/of-bob"), WALK_PLACEMENT);
}

static void a_folder_that_others_may_write_holds_nothing(void **state)
{
	static const uid_t owners[] = {0, ALICE};
	static const mode_t modes[] = {01777, 0777, 0775, 0757};
	struct ground *ground = ground_of(state);

	make_folder("/mnt/folder", 0, 0755);
	make_file("/mnt/folder/of-alice", ALICE);
	make_file("/mnt/folder/of-root", 0);
	for (size_t i = 0; i < COUNT(owners); i++)
		for (size_t j = 0; j < COUNT(modes); j++) {
			assert_int_equal(chown("/mnt/folder", owners[i], 0), 0);
			assert_int_equal(chmod("/mnt/folder", modes[j]), 0);
			assert_int_equal(walk_path(ground, "/mnt/folder/of-alice"), WALK_PLACEMENT);
			assert_int_equal(walk_path(ground, "/mnt/folder/of-root"), WALK_PLACEMENT);
			assert_int_equal(walk_path(ground, "/mnt/folder/missing"), WALK_MISSING);
			assert_false(ground->walk.parent_trusted);
		}
}

static void a_link_of_root_into_a_users_folder_changes_nothing_there(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0755);
	make_file("/mnt/home/own", ALICE);
	make_file("/mnt/home/of-root", 0);
	make_link("/mnt/link", 0, "home/own");
	make_link("/mnt/alias", 0, "home");
	assert_leads(ground, "/mnt/link", "/mnt/home/own");
	assert_false(ground->walk.parent_trusted);
	assert_true(ground->walk.final_link);
	assert_int_equal(walk_path(ground, "/mnt/alias/of-root"), WALK_PLACEMENT);
	assert_false(ground->walk.parent_trusted);
}

/* The way there led through a user's folder, and out of it again. */
static void what_lies_outside_is_not_judged_by_the_way(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0777);
	make_file("/mnt/file", 0);
	make_link("/mnt/link", 0, "home/../file");
	assert_leads(ground, "/mnt/link", "/mnt/file");
	assert_true(ground->walk.parent_trusted);
}

/* ---- as somebody ---- */

static enum walk_outcome walk_as(struct ground *ground, uid_t uid, const char *path)
{
	return walk_by(ground, path,
		&(struct walk_way){
			.links = WALK_LINKS_TRUSTED, .final = WALK_FINAL_FOLLOW, .as = uid});
}

/* What is there may be anybody's, and what is not there may come there. */
static void assert_safe(struct ground *ground, uid_t uid, const char *folder)
{
	static const char *const names[] = {"own", "of-root", "of-bob"};
	char path[PATH_MAX];

	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(walk_as(ground, uid, path), WALK_FOUND);
		assert_true(ground->walk.parent_safe);
	}
	(void)snprintf(path, sizeof(path), "%s/missing", folder);
	assert_int_equal(walk_as(ground, uid, path), WALK_MISSING);
	assert_true(ground->walk.parent_safe);
}

/* Of what is there only what an owner has put there, and nothing may come there. */
static void assert_unsafe(
	struct ground *ground, uid_t uid, const char *folder, const char *permitted)
{
	static const char *const names[] = {"own", "of-root", "of-bob"};
	char path[PATH_MAX];

	for (size_t i = 0; i < COUNT(names); i++) {
		bool is_permitted = permitted != NULL && strcmp(permitted, names[i]) == 0;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(
			walk_as(ground, uid, path), is_permitted ? WALK_FOUND : WALK_PLACEMENT);
		assert_false(ground->walk.parent_safe);
	}
	(void)snprintf(path, sizeof(path), "%s/missing", folder);
	assert_int_equal(walk_as(ground, uid, path), WALK_MISSING);
	assert_false(ground->walk.parent_safe);
}

static void make_furnished(const char *folder, uid_t uid, mode_t mode)
{
	char path[PATH_MAX];

	make_folder(folder, uid, mode);
	(void)snprintf(path, sizeof(path), "%s/own", folder);
	make_file(path, ALICE);
	(void)snprintf(path, sizeof(path), "%s/of-root", folder);
	make_file(path, 0);
	(void)snprintf(path, sizeof(path), "%s/of-bob", folder);
	make_file(path, BOB);
}

static void the_own_folders_of_the_user_are_safe_for_it_and_for_nobody_else(void **state)
{
	struct ground *ground = ground_of(state);

	make_furnished("/mnt/home", ALICE, 0755);
	make_furnished("/mnt/home/below", ALICE, 0700);
	assert_safe(ground, ALICE, "/mnt/home");
	assert_safe(ground, ALICE, "/mnt/home/below");
	assert_false(ground->walk.parent_trusted);
	assert_unsafe(ground, BOB, "/mnt/home", "own");
	assert_unsafe(ground, BOB, "/mnt/home/below", "own");
	assert_unsafe(ground, WALK_AS_NOBODY, "/mnt/home", "own");
	assert_unsafe(ground, WALK_AS_NOBODY, "/mnt/home/below", "own");
}

static void a_folder_of_root_is_safe_for_everybody(void **state)
{
	static const uid_t uids[] = {0, ALICE, BOB, WALK_AS_NOBODY};
	struct ground *ground = ground_of(state);

	make_furnished("/mnt/folder", 0, 0755);
	for (size_t i = 0; i < COUNT(uids); i++) {
		assert_safe(ground, uids[i], "/mnt/folder");
		assert_true(ground->walk.parent_trusted);
	}
}

/* The sticky bit protects from unlink(2), not from rename(2) of what one has. */
static void a_folder_that_others_may_write_is_not_safe_for_its_owner(void **state)
{
	static const mode_t modes[] = {01777, 0777, 0775, 01775, 0757, 0722};
	static const uid_t owners[] = {0, ALICE};
	struct ground *ground = ground_of(state);

	make_furnished("/mnt/folder", ALICE, 0755);
	for (size_t i = 0; i < COUNT(owners); i++)
		for (size_t j = 0; j < COUNT(modes); j++) {
			assert_int_equal(chown("/mnt/folder", owners[i], 0), 0);
			assert_int_equal(chmod("/mnt/folder", modes[j]), 0);
			assert_unsafe(ground, ALICE, "/mnt/folder", NULL);
			assert_unsafe(ground, 0, "/mnt/folder", NULL);
		}
}

static void an_own_folder_in_one_that_others_may_write_is_not_safe(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/tmp", 0, 01777);
	make_furnished("/mnt/tmp/home", ALICE, 0700);
	assert_unsafe(ground, ALICE, "/mnt/tmp/home", NULL);
}

static void a_folder_of_root_in_the_users_own_is_safe_for_that_user_alone(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0755);
	make_furnished("/mnt/home/root", 0, 0755);
	make_furnished("/mnt/home/root/below", ALICE, 0755);
	assert_safe(ground, ALICE, "/mnt/home/root");
	assert_safe(ground, ALICE, "/mnt/home/root/below");
	assert_unsafe(ground, BOB, "/mnt/home/root", "own");
	assert_unsafe(ground, WALK_AS_NOBODY, "/mnt/home/root/below", "own");
}

static void a_folder_of_another_user_is_not_safe_wherever_it_lies(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0755);
	make_furnished("/mnt/home/bob", BOB, 0755);
	make_furnished("/mnt/home/bob/alice", ALICE, 0755);
	make_furnished("/mnt/bob", BOB, 0755);
	assert_unsafe(ground, ALICE, "/mnt/home/bob", "of-bob");
	assert_unsafe(ground, ALICE, "/mnt/bob", "of-bob");
	/* Below Bob's, where hers is neither his nor root's. */
	assert_unsafe(ground, ALICE, "/mnt/home/bob/alice", NULL);
}

static void root_has_no_folders_of_its_own_but_those_that_are_trusted(void **state)
{
	struct ground *ground = ground_of(state);

	make_furnished("/mnt/home", ALICE, 0755);
	make_furnished("/mnt/home/root", 0, 0755);
	make_folder("/mnt/mounted", 0, 0755);
	assert_int_equal(mount("tmpfs", "/mnt/mounted", "tmpfs", 0, "mode=0755"), 0);
	make_furnished("/mnt/mounted/folder", 0, 0755);
	assert_unsafe(ground, 0, "/mnt/home", "own");
	assert_unsafe(ground, 0, "/mnt/home/root", "own");
	/* A mount that came since: uid 0 may be anybody there. */
	assert_unsafe(ground, 0, "/mnt/mounted/folder", "of-root");
	assert_unsafe(ground, WALK_AS_NOBODY, "/mnt/mounted/folder", "of-root");
}

static void a_link_is_trusted_no_more_for_being_the_users_own(void **state)
{
	struct ground *ground = ground_of(state);

	make_furnished("/mnt/home", ALICE, 0755);
	make_file("/mnt/file", ALICE);
	make_link("/mnt/home/link", ALICE, "own");
	make_link("/mnt/home/roots", 0, "own");
	make_link("/mnt/home/alias", ALICE, "/mnt");
	make_link("/mnt/home-of-alice", 0, "home");
	assert_int_equal(walk_as(ground, ALICE, "/mnt/home/link"), WALK_LINK);
	assert_int_equal(walk_as(ground, ALICE, "/mnt/home/roots"), WALK_LINK);
	assert_int_equal(walk_as(ground, ALICE, "/mnt/home/alias/file"), WALK_LINK);
	assert_safe(ground, ALICE, "/mnt/home-of-alice");
	assert_string_equal(ground->walk.path, "/mnt/home/missing");
}

static void a_link_that_is_held_is_in_a_safe_folder_or_not(void **state)
{
	struct walk_way way = {.links = WALK_LINKS_TRUSTED, .final = WALK_FINAL_HOLD, .as = ALICE};
	struct ground *ground = ground_of(state);

	make_folder("/mnt/home", ALICE, 0755);
	make_link("/mnt/home/link", BOB, "nowhere");
	make_link("/mnt/home/own", ALICE, "nowhere");
	assert_int_equal(walk_by(ground, "/mnt/home/link", &way), WALK_FOUND);
	assert_true(ground->walk.parent_safe);
	assert_true(S_ISLNK(ground->walk.status.stx_mode));
	way.as = WALK_AS_NOBODY;
	assert_int_equal(walk_by(ground, "/mnt/home/link", &way), WALK_PLACEMENT);
	assert_int_equal(walk_by(ground, "/mnt/home/own", &way), WALK_FOUND);
	assert_false(ground->walk.parent_safe);
}

/* The way there led through folders that are not safe, and out of them again. */
static void only_the_folders_that_the_object_lies_in_are_judged(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/open", 0, 01777);
	make_furnished("/mnt/home", ALICE, 0755);
	make_link("/mnt/link", 0, "open/../home");
	assert_safe(ground, ALICE, "/mnt/link");
	make_link("/mnt/other", 0, "home/../open");
	assert_int_equal(walk_as(ground, ALICE, "/mnt/other/missing"), WALK_MISSING);
	assert_false(ground->walk.parent_safe);
}

static void the_root_is_a_safe_folder(void **state)
{
	struct ground *ground = ground_of(state);

	assert_int_equal(walk_as(ground, ALICE, "/missing-from-the-root"), WALK_MISSING);
	assert_true(ground->walk.parent_safe);
	assert_int_equal(walk_as(ground, ALICE, "/"), WALK_FOUND);
	assert_false(ground->walk.parent_safe);
}

/* ---- never waiting ---- */

static void a_walker_that_may_not_wait_finds_the_same_or_says_later(void **state)
{
	struct ground *ground = ground_of(state);
	DIR *folder = opendir("/usr/share");
	const struct dirent *entry;

	/* Names that were read, but perhaps not looked up since the machine was started. */
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		enum walk_outcome cached, outcome;
		char path[PATH_MAX], found[sizeof(ground->walk.path)];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/usr/share/%s", entry->d_name);
		ground->walker.cached = true;
		cached = walk_path(ground, path);
		memcpy(found, ground->walk.path, sizeof(found));
		ground->walker.cached = false;
		outcome = walk_path(ground, path);
		if (cached == WALK_AGAIN)
			continue;
		assert_int_equal(cached, outcome);
		assert_string_equal(found, ground->walk.path);
	}
	(void)closedir(folder);
}

static void what_is_in_memory_is_found_without_waiting(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/folder", 0, 0755);
	make_file("/mnt/folder/file", 0);
	make_link("/mnt/link", 0, "./folder/../folder/file");
	make_link("/mnt/of-alice", ALICE, "folder/file");
	ground->walker.cached = true;
	assert_leads(ground, "/mnt/folder/file", "/mnt/folder/file");
	assert_leads(ground, "/mnt/link", "/mnt/folder/file");
	assert_int_equal(walk_path(ground, "/mnt/of-alice"), WALK_LINK);
}

/* Nobody has asked a new file system for this name yet; a tmpfs remembers none that is missing. */
static void what_is_not_in_memory_is_said_to_be_for_later(void **state)
{
	struct ground *ground = ground_of(state);

	make_folder("/mnt/proc", 0, 0755);
	make_link("/mnt/link", 0, "missing");
	ground->walker.cached = true;
	assert_int_equal(walk_path(ground, "/mnt/missing"), WALK_AGAIN);
	assert_int_equal(walk_path(ground, "/mnt/missing/file"), WALK_AGAIN);
	assert_int_equal(walk_path(ground, "/mnt/link"), WALK_AGAIN);
	if (mount("proc", "/mnt/proc", "proc", 0, NULL) == 0)
		assert_int_equal(walk_path(ground, "/mnt/proc/version"), WALK_AGAIN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, ground_mount, ground_unmount)
	const struct CMUnitTest tests[] = {
		TEST(a_path_without_links_is_found),
		TEST(the_root_is_found_and_has_no_parent),
		TEST(the_last_component_may_be_missing_and_its_folder_is_held),
		TEST(a_missing_folder_is_an_error),
		TEST(a_file_in_the_place_of_a_folder_is_an_error),
		TEST(a_name_may_have_255_bytes_and_no_more),
		TEST(a_path_may_have_4095_bytes_and_no_more),
		TEST(a_relative_link_of_root_is_followed),
		TEST(a_link_on_the_way_is_no_final_link),
		TEST(a_link_may_lead_to_the_root),
		TEST(where_links_lead_the_walk_and_the_kernel_agree),
		TEST(what_a_link_leads_to_may_be_missing),
		TEST(eight_links_are_followed_and_no_more),
		TEST(links_that_lead_round_in_a_circle_are_not_followed_for_ever),
		TEST(a_path_that_links_make_too_long_is_an_error),
		TEST(a_rule_may_follow_no_links_or_none_at_the_end),
		TEST(a_link_of_a_user_is_not_followed),
		TEST(a_link_where_others_may_write_is_not_followed),
		TEST(a_link_of_root_that_a_user_has_moved_is_not_followed),
		TEST(a_link_in_a_folder_of_root_below_a_users_is_not_followed),
		TEST(a_link_on_a_mount_that_came_since_is_not_followed),
		TEST(a_link_of_proc_is_not_followed),
		TEST(a_file_of_anybody_in_a_folder_of_root_is_found),
		TEST(a_users_folder_holds_what_is_the_users_own),
		TEST(folders_below_a_users_are_the_users_or_roots),
		TEST(a_folder_that_others_may_write_holds_nothing),
		TEST(a_link_of_root_into_a_users_folder_changes_nothing_there),
		TEST(what_lies_outside_is_not_judged_by_the_way),
		TEST(the_own_folders_of_the_user_are_safe_for_it_and_for_nobody_else),
		TEST(a_folder_of_root_is_safe_for_everybody),
		TEST(a_folder_that_others_may_write_is_not_safe_for_its_owner),
		TEST(an_own_folder_in_one_that_others_may_write_is_not_safe),
		TEST(a_folder_of_root_in_the_users_own_is_safe_for_that_user_alone),
		TEST(a_folder_of_another_user_is_not_safe_wherever_it_lies),
		TEST(root_has_no_folders_of_its_own_but_those_that_are_trusted),
		TEST(a_link_is_trusted_no_more_for_being_the_users_own),
		TEST(a_link_that_is_held_is_in_a_safe_folder_or_not),
		TEST(only_the_folders_that_the_object_lies_in_are_judged),
		TEST(the_root_is_a_safe_folder),
		TEST(a_walker_that_may_not_wait_finds_the_same_or_says_later),
		TEST(what_is_in_memory_is_found_without_waiting),
		TEST(what_is_not_in_memory_is_said_to_be_for_later),
	};

	return cmocka_run_group_tests(tests, ground_find, NULL);
}
