/* SPDX-License-Identifier: MIT */
/*
 * Rules about devices: that a name may be of another one tomorrow, and that devices are not opened
 * unless the rule says so. Must never say the first of a name that is always the same device's.
 */
#include "review.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

bool component_is(const struct component *component, const char *name)
{
	return component->length == strlen(name) &&
	       memcmp(component->bytes, name, component->length) == 0;
}

bool component_begins(const struct component *component, const char *start)
{
	return component->length >= strlen(start) &&
	       memcmp(component->bytes, start, strlen(start)) == 0;
}

#define DISKS "/dev/disk/by-id"

/*
 * Names that are numbered, or lettered, as the devices are found, and where udev keeps links beside
 * them: 60-persistent-storage.rules and its like; NULL: nowhere. Other numbers are those of a port
 * or of a driver.
 */
static const struct counted_name {
	const char *folder, *start; /* folder "": in /dev itself */
	bool is_lettered;
	const char *links;
} counted_names[] = {
	{"", "sd", true, DISKS},
	{"", "hd", true, DISKS},
	{"", "vd", true, "/dev/disk/by-path"},
	{"", "xvd", true, "/dev/disk/by-path"},
	{"", "nvme", false, DISKS},
	{"", "mmcblk", false, DISKS},
	{"", "sr", false, DISKS},
	{"", "st", false, "/dev/tape/by-id"},
	{"", "nst", false, "/dev/tape/by-id"},
	{"", "md", false, DISKS},
	{"", "dm-", false, "/dev/mapper"},
	{"", "ttyUSB", false, "/dev/serial/by-id"},
	{"", "ttyACM", false, "/dev/serial/by-id"},
	{"", "video", false, "/dev/v4l/by-id"},
	{"", "media", false, NULL},
	{"", "hidraw", false, NULL},
	{"input", "event", false, "/dev/input/by-path"},
	{"input", "mouse", false, "/dev/input/by-path"},
	{"input", "js", false, "/dev/input/by-id"},
	{"dri", "card", false, "/dev/dri/by-path"},
	{"dri", "renderD", false, "/dev/dri/by-path"},
	{"snd", "controlC", false, "/dev/snd/by-path"},
	{"snd", "pcmC", false, NULL},
	{"snd", "midiC", false, NULL},
};

static bool byte_is_in(uint8_t byte, char first, char last)
{
	return byte >= first && byte <= last;
}

/*
 * The letters of a disk and the digits of its partition, to the end. Disks beyond the hundredth are
 * not told from words that begin so, as /dev/vdso.
 */
static bool name_is_lettered(const struct component *name, size_t at)
{
	size_t first = at;
	while (at < name->length && byte_is_in(name->bytes[at], 'a', 'z'))
		at++;
	if (at == first || at > first + 2 ||
		(at == first + 2 && !byte_is_in(name->bytes[first], 'a', 'c')))
		return false;
	while (at < name->length && byte_is_in(name->bytes[at], '0', '9'))
		at++;
	return at == name->length;
}

static bool name_is_counted(const struct component *name, const struct counted_name *counted)
{
	size_t length = strlen(counted->start);
	if (!component_begins(name, counted->start) || name->length == length)
		return false;
	return counted->is_lettered ? name_is_lettered(name, length)
				    : byte_is_in(name->bytes[length], '0', '9');
}

/* NULL: it is not counted. */
static const struct counted_name *device_find_counted(const struct component *names, uint32_t count)
{
	for (size_t i = 0; i < COUNT(counted_names) && count <= 2; i++) {
		const struct counted_name *counted = &counted_names[i];
		if ((count == 2 ? component_is(&names[0], counted->folder) : !counted->folder[0]) &&
			name_is_counted(&names[count - 1], counted))
			return counted;
	}
	return NULL;
}

static void report_counted(
	struct policy_set *set, const struct object *object, const struct counted_name *counted)
{
	char remedy[96] = "write a udev rule with SYMLINK+= and name that link (udev(7))";
	if (counted->links)
		snprintf(remedy, sizeof(remedy), "name a link that udev keeps: see %s",
			counted->links);
	set_report(set, POLICY_NOTE, &object->where, remedy,
		"this name may mean another device after a reboot");
}

/*
 * What in /dev is no device: folders (shm_overview(7), mq_overview(7)), and the links, sockets and
 * FIFOs that are there by custom (systemd-journald.service(8), initctl of sysvinit).
 */
static bool device_is_file(const struct component *names)
{
	static const char *const others[] = {"shm", "mqueue", "hugepages", "fd", "log", "stdin",
		"stdout", "stderr", "initctl", "xconsole"};
	for (size_t i = 0; i < COUNT(others); i++) {
		if (component_is(&names[0], others[i]))
			return true;
	}
	return false;
}

static bool pattern_is_device(const struct pattern *pattern)
{
	for (uint32_t i = 0; i < pattern->component_count; i++) {
		if (pattern->components[i].kind != COMPONENT_LITERAL)
			return false;
	}
	return !pattern->is_home && pattern->component_count >= 2 &&
	       component_is(&pattern->components[0], "dev") &&
	       !device_is_file(&pattern->components[1]);
}

void review_device(struct policy_set *set, const struct rule *rule, const struct object *object)
{
	const struct pattern *pattern = &object->pattern;
	if (object->kind != OBJECT_PATH || !pattern_is_device(pattern))
		return;
	const struct counted_name *counted =
		device_find_counted(pattern->components + 1, pattern->component_count - 1u);
	if (counted)
		report_counted(set, object, counted);
	/* Whoever has written another type knows of it. */
	if (rule->named_verbs & VERBS_THAT_OPEN && rule->options.types == POLICY_TYPE_FILE)
		set_report(set, POLICY_NOTE, &object->where,
			"add: type device (of a disk: type block)",
			"what is not a regular file is refused: this rule opens no device");
}
