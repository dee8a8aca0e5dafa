/* SPDX-License-Identifier: MIT */
/* What is better not granted because somebody asked for it: a small table, for `suggest`. */
#pragma once

#include "wanted.h"

/* Why a rule for this is not to be pasted without a thought; NULL: nothing is known against it. */
const char *caution_find(const struct wanted *wanted);

/* What is worth a word, and yet what brokers are for; NULL: nothing. */
const char *caution_remark(const struct wanted *wanted);
