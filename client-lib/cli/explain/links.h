/* SPDX-License-Identifier: MIT */
/* Where the links of a path lead, which `deny` judges too. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "request.h"

/*
 * Follows the links on the way to the file of the request, as far as its verbs follow them and the
 * caller can see them. False: that cannot be told.
 */
bool links_follow(const struct request *request, char real[static PATH_MAX]);
