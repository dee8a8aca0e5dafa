/* SPDX-License-Identifier: MIT */
/*
 * Fresh sockets that are neither bound nor connected: those for which socket(2) itself asks for a
 * privilege, or which a sandbox forbids. What no rule can name is refused here as socket(2) would
 * refuse it if it did not exist, or denied; nothing of it reaches the kernel.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "operation.h"

/* Of SOCK_..., the types without the flags: SOCK_TYPE_MASK and SOCK_MAX of include/linux/net.h. */
#define TYPE_MASK 0xf
#define TYPE_MAX 11

/* What is to be judged, or why not: one of these errnos. */
struct wanted {
	struct policy_endpoint judged;
	int error; /* EACCES: it may exist, but no rule can name it */
};

/* inet_create() in net/ipv4/af_inet.c, inet6_create() in net/ipv6/af_inet6.c. */
static void want_internet(struct wanted *wanted, int domain, int type, int protocol)
{
	int ping = domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (protocol < 0 || protocol >= IPPROTO_MAX) {
		wanted->error = EINVAL;
	} else if (type == SOCK_RAW) {
		wanted->judged.kind = POLICY_RAW;
		wanted->judged.number = (uint32_t)protocol;
		wanted->error = protocol == 0 ? EPROTONOSUPPORT : 0;
	} else if (type == SOCK_DGRAM && protocol == ping) {
		wanted->judged.kind = domain == AF_INET ? POLICY_ICMP : POLICY_ICMP6;
	} else if (type == SOCK_DGRAM) {
		wanted->error =
			protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE
				? EACCES
				: EPROTONOSUPPORT;
	} else if (type == SOCK_STREAM) {
		wanted->error =
			protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP
				? EACCES
				: EPROTONOSUPPORT;
	} else {
		wanted->error = ESOCKTNOSUPPORT;
	}
}

/* netlink_create() in net/netlink/af_netlink.c. */
static void want_netlink(struct wanted *wanted, int type, int protocol)
{
	wanted->judged.kind = POLICY_NETLINK;
	wanted->judged.number = (uint32_t)protocol;
	if (type != SOCK_RAW && type != SOCK_DGRAM)
		wanted->error = ESOCKTNOSUPPORT;
	else if (protocol < 0 || protocol >= MAX_LINKS)
		wanted->error = EPROTONOSUPPORT;
}

/* vsock_create() in net/vmw_vsock/af_vsock.c. It may come to be bound or connected anywhere. */
static void want_vsock(struct wanted *wanted, int type, int protocol)
{
	wanted->judged.kind = POLICY_VSOCK;
	wanted->judged.family = POLICY_CID;
	wanted->judged.number = VMADDR_PORT_ANY;
	memset(wanted->judged.address, 0xff, sizeof(uint32_t)); /* VMADDR_CID_ANY */
	if (protocol != 0 && protocol != PF_VSOCK)
		wanted->error = EPROTONOSUPPORT;
	else if (type != SOCK_STREAM && type != SOCK_SEQPACKET && type != SOCK_DGRAM)
		wanted->error = ESOCKTNOSUPPORT;
}

/* unix_create() in net/unix/af_unix.c. */
static void want_unix(struct wanted *wanted, int type, int protocol)
{
	if (protocol != 0 && protocol != PF_UNIX)
		wanted->error = EPROTONOSUPPORT;
	else if (type != SOCK_STREAM && type != SOCK_SEQPACKET && type != SOCK_DGRAM &&
		 type != SOCK_RAW)
		wanted->error = ESOCKTNOSUPPORT;
	else
		wanted->error = EACCES;
}

/* In the order of __sys_socket() and __sock_create() in net/socket.c. */
static struct wanted want(int domain, int type_and_flags, int protocol)
{
	int type = type_and_flags & TYPE_MASK;
	struct wanted wanted = {.error = 0};

	if ((type_and_flags & ~(TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0)
		wanted.error = EINVAL;
	else if (domain < 0 || domain >= AF_MAX)
		wanted.error = EAFNOSUPPORT;
	else if (type >= TYPE_MAX)
		wanted.error = EINVAL;
	else if (domain == AF_INET || domain == AF_INET6)
		want_internet(&wanted, domain, type, protocol);
	else if (domain == AF_NETLINK)
		want_netlink(&wanted, type, protocol);
	else if (domain == AF_VSOCK)
		want_vsock(&wanted, type, protocol);
	else if (domain == AF_UNIX)
		want_unix(&wanted, type, protocol);
	else
		wanted.error = EAFNOSUPPORT;
	return wanted;
}

/* What the policy has no word for is logged in numbers. */
static enum served refuse(const struct fdbroker_request *request, int error, struct reply *reply)
{
	reply_describe_as(reply, POLICY_SOCKET, "domain=%d type=%d protocol=%d",
		request->socket.domain, request->socket.type, request->socket.protocol);
	return reply_refuse(reply, error, FDBROKER_REASON_SOCKET);
}

enum served serve_socket(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	int domain = request->socket.domain, type = request->socket.type;
	struct wanted wanted = want(domain, type, request->socket.protocol);
	int fd;

	(void)received; /* the protocol lets none come along */
	if (wanted.error != 0)
		return refuse(request, wanted.error, reply);
	if (!reply_decide(server, asker, reply, POLICY_SOCKET, &wanted.judged))
		return SERVED;
	/* It may need a capability, or a module that has to be loaded first. */
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	fd = socket(domain, type | SOCK_CLOEXEC, request->socket.protocol);
	return fd < 0 ? reply_kernel(reply, errno) : reply_grant(reply, fd);
}
