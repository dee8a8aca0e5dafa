/* SPDX-License-Identifier: MIT */
/* The one uid that stands for many users, and so can be granted nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether whoever is shown with this uid may be anybody. */
bool uid_is_nobody(uint32_t uid);
