/* SPDX-License-Identifier: MIT */
/*
 * Files that are as good as root to whoever may read or change them, and sockets that are past all
 * filters. The table cannot be complete, and keeps nobody from granting anything: it only makes
 * sure that these are not pasted along with the rest.
 */
#include "caution.h"

#include <fnmatch.h>
#include <string.h>

#define READS POLICY_BIT(POLICY_READ)
#define CHANGES                                                                                    \
	(POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) | POLICY_BIT(POLICY_CREATE) |        \
		POLICY_BIT(POLICY_REMOVE) | POLICY_BIT(POLICY_BIND))

#define READS_AND_CHANGES (READS | CHANGES)

static const char passwords[] = "who has it can find passwords out, or set them";
static const char secrets[] = "it is a private key, or other secrets are in it";
static const char programs[] = "who can change it decides what root runs";
static const char settings[] = "who can change what root's programs are told rules the machine";
static const char servers[] = "programs trust whoever answers there";
static const char home[] = "it is root's own home";
static const char homes[] = "who can change it decides what runs when its owner logs in";
static const char keys[] = "these are the keys by which somebody logs in or signs";
static const char memory[] = "it is memory, with the secrets of programs";
static const char disk[] = "it is a whole disk, past all file modes";
static const char input[] = "all that is typed passes there, passwords too";
static const char kernel[] = "who can change it steers the kernel";

/* A file, or a folder with all below it, as a pattern of fnmatch(3). The first that fits counts. */
static const struct {
	const char *pattern;
	uint32_t verbs;
	const char *reason;
} trees[] = {
	{"/etc/*shadow*", READS_AND_CHANGES, passwords},
	{"/etc/sudoers*", READS_AND_CHANGES, settings},
	{"/etc/ssh/ssh_host_*_key", READS_AND_CHANGES, secrets},
	{"/var/backups", READS_AND_CHANGES, passwords},
	{"/var/lib/sss", READS_AND_CHANGES, passwords},
	{"/root", READS_AND_CHANGES, home},
	{"/home/*/.*", CHANGES, homes},
	{"/etc", CHANGES, settings},
	{"/usr", CHANGES, programs},
	{"/bin", CHANGES, programs},
	{"/sbin", CHANGES, programs},
	{"/lib*", CHANGES, programs},
	{"/boot", CHANGES, programs},
	{"/var/lib/dpkg", CHANGES, programs},
	{"/var/lib/rpm", CHANGES, programs},
	{"/var/spool/*cron", CHANGES, programs},
	{"/run/systemd", CHANGES, settings},
	{"/run/udev", CHANGES, settings},
	{"/run/fdbroker", CHANGES, settings},
	{"/run/sudo*", CHANGES, settings},
	{"/run/dbus", CHANGES, servers},
	{"/run/docker*", CHANGES, servers},
	{"/run/containerd*", CHANGES, servers},
	{"/run/podman", CHANGES, servers},
	{"/proc/kcore", READS_AND_CHANGES, memory},
	{"/proc/*/mem", READS_AND_CHANGES, memory},
	{"/proc/*/environ", READS_AND_CHANGES, memory},
	{"/proc/*/task/*/mem", READS_AND_CHANGES, memory},
	{"/proc/*/task/*/environ", READS_AND_CHANGES, memory},
	{"/dev/*mem", READS_AND_CHANGES, memory},
	{"/dev/port", READS_AND_CHANGES, memory},
	{"/dev/disk", READS_AND_CHANGES, disk},
	{"/dev/block", READS_AND_CHANGES, disk},
	{"/dev/mapper", READS_AND_CHANGES, disk},
	{"/dev/dm-*", READS_AND_CHANGES, disk},
	{"/dev/md*", READS_AND_CHANGES, disk},
	{"/dev/loop*", READS_AND_CHANGES, disk},
	{"/dev/sd*", READS_AND_CHANGES, disk},
	{"/dev/*vd*", READS_AND_CHANGES, disk},
	{"/dev/nvme*", READS_AND_CHANGES, disk},
	{"/dev/mmcblk*", READS_AND_CHANGES, disk},
	{"/dev/input", READS_AND_CHANGES, input},
	{"/dev/hidraw*", READS_AND_CHANGES, input},
	{"/dev/uinput", READS_AND_CHANGES, input},
	{"/proc", CHANGES, kernel},
	{"/sys", CHANGES, kernel},
};

/* Anywhere in a path. */
static const char *const keyrings[] = {"/.ssh", "/.gnupg"};

static bool has_component(const char *path, const char *component)
{
	size_t length = strlen(component);

	for (const char *at = strstr(path, component); at != NULL; at = strstr(at + 1, component)) {
		if (at[length] == '\0' || at[length] == '/')
			return true;
	}
	return false;
}

static bool is_in_tree(const char *path, const char *pattern)
{
	return fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0;
}

/* The bytes end in a NUL, as all that comes from a log. */
static const char *path_find(const struct wanted *wanted)
{
	static const char old_run[] = "/var/run/"; /* a link to /run */
	const char *path = wanted->path;

	if (strncmp(path, old_run, strlen(old_run)) == 0)
		path += strlen("/var");
	for (size_t i = 0; i < sizeof(keyrings) / sizeof(keyrings[0]); i++) {
		if ((wanted->verbs & READS_AND_CHANGES) != 0 && has_component(path, keyrings[i]))
			return keys;
	}
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		if ((wanted->verbs & trees[i].verbs) != 0 && is_in_tree(path, trees[i].pattern))
			return trees[i].reason;
	}
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

const char *caution_remark(const struct wanted *wanted)
{
	if (wanted->path == NULL || (wanted->verbs & READS) == 0 ||
		!is_in_tree(wanted->path, "/etc/ssl/private"))
		return NULL;
	return "a private key: who has it can pass for whom it is";
}
