/* SPDX-License-Identifier: MIT */
/* The words that the programs of these tests print for an error and its reason. */
#pragma once

#include <string.h>

#include "reason.h"

static inline const char *errno_word(int error)
{
	const char *word = strerrorname_np(error);

	return word != NULL ? word : "unknown-errno";
}

static inline const char *reason_word(unsigned int reason)
{
#define WORD(name, number, word, sentence)                                                         \
	case number:                                                                               \
		return word;
	switch (reason) {
		FDBROKER_REASONS(WORD)
	}
#undef WORD
	return "unknown-reason";
}
