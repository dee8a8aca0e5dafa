/* SPDX-License-Identifier: MIT */
/* allow and deny lines: verbs, objects, options. */
#include "parse.h"

#include "language.h"

#define ALL_VERBS ((1u << POLICY_VERB_COUNT) - 1)

int verb_find(const char *bytes, uint32_t length)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
		const char *name = verb_words[verb].name;
		if (strlen(name) == length && memcmp(name, bytes, length) == 0)
			return verb;
	}
	return -1;
}

/* System calls and what else is taken for a verb. */
static const struct {
	const char *word, *remedy;
} near_verbs[] = {
	{"listen", "did you mean 'bind'?"},
	{"unlink", "did you mean 'remove'?"},
	{"delete", "did you mean 'remove'?"},
	{"rmdir", "did you mean 'remove'?"},
	{"lstat", "did you mean 'stat'?"},
	{"access", "did you mean 'stat'?"},
	{"readlink", "did you mean 'stat'?"},
	{"mkdir", "write 'create', and after the path: type directory"},
	{"rename", "a rename needs 'remove' here, and 'create' of the new name"},
};

/* NULL: it is none of these. */
static const char *verb_find_remedy(const char *bytes, uint32_t length)
{
	for (size_t i = 0; i < sizeof(near_verbs) / sizeof(*near_verbs); i++) {
		if (strlen(near_verbs[i].word) == length &&
			memcmp(bytes, near_verbs[i].word, length) == 0)
			return near_verbs[i].remedy;
	}
	return NULL;
}

static void verb_report_unknown(struct parser *parser, const struct word *word, uint32_t first,
	uint32_t length, enum effect effect)
{
	const char *names[POLICY_VERB_COUNT + 1]; /* and `all` */
	const char *remedy = verb_find_remedy(word->bytes + first, length);
	size_t count = POLICY_VERB_COUNT;
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		names[verb] = verb_words[verb].name;
	if (effect == EFFECT_DENY && length == word->length)
		names[count++] = "all";
	if (!length)
		report_part(parser, word, first, 1, "write the verbs without blanks: read,write",
			"a verb is missing");
	else if (effect == EFFECT_ALLOW && length == 3 &&
		 memcmp(word->bytes + first, "all", 3) == 0)
		report_part(parser, word, first, length, "name the verbs that are meant",
			"'all' goes with deny only");
	else if (remedy)
		report_part(parser, word, first, length, remedy, "unknown verb '%s'",
			text_quote(word->bytes + first, length).text);
	else {
		struct span where = word_part(parser->set, word, first, length);
		report_unknown(parser, &where, word->bytes + first, length, "verb", names, count,
			"the verbs are: read write append create remove stat list watch bind "
			"connect socket option resolve credential");
	}
}

/* What the words of a rule have been found to say. */
struct rule_parser {
	enum effect effect;
	struct rule rule;
	bool is_all; /* deny all */
	bool is_valid;
	uint32_t kinds;   /* KIND_BIT of every object on the line */
	uint32_t objects; /* of those that were parsed so far */
};

static void verb_parse(struct parser *parser, struct rule_parser *line, const struct word *word,
	uint32_t first, uint32_t length)
{
	int verb = verb_find(word->bytes + first, length);
	if (verb < 0) {
		verb_report_unknown(parser, word, first, length, line->effect);
		line->is_valid = false;
		return;
	}
	const struct verb_word *verb_word = &verb_words[verb];
	line->rule.named_verbs |= POLICY_BIT(verb);
	line->rule.effective_verbs |=
		line->effect == EFFECT_ALLOW ? verb_word->grants : verb_word->covers;
	if (verb != POLICY_CREDENTIAL || line->effect == EFFECT_DENY)
		return;
	struct span where = word_part(parser->set, word, first, length);
	set_report(parser->set, POLICY_NOTE, &where,
		"until it does, a service can read the file itself: allow read /PATH",
		"this version of fdbrokerd does not hand out credentials yet");
}

static bool verbs_parse(struct parser *parser, struct rule_parser *line)
{
	if (parser->line.words.count < 2) {
		set_report(parser->set, POLICY_ERROR, &parser->line.end,
			line->effect == EFFECT_ALLOW
				? "write: allow VERBS OBJECT..., as in allow read /etc/motd"
				: "write: deny VERBS OBJECT..., as in deny all /etc/shadow",
			"a verb is missing");
		return false;
	}
	const struct word *word = &parser->line.words.items[1];
	line->rule.verbs_where = word->where;
	if (word->is_quoted) {
		report_word(parser, word, "remove the quotes", "a quoted word is never a verb");
		return false;
	}
	if (line->effect == EFFECT_DENY && word_is(word, "all")) {
		line->is_all = true;
		line->rule.named_verbs = line->rule.effective_verbs = ALL_VERBS;
		return true;
	}
	if (object_find_kind(word) != OBJECT_KIND_COUNT) {
		report_word(parser, word,
			line->effect == EFFECT_ALLOW
				? "write what may be done before it, as in: allow read /a"
				: "write what must not be done before it, as in: deny all /a",
			"a verb is missing before '%s'", word_quote(word).text);
		return false;
	}
	for (uint32_t at = 0; at <= word->length;) {
		uint32_t comma = word_find(word, at, ',');
		verb_parse(parser, line, word, at, comma - at);
		at = comma + 1;
	}
	/* What follows a comma and a blank is another verb, and no object. */
	return line->rule.named_verbs != 0 && word->bytes[word->length - 1] != ',';
}

static bool word_starts_with(const struct word *word, const char *start)
{
	size_t length = strlen(start);
	return word->length >= length && memcmp(word->bytes, start, length) == 0;
}

enum object_kind object_find_kind(const struct word *word)
{
	if (word->length &&
		(word->bytes[0] == '/' || (word_has(word, 0, '%') && word_has(word, 1, 'h'))))
		return OBJECT_PATH;
	if (word_is(word, "icmp"))
		return OBJECT_ICMP;
	if (word_is(word, "icmp6"))
		return OBJECT_ICMP6;
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		if (object_words[kind].start && word_starts_with(word, object_words[kind].start))
			return (enum object_kind)kind;
	}
	uint32_t equals = word_find(word, 0, '=');
	if (!equals || equals == word->length || word_find(word, 0, '/') < equals)
		return OBJECT_KIND_COUNT;
	bool is_path = equals + 1 < word->length &&
		       (word->bytes[equals + 1] == '/' || (word_has(word, equals + 1, '%') &&
								  word_has(word, equals + 2, 'h')));
	return is_path ? OBJECT_CREDENTIAL : OBJECT_SETTING;
}

static bool word_is_object(const struct word *word)
{
	return (word_has(word, 0, '%') && word_has(word, 1, 'h')) ||
	       word_find(word, 0, '/') < word->length || word_find(word, 0, ':') < word->length ||
	       word_find(word, 0, '=') < word->length || word_is(word, "icmp") ||
	       word_is(word, "icmp6");
}

static bool verbs_take_paths(uint32_t verbs)
{
	bool is_path = false;
	for (int verb = 0; verb < POLICY_VERB_COUNT; verb++)
		is_path = is_path || (verbs & POLICY_BIT(verb) &&
					     verb_words[verb].objects & KIND_BIT(OBJECT_PATH));
	return is_path;
}

/* What stands where an absolute path belongs. */
static void path_report(struct parser *parser, const struct word *word)
{
	if (word->bytes[0] == '\'')
		report_word(parser, word, "a path with a blank stands in double quotes",
			"single quotes enclose nothing");
	else if (word->bytes[0] == '~')
		report_word(parser, word, "write %h/... for what is in the peer's home",
			"'%s' is not an absolute path", word_quote(word).text);
	else
		report_word(parser, word, "paths begin with a slash, or with %h/",
			"'%s' is not an absolute path", word_quote(word).text);
}

/* Protocols that are known elsewhere, and are none of ours, however near their names. */
static bool kind_is_elsewhere(const char *bytes, uint32_t length)
{
	static const char *const kinds[] = {"sctp:", "dccp:", "udplite:", "mptcp:"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strlen(kinds[i]) == length && memcmp(kinds[i], bytes, length) == 0)
			return true;
	}
	return false;
}

static void object_report_unknown(struct parser *parser, const struct word *word, uint32_t verbs)
{
	const char *starts[OBJECT_KIND_COUNT] = {"icmp", "icmp6"}; /* those without a colon */
	size_t count = 2;
	uint32_t colon = word_find(word, 0, ':'), slash = word_find(word, 0, '/');
	if (colon >= slash && !verbs_take_paths(verbs)) {
		report_word(parser, word, hint_no_object(word, verbs).text, "'%s' is no object",
			word_quote(word).text);
		return;
	}
	if (colon >= slash) {
		path_report(parser, word);
		return;
	}
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		if (object_words[kind].start)
			starts[count++] = object_words[kind].start;
	}
	struct span where = word_part(parser->set, word, 0, colon + 1);
	bool is_elsewhere = kind_is_elsewhere(word->bytes, colon + 1);
	report_unknown(parser, &where, word->bytes, colon + 1, "kind of endpoint", starts,
		is_elsewhere ? 0 : count,
		"endpoints begin with their kind, as in tcp:80, paths with a slash");
}

/* A credential that was taken for the value of a setting, since no path stands behind its name. */
static bool credential_report_path(struct parser *parser, const struct word *word)
{
	uint32_t equals = word_find(word, 0, '=');
	const struct part value = {word, equals + 1, word->length - equals - 1};
	if (!value.length)
		return part_report(parser, &(struct part){word, equals, 1},
			"write it after the '=', as in tls.key=/etc/app/tls.key",
			"the path is missing");
	return part_report(parser, &value, "paths begin with a slash, or with %h/",
		"'%s' is not an absolute path", part_quote(&value).text);
}

/* Each verb of the line must make sense for each object. */
static bool object_check_verbs(struct parser *parser, const struct rule_parser *line,
	const struct word *word, enum object_kind kind)
{
	for (int verb = 0; verb < POLICY_VERB_COUNT && !line->is_all; verb++) {
		bool is_named = line->rule.named_verbs & POLICY_BIT(verb);
		if (!is_named || verb_words[verb].objects & KIND_BIT(kind))
			continue;
		if (verb == POLICY_CREDENTIAL && kind == OBJECT_SETTING)
			return credential_report_path(parser, word);
		struct hint hint = hint_verb_object((enum policy_verb)verb, kind, line->kinds);
		if (verb == POLICY_BIND && kind == OBJECT_PATH)
			snprintf(hint.text, sizeof(hint.text), "write unix:%s",
				word_quote(word).text);
		report_word(parser, word, hint.text, "'%s' does not go with %s",
			verb_words[verb].name, object_words[kind].name);
		return false;
	}
	return true;
}

/* A longer path can never be asked for; of a pattern that can be told only when it is literal. */
static bool unix_parse(
	struct parser *parser, const struct word *word, uint32_t first, struct object *object)
{
	const struct part path = {word, first, word->length - first};
	if (!pattern_parse(parser->set, word, first, path.length, &object->pattern))
		return false;
	uint32_t length = 0;
	if (!object->pattern.component_count)
		return part_report(
			parser, &path, "write a path below it", "'/' alone is no path of a socket");
	for (uint32_t i = 0; i < object->pattern.component_count; i++) {
		const struct component *component = &object->pattern.components[i];
		if (component->kind != COMPONENT_LITERAL)
			return true;
		length += 1u + component->length;
	}
	if (length <= POLICY_UNIX_PATH_MAX)
		return true;
	return part_report(parser, &path, "choose a shorter one: unix(7)",
		"a unix socket's path has at most %u bytes", POLICY_UNIX_PATH_MAX);
}

static bool byte_is_credential(char byte)
{
	return byte_is_name(byte) && byte != '+';
}

/*
 * NAME=/PATH. The name is one that systemd takes too, systemd.exec(5): it becomes that of a file in
 * the service's folder of credentials.
 */
static bool credential_parse(
	struct parser *parser, const struct word *word, uint32_t equals, struct object *object)
{
	const struct part name = {word, 0, equals};
	bool is_dots =
		word->bytes[0] == '.' && (equals == 1 || (equals == 2 && word->bytes[1] == '.'));
	if (!part_is(&name, byte_is_credential) || is_dots)
		return part_report(parser, &name,
			"write letters, digits, '.', '_' and '-', as in tls.key=/etc/app/tls.key",
			"'%s' is no name of a credential", part_quote(&name).text);
	if (equals > POLICY_COMPONENT_MAX)
		return part_report(parser, &name, "choose a shorter one",
			"the name of a credential has at most %u bytes", POLICY_COMPONENT_MAX);
	const struct part path = {word, equals + 1, word->length - equals - 1};
	object->address.name = set_copy(parser->set, word->bytes, equals);
	object->address.name_length = equals;
	if (!object->address.name ||
		!pattern_parse(parser->set, word, path.first, path.length, &object->pattern))
		return false;
	return object->pattern.component_count || object->pattern.is_home ||
	       part_report(parser, &path, "write the path of a file", "'/' is no file");
}

bool object_parse_kind(
	struct parser *parser, uint32_t verbs, const struct word *word, struct object *object)
{
	uint32_t first = word_find(word, 0, ':') + 1;
	switch (object->kind) {
	case OBJECT_PATH:
		return pattern_parse(parser->set, word, 0, word->length, &object->pattern);
	case OBJECT_UNIX:
		return unix_parse(parser, word, first, object);
	case OBJECT_CREDENTIAL:
		return credential_parse(parser, word, word_find(word, 0, '='), object);
	case OBJECT_TCP:
	case OBJECT_UDP:
		return endpoint_parse(parser, word, verbs & POLICY_BIT(POLICY_BIND), object);
	case OBJECT_VSOCK:
		return vsock_parse(parser, word, verbs & POLICY_BIT(POLICY_SOCKET), object);
	case OBJECT_HOST:
		return host_parse(parser, &(struct part){word, first, word->length - first}, false,
			&object->address);
	case OBJECT_RAW:
		return raw_parse(parser, word, object);
	case OBJECT_NETLINK:
		return netlink_parse(parser, word, object);
	case OBJECT_TUN:
	case OBJECT_TAP:
		return device_parse(parser, word, first, object);
	case OBJECT_SETTING:
		return setting_parse(parser, word, object);
	case OBJECT_ICMP:
	case OBJECT_ICMP6:
	case OBJECT_KIND_COUNT:
		return true;
	}
	return false;
}

static bool object_parse(struct parser *parser, struct rule_parser *line, const struct word *word)
{
	struct object object = {
		.kind = object_find_kind(word), .where = word->where, .address.interface = NONE};
	if (object.kind == OBJECT_KIND_COUNT) {
		object_report_unknown(parser, word, line->rule.named_verbs);
		return false;
	}
	object.endpoint = object_words[object.kind].endpoint;
	line->objects |= KIND_BIT(object.kind);
	if (!object_check_verbs(parser, line, word, object.kind) ||
		!object_parse_kind(
			parser, line->is_all ? 0 : line->rule.named_verbs, word, &object))
		return false;
	if (parser->set->objects.count == POLICY_OBJECTS_MAX) {
		report_word(
			parser, word, "use wildcards", "more than %u objects", POLICY_OBJECTS_MAX);
		return false;
	}
	struct object *added = set_append(parser->set, objects);
	if (added)
		*added = object;
	return added != NULL;
}

/* `allow read list /a`: verbs that stand apart. */
static void verb_report_apart(
	struct parser *parser, const struct word *verbs, const struct word *word)
{
	struct hint hint;
	snprintf(hint.text, sizeof(hint.text), "join verbs by a comma: %.60s,%.60s",
		word_quote(verbs).text, word_quote(word).text);
	report_word(parser, word, hint.text, "'%s' is no object", word_quote(word).text);
}

/* Whether the words after this one, which is in error, were meant to be part of it. */
static bool word_is_torn(const struct word *word)
{
	return !word->is_quoted && word->length &&
	       (word->bytes[0] == '\'' || word->bytes[word->length - 1] == ',');
}

/* Objects end where the options begin. Returns the first word after them. */
static uint32_t objects_parse(struct parser *parser, struct rule_parser *line)
{
	const struct word *words = parser->line.words.items;
	uint32_t count = parser->line.words.count, at = 2;
	for (uint32_t i = at; i < count && word_is_object(&words[i]); i++)
		line->kinds |= KIND_BIT(object_find_kind(&words[i]));
	for (; at < count && word_is_object(&words[at]); at++) {
		bool is_valid = object_parse(parser, line, &words[at]);
		line->is_valid = is_valid && line->is_valid;
		if (!is_valid && word_is_torn(&words[at]))
			return count;
	}
	if (at > 2)
		return at;
	line->is_valid = false;
	if (at == count || word_is_option(&words[at]))
		set_report(parser->set, POLICY_ERROR,
			at == count ? &parser->line.end : &words[at].where,
			"write a path or an endpoint after the verbs", "an object is missing");
	else if (!words[at].is_quoted &&
		 verb_find(words[at].bytes, word_find(&words[at], 0, ',')) >= 0)
		verb_report_apart(parser, &words[1], &words[at]);
	else
		report_word(parser, &words[at],
			hint_no_object(&words[at], line->rule.named_verbs).text,
			"'%s' is no object", word_quote(&words[at]).text);
	return count;
}

static void rule_add(struct parser *parser, const struct rule *rule)
{
	struct policy_set *set = parser->set;
	if (set->rules.count == POLICY_RULES_MAX) {
		set_report(set, POLICY_ERROR, &rule->where, "use wildcards, or join lines",
			"more than %u rules", POLICY_RULES_MAX);
		return;
	}
	struct rule *added = set_append(set, rules);
	if (added)
		*added = *rule;
}

/* Brings the unix sockets among the objects from `first` on to their end. Returns how many. */
static uint32_t unix_objects_part(struct policy_set *set, uint32_t first)
{
	uint32_t kept = first;
	for (uint32_t i = first; i < set->objects.count; i++) {
		struct object object = set->objects.items[i];
		if (object.kind == OBJECT_UNIX)
			continue;
		set->objects.items[i] = set->objects.items[kept];
		set->objects.items[kept++] = object;
	}
	return set->objects.count - kept;
}

/*
 * `deny all` of a unix socket denies all that can be done to a socket, which is to bind it, and no
 * file that its pattern matches too: it becomes a rule of its own.
 */
static void rule_add_objects(struct parser *parser, struct rule_parser *line)
{
	struct policy_set *set = parser->set;
	struct rule rule = line->rule;
	uint32_t unix_count = line->is_all ? unix_objects_part(set, rule.first_object) : 0;
	rule.object_count = set->objects.count - rule.first_object - unix_count;
	if (rule.object_count || !unix_count)
		rule_add(parser, &rule);
	if (!unix_count)
		return;
	rule.first_object += rule.object_count;
	rule.object_count = unix_count;
	rule.effective_verbs = POLICY_BIT(POLICY_BIND);
	rule_add(parser, &rule);
}

/* The words of the line as they stand in the file, quotes and all: a comment is none of them. */
static const char *line_text(struct parser *parser)
{
	const struct line *line = &parser->line;
	size_t length = 0;
	for (uint32_t i = 0; i < line->words.count; i++)
		length += line->words.items[i].where.width + 1;
	char *text = set_alloc(parser->set, length);
	for (uint32_t i = 0, at = 0; text && i < line->words.count; i++) {
		const struct span *where = &line->words.items[i].where;
		const char *source = parser->scanner.text + where->line_start + where->column - 1;
		memcpy(text + at, source, where->width);
		at += where->width;
		text[at++] = i + 1 < line->words.count ? ' ' : '\0';
	}
	return text;
}

void rule_parse(struct parser *parser, enum effect effect)
{
	struct policy_set *set = parser->set;
	struct client *client = &set->clients.items[parser->client];
	struct rule_parser line = {
		.effect = effect,
		.is_valid = true,
		.rule =
			{
				.effect = effect,
				.client = parser->client,
				.where = parser->line.words.items[0].where,
				.text = line_text(parser),
				.first_object = set->objects.count,
				.as.name = NONE,
				.options =
					{
						.mode = POLICY_MODE_DEFAULT,
						.uid = POLICY_OWNER_DEFAULT,
						.gid = POLICY_OWNER_DEFAULT,
						.types = POLICY_TYPE_FILE,
					},
			},
	};
	if (verbs_parse(parser, &line)) {
		uint32_t options = objects_parse(parser, &line);
		line.is_valid = rule_options_parse(parser, options, line.objects, &line.rule) &&
				line.is_valid;
	}
	/* A rule in error is kept too: the policy is refused, but its block is still to be checked.
	 */
	if (effect == EFFECT_DENY && client->first_deny == NONE)
		client->first_deny = set->rules.count;
	rule_add_objects(parser, &line);
}
