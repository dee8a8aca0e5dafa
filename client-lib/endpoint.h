/* SPDX-License-Identifier: MIT */
/*
 * Internet endpoints: from the text that fdbroker_listen() takes, and from the structures that
 * bind(2) takes, to what goes over the wire. No system calls.
 */
#pragma once

#include "protocol.h"

#include <sys/socket.h>

/* Returns 0, or EINVAL if the text is not an endpoint. One that names no host has family 0. */
int endpoint_from_text(struct fdbroker_endpoint *endpoint, const char *text);

/* Returns 0; EINVAL if it is too short for its family; EAFNOSUPPORT for any but the Internet's. */
int endpoint_from_sockaddr(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length);
