/* SPDX-License-Identifier: MIT */
/*
 * The way out of what does not go together, made from the tables of the language, so that it
 * cannot name what the parser would not take. It must decide nothing: all of this is an error.
 */
#include "parse.h"

#include "language.h"

/* Writes it behind what is there already, as far as there is room. */
static void hint_add(struct hint *hint, const char *name)
{
	size_t used = strlen(hint->text);
	snprintf(hint->text + used, sizeof(hint->text) - used, " %s", name);
}

static void hint_add_objects(struct hint *hint, uint32_t objects)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		const struct object_word *word = &object_words[kind];
		if (objects & KIND_BIT(kind))
			hint_add(hint, word->start ? word->start : word->form);
	}
}

/* What the verb goes with. */
static struct hint hint_verb(enum policy_verb verb)
{
	struct hint hint;
	snprintf(hint.text, sizeof(hint.text), "'%s' goes with", verb_words[verb].name);
	hint_add_objects(&hint, verb_words[verb].objects);
	return hint;
}

struct hint hint_verb_object(enum policy_verb verb, enum object_kind kind, uint32_t kinds)
{
	struct hint hint = {"write a line for each kind of object"};
	if (verb_words[verb].objects & kinds)
		return hint;
	hint = hint_verb(verb);
	if (verb == POLICY_CONNECT && kind == OBJECT_UNIX)
		hint_add(&hint, "- a unix server would see the broker's credentials");
	return hint;
}

struct hint hint_option(const char *option, uint32_t verbs, uint32_t objects)
{
	struct hint hint;
	snprintf(hint.text, sizeof(hint.text), "'%s' goes with", option);
	for (int verb = 0; verb < POLICY_VERB_COUNT && verbs != VERBS_ALL; verb++) {
		if (verbs & POLICY_BIT(verb))
			hint_add(&hint, verb_words[verb].name);
	}
	if (verbs != VERBS_ALL)
		hint_add(&hint, "of");
	hint_add_objects(&hint, objects);
	return hint;
}

/* How an object is written that begins like this word, or nearly so; "": none does. */
static struct hint find_form(const struct word *word, uint32_t objects)
{
	const char *names[OBJECT_KIND_COUNT + POLICY_KIND_COUNT];
	struct hint hint = {""};
	size_t count = 0;
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		const struct object_word *known = &object_words[kind];
		if (objects & KIND_BIT(kind) && kind != OBJECT_SETTING)
			names[count++] = known->start ? known->start : known->form;
	}
	for (int kind = POLICY_MARK; kind < POLICY_KIND_COUNT; kind++) {
		if (objects & KIND_BIT(OBJECT_SETTING))
			names[count++] = policy_kind_name((enum policy_kind)kind);
	}
	const char *near = word_find_near(word->bytes, word->length, names, count);
	if (!near)
		return hint;
	snprintf(hint.text, sizeof(hint.text), "write %s%s", near,
		objects & KIND_BIT(OBJECT_SETTING) ? "=VALUE" : "");
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		if (near == object_words[kind].start)
			snprintf(hint.text, sizeof(hint.text), "write %s", object_words[kind].form);
	}
	return hint;
}

/* A number, or what could be a service: 15 bytes at most, none a dot (RFC 6335, 5.1). */
static bool word_is_port(const struct word *word)
{
	const struct part part = {word, 0, word->length};
	return word->length <= 15 && part_is(&part, byte_is_name) &&
	       !memchr(word->bytes, '.', word->length);
}

struct hint hint_no_object(const struct word *word, uint32_t verbs)
{
	struct hint hint = {"paths begin with a slash, endpoints with their kind, as in tcp:80"};
	int verb = 0;
	while (verb < POLICY_VERB_COUNT && verbs != POLICY_BIT(verb))
		verb++;
	if (verb == POLICY_VERB_COUNT || verb_words[verb].objects & KIND_BIT(OBJECT_PATH))
		return hint;
	if (verb == POLICY_RESOLVE) {
		snprintf(hint.text, sizeof(hint.text), "write host:%s", word_quote(word).text);
		return hint;
	}
	if (verb == POLICY_SOCKET && word_is(word, "ping"))
		return (struct hint){"write icmp"};
	if (verb == POLICY_SOCKET && word_is(word, "vsock"))
		return (struct hint){"write vsock:*:*"};
	hint = find_form(word, verb_words[verb].objects);
	if (hint.text[0])
		return hint;
	if (word_is_port(word) && (verb == POLICY_BIND || verb == POLICY_CONNECT)) {
		struct quoted port = word_quote(word);
		snprintf(hint.text, sizeof(hint.text), "write tcp:%.32s or udp:%.32s", port.text,
			port.text);
		return hint;
	}
	return hint_verb((enum policy_verb)verb);
}
