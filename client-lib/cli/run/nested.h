/* SPDX-License-Identifier: MIT */
/*
 * A `run` within another one: a process can have but one supervisor, so the outer one serves what the
 * inner one starts. Who that supervisor is, it is asked by a system call that nobody else would make
 * and that does nothing: an environment variable could be somebody else's, or be left over.
 */
#pragma once

#include "notification.h"

#include <stdbool.h>

/* Is this process supervised by a `run`? */
bool nested_is_supervised(void);

/* Is it that question, and not a call of the program's? */
bool nested_is_question(const struct notification *notification);

/* The answer: yes. */
void nested_answer(const struct notification *notification);
