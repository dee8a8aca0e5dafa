/* SPDX-License-Identifier: MIT */
/*
 * Hands: what a worker has in hand, in memory that it shares with the supervisor, so that its
 * successor knows what became of it. Written by the worker alone; whoever reads it treats it as
 * hostile input.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "channel.h"
#include "limits.h"

#define HANDS_NOBODY UINT32_MAX

struct hands {
	_Atomic uint32_t serving;       /* the slot being served this moment, or HANDS_NOBODY */
	struct hand lent[SESSIONS_MAX]; /* the packet that an executor was lent, by slot */
};
