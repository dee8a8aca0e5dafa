/* SPDX-License-Identifier: MIT */
/* What a policy needs of the machine, beside capabilities. */
#pragma once

#include "policy.h"

/* Says on the log what is missing, and the way out. Rules that need it fail until it is there. */
void surroundings_check(const struct policy_needs *needs);
