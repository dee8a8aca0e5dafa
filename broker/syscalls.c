/* SPDX-License-Identifier: MIT */
/*
 * The system calls of each role, as one table. Workers and executors are killed by any other; the
 * policy in force decides which groups of rows they have at all. The supervisor's filter is handed
 * on to whatever it starts, so it has every row, and those that starting a program needs: there it
 * is the odd calls (ptrace, mount, bpf, io_uring, ...) that do not exist.
 *
 * libseccomp refuses other architectures by itself, x32 among them.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "confine.h"
#include "log.h"

#define S (1u << ROLE_SUPERVISOR)
#define W (1u << ROLE_WORKER)
#define E (1u << ROLE_EXECUTOR)
#define N (1u << ROLE_NAMES)
#define R (1u << ROLE_RESOLVER)
#define ALL (S | W | E | N | R)

#define FILES POLICY_FILE_VERBS
#define CREATE POLICY_BIT(POLICY_CREATE)
#define REMOVE POLICY_BIT(POLICY_REMOVE)
#define LIST POLICY_BIT(POLICY_LIST)
#define WATCH POLICY_BIT(POLICY_WATCH)
#define SOCKETS POLICY_BIT(POLICY_BIND)
#define ANY 0

/*
 * Beside verbs: options of files, the kinds of what some rule allows, and what comes with a socket
 * that is bound.
 */
#define AS (UINT64_C(1) << 30)
#define COPY (UINT64_C(1) << 31)
#define KIND(kind) (UINT64_C(1) << (32 + (kind)))
#define WITH(option) ((uint64_t)(option) << 56)
#define WITH_DEVICE (UINT64_C(1) << 62)
#define UNIX_PATH (UINT64_C(1) << 63)
static_assert(POLICY_VERB_COUNT <= 30 && POLICY_KIND_COUNT <= 24 && POLICY_WITH_V6ONLY < 1 << 6,
	"verbs, kinds and options do not overlap");

#define DEVICES (KIND(POLICY_TUN) | KIND(POLICY_TAP))
#define TRANSPARENT (KIND(POLICY_TRANSPARENT) | WITH(POLICY_WITH_TRANSPARENT))

/* CLONE_NEWTIME is not in every sched.h. */
#define CLONE_NAMESPACES                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET | 0x80)

struct syscall_row {
	int syscall;
	unsigned int roles;
	uint64_t needs; /* only when the policy allows one of these, or of the above; ANY: always */
	/* All of these must hold, where row_is_checked(). */
	unsigned int check_count;
	struct scmp_arg_cmp checks[2];
};

#define IS(argument, value) SCMP_CMP(argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0)
/* The type of a socket, whatever its flags: SOCK_TYPE_MASK of include/linux/net.h. */
#define TYPE(type) SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xf, (scmp_datum_t)(type))
#define WITHOUT(argument, bits) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), 0)
#define CHECK1(a)                                                                                  \
	1,                                                                                         \
	{                                                                                          \
		a                                                                                  \
	}
#define CHECK2(a, b)                                                                               \
	2,                                                                                         \
	{                                                                                          \
		a, b                                                                               \
	}
#define C(name) SCMP_SYS(name)

static const struct syscall_row rows[] = {
	/* living, and ending */
	{.syscall = C(exit), .roles = ALL},
	{.syscall = C(exit_group), .roles = ALL},
	{.syscall = C(rt_sigreturn), .roles = ALL},
	{.syscall = C(restart_syscall), .roles = ALL},
	{.syscall = C(clock_gettime), .roles = ALL},
	{.syscall = C(brk), .roles = ALL},
	{.syscall = C(munmap), .roles = ALL},
	{.syscall = C(getrandom), .roles = ALL},
	{C(mmap), ALL, ANY, CHECK1(WITHOUT(2, PROT_EXEC))},
	{C(mprotect), ALL, ANY, CHECK1(WITHOUT(2, PROT_EXEC))},
	{.syscall = C(close), .roles = ALL},

	/* talking: to clients, and among ourselves */
	{.syscall = C(recvmsg), .roles = ALL},
	{.syscall = C(sendmsg), .roles = ALL},
	{.syscall = C(recvfrom), .roles = ALL},
	{.syscall = C(write), .roles = ALL}, /* the ring's eventfd */
	{.syscall = C(epoll_wait), .roles = S | W | N},
	{.syscall = C(epoll_pwait), .roles = S | W | N}, /* where there is no epoll_wait */
	{.syscall = C(epoll_ctl), .roles = S | W | N},
	{.syscall = C(shutdown), .roles = S | W | N},
	{C(ioctl), S | W | N, ANY, CHECK1(IS(1, SIOCOUTQ))},
	{C(setsockopt), S | W | E | N, ANY, CHECK2(IS(1, SOL_SOCKET), IS(2, SO_PASSCRED))},

	/* finding and opening files */
	{.syscall = C(openat2), .roles = S | W | E, .needs = FILES},
	{.syscall = C(statx), .roles = S | W | E | N, .needs = FILES},
	{.syscall = C(readlinkat), .roles = S | W | E | N, .needs = FILES},
	{C(openat), W, FILES, CHECK1(WITHOUT(2, O_CREAT | O_TRUNC))},
	{.syscall = C(openat), .roles = S | E | N, .needs = FILES},
	{C(fcntl), ALL, ANY, CHECK1(IS(1, F_DUPFD_CLOEXEC))},
	{C(fcntl), ALL, ANY, CHECK1(IS(1, F_GETFL))},
	{C(fcntl), ALL, ANY, CHECK1(IS(1, F_SETFL))},
	{.syscall = C(openat2), .roles = E, .needs = UNIX_PATH | DEVICES},
	{.syscall = C(statx), .roles = E, .needs = UNIX_PATH | DEVICES},
	{.syscall = C(readlinkat), .roles = E, .needs = UNIX_PATH | DEVICES},
	{.syscall = C(openat), .roles = E, .needs = DEVICES},
	{.syscall = C(fchownat), .roles = E, .needs = CREATE | UNIX_PATH},
	{.syscall = C(fchmodat), .roles = E, .needs = CREATE | UNIX_PATH},
	{.syscall = C(unlinkat), .roles = E, .needs = CREATE | REMOVE | UNIX_PATH},
	{.syscall = C(getegid), .roles = ALL},
	{.syscall = C(faccessat2), .roles = E, .needs = FILES},
	{.syscall = C(mkdirat), .roles = S | E, .needs = CREATE},
	{.syscall = C(renameat2), .roles = S | E, .needs = REMOVE | UNIX_PATH},

	/* names in directories, and copies */
	{.syscall = C(getdents64), .roles = E, .needs = LIST},
	{.syscall = C(read), .roles = E, .needs = COPY},

	/* to the memory that a policy is sealed in */
	{.syscall = C(pwrite64), .roles = S},
	/*
	 * To a client's memfd, which what it may have goes to under every policy; by way of a
	 * mapping, so nothing is written by the call itself, which asks whether it is a memfd.
	 */
	{C(pwrite64), E, ANY, CHECK1(IS(2, 0))},
	{C(fcntl), E, ANY, CHECK1(IS(1, F_ADD_SEALS))},
	{C(fcntl), E, ANY, CHECK1(IS(1, F_GET_SEALS))},
	{.syscall = C(fstat), .roles = E},
	{.syscall = C(newfstatat), .roles = E},
	{.syscall = C(ftruncate), .roles = E},

	/* watches; the working directory is how their object is named */
	{.syscall = C(inotify_add_watch), .roles = S | E, .needs = WATCH},
	{.syscall = C(fchdir), .roles = E, .needs = WATCH},

	/* acting as another user, and back */
	{.syscall = C(setgroups), .roles = S | E, .needs = AS},
	{.syscall = C(getgroups), .roles = S | E, .needs = AS},
	{.syscall = C(setfsgid), .roles = S | E, .needs = AS},
	{.syscall = C(setfsuid), .roles = S | E, .needs = AS},
	{.syscall = C(geteuid), .roles = E, .needs = AS},
	{.syscall = C(capget), .roles = E, .needs = AS},
	{.syscall = C(capset), .roles = E, .needs = AS},
	{C(prctl), E, AS, CHECK1(IS(0, PR_SET_DUMPABLE))},
	{C(prctl), E, AS, CHECK1(IS(0, PR_SET_PDEATHSIG))},

	/* making and binding sockets */
	{C(socket), W | E, SOCKETS, CHECK2(IS(0, AF_INET), TYPE(SOCK_STREAM))},
	{C(socket), W | E, SOCKETS, CHECK2(IS(0, AF_INET), TYPE(SOCK_DGRAM))},
	{C(socket), W | E, SOCKETS, CHECK2(IS(0, AF_INET6), TYPE(SOCK_STREAM))},
	{C(socket), W | E, SOCKETS, CHECK2(IS(0, AF_INET6), TYPE(SOCK_DGRAM))},
	{C(setsockopt), W | E, SOCKETS, CHECK2(IS(1, SOL_SOCKET), IS(2, SO_REUSEADDR))},
	{C(setsockopt), W | E, SOCKETS, CHECK2(IS(1, IPPROTO_IPV6), IS(2, IPV6_V6ONLY))},
	{C(setsockopt), W | E, WITH(POLICY_WITH_REUSEPORT),
		CHECK2(IS(1, SOL_SOCKET), IS(2, SO_REUSEPORT))},
	{C(setsockopt), W | E, WITH(POLICY_WITH_FREEBIND),
		CHECK2(IS(1, IPPROTO_IP), IS(2, IP_FREEBIND))},
	{C(setsockopt), W | E, WITH(POLICY_WITH_FREEBIND),
		CHECK2(IS(1, IPPROTO_IPV6), IS(2, IPV6_FREEBIND))},
	{.syscall = C(bind), .roles = S | W | E, .needs = SOCKETS},
	{.syscall = C(listen), .roles = S | W | E, .needs = SOCKETS},
	{.syscall = C(getsockopt), .roles = S | E | N},

	/* unix sockets in folders: the probe, and binding by name in the working directory */
	{C(socket), E, UNIX_PATH, CHECK2(IS(0, AF_UNIX), TYPE(SOCK_DGRAM))},
	{.syscall = C(connect), .roles = E, .needs = UNIX_PATH},
	{.syscall = C(getsockname), .roles = E, .needs = UNIX_PATH},
	{.syscall = C(fchdir), .roles = S | E, .needs = UNIX_PATH},
	{C(fcntl), E, CREATE | REMOVE | UNIX_PATH, CHECK1(IS(1, F_OFD_SETLKW))},
	{.syscall = C(umask), .roles = S | E, .needs = UNIX_PATH},

	/* connecting sockets of clients */
	{.syscall = C(setitimer), .roles = S | E, .needs = POLICY_BIT(POLICY_CONNECT)},

	/* sockets that need a privilege, or a module */
	{C(socket), E, KIND(POLICY_ICMP), CHECK2(IS(0, AF_INET), TYPE(SOCK_DGRAM))},
	{C(socket), E, KIND(POLICY_ICMP6), CHECK2(IS(0, AF_INET6), TYPE(SOCK_DGRAM))},
	{C(socket), E, KIND(POLICY_RAW), CHECK2(IS(0, AF_INET), TYPE(SOCK_RAW))},
	{C(socket), E, KIND(POLICY_RAW), CHECK2(IS(0, AF_INET6), TYPE(SOCK_RAW))},
	{C(socket), E, KIND(POLICY_NETLINK), CHECK1(IS(0, AF_NETLINK))},
	{C(socket), S | E, KIND(POLICY_VSOCK), CHECK1(IS(0, AF_VSOCK))},

	/* network devices; the socket is for the ioctls of netdevice(7) */
	{C(socket), E, DEVICES, CHECK2(IS(0, AF_UNIX), TYPE(SOCK_DGRAM))},
	{C(ioctl), E, DEVICES, CHECK1(IS(1, TUNSETIFF))},
	{C(ioctl), E, DEVICES, CHECK1(IS(1, TUNGETIFF))},
	{C(ioctl), E, DEVICES, CHECK1(IS(1, TUNSETOWNER))},
	{C(ioctl), E, DEVICES, CHECK1(IS(1, TUNSETPERSIST))},
	{C(ioctl), E, DEVICES, CHECK1(IS(1, SIOCGIFFLAGS))},
	{C(ioctl), E, DEVICES, CHECK1(IS(1, SIOCSIFFLAGS))},

	/* options that need a privilege */
	{C(setsockopt), E, KIND(POLICY_MARK), CHECK2(IS(1, SOL_SOCKET), IS(2, SO_MARK))},
	{C(setsockopt), E, KIND(POLICY_PRIORITY), CHECK2(IS(1, SOL_SOCKET), IS(2, SO_PRIORITY))},
	{C(setsockopt), E, KIND(POLICY_RCVBUFFORCE),
		CHECK2(IS(1, SOL_SOCKET), IS(2, SO_RCVBUFFORCE))},
	{C(setsockopt), E, KIND(POLICY_SNDBUFFORCE),
		CHECK2(IS(1, SOL_SOCKET), IS(2, SO_SNDBUFFORCE))},
	{C(setsockopt), E, KIND(POLICY_DEBUG), CHECK2(IS(1, SOL_SOCKET), IS(2, SO_DEBUG))},
	{C(ioctl), E, KIND(POLICY_BINDTODEVICE), CHECK1(IS(1, SIOCGIFINDEX))},
	{C(ioctl), E, KIND(POLICY_BINDTODEVICE), CHECK1(IS(1, SIOCGIFNAME))},
	{C(ioctl), E, WITH_DEVICE, CHECK1(IS(1, SIOCGIFINDEX))},
	{C(setsockopt), E, KIND(POLICY_BINDTODEVICE) | WITH_DEVICE,
		CHECK2(IS(1, SOL_SOCKET), IS(2, SO_BINDTODEVICE))},
	{C(setsockopt), E, TRANSPARENT, CHECK2(IS(1, IPPROTO_IP), IS(2, IP_TRANSPARENT))},
	{C(setsockopt), E, TRANSPARENT, CHECK2(IS(1, IPPROTO_IPV6), IS(2, IPV6_TRANSPARENT))},

	/* starting and ending processes, and what a program needs that starts */
	{C(clone), S, ANY, CHECK1(WITHOUT(0, CLONE_NAMESPACES))},
	{.syscall = C(execveat), .roles = S},
	{.syscall = C(wait4), .roles = S},
	{.syscall = C(waitid), .roles = S},
	{.syscall = C(pidfd_open), .roles = S},
	{.syscall = C(pidfd_send_signal), .roles = S},
	{.syscall = C(accept4), .roles = S},
	{.syscall = C(socketpair), .roles = S},
	{.syscall = C(memfd_create), .roles = S},
	{.syscall = C(ftruncate), .roles = S},
	{.syscall = C(eventfd2), .roles = S},
	{.syscall = C(epoll_create1), .roles = S | N | R},
	{.syscall = C(signalfd4), .roles = S},
	{.syscall = C(dup2), .roles = S},
	{.syscall = C(dup3), .roles = S},
	{.syscall = C(close_range), .roles = S},
	{.syscall = C(capget), .roles = S},
	{.syscall = C(capset), .roles = S},
	{.syscall = C(prctl), .roles = S},
	{.syscall = C(seccomp), .roles = S},
	{.syscall = C(setuid), .roles = S},
	{.syscall = C(getresuid), .roles = S},
	{.syscall = C(getresgid), .roles = S},
	{.syscall = C(read), .roles = S | N | R},
	{.syscall = C(pread64), .roles = S | N | R},
	{.syscall = C(lseek), .roles = S | N | R},
	{.syscall = C(getdents64), .roles = S | N | R},
	{.syscall = C(open), .roles = S | N},
	{.syscall = C(stat), .roles = S | N | R},
	{.syscall = C(lstat), .roles = S | N | R},
	{.syscall = C(fstat), .roles = S | N | R},
	{.syscall = C(fstatfs), .roles = S | N | R},
	{.syscall = C(newfstatat), .roles = S | N | R},
	{.syscall = C(access), .roles = S | N | R},
	{.syscall = C(faccessat), .roles = S | N | R},
	{.syscall = C(faccessat2), .roles = S | N | R},
	{.syscall = C(readlink), .roles = S | N | R},
	{.syscall = C(getcwd), .roles = S | N},
	{.syscall = C(poll), .roles = S | N | R},
	{.syscall = C(ppoll), .roles = S | N | R},
	{.syscall = C(arch_prctl), .roles = S | N | R},
	{.syscall = C(set_tid_address), .roles = S | N},
	{.syscall = C(set_robust_list), .roles = S | N | R},
	{.syscall = C(rseq), .roles = S | N | R},
	/* of itself: the kernel would let it change those of any process of the same user */
	{C(prlimit64), S | N | R, ANY, CHECK1(IS(0, 0))},
	{.syscall = C(getrlimit), .roles = S | N},
	{.syscall = C(madvise), .roles = S | N | R},
	{.syscall = C(mremap), .roles = S | N | R},
	{.syscall = C(futex), .roles = S | N | R},
	{.syscall = C(rt_sigaction), .roles = S | N | R},
	{.syscall = C(rt_sigprocmask), .roles = S | N | R},
	{.syscall = C(sigaltstack), .roles = S | N | R},
	{.syscall = C(getpid), .roles = S | N | R},
	{.syscall = C(getppid), .roles = S | N | R},
	{.syscall = C(gettid), .roles = S | N | R},
	{.syscall = C(getuid), .roles = S | N | R},
	{.syscall = C(geteuid), .roles = S | N | R},
	{.syscall = C(getgid), .roles = S | N | R},
	{.syscall = C(clock_nanosleep), .roles = S | N | R},
	{.syscall = C(sysinfo), .roles = S | N | R},
	{.syscall = C(uname), .roles = S | N | R},

	/* unique mount ids: statmount and listmount, which libseccomp 2.5 has no names for */
	{.syscall = 457, .roles = S},
	{.syscall = 458, .roles = S},

	/* name service modules: files, and sockets to the services behind them */
	{C(socket), S | N | R, ANY, CHECK1(IS(0, AF_UNIX))},
	{C(socket), S | N | R, ANY, CHECK1(IS(0, AF_INET))},
	{C(socket), S | N | R, ANY, CHECK1(IS(0, AF_INET6))},
	{C(socket), S | N | R, ANY, CHECK1(IS(0, AF_NETLINK))},
	{.syscall = C(connect), .roles = S | N | R},
	{.syscall = C(sendto), .roles = S | N | R},
	{.syscall = C(sendmmsg), .roles = S | N | R},
	{.syscall = C(getsockname), .roles = S | N | R},
	{.syscall = C(getpeername), .roles = S | N | R},

	/* an executor: waiting for its resolver and for connections, of its own sockets */
	{.syscall = C(poll), .roles = E},
	{.syscall = C(ppoll), .roles = E},
	{.syscall = C(sendto), .roles = E},
	{C(socket), E, POLICY_BIT(POLICY_CONNECT), CHECK2(IS(0, AF_INET), TYPE(SOCK_STREAM))},
	{C(socket), E, POLICY_BIT(POLICY_CONNECT), CHECK2(IS(0, AF_INET), TYPE(SOCK_DGRAM))},
	{C(socket), E, POLICY_BIT(POLICY_CONNECT), CHECK2(IS(0, AF_INET6), TYPE(SOCK_STREAM))},
	{C(socket), E, POLICY_BIT(POLICY_CONNECT), CHECK2(IS(0, AF_INET6), TYPE(SOCK_DGRAM))},
	{C(socket), E, POLICY_BIT(POLICY_CONNECT), CHECK2(IS(0, AF_VSOCK), TYPE(SOCK_STREAM))},
	{.syscall = C(connect), .roles = E, .needs = POLICY_BIT(POLICY_CONNECT)},
	{.syscall = C(getpeername), .roles = E, .needs = POLICY_BIT(POLICY_CONNECT)},

	/* a resolver: what name service modules do, without writing, listening or a child */
	{C(openat), R, ANY, CHECK1(WITHOUT(2, O_ACCMODE | O_CREAT | O_TRUNC))},
	{C(open), R, ANY, CHECK1(WITHOUT(1, O_ACCMODE | O_CREAT | O_TRUNC))},
	/* Loading a module: never memory that is or was written. */
	{C(mmap), R, ANY, CHECK2(WITHOUT(2, PROT_WRITE), WITHOUT(3, MAP_ANONYMOUS))},
	{C(bind), R, ANY, CHECK1(IS(2, sizeof(struct sockaddr_nl)))}, /* too short for a port */
	{C(setsockopt), R, ANY, CHECK1(IS(1, SOL_SOCKET))},
	{C(setsockopt), R, ANY, CHECK2(IS(1, IPPROTO_IP), IS(2, IP_RECVERR))},
	{C(setsockopt), R, ANY, CHECK2(IS(1, IPPROTO_IPV6), IS(2, IPV6_RECVERR))},
	{C(ioctl), R, ANY, CHECK1(IS(1, FIONREAD))},
	{C(ioctl), R, ANY, CHECK1(IS(1, SIOCGIFINDEX))},
	{C(ioctl), R, ANY, CHECK1(IS(1, SIOCGIFNAME))},
	{C(fcntl), R, ANY, CHECK1(IS(1, F_GETFD))},
	{C(fcntl), R, ANY, CHECK1(IS(1, F_SETFD))},
	{.syscall = C(writev), .roles = R}, /* queries over TCP */
	{.syscall = C(getsockopt), .roles = R},
	{.syscall = C(shutdown), .roles = R},
	{.syscall = C(epoll_ctl), .roles = R},
	{.syscall = C(epoll_wait), .roles = R},
	{.syscall = C(epoll_pwait), .roles = R},
	{.syscall = C(statx), .roles = R},
	{.syscall = C(readlinkat), .roles = R},
	{.syscall = C(gettimeofday), .roles = R},
	{.syscall = C(time), .roles = R},

#if FDBROKER_SANITIZED
	/* What the sanitizers' runtime does on its own account; such a build is for tests only. */
	{.syscall = C(mmap), .roles = W | E | R},
	{.syscall = C(mprotect), .roles = W | E | R},
	{.syscall = C(madvise), .roles = W | E},
	{.syscall = C(mremap), .roles = W | E},
	{.syscall = C(futex), .roles = W | E},
	{.syscall = C(getpid), .roles = W | E},
	{.syscall = C(gettid), .roles = W | E},
	{.syscall = C(read), .roles = W | E},
	{.syscall = C(openat), .roles = W | E | R},
	{.syscall = C(readlink), .roles = W | E},
	{.syscall = C(newfstatat), .roles = W | E},
	{.syscall = C(sigaltstack), .roles = W | E},
	{.syscall = C(rt_sigaction), .roles = W | E},
	{.syscall = C(rt_sigprocmask), .roles = W | E},
	{.syscall = C(sched_yield), .roles = W | E | R},
	{.syscall = C(sched_getaffinity), .roles = ALL},
	{.syscall = C(prlimit64), .roles = W | E},
	{.syscall = C(tgkill), .roles = ALL},
	{.syscall = C(personality), .roles = S | N | R},
	{.syscall = C(prctl), .roles = W | E | R},
	{.syscall = C(getppid), .roles = W | E},
	{.syscall = C(pipe2), .roles = ALL},
	{.syscall = C(pipe), .roles = ALL},
#endif
};

/* Must this role's filter hold the row's argument checks? In the supervisor's they would bind its
   children as well, whose own filters have them; only those that no role needs to break stay. */
static bool row_is_checked(const struct syscall_row *row, enum role role)
{
	return row->check_count > 0 &&
	       ((role != ROLE_SUPERVISOR && role != ROLE_NAMES) || row->syscall == C(clone) ||
		       row->syscall == C(prlimit64));
}

static bool row_applies(const struct syscall_row *row, enum role role, uint64_t verbs)
{
	/* The supervisor's filter is also the outer one of all the others. */
	if (role == ROLE_SUPERVISOR)
		return true;
	return (row->roles & (1u << role)) != 0 &&
	       (role == ROLE_NAMES || row->needs == ANY || (row->needs & verbs) != 0);
}

/*
 * A worker or executor that makes any other call is not ours any more. The supervisor and the name
 * service's modules (names, resolver) get "no such call", as from a kernel that lacks it, and find
 * another way; clone3(2) above all, whose arguments a filter cannot see.
 */
static uint32_t default_action(enum role role)
{
	return role == ROLE_WORKER || role == ROLE_EXECUTOR ? SCMP_ACT_KILL_PROCESS
							    : SCMP_ACT_ERRNO(ENOSYS);
}

static int filter_fill(scmp_filter_ctx filter, enum role role, uint64_t verbs)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct syscall_row *row = &rows[i];
		int error;

		if (!row_applies(row, role, verbs))
			continue;
		error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, row->syscall,
			row_is_checked(row, role) ? row->check_count : 0, row->checks);
		/* EDOM, EINVAL: a call that this architecture does not have. */
		if (error < 0 && error != -EDOM && error != -EINVAL && error != -EEXIST)
			return error;
	}
	return 0;
}

static uint64_t verbs_and_more(const struct policy_needs *needs)
{
	return needs->allowed_verbs | (needs->as ? AS : 0) | (needs->copy ? COPY : 0) |
	       (uint64_t)needs->allowed_kinds << 32 | WITH(needs->with) |
	       (needs->device ? WITH_DEVICE : 0) | (needs->unix_path ? UNIX_PATH : 0);
}

int confine_syscalls(enum role role, const struct policy_needs *needs)
{
	uint64_t verbs = needs != NULL ? verbs_and_more(needs) : 0;
	scmp_filter_ctx filter = seccomp_init(default_action(role));
	int error;

	if (filter == NULL)
		return -ENOMEM;
	/* A balanced tree: the cost of a call does not depend on its place in the table. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	error = filter_fill(filter, role, verbs);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error < 0)
		log_message(LOG_ERR, "cannot give up system calls: seccomp: %s", strerror(-error));
	return error;
}
