/* SPDX-License-Identifier: MIT */
/*
 * fdbroker_bind() and fdbroker_listen(). The broker does both; this file must never call socket(2)
 * or bind(2) itself, which a sandboxed caller could be killed for.
 */
#include "call.h"
#include "endpoint.h"

#include <errno.h>

int fdbroker_bind(struct fdbroker *broker, int sockfd, const struct sockaddr *address,
	socklen_t address_length)
{
	struct fdbroker_request request = {.operation = FDBROKER_BIND};

	if (broker == NULL || address == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	if (sockfd < 0)
		return report_outcome(EBADF, FDBROKER_REASON_LOCAL);
	int error = endpoint_from_sockaddr(&request.endpoint, address, address_length);
	if (error != 0)
		return report_outcome(error,
			error == EAFNOSUPPORT ? FDBROKER_REASON_SOCKET : FDBROKER_REASON_LOCAL);
	request.endpoint.protocol = 0;
	/* A descriptor that is not open fails in sendmsg(2), with EBADF. */
	struct call_outcome outcome = call_once(broker, &request, sockfd, false);
	return report_outcome(outcome.error, outcome.reason);
}

int fdbroker_listen(struct fdbroker *broker, const char *endpoint, int backlog)
{
	struct fdbroker_request request = {.operation = FDBROKER_LISTEN, .listen.backlog = backlog};

	if (broker == NULL || endpoint == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	int error = endpoint_from_text(&request.endpoint, endpoint);
	if (error != 0)
		return report_outcome(error, FDBROKER_REASON_LOCAL);
	struct call_outcome outcome = call_once(broker, &request, -1, true);
	report_outcome(outcome.error, outcome.reason);
	return outcome.fd;
}
