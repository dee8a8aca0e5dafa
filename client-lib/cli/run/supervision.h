/* SPDX-License-Identifier: MIT */
/*
 * What the threads of the supervisor have in common.
 */
#pragma once

#include "connection.h"
#include "grants.h"
#include "mode.h"
#include "refresher.h"
#include "target.h"

struct supervision {
	enum run_mode mode;
	struct place place;             /* where the broker's names mean what they mean here */
	unsigned int unprivileged_port; /* the first one that needs no privilege: ip(7) */
	struct grants *grants;
	struct connections connections;
	struct refresher refresher;
};
