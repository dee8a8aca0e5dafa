/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses are never passed through: the wire's endpoint is checked, judged by the policy,
 * and a new sockaddr is made from what was judged.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
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

/* ---- for the log ---- */

/* The host's part: an address, a name, or nothing. */
static void host_describe(const struct policy_endpoint *endpoint, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?", scope[16] = "";
	uint32_t cid;

	text[0] = '\0';
	switch (endpoint->family) {
	case POLICY_IPV4:
		inet_ntop(AF_INET, endpoint->address, text, (socklen_t)size);
		return;
	case POLICY_IPV6:
		inet_ntop(AF_INET6, endpoint->address, address, sizeof(address));
		if (endpoint->scope != 0)
			snprintf(scope, sizeof(scope), "%%%u", endpoint->scope);
		snprintf(text, size, "[%s%s]", address, scope);
		return;
	case POLICY_CID:
		memcpy(&cid, endpoint->address, sizeof(cid));
		cid = ntohl(cid);
		snprintf(text, size, cid == VMADDR_CID_ANY ? "*" : "%u", cid);
		return;
	case POLICY_NO_ADDRESS:
		if (endpoint->name_length > 0)
			snprintf(text, size, "%.*s", (int)endpoint->name_length, endpoint->name);
		return;
	}
}

void reply_describe(
	struct reply *reply, enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	const char *kind = policy_kind_name(endpoint->kind);
	char host[FDBROKER_HOST_MAX + 1];
	int length = 0;

	host_describe(endpoint, host, sizeof(host));
	switch (endpoint->kind) {
	case POLICY_TCP:
	case POLICY_UDP:
	case POLICY_VSOCK:
		length = snprintf(
			reply->text, sizeof(reply->text), "%s:%s:%u", kind, host, endpoint->number);
		break;
	case POLICY_HOST:
	case POLICY_TUN:
	case POLICY_TAP:
		length = snprintf(reply->text, sizeof(reply->text), "%s:%s", kind, host);
		break;
	case POLICY_RAW:
	case POLICY_NETLINK:
		length =
			snprintf(reply->text, sizeof(reply->text), "%s:%u", kind, endpoint->number);
		break;
	case POLICY_BINDTODEVICE:
		length = snprintf(reply->text, sizeof(reply->text), "%s=%s", kind, host);
		break;
	case POLICY_ICMP:
	case POLICY_ICMP6:
		length = snprintf(reply->text, sizeof(reply->text), "%s", kind);
		break;
	default:
		length =
			snprintf(reply->text, sizeof(reply->text), "%s=%u", kind, endpoint->number);
		break;
	}
	reply->verbs = POLICY_BIT(verb);
	reply->object = reply->text;
	reply->object_length = (size_t)length;
}

bool reply_decide(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	reply_describe(reply, verb, endpoint);
	reply->decision = policy_decide_endpoint(server->image, asker->peer, verb, endpoint);
	if (reply->decision.outcome == POLICY_ALLOWED)
		return true;
	reply_refuse(reply, EACCES, FDBROKER_REASON_POLICY);
	return false;
}
