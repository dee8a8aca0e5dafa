/* SPDX-License-Identifier: MIT */
/*
 * What the flags of an open(2) ask for, in verbs: for the broker, which serves it, and for who wants
 * to know what the broker would be asked. Must never serve a flag that it does not know.
 */
#include "policy.h"

#include <fcntl.h>

/*
 * O_LARGEFILE is 0 for a 64-bit program, but a 32-bit client sends the kernel's: it is taken, and
 * means nothing to the broker. Elsewhere that number is another flag.
 */
#if defined(__x86_64__)
#define FLAG_LARGEFILE 0100000
#else
#define FLAG_LARGEFILE O_LARGEFILE
#endif
#define FLAGS_SERVED                                                                               \
	(O_ACCMODE | O_APPEND | O_TRUNC | O_NONBLOCK | O_SYNC | O_DSYNC | O_DIRECT | O_CREAT |     \
		O_EXCL | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC | O_NOCTTY | FLAG_LARGEFILE)

uint32_t policy_open_verbs(uint32_t flags)
{
	bool is_append = (flags & (O_APPEND | O_TRUNC)) == O_APPEND;
	uint32_t write = POLICY_BIT(is_append ? POLICY_APPEND : POLICY_WRITE);
	if (flags & ~(uint32_t)FLAGS_SERVED)
		return 0;
	/* open(2), BUGS: what the two would mean together, kernels do not agree on. */
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return 0;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		/* open(2): O_RDONLY|O_TRUNC truncates on some systems. */
		return flags & O_TRUNC ? 0 : POLICY_BIT(POLICY_READ);
	case O_WRONLY:
		return write;
	case O_RDWR:
		return POLICY_BIT(POLICY_READ) | write;
	default:
		return 0;
	}
}
