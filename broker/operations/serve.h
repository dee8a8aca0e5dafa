/* SPDX-License-Identifier: MIT */
/*
 * Serving packets: every request of one to its operation, every decision to the audit log, all
 * outcomes to the client.
 */
#pragma once

#include "operation.h"

/*
 * Serves a whole packet: every request of it, the audit records, and the reply on
 * asker->connection. Takes over `received`, the descriptor that came with it, or -1. *served says
 * whether it was; if not, nothing was sent, nothing is left of what was begun, and an executor is
 * to do it all (or another one: this executor has lost its resolver), or the supervisor. 0, or a
 * negative errno when the reply could not be sent: then the connection is to be ended.
 */
int serve_packet(const struct server *server, const struct asker *asker, uint32_t first_id,
	const struct fdbroker_request *requests, unsigned int count, int received,
	enum served *served) __attribute__((warn_unused_result));

/*
 * Answers one id with what the supervisor said: 0 or an errno, and a descriptor, which is taken
 * over, or -1. 0 or a negative errno, as above.
 */
int serve_outcome(int connection, uint32_t id, int outcome, int fd)
	__attribute__((warn_unused_result));

/* Answers ids that nobody can know the outcome of. 0 or a negative errno, as above. */
int serve_unknown(int connection, uint32_t first_id, unsigned int count)
	__attribute__((warn_unused_result));
