/* SPDX-License-Identifier: MIT */
/*
 * Whom a block is for: units that are more than they look, conditions that nobody fulfils, and
 * blocks that leave nobody anything.
 */
#include "review.h"

#include "language.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- units that are shared ---- */

/*
 * Units that run whatever their users start. `start` and `end` enclose what differs from one to the
 * next, which is of `bytes` alone where there are some; without an `end` there is only this one. By
 * the examples it is seen whether a glob matches such a unit.
 */
#define EXAMPLES_MAX 4u
static const struct shared_unit {
	const char *start, *end, *bytes;
	const char *examples[EXAMPLES_MAX];
} shared_units[] = {
	{"session-", ".scope", NULL,
		{"session-1.scope", "session-c1.scope", "session-10.scope", "session-100.scope"}},
	{"user@", ".service", NULL,
		{"user@1000.service", "user@1001.service", "user@0.service", "user@60001.service"}},
	{"cron.service", NULL, NULL, {"cron.service"}},
	{"crond.service", NULL, NULL, {"crond.service"}},
	{"cronie.service", NULL, NULL, {"cronie.service"}},
	{"atd.service", NULL, NULL, {"atd.service"}},
	{"ssh.service", NULL, NULL, {"ssh.service"}},
	{"sshd.service", NULL, NULL, {"sshd.service"}},
	{"ssh@", ".service", NULL, {"ssh@0.service", "ssh@1-10.0.0.1:22-10.0.0.2:50000.service"}},
	{"sshd@", ".service", NULL,
		{"sshd@0.service", "sshd@1-10.0.0.1:22-10.0.0.2:50000.service"}},
	{"getty@", ".service", NULL, {"getty@tty1.service", "getty@tty2.service"}},
	{"serial-getty@", ".service", NULL,
		{"serial-getty@ttyS0.service", "serial-getty@ttyUSB0.service"}},
	{"console-getty.service", NULL, NULL, {"console-getty.service"}},
	{"anacron.service", NULL, NULL, {"anacron.service"}},
	{"gdm.service", NULL, NULL, {"gdm.service"}},
	{"gdm3.service", NULL, NULL, {"gdm3.service"}},
	{"lightdm.service", NULL, NULL, {"lightdm.service"}},
	{"sddm.service", NULL, NULL, {"sddm.service"}},
	/* systemd-run(1): by its connection, its process, or at random */
	{"run-u", ".service", "0123456789", {"run-u1.service", "run-u10.service"}},
	{"run-u", ".scope", "0123456789", {"run-u1.scope", "run-u10.scope"}},
	{"run-p", ".service", "0123456789-i", {"run-p1.service", "run-p10-i10.service"}},
	{"run-p", ".scope", "0123456789-i", {"run-p1.scope", "run-p10-i10.scope"}},
	{"run-r", ".service", "0123456789abcdef",
		{"run-r0.service", "run-r0123456789abcdef0123456789abcdef.service"}},
	{"run-r", ".scope", "0123456789abcdef",
		{"run-r0.scope", "run-r0123456789abcdef0123456789abcdef.scope"}},
	/* machinectl(1), and what runs containers */
	{"machine-", ".scope", NULL, {"machine-a.scope", "machine-debian.scope"}},
	{"systemd-nspawn@", ".service", NULL,
		{"systemd-nspawn@a.service", "systemd-nspawn@debian.service"}},
	{"docker-", ".scope", NULL, {"docker-0.scope", "docker-a0.scope"}},
	{"libpod-", ".scope", NULL, {"libpod-0.scope", "libpod-a0.scope"}},
	{"crio-", ".scope", NULL, {"crio-0.scope", "crio-a0.scope"}},
	{"cri-containerd-", ".scope", NULL, {"cri-containerd-0.scope", "cri-containerd-a0.scope"}},
};

static bool name_is_shared(const struct shared_unit *shared, const struct component *name)
{
	size_t start = strlen(shared->start), end = shared->end ? strlen(shared->end) : 0;
	if (!shared->end)
		return component_is(name, shared->start);
	if (name->length <= start + end || !component_begins(name, shared->start) ||
		memcmp(name->bytes + name->length - end, shared->end, end) != 0)
		return false;
	for (size_t i = start; shared->bytes && i < name->length - end; i++) {
		if (!memchr(shared->bytes, name->bytes[i], strlen(shared->bytes)))
			return false;
	}
	return true;
}

/* The example that the glob matches, or NULL. */
static const char *glob_find_shared(const struct shared_unit *shared, const struct component *unit)
{
	static const struct variables none;
	for (size_t i = 0; i < EXAMPLES_MAX && shared->examples[i]; i++) {
		const char *example = shared->examples[i];
		if (glob_match(
			    unit->bytes, unit->length, example, strlen(example), &none, SENSE_DENY))
			return example;
	}
	return NULL;
}

/* A unit that is shared, and is this one or matched by it; NULL: there is none. */
static const char *unit_find_shared(const struct component *unit)
{
	for (size_t i = 0; i < COUNT(shared_units); i++) {
		const struct shared_unit *shared = &shared_units[i];
		const char *found = NULL;
		if (unit->kind != COMPONENT_LITERAL)
			found = glob_find_shared(shared, unit);
		else if (name_is_shared(shared, unit))
			found = shared->examples[0];
		if (found)
			return found;
	}
	return NULL;
}

bool policy_unit_is_shared(const char *unit, size_t length)
{
	const struct component name = {.kind = COMPONENT_LITERAL,
		.bytes = (const uint8_t *)unit,
		.length = (uint16_t)length};
	return length <= UINT16_MAX && unit_find_shared(&name);
}

static void review_unit(struct policy_set *set, const struct condition *condition)
{
	static const char remedy[] = "say whose programs are meant: add 'user NAME' to the line";
	const char *shared = unit_find_shared(&condition->unit);
	if (!shared)
		return;
	if (condition->unit.kind == COMPONENT_LITERAL)
		set_report(set, POLICY_WARNING, &condition->where, remedy,
			"this unit runs whatever its users start");
	else
		set_report(set, POLICY_WARNING, &condition->where, remedy,
			"this matches %s too, which runs whatever its users start", shared);
}

/* ---- names of units ---- */

/* From the last dot on, when it is written out; false: it is not, or there is none. */
static bool unit_find_suffix(
	const struct policy_set *set, const struct condition *condition, struct span *suffix)
{
	const char *text = span_text(set, &condition->where);
	uint32_t end = condition->where.width, at = end;
	if (*text == '"')
		return false;
	while (at > 0 && text[at - 1] != '.') {
		if (strchr("*?[]%", text[at - 1]))
			return false;
		at--;
	}
	if (!at)
		return false;
	*suffix = condition->where;
	suffix->column += at - 1;
	suffix->width = end - at + 1;
	return true;
}

/* systemd.unit(5), beginning with those that have processes. */
static const char *const unit_suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap",
	".slice", ".target", ".timer", ".path", ".device", ".automount"};
#define UNIT_SUFFIXES_OF_PROCESSES 5u

static void review_unit_suffix(struct policy_set *set, const struct condition *condition)
{
	struct span where;
	if (!unit_find_suffix(set, condition, &where))
		return;
	const char *suffix = span_text(set, &where);
	size_t number = 0;
	while (number < COUNT(unit_suffixes) &&
		(strlen(unit_suffixes[number]) != where.width ||
			memcmp(unit_suffixes[number], suffix, where.width) != 0))
		number++;
	if (number < UNIT_SUFFIXES_OF_PROCESSES)
		return;
	char guess[64] = "name the unit that the program runs in, as in nginx.service";
	const char *near = NULL;
	if (number == COUNT(unit_suffixes))
		near = word_find_near(suffix, where.width, unit_suffixes, COUNT(unit_suffixes));
	if (near)
		snprintf(guess, sizeof(guess), "did you mean '%s'?", near);
	set_report(set, POLICY_WARNING, &where, guess,
		number < COUNT(unit_suffixes) ? "no program runs in a unit of kind '%s'"
					      : "no unit's name ends in '%s'",
		text_quote(suffix, where.width).text);
}

/* ---- conditions that nobody fulfils ---- */

/* Whether no peer can be of both. */
static bool conditions_exclude(const struct condition *first, const struct condition *second)
{
	if (first->kind != second->kind)
		return false;
	if (first->kind == CONDITION_USER)
		return first->last < second->principal.id || second->last < first->principal.id;
	return first->kind == CONDITION_UNIT && first->unit.kind == COMPONENT_LITERAL &&
	       second->unit.kind == COMPONENT_LITERAL &&
	       (first->unit.length != second->unit.length ||
		       memcmp(first->unit.bytes, second->unit.bytes, first->unit.length) != 0);
}

static void report_excluded(struct policy_set *set, const struct condition *condition)
{
	const char *kind = condition->kind == CONDITION_USER ? "user" : "unit";
	struct quoted name = text_quote(span_text(set, &condition->where), condition->where.width);
	char remedy[sizeof(name) + 96];
	snprintf(remedy, sizeof(remedy),
		"all conditions of a line must hold; write another line: from %s %s", kind,
		name.text);
	set_report(set, POLICY_WARNING, &condition->where, remedy,
		"nobody is both: this line never matches");
}

/* The first condition that one before it excludes. */
static void review_excluded(
	struct policy_set *set, const struct condition *conditions, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t j = 0; j < i && j < REVIEW_CONDITIONS_MAX; j++) {
			if (!conditions_exclude(&conditions[j], &conditions[i]))
				continue;
			report_excluded(set, &conditions[i]);
			return;
		}
	}
}

/* As it is called where this is built: broker/registry.c refuses all that run as it does. */
static void review_user(struct policy_set *set, const struct condition *condition)
{
	uint32_t name = condition->principal.name;
	if (name == NONE || strcmp(set->names.items[name].name, FDBROKER_USER) != 0)
		return;
	set_report(set, POLICY_WARNING, &condition->where,
		"name the user that the client runs as; nothing else should run as this one",
		"'" FDBROKER_USER "' is the broker's own user, who is nobody's client");
}

void review_from(struct policy_set *set, const struct from *from)
{
	const struct condition *conditions = &set->conditions.items[from->first_condition];
	bool is_of_users = false;
	for (uint32_t i = 0; i < from->condition_count; i++) {
		is_of_users |= conditions[i].kind == CONDITION_USER ||
			       conditions[i].kind == CONDITION_GROUP;
		if (conditions[i].kind == CONDITION_USER)
			review_user(set, &conditions[i]);
		if (conditions[i].kind == CONDITION_UNIT)
			review_unit_suffix(set, &conditions[i]);
	}
	if (!from->is_never)
		review_excluded(set, conditions, from->condition_count);
	for (uint32_t i = 0; i < from->condition_count && !is_of_users; i++) {
		if (conditions[i].kind == CONDITION_UNIT)
			review_unit(set, &conditions[i]);
	}
}

/* ---- blocks ---- */

void review_client(struct policy_set *set, const struct client *client)
{
	for (uint32_t i = 0; i < client->rule_count; i++) {
		if (set->rules.items[client->first_rule + i].effect == EFFECT_ALLOW)
			return;
	}
	if (client->is_only)
		set_report(set, POLICY_WARNING, &client->where, "allow in it what is to remain",
			"an 'only' block without an allow takes everything away from its peers");
}
