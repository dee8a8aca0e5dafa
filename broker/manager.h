/* SPDX-License-Identifier: MIT */
/*
 * The service manager's protocols, as sd_listen_fds(3) and sd_notify(3) document them for
 * reimplementation: the listening socket that it passed, and what it is told of our state.
 */
#pragma once

/* The socket that was passed; -ENOENT: none was; another negative errno: it cannot be used, said.
 */
int manager_listener(void);

/* Connects to the manager, if there is one. To be called before confinement. */
void manager_connect(void);

/* Sends assignments, one a line: "READY=1\nSTATUS=...". Without a manager, nothing. */
void manager_notify(const char *state);
