/* SPDX-License-Identifier: MIT */
/* What worker and executor have in common: becoming what they are, and their ring. */
#pragma once

#include "confine.h"
#include "serve.h"

/*
 * Maps what the supervisor passed, opens what serving needs, and gives up everything else for good.
 * 0, or a negative errno that has been said.
 */
int role_begin(enum role role, struct server *server) __attribute__((warn_unused_result));

/* Tells the supervisor that there is something in the ring, if there is since the last time. */
void role_wake_log(struct server *server);

int worker_main(void);
int executor_main(void);
