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

/*
 * Names that are numbered, or lettered, as the devices are found, and beside which udev keeps links:
 * 60-persistent-storage.rules and its like. Other numbers are those of a port or of a driver.
 */
static const struct {
	const char *folder, *start; /* folder "": in /dev itself */
	bool is_lettered;
} counted_names[] = {
	{"", "sd", true},
	{"", "hd", true},
	{"", "vd", true},
	{"", "xvd", true},
	{"", "nvme", false},
	{"", "mmcblk", false},
	{"", "sr", false},
	{"", "st", false},
	{"", "nst", false},
	{"", "md", false},
	{"", "dm-", false},
	{"", "ttyUSB", false},
	{"", "ttyACM", false},
	{"", "video", false},
	{"", "media", false},
	{"", "hidraw", false},
	{"input", "event", false},
	{"input", "mouse", false},
	{"input", "js", false},
	{"dri", "card", false},
	{"dri", "renderD", false},
	{"snd", "controlC", false},
	{"snd", "pcmC", false},
	{"snd", "midiC", false},
};

static bool name_is_counted(const struct component *name, const char *start, bool is_lettered)
{
	size_t length = strlen(start);
	if (!component_begins(name, start) || name->length == length)
		return false;
	uint8_t next = name->bytes[length];
	return is_lettered ? next >= 'a' && next <= 'z' : next >= '0' && next <= '9';
}

static bool device_is_counted(const struct component *names, uint32_t count)
{
	for (size_t i = 0; i < COUNT(counted_names) && count <= 2; i++) {
		const char *folder = counted_names[i].folder;
		if (count == 2 ? component_is(&names[0], folder) : !folder[0]) {
			if (name_is_counted(&names[count - 1], counted_names[i].start,
				    counted_names[i].is_lettered))
				return true;
		}
	}
	return false;
}

/* Folders of /dev that have no devices in them: shm_overview(7), mq_overview(7). */
static bool device_is_file(const struct component *names)
{
	static const char *const folders[] = {"shm", "mqueue", "hugepages", "fd"};
	for (size_t i = 0; i < COUNT(folders); i++) {
		if (component_is(&names[0], folders[i]))
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
	const struct component *names = pattern->components + 1;
	uint32_t count = pattern->component_count - 1u;
	if (device_is_counted(names, count))
		set_report(set, POLICY_NOTE, &object->where,
			"name a link that udev keeps, as in /dev/serial/by-id/... or "
			"/dev/disk/by-uuid/...",
			"this name may mean another device after a reboot");
	if (rule->named_verbs & VERBS_THAT_OPEN &&
		!(rule->options.types & (POLICY_TYPE_DEVICE | POLICY_TYPE_BLOCK)))
		set_report(set, POLICY_NOTE, &object->where,
			"add: type device (of a disk: type block)",
			"what is not a regular file is refused: this rule opens no device");
}
