/* SPDX-License-Identifier: MIT */
/*
 * Endpoints: from the text that fdbroker_listen() and fdbroker_dial() take, and from the structures
 * that bind(2) takes, to what goes over the wire. No system calls.
 */
#pragma once

#include "protocol.h"

#include <sys/socket.h>

/*
 * Where to listen. Returns 0, or EINVAL if the text is not such an endpoint. One that names no host
 * has the family FDBROKER_ANY.
 */
int endpoint_from_text(struct fdbroker_endpoint *endpoint, const char *text);

/*
 * Where to connect to: endpoint, host and service of a request to dial; the latter point into the
 * text. Returns 0 or EINVAL.
 */
int endpoint_to_dial(struct fdbroker_request *request, const char *text);

/*
 * Returns 0; EINVAL if it is too short for its family, or a vsock address with flags; EAFNOSUPPORT
 * for any family but AF_INET, AF_INET6 and AF_VSOCK.
 */
int endpoint_from_sockaddr(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length);
