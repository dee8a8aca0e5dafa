/* SPDX-License-Identifier: MIT */
/*
 * Which mounts and directories are trusted, by tables of mounts as proc(5) has them. Only the last
 * tests look at this machine, and they need no privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "trust.h"

#define ROOT "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static struct trusted_mounts *mounts_of(const char *text)
{
	struct trusted_mounts *mounts = NULL;
	FILE *file = fmemopen((char *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	assert_int_equal(trusted_mounts_parse(file, &mounts), 0);
	(void)fclose(file);
	return mounts;
}

static bool holds_id(const struct trusted_mounts *mounts, uint64_t id)
{
	for (uint32_t i = 0; i < mounts->count; i++)
		if (mounts->mounts[i].id == id)
			return true;
	return false;
}

/* Is mount 30 of this table trusted? */
static bool is_trusted(const char *text)
{
	_cleanup_free_ struct trusted_mounts *mounts = mounts_of(text);

	return holds_id(mounts, 30);
}

static struct statx directory_status(void)
{
	return (struct statx){
		.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID,
		.stx_mode = S_IFDIR | 0755,
		.stx_mnt_id = 20,
		.stx_dev_major = 8,
		.stx_dev_minor = 1,
	};
}

static void local_mounts_below_the_root_are_trusted(void **state)
{
	(void)state;
	assert_true(is_trusted(ROOT "30 20 8:2 / /home rw - ext4 /dev/sda2 rw\n"));
	assert_true(is_trusted(ROOT "30 20 0:9 / /tmp rw shared:4 master:2 - tmpfs tmpfs rw\n"));
	assert_true(is_trusted(ROOT "30 20 0:9 / /srv rw - overlay overlay rw\n"));
	assert_true(is_trusted("30 1 8:1 / / rw - ext4 /dev/sda1 rw\n"));
	assert_true(is_trusted("30 30 0:2 / / rw - rootfs rootfs rw\n"));
}

static void file_systems_that_others_serve_are_not_trusted(void **state)
{
	static const char *const types[] = {"fuse", "fuse.sshfs", "fuseblk", "nfs", "nfs4", "cifs",
		"smb3", "9p", "vfat", "exfat", "msdos", "proc", "autofs", "ceph", "virtiofs"};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char table[256];

		(void)snprintf(
			table, sizeof(table), ROOT "30 20 0:9 / /srv rw - %s x rw\n", types[i]);
		assert_false(is_trusted(table));
	}
	assert_true(is_trusted(ROOT "30 20 0:9 / /srv rw - fusectl x rw\n"));
}

static void mounts_where_users_mount_are_not_trusted(void **state)
{
	(void)state;
	assert_false(is_trusted(ROOT "30 20 8:2 / /media rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 20 8:2 / /media/usb rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 20 8:2 / /run/media/u/usb rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 20 0:9 / /run/user/1000 rw - tmpfs tmpfs rw\n"));
	assert_true(is_trusted(ROOT "30 20 8:2 / /mediathek rw - ext4 /dev/sdb1 rw\n"));
	assert_true(is_trusted(ROOT "30 20 8:2 / /srv/media rw - ext4 /dev/sdb1 rw\n"));
}

static void escapes_of_mount_points_are_resolved_before_they_are_judged(void **state)
{
	(void)state;
	assert_false(is_trusted(ROOT "30 20 8:2 / /media/my\\040disk rw - ext4 /dev/sdb1 rw\n"));
	assert_true(is_trusted(ROOT "30 20 8:2 / /media\\040x rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 20 8:2 / \\057media\\057x rw - ext4 /dev/sdb1 rw\n"));
	assert_true(is_trusted(ROOT "30 20 8:2 / /srv/a\\134b\\012 rw - ext4 /dev/sdb1 rw\n"));
}

static void a_mount_below_an_untrusted_one_is_not_trusted(void **state)
{
	(void)state;
	assert_false(is_trusted(ROOT "25 20 0:9 / /srv rw - fuse.x x rw\n"
				     "30 25 8:2 / /srv/in rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 25 8:2 / /srv/in/deep rw - ext4 /dev/sdb1 rw\n"
				     "24 20 0:9 / /srv rw - nfs x rw\n"
				     "25 24 8:3 / /srv/in rw - ext4 /dev/sdc1 rw\n"));
}

static void a_mount_whose_parents_do_not_end_at_the_root_is_not_trusted(void **state)
{
	(void)state;
	assert_false(is_trusted(ROOT "30 99 8:2 / /srv rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 30 8:2 / /srv rw - ext4 /dev/sdb1 rw\n"));
	assert_false(is_trusted(ROOT "30 31 8:2 / /a rw - ext4 /dev/sdb1 rw\n"
				     "31 30 8:2 / /b rw - ext4 /dev/sdb1 rw\n"));
}

static void the_snapshot_is_ordered_by_id(void **state)
{
	_cleanup_free_ struct trusted_mounts *mounts =
		mounts_of("40 20 8:2 / /b rw - ext4 x rw\n" ROOT "30 40 8:3 / /b/c rw - xfs x rw\n"
			  "35 20 0:9 / /n rw - nfs x rw\n");

	(void)state;
	assert_int_equal(mounts->count, 3);
	assert_int_equal(mounts->mounts[0].id, 20);
	assert_int_equal(mounts->mounts[1].id, 30);
	assert_int_equal(mounts->mounts[2].id, 40);
	assert_int_equal(trusted_mounts_size(mounts),
		sizeof(struct trusted_mounts) + 3 * sizeof(struct trusted_mount));
}

static void a_line_that_is_not_as_it_should_be_fails_the_snapshot(void **state)
{
	static const char *const lines[] = {"30", "30 20 8:2 / /srv rw", "30 20 8:2 / /srv rw -",
		"x 20 8:2 / /srv rw - ext4 x rw", "30 20 8 / /srv rw - ext4 x rw",
		"30 20 8:2x / /srv rw - ext4 x rw", "30 -1 8:2 / /srv rw - ext4 x rw",
		"99999999999999999999 20 8:2 / /srv rw - ext4 x rw", "\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct trusted_mounts *mounts = NULL;
		FILE *file = fmemopen((char *)(uintptr_t)lines[i], strlen(lines[i]), "r");

		assert_int_equal(trusted_mounts_parse(file, &mounts), -EBADMSG);
		assert_null(mounts);
		(void)fclose(file);
	}
}

static void a_mount_is_known_by_its_id_and_its_device(void **state)
{
	_cleanup_free_ struct trusted_mounts *mounts = mounts_of(ROOT);
	struct statx status = directory_status();

	(void)state;
	assert_true(trusted_mounts_hold(mounts, &status));
	status.stx_dev_minor = 2;
	assert_false(trusted_mounts_hold(mounts, &status));
	status = directory_status();
	status.stx_mnt_id = 21;
	assert_false(trusted_mounts_hold(mounts, &status));
	status = directory_status();
	status.stx_mask &= ~(uint32_t)STATX_MNT_ID;
	assert_false(trusted_mounts_hold(mounts, &status));
}

/* Their files show the device of a subvolume or of a layer, the table that of the mount. */
static void files_of_btrfs_and_overlay_may_show_other_devices(void **state)
{
	_cleanup_free_ struct trusted_mounts *btrfs =
		mounts_of("20 1 0:30 / / rw - btrfs /dev/sda1 rw\n");
	_cleanup_free_ struct trusted_mounts *overlay =
		mounts_of("20 1 0:30 / / rw - overlay overlay rw\n");
	struct statx status = directory_status();

	(void)state;
	assert_true(trusted_mounts_hold(btrfs, &status));
	assert_true(trusted_mounts_hold(overlay, &status));
}

static void a_directory_is_trusted_when_only_root_may_write_to_it(void **state)
{
	_cleanup_free_ struct trusted_mounts *mounts = mounts_of(ROOT);
	struct statx status = directory_status();

	(void)state;
	assert_true(directory_is_trusted(mounts, &status));
	status.stx_uid = 1000;
	assert_int_equal(trust_judge(mounts, &status), DISTRUST_OWNER);
	assert_false(directory_is_trusted(mounts, &status));
	status = directory_status();
	status.stx_mode = S_IFDIR | 0775;
	assert_int_equal(trust_judge(mounts, &status), DISTRUST_WRITABLE);
	assert_false(directory_is_trusted(mounts, &status));
	status.stx_mode = S_IFDIR | 01777;
	assert_false(directory_is_trusted(mounts, &status));
	status.stx_mode = S_IFREG | 0755;
	assert_false(directory_is_trusted(mounts, &status));
}

static void what_is_not_known_is_not_trusted(void **state)
{
	_cleanup_free_ struct trusted_mounts *mounts = mounts_of(ROOT);
	_cleanup_free_ struct trusted_mounts *none = mounts_of("20 1 0:9 / / rw - nfs x rw\n");
	static const uint32_t fields[] = {STATX_TYPE, STATX_MODE, STATX_UID, STATX_MNT_ID};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct statx status = directory_status();

		status.stx_mask &= ~fields[i];
		assert_int_equal(trust_judge(mounts, &status), DISTRUST_MOUNT);
	}
	assert_int_equal(none->count, 0);
	assert_int_equal(trust_judge(none, &(struct statx){0}), DISTRUST_MOUNT);
}

/* The mode of a link is always 0777 (man 7 symlink). */
static void a_link_of_root_is_judged_without_its_mode(void **state)
{
	_cleanup_free_ struct trusted_mounts *mounts = mounts_of(ROOT);
	struct statx status = directory_status();

	(void)state;
	status.stx_mode = S_IFLNK | 0777;
	assert_int_equal(trust_judge(mounts, &status), DISTRUST_NONE);
	status.stx_uid = 1000;
	assert_int_equal(trust_judge(mounts, &status), DISTRUST_OWNER);
}

static void statx_knows_the_mount_of_an_o_path_descriptor(void **state)
{
	_cleanup_close_ int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx status;

	(void)state;
	assert_int_equal(trust_statx(NULL, fd, &status), 0);
	assert_true(S_ISDIR(status.stx_mode));
	assert_int_equal(status.stx_mask & (STATX_BASIC_STATS | STATX_MNT_ID),
		STATX_BASIC_STATS | STATX_MNT_ID);
	assert_int_equal(trust_statx(NULL, -1, &status), -EBADF);
}

static void proc_is_not_trusted_on_this_machine(void **state)
{
	_cleanup_free_ struct trusted_mounts *mounts = NULL;
	_cleanup_close_ int fd = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx status;

	(void)state;
	assert_int_equal(trusted_mounts_read(&mounts), 0);
	assert_int_equal(trust_statx(mounts, fd, &status), 0);
	assert_int_equal(trust_judge(mounts, &status), DISTRUST_MOUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_mounts_below_the_root_are_trusted),
		cmocka_unit_test(file_systems_that_others_serve_are_not_trusted),
		cmocka_unit_test(mounts_where_users_mount_are_not_trusted),
		cmocka_unit_test(escapes_of_mount_points_are_resolved_before_they_are_judged),
		cmocka_unit_test(a_mount_below_an_untrusted_one_is_not_trusted),
		cmocka_unit_test(a_mount_whose_parents_do_not_end_at_the_root_is_not_trusted),
		cmocka_unit_test(the_snapshot_is_ordered_by_id),
		cmocka_unit_test(a_line_that_is_not_as_it_should_be_fails_the_snapshot),
		cmocka_unit_test(a_mount_is_known_by_its_id_and_its_device),
		cmocka_unit_test(files_of_btrfs_and_overlay_may_show_other_devices),
		cmocka_unit_test(a_directory_is_trusted_when_only_root_may_write_to_it),
		cmocka_unit_test(what_is_not_known_is_not_trusted),
		cmocka_unit_test(a_link_of_root_is_judged_without_its_mode),
		cmocka_unit_test(statx_knows_the_mount_of_an_o_path_descriptor),
		cmocka_unit_test(proc_is_not_trusted_on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
