/* SPDX-License-Identifier: MIT */
/*
 * The system calls that fdbroker_sandbox() forbids. It is a list of what is forbidden, not of what
 * is allowed: a library cannot know what its program computes with. Hence Landlock beside it, which
 * also stops what a later kernel may add.
 *
 * EPERM, so that its refusals look different from the broker's EACCES. System calls of another
 * architecture (int 0x80, x32) end the process: no rule here is about their numbers.
 *
 * Must never: forbid what SANDBOXES in fdbroker.h says that the library needs.
 */
#include "sandbox-filter.h"

#include "fdbroker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SYSTEM_CALL(name) SCMP_SYS(name)
/* Those that libseccomp 2.5 has no name for. From 424 on every architecture counts alike, from a
   start of its own: Linux 5.1. */
#define NUMBERED(number) (SCMP_SYS(pidfd_send_signal) + ((number)-424))

/* Which of the tables below the flags leave out. */
#define ALWAYS 0u

static const int opening[] = {
	SYSTEM_CALL(open),
	SYSTEM_CALL(openat),
	SYSTEM_CALL(openat2),
	SYSTEM_CALL(creat),
	SYSTEM_CALL(execve),
	SYSTEM_CALL(execveat),
};

static const int networking[] = {
	SYSTEM_CALL(socket),
	SYSTEM_CALL(socketpair),
	SYSTEM_CALL(connect),
};

static const int forbidden[] = {
	/* What Landlock sees only as sockets of TCP. */
	SYSTEM_CALL(bind),
	/* Descriptors by other ways than a path. */
	SYSTEM_CALL(open_by_handle_at),
	SYSTEM_CALL(name_to_handle_at),
	SYSTEM_CALL(open_tree),
	NUMBERED(467), /* open_tree_attr */
	SYSTEM_CALL(pidfd_getfd),
	SYSTEM_CALL(uselib),
	/* It makes system calls that no filter sees: io_uring_setup(2). */
	SYSTEM_CALL(io_uring_setup),
	SYSTEM_CALL(io_uring_enter),
	SYSTEM_CALL(io_uring_register),
	/* What Landlock does not know, or not at each version. */
	SYSTEM_CALL(truncate),
	SYSTEM_CALL(truncate64),
	SYSTEM_CALL(chmod),
	SYSTEM_CALL(fchmodat),
	NUMBERED(452), /* fchmodat2 */
	SYSTEM_CALL(chown),
	SYSTEM_CALL(chown32),
	SYSTEM_CALL(lchown),
	SYSTEM_CALL(lchown32),
	SYSTEM_CALL(fchownat),
	SYSTEM_CALL(utime),
	SYSTEM_CALL(utimes),
	SYSTEM_CALL(futimesat),
	SYSTEM_CALL(setxattr),
	SYSTEM_CALL(lsetxattr),
	SYSTEM_CALL(removexattr),
	SYSTEM_CALL(lremovexattr),
	NUMBERED(463), /* setxattrat */
	NUMBERED(466), /* removexattrat */
	NUMBERED(469), /* file_setattr */
	SYSTEM_CALL(inotify_add_watch),
	SYSTEM_CALL(fanotify_init),
	SYSTEM_CALL(fanotify_mark),
	/* Memory and queues that others of the user have under a number or a name. */
	SYSTEM_CALL(mq_open),
	SYSTEM_CALL(mq_unlink),
	SYSTEM_CALL(ipc),
	SYSTEM_CALL(shmget),
	SYSTEM_CALL(shmat),
	SYSTEM_CALL(shmctl),
	SYSTEM_CALL(semget),
	SYSTEM_CALL(semop),
	SYSTEM_CALL(semtimedop),
	SYSTEM_CALL(semctl),
	SYSTEM_CALL(msgget),
	SYSTEM_CALL(msgsnd),
	SYSTEM_CALL(msgrcv),
	SYSTEM_CALL(msgctl),
	/* Other processes. */
	SYSTEM_CALL(ptrace),
	SYSTEM_CALL(process_vm_readv),
	SYSTEM_CALL(process_vm_writev),
	NUMBERED(440), /* process_madvise */
	SYSTEM_CALL(kcmp),
	/* Mounts, roots and namespaces, in which a process may have capabilities again. */
	SYSTEM_CALL(mount),
	SYSTEM_CALL(umount),
	SYSTEM_CALL(umount2),
	SYSTEM_CALL(move_mount),
	SYSTEM_CALL(fsopen),
	SYSTEM_CALL(fsmount),
	SYSTEM_CALL(fspick),
	SYSTEM_CALL(fsconfig),
	NUMBERED(442), /* mount_setattr */
	SYSTEM_CALL(pivot_root),
	SYSTEM_CALL(chroot),
	SYSTEM_CALL(unshare),
	SYSTEM_CALL(setns),
	/* Parts of the kernel that are large, rarely needed, and have been ways around it. */
	SYSTEM_CALL(bpf),
	SYSTEM_CALL(perf_event_open),
	SYSTEM_CALL(userfaultfd),
	SYSTEM_CALL(keyctl),
	SYSTEM_CALL(add_key),
	SYSTEM_CALL(request_key),
	SYSTEM_CALL(kexec_load),
	SYSTEM_CALL(kexec_file_load),
	SYSTEM_CALL(init_module),
	SYSTEM_CALL(finit_module),
	SYSTEM_CALL(delete_module),
};

/* A table, and the flag that leaves it out. */
#define TABLE(table, without)                                                                      \
	{                                                                                          \
		(table), sizeof(table) / sizeof((table)[0]), (without)                             \
	}
static const struct {
	const int *system_calls;
	size_t count;
	unsigned int without;
} tables[] = {
	TABLE(forbidden, ALWAYS),
	TABLE(opening, FDBROKER_SANDBOX_PROGRAMS),
	TABLE(networking, FDBROKER_SANDBOX_SOCKETS),
};

/* Where one argument decides: forbidden if argument & mask is value. */
struct condition {
	int system_call;
	unsigned int argument;
	uint64_t mask;
	uint64_t value;
	unsigned int without;
};

/* clone(2): the flags are the second argument of s390. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define CLONE_WITH(flag)                                                                           \
	{                                                                                          \
		SYSTEM_CALL(clone), CLONE_FLAGS, (flag), (flag), ALWAYS                            \
	}
/* A connect(2) in the disguise of a send(2): tcp(7). */
#define FAST_OPEN(name, argument)                                                                  \
	{                                                                                          \
		SYSTEM_CALL(name), (argument), MSG_FASTOPEN, MSG_FASTOPEN,                         \
			FDBROKER_SANDBOX_SOCKETS                                                   \
	}
/* The kernel looks at 32 bits alone: ioctl(2). */
#define COMMAND(command)                                                                           \
	{                                                                                          \
		SYSTEM_CALL(ioctl), 1, UINT32_MAX, (command), ALWAYS                               \
	}

static const struct condition conditions[] = {
	CLONE_WITH(CLONE_NEWNS),
	CLONE_WITH(CLONE_NEWCGROUP),
	CLONE_WITH(CLONE_NEWUTS),
	CLONE_WITH(CLONE_NEWIPC),
	CLONE_WITH(CLONE_NEWUSER),
	CLONE_WITH(CLONE_NEWPID),
	CLONE_WITH(CLONE_NEWNET),
	FAST_OPEN(sendto, 3),
	FAST_OPEN(sendmsg, 2),
	FAST_OPEN(sendmmsg, 3),
	/* Keys that somebody seems to press in the terminal: ioctl_tty(2), ioctl_console(2). */
	COMMAND(TIOCSTI),
	COMMAND(TIOCLINUX),
};

static int forbid_tables(scmp_filter_ctx filter, unsigned int flags)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (tables[i].without & flags)
			continue;
		for (size_t j = 0; j < tables[i].count && error == 0; j++)
			error = seccomp_rule_add(
				filter, SCMP_ACT_ERRNO(EPERM), tables[i].system_calls[j], 0);
	}
	return error;
}

static int forbid_conditions(scmp_filter_ctx filter, unsigned int flags)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]) && error == 0; i++) {
		const struct condition *condition = &conditions[i];

		if (!(condition->without & flags))
			error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
				condition->system_call, 1,
				SCMP_CMP(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask,
					condition->value));
	}
	return error;
}

/*
 * A path of NULL is futimens(3), on what is open already. The flags of clone3(2) lie in memory,
 * where no filter can see them; with ENOSYS libc takes clone(2).
 */
static int forbid_the_odd_ones(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp has_path = SCMP_CMP(1, SCMP_CMP_NE, 0, 0);
	int error = seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(EPERM), SYSTEM_CALL(utimensat), 1, has_path);

	if (error == 0)
		error = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EPERM), SYSTEM_CALL(utimensat_time64), 1, has_path);
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYSTEM_CALL(clone3), 0);
	return error;
}

/* With FDBROKER_SANDBOX_SOCKETS: unix, IPv4 and IPv6, and none of the other families, which are
   many, and whose code few look at. */
static int forbid_families(scmp_filter_ctx filter)
{
	int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SYSTEM_CALL(socket), 1,
		SCMP_A0(SCMP_CMP_GT, AF_INET6, 0));

	for (unsigned int family = AF_INET + 1; family < AF_INET6 && error == 0; family++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SYSTEM_CALL(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, family, 0));
	return error;
}

static int fill(scmp_filter_ctx filter, unsigned int flags)
{
	int error = forbid_tables(filter, flags);

	if (error == 0)
		error = forbid_conditions(filter, flags);
	if (error == 0)
		error = forbid_the_odd_ones(filter);
	if (error == 0 && (flags & FDBROKER_SANDBOX_SOCKETS))
		error = forbid_families(filter);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A balanced tree: the cost of a call does not depend on how many are forbidden. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return error;
}

scmp_filter_ctx sandbox_filter_make(unsigned int flags)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error;

	if (filter == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	error = fill(filter, flags);
	if (error == 0)
		return filter;
	seccomp_release(filter);
	errno = -error;
	return NULL;
}

int sandbox_filter_enter(scmp_filter_ctx filter)
{
	int error = seccomp_load(filter);

	if (error == 0)
		return 0;
	errno = -error;
	return -1;
}
