/* SPDX-License-Identifier: MIT */
/*
 * Files that are as good as root to whoever may read or change them, and sockets that are past all
 * filters. The table cannot be complete, and keeps nobody from granting anything: it only makes
 * sure that these are not pasted along with the rest.
 */
#include "caution.h"

#include <string.h>

#define READS POLICY_BIT(POLICY_READ)
#define CHANGES                                                                                    \
	(POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) | POLICY_BIT(POLICY_CREATE) |        \
		POLICY_BIT(POLICY_REMOVE) | POLICY_BIT(POLICY_BIND))

static const char passwords[] = "who has it can find passwords out, or set them";
static const char programs[] = "who can change it decides what root runs";
static const char settings[] = "who can change what root's programs are told rules the machine";
static const char home[] = "it is root's own home";
static const char memory[] = "it is all memory, with the secrets of every program";
static const char disk[] = "it is a whole disk, past all file modes";
static const char kernel[] = "who can change it steers the kernel";
static const char keys[] = "these are the keys by which somebody logs in or signs";

/* A file, or a folder with all below it; with a star at its end, whatever begins so. */
static const struct {
	const char *tree;
	uint32_t verbs;
	const char *reason;
} trees[] = {
	{"/etc/shadow*", READS | CHANGES, passwords},
	{"/etc/gshadow*", READS | CHANGES, passwords},
	{"/etc", CHANGES, settings},
	{"/root", READS | CHANGES, home},
	{"/usr", CHANGES, programs},
	{"/bin", CHANGES, programs},
	{"/sbin", CHANGES, programs},
	{"/lib*", CHANGES, programs},
	{"/boot", CHANGES, programs},
	{"/var/spool/cron", CHANGES, programs},
	{"/run/systemd", CHANGES, settings},
	{"/run/fdbroker", CHANGES, settings},
	{"/proc/kcore", READS | CHANGES, memory},
	{"/dev/mem", READS | CHANGES, memory},
	{"/dev/kmem", READS | CHANGES, memory},
	{"/dev/port", READS | CHANGES, memory},
	{"/dev/disk", READS | CHANGES, disk},
	{"/dev/mapper", READS | CHANGES, disk},
	{"/dev/dm-*", READS | CHANGES, disk},
	{"/dev/sd*", READS | CHANGES, disk},
	{"/dev/vd*", READS | CHANGES, disk},
	{"/dev/nvme*", READS | CHANGES, disk},
	{"/dev/mmcblk*", READS | CHANGES, disk},
	{"/proc", CHANGES, kernel},
	{"/sys", CHANGES, kernel},
};

static bool is_in_tree(const struct wanted *wanted, const char *tree)
{
	size_t length = strlen(tree);
	bool is_open = tree[length - 1] == '*';

	length -= is_open;
	if (wanted->path_length < length || memcmp(wanted->path, tree, length) != 0)
		return false;
	return is_open || wanted->path_length == length || wanted->path[length] == '/';
}

static bool has_component(const struct wanted *wanted, const char *component)
{
	size_t length = strlen(component);
	const char *end = wanted->path + wanted->path_length;
	const char *at = memmem(wanted->path, wanted->path_length, component, length);

	return at != NULL && (at + length == end || at[length] == '/');
}

static const char *path_find(const struct wanted *wanted)
{
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		if ((wanted->verbs & trees[i].verbs) != 0 && is_in_tree(wanted, trees[i].tree))
			return trees[i].reason;
	}
	if ((wanted->verbs & (READS | CHANGES)) != 0 &&
		(has_component(wanted, "/.ssh") || has_component(wanted, "/.gnupg")))
		return keys;
	return NULL;
}

const char *caution_find(const struct wanted *wanted)
{
	if (wanted->path != NULL)
		return path_find(wanted);
	switch (wanted->endpoint.kind) {
	case POLICY_RAW:
		return "any packet can be sent by it, filters or not; ping needs 'icmp' alone";
	case POLICY_TUN:
	case POLICY_TAP:
	case POLICY_BINDTODEVICE:
		return wanted->endpoint.name_length == 0
			       ? "no device was named, and this is every device"
			       : NULL;
	default:
		return NULL;
	}
}
