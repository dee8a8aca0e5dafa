/* SPDX-License-Identifier: MIT */
#include "trapped.h"
#include "bind.h"
#include "open.h"

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
