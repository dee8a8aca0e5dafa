/* SPDX-License-Identifier: MIT */
/*
 * What the filter of each role keeps from it, and what it leaves. Every call of the table is made
 * by a process of its own, under the filter of each role; by its arguments it comes to nothing
 * where it is let through.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/confine.h"

/* ---- the roles, and the policies that they serve ---- */

enum {
	RESOLVER = 1 << 0,
	WORKER_IDLE = 1 << 1, /* its policy allows nothing */
	WORKER_READS = 1 << 2,
	WORKER_BINDS = 1 << 3,
	WORKER_ALL = 1 << 4, /* its policy allows everything that there is */
	EXECUTOR_IDLE = 1 << 5,
	EXECUTOR_READS = 1 << 6,
	EXECUTOR_BINDS = 1 << 7,
	EXECUTOR_PATHS = 1 << 8, /* unix sockets */
	EXECUTOR_DIALS = 1 << 9,
	EXECUTOR_DEVICES = 1 << 10,
	EXECUTOR_RAW = 1 << 11,
	EXECUTOR_ALL = 1 << 12,
	EXECUTOR_LOOKS = 1 << 13, /* stat */
	EXECUTOR_CREATES = 1 << 14,
	EXECUTOR_REMOVES = 1 << 15,
	EXECUTOR_LISTS = 1 << 16,
	EXECUTOR_WATCHES = 1 << 17,
	EXECUTOR_COPIES = 1 << 18,
	EXECUTOR_ACTS = 1 << 19, /* as others */
};

#define NOBODY 0
#define WORKERS (WORKER_IDLE | WORKER_READS | WORKER_BINDS | WORKER_ALL)
#define EXECUTORS                                                                                  \
	(EXECUTOR_IDLE | EXECUTOR_READS | EXECUTOR_BINDS | EXECUTOR_PATHS | EXECUTOR_DIALS |       \
		EXECUTOR_DEVICES | EXECUTOR_RAW | EXECUTOR_ALL | EXECUTOR_LOOKS |                  \
		EXECUTOR_CREATES | EXECUTOR_REMOVES | EXECUTOR_LISTS | EXECUTOR_WATCHES |          \
		EXECUTOR_COPIES | EXECUTOR_ACTS)
#define EVERYBODY (RESOLVER | WORKERS | EXECUTORS)

#define BINDERS (WORKER_BINDS | WORKER_ALL | EXECUTOR_BINDS | EXECUTOR_PATHS | EXECUTOR_ALL)
#define NAMERS (EXECUTOR_PATHS | EXECUTOR_ALL)
#define DIALLERS (EXECUTOR_DIALS | EXECUTOR_ALL)
#define DEVISERS (EXECUTOR_DEVICES | EXECUTOR_ALL)
#define FILERS                                                                                     \
	(EXECUTOR_READS | EXECUTOR_LOOKS | EXECUTOR_CREATES | EXECUTOR_REMOVES | EXECUTOR_LISTS |  \
		EXECUTOR_WATCHES | EXECUTOR_COPIES | EXECUTOR_ACTS | EXECUTOR_ALL)
#define READERS (WORKER_READS | WORKER_ALL | FILERS)
#define CREATORS (EXECUTOR_CREATES | EXECUTOR_ALL)
#define REMOVERS (EXECUTOR_REMOVES | EXECUTOR_ALL)
#define LISTERS (EXECUTOR_LISTS | EXECUTOR_ALL)
#define WATCHERS (EXECUTOR_WATCHES | EXECUTOR_ALL)
#define COPIERS (EXECUTOR_COPIES | EXECUTOR_ALL)
#define ACTORS (EXECUTOR_ACTS | EXECUTOR_ALL)

#define ALL_NEEDS                                                                                  \
	{                                                                                          \
		.allowed_verbs = (1u << POLICY_VERB_COUNT) - 1,                                    \
		.allowed_kinds = (1u << POLICY_KIND_COUNT) - 1, .with = 0x3f, .device = true,      \
		.owner = true, .low_port = true, .unix_path = true, .as = true, .as_peer = true,   \
		.copy = true, .user_name = true, .unit = true                                      \
	}

static const struct confinement {
	const char *name;
	unsigned int bit;
	enum role role;
	struct policy_needs needs;
} confinements[] = {
	{"a resolver", RESOLVER, ROLE_RESOLVER, {0}},
	{"a worker", WORKER_IDLE, ROLE_WORKER, {0}},
	{"a worker that reads", WORKER_READS, ROLE_WORKER,
		{.allowed_verbs = POLICY_BIT(POLICY_READ)}},
	{"a worker that binds", WORKER_BINDS, ROLE_WORKER,
		{.allowed_verbs = POLICY_BIT(POLICY_BIND)}},
	{"a worker that does all", WORKER_ALL, ROLE_WORKER, ALL_NEEDS},
	{"an executor", EXECUTOR_IDLE, ROLE_EXECUTOR, {0}},
	{"an executor that reads", EXECUTOR_READS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_READ)}},
	{"an executor that binds", EXECUTOR_BINDS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_BIND)}},
	{"an executor that binds paths", EXECUTOR_PATHS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_BIND), .unix_path = true}},
	{"an executor that dials", EXECUTOR_DIALS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_CONNECT)}},
	{"an executor that makes devices", EXECUTOR_DEVICES, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_SOCKET),
			.allowed_kinds = POLICY_BIT(POLICY_TUN)}},
	{"an executor that makes raw sockets", EXECUTOR_RAW, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_SOCKET),
			.allowed_kinds = POLICY_BIT(POLICY_RAW)}},
	{"an executor that looks", EXECUTOR_LOOKS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_STAT)}},
	{"an executor that creates", EXECUTOR_CREATES, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_CREATE)}},
	{"an executor that removes", EXECUTOR_REMOVES, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_REMOVE)}},
	{"an executor that lists", EXECUTOR_LISTS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_LIST)}},
	{"an executor that watches", EXECUTOR_WATCHES, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_WATCH)}},
	{"an executor that copies", EXECUTOR_COPIES, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_READ), .copy = true}},
	{"an executor that acts as others", EXECUTOR_ACTS, ROLE_EXECUTOR,
		{.allowed_verbs = POLICY_BIT(POLICY_READ), .as = true}},
	{"an executor that does all", EXECUTOR_ALL, ROLE_EXECUTOR, ALL_NEEDS},
};

/* ---- the calls ---- */

/* Open in every process that makes a call. */
enum { FILE_FD = 40, INET_FD, INET6_FD, NETLINK_FD };

static unsigned char page[4096] __attribute__((aligned(4096)));
static char *no_words[] = {NULL};
static const struct sockaddr_in inet_port = {.sin_family = AF_INET};
static const struct sockaddr_in6 inet6_port = {.sin6_family = AF_INET6};
static const struct sockaddr_nl netlink_port = {.nl_family = AF_NETLINK};
static int number;
static socklen_t number_length = sizeof(number);

#define P(pointer) ((uintptr_t)(pointer))
#define HERE ((uintptr_t)AT_FDCWD)

static const struct attempt {
	const char *name;
	long number;
	uintptr_t arguments[6];
	unsigned int permitted;
} attempts[] = {
	/* becoming another program, or two */
	{"execve", SYS_execve, {P("/bin/true"), P(no_words), P(no_words)}, NOBODY},
	{"execveat", SYS_execveat, {HERE, P("/bin/true"), P(no_words), P(no_words)}, NOBODY},
	{"clone", SYS_clone, {SIGCHLD}, NOBODY},
	{"clone of a thread", SYS_clone, {CLONE_THREAD}, NOBODY},
	{"clone into namespaces", SYS_clone, {CLONE_NEWUSER | SIGCHLD}, NOBODY},
	{"clone3", SYS_clone3, {0}, NOBODY},
#ifdef SYS_fork
	{"fork", SYS_fork, {0}, NOBODY},
	{"vfork", SYS_vfork, {0}, NOBODY},
#endif
	{"unshare", SYS_unshare, {CLONE_NEWUSER}, NOBODY},
	{"setns", SYS_setns, {P(-1)}, NOBODY},

	/* other processes */
	{"ptrace", SYS_ptrace, {PTRACE_TRACEME}, NOBODY},
	{"process_vm_readv", SYS_process_vm_readv, {1}, NOBODY},
	{"process_vm_writev", SYS_process_vm_writev, {1}, NOBODY},
	{"kill", SYS_kill, {1, 0}, NOBODY},
	{"tkill", SYS_tkill, {1, 0}, NOBODY},
#if !FDBROKER_SANITIZED
	{"tgkill", SYS_tgkill, {1, 1, 0}, NOBODY},
#endif
	{"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {1, 0, 0}, NOBODY},
	{"pidfd_open", SYS_pidfd_open, {1, 0}, NOBODY},
	{"pidfd_getfd", SYS_pidfd_getfd, {P(-1)}, NOBODY},
	{"pidfd_send_signal", SYS_pidfd_send_signal, {P(-1)}, NOBODY},
	{"F_SETOWN", SYS_fcntl, {INET_FD, F_SETOWN, 0}, NOBODY},
	{"F_SETSIG", SYS_fcntl, {INET_FD, F_SETSIG, 0}, NOBODY},

	/* rights */
	{"setuid", SYS_setuid, {0}, NOBODY},
	{"setresuid", SYS_setresuid, {0, 0, 0}, NOBODY},
	{"setgid", SYS_setgid, {0}, NOBODY},
	{"setreuid", SYS_setreuid, {0, 0}, NOBODY},
	{"setregid", SYS_setregid, {0, 0}, NOBODY},
	{"setresgid", SYS_setresgid, {0, 0, 0}, NOBODY},
	{"setgroups", SYS_setgroups, {0, 0}, ACTORS},
	{"getgroups", SYS_getgroups, {0, 0}, ACTORS},
	{"setfsuid", SYS_setfsuid, {P(-1)}, ACTORS},
	{"setfsgid", SYS_setfsgid, {P(-1)}, ACTORS},
	{"capset", SYS_capset, {0, 0}, ACTORS},
	{"capget", SYS_capget, {0, 0}, ACTORS},
	{"seccomp", SYS_seccomp, {P(-1)}, NOBODY},
#if !FDBROKER_SANITIZED
	{"prctl", SYS_prctl, {P(-1)}, NOBODY},
	{"PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 0}, ACTORS},
	{"PR_SET_PDEATHSIG", SYS_prctl, {PR_SET_PDEATHSIG, SIGKILL}, ACTORS},
	{"PR_SET_KEEPCAPS", SYS_prctl, {PR_SET_KEEPCAPS, 0}, NOBODY},
	{"PR_SET_SECUREBITS", SYS_prctl, {PR_SET_SECUREBITS, 0}, NOBODY},
	{"PR_CAP_AMBIENT", SYS_prctl, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0}, NOBODY},
	{"PR_SET_SECCOMP", SYS_prctl, {PR_SET_SECCOMP, P(-1)}, NOBODY},
	{"PR_SET_MM", SYS_prctl, {PR_SET_MM, 0, 0, 0, 0}, NOBODY},
	{"personality", SYS_personality, {P(-1)}, NOBODY}, /* READ_IMPLIES_EXEC */
#endif

	/* memory that is run */
	{"mmap", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, P(-1)},
		EVERYBODY},
	{"mprotect", SYS_mprotect, {P(page), 4096, PROT_READ}, EVERYBODY},
#if !FDBROKER_SANITIZED
	{"mmap of code", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, FILE_FD},
		RESOLVER},
	{"mmap of code to write", SYS_mmap,
		{0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, FILE_FD}, NOBODY},
	{"mmap of code from nowhere", SYS_mmap,
		{0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, P(-1)}, NOBODY},
	{"mprotect of what was written", SYS_mprotect, {P(page), 4096, PROT_READ | PROT_EXEC},
		NOBODY},
	{"mprotect to write and run", SYS_mprotect,
		{P(page), 4096, PROT_READ | PROT_WRITE | PROT_EXEC}, NOBODY},
#endif
	{"pkey_mprotect", SYS_pkey_mprotect, {P(page), 4096, PROT_EXEC, 0}, NOBODY},
	{"remap_file_pages", SYS_remap_file_pages, {0}, NOBODY},
	{"shmat", SYS_shmat, {P(-1)}, NOBODY},
	{"memfd_create", SYS_memfd_create, {P("x"), 0}, NOBODY},

	/* files */
	{"open_by_handle_at", SYS_open_by_handle_at, {P(-1)}, NOBODY},
#if !FDBROKER_SANITIZED
	{"openat to read", SYS_openat, {HERE, P("/dev/null"), O_RDONLY},
		RESOLVER | READERS | EXECUTOR_DEVICES},
	{"openat to write", SYS_openat, {HERE, P("/dev/null"), O_WRONLY},
		READERS | EXECUTOR_DEVICES},
	{"openat to read and write", SYS_openat, {HERE, P("/dev/null"), O_RDWR},
		READERS | EXECUTOR_DEVICES},
	{"openat with O_CREAT", SYS_openat, {HERE, P("/dev/null"), O_RDONLY | O_CREAT, 0},
		FILERS | EXECUTOR_DEVICES},
	{"openat with O_TRUNC", SYS_openat, {HERE, P("/dev/null"), O_RDONLY | O_TRUNC},
		FILERS | EXECUTOR_DEVICES},
#endif
	{"openat2", SYS_openat2, {HERE, P("/dev/null"), 0, 0}, READERS | NAMERS | EXECUTOR_DEVICES},
	{"truncate", SYS_truncate, {P(""), 0}, NOBODY},
	{"linkat", SYS_linkat, {P(-1)}, NOBODY},
	{"symlinkat", SYS_symlinkat, {P(""), P(-1)}, NOBODY},
	{"mknodat", SYS_mknodat, {P(-1), P("x")}, NOBODY},
	{"unlinkat", SYS_unlinkat, {P(-1), P("x"), 0}, NAMERS | CREATORS | REMOVERS},
	{"renameat2", SYS_renameat2, {P(-1), P("x"), P(-1), P("y"), 0}, NAMERS | REMOVERS},
	{"mkdirat", SYS_mkdirat, {P(-1), P("x"), 0}, CREATORS},
	{"faccessat2", SYS_faccessat2, {P(-1), P("x"), 0, 0}, RESOLVER | FILERS},
	{"fchmodat", SYS_fchmodat, {P(-1), P("x"), 0}, NAMERS | CREATORS},
	{"fchmod", SYS_fchmod, {P(-1), 0}, NOBODY},
	{"fchownat", SYS_fchownat, {P(-1), P("x"), 0, 0, 0}, NAMERS | CREATORS},
	{"fchown", SYS_fchown, {P(-1), 0, 0}, NOBODY},
	{"utimensat", SYS_utimensat, {P(-1), 0, 0, 0}, NOBODY},
	{"fsetxattr", SYS_fsetxattr, {P(-1), P("x"), 0, 0, 0}, NOBODY},
	{"fchdir", SYS_fchdir, {P(-1)}, NAMERS | WATCHERS},
	{"getdents64", SYS_getdents64, {P(-1), 0, 0}, RESOLVER | LISTERS},
	{"pwrite64", SYS_pwrite64, {P(-1), 0, 0, 0}, EXECUTORS},
	{"pwritev2", SYS_pwritev2, {P(-1)}, NOBODY},
	{"ftruncate", SYS_ftruncate, {P(-1), 0}, EXECUTORS},
	{"fallocate", SYS_fallocate, {P(-1), 0, 0, 0}, NOBODY},
	{"copy_file_range", SYS_copy_file_range, {P(-1)}, NOBODY},
	{"sendfile", SYS_sendfile, {P(-1), P(-1), 0, 0}, NOBODY},
	{"splice", SYS_splice, {P(-1)}, NOBODY},
#if !FDBROKER_SANITIZED
	{"read", SYS_read, {P(-1), 0, 0}, RESOLVER | COPIERS},
#endif
	{"pread64", SYS_pread64, {P(-1), 0, 0, 0}, RESOLVER},
	{"F_ADD_SEALS", SYS_fcntl, {FILE_FD, F_ADD_SEALS, 0}, EXECUTORS},
	{"F_GET_SEALS", SYS_fcntl, {FILE_FD, F_GET_SEALS, 0}, EXECUTORS},
	{"F_SETLEASE", SYS_fcntl, {FILE_FD, F_SETLEASE, F_UNLCK}, NOBODY},
	{"inotify_init1", SYS_inotify_init1, {0}, NOBODY},
	{"inotify_add_watch", SYS_inotify_add_watch, {P(-1), P(""), 0}, WATCHERS},
	{"inotify_rm_watch", SYS_inotify_rm_watch, {P(-1), 0}, NOBODY},
	{"fanotify_mark", SYS_fanotify_mark, {P(-1)}, NOBODY},
	{"chdir", SYS_chdir, {P("")}, NOBODY},
	{"chroot", SYS_chroot, {P("")}, NOBODY},
	{"mount", SYS_mount, {0}, NOBODY},
	{"umount2", SYS_umount2, {0}, NOBODY},
	{"pivot_root", SYS_pivot_root, {0}, NOBODY},
#ifdef SYS_open
	{"open to read", SYS_open, {P("/dev/null"), O_RDONLY}, RESOLVER},
	{"open to write", SYS_open, {P("/dev/null"), O_WRONLY}, NOBODY},
	{"open with O_CREAT", SYS_open, {P("/dev/null"), O_RDONLY | O_CREAT, 0}, NOBODY},
	{"open with O_TRUNC", SYS_open, {P("/dev/null"), O_RDONLY | O_TRUNC}, NOBODY},
	{"creat", SYS_creat, {P("/dev/null"), 0}, NOBODY},
	{"unlink", SYS_unlink, {P("")}, NOBODY},
	{"rename", SYS_rename, {P(""), P("")}, NOBODY},
	{"renameat", SYS_renameat, {P(-1), P("x"), P(-1), P("y")}, NOBODY},
	{"link", SYS_link, {P(""), P("")}, NOBODY},
	{"symlink", SYS_symlink, {P(""), P("")}, NOBODY},
	{"mkdir", SYS_mkdir, {P(""), 0}, NOBODY},
	{"chmod", SYS_chmod, {P(""), 0}, NOBODY},
	{"chown", SYS_chown, {P(""), 0, 0}, NOBODY},
#endif

	/* making sockets; what keeps a resolver from a raw one is that it has no capability */
	{"a TCP socket", SYS_socket, {AF_INET, SOCK_STREAM}, RESOLVER | BINDERS | DIALLERS},
	{"a UDP socket", SYS_socket, {AF_INET, SOCK_DGRAM}, RESOLVER | BINDERS | DIALLERS},
	{"an IPv6 socket", SYS_socket, {AF_INET6, SOCK_STREAM}, RESOLVER | BINDERS | DIALLERS},
	{"a raw socket", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_ICMP},
		RESOLVER | EXECUTOR_RAW | EXECUTOR_ALL},
	{"a raw IPv6 socket", SYS_socket, {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
		RESOLVER | EXECUTOR_RAW | EXECUTOR_ALL},
	{"a packet socket", SYS_socket, {AF_PACKET, SOCK_RAW}, NOBODY},
	{"a unix datagram socket", SYS_socket, {AF_UNIX, SOCK_DGRAM},
		RESOLVER | NAMERS | EXECUTOR_DEVICES},
	{"a unix stream socket", SYS_socket, {AF_UNIX, SOCK_STREAM}, RESOLVER},
	{"a netlink socket", SYS_socket, {AF_NETLINK, SOCK_RAW}, RESOLVER | EXECUTOR_ALL},
	{"a vsock socket", SYS_socket, {AF_VSOCK, SOCK_STREAM}, DIALLERS},
	{"a socket of the crypto interface", SYS_socket, {AF_ALG, SOCK_SEQPACKET}, NOBODY},
	{"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, NOBODY},

	/* what is done with them */
	{"bind", SYS_bind, {INET_FD, P(&inet_port), sizeof(inet_port)}, BINDERS},
	{"bind of IPv6", SYS_bind, {INET6_FD, P(&inet6_port), sizeof(inet6_port)}, BINDERS},
	{"bind of netlink", SYS_bind, {NETLINK_FD, P(&netlink_port), sizeof(netlink_port)},
		RESOLVER | BINDERS},
	{"listen", SYS_listen, {P(-1), 0}, BINDERS},
	{"accept", SYS_accept, {P(-1)}, NOBODY},
	{"accept4", SYS_accept4, {P(-1)}, NOBODY},
	{"connect", SYS_connect, {P(-1)}, RESOLVER | NAMERS | DIALLERS},
	{"IP_TRANSPARENT", SYS_setsockopt,
		{INET_FD, IPPROTO_IP, IP_TRANSPARENT, P(&number), sizeof(number)}, EXECUTOR_ALL},
	{"IP_RECVERR", SYS_setsockopt,
		{INET_FD, IPPROTO_IP, IP_RECVERR, P(&number), sizeof(number)}, RESOLVER},
	{"SO_MARK", SYS_setsockopt, {INET_FD, SOL_SOCKET, SO_MARK, P(&number), sizeof(number)},
		RESOLVER | EXECUTOR_ALL},
	{"SO_DEBUG", SYS_setsockopt, {INET_FD, SOL_SOCKET, SO_DEBUG, P(&number), sizeof(number)},
		RESOLVER | EXECUTOR_ALL},
	{"SO_ERROR", SYS_getsockopt, {INET_FD, SOL_SOCKET, SO_ERROR, P(&number), P(&number_length)},
		RESOLVER | EXECUTORS},
	{"SO_NETNS_COOKIE", SYS_getsockopt,
		{INET_FD, SOL_SOCKET, SO_NETNS_COOKIE, P(&number), P(&number_length)},
		RESOLVER | EXECUTORS},
	{"FIONREAD", SYS_ioctl, {INET_FD, FIONREAD, P(&number)}, RESOLVER},
	{"SIOCSIFFLAGS", SYS_ioctl, {INET_FD, SIOCSIFFLAGS, 0}, DEVISERS},
	{"TUNSETIFF", SYS_ioctl, {INET_FD, TUNSETIFF, 0}, DEVISERS},
	{"TIOCSTI", SYS_ioctl, {INET_FD, TIOCSTI, 0}, NOBODY},
	{"setitimer", SYS_setitimer, {P(-1)}, DIALLERS},

	/* what is left of everything else */
	{"bpf", SYS_bpf, {P(-1)}, NOBODY},
	{"perf_event_open", SYS_perf_event_open, {0}, NOBODY},
	{"io_uring_setup", SYS_io_uring_setup, {0}, NOBODY},
	{"keyctl", SYS_keyctl, {P(-1)}, NOBODY},
	{"add_key", SYS_add_key, {0}, NOBODY},
	{"userfaultfd", SYS_userfaultfd, {P(-1)}, NOBODY},
	{"finit_module", SYS_finit_module, {P(-1)}, NOBODY},
	{"fanotify_init", SYS_fanotify_init, {P(-1)}, NOBODY},
	{"reboot", SYS_reboot, {0}, NOBODY},
	{"sethostname", SYS_sethostname, {0, P(-1)}, NOBODY},
	{"clock_settime", SYS_clock_settime, {P(-1)}, NOBODY},
};

/* ---- making them ---- */

enum { LET_THROUGH = 0, NO_SUCH_CALL = 1, NOT_CONFINED = 2 };

static void become_nobody(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
				      setresuid(65534, 65534, 65534) < 0))
		_exit(NOT_CONFINED);
}

static void keep_at(int fd, int place)
{
	if (fd < 0 || dup2(fd, place) < 0)
		_exit(NOT_CONFINED);
}

static void confine_child(const struct confinement *confinement)
{
	become_nobody();
	keep_at(open("/bin/sh", O_RDONLY), FILE_FD);
	keep_at(socket(AF_INET, SOCK_DGRAM, 0), INET_FD);
	/* There may be no IPv6: what the filter looks at is the call. */
	keep_at(socket(AF_INET, SOCK_DGRAM, 0), INET6_FD);
	keep_at(socket(AF_NETLINK, SOCK_RAW, 0), NETLINK_FD);
	page[0] = 0xc3;
	if (confine_syscalls(confinement->role, &confinement->needs) < 0)
		_exit(NOT_CONFINED);
}

static int status_of(pid_t child)
{
	int status;

	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int attempt_status(const struct confinement *confinement, const struct attempt *attempt)
{
	const uintptr_t *a = attempt->arguments;
	pid_t child = fork();

	if (child == 0) {
		confine_child(confinement);
		_exit(syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 &&
					errno == ENOSYS
				? NO_SUCH_CALL
				: LET_THROUGH);
	}
	return status_of(child);
}

/* A resolver is told that there is no such call; workers and executors are killed. */
static bool is_refused(enum role role, int status)
{
	if (role == ROLE_RESOLVER)
		return WIFEXITED(status) && WEXITSTATUS(status) == NO_SUCH_CALL;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void each_role_can_make_its_own_calls_and_no_others(void **state)
{
	const size_t count = sizeof(attempts) / sizeof(attempts[0]);
	const size_t confined = sizeof(confinements) / sizeof(confinements[0]);
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < confined * count; i++) {
		const struct confinement *confinement = &confinements[i / count];
		const struct attempt *attempt = &attempts[i % count];
		bool permitted = (attempt->permitted & confinement->bit) != 0;
		int status = attempt_status(confinement, attempt);

		if (permitted ? WIFEXITED(status) && WEXITSTATUS(status) == LET_THROUGH
			      : is_refused(confinement->role, status))
			continue;
		print_error("%s: %s: status %#x, but it is %s\n", confinement->name, attempt->name,
			(unsigned int)status, permitted ? "permitted" : "not permitted");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* ---- what a name service needs ---- */

static int connected_socket(void)
{
	struct sockaddr_in address = inet_port;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	address.sin_port = htons(53);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? fd
											       : -1;
}

/* What the C library asks files for and sends to a name server; 0, or what has failed. */
static int name_service(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	char host[NI_MAXHOST];
	const int on = 1;
	int fd;

	/* Where there is no /etc/hosts the name is not known; the files were looked for. */
	if (getaddrinfo("localhost", "80", &hints, &list) != 0 &&
		getaddrinfo("127.0.0.1", "80", &hints, &list) != 0)
		return 1;
	if (getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof(host), NULL, 0,
		    NI_NUMERICHOST) != 0)
		return 2;
	fd = connected_socket();
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0)
		return 3;
	if (send(fd, "query", 5, MSG_NOSIGNAL) != 5)
		return 4;
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, host, sizeof(host)) <= 0 || lseek(fd, 0, SEEK_SET) != 0)
		return 5;
	return 0;
}

static void a_resolver_can_do_what_a_name_service_needs(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		confine_child(&confinements[0]);
		_exit(name_service());
	}
	assert_int_equal(status_of(child), 0);
}

/* ---- other ways to make a system call ---- */

#ifdef __x86_64__
/* getpid(2), by the numbers of i386 and of x32. */
static void call_i386(void)
{
	long number_i386 = 20;

	__asm__ volatile("int $0x80" : "+a"(number_i386) : : "memory", "cc");
}

static void call_x32(void)
{
	(void)syscall(0x40000000 + SYS_getpid);
}

static void calls_of_other_architectures_kill(void **state)
{
	static void (*const calls[])(void) = {call_i386, call_x32};
	const size_t confined = sizeof(confinements) / sizeof(confinements[0]);

	(void)state;
	for (size_t i = 0; i < 2 * confined; i++) {
		pid_t child = fork();

		if (child == 0) {
			confine_child(&confinements[i / 2]);
			calls[i % 2]();
			_exit(0);
		}
		/* SIGSEGV where the kernel has no i386 */
		assert_true(WIFSIGNALED(status_of(child)));
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_can_make_its_own_calls_and_no_others),
		cmocka_unit_test(a_resolver_can_do_what_a_name_service_needs),
#ifdef __x86_64__
		cmocka_unit_test(calls_of_other_architectures_kill),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
