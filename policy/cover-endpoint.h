/* SPDX-License-Identifier: MIT */
/*
 * One object of a rule as it is written, and an endpoint that is asked for: for limits, which are
 * read when they are needed, and for explanations. Must say what the compiled tables would.
 */
#pragma once

#include "asked.h"
#include "set.h"

/* Whether its host is about that of the endpoint; kind and number are another matter. */
bool object_covers_host(const struct object *object, const struct asked *asked);
