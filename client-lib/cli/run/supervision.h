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
	struct place place; /* where the broker's names mean what they mean here */
	struct grants *grants;
	struct connections connections;
	struct refresher refresher;
};
