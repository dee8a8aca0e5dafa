/* SPDX-License-Identifier: MIT */
/*
 * The rule sets of landlock.h. The headers of Debian 12's kernel end with version 2, so what later
 * ones added is named here, by the numbers of include/uapi/linux/landlock.h, which never change.
 *
 * Must never: ask for more than the running kernel knows (it would be EINVAL), nor for less.
 */
#include "landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RIGHT_REFER (1ull << 13)     /* version 2 */
#define RIGHT_TRUNCATE (1ull << 14)  /* version 3 */
#define RIGHT_IOCTL_DEV (1ull << 15) /* version 5 */
#define ALL_RIGHTS ((1ull << 16) - 1)

#define NET_BIND_TCP (1ull << 0)                                   /* version 4 */
#define SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS (1ull << 0 | 1ull << 1) /* version 6 */

/* As struct landlock_ruleset_attr is since version 6. An older kernel takes the longer one too if
   what it does not know of it is zero: copy_struct_from_user() of the kernel, Linux 5.4. */
struct rules_wanted {
	uint64_t files;
	uint64_t net;
	uint64_t scopes;
};

#define READING                                                                                    \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WHAT_A_DEVICE_IS_FOR                                                                       \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |                              \
		LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_IOCTL_DEV)
/* The others are about what lies in a folder: landlock_add_rule(2), EINVAL. */
#define RIGHTS_OF_FILES                                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
		LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV)

static const uint64_t rights_given[] = {
	[LANDLOCK_READ] = READING,
	[LANDLOCK_WRITE] = ALL_RIGHTS,
	[LANDLOCK_DEVICE] = WHAT_A_DEVICE_IS_FOR,
};

int landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

static uint64_t known_rights(int version)
{
	uint64_t rights = ALL_RIGHTS;

	if (version < LANDLOCK_VERSION_IOCTL)
		rights &= ~RIGHT_IOCTL_DEV;
	if (version < LANDLOCK_VERSION_TRUNCATE)
		rights &= ~RIGHT_TRUNCATE;
	/* Linux 5.13 to 5.18: without this right nothing can be moved to another folder. */
	if (version < LANDLOCK_VERSION_REFER)
		rights &= ~RIGHT_REFER;
	return rights;
}

int landlock_new(struct landlock_rules *rules)
{
	int version = landlock_version();
	struct rules_wanted wanted = {.files = known_rights(version)};

	if (version >= LANDLOCK_VERSION_BIND)
		wanted.net = NET_BIND_TCP;
	if (version >= LANDLOCK_VERSION_SCOPES)
		wanted.scopes = SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS;
	rules->rights = wanted.files;
	/* Close-on-exec by itself: landlock_create_ruleset(2). */
	rules->fd = (int)syscall(SYS_landlock_create_ruleset, &wanted, sizeof(wanted), 0);
	return rules->fd >= 0 ? 0 : -1;
}

int landlock_allow(const struct landlock_rules *rules, int fd, enum landlock_access access)
{
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -1;
	rule.allowed_access = rights_given[access] & rules->rights;
	if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= RIGHTS_OF_FILES;
	return (int)syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int landlock_enter(int fd)
{
	return (int)syscall(SYS_landlock_restrict_self, fd, 0);
}
