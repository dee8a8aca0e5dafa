/* SPDX-License-Identifier: MIT */
#include "cover-endpoint.h"

#include "language.h"
#include "parse.h"

/* The others with names have those of devices. */
#define NAMED_HOSTS (OBJECTS_NETWORK | KIND_BIT(OBJECT_HOST))

static bool name_equals(const char *name, const char *lower, uint32_t length, bool is_host)
{
	for (uint32_t i = 0; i < length; i++) {
		char byte = is_host ? byte_lower(name[i]) : name[i];
		if (byte != lower[i])
			return false;
	}
	return true;
}

static bool name_covers(const struct address *address, const struct asked *asked, bool is_host)
{
	const char *name = asked->name;
	uint32_t length = asked->name_length;
	if (address->family == PLACE_LABEL) {
		const char *dot = memchr(name, '.', length);
		if (!dot)
			return false;
		length -= (uint32_t)(dot + 1 - name);
		name = dot + 1;
	}
	return length && length == address->name_length &&
	       name_equals(address->name, name, length, is_host);
}

/* All addresses at once are covered only by what covers all, or names just that. */
static bool address_covers(const struct object *object, const struct asked *asked)
{
	const struct address *address = &object->address;
	struct address masked = {.family = address->family, .prefix = address->prefix};
	uint8_t most = asked->family == POLICY_IPV6 ? 128 : 32;
	memcpy(masked.bytes, asked->address, sizeof(masked.bytes));
	address_mask(&masked);
	return address->family == asked->family &&
	       (!object->interface_index || object->interface_index == asked->scope) &&
	       memcmp(masked.bytes, address->bytes, sizeof(masked.bytes)) == 0 &&
	       (address->prefix == 0 || address->prefix == most || !asked_is_unspecified(asked));
}

bool object_covers_host(const struct object *object, const struct asked *asked)
{
	const struct address *address = &object->address;
	bool is_named = address->family == PLACE_NAME || address->family == PLACE_LABEL;
	if (asked->is_malformed)
		return false;
	if (address->family == PLACE_ANY)
		return true;
	if (is_named)
		return asked->family == POLICY_NO_ADDRESS &&
		       name_covers(address, asked, KIND_BIT(object->kind) & NAMED_HOSTS);
	return asked->family != POLICY_NO_ADDRESS && address_covers(object, asked);
}
