/* SPDX-License-Identifier: MIT */
/*
 * Why a call was refused or failed: one table for the header, the broker, the tool and the manual.
 * The numbers are part of the wire protocol.
 */
#pragma once

#define FDBROKER_REASONS(X)                                                                        \
	X(NONE, 0, "none", "the last call succeeded")                                              \
	X(KERNEL, 1, "kernel", "the policy allows it; the errno is the kernel's")                  \
	X(POLICY, 2, "policy",                                                                     \
		"no rule of the policy allows it, or one denies it, or rules disagree on it: "     \
		"see the broker's log")                                                            \
	X(TYPE, 3, "type", "the object is of a type that the rule does not grant")                 \
	X(PLACEMENT, 4, "placement",                                                               \
		"an unprivileged user could have placed it: a folder on the way is not "           \
		"root's alone")                                                                    \
	X(SYMLINK, 5, "symlink", "a symbolic link on the way is not followed")                     \
	X(FLAGS, 6, "flags", "these flags are not served")                                         \
	X(SOCKET, 7, "socket",                                                                     \
		"the socket, option or address is not of a kind that is served: see "              \
		"fdbroker_bind(), fdbroker_socket()")                                              \
	X(LIMIT, 8, "limit", "a limit of the broker was reached; try again later")                 \
	X(UNKNOWN, 9, "unknown",                                                                   \
		"the outcome is unknown: what did the work died or took too long")                 \
	X(LOCAL, 10, "local",                                                                      \
		"this process's own doing: an argument, memory or descriptors (see errno)")        \
	X(BROKER, 11, "broker",                                                                    \
		"the broker has closed the connection: it ended, or no client block of its "       \
		"policy is for this user, or this user has too many connections")                  \
	X(NETNS, 12, "netns", "it would be in a network namespace that the rule does not grant")   \
	X(NAMES, 13, "names", "the name service does not know, or has failed")                     \
	X(NARROWED, 14, "narrowed", "this connection was narrowed, and may not do it any more")    \
	X(COPY, 15, "copy", "it comes in memory of the caller: send a memfd that is large enough") \
	X(WORDS, 16, "words", "verbs or object of the limit are not of the policy language")
