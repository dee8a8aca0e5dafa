/* SPDX-License-Identifier: MIT */
/*
 * Which policy files count, in a tree below /var/lib that is made for each test and removed after
 * it, whatever happened. Needs root, whose files they must be; two tests also need to mount.
 *
 * A file called NAME.policy speaks of the user "x-NAME", so the names that the set asks for tell
 * which files it took in.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "cleanup.h"
#include "load.h"

#define NOBODY 65534

struct tree {
	char path[64];
	struct trusted_mounts *mounts;
	struct policy_set *set;
	size_t descriptors;
};

static size_t descriptors_count(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count;
}

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Is the ground under the tree trusted at all? In some containers the root is a network's. */
static bool tree_is_on_trusted_ground(struct tree *tree)
{
	_cleanup_close_ int fd = open(tree->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx status;

	return trusted_mounts_read(&tree->mounts) == 0 &&
	       trust_statx(tree->mounts, fd, &status) == 0 &&
	       directory_is_trusted(tree->mounts, &status);
}

static int tree_setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	*state = tree;
	if (tree == NULL)
		return -1;
	if (geteuid() != 0)
		return 0;
	tree->descriptors = descriptors_count();
	(void)strcpy(tree->path, "/var/lib/fdbroker-test-XXXXXX");
	if (mkdtemp(tree->path) == NULL)
		return -1;
	tree->set = policy_set_new();
	return tree->set != NULL && chmod(tree->path, 0755) == 0 ? 0 : -1;
}

static int tree_teardown(void **state)
{
	struct tree *tree = *state;
	bool leaks = false;

	if (tree->path[0] != '\0') {
		if (nftw(tree->path, entry_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
			print_error("cannot remove %s: %s\n", tree->path, strerror(errno));
		leaks = descriptors_count() != tree->descriptors;
	}
	policy_set_free(tree->set);
	free(tree->mounts);
	free(tree);
	return leaks ? -1 : 0;
}

static struct tree *tree_of(void **state)
{
	struct tree *tree = *state;

	if (tree->set == NULL) {
		print_message("skipped: only root can make files of root\n");
		skip();
	}
	if (tree->mounts == NULL && !tree_is_on_trusted_ground(tree)) {
		print_message("skipped: /var/lib is not on a trusted mount\n");
		skip();
	}
	return tree;
}

/* The path of something in the tree; one of a few buffers in turn. */
static const char *in_tree(const struct tree *tree, const char *name)
{
	static char paths[8][512];
	static size_t turn;
	char *path = paths[turn++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", tree->path, name);
	return path;
}

static const char *folder_make(const struct tree *tree, const char *name)
{
	const char *path = in_tree(tree, name);

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static const char *file_make(const struct tree *tree, const char *name, const char *user)
{
	const char *path = in_tree(tree, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	(void)fprintf(
		file, "client %s {\n\tfrom user x-%s\n\tallow read /srv/%s\n}\n", user, user, user);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
	return path;
}

static int load(struct tree *tree, const char *first, const char *second)
{
	const char *paths[] = {first, second};

	return policy_load_files(tree->set, tree->mounts, paths, second == NULL ? 1 : 2);
}

static bool set_holds(const struct tree *tree, const char *user)
{
	size_t count;
	const struct policy_name *names = policy_set_names(tree->set, &count);

	for (size_t i = 0; i < count; i++)
		if (strncmp(names[i].name, "x-", 2) == 0 && strcmp(names[i].name + 2, user) == 0)
			return true;
	return false;
}

static const struct policy_diagnostic *diagnostic_of(const struct tree *tree, const char *file)
{
	size_t count;
	const struct policy_diagnostic *all = policy_set_diagnostics(tree->set, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].file, file) == 0)
			return &all[i];
	return NULL;
}

/* The file has a diagnostic of this severity whose message has this part. */
static void assert_noted(
	const struct tree *tree, const char *file, enum policy_severity severity, const char *part)
{
	const struct policy_diagnostic *found = diagnostic_of(tree, file);

	if (found == NULL)
		fail_msg("%s has no diagnostic", file);
	assert_int_equal(found->severity, severity);
	if (strstr(found->message, part) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", file, found->message, part);
	if (severity != POLICY_NOTE)
		assert_non_null(found->remedy);
}

static void assert_remedy(const struct tree *tree, const char *file, const char *part)
{
	const struct policy_diagnostic *found = diagnostic_of(tree, file);

	assert_non_null(found);
	if (strstr(found->remedy, part) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", file, found->remedy, part);
}

static void a_policy_file_of_root_counts(void **state)
{
	struct tree *tree = tree_of(state);
	const char *file = file_make(tree, "anything.txt", "a");

	assert_int_equal(load(tree, file, NULL), 1);
	assert_true(set_holds(tree, "a"));
	assert_null(diagnostic_of(tree, file));
}

static void a_file_of_a_later_folder_masks_one_of_the_same_name(void **state)
{
	struct tree *tree = tree_of(state);
	const char *vendor = folder_make(tree, "vendor");
	const char *local = folder_make(tree, "local");
	const char *masked = file_make(tree, "vendor/same.policy", "masked");

	(void)file_make(tree, "vendor/other.policy", "other");
	(void)file_make(tree, "local/same.policy", "masking");
	assert_int_equal(load(tree, vendor, local), 2);
	assert_true(set_holds(tree, "other"));
	assert_true(set_holds(tree, "masking"));
	assert_false(set_holds(tree, "masked"));
	assert_noted(tree, masked, POLICY_NOTE, "is masked by ");
}

static void a_file_that_does_not_count_masks_all_the_same(void **state)
{
	struct tree *tree = tree_of(state);
	const char *vendor = folder_make(tree, "vendor");
	const char *local = folder_make(tree, "local");
	const char *writable = file_make(tree, "local/same.policy", "masking");

	(void)file_make(tree, "vendor/same.policy", "masked");
	assert_int_equal(chmod(writable, 0664), 0);
	assert_int_equal(load(tree, vendor, local), 0);
	assert_noted(tree, writable, POLICY_WARNING, "may be written by others");
}

static void a_link_to_dev_null_disables_the_name(void **state)
{
	struct tree *tree = tree_of(state);
	const char *vendor = folder_make(tree, "vendor");
	const char *local = folder_make(tree, "local");
	const char *link = in_tree(tree, "local/same.policy");

	(void)file_make(tree, "vendor/same.policy", "masked");
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_int_equal(load(tree, vendor, local), 0);
	assert_noted(tree, link, POLICY_NOTE, "is disabled");
}

static void a_link_to_anything_else_is_skipped(void **state)
{
	static const char *const texts[] = {
		"/dev/./null", "/dev/null/", "../real.policy", "/dev/nul", "null"};
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");

	(void)file_make(tree, "real.policy", "real");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *link = in_tree(tree, "folder/link.policy");

		assert_int_equal(symlink(texts[i], link), 0);
		policy_set_free(tree->set);
		tree->set = policy_set_new();
		assert_int_equal(load(tree, folder, NULL), 0);
		assert_noted(tree, link, POLICY_WARNING, "is a symbolic link to ");
		assert_int_equal(unlink(link), 0);
	}
}

static void a_file_that_others_may_write_is_skipped(void **state)
{
	static const mode_t modes[] = {0664, 0646, 0666, 0620};
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char name[64];
		const char *file;

		(void)snprintf(name, sizeof(name), "folder/%zu.policy", i);
		file = file_make(tree, name, "a");
		assert_int_equal(chmod(file, modes[i]), 0);
	}
	(void)file_make(tree, "folder/good.policy", "good");
	assert_int_equal(load(tree, folder, NULL), 1);
	assert_int_equal(policy_set_count(tree->set, POLICY_WARNING), 4);
	assert_noted(tree, in_tree(tree, "folder/3.policy"), POLICY_WARNING, "(mode 0620)");
	assert_remedy(tree, in_tree(tree, "folder/3.policy"), "chmod go-w ");
}

static void a_file_that_root_does_not_own_is_skipped(void **state)
{
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");
	const char *file = file_make(tree, "folder/a.policy", "a");

	assert_int_equal(chown(file, NOBODY, 0), 0);
	assert_int_equal(load(tree, folder, NULL), 0);
	assert_noted(tree, file, POLICY_WARNING, "is owned by uid 65534");
	assert_remedy(tree, file, "chown root: ");
}

static void nothing_counts_below_a_folder_that_a_user_owns(void **state)
{
	struct tree *tree = tree_of(state);
	const char *users = folder_make(tree, "users");
	const char *folder = folder_make(tree, "users/folder");
	const char *file = file_make(tree, "users/folder/a.policy", "a");

	assert_int_equal(chown(users, NOBODY, 0), 0);
	assert_int_equal(load(tree, folder, file), 0);
	assert_noted(tree, folder, POLICY_ERROR, "/users, which is owned by uid 65534");
	assert_noted(tree, file, POLICY_ERROR, "/users, which is owned by uid 65534");
}

static void nothing_counts_in_a_folder_that_others_may_write(void **state)
{
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");
	const char *file = file_make(tree, "folder/a.policy", "a");

	assert_int_equal(chmod(folder, 0775), 0);
	assert_int_equal(load(tree, folder, file), 0);
	assert_noted(tree, folder, POLICY_ERROR, "may be written by others");
	assert_noted(tree, file, POLICY_ERROR, "which may be written by others");
}

static void a_sticky_folder_is_no_better(void **state)
{
	struct tree *tree = tree_of(state);
	const char *sticky = folder_make(tree, "sticky");
	const char *folder = folder_make(tree, "sticky/folder");

	(void)file_make(tree, "sticky/folder/a.policy", "a");
	assert_int_equal(chmod(sticky, 01777), 0);
	assert_int_equal(load(tree, folder, NULL), 0);
	assert_noted(tree, folder, POLICY_ERROR, "(mode 1777)");
	assert_remedy(tree, folder, "sticky bit");
}

/* Of a folder with these files none is loaded, and each is noted with this. */
static void assert_all_noted(
	struct tree *tree, const char *const *names, size_t count, const char *message)
{
	const char *folder = folder_make(tree, "folder");

	for (size_t i = 0; i < count; i++)
		(void)file_make(tree, names[i], "a");
	assert_int_equal(load(tree, folder, NULL), 0);
	for (size_t i = 0; i < count; i++)
		assert_noted(tree, in_tree(tree, names[i]), POLICY_NOTE, message);
}

static void names_without_the_suffix_are_noted(void **state)
{
	static const char *const names[] = {
		"folder/a.policy~", "folder/README", "folder/a.conf", "folder/a.policy.dpkg-new"};

	assert_all_noted(tree_of(state), names, sizeof(names) / sizeof(names[0]), "*.policy");
}

static void names_with_a_dot_in_front_are_noted(void **state)
{
	static const char *const names[] = {"folder/.hidden.policy", "folder/.policy"};

	assert_all_noted(
		tree_of(state), names, sizeof(names) / sizeof(names[0]), "begins with a dot");
}

/* Were the FIFO opened for reading, this would never end. */
static void what_is_not_a_regular_file_is_skipped_without_opening_it(void **state)
{
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");
	const char *fifo = in_tree(tree, "folder/fifo.policy");
	const char *inner = folder_make(tree, "folder/inner.policy");

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(load(tree, folder, NULL), 0);
	assert_noted(tree, fifo, POLICY_WARNING, "is a FIFO");
	assert_noted(tree, inner, POLICY_WARNING, "is a folder");
}

static void what_is_named_and_missing_is_an_error(void **state)
{
	struct tree *tree = tree_of(state);
	const char *file = in_tree(tree, "missing.policy");
	const char *deep = in_tree(tree, "missing/deep/a.policy");

	assert_int_equal(load(tree, file, deep), 0);
	assert_noted(tree, file, POLICY_ERROR, "cannot be read: No such file or directory");
	assert_noted(tree, deep, POLICY_ERROR, "cannot be read: No such file or directory");
}

static void a_path_through_a_link_is_refused_and_says_where_the_link_leads(void **state)
{
	struct tree *tree = tree_of(state);
	const char *link = in_tree(tree, "link");
	const char *file = in_tree(tree, "link/a.policy");

	(void)folder_make(tree, "folder");
	(void)file_make(tree, "folder/a.policy", "a");
	assert_int_equal(symlink("folder", link), 0);
	assert_int_equal(load(tree, file, link), 0);
	assert_noted(tree, file, POLICY_ERROR, "which is a symbolic link to 'folder'");
	assert_remedy(tree, file, "realpath ");
	assert_noted(tree, link, POLICY_ERROR, "is a symbolic link to 'folder'");
}

static void a_relative_path_begins_at_the_current_folder(void **state)
{
	struct tree *tree = tree_of(state);
	_cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *folder = folder_make(tree, "folder");
	int one, two;

	(void)file_make(tree, "folder/a.policy", "a");
	(void)file_make(tree, "b.policy", "b");
	assert_int_equal(chdir(folder), 0);
	one = load(tree, "a.policy", "../b.policy");
	two = load(tree, ".", "");
	assert_int_equal(fchdir(before), 0);
	assert_int_equal(one, 2);
	assert_int_equal(two, 1);
	assert_noted(tree, "", POLICY_ERROR, "No such file");
}

static void folders_are_read_by_the_bytes_of_the_names(void **state)
{
	struct tree *tree = tree_of(state);
	const char *one = folder_make(tree, "one");
	const char *two = folder_make(tree, "two");
	static const char *const order[] = {"x-digit", "x-upper", "x-lower", "x-utf"};
	const struct policy_name *names;
	size_t count;

	(void)file_make(tree, "one/\xc3\xa4.policy", "utf");
	(void)file_make(tree, "two/a.policy", "lower");
	(void)file_make(tree, "one/B.policy", "upper");
	(void)file_make(tree, "two/10.policy", "digit");
	assert_int_equal(load(tree, one, two), 4);
	names = policy_set_names(tree->set, &count);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(names[i].name, order[i]);
}

/* The broker reads its policy without privileges. */
static void what_the_broker_may_not_read_says_how_to_let_it(void **state)
{
	struct tree *tree = tree_of(state);
	const char *closed = folder_make(tree, "closed");
	const char *file = file_make(tree, "secret.policy", "a");
	const char *inner = file_make(tree, "closed/a.policy", "a");
	int r, r2;

	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(chmod(closed, 0700), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	r = load(tree, file, inner);
	r2 = load(tree, closed, NULL);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, 0);
	assert_int_equal(r2, 0);
	assert_noted(tree, file, POLICY_ERROR, "Permission denied");
	assert_remedy(tree, file, "secret.policy");
	assert_noted(tree, inner, POLICY_ERROR, "Permission denied");
	assert_remedy(tree, inner, "closed");
	assert_noted(tree, closed, POLICY_ERROR, "Permission denied");
}

static void a_draft_counts_wherever_it_lies(void **state)
{
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");
	const char *file = file_make(tree, "folder/a.policy", "a");
	const char *fifo = in_tree(tree, "folder/fifo.policy");
	const char *linked = file_make(tree, "linked.policy", "linked");

	assert_int_equal(chown(file, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink(linked, in_tree(tree, "folder/link.policy")), 0);
	assert_int_equal(symlink("/dev/null", in_tree(tree, "folder/null.policy")), 0);
	assert_int_equal(policy_load_files(tree->set, NULL, &folder, 1), 2);
	assert_true(set_holds(tree, "a"));
	assert_true(set_holds(tree, "linked"));
	assert_noted(tree, fifo, POLICY_WARNING, "is a FIFO");
}

static const char *file_of_size(const struct tree *tree, const char *name, size_t size)
{
	const char *path = in_tree(tree, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char comment[65536];

	assert_true(fd >= 0);
	(void)memset(comment, '#', sizeof(comment));
	while (size > 0) {
		size_t piece = size < sizeof(comment) ? size : sizeof(comment);

		assert_int_equal(write(fd, comment, piece), piece);
		size -= piece;
	}
	return path;
}

static void a_file_may_have_so_many_bytes_and_not_one_more(void **state)
{
	struct tree *tree = tree_of(state);
	const char *largest = file_of_size(tree, "largest.policy", POLICY_FILE_BYTES_MAX);
	const char *larger = file_of_size(tree, "larger.policy", POLICY_FILE_BYTES_MAX + 1);

	assert_int_equal(load(tree, largest, larger), 1);
	assert_null(diagnostic_of(tree, largest));
	assert_noted(tree, larger, POLICY_ERROR, "is larger than 67108864 bytes");
}

/* A file of /proc says that it is empty, and then is not. */
static void a_file_that_changes_while_it_is_read_is_refused(void **state)
{
	struct tree *tree = tree_of(state);
	const char *file = "/proc/self/status";

	assert_int_equal(policy_load_files(tree->set, NULL, &file, 1), 0);
	assert_noted(tree, file, POLICY_ERROR, "changed while it was read");
	assert_int_equal(load(tree, file, NULL), 0);
}

/* A mount namespace of its own; the mounts in it have new ids. */
static void mounts_unshare(struct tree *tree)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("skipped: cannot mount here: %s\n", strerror(errno));
		skip();
	}
	free(tree->mounts);
	tree->mounts = NULL;
	assert_int_equal(trusted_mounts_read(&tree->mounts), 0);
}

static void a_mount_that_is_newer_than_the_snapshot_does_not_count(void **state)
{
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");
	const char *file = in_tree(tree, "folder/a.policy");
	int before, after;

	mounts_unshare(tree);
	assert_int_equal(mount("none", folder, "tmpfs", 0, "mode=0755"), 0);
	(void)file_make(tree, "folder/a.policy", "a");
	before = load(tree, folder, file);
	free(tree->mounts);
	tree->mounts = NULL;
	assert_int_equal(trusted_mounts_read(&tree->mounts), 0);
	after = load(tree, folder, NULL);
	assert_int_equal(umount2(folder, MNT_DETACH), 0);
	assert_int_equal(before, 0);
	assert_int_equal(after, 1);
	assert_noted(tree, folder, POLICY_ERROR, "is not on a trusted mount");
	assert_noted(tree, file, POLICY_ERROR, "which is not on a trusted mount");
}

static void a_file_that_is_a_newer_mount_does_not_count(void **state)
{
	struct tree *tree = tree_of(state);
	const char *folder = folder_make(tree, "folder");
	const char *file = file_make(tree, "folder/a.policy", "a");
	const char *other = file_make(tree, "other.policy", "other");
	int r;

	mounts_unshare(tree);
	assert_int_equal(mount(other, file, NULL, MS_BIND, NULL), 0);
	r = load(tree, folder, NULL);
	assert_int_equal(umount2(file, MNT_DETACH), 0);
	assert_int_equal(r, 0);
	assert_noted(tree, file, POLICY_WARNING, "is not on a trusted mount");
}

static void the_installed_folders_are_read_when_none_is_named(void **state)
{
	struct tree *tree = tree_of(state);
	FILE *file;
	int r;

	mounts_unshare(tree);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "mode=0755"), 0);
	free(tree->mounts);
	tree->mounts = NULL;
	assert_int_equal(trusted_mounts_read(&tree->mounts), 0);
	assert_int_equal(mkdir("/run/fdbroker", 0755), 0);
	assert_int_equal(mkdir("/run/fdbroker/policy.d", 0755), 0);
	file = fopen("/run/fdbroker/policy.d/test-of-fdbroker.policy", "we");
	assert_non_null(file);
	(void)fputs("client t {\n\tfrom user x-run\n\tallow read /srv\n}\n", file);
	assert_int_equal(fclose(file), 0);
	r = policy_load_files(tree->set, tree->mounts, NULL, 0);
	assert_int_equal(umount2("/run", MNT_DETACH), 0);
	assert_true(r >= 1);
	assert_true(set_holds(tree, "run"));
	assert_null(diagnostic_of(tree, "/usr/lib/fdbroker/policy.d"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_policy_file_of_root_counts),
		TEST(a_file_of_a_later_folder_masks_one_of_the_same_name),
		TEST(a_file_that_does_not_count_masks_all_the_same),
		TEST(a_link_to_dev_null_disables_the_name),
		TEST(a_link_to_anything_else_is_skipped),
		TEST(a_file_that_others_may_write_is_skipped),
		TEST(a_file_that_root_does_not_own_is_skipped),
		TEST(nothing_counts_below_a_folder_that_a_user_owns),
		TEST(nothing_counts_in_a_folder_that_others_may_write),
		TEST(a_sticky_folder_is_no_better),
		TEST(names_without_the_suffix_are_noted),
		TEST(names_with_a_dot_in_front_are_noted),
		TEST(what_is_not_a_regular_file_is_skipped_without_opening_it),
		TEST(what_is_named_and_missing_is_an_error),
		TEST(a_path_through_a_link_is_refused_and_says_where_the_link_leads),
		TEST(a_relative_path_begins_at_the_current_folder),
		TEST(folders_are_read_by_the_bytes_of_the_names),
		TEST(what_the_broker_may_not_read_says_how_to_let_it),
		TEST(a_draft_counts_wherever_it_lies),
		TEST(a_file_may_have_so_many_bytes_and_not_one_more),
		TEST(a_file_that_changes_while_it_is_read_is_refused),
		TEST(a_mount_that_is_newer_than_the_snapshot_does_not_count),
		TEST(a_file_that_is_a_newer_mount_does_not_count),
		TEST(the_installed_folders_are_read_when_none_is_named),
	};

	/* Modes are set by the tests themselves. */
	(void)umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
