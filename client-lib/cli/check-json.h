/* SPDX-License-Identifier: MIT */
/*
 * What `fdbroker check` found, for programs. See fdbroker(1).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "policy-files.h"

/* One JSON object and a newline. False: out of memory, or it could not be written. */
bool check_json_print(const struct loaded_policy *policy, FILE *out);
