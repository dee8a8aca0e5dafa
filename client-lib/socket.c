/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the broker makes: fdbroker_listen(), fdbroker_dial(), fdbroker_socket(),
 * fdbroker_tun(). This file must never call socket(2), bind(2) or connect(2) itself, which a
 * sandboxed caller could be killed for.
 */
#include "call.h"
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* error: what is wrong with the request already. Returns the descriptor or -1. */
static int ask_for_descriptor(
	struct fdbroker *broker, const struct fdbroker_request *request, int error)
{
	if (error != 0)
		return report_outcome(error, FDBROKER_REASON_LOCAL);
	struct call_outcome outcome = call_once(broker, request, -1);
	outcome_report(outcome);
	return outcome.fd;
}

int fdbroker_listen(struct fdbroker *broker, const char *endpoint, int backlog)
{
	struct fdbroker_request request = {.operation = FDBROKER_LISTEN, .listen.backlog = backlog};

	if (broker == NULL || endpoint == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	return ask_for_descriptor(
		broker, &request, endpoint_from_text(&request.endpoint, endpoint));
}

int fdbroker_dial(struct fdbroker *broker, const char *endpoint)
{
	struct fdbroker_request request = {.operation = FDBROKER_DIAL};

	if (broker == NULL || endpoint == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	return ask_for_descriptor(broker, &request, endpoint_to_dial(&request, endpoint));
}

int fdbroker_socket(struct fdbroker *broker, int domain, int type, int protocol)
{
	struct fdbroker_request request = {
		.operation = FDBROKER_SOCKET, .socket = {domain, type & ~SOCK_CLOEXEC, protocol}};

	if (broker == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	int fd = ask_for_descriptor(broker, &request, 0);
	if (fd != -1 && !(type & SOCK_CLOEXEC))
		fcntl(fd, F_SETFD, 0);
	return fd;
}

static int parse_device(struct fdbroker_request *request, const char *device)
{
	static const char *const kinds[] = {"tun:", "tap:"};
	static const size_t kind_length = sizeof("tun:") - 1;

	for (int i = 0; i < 2; i++) {
		size_t length = strnlen(device, kind_length + FDBROKER_INTERFACE_MAX + 1);

		if (strncmp(device, kinds[i], kind_length) != 0)
			continue;
		request->tun.is_tap = i;
		request->name = (struct fdbroker_text){device + kind_length, length - kind_length};
		return request->name.length <= FDBROKER_INTERFACE_MAX ? 0 : EINVAL;
	}
	return EINVAL;
}

int fdbroker_tun(struct fdbroker *broker, const char *device, unsigned int flags)
{
	const unsigned int known =
		FDBROKER_TUN_NO_PI | FDBROKER_TUN_VNET_HDR | FDBROKER_TUN_PERSIST | FDBROKER_TUN_UP;
	struct fdbroker_request request = {.operation = FDBROKER_TUN, .tun.flags = flags};

	if (broker == NULL || device == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	int error = parse_device(&request, device);
	return ask_for_descriptor(
		broker, &request, error == 0 && (flags & ~known) ? EINVAL : error);
}
