/* SPDX-License-Identifier: MIT */
/*
 * Descriptors sent from process to process over a Unix-domain socket: SCM_RIGHTS, unix(7).
 */
#pragma once

/*
 * Sends one message, and the descriptor with it; -1 sends the message alone. The sender keeps its
 * own descriptor. Ends the process if that fails.
 */
void send_descriptor(int socket, int fd);

/*
 * Waits for one message. Returns whether one came: 0 when the other side has closed. *fd becomes a
 * new descriptor, which is the caller's, or -1 when none came along.
 */
int receive_descriptor(int socket, int *fd);
