/* SPDX-License-Identifier: MIT */
/*
 * What is said of a rule because of others: of the whole of it where nothing is left, of a verb where
 * it is denied of every object, else of each object.
 */
#include "review.h"

/* Where the verb stands in its word; all of them stand on one line, without escapes. */
static struct span verb_span(
	const struct policy_set *set, const struct rule *rule, enum policy_verb verb)
{
	struct span span = rule->verbs_where;
	const char *name = policy_verb_name(verb);
	const char *word = set->files.items[span.file].text + span.line_start + span.column - 1;
	uint32_t length = (uint32_t)strlen(name);
	for (uint32_t at = 0; at < span.width;) {
		const char *comma = memchr(word + at, ',', span.width - at);
		uint32_t end = comma ? (uint32_t)(comma - word) : span.width;
		if (end - at == length && memcmp(word + at, name, length) == 0) {
			span.column += at;
			span.width = length;
			return span;
		}
		at = end + 1;
	}
	return span;
}

#define RULE_FILE(set, rule) (set)->files.items[(set)->rules.items[rule].where.file].name
#define RULE_LINE(set, rule) (set)->rules.items[rule].where.line

static void report_needless(const struct subject *subject, uint32_t by)
{
	struct policy_set *set = subject->review->set;
	bool is_deny = subject->rule->effect == EFFECT_DENY;
	if (RULE_LINE(set, by) == subject->rule->where.line &&
		set->rules.items[by].where.file == subject->rule->where.file)
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it out: that changes nothing", "needless: this line %s it already",
			is_deny ? "denies" : "allows");
	else
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it out: that changes nothing", "needless: %s:%u %s it already",
			RULE_FILE(set, by), RULE_LINE(set, by), is_deny ? "denies" : "allows");
}

static void review_needless(const struct subject *subject)
{
	uint32_t by = subject_find_needless(subject);
	if (by != NONE)
		report_needless(subject, by);
}

static struct subject subject_make(struct review *review, uint32_t rule, uint32_t object)
{
	return (struct subject){
		.review = review,
		.rule_number = rule,
		.object_number = object,
		.rule = &review->set->rules.items[rule],
		.object = &review->set->objects.items[object],
	};
}

/* What is looked up by its path alone; a credential also has a name, which tells two apart. */
static bool object_is_reviewed(const struct object *object)
{
	return !object->is_never && object->kind != OBJECT_CREDENTIAL;
}

/* What is denied of every object of an allow rule. */
struct loss {
	uint32_t verbs;  /* of all objects; those that the line implies, too */
	bool has_object; /* else nothing is known */
};

static struct loss rule_find_loss(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	struct loss loss = {.verbs = rule->effective_verbs};
	for (uint32_t i = 0; i < rule->object_count && loss.verbs; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object))
			loss.verbs = subject_find_denied(&subject, loss.verbs).verbs;
		loss.has_object |= object_is_reviewed(subject.object);
	}
	loss.verbs = loss.has_object ? loss.verbs : 0;
	return loss;
}

/* The first object that is looked at, of which a rule has one when it lost something. */
static struct denied_verbs rule_find_denial(struct review *review, uint32_t number, uint32_t verbs)
{
	const struct rule *rule = rule_at(review, number);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object))
			return subject_find_denied(&subject, verbs);
	}
	return (struct denied_verbs){.rule = NONE};
}

static void report_swallowed(struct review *review, uint32_t number)
{
	struct policy_set *set = review->set;
	const struct rule *rule = rule_at(review, number);
	uint32_t deny = rule_find_denial(review, number, rule->effective_verbs).rule;
	set_report(set, POLICY_WARNING, &rule->where, "leave it out, or make the deny narrower",
		"the deny at %s:%u swallows the whole rule", RULE_FILE(set, deny),
		RULE_LINE(set, deny));
}

static void report_verbs(struct review *review, uint32_t number, uint32_t verbs)
{
	struct policy_set *set = review->set;
	const struct rule *rule = rule_at(review, number);
	for (int i = 0; i < POLICY_VERB_COUNT; i++) {
		enum policy_verb verb = (enum policy_verb)i;
		if (!(verbs & POLICY_BIT(verb)))
			continue;
		uint32_t deny = rule_find_denial(review, number, POLICY_BIT(verb)).rule;
		struct span where = verb_span(set, rule, verb);
		set_report(set, POLICY_WARNING, &where, "leave it out, or make the deny narrower",
			"'%s' is denied at %s:%u: this line never allows it",
			policy_verb_name(verb), RULE_FILE(set, deny), RULE_LINE(set, deny));
	}
}

/* Returns whether nothing of the object is left. `told`: the verbs that were reported of all. */
static bool review_denied(const struct subject *subject, uint32_t told)
{
	struct policy_set *set = subject->review->set;
	const struct rule *rule = subject->rule;
	struct denied_verbs denial = subject_find_denied(subject, rule->effective_verbs);
	uint32_t verbs = denial.verbs & rule->named_verbs & ~told;
	bool is_dead = denial.verbs == rule->effective_verbs;
	if (is_dead)
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it out, or make the deny narrower",
			"denied at %s:%u: it allows nothing", RULE_FILE(set, denial.rule),
			RULE_LINE(set, denial.rule));
	else if (verbs)
		denial = subject_find_denied(subject, verbs);
	char denied[POLICY_VERBS_TEXT_MAX];
	if (!is_dead && verbs)
		set_report(set, POLICY_WARNING, &subject->object->where,
			"leave it to a line without the verb, or make the deny narrower",
			"'%s' of it is denied at %s:%u", policy_verbs_text(verbs, denied),
			RULE_FILE(set, denial.rule), RULE_LINE(set, denial.rule));
	return is_dead;
}

static void review_allow(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	uint32_t lost = rule_find_loss(review, number).verbs;
	if (lost == rule->effective_verbs) {
		report_swallowed(review, number);
		return;
	}
	report_verbs(review, number, lost & rule->named_verbs);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object) &&
			!review_denied(&subject, lost & rule->named_verbs))
			review_needless(&subject);
	}
}

static void review_deny(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	for (uint32_t i = 0; i < rule->object_count; i++) {
		struct subject subject = subject_make(review, number, rule->first_object + i);
		if (object_is_reviewed(subject.object))
			review_needless(&subject);
	}
}

void review_rule(struct review *review, uint32_t number)
{
	const struct rule *rule = rule_at(review, number);
	if (rule->is_never)
		return;
	if (rule->effect == EFFECT_ALLOW)
		review_allow(review, number);
	else
		review_deny(review, number);
}
