/* SPDX-License-Identifier: MIT */
/* The socket that clients connect to. */
#pragma once

/*
 * The listening socket: at that path; or with NULL the one that the service manager passed, else at
 * the built-in path. Returns a non-blocking descriptor, or a negative errno that has been said.
 */
int listener_open(const char *path) __attribute__((warn_unused_result));
