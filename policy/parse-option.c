/* SPDX-License-Identifier: MIT */
/* What may follow the objects of a rule, each option at most once. */
#include "parse.h"

#include "language.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define OBJECTS_FILE (KIND_BIT(OBJECT_PATH) | KIND_BIT(OBJECT_CREDENTIAL))
#define OBJECTS_ALL UINT32_MAX
/* Where a client's own socket is what it is done to. */
#define OBJECTS_SENT (OBJECTS_NETWORK | KIND_BIT(OBJECT_VSOCK) | KIND_BIT(OBJECT_SETTING))
#define VERBS_SENT                                                                                 \
	(POLICY_BIT(POLICY_BIND) | POLICY_BIT(POLICY_CONNECT) | POLICY_BIT(POLICY_OPTION))

static bool mode_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	uint32_t mode = 0;
	bool is_octal = word->length > 1 && word->bytes[0] == '0';
	for (uint32_t i = 0; i < word->length; i++) {
		is_octal =
			is_octal && word->bytes[i] >= '0' && word->bytes[i] <= '7' && mode <= 0777;
		mode = mode * 8 + (uint32_t)(word->bytes[i] - '0');
	}
	rule->options.mode = mode;
	rule->mode_where = word->where;
	if (is_octal && mode <= 0777)
		return true;
	report_word(parser, word,
		"write an octal number with a leading zero, 0 to 0777, as in 0640",
		"'%s' is no mode", word_quote(word).text);
	return false;
}

static bool owner_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	uint32_t colon = word_find(word, 0, ':');
	rule->has_owner = true;
	rule->owner_where = word->where;
	rule->has_owner_group = colon < word->length;
	rule->owner.name = rule->owner_group.name = NONE; /* until they are read */
	return principal_parse(parser, word, 0, colon, POLICY_NAME_USER, &rule->owner) &&
	       (!rule->has_owner_group ||
		       principal_parse(parser, word, colon + 1, word->length - colon - 1,
			       POLICY_NAME_GROUP, &rule->owner_group));
}

/* Always false. */
static bool item_report_missing(struct parser *parser, const struct word *word, uint32_t at)
{
	const struct part part = {word, at, 1};
	return part_report(parser, &part, "write the list without blanks: a,b",
		"an item of the list is missing");
}

static bool type_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	static const char *const types[] = {"file", "directory", "device", "block", "fifo", "any"};
	static const uint8_t bits[] = {POLICY_TYPE_FILE, POLICY_TYPE_DIRECTORY, POLICY_TYPE_DEVICE,
		POLICY_TYPE_BLOCK, POLICY_TYPE_FIFO, POLICY_TYPE_ANY};
	bool is_valid = true;
	rule->options.types = 0;
	for (uint32_t at = 0; at <= word->length;) {
		uint32_t comma = word_find(word, at, ',');
		uint8_t type;
		if (comma == at) {
			is_valid = item_report_missing(parser, word, at);
		} else if (!word_choose(parser, word, at, comma - at, "type", types, COUNT(types),
				   &type)) {
			is_valid = false;
		} else {
			rule->options.types |= bits[type];
			if (bits[type] & POLICY_TYPE_DIRECTORY)
				rule->type_where = word_part(parser->set, word, at, comma - at);
		}
		at = comma + 1;
	}
	return is_valid;
}

static bool symlinks_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	static const char *const choices[] = {
		[POLICY_SYMLINKS_TRUSTED] = "trusted", [POLICY_SYMLINKS_NONE] = "none"};
	return word_choose(parser, word, 0, word->length, "symlinks", choices, COUNT(choices),
		&rule->options.symlinks);
}

const char *const log_words[LOG_WORDS] = {
	[POLICY_LOG_ALL] = "all",
	[POLICY_LOG_DENIED] = "denied",
	[POLICY_LOG_NONE] = "none",
};

static bool log_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	return word_choose(
		parser, word, 0, word->length, "log", log_words, LOG_WORDS, &rule->options.log);
}

/*
 * Digits are an id here too, but whose groups are wanted must be asked for by it: it becomes a name,
 * and the same one however many zeros it begins with.
 */
static bool as_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	char digits[sizeof("4294967295")];
	rule->options.as = word_is(word, "peer") ? POLICY_AS_PEER : POLICY_AS_USER;
	if (rule->options.as == POLICY_AS_PEER)
		return true;
	if (!principal_parse(parser, word, 0, word->length, POLICY_NAME_ACCOUNT, &rule->as))
		return false;
	if (rule->as.name == NONE) {
		int length = snprintf(digits, sizeof(digits), "%u", rule->as.id);
		rule->as.name = set_name(parser->set, POLICY_NAME_ACCOUNT, digits, (size_t)length);
	}
	return rule->as.name != NONE;
}

static bool max_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	if (!size_parse(word->bytes, word->length, &rule->options.copy_max))
		report_word(parser, word,
			"write a number of bytes below 4G, which may end in K, M or G, as in 8M",
			"'%s' is no size", word_quote(word).text);
	else if (!rule->options.copy_max)
		report_word(parser, word, "write at least 1", "a copy of no bytes is of no use");
	else
		return true;
	return false;
}

/* device=IF */
static bool with_device_parse(struct parser *parser, const struct part *part, struct rule *rule)
{
	const uint32_t keyword = (uint32_t)strlen("device=");
	const struct part name = {part->word, part->first + keyword, part->length - keyword};
	if (rule->options.device)
		return part_report(parser, part, "name one interface", "'device' is written twice");
	if (!device_check(parser, &name))
		return false;
	rule->options.device = set_copy(parser->set, part_bytes(&name), name.length);
	return rule->options.device != NULL;
}

const struct with_word with_words[WITH_WORDS] = {
	{"freebind", POLICY_WITH_FREEBIND},
	{"transparent", POLICY_WITH_TRANSPARENT},
	{"reuseport", POLICY_WITH_REUSEPORT},
	{"v6only", POLICY_WITH_V6ONLY},
};

static bool with_item_parse(struct parser *parser, const struct part *part, struct rule *rule)
{
	const char *choices[WITH_WORDS + 1] = {[WITH_WORDS] = "device=IF"};
	uint8_t chosen;
	if (!part->length)
		return item_report_missing(parser, part->word, part->first);
	if (part->length >= 7 && memcmp(part_bytes(part), "device=", 7) == 0)
		return with_device_parse(parser, part, rule);
	for (size_t i = 0; i < WITH_WORDS; i++)
		choices[i] = with_words[i].name;
	/* "device=IF" itself has been taken for an interface of that name. */
	if (!word_choose(parser, part->word, part->first, part->length, "item of 'with'", choices,
		    COUNT(choices), &chosen))
		return false;
	if (rule->options.with & with_words[chosen].bit)
		return part_report(
			parser, part, "write it once", "'%s' is written twice", choices[chosen]);
	rule->options.with |= with_words[chosen].bit;
	return true;
}

static bool with_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	bool is_valid = true;
	for (uint32_t at = 0; at <= word->length;) {
		uint32_t comma = word_find(word, at, ',');
		const struct part part = {word, at, comma - at};
		is_valid = with_item_parse(parser, &part, rule) && is_valid;
		at = comma + 1;
	}
	return is_valid;
}

static bool netns_parse(struct parser *parser, const struct word *word, struct rule *rule)
{
	static const char *const choices[] = {[POLICY_NETNS_BROKER] = "broker",
		[POLICY_NETNS_PEER] = "peer",
		[POLICY_NETNS_ANY] = "any"};
	return word_choose(parser, word, 0, word->length, "netns", choices, COUNT(choices),
		&rule->options.netns);
}

enum option_number {
	OPTION_MODE,
	OPTION_OWNER,
	OPTION_TYPE,
	OPTION_SYMLINKS,
	OPTION_AS,
	OPTION_COPY,
	OPTION_MAX,
	OPTION_WITH,
	OPTION_NETNS,
	OPTION_LOG,
	OPTION_COUNT,
};

static const struct option {
	const char *keyword;
	/* NULL: it has no value */
	bool (*parse)(struct parser *parser, const struct word *word, struct rule *rule);
	uint32_t objects, verbs; /* what it goes with */
	const char *form;        /* of its value, for remedies */
} options[OPTION_COUNT] = {
	[OPTION_MODE] = {"mode", mode_parse, OBJECTS_PATTERN, VERBS_ALL,
		"an octal number, as in mode 0640"},
	[OPTION_OWNER] = {"owner", owner_parse, OBJECTS_PATTERN, VERBS_ALL,
		"owner USER or owner USER:GROUP"},
	[OPTION_TYPE] = {"type", type_parse, OBJECTS_FILE, VERBS_ALL,
		"type, and of these: file,directory,device,block,fifo,any"},
	[OPTION_SYMLINKS] = {"symlinks", symlinks_parse, OBJECTS_FILE | KIND_BIT(OBJECT_UNIX),
		VERBS_ALL, "symlinks trusted or symlinks none"},
	[OPTION_AS] = {"as", as_parse, KIND_BIT(OBJECT_PATH), VERBS_ALL, "as peer, or as USER"},
	[OPTION_COPY] = {"copy", NULL, KIND_BIT(OBJECT_PATH), POLICY_BIT(POLICY_READ), NULL},
	[OPTION_MAX] = {"max", max_parse, KIND_BIT(OBJECT_PATH), POLICY_BIT(POLICY_READ),
		"a size, as in max 8M"},
	[OPTION_WITH] = {"with", with_parse, OBJECTS_NETWORK, POLICY_BIT(POLICY_BIND),
		"with, and of these: freebind,transparent,reuseport,v6only,device=IF"},
	[OPTION_NETNS] = {"netns", netns_parse, OBJECTS_SENT, VERBS_SENT,
		"netns broker, netns peer or netns any"},
	[OPTION_LOG] = {"log", log_parse, OBJECTS_ALL, VERBS_ALL,
		"log all, log denied or log none"},
};

static const struct option *option_find(const struct word *word)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (word_is(word, options[i].keyword))
			return &options[i];
	}
	return NULL;
}

bool word_is_option(const struct word *word)
{
	return option_find(word) != NULL;
}

#define OPTIONS_ALL "the options are: mode owner type symlinks as copy max with netns log"

/* What an unknown word, that stands behind the objects and never first, was meant for. */
static struct hint option_find_remedy(const struct word *word)
{
	const struct word *before = word - 1;
	struct hint hint = {OPTIONS_ALL};
	uint32_t size;
	if (word_is(before, "copy") && size_parse(word->bytes, word->length, &size))
		snprintf(hint.text, sizeof(hint.text), "write: copy max %s", word_quote(word).text);
	else if (word_is(word, "}"))
		return (struct hint){"put it on a line of its own"};
	else if (word->bytes[0] == ',')
		return (struct hint){"write lists without blanks: a,b"};
	else if (object_find_kind(before) == OBJECT_PATH && !before->is_quoted)
		return (struct hint){OPTIONS_ALL "; a path with a blank stands in double quotes"};
	return hint;
}

static void option_report_unknown(struct parser *parser, const struct word *word)
{
	const char *keywords[OPTION_COUNT];
	for (size_t i = 0; i < OPTION_COUNT; i++)
		keywords[i] = options[i].keyword;
	if (word->is_quoted)
		report_word(parser, word, "remove the quotes", "a quoted word is never an option");
	else if (memchr(word->bytes, '/', word->length) || memchr(word->bytes, ':', word->length))
		report_word(parser, word, "write all objects before the options",
			"'%s' after the options", word_quote(word).text);
	else
		report_unknown(parser, &word->where, word->bytes, word->length, "option", keywords,
			OPTION_COUNT, option_find_remedy(word).text);
}

/* Whether it goes with all verbs and objects of the line. */
static bool option_check_rule(struct parser *parser, const struct word *word,
	const struct option *option, uint32_t objects, uint32_t verbs)
{
	struct hint hint = hint_option(option->keyword, option->verbs, option->objects);
	if (!objects || (!(objects & ~option->objects) && !(verbs & ~option->verbs)))
		return true;
	if (!(objects & option->objects))
		report_word(parser, word, hint.text, "'%s' does not go with %s", option->keyword,
			objects & (objects - 1) ? "any object of the line"
						: object_words[__builtin_ctz(objects)].name);
	else if (objects & ~option->objects)
		report_word(parser, word, "write a line of its own for the other objects",
			"'%s' does not go with every object of the line", option->keyword);
	else if (!(verbs & option->verbs))
		report_word(parser, word, hint.text, "'%s' does not go with %s", option->keyword,
			verbs & (verbs - 1) ? "any verb of the line"
					    : verb_words[__builtin_ctz(verbs)].name);
	else
		report_word(parser, word, "write a line of its own for the other verbs",
			"'%s' does not go with every verb of the line", option->keyword);
	return false;
}

/* Whether the option may stand on this line at all. `seen` has the words of those that did. */
static bool option_check(struct parser *parser, const struct word *word,
	const struct option *option, uint32_t objects, const struct rule *rule,
	const struct word *seen[static OPTION_COUNT])
{
	bool is_again = seen[option - options] != NULL;
	seen[option - options] = word;
	if (is_again)
		report_word(parser, word,
			"an option covers every object of the line; write it once",
			"'%s' is written twice", option->keyword);
	else if (rule->effect == EFFECT_DENY && option != &options[OPTION_LOG])
		report_word(parser, word, "deny takes no option but log",
			"'%s' does not go with deny", option->keyword);
	else
		return option_check_rule(parser, word, option, objects, rule->named_verbs);
	return false;
}

/* Whether the options, each of them right, go together. */
static bool options_check(struct parser *parser, const struct word *seen[static OPTION_COUNT],
	const struct rule *rule)
{
	if (seen[OPTION_MAX] && !seen[OPTION_COPY])
		report_word(parser, seen[OPTION_MAX], "write: copy max SIZE",
			"'max' is the size of a 'copy', and there is none");
	else if (seen[OPTION_OWNER] && seen[OPTION_AS])
		report_word(parser, seen[OPTION_OWNER],
			"leave it out: the owner is the user of 'as'",
			"'owner' does not go with 'as'");
	else if (seen[OPTION_COPY] && rule->options.types != POLICY_TYPE_FILE)
		report_word(parser, seen[OPTION_TYPE],
			"leave it out, or leave out 'copy': only a file has an end to copy to",
			"'copy' goes with type file alone");
	else
		return true;
	return false;
}

static bool options_finish(
	struct parser *parser, const struct word *seen[static OPTION_COUNT], struct rule *rule)
{
	if (!options_check(parser, seen, rule))
		return false;
	if (seen[OPTION_COPY] && !seen[OPTION_MAX])
		rule->options.copy_max = POLICY_COPY_MAX_DEFAULT;
	rule->options.directory_mode = rule->options.mode;
	/* Without search permission not even its owner could use it. */
	if (!seen[OPTION_MODE] && rule->options.types & POLICY_TYPE_DIRECTORY)
		rule->options.directory_mode = POLICY_DIRECTORY_MODE_DEFAULT;
	return true;
}

static void option_report_no_value(struct parser *parser, const struct option *option)
{
	struct hint hint;
	snprintf(hint.text, sizeof(hint.text), "write %s", option->form);
	set_report(parser->set, POLICY_ERROR, &parser->line.end, hint.text, "'%s' without a value",
		option->keyword);
}

static bool word_ends_in_comma(const struct word *word)
{
	return !word->is_quoted && word->length && word->bytes[word->length - 1] == ',';
}

bool rule_options_parse(
	struct parser *parser, uint32_t first_word, uint32_t objects, struct rule *rule)
{
	const struct word *words = parser->line.words.items, *seen[OPTION_COUNT] = {NULL};
	uint32_t count = parser->line.words.count;
	bool is_valid = true;
	for (uint32_t at = first_word; at < count;) {
		const struct word *word = &words[at++];
		const struct option *option = option_find(word);
		if (!option) {
			option_report_unknown(parser, word);
			return false;
		}
		is_valid = option_check(parser, word, option, objects, rule, seen) && is_valid;
		if (!option->parse)
			continue;
		if (at == count) {
			option_report_no_value(parser, option);
			return false;
		}
		word = &words[at++];
		if (!option->parse(parser, word, rule)) {
			is_valid = false;
			if (word_ends_in_comma(word))
				return false; /* what follows belongs to the list */
		}
	}
	return is_valid && options_finish(parser, seen, rule);
}
