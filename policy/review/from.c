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
