/* SPDX-License-Identifier: MIT */
/*
 * The words become a policy of one rule, which the parser of policies reads and whose messages name
 * what is wrong with them; then the rule's one object must be exact. A path has no part in that: it
 * is the bytes that it is.
 *
 * Must never: give a word another meaning than a policy would.
 */
#include "request.h"

#include "build.h"
#include "language.h"
#include "parse.h"
#include "write.h"

#include <errno.h>
#include <stdlib.h>

#define FILE_NAME "request"

__attribute__((format(printf, 3, 4))) static bool request_fail(
	struct request *request, const char *remedy, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(request->problem, sizeof(request->problem), format, arguments);
	va_end(arguments);
	snprintf(request->remedy, sizeof(request->remedy), "%s", remedy);
	return false;
}

/* ---- as a policy ---- */

static bool set_add_rule(
	struct request *request, const char *verbs, size_t verbs_length, const char *word)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int error = out ? 0 : -ENOMEM;
	if (out) {
		fprintf(out, "client request {\nfrom anyone\nallow %.*s ", (int)verbs_length,
			verbs);
		policy_write_source(word, strlen(word), out);
		fputs("\n}\n", out);
		error = fclose(out) ? -ENOMEM : 0;
	}
	if (!error)
		error = policy_set_add(request->set, FILE_NAME, text, length);
	free(text);
	return error == 0 || request_fail(request, "", "out of memory");
}

/* The first thing that the parser did not like. */
static bool set_check(struct request *request)
{
	size_t count;
	const struct policy_diagnostic *all = policy_set_diagnostics(request->set, &count);
	for (size_t i = 0; i < count; i++) {
		if (all[i].severity == POLICY_ERROR)
			return request_fail(
				request, all[i].remedy ? all[i].remedy : "", "%s", all[i].message);
	}
	return true;
}

/* ---- exactness ---- */

/* What is to be written instead of a pattern. */
static const char *const exact_forms[OBJECT_KIND_COUNT] = {
	[OBJECT_TCP] = "write one address and one port, as in tcp:127.0.0.1:80, or tcp:80 to bind "
		       "all addresses",
	[OBJECT_UDP] = "write one address and one port, as in udp:127.0.0.1:53, or udp:53 to bind "
		       "all addresses",
	[OBJECT_VSOCK] = "write one context id and one port, as in vsock:2:1024, or bind "
			 "vsock:*:1024",
	[OBJECT_HOST] = "write one name or address, as in host:www.example.org",
	[OBJECT_RAW] = "write one protocol, as in raw:89",
	[OBJECT_NETLINK] = "write one family, as in netlink:route",
	[OBJECT_TUN] = "write one device, as in tun:vpn0",
	[OBJECT_TAP] = "write one device, as in tap:vm0",
	[OBJECT_SETTING] = "write one value, as in mark=100 or bindtodevice=eth0",
};

static bool request_fail_pattern(
	struct request *request, const struct object *object, const char *word, size_t length)
{
	const char *remedy = exact_forms[object->kind];
	return request_fail(request, remedy ? remedy : "",
		"'%s' may stand for many, and a request is for one", text_quote(word, length).text);
}

static bool object_is_any_address(const struct object *object, uint32_t verbs)
{
	return verbs & POLICY_BIT(POLICY_BIND) && object->address.family == PLACE_ANY &&
	       (KIND_BIT(object->kind) & (OBJECTS_NETWORK | KIND_BIT(OBJECT_VSOCK)));
}

/* Whether its address, or its name, is one. */
static bool object_has_exact_place(const struct object *object, uint32_t verbs)
{
	const struct address *address = &object->address;
	switch (address->family) {
	case PLACE_NAME:
		return true;
	case PLACE_ANY:
		return object_is_any_address(object, verbs) || object->kind == OBJECT_RAW ||
		       object->kind == OBJECT_NETLINK || object->kind == OBJECT_ICMP ||
		       object->kind == OBJECT_ICMP6 ||
		       (object->kind == OBJECT_SETTING && object->endpoint != POLICY_BINDTODEVICE);
	case POLICY_IPV6:
		return address->prefix == 128;
	case POLICY_IPV4:
	case POLICY_CID:
		return address->prefix == 32;
	default:
		return false;
	}
}

static bool object_is_exact(
	const struct policy_set *set, const struct object *object, uint32_t verbs)
{
	/* It has neither yet: what is asked for is vsock:*:*. */
	if (object->kind == OBJECT_VSOCK && verbs & POLICY_BIT(POLICY_SOCKET))
		return true;
	if (!object_has_exact_place(object, verbs) || object->range_count > 1)
		return false;
	const struct number_range *range = &set->ranges.items[object->first_range];
	return object->range_count == 0 || range->name != NONE || range->first == range->last;
}

/* ---- as what the broker decides on ---- */

static void endpoint_fill(struct request *request, const struct object *object)
{
	const struct address *address = &object->address;
	struct policy_endpoint *endpoint = &request->endpoint;
	*endpoint = (struct policy_endpoint){.kind = object->endpoint};
	if (object->range_count)
		endpoint->number = request->set->ranges.items[object->first_range].first;
	if (address->family == PLACE_NAME) {
		endpoint->name = address->name;
		endpoint->name_length = address->name_length;
	} else if (address->family != PLACE_ANY) {
		endpoint->family = (enum policy_family)address->family;
		memcpy(endpoint->address, address->bytes, sizeof(endpoint->address));
		endpoint->scope = object->interface_index;
	} else if (object->kind == OBJECT_VSOCK) {
		endpoint->family = POLICY_CID;
		memset(endpoint->address, 0xff, 4); /* VMADDR_CID_ANY of vsock(7) */
	} else if (object_is_any_address(object, request->verbs)) {
		endpoint->family = POLICY_IPV6; /* [::], which is judged for both families */
	}
}

static bool object_take(struct request *request, const char *word, size_t length)
{
	const struct policy_set *set = request->set;
	if (!set_check(request))
		return false;
	if (!set->rules.count || !set->objects.count)
		return request_fail(request, "", "out of memory");
	const struct object *object = &set->objects.items[0];
	request->verbs = set->rules.items[0].named_verbs;
	if (request->kind != REQUEST_ENDPOINT)
		return true;
	if (object->kind == OBJECT_PATH || object->kind == OBJECT_CREDENTIAL)
		return request_fail(request, "write the path that it stands for",
			"'%s' depends on who asks", text_quote(word, length).text);
	if (request->verbs & (request->verbs - 1))
		return request_fail(request, "ask for each by itself",
			"an endpoint goes with one verb at a time");
	if (!object_is_exact(set, object, request->verbs))
		return request_fail_pattern(request, object, word, length);
	endpoint_fill(request, object);
	return true;
}

/* ---- the words ---- */

static bool word_begins(const char *word, size_t length, const char *start)
{
	return length >= strlen(start) && memcmp(word, start, strlen(start)) == 0;
}

static bool verbs_check(struct request *request, const char *verbs, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char byte = verbs[i];
		if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') && byte != ',')
			return request_fail(request, "write them with commas, as in read,write",
				"'%s' are no verbs", text_quote(verbs, length).text);
	}
	return length || request_fail(request, "write them first, as in: read /etc/motd",
				 "the verbs are missing");
}

/* Then a word that is no object is hardly a path: the parser knows better what is missing. */
static bool verbs_take_paths(const char *verbs, size_t length)
{
	for (size_t at = 0; at < length;) {
		const char *comma = memchr(verbs + at, ',', length - at);
		size_t end = comma ? (size_t)(comma - verbs) : length;
		int verb = verb_find(verbs + at, (uint32_t)(end - at));
		if (verb < 0 || !(verb_words[verb].objects & KIND_BIT(OBJECT_PATH)))
			return false;
		at = end + 1;
	}
	return true;
}

static bool word_is_relative(const char *word, size_t length)
{
	bool is_icmp = (length == 4 || length == 5) && memcmp(word, "icmp6", length) == 0;
	return !is_icmp && !memchr(word, ':', length) && !memchr(word, '=', length) &&
	       word[0] != '%' && word[0] != '/';
}

/* What the word is for; *before is how many bytes of it stand before a path. */
static enum request_kind word_find_kind(const char *word, size_t length, size_t *before)
{
	const char *equals = memchr(word, '=', length), *end = word + length;
	*before = 0;
	if (word[0] == '/')
		return REQUEST_PATH;
	*before = strlen("unix:");
	if (word_begins(word, length, "unix:/"))
		return REQUEST_PATH;
	*before = equals ? (size_t)(equals + 1 - word) : length;
	return equals && equals > word && equals + 1 < end && equals[1] == '/' &&
			       !memchr(word, ':', *before)
		       ? REQUEST_CREDENTIAL
		       : REQUEST_ENDPOINT;
}

/*
 * Takes the object apart. Returns the word to check its verbs with: in place of the path stands one
 * that means nothing. NULL: out of memory.
 */
static const char *object_split(struct request *request)
{
	static const char stand_in[] = "/path";
	size_t before;
	request->kind = word_find_kind(request->object, request->object_length, &before);
	if (request->kind == REQUEST_ENDPOINT)
		return request->object;
	if (request->kind == REQUEST_CREDENTIAL) {
		request->name = request->object;
		request->name_length = before - 1;
	}
	request->path = request->object + before;
	request->length = request->object_length - before;
	char *word = set_alloc(request->set, before + sizeof(stand_in));
	if (!word)
		return NULL;
	memcpy(word, request->object, before);
	memcpy(word + before, stand_in, sizeof(stand_in));
	return word;
}

bool request_read(struct request *request, const char *verbs, size_t verbs_length,
	const char *object, size_t object_length)
{
	*request = (struct request){.set = policy_set_new()};
	if (!verbs_check(request, verbs, verbs_length))
		return false;
	if (!object_length)
		return request_fail(request, "write a path or an endpoint after the verbs",
			"the object is missing");
	if (word_is_relative(object, object_length) && verbs_take_paths(verbs, verbs_length))
		return request_fail(request,
			"write the whole path: the broker has no working directory",
			"'%s' is not an absolute path", text_quote(object, object_length).text);
	request->object = set_copy(request->set, object, object_length);
	request->object_length = object_length;
	const char *word = request->object ? object_split(request) : NULL;
	if (!word)
		return request_fail(request, "", "out of memory");
	return set_add_rule(request, verbs, verbs_length, word) &&
	       object_take(request, object, object_length);
}

bool request_resolve(struct request *request)
{
	struct policy_set *set = request->set;
	if (request->kind != REQUEST_ENDPOINT)
		return true;
	names_resolve(set);
	const struct object *object = &set->objects.items[0];
	bool is_never = object->is_never;
	if (object->range_count)
		is_never = is_never || set->ranges.items[object->first_range].is_never;
	if (is_never)
		return request_fail(request, "write its number, or look at how it is spelt",
			"there is no such %s here",
			object->is_never                 ? "interface"
			: object->endpoint == POLICY_RAW ? "protocol"
							 : "service");
	endpoint_fill(request, object);
	return true;
}

bool request_is_about_name(const struct request *request)
{
	const uint32_t naming =
		POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_REMOVE) | POLICY_BIT(POLICY_BIND);
	return request->kind == REQUEST_PATH && !(request->verbs & ~naming);
}

void request_release(struct request *request)
{
	policy_set_free(request->set);
	request->set = NULL;
}

struct policy_decision request_decide(const struct request *request,
	const struct policy_image *image, const struct policy_peer *peer, uint32_t verbs)
{
	const struct policy_credential credential = {
		request->name, request->name_length, request->path, request->length};
	switch (request->kind) {
	case REQUEST_PATH:
		return policy_decide_path(image, peer, NULL, verbs, request->path, request->length);
	case REQUEST_CREDENTIAL:
		return policy_decide_credential(image, peer, NULL, &credential);
	case REQUEST_ENDPOINT:
		break;
	}
	int verb = __builtin_ctz(verbs);
	return policy_decide_endpoint(
		image, peer, NULL, (enum policy_verb)verb, &request->endpoint);
}
