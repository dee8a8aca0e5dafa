/* SPDX-License-Identifier: MIT */
/*
 * Internet endpoints: from the text that fdbroker_listen() takes, and from the structures that
 * bind(2) takes, to what goes over the wire. No system calls.
 */
#pragma once

#include "protocol.h"

#include <sys/socket.h>

/*
 * Returns 0, or EINVAL if the text is not an endpoint. *is_any becomes whether it names no host:
 * then the endpoint is [::], and 0.0.0.0 would do where there is no IPv6.
 */
int endpoint_parse(struct fdbroker_endpoint *endpoint, bool *is_any, const char *text);

/* Returns 0; EINVAL if it is too short for its family; EAFNOSUPPORT for any but the Internet's. */
int endpoint_from_sockaddr(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length);
