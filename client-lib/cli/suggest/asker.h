/* SPDX-License-Identifier: MIT */
/* Who asked, in the words of a policy. */
#pragma once

#include <stdio.h>

#include "bounds.h"
#include "denials.h"

/* The line `from` of a block that is for the asker. */
void asker_from(const struct asker *asker, FILE *out);

/* A name for the block, of up to POLICY_CLIENT_NAME_MAX bytes, that needs no quotes. */
void asker_name(const struct asker *asker, char name[static POLICY_CLIENT_NAME_MAX + 1]);
