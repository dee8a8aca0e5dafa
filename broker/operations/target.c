/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses are never passed through: the wire's endpoint is checked, judged by the policy,
 * and a new sockaddr is made from what was judged.
 */
#include <arpa/inet.h>
#include <string.h>

#include "target.h"

static void set_v4(struct target *target, const struct fdbroker_endpoint *endpoint)
{
	target->domain = AF_INET;
	target->length = sizeof(target->address.v4);
	target->address.v4.sin_family = AF_INET;
	target->address.v4.sin_port = htons((uint16_t)endpoint->port);
	memcpy(&target->address.v4.sin_addr, endpoint->address, 4);
	target->judged.family = POLICY_IPV4;
	memcpy(target->judged.address, endpoint->address, 4);
}

static void set_v6(struct target *target, const struct fdbroker_endpoint *endpoint)
{
	struct sockaddr_in6 *address = &target->address.v6;

	target->domain = AF_INET6;
	target->length = sizeof(*address);
	address->sin6_family = AF_INET6;
	address->sin6_port = htons((uint16_t)endpoint->port);
	address->sin6_flowinfo = endpoint->flowinfo;
	address->sin6_scope_id = endpoint->scope;
	memcpy(&address->sin6_addr, endpoint->address, 16);
	if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
		/* RFC 4291, 2.5.5.2: on the wire this is its IPv4 address, so it is judged as that.
		 */
		target->judged.family = POLICY_IPV4;
		memcpy(target->judged.address, endpoint->address + 12, 4);
		return;
	}
	target->judged.family = POLICY_IPV6;
	target->judged.scope = endpoint->scope;
	memcpy(target->judged.address, endpoint->address, 16);
}

static void set_vsock(struct target *target, const struct fdbroker_endpoint *endpoint)
{
	struct sockaddr_vm *address = &target->address.vsock;
	uint32_t network_order;

	target->domain = AF_VSOCK;
	target->length = sizeof(*address);
	address->svm_family = AF_VSOCK;
	address->svm_port = endpoint->port;
	memcpy(&address->svm_cid, endpoint->address, sizeof(address->svm_cid));
	network_order = htonl(address->svm_cid);
	target->judged.family = POLICY_CID;
	memcpy(target->judged.address, &network_order, sizeof(network_order));
}

enum policy_kind target_kind(enum fdbroker_protocol protocol)
{
	return protocol == FDBROKER_TCP   ? POLICY_TCP
	       : protocol == FDBROKER_UDP ? POLICY_UDP
					  : POLICY_VSOCK;
}

void target_init(
	struct target *target, const struct fdbroker_endpoint *endpoint, enum policy_kind kind)
{
	memset(target, 0, sizeof(*target));
	target->judged.kind = kind;
	target->judged.number = endpoint->port;
	target->type = kind == POLICY_UDP ? SOCK_DGRAM : SOCK_STREAM;
	if (endpoint->family == FDBROKER_IPV4)
		set_v4(target, endpoint);
	else if (endpoint->family == FDBROKER_CID)
		set_vsock(target, endpoint);
	else
		set_v6(target, endpoint);
}

static bool is_prefix(const uint8_t *address, const uint8_t *prefix, size_t length)
{
	return memcmp(address, prefix, length) == 0;
}

/*
 * RFC 6890 (0/8, 127/8, 169.254/16, 224/4 and what is above), RFC 4291 (fe80::/10, ff00::/8); and
 * IPv4 addresses in disguise, which denies of IPv4 addresses do not see: RFC 4291 (::/96 with ::1,
 * ::ffff:0:0/96), RFC 2765 (::ffff:0:0:0/96), RFC 6052 (64:ff9b::/96), RFC 3056 (2002::/16).
 */
bool target_is_special(const struct target *target)
{
	static const uint8_t zero[12], mapped[12] = {[10] = 0xff, [11] = 0xff},
				       translated[12] = {[8] = 0xff, [9] = 0xff},
				       nat64[12] = {0x00, 0x64, 0xff, 0x9b}, to4[2] = {0x20, 0x02};
	const uint8_t *v6 = target->address.v6.sin6_addr.s6_addr, *v4 = target->judged.address;

	if (target->domain == AF_INET)
		return v4[0] == 0 || v4[0] == 127 || v4[0] >= 224 || (v4[0] == 169 && v4[1] == 254);
	return is_prefix(v6, zero, sizeof(zero)) || is_prefix(v6, mapped, sizeof(mapped)) ||
	       is_prefix(v6, translated, sizeof(translated)) ||
	       is_prefix(v6, nat64, sizeof(nat64)) || is_prefix(v6, to4, sizeof(to4)) ||
	       v6[0] == 0xff || (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80);
}
