/* SPDX-License-Identifier: MIT */
/*
 * bind(2): the broker binds the program's own socket, in place.
 */
#pragma once

struct notification;
struct receiver;

void serve_bind(struct receiver *receiver, const struct notification *notification);
