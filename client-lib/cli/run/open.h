/* SPDX-License-Identifier: MIT */
/*
 * The system calls that open a file: what the broker could grant is asked of it, everything else
 * the program's own rights decide.
 */
#pragma once

struct notification;
struct receiver;

void serve_open(struct receiver *receiver, const struct notification *notification);
void serve_creat(struct receiver *receiver, const struct notification *notification);
void serve_openat(struct receiver *receiver, const struct notification *notification);
void serve_openat2(struct receiver *receiver, const struct notification *notification);
