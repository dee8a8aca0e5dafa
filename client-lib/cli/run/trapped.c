/* SPDX-License-Identifier: MIT */
#include "trapped.h"
#include "bind.h"
#include "nested.h"
#include "open.h"

#include <errno.h>
#include <sys/syscall.h>

const struct trapped_call trapped_calls[] = {
	{SYS_openat, serve_openat},
#ifdef SYS_open /* newer architectures have neither, syscalls(2) */
	{SYS_open, serve_open},
	{SYS_creat, serve_creat},
#endif
	{SYS_openat2, serve_openat2},
	{SYS_bind, serve_bind},
};
const size_t trapped_call_count = sizeof(trapped_calls) / sizeof(trapped_calls[0]);

void trapped_serve(struct receiver *receiver, const struct notification *notification)
{
	if (nested_is_question(notification)) {
		nested_answer(notification);
		return;
	}
	for (size_t i = 0; i < trapped_call_count; i++) {
		if (trapped_calls[i].number == notification->system_call) {
			trapped_calls[i].serve(receiver, notification);
			return;
		}
	}
	notification_return(notification, ENOSYS);
}
