/* SPDX-License-Identifier: MIT */
/* What worker and executor have in common: becoming what they are, and their ring. */
#pragma once

#include "channel.h"
#include "confine.h"
#include "operations/operation.h"
#include "peers.h"

/*
 * Maps what the supervisor passed, opens what serving needs, and gives up everything else for good.
 * *peers becomes the table of the peers. 0, or a negative errno; what can be said has been said.
 */
int role_begin(enum role role, struct server *server, const struct peers **peers)
	__attribute__((warn_unused_result));

/* Who asks on this connection, dealt in that slot. peer: its entry of the table, or a copy. */
struct asker role_asker(
	const struct peers *peers, uint32_t slot, const struct peer *peer, int connection);

/* Tells the supervisor that there is something in the ring, if there is since the last time. */
void role_wake_log(const struct server *server);

/* Sends the supervisor a message. Without the supervisor there is nothing to live for. */
void role_tell(const struct server *server, enum message_type type, uint32_t slot, uint32_t serial);

/* Asks the supervisor to narrow a connection, dealt in that slot, by these limits. */
void role_tell_limit(const struct server *server, uint32_t slot, uint32_t serial,
	const struct fdbroker_text *limits);

/* Ends this process: it cannot do its work. Its successor can. */
_Noreturn void role_end(const struct server *server);

int worker_main(void);
int executor_main(void);
