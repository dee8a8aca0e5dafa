/* SPDX-License-Identifier: MIT */
/*
 * Options that need a privilege, set on the peer's own socket: those of a table, and no other.
 *
 * Must never: wait for a client's socket in a worker.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "operation.h"
#include "received.h"

static const struct option {
	int level, name;
	enum policy_kind kind;
} options[] = {
	{SOL_SOCKET, SO_MARK, POLICY_MARK},
	{SOL_SOCKET, SO_PRIORITY, POLICY_PRIORITY},
	{SOL_SOCKET, SO_RCVBUFFORCE, POLICY_RCVBUFFORCE},
	{SOL_SOCKET, SO_SNDBUFFORCE, POLICY_SNDBUFFORCE},
	{SOL_SOCKET, SO_DEBUG, POLICY_DEBUG},
	{SOL_SOCKET, SO_BINDTODEVICE, POLICY_BINDTODEVICE},
	{IPPROTO_IP, IP_TRANSPARENT, POLICY_TRANSPARENT},
	{IPPROTO_IPV6, IPV6_TRANSPARENT, POLICY_TRANSPARENT},
};

/* NULL: none that is served. */
static const struct option *option_find(const struct fdbroker_request *request)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].level == request->option.level &&
			options[i].name == request->option.name)
			return &options[i];
	return NULL;
}

static struct policy_endpoint option_judged(
	const struct option *option, const struct fdbroker_request *request)
{
	struct policy_endpoint judged = {.kind = option->kind};

	if (option->kind == POLICY_BINDTODEVICE) {
		judged.name = request->name.bytes;
		judged.name_length = request->name.length;
	} else {
		judged.number = (uint32_t)request->option.value;
	}
	return judged;
}

/* What the policy has no word for is logged in numbers. */
static void option_describe(
	const struct option *option, const struct fdbroker_request *request, struct reply *reply)
{
	struct policy_endpoint judged;

	if (option != NULL) {
		judged = option_judged(option, request);
		reply_describe(reply, POLICY_OPTION, &judged);
		return;
	}
	reply_describe_as(reply, POLICY_OPTION, "level=%d name=%d", request->option.level,
		request->option.name);
}

/*
 * An interface can have other names beside its own (ip-link(8), altname) and is meant by each, in
 * the network namespace of the socket. Is it denied by its own? Then the reply says so.
 */
static bool device_denied(const struct server *server, const struct asker *asker,
	const struct policy_endpoint *asked, int received, struct reply *reply)
{
	struct policy_endpoint own = {.kind = POLICY_BINDTODEVICE};
	struct ifreq device = {.ifr_name = ""};
	uint32_t rule;

	if (asked->name_length == 0 || asked->name_length >= sizeof(device.ifr_name))
		return false;
	memcpy(device.ifr_name, asked->name, asked->name_length);
	/* One that there is not is setsockopt(2)'s to refuse. */
	if (ioctl(received, SIOCGIFINDEX, &device) < 0 || ioctl(received, SIOCGIFNAME, &device) < 0)
		return false;
	own.name = device.ifr_name;
	own.name_length = strnlen(device.ifr_name, sizeof(device.ifr_name));
	rule = policy_deny_endpoint(server->image, asker->peer, POLICY_OPTION, &own);
	if (rule == POLICY_NO_RULE)
		return false;
	reply_deny(server, reply, rule);
	return true;
}

/* 0 or a positive errno. */
static int option_set(int fd, const struct option *option, const struct fdbroker_request *request)
{
	char device[FDBROKER_INTERFACE_MAX + 1] = "";
	const void *value = &request->option.value;
	socklen_t length = sizeof(request->option.value);

	if (option->kind == POLICY_BINDTODEVICE) {
		memcpy(device, request->name.bytes, request->name.length);
		value = device;
		length = (socklen_t)request->name.length + 1;
	}
	return setsockopt(fd, option->level, option->name, value, length) < 0 ? errno : 0;
}

enum served serve_setsockopt(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct option *option = option_find(request);
	struct policy_endpoint judged;
	socklen_t length = sizeof(int);
	int domain, error;

	/* A lock that the socket's owner holds makes every one of these calls wait. */
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	option_describe(option, request, reply);
	if (getsockopt(received, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0)
		return reply_refuse(reply, errno, FDBROKER_REASON_SOCKET);
	if (option == NULL)
		return reply_refuse(reply, ENOPROTOOPT, FDBROKER_REASON_SOCKET);
	judged = option_judged(option, request);
	if (!received_decide(server, asker, reply, POLICY_OPTION, &judged, received))
		return SERVED;
	if (option->kind == POLICY_BINDTODEVICE &&
		device_denied(server, asker, &judged, received, reply))
		return SERVED;
	error = option_set(received, option, request);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, -1);
}
