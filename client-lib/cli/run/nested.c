/* SPDX-License-Identifier: MIT */
#include "nested.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2(2) with a struct of so many bytes. The kernel refuses all that is larger than a page, with
   E2BIG, before it looks at anything else. */
#define QUESTION_BYTES UINT64_C(0x66646272) /* "fdbr" */
#define YES EALREADY                        /* which openat2(2) does not have */

bool nested_is_supervised(void)
{
	return syscall(SYS_openat2, -1, NULL, NULL, QUESTION_BYTES) == -1 && errno == YES;
}

bool nested_is_question(const struct notification *notification)
{
	return notification->system_call == SYS_openat2 &&
	       notification->arguments[3] == QUESTION_BYTES;
}

void nested_answer(const struct notification *notification)
{
	notification_return(notification, YES);
}
