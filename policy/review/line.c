/* SPDX-License-Identifier: MIT */
/*
 * What can be told from one line: that it grants more than it looks, that nobody needs it, that it
 * does not do what it looks like.
 */
#include "review.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define VERBS_THAT_OPEN                                                                            \
	(POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND))

/* ---- directories ---- */

/* A descriptor of a directory is a way to all that is below it, and by `..` to all above. */
static void review_directory(struct policy_set *set, const struct rule *rule)
{
	if (!(rule->named_verbs & VERBS_THAT_OPEN) || !rule->type_where.line)
		return;
	set_report(set, POLICY_WARNING, &rule->type_where,
		"leave it out: 'list' gives the names in a directory; to make one, write 'create' "
		"on a line of its own",
		"who gets a directory can go on to '..' and to all that is below it");
}

/* ---- ports ---- */

/* ip(7), ip_unprivileged_port_start: ports from here on are anybody's. */
#define UNPRIVILEGED_PORT 1024u

static bool ports_are_free(
	const struct policy_set *set, const struct object *object, uint32_t *first, uint32_t *last)
{
	*first = UINT32_MAX;
	*last = 0;
	for (uint32_t i = 0; i < object->range_count; i++) {
		const struct number_range *range = &set->ranges.items[object->first_range + i];
		if (range->is_never || range->first < UNPRIVILEGED_PORT)
			return false;
		*first = range->first < *first ? range->first : *first;
		*last = range->last > *last ? range->last : *last;
	}
	return object->range_count > 0;
}

static void review_ports(
	struct policy_set *set, const struct rule *rule, const struct object *object)
{
	static const char remedy[] =
		"leave it out, unless net.ipv4.ip_unprivileged_port_start is higher here";
	const struct policy_options *options = &rule->options;
	uint32_t first, last;
	bool is_port = object->kind == OBJECT_TCP || object->kind == OBJECT_UDP;
	if (!is_port || !(rule->named_verbs & POLICY_BIT(POLICY_BIND)) || options->with ||
		options->device || options->netns != POLICY_NETNS_BROKER ||
		!ports_are_free(set, object, &first, &last))
		return;
	if (first == last)
		set_report(set, POLICY_NOTE, &object->where, remedy,
			"a program may bind port %u by itself: no broker is needed", first);
	else
		set_report(set, POLICY_NOTE, &object->where, remedy,
			"a program may bind ports %u to %u by itself: no broker is needed", first,
			last);
}

/* ---- devices ---- */

static bool component_is(const struct component *component, const char *name)
{
	return component->length == strlen(name) &&
	       memcmp(component->bytes, name, component->length) == 0;
}

static bool component_begins(const struct component *component, const char *start)
{
	return component->length >= strlen(start) &&
	       memcmp(component->bytes, start, strlen(start)) == 0;
}

/* Names that mean the same device on each machine: Documentation/admin-guide/devices.txt. */
static bool device_is_fixed(const struct component *names, uint32_t count)
{
	static const char *const fixed[] = {"null", "zero", "full", "random", "urandom", "tty",
		"console", "kmsg", "mem", "port", "ptmx", "fuse", "kvm", "uinput", "uhid", "rtc",
		"vhost-net", "vhost-vsock", "vsock", "loop-control", "cuse", "hpet", "watchdog",
		"snapshot", "userfaultfd"};
	if (count == 2)
		return (component_is(&names[0], "net") && component_is(&names[1], "tun")) ||
		       (component_is(&names[0], "mapper") && component_is(&names[1], "control"));
	for (size_t i = 0; i < COUNT(fixed); i++) {
		if (component_is(&names[0], fixed[i]))
			return true;
	}
	return false;
}

/* Links that udev makes by what the device is, or names that somebody chose for it. */
static bool device_is_chosen(const struct component *names, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++) {
		if (component_begins(&names[i], "by-") || component_is(&names[i], "mapper"))
			return true;
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

static void review_device(
	struct policy_set *set, const struct rule *rule, const struct object *object)
{
	const struct pattern *pattern = &object->pattern;
	if (object->kind != OBJECT_PATH || !pattern_is_device(pattern))
		return;
	const struct component *names = pattern->components + 1;
	uint32_t count = pattern->component_count - 1u;
	if (!device_is_fixed(names, count) && !device_is_chosen(names, count))
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

void review_line(struct policy_set *set, const struct rule *rule)
{
	if (rule->effect == EFFECT_DENY)
		return;
	review_directory(set, rule);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		const struct object *object = &set->objects.items[rule->first_object + i];
		review_ports(set, rule, object);
		review_device(set, rule, object);
	}
}

/* ---- units ---- */

/*
 * Units that run whatever their users start, each by an example. `start` and `end` enclose what
 * differs from one to the next; without an `end` there is only this one.
 */
static const struct shared_unit {
	const char *name, *start, *end;
} shared_units[] = {
	{"session-1.scope", "session-", ".scope"},
	{"session-c1.scope", "session-", ".scope"},
	{"user@1000.service", "user@", ".service"},
	{"cron.service", "cron.service", NULL},
	{"crond.service", "crond.service", NULL},
	{"cronie.service", "cronie.service", NULL},
	{"atd.service", "atd.service", NULL},
	{"ssh.service", "ssh.service", NULL},
	{"sshd.service", "sshd.service", NULL},
	{"ssh@0.service", "ssh@", ".service"},
	{"sshd@0.service", "sshd@", ".service"},
	{"getty@tty1.service", "getty@", ".service"},
	{"serial-getty@ttyS0.service", "serial-getty@", ".service"},
	{"console-getty.service", "console-getty.service", NULL},
	{"anacron.service", "anacron.service", NULL},
	{"gdm.service", "gdm.service", NULL},
	{"gdm3.service", "gdm3.service", NULL},
	{"lightdm.service", "lightdm.service", NULL},
	{"sddm.service", "sddm.service", NULL},
	/* systemd-run(1), machinectl(1), and what runs containers */
	{"run-u1.service", "run-", ".service"},
	{"run-u1.scope", "run-", ".scope"},
	{"machine-a.scope", "machine-", ".scope"},
	{"systemd-nspawn@a.service", "systemd-nspawn@", ".service"},
	{"docker-0.scope", "docker-", ".scope"},
	{"libpod-0.scope", "libpod-", ".scope"},
	{"crio-0.scope", "crio-", ".scope"},
	{"cri-containerd-0.scope", "cri-containerd-", ".scope"},
};

static bool name_is_shared(const struct shared_unit *shared, const struct component *name)
{
	size_t start = strlen(shared->start), end = shared->end ? strlen(shared->end) : 0;
	if (!shared->end)
		return component_is(name, shared->name);
	return name->length > start + end && component_begins(name, shared->start) &&
	       memcmp(name->bytes + name->length - end, shared->end, end) == 0;
}

/* A glob is asked by the example, and when it begins as all of the kind do. */
static bool unit_is_shared(const struct shared_unit *shared, const struct component *unit)
{
	static const struct variables none;
	if (unit->kind == COMPONENT_LITERAL)
		return name_is_shared(shared, unit);
	size_t length;
	const uint8_t *prefix = glob_prefix(unit->bytes, unit->length, &length);
	size_t start = strlen(shared->start);
	return glob_match(unit->bytes, unit->length, shared->name, strlen(shared->name), &none,
		       SENSE_DENY) ||
	       (shared->end && length >= start && memcmp(prefix, shared->start, start) == 0);
}

static const struct shared_unit *unit_find_shared(const struct component *unit)
{
	for (size_t i = 0; i < COUNT(shared_units); i++) {
		if (unit_is_shared(&shared_units[i], unit))
			return &shared_units[i];
	}
	return NULL;
}

static void review_unit(struct policy_set *set, const struct condition *condition)
{
	static const char remedy[] = "say whose programs are meant: add 'user NAME' to the line";
	const struct shared_unit *shared = unit_find_shared(&condition->unit);
	if (!shared)
		return;
	if (condition->unit.kind == COMPONENT_LITERAL)
		set_report(set, POLICY_WARNING, &condition->where, remedy,
			"this unit runs whatever its users start");
	else
		set_report(set, POLICY_WARNING, &condition->where, remedy,
			"this matches %s too, which runs whatever its users start", shared->name);
}

void review_from(struct policy_set *set, const struct from *from)
{
	const struct condition *conditions = &set->conditions.items[from->first_condition];
	for (uint32_t i = 0; i < from->condition_count; i++) {
		if (conditions[i].kind == CONDITION_USER || conditions[i].kind == CONDITION_GROUP)
			return;
	}
	for (uint32_t i = 0; i < from->condition_count; i++) {
		if (conditions[i].kind == CONDITION_UNIT)
			review_unit(set, &conditions[i]);
	}
}
