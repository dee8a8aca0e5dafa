/* SPDX-License-Identifier: MIT */
/*
 * Services by name, for programs that can read neither /etc/services nor /etc/hosts.
 */
#pragma once

#include <sys/socket.h>

struct fdbroker;

/*
 * Makes a socket that listens at the port of a service ("http", or "80") on all addresses; for
 * SOCK_DGRAM one that is bound. Ends the process if that fails, with a sentence that says why.
 */
int listen_for_service(struct fdbroker *broker, const char *service, int type);

/*
 * Makes a socket that is connected to a service of a host. Returns -1 with errno, or else the
 * descriptor: whether to try again is for the caller to say.
 */
int dial_service(struct fdbroker *broker, const char *host, const char *service, int type);

/* Writes the name of who is at the other end; its address if it has none. Never fails. */
#define PEER_NAME_SIZE 256
void name_peer(
	struct fdbroker *broker, const struct sockaddr *address, socklen_t length, char *name);
