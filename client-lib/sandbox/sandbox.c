/* SPDX-License-Identifier: MIT */
/*
 * fdbroker_sandbox(): first whatever may fail without harm is prepared, then one thing after the
 * other is given up for good, then each of it is tried.
 *
 * Must never: return 0 if anything of it is not in force.
 */
#include "fdbroker.h"

#include "capabilities.h"
#include "landlock.h"
#include "sandbox-filter.h"
#include "system-folders.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ALL_FLAGS (FDBROKER_SANDBOX_SOCKETS | FDBROKER_SANDBOX_PROGRAMS)

/* ---- one thread ---- */

/*
 * Does nothing in a process of one thread, and fails with EINVAL in others: unshare(2). Where a
 * filter forbids it, as that of many containers and this library's own, the folder of the threads
 * has a link for each, and two of its own.
 */
static bool has_one_thread(void)
{
	struct stat threads;

	if (unshare(CLONE_VM) == 0)
		return true;
	return errno != EINVAL && stat("/proc/self/task", &threads) == 0 && threads.st_nlink == 3;
}

/* A thread that pthread_join(3) has waited for is in the kernel's books for a moment longer: it
   wakes who waits before it is gone. So there are a few looks. */
static bool is_single_threaded(void)
{
	const struct timespec a_moment = {.tv_nsec = 1000000};

	for (int looks = 0; looks < 100; looks++) {
		if (has_one_thread())
			return true;
		(void)nanosleep(&a_moment, NULL);
	}
	return false;
}

/* ---- does it hold? ---- */

/* Is a call that returned this refused by the filter? A descriptor is closed: there should be
   none. */
static bool is_forbidden(long result)
{
	if (result > 0)
		close((int)result);
	return result == -1 && errno == EPERM;
}

static bool cannot_open(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && (errno == EACCES || errno == EPERM);
}

/* The arguments are such that without the filter each of these fails in another way, or does no
   harm. */
static bool filter_holds(unsigned int flags)
{
	if (!is_forbidden(bind(-1, NULL, 0)) || !is_forbidden(unshare(0)))
		return false;
	if (!(flags & FDBROKER_SANDBOX_SOCKETS) &&
		(!is_forbidden(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) ||
			!is_forbidden(connect(-1, NULL, 0))))
		return false;
	return (flags & FDBROKER_SANDBOX_PROGRAMS) ||
	       is_forbidden(syscall(SYS_execve, "", NULL, NULL));
}

static bool everything_holds(unsigned int flags)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER &&
	       capabilities_are_none() && filter_holds(flags) && cannot_open();
}

/* ---- entering it ---- */

/* The order: a rule set wants no_new_privs, and the filter is last, as it forbids some of what
   stands before it. Landlock is tried before the filter hides whether it holds. */
static bool give_up(int rules, scmp_filter_ctx filter)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && capabilities_drop() == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && landlock_enter(rules) == 0 &&
	       cannot_open() && sandbox_filter_enter(filter) == 0;
}

/* The descriptor of the rule set; or -1 and errno. */
static int make_rules(unsigned int flags)
{
	struct landlock_rules rules;
	int error;

	if (landlock_new(&rules) != 0)
		return -1;
	if (!(flags & FDBROKER_SANDBOX_PROGRAMS) || system_folders_allow(&rules) == 0)
		return rules.fd;
	error = errno;
	close(rules.fd);
	errno = error;
	return -1;
}

/* Once something has been given up there is one errno, whatever the kernel says: each of those that
   it may say also stands for a failure that has changed nothing. */
static int enter(int rules, unsigned int flags)
{
	scmp_filter_ctx filter = sandbox_filter_for_library(flags);
	bool entered;

	if (filter == NULL)
		return -1;
	entered = give_up(rules, filter);
	seccomp_release(filter);
	if (entered && everything_holds(flags))
		return 0;
	errno = ENOTRECOVERABLE;
	return -1;
}

int fdbroker_sandbox(unsigned int flags)
{
	int rules, result, error = errno;

	if ((flags & ~ALL_FLAGS) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (!is_single_threaded()) {
		errno = EBUSY;
		return -1;
	}
	rules = make_rules(flags);
	if (rules < 0)
		return -1;
	result = enter(rules, flags);
	if (result != 0)
		error = errno;
	close(rules);
	errno = error;
	return result;
}
