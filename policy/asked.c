/* SPDX-License-Identifier: MIT */
/*
 * What is asked about an endpoint is brought into the form that rules are kept in, so that no
 * spelling of a name or an address slips past a deny. Must never repair what is malformed: who
 * serves the request might read it in another way.
 */
#include "asked.h"

#include "lookup.h"

#define ADDRESSES (1u << POLICY_IPV4 | 1u << POLICY_IPV6)
#define IN_USE (POLICY_BIT(POLICY_BIND) | POLICY_BIT(POLICY_CONNECT))
#define SOCKET POLICY_BIT(POLICY_SOCKET)
#define OPTION POLICY_BIT(POLICY_OPTION)

enum name_form { NAME_NONE, NAME_HOST, NAME_DEVICE };

/* What can be asked about each kind, and what it is told by. */
static const struct kind_form {
	uint32_t verbs;
	uint32_t families; /* a bit for each enum policy_family that is an address */
	enum name_form name;
	bool has_number;
} kind_forms[POLICY_KIND_COUNT] = {
	[POLICY_TCP] = {IN_USE, ADDRESSES, NAME_HOST, true},
	[POLICY_UDP] = {IN_USE, ADDRESSES, NAME_HOST, true},
	[POLICY_VSOCK] = {IN_USE | SOCKET, 1u << POLICY_CID, NAME_NONE, true},
	[POLICY_HOST] = {POLICY_BIT(POLICY_RESOLVE), ADDRESSES, NAME_HOST, false},
	[POLICY_ICMP] = {SOCKET, 0, NAME_NONE, false},
	[POLICY_ICMP6] = {SOCKET, 0, NAME_NONE, false},
	[POLICY_RAW] = {SOCKET, 0, NAME_NONE, true},
	[POLICY_NETLINK] = {SOCKET, 0, NAME_NONE, true},
	[POLICY_TUN] = {SOCKET, 0, NAME_DEVICE, false},
	[POLICY_TAP] = {SOCKET, 0, NAME_DEVICE, false},
	[POLICY_MARK] = {OPTION, 0, NAME_NONE, true},
	[POLICY_PRIORITY] = {OPTION, 0, NAME_NONE, true},
	[POLICY_RCVBUFFORCE] = {OPTION, 0, NAME_NONE, true},
	[POLICY_SNDBUFFORCE] = {OPTION, 0, NAME_NONE, true},
	[POLICY_TRANSPARENT] = {OPTION, 0, NAME_NONE, true},
	[POLICY_DEBUG] = {OPTION, 0, NAME_NONE, true},
	[POLICY_BINDTODEVICE] = {OPTION, 0, NAME_DEVICE, false},
};

char byte_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool byte_is_host(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	       byte == '_' || byte == '.';
}

/* Copies it as it is compared. False: the name service might make anything of it. */
static bool host_copy(struct asked *asked, const char *name, size_t length)
{
	if (length && name[length - 1] == '.')
		length--;
	if (!length || length > POLICY_HOST_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		asked->name[i] = byte_lower(name[i]);
		bool ends_label = asked->name[i] == '.' && (i == 0 || name[i - 1] == '.');
		if (!byte_is_host(asked->name[i]) || ends_label)
			return false;
	}
	asked->name_length = (uint32_t)length;
	return asked->name[length - 1] != '.';
}

/*
 * What dev_valid_name() of net/core/dev.c takes, without a percent sign: the kernel puts a number
 * in place of "%d".
 */
static bool device_copy(struct asked *asked, const char *name, size_t length)
{
	if (!length || length > POLICY_INTERFACE_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)name[i];
		if (byte <= ' ' || byte == 0x7f || byte == '/' || byte == ':' || byte == '%')
			return false;
	}
	memcpy(asked->name, name, length);
	asked->name_length = (uint32_t)length;
	return true;
}

/* False: an endpoint of this kind must have a name, and has none. */
static bool name_take(
	struct asked *asked, enum name_form form, const struct policy_endpoint *endpoint)
{
	bool is_empty = !endpoint->name || !endpoint->name_length;
	if (form == NAME_NONE)
		return true;
	if (form == NAME_HOST) {
		asked->is_malformed =
			!is_empty && !host_copy(asked, endpoint->name, endpoint->name_length);
		asked->may_be_any = asked->is_malformed;
		return !is_empty;
	}
	/* The kernel gives a nameless device a name of its choice; bound to none is bound to none.
	 */
	asked->is_malformed =
		!is_empty && !device_copy(asked, endpoint->name, endpoint->name_length);
	asked->may_be_any =
		asked->is_malformed || (is_empty && endpoint->kind != POLICY_BINDTODEVICE);
	return true;
}

/* A mapped address is the IPv4 address that it stands for, whatever the caller made of it. */
static void address_take(struct asked *asked, const struct policy_endpoint *endpoint)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_mapped = endpoint->family == POLICY_IPV6 &&
			 memcmp(endpoint->address, mapped, sizeof(mapped)) == 0;
	asked->family = is_mapped ? POLICY_IPV4 : endpoint->family;
	if (is_mapped)
		memcpy(asked->address, endpoint->address + 12, 4);
	else
		memcpy(asked->address, endpoint->address, endpoint->family == POLICY_IPV6 ? 16 : 4);
	if (asked->family == POLICY_IPV6 && ipv6_has_scope(asked->address))
		asked->scope = endpoint->scope;
}

bool asked_make(struct asked *asked, enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	memset(asked, 0, sizeof(*asked));
	if ((unsigned)endpoint->kind >= POLICY_KIND_COUNT || (unsigned)verb >= POLICY_VERB_COUNT)
		return false;
	const struct kind_form *form = &kind_forms[endpoint->kind];
	if (!(form->verbs & POLICY_BIT(verb)))
		return false;
	asked->kind = endpoint->kind;
	asked->number = form->has_number ? endpoint->number : 0;
	/* On or off, whatever the number: socket(7), ip(7). */
	if (endpoint->kind == POLICY_TRANSPARENT || endpoint->kind == POLICY_DEBUG)
		asked->number = endpoint->number != 0;
	/* A socket that is not bound yet has every context id and port before it. */
	if (endpoint->kind == POLICY_VSOCK && verb == POLICY_SOCKET)
		return true;
	if (endpoint->family != POLICY_NO_ADDRESS) {
		if ((unsigned)endpoint->family > POLICY_IPV6 ||
			!(form->families & 1u << endpoint->family))
			return false;
		address_take(asked, endpoint);
		return true;
	}
	if (form->name == NAME_HOST && verb == POLICY_BIND)
		return false;
	return (!form->families || form->name == NAME_HOST) &&
	       name_take(asked, form->name, endpoint);
}

bool asked_is_unspecified(const struct asked *asked)
{
	static const uint8_t zero[16], ones[4] = {0xff, 0xff, 0xff, 0xff};
	if (asked->family == POLICY_CID)
		return memcmp(asked->address, ones, sizeof(ones)) == 0;
	return asked->family != POLICY_NO_ADDRESS &&
	       memcmp(asked->address, zero, sizeof(zero)) == 0;
}

bool asked_find_other(const struct asked *asked, struct asked *other)
{
	if (asked->family != POLICY_IPV6 || !asked_is_unspecified(asked))
		return false;
	*other = *asked;
	other->family = POLICY_IPV4;
	other->scope = 0;
	return true;
}
