/* SPDX-License-Identifier: MIT */
/*
 * What the sandboxes forbid by system call, in tables that say for whom. They list what is
 * forbidden, not what is allowed: neither a library nor `fdbroker run` can know what a program
 * computes with. Hence Landlock beside it, which also stops what a later kernel may add.
 *
 * fdbroker_sandbox() is for programs that were made for it. `fdbroker run` has them as they are, so
 * there only that is forbidden which leads out of the sandbox and which ordinary programs do
 * without. What Landlock judges well enough stays: ptrace(2), process_vm_readv(2) and setns(2), in
 * which it has a say of the other process, so that debuggers and MPI work within; mounts, which it
 * forbids; and namespaces, in which who has `-w /proc` for their uid maps confines parts of itself.
 *
 * EPERM, so that its refusals look different from the broker's EACCES. System calls of another
 * architecture (int 0x80, x32), about whose numbers no rule here is, end the process in the sandbox
 * of the library; for `run`, its own filter_refuse() sees to them.
 *
 * Must never: forbid what SANDBOXES in fdbroker.h says that the library needs.
 */
#include "sandbox-filter.h"

#include "fdbroker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SYSTEM_CALL(name) SCMP_SYS(name)
/* Those that libseccomp 2.5 has no name for. From 424 on every architecture counts alike, from a
   start of its own: Linux 5.1. */
#define NUMBERED(number) (SCMP_SYS(pidfd_send_signal) + ((number)-424))

#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256 /* Linux 6.11 */
#endif

/* For whom something is forbidden. A filter is for one or more of these. */
enum {
	LIBRARY = 1u << 0,
	WITHOUT_PROGRAMS = 1u << 1, /* the library without FDBROKER_SANDBOX_PROGRAMS */
	WITHOUT_SOCKETS = 1u << 2,  /* the library without FDBROKER_SANDBOX_SOCKETS */
	WITH_SOCKETS = 1u << 3,     /* the library with it */
	RUN = 1u << 4,              /* run --sandbox, run --policy-only */
	POLICY_ONLY = 1u << 5,      /* run --policy-only */
	EVERYBODY = LIBRARY | RUN,
};

/* ---- system calls as a whole ---- */

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

/* Descriptors by other ways than a path, or past what watches paths. */
static const int opening_otherwise[] = {
	SYSTEM_CALL(open_by_handle_at),
	SYSTEM_CALL(pidfd_getfd),
	SYSTEM_CALL(uselib),
};

/* They open or watch what has a name, and no supervisor is asked. */
static const int opening_unasked[] = {
	SYSTEM_CALL(name_to_handle_at),
	SYSTEM_CALL(open_tree),
	NUMBERED(467), /* open_tree_attr */
	SYSTEM_CALL(inotify_add_watch),
	SYSTEM_CALL(fanotify_init),
	SYSTEM_CALL(fanotify_mark),
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
};

/*
 * Memory, queues and keys that others of the user have under a number or a name, of which Landlock
 * knows nothing: who has the number can read, change and destroy them. It costs programs that share
 * memory in this way among themselves, such as PostgreSQL; the kernel tells theirs from others' in
 * an ipc namespace alone.
 */
static const int shared_by_number[] = {
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
	SYSTEM_CALL(keyctl),
	SYSTEM_CALL(add_key),
	SYSTEM_CALL(request_key),
};

/* Parts of the kernel that are large, rarely needed, and have been ways around it. Programs that
   try them go on without: many machines have them turned off for ordinary users. */
static const int rarely_needed[] = {
	NUMBERED(440), /* process_madvise */
	SYSTEM_CALL(kcmp),
	SYSTEM_CALL(bpf),
	SYSTEM_CALL(perf_event_open),
	SYSTEM_CALL(userfaultfd),
	SYSTEM_CALL(kexec_load),
	SYSTEM_CALL(kexec_file_load),
	SYSTEM_CALL(init_module),
	SYSTEM_CALL(finit_module),
	SYSTEM_CALL(delete_module),
};

static const int of_the_library[] = {
	/* What Landlock sees only as sockets of TCP. */
	SYSTEM_CALL(bind),
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
	/* Other processes. */
	SYSTEM_CALL(ptrace),
	SYSTEM_CALL(process_vm_readv),
	SYSTEM_CALL(process_vm_writev),
	/* Roots and namespaces, in which a process may have capabilities again. */
	SYSTEM_CALL(chroot),
	SYSTEM_CALL(unshare),
	SYSTEM_CALL(setns),
};

#define TABLE(whom, table)                                                                         \
	{                                                                                          \
		(whom), (table), sizeof(table) / sizeof((table)[0])                                \
	}
static const struct {
	unsigned int whom;
	const int *system_calls;
	size_t count;
} tables[] = {
	TABLE(EVERYBODY, opening_otherwise),
	TABLE(EVERYBODY, shared_by_number),
	TABLE(EVERYBODY, rarely_needed),
	TABLE(LIBRARY | POLICY_ONLY, opening_unasked),
	TABLE(LIBRARY, of_the_library),
	TABLE(WITHOUT_PROGRAMS, opening),
	TABLE(WITHOUT_SOCKETS, networking),
};

static int forbid(scmp_filter_ctx filter, int system_call)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), system_call, 0);
}

static int forbid_tables(scmp_filter_ctx filter, unsigned int whom)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!(tables[i].whom & whom))
			continue;
		for (size_t j = 0; j < tables[i].count && error == 0; j++)
			error = forbid(filter, tables[i].system_calls[j]);
	}
	return error;
}

/* ---- where one argument decides ---- */

/* `error`, if argument & mask is value. */
struct condition {
	unsigned int whom;
	int error;
	int system_call;
	unsigned int argument;
	uint64_t mask;
	uint64_t value;
};

/* clone(2): the flags are the second argument of s390. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define CLONE_WITH(flag)                                                                           \
	{                                                                                          \
		LIBRARY, EPERM, SYSTEM_CALL(clone), CLONE_FLAGS, (flag), (flag)                    \
	}
/* A connect(2) in the disguise of a send(2): tcp(7). */
#define FAST_OPEN(name, argument)                                                                  \
	{                                                                                          \
		WITHOUT_SOCKETS, EPERM, SYSTEM_CALL(name), (argument), MSG_FASTOPEN, MSG_FASTOPEN  \
	}
/* Of these integers the kernel looks at 32 bits alone: ioctl(2), socket(2). */
#define COMMAND(command)                                                                           \
	{                                                                                          \
		EVERYBODY, EPERM, SYSTEM_CALL(ioctl), 1, UINT32_MAX, (command)                     \
	}
#define PROTOCOL(protocol)                                                                         \
	{                                                                                          \
		RUN | WITH_SOCKETS, EPROTONOSUPPORT, SYSTEM_CALL(socket), 2, UINT32_MAX,           \
			(protocol)                                                                 \
	}
#define FAMILY(family)                                                                             \
	{                                                                                          \
		RUN, EPROTONOSUPPORT, SYSTEM_CALL(socket), 0, UINT32_MAX, (family)                 \
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
	/* Streams that have ports as TCP has, of which Landlock does not know. Programs that try them
	   take TCP then. */
	PROTOCOL(IPPROTO_SCTP),
	PROTOCOL(IPPROTO_DCCP),
	PROTOCOL(IPPROTO_SMC),
	PROTOCOL(IPPROTO_MPTCP),
	FAMILY(AF_SMC),
};

static int forbid_conditions(scmp_filter_ctx filter, unsigned int whom)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]) && error == 0; i++) {
		const struct condition *condition = &conditions[i];

		if (condition->whom & whom)
			error = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)condition->error),
				condition->system_call, 1,
				SCMP_CMP(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask,
					condition->value));
	}
	return error;
}

/* ---- others ---- */

/* A limit of 0 seconds or files ends another process of the user: a signal that Landlock does not
   see. The process itself is 0, by which libc's setrlimit(3) has it. */
static int forbid_limits_of_others(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SYSTEM_CALL(prlimit64), 2,
		SCMP_A0(SCMP_CMP_NE, 0, 0), SCMP_A2(SCMP_CMP_NE, 0, 0));
}

/*
 * For the library. A path of NULL is futimens(3), on what is open already. The flags of clone3(2)
 * lie in memory, where no filter can see them; with ENOSYS libc takes clone(2).
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

static int fill(scmp_filter_ctx filter, unsigned int whom)
{
	const uint32_t elsewhere = whom & RUN ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS;
	int error = forbid_tables(filter, whom);

	if (error == 0)
		error = forbid_conditions(filter, whom);
	if (error == 0)
		error = forbid_limits_of_others(filter);
	if (error == 0 && (whom & LIBRARY))
		error = forbid_the_odd_ones(filter);
	if (error == 0 && (whom & WITH_SOCKETS))
		error = forbid_families(filter);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, elsewhere);
	/* A balanced tree: the cost of a call does not depend on how many are forbidden. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return error;
}

static scmp_filter_ctx make(unsigned int whom)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error;

	if (filter == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	error = fill(filter, whom);
	if (error == 0)
		return filter;
	seccomp_release(filter);
	errno = -error;
	return NULL;
}

scmp_filter_ctx sandbox_filter_for_library(unsigned int flags)
{
	return make(LIBRARY | (flags & FDBROKER_SANDBOX_PROGRAMS ? 0 : WITHOUT_PROGRAMS) |
		    (flags & FDBROKER_SANDBOX_SOCKETS ? WITH_SOCKETS : WITHOUT_SOCKETS));
}

scmp_filter_ctx sandbox_filter_for_run(bool policy_only)
{
	return make(policy_only ? RUN | POLICY_ONLY : RUN);
}

int sandbox_filter_enter(scmp_filter_ctx filter)
{
	int error = seccomp_load(filter);

	if (error == 0)
		return 0;
	errno = -error;
	return -1;
}
