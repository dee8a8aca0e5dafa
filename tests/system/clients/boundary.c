/* SPDX-License-Identifier: MIT */
/*
 * Calls fdbroker_sandbox(), prints what it returned, then tries what fdbroker.h says that it
 * forbids, and prints what became of each.
 *
 *	boundary PREPARATION FLAGS [CALL...]
 *
 * PREPARATION	plain; threads or joined, with a second thread that runs or has been joined;
 *		no:CALL or sham:CALL, where a filter lets that system call fail with ENOSYS or
 *		succeed without doing anything
 * FLAGS	a number, or "none": without the sandbox. That is the proof that it is the sandbox that
 *		forbids: the arguments are such that for root each call then succeeds, or fails in
 *		another way than by EPERM or ENOSYS.
 * CALL		one of the tables below, or "all" of the first
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdbroker.h"
#include "words.h"

static int inet, local, memory;
static pid_t outsider; /* not in the sandbox; it listens on an abstract socket */

/* ---- calls that are more than a line ---- */

static long clone_with(unsigned long flag)
{
	long child = syscall(SYS_clone, flag | SIGCHLD, NULL, NULL, NULL, 0);

	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid((pid_t)child, NULL, 0);
	return child;
}

static struct sockaddr_un abstract_address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	/* Of this process alone: the outsider of one that has just ended may still have its own. */
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "fdbroker-boundary-%d",
		getpid());
	return address;
}

static long connect_abstract(void)
{
	struct sockaddr_un address = abstract_address();

	return connect(local, (struct sockaddr *)&address, sizeof(address));
}

static long bind_ipv4(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	return bind(inet, (struct sockaddr *)&address, sizeof(address));
}

static long send_fast_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 9};

	return sendto(inet, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof(address));
}

static long open_beneath(void)
{
	struct open_how how = {.flags = O_RDONLY};

	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
}

/* In a child, so that there is more to try. */
static long run(const char *program)
{
	char *const words[] = {strdup(program), NULL};
	pid_t child = fork();
	int status;

	if (child == 0) {
		execve(program, words, NULL);
		_exit(errno);
	}
	waitpid(child, &status, 0);
	errno = WEXITSTATUS(status);
	return errno == 0 ? 0 : -1;
}

static long system_call_of_i386(void)
{
#ifdef __x86_64__
	long result = 20; /* getpid */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	errno = ENOTSUP;
	return -1;
#endif
}

/* ---- tables ---- */

#define CALL(label, expression)                                                                    \
	static long label(void)                                                                    \
	{                                                                                          \
		return (expression);                                                               \
	}
#define RAW(name, ...) CALL(try_##name, syscall(SYS_##name, __VA_ARGS__))

#ifdef SYS_open
RAW(open, "/etc/passwd", O_RDONLY)
RAW(creat, "/tmp/boundary", 0600)
RAW(chmod, "/tmp/boundary", 0600)
RAW(chown, "/tmp/boundary", 0, 0)
RAW(utimes, "/tmp/boundary", NULL)
#endif
RAW(openat, AT_FDCWD, "/etc/passwd", O_RDONLY)
RAW(open_by_handle_at, AT_FDCWD, NULL, 0)
RAW(name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0)
RAW(open_tree, AT_FDCWD, "/", 0)
CALL(try_open_tree_attr, syscall(467, AT_FDCWD, "/", 0, NULL, 0))
RAW(pidfd_getfd, -1, 0, 0)
RAW(execve, "/nonexistent", NULL, NULL)
RAW(execveat, AT_FDCWD, "/nonexistent", NULL, NULL, 0)
RAW(socket, AF_INET, SOCK_STREAM, 0)
RAW(socketpair, AF_UNIX, SOCK_STREAM, 0, NULL)
RAW(connect, -1, NULL, 0)
RAW(io_uring_setup, 1, NULL)
RAW(io_uring_enter, -1, 0, 0, 0, NULL)
RAW(io_uring_register, -1, 0, NULL, 0)
RAW(truncate, "/tmp/boundary", 0)
RAW(fchmodat, AT_FDCWD, "/tmp/boundary", 0600)
CALL(try_fchmodat2, syscall(452, AT_FDCWD, "/tmp/boundary", 0600, 0))
RAW(fchownat, AT_FDCWD, "/tmp/boundary", 0, 0, 0)
RAW(utimensat, AT_FDCWD, "/tmp/boundary", NULL, 0)
RAW(setxattr, "/tmp/boundary", "user.x", "", 0, 0)
RAW(removexattr, "/tmp/boundary", "user.x")
CALL(try_setxattrat, syscall(463, AT_FDCWD, "/tmp/boundary", 0, "user.x", NULL, 0))
CALL(try_file_setattr, syscall(469, AT_FDCWD, "/tmp/boundary", NULL, 0, 0))
RAW(inotify_add_watch, -1, "/", 1)
RAW(fanotify_mark, -1, 0, 0, AT_FDCWD, "/")
RAW(mq_open, "boundary", O_RDONLY, 0, NULL)
RAW(shmget, 1, 0, 0)
RAW(shmat, -1, NULL, 0)
RAW(semget, 1, 0, 0)
RAW(msgget, 1, 0)
RAW(ptrace, 3, -1, NULL, NULL)
RAW(process_vm_readv, -1, NULL, 0, NULL, 0, 0)
RAW(process_vm_writev, -1, NULL, 0, NULL, 0, 0)
RAW(process_madvise, -1, NULL, 0, 0, 0)
RAW(kcmp, -1, -1, 0, 0, 0)
RAW(mount, NULL, "/nonexistent", NULL, 0, NULL)
RAW(umount2, "/nonexistent", 0)
RAW(move_mount, -1, "", -1, "", 0)
RAW(fsopen, NULL, 0)
RAW(fsmount, -1, 0, 0)
RAW(fspick, -1, "/nonexistent", 0)
RAW(fsconfig, -1, 0, NULL, NULL, 0)
RAW(mount_setattr, -1, "", 0, NULL, 0)
RAW(pivot_root, "/nonexistent", "/nonexistent")
RAW(chroot, "/")
RAW(unshare, CLONE_NEWUSER)
RAW(setns, -1, 0)
CALL(clone_user, clone_with(CLONE_NEWUSER))
CALL(clone_net, clone_with(CLONE_NEWNET))
RAW(bpf, -1, NULL, 0)
RAW(perf_event_open, NULL, 0, -1, -1, 0)
RAW(keyctl, -1, 0, 0, 0, 0)
RAW(init_module, NULL, 0, NULL)
CALL(push_key, ioctl(memory, TIOCSTI, "x"))
CALL(kill_outsider, kill(outsider, 0))
CALL(limit_outsider,
	syscall(SYS_prlimit64, outsider, RLIMIT_CORE, &(const struct rlimit){0, 0}, NULL))
CALL(limit_itself, prlimit(0, RLIMIT_CORE, &(const struct rlimit){0, 0}, NULL))
CALL(clone3, syscall(SYS_clone3, NULL, 0))
CALL(x32, syscall(0x40000000 | SYS_getpid))
CALL(open_passwd, open("/etc/passwd", O_RDONLY | O_CLOEXEC))
CALL(open_null, open("/dev/null", O_RDWR | O_CLOEXEC))
CALL(open_root, open("/", O_RDONLY | O_CLOEXEC))
CALL(open_secret, open("/srv/own/file", O_RDONLY | O_CLOEXEC))
CALL(write_secret, open("/srv/own/file", O_WRONLY | O_CLOEXEC))
CALL(remove_secret, unlink("/srv/own/file"))
CALL(open_outsider, open("/proc/1/environ", O_RDONLY | O_CLOEXEC))
CALL(run_true, run("/usr/bin/true"))
CALL(run_own, run("/srv/own/true"))
CALL(unix_socket, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALL(ipv6_socket, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALL(netlink_socket, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0))
/* The type is looked at before the protocol: EINVAL. */
CALL(sctp_socket, syscall(SYS_socket, AF_INET, -1, 132))
CALL(dccp_socket, syscall(SYS_socket, AF_INET, -1, 33))
CALL(smc_socket, syscall(SYS_socket, AF_INET, -1, 256))
CALL(mptcp_socket, syscall(SYS_socket, AF_INET6, -1, 262))
CALL(packet_socket, socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0))
CALL(change_times, futimens(memory, NULL))
CALL(make_thread, clone_with(0))
CALL(wait_for_ever, pause())

struct call {
	const char *name;
	long (*function)(void);
};

/* What flags of 0 forbid, with EPERM. */
static const struct call forbidden[] = {
#ifdef SYS_open
	{"open", try_open},
	{"creat", try_creat},
	{"chmod", try_chmod},
	{"chown", try_chown},
	{"utimes", try_utimes},
#endif
	{"openat", try_openat},
	{"openat2", open_beneath},
	{"open_by_handle_at", try_open_by_handle_at},
	{"name_to_handle_at", try_name_to_handle_at},
	{"open_tree", try_open_tree},
	{"open_tree_attr", try_open_tree_attr},
	{"pidfd_getfd", try_pidfd_getfd},
	{"execve", try_execve},
	{"execveat", try_execveat},
	{"socket", try_socket},
	{"socketpair", try_socketpair},
	{"connect", try_connect},
	{"bind", bind_ipv4},
	{"MSG_FASTOPEN", send_fast_open},
	{"io_uring_setup", try_io_uring_setup},
	{"io_uring_enter", try_io_uring_enter},
	{"io_uring_register", try_io_uring_register},
	{"truncate", try_truncate},
	{"fchmodat", try_fchmodat},
	{"fchmodat2", try_fchmodat2},
	{"fchownat", try_fchownat},
	{"utimensat", try_utimensat},
	{"setxattr", try_setxattr},
	{"removexattr", try_removexattr},
	{"setxattrat", try_setxattrat},
	{"file_setattr", try_file_setattr},
	{"inotify_add_watch", try_inotify_add_watch},
	{"fanotify_mark", try_fanotify_mark},
	{"mq_open", try_mq_open},
	{"shmget", try_shmget},
	{"shmat", try_shmat},
	{"semget", try_semget},
	{"msgget", try_msgget},
	{"ptrace", try_ptrace},
	{"process_vm_readv", try_process_vm_readv},
	{"process_vm_writev", try_process_vm_writev},
	{"process_madvise", try_process_madvise},
	{"kcmp", try_kcmp},
	{"prlimit64", limit_outsider},
	{"mount", try_mount},
	{"umount2", try_umount2},
	{"move_mount", try_move_mount},
	{"fsopen", try_fsopen},
	{"fsmount", try_fsmount},
	{"fspick", try_fspick},
	{"fsconfig", try_fsconfig},
	{"mount_setattr", try_mount_setattr},
	{"pivot_root", try_pivot_root},
	{"chroot", try_chroot},
	{"setns", try_setns},
	{"clone NEWNET", clone_net},
	{"clone NEWUSER", clone_user},
	{"bpf", try_bpf},
	{"perf_event_open", try_perf_event_open},
	{"keyctl", try_keyctl},
	{"init_module", try_init_module},
	{"TIOCSTI", push_key},
	{"unshare", try_unshare},
};

static const struct call others[] = {
	{"clone3", clone3},
	{"i386", system_call_of_i386},
	{"x32", x32},
	{"kill", kill_outsider},
	{"connect-abstract", connect_abstract},
	{"open-passwd", open_passwd},
	{"open-null", open_null},
	{"open-root", open_root},
	{"open-own", open_secret},
	{"write-own", write_secret},
	{"remove-own", remove_secret},
	{"open-outsider", open_outsider},
	{"run-true", run_true},
	{"run-own", run_own},
	{"unix-socket", unix_socket},
	{"ipv6-socket", ipv6_socket},
	{"netlink-socket", netlink_socket},
	{"packet-socket", packet_socket},
	{"sctp-socket", sctp_socket},
	{"dccp-socket", dccp_socket},
	{"smc-socket", smc_socket},
	{"mptcp-socket", mptcp_socket},
	{"limit-itself", limit_itself},
	{"futimens", change_times},
	{"fork", make_thread},
	{"pause", wait_for_ever},
};

static void report(const struct call *call)
{
	long result = call->function();

	printf("%s: %s\n", call->name, result < 0 ? errno_word(errno) : "ok");
	fflush(stdout);
}

static void try_named(const char *name)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (strcmp(name, "all") == 0 || strcmp(name, forbidden[i].name) == 0)
			report(&forbidden[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(name, others[i].name) == 0)
			report(&others[i]);
	}
}

/* ---- before the sandbox ---- */

static void start_outsider(void)
{
	struct sockaddr_un address = abstract_address();
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int alive[2];
	char byte;

	if (pipe2(alive, O_CLOEXEC) != 0 ||
		bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(listener, 1) != 0)
		err(1, "abstract socket");
	outsider = fork();
	if (outsider == 0) {
		/* Until the other one has ended, whose PR_SET_PDEATHSIG Landlock would hold back. */
		close(STDOUT_FILENO);
		close(alive[1]);
		(void)!read(alive[0], &byte, 1);
		_exit(0);
	}
	close(alive[0]);
	close(listener);
}

static void filter(const char *name, uint32_t action)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (seccomp_rule_add(filter, action, seccomp_syscall_resolve_name(name), 0) != 0 ||
		seccomp_load(filter) != 0)
		errx(1, "%s: no filter", name);
	seccomp_release(filter);
}

static void *be_a_thread(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

static void prepare(const char *what)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	if (strcmp(what, "threads") == 0 || strcmp(what, "joined") == 0) {
		pthread_mutex_lock(&lock);
		pthread_create(&thread, NULL, be_a_thread, &lock);
	}
	if (strcmp(what, "joined") == 0) {
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
	}
	if (strncmp(what, "no:", 3) == 0)
		filter(what + 3, SCMP_ACT_ERRNO(ENOSYS));
	if (strncmp(what, "sham:", 5) == 0)
		filter(what + 5, SCMP_ACT_ERRNO(0));
}

int main(int argc, char **argv)
{
	int result;

	if (argc < 3)
		errx(64, "usage: %s PREPARATION FLAGS [CALL...]", argv[0]);
	inet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memory = memfd_create("boundary", MFD_CLOEXEC);
	start_outsider();
	prepare(argv[1]);
	if (strcmp(argv[2], "none") != 0) {
		result = fdbroker_sandbox((unsigned int)strtoul(argv[2], NULL, 0));
		printf("fdbroker_sandbox: %s\n", result < 0 ? errno_word(errno) : "ok");
		fflush(stdout);
	}
	for (int i = 3; i < argc; i++)
		try_named(argv[i]);
	return 0;
}
