/* SPDX-License-Identifier: MIT */
/*
 * Why a call was refused or failed: one table for the header, the broker, the tool and the manual.
 * The numbers are part of the wire protocol.
 */
#pragma once

#define FDBROKER_REASONS(X)                                                                        \
	X(NONE, 0, "none", "the last call succeeded")                                              \
	X(KERNEL, 1, "kernel", "the kernel refused, as it would have refused the broker itself")   \
	X(POLICY, 2, "policy", "no policy rule allows it")                                         \
	X(TYPE, 3, "type", "the object is of a type that the rule does not grant")                 \
	X(PLACEMENT, 4, "placement", "an unprivileged user could have put the object there")       \
	X(SYMLINK, 5, "symlink", "a symbolic link on the way is not followed")                     \
	X(FLAGS, 6, "flags", "these open(2) flags are not served")                                 \
	X(SOCKET, 7, "socket", "the socket sent is not of the kind that is served")                \
	X(LIMIT, 8, "limit", "a limit of the broker was reached; try again later")                 \
	X(UNKNOWN, 9, "unknown",                                                                   \
		"the outcome is unknown: what did the work died or took too long")                 \
	X(LOCAL, 10, "local", "the library itself failed before the broker was asked")             \
	X(BROKER, 11, "broker", "the connection to the broker is gone")                            \
	X(NETNS, 12, "netns", "the socket lives in a network namespace that is not granted")
