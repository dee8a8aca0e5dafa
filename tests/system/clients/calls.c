/* SPDX-License-Identifier: MIT */
/*
 * Makes system calls directly, in forms in which the shell and libc do not make them; built twice,
 * once as a static program. It uses nothing but libc. Prints one line for each call: "ok", "ok TEXT",
 * or an errno.
 *
 *	calls read PATH          openat(2): the content
 *	calls ways PATH          open(2), openat(2), openat2(2): the content, for each
 *	calls below DIR PATH     openat(2) below a descriptor of DIR (O_PATH)
 *	calls resolve PATH       openat2(2) with RESOLVE_NO_SYMLINKS
 *	calls openat PATH FLAGS  a number, which libc may not be able to say
 *	calls openat2 PATH FLAGS MODE SIZE TAIL    with a struct of SIZE bytes, the last of which is
 *	                         TAIL if it is longer than this knows
 *	calls handle PATH        with O_PATH
 *	calls make PATH TEXT     creat(2), with mode 0666, and write(2)
 *	calls append PATH TEXT   O_APPEND|O_CREAT, with mode 0666
 *	calls exec PATH          opens with O_CLOEXEC and without; which are there after execve(2)
 *	calls times COUNT PATH   opens and closes; how often each came of it, as "ok=3 EACCES=0"
 *	calls binds COUNT PORT   the same for bind(2) of a TCP socket to PORT
 *	calls datagram-binds COUNT PORT      of a UDP socket
 *	calls unix-bind PATH     bind(2) of a unix socket
 *	calls fill PATH          opens until an error, with RLIMIT_NOFILE 64: the error, and how many
 *	calls io_uring | x32 | int80
 *	calls attack PID         every way to get into another process
 *	calls signal PID         SIGTERM
 *	calls forbidden          what the filter of each sandbox of `run` forbids, with arguments of
 *	                         which nothing comes, nor EPERM or EPROTONOSUPPORT from elsewhere
 *	calls forbidden-opens    the same for --policy-only
 *	calls forbidden-mounts   the same, in a user namespace
 *	calls limit-itself       prlimit(2) in the forms in which libc calls it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32_BIT 0x40000000L /* __X32_SYSCALL_BIT of asm/unistd.h */
#define ERRNO_MAX 200

static const char *errno_name(void)
{
	const char *name = strerrorname_np(errno);

	return name != NULL ? name : "unknown-errno";
}

static void print_result(const char *what, long result)
{
	printf("%s%s%s\n", what, *what != '\0' ? ": " : "", result < 0 ? errno_name() : "ok");
}

/* Takes the descriptor over. */
static void print_content(int fd)
{
	char text[4096];
	ssize_t length;

	if (fd < 0) {
		print_result("", -1);
		return;
	}
	length = read(fd, text, sizeof(text));
	if (length < 0)
		print_result("read", -1);
	else
		printf("ok %.*s\n", (int)length, text);
	close(fd);
}

static int open_by_openat2(const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = resolve};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* ---- files ---- */

static void do_read(char **words)
{
	print_content(open(words[0], O_RDONLY | O_CLOEXEC));
}

static void do_ways(char **words)
{
#ifdef SYS_open /* not on arm64 */
	print_content((int)syscall(SYS_open, words[0], O_RDONLY | O_CLOEXEC, 0));
#else
	do_read(words);
#endif
	print_content((int)syscall(SYS_openat, AT_FDCWD, words[0], O_RDONLY | O_CLOEXEC, 0));
	print_content(open_by_openat2(words[0], 0));
}

static void do_below(char **words)
{
	int folder = open(words[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		print_result("folder", -1);
	else
		print_content(openat(folder, words[1], O_RDONLY | O_CLOEXEC));
}

static void do_resolve(char **words)
{
	print_content(open_by_openat2(words[0], RESOLVE_NO_SYMLINKS));
}

static void do_openat(char **words)
{
	print_content(
		(int)syscall(SYS_openat, AT_FDCWD, words[0], (int)strtol(words[1], NULL, 0), 0));
}

static void do_openat2(char **words)
{
	union {
		struct open_how how;
		unsigned char bytes[4096];
	} sent = {
		.how = {.flags = strtoull(words[1], NULL, 0), .mode = strtoull(words[2], NULL, 0)}};
	size_t size = strtoul(words[3], NULL, 0);

	if (size > sizeof(sent.how) && size <= sizeof(sent))
		sent.bytes[size - 1] = (unsigned char)atoi(words[4]);
	print_content((int)syscall(SYS_openat2, AT_FDCWD, words[0], &sent, size));
}

static void do_handle(char **words)
{
	print_result("", open(words[0], O_PATH | O_CLOEXEC));
}

static void write_into(int fd, const char *text)
{
	print_result("", fd < 0 ? -1 : write(fd, text, strlen(text)));
}

static void do_make(char **words)
{
	write_into(creat(words[0], 0666), words[1]);
}

static void do_append(char **words)
{
	write_into(open(words[0], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666), words[1]);
}

static void do_exec(char **words)
{
	int closed = open(words[0], O_RDONLY | O_CLOEXEC), kept = open(words[0], O_RDONLY);
	char one[16], other[16];

	if (closed < 0 || kept < 0) {
		print_result("", -1);
		return;
	}
	snprintf(one, sizeof(one), "%d", closed);
	snprintf(other, sizeof(other), "%d", kept);
	execl("/proc/self/exe", "calls", "are-open", one, other, NULL);
	print_result("execl", -1);
}

static void do_are_open(char **words)
{
	print_result("with O_CLOEXEC", fcntl(atoi(words[0]), F_GETFD));
	print_result("without", fcntl(atoi(words[1]), F_GETFD));
}

/* ---- many times ---- */

static unsigned long tally[ERRNO_MAX];

static void count_result(int fd)
{
	tally[fd < 0 && errno < ERRNO_MAX ? errno : 0]++;
	if (fd >= 0)
		close(fd);
}

static void print_tally(void)
{
	printf("ok=%lu", tally[0]);
	for (errno = 1; errno < ERRNO_MAX; errno++) {
		if (tally[errno] > 0)
			printf(" %s=%lu", errno_name(), tally[errno]);
	}
	printf("\n");
}

static void do_times(char **words)
{
	for (unsigned long left = strtoul(words[0], NULL, 10); left > 0; left--)
		count_result(open(words[1], O_RDONLY | O_CLOEXEC));
	print_tally();
}

static int bind_to(int type, in_port_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), error;

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void bind_often(int type, char **words)
{
	for (unsigned long left = strtoul(words[0], NULL, 10); left > 0; left--)
		count_result(bind_to(type, (in_port_t)atoi(words[1])));
	print_tally();
}

static void do_binds(char **words)
{
	bind_often(SOCK_STREAM, words);
}

static void do_datagram_binds(char **words)
{
	bind_often(SOCK_DGRAM, words);
}

static void do_unix_bind(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, words[0], sizeof(address.sun_path) - 1);
	print_result("", bind(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static void do_fill(char **words)
{
	const struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
	int fd, last = -1;

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		print_result("setrlimit", -1);
		return;
	}
	while ((fd = open(words[0], O_RDONLY | O_CLOEXEC)) >= 0)
		last = fd;
	printf("%s after %d\n", errno_name(), last);
}

/* ---- what a filter may have forgotten ---- */

static void do_io_uring(char **words)
{
	char parameters[256] = {0}; /* struct io_uring_params has 120 bytes */

	(void)words;
	print_result("", syscall(SYS_io_uring_setup, 1, parameters));
}

static void do_x32(char **words)
{
	(void)words;
	print_result("", syscall(X32_BIT | SYS_getpid));
}

/* getpid(2) by the 32-bit table, in which it is 20. */
static void do_int80(char **words)
{
	(void)words;
#ifdef __x86_64__
	long result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	printf("%s\n", result == getpid() ? "ok" : "ENOSYS");
#else
	printf("no int 0x80 on this machine\n");
#endif
}

/* ---- other processes ---- */

static void attack_its_memory(pid_t pid)
{
	char path[64], byte;
	struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)0x1000, 1};

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	print_result("mem", open(path, O_RDWR | O_CLOEXEC));
	print_result("process_vm_readv", process_vm_readv(pid, &here, 1, &there, 1, 0));
}

static void do_attack(char **words)
{
	pid_t pid = (pid_t)atoi(words[0]);
	char path[64];
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	print_result("seize", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	print_result("attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	attack_its_memory(pid);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	print_result("fd", open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	print_result("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
}

static void do_signal(char **words)
{
	print_result("", kill((pid_t)atoi(words[0]), SIGTERM));
}

/* ---- what a sandbox forbids ---- */

/* A system call with the arguments given, by its own name. */
#define TRY(name, ...) print_result(#name, syscall(SYS_##name, __VA_ARGS__))

/* socket(2) looks at the type before it looks for the protocol: EINVAL. */
static void try_protocols(void)
{
	static const int protocols[] = {132, 33, 256, 262}; /* SCTP, DCCP, SMC, MPTCP: ip(7) */

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		print_result("protocol", syscall(SYS_socket, AF_INET, -1, protocols[i]));
	/* The kernel takes 32 bits of it. */
	print_result("protocol", syscall(SYS_socket, AF_INET, -1, 0x1000000000 | 262));
	print_result("protocol", syscall(SYS_socket, AF_SMC, -1, 0));
}

static void try_numbers(void)
{
	TRY(mq_open, "nothing", O_RDONLY, 0, NULL);
	TRY(mq_unlink, "nothing");
	TRY(shmget, 1, 0, 0);
	TRY(shmat, -1, NULL, 0);
	TRY(shmctl, -1, 0, NULL);
	TRY(semget, 1, 0, 0);
	TRY(semop, -1, NULL, 0);
	TRY(semctl, -1, 0, 0, NULL);
	TRY(msgget, 1, 0);
	TRY(msgsnd, -1, NULL, 0, 0);
	TRY(msgrcv, -1, NULL, 0, 0, 0);
	TRY(msgctl, -1, 0, NULL);
	TRY(keyctl, -1, 0, 0, 0, 0);
	TRY(add_key, NULL, NULL, NULL, 0, 0);
	TRY(request_key, NULL, NULL, NULL, 0);
}

static void do_forbidden(char **words)
{
	const struct rlimit none = {0, 0};

	(void)words;
	try_numbers();
	TRY(pidfd_getfd, -1, 0, 0);
	TRY(kcmp, -1, -1, 0, 0, 0);
	TRY(perf_event_open, NULL, 0, -1, -1, 0);
	print_result("TIOCSTI", syscall(SYS_ioctl, -1, TIOCSTI, NULL));
	print_result("TIOCSTI", syscall(SYS_ioctl, -1, 0x100000000 | TIOCSTI, NULL));
	print_result("TIOCLINUX", syscall(SYS_ioctl, -1, TIOCLINUX, NULL));
	TRY(prlimit64, -1, RLIMIT_CORE, &none, NULL);
	try_protocols();
}

static void do_forbidden_opens(char **words)
{
	(void)words;
	TRY(name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0);
	TRY(open_tree, AT_FDCWD, "/", 0);
	TRY(inotify_add_watch, -1, "/", 1);
	TRY(fanotify_init, 0x200, 0); /* FAN_REPORT_FID: with it, everybody may */
	TRY(fanotify_mark, -1, 0, 0, AT_FDCWD, "/");
}

static void do_forbidden_mounts(char **words)
{
	(void)words;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
		print_result("unshare", -1);
		return;
	}
	TRY(open_tree, AT_FDCWD, "/", 1); /* OPEN_TREE_CLONE */
	TRY(fsopen, NULL, 0);
	TRY(fsmount, -1, 0, 0);
	TRY(fspick, -1, NULL, 0);
	TRY(fsconfig, -1, 0, NULL, NULL, 0);
}

/* What must go on working. */
static void do_limit_itself(char **words)
{
	const struct rlimit none = {0, 0};
	struct rlimit parents;

	(void)words;
	print_result("its own", prlimit(0, RLIMIT_CORE, &none, NULL));
	print_result("to read", prlimit(getpid(), RLIMIT_CORE, NULL, &parents));
}

/* ---- the command line ---- */

static const struct {
	const char *name;
	int words;
	void (*run)(char **words);
} calls[] = {
	{"read", 1, do_read},
	{"ways", 1, do_ways},
	{"below", 2, do_below},
	{"resolve", 1, do_resolve},
	{"openat", 2, do_openat},
	{"openat2", 5, do_openat2},
	{"handle", 1, do_handle},
	{"make", 2, do_make},
	{"append", 2, do_append},
	{"exec", 1, do_exec},
	{"are-open", 2, do_are_open},
	{"times", 2, do_times},
	{"binds", 2, do_binds},
	{"datagram-binds", 2, do_datagram_binds},
	{"unix-bind", 1, do_unix_bind},
	{"fill", 1, do_fill},
	{"io_uring", 0, do_io_uring},
	{"x32", 0, do_x32},
	{"int80", 0, do_int80},
	{"attack", 1, do_attack},
	{"signal", 1, do_signal},
	{"forbidden", 0, do_forbidden},
	{"forbidden-opens", 0, do_forbidden_opens},
	{"forbidden-mounts", 0, do_forbidden_mounts},
	{"limit-itself", 0, do_limit_itself},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && argc > 1; i++) {
		if (strcmp(argv[1], calls[i].name) != 0 || argc != 2 + calls[i].words)
			continue;
		calls[i].run(argv + 2);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fprintf(stderr,
		"calls: no such call, or not with so many words: see the head of calls.c\n");
	return 64;
}
