/* SPDX-License-Identifier: MIT */
/*
 * libfdbroker: files, sockets and names that a program may not have by itself, through
 * fdbrokerd(8).
 *
 * This header is the reference; libfdbroker(3) is the overview. It can be included from C11 and
 * C++. Every function here exists since 0.1.
 *
 * One function is in a library of its own, libfdbroker-sandbox: fdbroker_sandbox(), the last one
 * here.
 *
 * A first program:
 *
 *	struct fdbroker *broker = fdbroker_new(NULL);
 *	if (broker == NULL)
 *		err(1, "fdbroker_new");
 *	int key = fdbroker_open(broker, "/etc/ssl/private/example.key", O_RDONLY | O_CLOEXEC);
 *	if (key < 0)
 *		err(1, "key: %s", fdbroker_strreason(fdbroker_last_reason()));
 *
 * CONNECTIONS. A connection is a capability: its rights are those of the user, the groups and the
 * unit that connected, decided at connect(2), wherever the descriptor goes later. So a program
 * connects, drops everything, and then works. The policy is asked at each request: a reload of the
 * broker applies to live connections at once.
 *
 * ERRORS. Functions mirror the system calls they stand for: on failure they return -1 (or NULL)
 * and set errno; fdbroker_getaddrinfo() and fdbroker_getnameinfo() return EAI_SYSTEM then, and the
 * other codes of libc for what the name service says. A denial by the policy is EACCES with the
 * reason FDBROKER_REASON_POLICY. With the reason FDBROKER_REASON_KERNEL the policy allows it, and
 * errno is the one of the system call: what the kernel said to the broker, or would have said. The
 * broker looks at an object before it opens it, and so it gives EEXIST for O_EXCL, ENOTDIR for
 * O_DIRECTORY and ELOOP for O_NOFOLLOW itself. fdbroker_last_reason() tells which of these it was.
 * Any function that asks the broker can fail with these, besides what is listed with it:
 *
 *	ECONNRESET	the broker closed the connection, or is gone (reason BROKER). It closes
 *			those of clients that no client block of its policy is for, and those that
 *			are too many of one user, at once and without a word; its log says so. The
 *			connection is of no more use: free it, and make a new one if you may.
 *	EPROTO		the broker's answer made no sense (reason BROKER). The library has shut the
 *			connection down: every later call on it fails with ECONNRESET.
 *	EMFILE		the process had no room for the descriptor that the broker sent: see
 *			RLIMIT_NOFILE in getrlimit(2) (reason LOCAL).
 *	EFAULT		the connection is NULL (reason LOCAL).
 *
 *	ETOOMANYREFS	descriptors that the caller's user was sent and did not receive are too
 *			many: see unix(7) (reason LIMIT).
 *	EOWNERDEAD	the process of the broker that had the request in hand died or took too
 *			long; whether it was done is not known, so ask again only where asking
 *			twice does no harm (reason UNKNOWN).
 *
 * and for the other reasons with the errno that stands at enum fdbroker_reason.
 *
 * DESCRIPTORS. What a function returns belongs to the caller, who closes it with close(2). No
 * function closes or keeps a descriptor that it was given, but for fdbroker_from_fd(). Each
 * descriptor returned has an open file description of its own: offset and flags are not shared
 * with anybody.
 *
 * THREADS. All functions may be called by several threads at once, on the same connection too,
 * except for fdbroker_free(), which must be the last one to use its connection. The calls on one
 * connection take turns: each holds the connection from its request to the last answer. Threads
 * that should not wait for each other want a connection each (fdbroker_clone()).
 *
 * FORK. After fork(2) parent and child may both go on using a connection, also when other threads
 * were using it during the fork: the turns are taken across processes. Each frees it for itself;
 * that does not end the connection for the other. A process that dies in the middle of a call
 * harms nobody else: its turn is handed on, and the answer that it did not live to see is
 * discarded. But those who share a connection trust each other: each can make the others wait, and
 * a process that corrupts its memory on purpose can block them for good. Whom you do not trust,
 * give a connection of its own (fdbroker_clone()) and free yours in it. execve(2) ends a connection
 * (it is close-on-exec); see fdbroker_from_fd() for taking one along.
 *
 * SIGNALS AND CANCELLATION. No function is safe in a signal handler: one that interrupts a call on
 * the same connection waits for ever. A system call that a signal interrupts is resumed, so EINTR
 * is never returned; to break a call off, see fdbroker_fd(). No function is a cancellation point; a
 * thread must not be cancelled asynchronously (pthread_setcanceltype(3)) during a call, nor leave
 * one by longjmp(3).
 *
 * SANDBOXES. Connect, and adopt (fdbroker_from_fd()), before the sandbox is entered: to tell the
 * broker from others may take the user database, and so files. A clone that fdbroker_clone() made
 * in this process needs no such check. After that the library makes only these system calls:
 * sendmsg, recvmsg, poll, fcntl, close, shutdown and futex; for a relative path also readlink (or readlinkat) in
 * /proc/thread-self, and fstat (or newfstatat) of dirfd; for a file that the policy hands out as a
 * copy, and in fdbroker_list() and fdbroker_grants(), memfd_create and fallocate; in
 * fdbroker_connect() getsockopt, and clock_gettime where the vdso(7) does not have it; in
 * fdbroker_clone() getsockopt, getpeername, mmap and getrandom; and in fdbroker_free() munmap. It never calls socket, bind, connect,
 * setsockopt or open, and never libc's name service. fdbroker_getaddrinfo() and fdbroker_clone()
 * allocate memory, for which libc may call brk and mmap; the functions of libc that free memory may
 * call munmap and madvise on their own account. fdbroker_sandbox(), below, is such a sandbox.
 */
#ifndef FDBROKER_H
#define FDBROKER_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#define FDBROKER_USE_RESULT __attribute__((__warn_unused_result__))
#else
#define FDBROKER_USE_RESULT
#endif

/* Why a call was refused or failed. More may be added: treat an unknown one by its errno alone. */
enum fdbroker_reason {
	/* The last call succeeded. */
	FDBROKER_REASON_NONE = 0,
	/* The policy allows it; errno is the kernel's, as the system call gave it to the broker or
	   would have: see ERRORS above. Not always a failure: EINPROGRESS. */
	FDBROKER_REASON_KERNEL = 1,
	/* No rule of the policy allows it, or one denies it, or rules that allow it disagree on its
	   options; or the path has a "..", which is never allowed. EACCES. Or a file is larger than
	   what its rule copies. EFBIG. */
	FDBROKER_REASON_POLICY = 2,
	/* The object is of a type (a device, a directory, ...) that the rule does not grant:
	   EACCES. */
	FDBROKER_REASON_TYPE = 3,
	/* An unprivileged user could have placed the object: a folder on the way is not root's
	   alone, and either others than its owner may write to it, or the object is not its owner's
	   own; or a new file would come into a folder that is not root's alone. EACCES. */
	FDBROKER_REASON_PLACEMENT = 4,
	/* A symbolic link on the way is not followed: the rule forbids it, or an unprivileged user
	   could have placed the link; or a file would be created through it. EACCES. */
	FDBROKER_REASON_SYMLINK = 5,
	/* These flags of open(2) are not served: EINVAL. */
	FDBROKER_REASON_FLAGS = 6,
	/* The socket sent, the family of the address, the option or the kind of socket asked for is
	   not of those that are served: the errnos stand with each function. EACCES if
	   fdbroker_socket() is asked for one that needs no privilege. */
	FDBROKER_REASON_SOCKET = 7,
	/* A limit of the broker was reached; try again later. ETOOMANYREFS; of fdbroker_clone()
	   EAGAIN, of fdbroker_limit() ENOSPC. */
	FDBROKER_REASON_LIMIT = 8,
	/* The outcome is unknown: what did the work died or took too long. EOWNERDEAD. */
	FDBROKER_REASON_UNKNOWN = 9,
	/* This process's own doing: an argument, memory or descriptors; or it could not connect.
	   errno says which. */
	FDBROKER_REASON_LOCAL = 10,
	/* The broker has closed the connection: it ended, or no client block of its policy is for
	   this user, or this user has too many connections: ECONNRESET. Or its answer made no
	   sense: EPROTO. */
	FDBROKER_REASON_BROKER = 11,
	/* The socket or device would be in a network namespace that the rule does not grant. One
	   that was sent stays where it lives: outside of the broker's the rule has to say so. What
	   the broker makes is in its own, which is not what every rule grants. EACCES. */
	FDBROKER_REASON_NETNS = 12,
	/* The name service does not know, or has failed: the errnos stand at fdbroker_dial(), the
	   EAI_... codes at fdbroker_getaddrinfo(). */
	FDBROKER_REASON_NAMES = 13,
	/* The policy may allow it, but the connection was narrowed: fdbroker_limit(). EACCES. */
	FDBROKER_REASON_NARROWED = 14,
	/* The rule hands out copies: EOPNOTSUPP where a file was to be opened. Or the memory for a
	   copy or a list was too small, EMSGSIZE, or was none, EINVAL; or the file became shorter
	   while it was copied, EAGAIN. fdbroker_open(), fdbroker_list() and fdbroker_grants() ask
	   anew by themselves, so their callers do not meet these. */
	FDBROKER_REASON_COPY = 15,
	/* The verbs or the object of a limit are not of the policy language: EINVAL. */
	FDBROKER_REASON_WORDS = 16,
};

/* A connection to the broker. */
struct fdbroker;

/*
 * Connects to the broker.
 *
 * socket_path: the broker's socket; NULL means $FDBROKER_SOCKET if that is set and not empty
 * (ignored in a set-user-ID program and the like: secure_getenv(3)), else the path that the library
 * was built with, usually /run/fdbroker/broker.sock.
 *
 * While the broker starts, that is on ENOENT, ECONNREFUSED and EAGAIN, connecting is tried again
 * for about 2 seconds. Then the library asks the kernel who listens (SO_PEERCRED, unix(7)): that
 * must be root, the caller's own effective user, or the user that the broker runs as ("fdbroker",
 * or what the library was built with; getpwnam_r(3) is called only if it is neither of the first
 * two). The connection is close-on-exec.
 *
 * In a user namespace that does not map all uids, as that of a rootless container, the kernel shows
 * all users outside as one and the same, the overflow uid (user_namespaces(7)), and root and the
 * broker's user are among them. There the library takes that uid for the broker's, and nobody
 * outside can be told apart: so whoever put the socket at that path is trusted. Which it is, the
 * library reads in /proc/self/uid_map and /proc/sys/kernel/overflowuid; if it cannot, or if all
 * uids are mapped, the overflow uid is refused as any other.
 *
 * Returns a connection, to be released with fdbroker_free(); or NULL, with the reason LOCAL, and
 *	EPERM		who listens at that path is none of these
 *	EACCES, ENOENT, EMFILE and others
 *			who listens is not root or the caller, and the user database cannot be read:
 *			those of getpwnam_r(3), but EACCES where it says EPERM
 *	ENAMETOOLONG	the path does not fit into a struct sockaddr_un: 107 bytes
 *	ENOENT		the path is empty; or after 2 seconds there is still no such socket
 *	ECONNREFUSED	after 2 seconds there is still nobody who listens
 *	EAGAIN		after 2 seconds the queue of the socket is still full
 *	EPROTOTYPE	that is a socket of another type: not the broker's
 *	ENOMEM		out of memory
 * and the other errnos of socket(2), connect(2) and mmap(2).
 *
 * Since: 0.1
 */
struct fdbroker *fdbroker_new(const char *socket_path) FDBROKER_USE_RESULT;

/*
 * Adopts a connection to the broker that is open already: one that was inherited over execve(2),
 * or received from another process. Its rights are those of whoever connected.
 *
 * fd: a connected SOCK_SEQPACKET socket of AF_UNIX, on which no call is in progress. On success
 * the library owns it: it becomes close-on-exec, and fdbroker_free() closes it. On failure it is
 * untouched and still the caller's. Who is at the other end is checked as by fdbroker_new().
 *
 * Of a clone that is the user that the broker runs as, so the user database is read
 * (getpwnam_r(3)): adopt before entering a sandbox in which files cannot be opened, and in a root
 * directory that has one. Of a connection by fdbroker_new() it is mostly root, and nothing is read;
 * but who adopts one cannot know which it is.
 *
 * Two processes that use one connection must have it in common by fork(2) from the one that made
 * the struct fdbroker: whoever adopts a connection must be the only one to use it from then on, or
 * each would take the other's answers. Those who share one by inheritance only, as FDBROKER_FD of
 * fdbroker(1), adopt a duplicate each, take a record lock on all of it (F_SETLKW, fcntl(2)), make a
 * clone, and free the duplicate, with which the lock goes too.
 *
 * Returns a connection; or NULL, with the reason LOCAL, and
 *	EBADF		fd is not an open descriptor
 *	ENOTSOCK	fd is not a socket
 *	EINVAL		fd is a socket of another kind, or not connected
 *	EPERM		who is at the other end is not the broker: see fdbroker_new()
 *	EACCES, ENOENT, EMFILE and others
 *			who is at the other end cannot be told, as the user database cannot be read:
 *			see fdbroker_new()
 *	ENOMEM		out of memory
 *
 * Since: 0.1
 */
struct fdbroker *fdbroker_from_fd(int fd) FDBROKER_USE_RESULT;

/*
 * The descriptor of the connection: to clear its close-on-exec flag, to keep it out of the way of a
 * loop that closes descriptors, to wait until the broker hangs up (POLLHUP, poll(2)), or to break
 * off. It remains the library's: do not read, write or close it. Never fails; broker must not be
 * NULL.
 *
 * shutdown(2) of it with SHUT_RDWR is allowed at any time, also in another thread and in a signal
 * handler: it ends the connection, for all who share it. Whatever call of theirs is in progress or
 * comes later fails with ECONNRESET (reason BROKER), and the broker drops what it was doing for
 * them. So a call can be given a time limit, with alarm(2) for instance. (fdbroker_connect() of a
 * blocking socket does not need the broker while it waits: that ends by SO_SNDTIMEO.)
 *
 * Since: 0.1
 */
int fdbroker_fd(const struct fdbroker *broker);

/*
 * Closes the connection in this process and releases its memory. Descriptors that were received
 * through it stay open. NULL is allowed. errno and the reason are left alone.
 *
 * Since: 0.1
 */
void fdbroker_free(struct fdbroker *broker);

/*
 * Opens a file as open(2) does, if the policy allows it.
 *
 * path: absolute, or relative to the current working directory. The library makes a relative path
 * absolute, by the name that the kernel gives for the folder in /proc/thread-self/cwd, because the
 * policy is about names; so it needs /proc then, and a folder that was renamed goes by its present
 * name. "//" and "/./" are collapsed; ".." is sent as it is, and no policy allows it (EACCES,
 * reason POLICY). A path that ends in "/" or "/." asks for a directory, as if O_DIRECTORY had been
 * given. The broker looks the path up in its own mount namespace and root, which may differ from
 * the caller's.
 *
 * flags: as for open(2). Which of them are served is told in fdbroker-protocol(7); others give
 * EINVAL with the reason FLAGS. O_CLOEXEC never leaves the library: a descriptor always arrives
 * close-on-exec, and if O_CLOEXEC was not asked for, the flag is cleared afterwards with fcntl(2).
 * A fork(2) and execve(2) of another thread in that moment loses the descriptor rather than leaks
 * it: the safe side of the race that open(2) describes under O_CLOEXEC.
 *
 * mode: read by open(2) if O_CREAT or O_TMPFILE is among the flags. It may be given here too, for
 * the sake of code that is being converted, but it is not used: the owner and the mode of a new
 * file are what the policy says, whatever the umask.
 *
 * Returns a new descriptor, which belongs to the caller; or -1 and one of the errnos of open(2):
 * those that the kernel gave the broker, those above, and from the library (reason LOCAL)
 *	EFAULT		path is NULL
 *	ENOENT		path is empty; the current working directory was removed, or is out of reach
 *			from this process's root
 *	ENAMETOOLONG	path, or what it became, is longer than 4095 bytes
 *	EISDIR		path ends in "/" and O_CREAT is given
 *	other errnos of readlink(2), if /proc cannot be used for a relative path
 *
 * A folder whose name really ends in " (deleted)" cannot be told from one that was removed, so
 * paths relative to it fail with ENOENT.
 *
 * A rule with `copy` (fdbroker.policy(5)) hands out what a file holds, and never the file. With
 * O_RDONLY the library then makes a file in memory (memfd_create(2)), allocates it (fallocate(2)),
 * so that it is charged to this process, and has the broker fill it in, with more memory each time
 * until that is enough. The descriptor is that of the memory, at offset 0, and sealed against
 * writing, growing, shrinking and other seals (F_GET_SEALS, fcntl(2)): it can be read and mapped,
 * and opened anew as /proc/self/fd/N by what insists on a path; fstat(2) tells nothing of the file
 * but its size, and F_GETFL says O_RDWR. Other access modes are EACCES. It fails with the errnos
 * above, and with
 *	EFBIG		the file is larger than the rule's `max` (reason POLICY), or than
 *			RLIMIT_FSIZE, getrlimit(2) (reason LOCAL; and SIGXFSZ, as by write(2))
 *	EAGAIN		the file became shorter each time that it was copied (reason LOCAL)
 *	ENOMEM, ENOSPC	there is no memory for it (reason LOCAL)
 *	EMFILE, ENFILE	there is no descriptor for it (reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_open(struct fdbroker *broker, const char *path, int flags,
	... /* mode_t mode */) FDBROKER_USE_RESULT;

/*
 * The same, with a relative path meant from the folder that dirfd refers to, as openat(2) does. The
 * folder's name is read from /proc/thread-self/fd: what is opened is what bears that name when the
 * broker looks. dirfd is ignored if path is absolute; AT_FDCWD means the current working directory.
 *
 * Fails as fdbroker_open(), and with (reason LOCAL)
 *	EBADF		path is relative, and dirfd is neither AT_FDCWD nor an open descriptor
 *	ENOTDIR		path is relative, and dirfd does not refer to a directory
 *	ENOENT		path is relative, and the folder was removed or is out of reach
 *
 * Since: 0.1
 */
int fdbroker_openat(struct fdbroker *broker, int dirfd, const char *path, int flags,
	... /* mode_t mode */) FDBROKER_USE_RESULT;

/* One file to be opened by fdbroker_open_many(), and what became of it. */
struct fdbroker_open_request {
	const char *path;            /* in: see fdbroker_open(); read only during the call */
	int flags;                   /* in: see fdbroker_open() */
	mode_t mode;                 /* in: not used; see fdbroker_open() */
	int fd;                      /* out: a new descriptor, the caller's; -1 on failure */
	int error;                   /* out: 0, or the errno */
	enum fdbroker_reason reason; /* out: what fdbroker_last_reason() would say */
};

/*
 * Opens many files: one round trip for each 64, or fewer if their paths are so long that they do
 * not fit into a packet of 32 KiB. The requests are independent of each other and may be carried
 * out in any order.
 *
 * requests: count of them. fd, error and reason of each are set in any case (unless the call fails
 * with EFAULT or EINVAL), so the caller can always close what is not -1.
 *
 * Returns how many files were opened, 0 to count. fdbroker_last_reason() is then NONE if all were,
 * else the reason of the first that was not; errno is unspecified. Returns -1 and sets errno if
 * nothing could be asked at all, so that no file was opened:
 *	EFAULT		broker is NULL, or requests is NULL and count is not 0
 *	EINVAL		count is larger than INT_MAX
 *	ECONNRESET	the connection was gone before the first request was sent
 *	ENOMEM, ENOBUFS	the kernel had no memory for the first packet
 *
 * Since: 0.1
 */
int fdbroker_open_many(struct fdbroker *broker, struct fdbroker_open_request *requests,
	size_t count) FDBROKER_USE_RESULT;

struct stat;

/*
 * Tells what a file is, without opening it, as stat(2) does; fdbroker_lstat() tells what a symbolic
 * link is, instead of what it leads to. The policy has to grant `stat`, which `read`, `write`,
 * `append` and `create` imply.
 *
 * path: as for fdbroker_open(). One that ends in "/" or "/." asks for a directory, and
 * fdbroker_lstat() follows a link there, as lstat(2) does.
 *
 * status: filled in on success, and else unchanged. On machines of 32 bits it is the structure of
 * _FILE_OFFSET_BITS 64 (feature_test_macros(7)), with which the caller must be compiled too.
 *
 * Returns 0; or -1 and one of the errnos of stat(2) that the kernel gave the broker (reason
 * KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons PLACEMENT and
 *			SYMLINK
 *	EFAULT		path or status is NULL (reason LOCAL)
 *	ENOENT, ENAMETOOLONG and others
 *			as fdbroker_open(), for what is wrong with the path itself (reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_stat(
	struct fdbroker *broker, const char *path, struct stat *status) FDBROKER_USE_RESULT;
int fdbroker_lstat(
	struct fdbroker *broker, const char *path, struct stat *status) FDBROKER_USE_RESULT;

/*
 * Asks what could be done with a file, as access(2) does: by this caller, through the broker, as
 * things are now. It is good for a message to a user. A program that wants the file opens it: what
 * is true now need not be true then.
 *
 * path: as for fdbroker_open(); a link at its end is followed.
 *
 * mode: F_OK, or R_OK, W_OK or both. The policy has to grant `stat` for each, and `read` for R_OK,
 * `write` for W_OK. X_OK is never answered.
 *
 * Returns 0 if all of it could be done; or -1 and one of the errnos of access(2) that the kernel
 * gave the broker (reason KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons TYPE, PLACEMENT
 *			and SYMLINK
 *	EINVAL		mode has X_OK or another bit (reason FLAGS)
 *	EFAULT, ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *
 * Since: 0.1
 */
int fdbroker_access(struct fdbroker *broker, const char *path, int mode) FDBROKER_USE_RESULT;

/*
 * Reads the text of a symbolic link, as readlink(2) does. The policy has to grant `stat`.
 *
 * path: as for fdbroker_open(); a link at its end is the one that is read, unless a "/" is behind
 * it.
 *
 * text: where size bytes of it go, at most; without a NUL. What does not fit is cut off. Unchanged
 * on failure.
 *
 * Returns how many bytes that were; or -1 and one of the errnos of readlink(2) that the kernel gave
 * the broker (reason KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons PLACEMENT and
 *			SYMLINK
 *	EINVAL		it is no link (reason KERNEL); or size is 0 (reason LOCAL)
 *	EFAULT		path or text is NULL (reason LOCAL)
 *	ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *
 * Since: 0.1
 */
ssize_t fdbroker_readlink(
	struct fdbroker *broker, const char *path, char *text, size_t size) FDBROKER_USE_RESULT;

/*
 * Makes a directory, as mkdir(2) does. The policy has to grant `create`, in a rule with `type
 * directory`.
 *
 * path: as for fdbroker_open(); it may end in "/". A link at its end is not followed.
 *
 * mode: read by mkdir(2). It may be given here too, for the sake of code that is being converted,
 * but it is not used: the owner and the mode are what the policy says, whatever the umask.
 *
 * A folder that is there but not granted is EACCES, and not EEXIST: nobody is told of it. So a loop
 * as of mkdir -p begins at the first folder that is granted, and not at "/".
 *
 * Returns 0; or -1 and one of the errnos of mkdir(2) that the kernel gave the broker (reason
 * KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY), or allows it for other types
 *			(reason TYPE); or the reasons PLACEMENT and SYMLINK
 *	EEXIST		the path is "/" or ends in "." (reason LOCAL), or something is there (reason
 *			KERNEL)
 *	EBUSY		what was made was not what bore the name a moment later (reason KERNEL)
 *	EFAULT, ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *
 * Since: 0.1
 */
int fdbroker_mkdir(struct fdbroker *broker, const char *path, mode_t mode) FDBROKER_USE_RESULT;

/*
 * Removes a name that is not a directory's, as unlink(2) does. The policy has to grant `remove`.
 *
 * path: as for fdbroker_open(). A link at its end is what is removed.
 *
 * Returns 0; or -1 and one of the errnos of unlink(2) that the kernel gave the broker (reason
 * KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons PLACEMENT and
 *			SYMLINK
 *	EISDIR		the path is "/" or ends in "." (reason LOCAL), or it is a directory (reason
 *			KERNEL)
 *	EFAULT, ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *
 * Since: 0.1
 */
int fdbroker_unlink(struct fdbroker *broker, const char *path) FDBROKER_USE_RESULT;

/*
 * Removes an empty directory, as rmdir(2) does. The policy has to grant `remove`.
 *
 * path: as for fdbroker_open(); it may end in "/". A link at its end is not followed.
 *
 * Returns 0; or -1 and one of the errnos of rmdir(2) that the kernel gave the broker (reason
 * KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons PLACEMENT and
 *			SYMLINK
 *	EINVAL		the path ends in "." (reason LOCAL)
 *	EBUSY		the path is "/" (reason LOCAL), or something is mounted there (reason
 *			KERNEL)
 *	EFAULT, ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *
 * Since: 0.1
 */
int fdbroker_rmdir(struct fdbroker *broker, const char *path) FDBROKER_USE_RESULT;

/*
 * Gives a file or a directory another name, as rename(2) does. The policy has to grant `remove` for
 * the old path and `create` for the new one, and nothing that it does not grant for the old name
 * may become possible by the new one. What is at the new path already is replaced only if the
 * policy grants `remove` for that too.
 *
 * path, new_path: as for fdbroker_open(). If one of them ends in "/", it has to be a directory.
 * Links at their ends are not followed.
 *
 * Returns 0; or -1 and one of the errnos of rename(2) that the kernel gave the broker (reason
 * KERNEL), EXDEV among them; or
 *	EACCES		the policy does not allow it, or more would be possible afterwards: as when
 *			a folder that is root's alone came into another one, and of any folder for a
 *			narrowed connection (reason POLICY); it is a symbolic link or a socket, or
 *			of another type than the rule for the new name grants (reason TYPE); or the
 *			reasons PLACEMENT and SYMLINK
 *	EEXIST		something is at the new path, and the policy does not grant that it goes
 *			(reason KERNEL)
 *	EBUSY		one of the paths is "/" or ends in "." (reason LOCAL), something is mounted
 *			there, or the old name was another's each time that it was looked at
 *			(reason KERNEL)
 *	ENOENT		there is nothing at path, also where rename(2) would say EROFS or EXDEV
 *			before it looks (reason KERNEL)
 *	EFAULT, ENAMETOOLONG and others: as fdbroker_stat(), for either path
 *
 * Since: 0.1
 */
int fdbroker_rename(
	struct fdbroker *broker, const char *path, const char *new_path) FDBROKER_USE_RESULT;

/*
 * Lists the names in a directory, as far as the policy grants the caller anything about them. It
 * has to grant `list` for the directory.
 *
 * path: as for fdbroker_open(), of a directory.
 *
 * Returns a new descriptor, which belongs to the caller and is close-on-exec, to read the names
 * from: each is ended by a NUL, they are in no order, and "." and ".." are not among them. It is a
 * file in memory, of the directory as it was: what changes later does not show in it, and it is
 * sealed against changes (F_GET_SEALS, fcntl(2)). It is made and charged as the copy of a file is,
 * see fdbroker_open(). No name leads anywhere by itself. Or -1 and one of the errnos of open(2) and
 * getdents(2) that the kernel gave the broker (reason KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons PLACEMENT and
 *			SYMLINK
 *	EOVERFLOW	there are more than 4 MiB of names (reason LIMIT)
 *	ENOMEM, ENOSPC, EMFILE, ENFILE, and EFBIG for RLIMIT_FSIZE: as fdbroker_open() of what is
 *			handed out as a copy
 *	EFAULT, ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *
 * Since: 0.1
 */
int fdbroker_list(struct fdbroker *broker, const char *path) FDBROKER_USE_RESULT;

/*
 * Adds a watch to the caller's own inotify instance, as inotify_add_watch(2) does. The policy has
 * to grant `watch`.
 *
 * inotify_fd: of inotify_init1(2). It remains the caller's, who reads the events from it and ends
 * the watch with inotify_rm_watch(2). Its watches count for whoever made it
 * (/proc/sys/fs/inotify/max_user_watches, inotify(7)). A watch that is there stays, whatever the
 * policy says later, and also when the connection ends.
 *
 * path: as for fdbroker_open(); a link at its end is followed, unless mask has IN_DONT_FOLLOW and
 * no "/" is behind it.
 *
 * mask: IN_... of inotify(7). Of a directory only IN_DELETE_SELF and IN_MOVE_SELF are served, with
 * flags such as IN_ONLYDIR: the other events would show names in it that are not granted.
 *
 * To follow a log: add the watch first and then open the file, so that nothing that is written is
 * missed, with IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF. A log that is removed while
 * somebody has it open shows that by IN_ATTRIB alone. On any of the last three ask for the watch
 * again: another number means that another file bears the name, and ENOENT that none does. A new
 * one does not announce itself, as its folder shows no names; so until it is there, try from time
 * to time. client-lib/examples/follow.c does all of that.
 *
 * Returns the watch descriptor, 0 or more; or -1 and one of the errnos of inotify_add_watch(2) that
 * the kernel gave the broker (reason KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the reasons PLACEMENT and
 *			SYMLINK
 *	EINVAL		mask has events that are not served (reason FLAGS); inotify_fd is of another
 *			kind (reason KERNEL)
 *	EBADF		inotify_fd is not an open descriptor (reason LOCAL)
 *	EFAULT, ENOENT, ENAMETOOLONG and others: as fdbroker_stat()
 *	ETOOMANYREFS	as from fdbroker_bind()
 *
 * Since: 0.1
 */
int fdbroker_watch(struct fdbroker *broker, int inotify_fd, const char *path,
	unsigned int mask) FDBROKER_USE_RESULT;

/* Something that a narrowed connection is still good for. */
struct fdbroker_limit {
	const char *verbs;  /* of fdbroker.policy(5), with commas and without blanks: "read,list" */
	const char *object; /* of the same language, wildcards too: one path, or "tcp:443" */
};

/*
 * Narrows a connection for good: from now on a request must be allowed by the policy, and by one of
 * these limits, and by one of those of each earlier call. So a later call can only narrow further.
 * It holds for all who share the connection, for clones made from now on, when the policy is loaded
 * anew, and as long as the connection does. What was received before stays open.
 *
 * limits: count of them; read only during the call. Verbs and objects mean what they mean after
 * `allow` in fdbroker.policy(5), verbs with what they imply, but they cannot depend on who asks:
 * there are no variables ("%u"), and protocols, services and interfaces have no names. An object is
 * one, and all of the text: there are no quotes and no options, and "/srv/a /srv/b" or "/srv/a as
 * peer" is one path with blanks in it, which is likely to be nobody's. Several limits of one call
 * are alternatives, for each verb that a request needs: a file can be opened for reading and
 * writing if one of them permits to read it, and one to write it. With count 0 nothing is left.
 *
 *	const struct fdbroker_limit limits[] = {{"read", "/srv/data/index"}, {"bind", "tcp:80"}};
 *
 * Returns 0; or -1 and, with the connection as it was,
 *	EINVAL		verbs or object is NULL or empty, verbs has a blank in it, or one of them a
 *			newline (reason LOCAL); or they are not of that language (reason WORDS)
 *	E2BIG		verbs and objects have more than 4000 bytes together, with two more for each
 *			limit (reason LOCAL)
 *	ENOSPC		with those of earlier calls, and one more for each call, they have (reason
 *			LIMIT)
 *	EFAULT		limits is NULL, and count is not 0 (reason LOCAL)
 * After EOWNERDEAD or ECONNRESET it may have been narrowed.
 *
 * Since: 0.1
 */
int fdbroker_limit(struct fdbroker *broker, const struct fdbroker_limit *limits,
	size_t count) FDBROKER_USE_RESULT;

/*
 * Makes a second connection, with the rights of the first: of whoever connected, wherever the
 * caller got it from, and with its limits. It needs no path to the broker's socket, so a sandboxed
 * program can do it. From then on they have nothing to do with each other: narrow one and give it
 * to a child, by fork(2), or to another program, by its descriptor (fdbroker_fd()), which adopts it
 * by fdbroker_from_fd(): before it enters its sandbox, for that reads the user database. The struct
 * fdbroker that is returned here needs no such check, in a child neither.
 *
 * Returns a connection, which is close-on-exec, to be released with fdbroker_free(); or NULL and
 *	EAGAIN		this user has as many connections as it may (reason LIMIT)
 *	ETOOMANYREFS	as from fdbroker_open() (reason LIMIT)
 *	ENOMEM		out of memory (reason LOCAL)
 * Whoever got them counts for the user that the first one belongs to.
 *
 * Since: 0.1
 */
struct fdbroker *fdbroker_clone(struct fdbroker *broker) FDBROKER_USE_RESULT;

/*
 * Asks what may be asked for at all: what the policy says about the caller, by the policy in force
 * at this moment, and what the connection was narrowed to. Always granted.
 *
 * Returns a new descriptor, which belongs to the caller and is close-on-exec, to read it from: text
 * in the form of a policy file (fdbroker.policy(5)), for people, and for programs no more than that
 * form promises. A comment says who the caller is. Each client block that is for the caller follows,
 * with its rules as they are written, but for blanks and comments, those that deny among them, and
 * its limits, but without its `from` lines; one that narrows is marked `only`. What the connection
 * was narrowed to (fdbroker_limit()) stands at the end, as comments. What concerns others is left
 * out. The file is in memory, of the policy as it was, and sealed against changes; it is made and
 * charged as that of fdbroker_list() is. Bytes that other people chose, as in names of files, come
 * as they are: escape them before they go to a terminal. Or -1 and
 *	EOVERFLOW	it is more than 4 MiB of text (reason LIMIT)
 *	ENOMEM, ENOSPC, EMFILE, ENFILE, and EFBIG for RLIMIT_FSIZE: as fdbroker_open() of what is
 *			handed out as a copy
 *
 * Since: 0.1
 */
int fdbroker_grants(struct fdbroker *broker) FDBROKER_USE_RESULT;

/*
 * Binds the caller's own socket, in place, as bind(2) does: what was set on the socket before
 * stays, and nothing comes back but the result. For options that must be set before binding
 * (IPV6_V6ONLY, SO_REUSEADDR), for unix sockets, and for programs whose socket(2) calls are far
 * from here.
 *
 * sockfd: a TCP or UDP socket of AF_INET or AF_INET6, or a socket of AF_UNIX or AF_VSOCK, that is
 * not bound. It remains the caller's; the broker has a duplicate of it only while it serves the
 * request.
 *
 * address: of address_length bytes, one of
 *	struct sockaddr_in, struct sockaddr_in6
 *	struct sockaddr_vm	vsock(7), with svm_flags 0
 *	struct sockaddr_un	unix(7), with a path. A relative one is made absolute, as by
 *				fdbroker_open(). The owner and the mode of the socket in the file
 *				system are what the policy says. One that is there already is
 *				replaced only if nobody has it bound. The broker binds it by its
 *				name in the folder, so getsockname(2) shows that name alone. The
 *				caller calls listen(2) itself: who connects sees whoever did that
 *				(SO_PEERCRED).
 *
 * Returns 0; or -1 and one of the errnos of bind(2): EADDRINUSE, EADDRNOTAVAIL and others that the
 * kernel gave the broker (reason KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); a unix address is unnamed or
 *			abstract, which no rule can name and nobody is asked about (reason SOCKET);
 *			the socket lives in a network namespace that is not granted (reason NETNS);
 *			or the reasons PLACEMENT and SYMLINK of a path
 *	ENOTSOCK	sockfd is not a socket (reason SOCKET)
 *	EAFNOSUPPORT	the family of the address or of the socket is not served, or the address is
 *			IPv6 and the socket is not (reason SOCKET)
 *	EPROTONOSUPPORT	an Internet socket that is neither TCP (or MPTCP) nor UDP (reason SOCKET)
 *	EINVAL		address_length is too short for the family, or too long for a unix address,
 *			or svm_flags is not 0 (reason LOCAL); or the address is not of the socket's
 *			family (reason SOCKET); or the socket is bound already (reason KERNEL)
 *	ENAMETOOLONG	the path of a unix socket, made absolute, has more than 107 bytes (reason
 *			LOCAL)
 *	ENOENT		the path ends in "/" (reason LOCAL), or a folder of it is not there (reason
 *			KERNEL)
 *	EADDRINUSE	the path is "/" or ends in "." (reason LOCAL), or something is there (reason
 *			KERNEL)
 *	EFAULT		address is NULL (reason LOCAL)
 *	EBADF		sockfd is not an open descriptor (reason LOCAL), or was opened with O_PATH
 *			(reason SOCKET)
 *	ETOOMANYREFS	the caller's user has too many descriptors on their way: see unix(7)
 *			(reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_bind(struct fdbroker *broker, int sockfd, const struct sockaddr *address,
	socklen_t address_length) FDBROKER_USE_RESULT;

/*
 * Makes a socket that listens, ready for accept(2); for UDP one that is bound, ready for
 * recvmsg(2).
 *
 * endpoint: "tcp:" or "udp:", then a host and a colon, or none, then a port; or "vsock:", a context
 * id and a port, vsock(7).
 *	host	"*" (the same as none), an IPv4 address, or an IPv6 address in brackets, with "%"
 *		and the index of an interface if it is link-local
 *	port	0 to 65535, decimal digits; 0 lets the kernel choose (getsockname(2) tells). No
 *		names of services: looking them up needs files which a sandbox hides.
 *	vsock	"*" or a number, a colon, and a number
 *
 *	"tcp:80"  "tcp:*:80"  "tcp:127.0.0.1:443"  "udp:[::1]:53"  "tcp:[fe80::1%2]:80"
 *	"vsock:*:1024"
 *
 * Without a host it is one socket for both families, bound to [::], where an IPv4 peer shows as
 * ::ffff:a.b.c.d (ipv6(7)); where the kernel has no IPv6, to 0.0.0.0. "[::]" as a host takes IPv6
 * alone (IPV6_V6ONLY, ipv6(7)), so that one of 0.0.0.0 can stand beside it; net.ipv6.bindv6only
 * does not matter. TCP sockets have SO_REUSEADDR (socket(7)). What else is set on the socket is for
 * the rule to say (fdbroker.policy(5), "with").
 *
 * There is no "unix:": who connects would see the broker's credentials. Make the socket, have it
 * bound by fdbroker_bind(), and listen.
 *
 * backlog: as for listen(2); not used for UDP.
 *
 * Returns a new descriptor, which belongs to the caller and is close-on-exec and blocking; or -1
 * and one of the errnos of socket(2), bind(2) and listen(2) that the kernel gave the broker (reason
 * KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the rule wants it in a
 *			network namespace that is not the broker's (reason NETNS)
 *	EINVAL		endpoint is not of this form (reason LOCAL)
 *	EFAULT		endpoint is NULL (reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_listen(struct fdbroker *broker, const char *endpoint, int backlog) FDBROKER_USE_RESULT;

/*
 * Connects the caller's own socket, in place, as connect(2) does: it stays in its network namespace
 * and keeps what was set on it.
 *
 * sockfd: a TCP or UDP socket of AF_INET or AF_INET6, or a socket of AF_VSOCK. It remains the
 * caller's. A blocking one is waited for, for as long as connect(2) would (SO_SNDTIMEO in socket(7)
 * bounds it); not in the caller's turn on the connection to the broker, which others may use
 * meanwhile. A non-blocking one gives EINPROGRESS: then wait until it is writable and ask for
 * SO_ERROR, as after connect(2).
 *
 * address: a struct sockaddr_in, sockaddr_in6 or sockaddr_vm (with svm_flags 0) of address_length
 * bytes. Unix sockets are not connected: the server would take the broker for the client. Nor is
 * AF_UNSPEC served, which dissolves an association: connect(2) itself needs no privilege for that.
 *
 * Returns 0; or -1 and one of the errnos of connect(2) that the kernel gave the broker or left on
 * the socket (reason KERNEL): ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EISCONN,
 * EALREADY, EINPROGRESS and others; or
 *	EACCES		the policy does not allow it (reason POLICY); or the socket lives in a
 *			network namespace that is not granted (reason NETNS)
 *	EAFNOSUPPORT	the family of the address is not one of these, or the address is IPv6 and
 *			the socket is not (reason SOCKET)
 *	ENOTSOCK, EPROTONOSUPPORT, EINVAL, EFAULT, EBADF, ETOOMANYREFS: as from fdbroker_bind()
 *
 * Since: 0.1
 */
int fdbroker_connect(struct fdbroker *broker, int sockfd, const struct sockaddr *address,
	socklen_t address_length) FDBROKER_USE_RESULT;

/*
 * Makes a socket that is connected. The broker looks the names up and tries each address that they
 * lead to, the next one a while after the last (RFC 8305); each of them is judged by the policy. An
 * address that means the broker's own machine or link is connected to only if a rule names it by
 * address.
 *
 * endpoint: "tcp:" or "udp:", a host, a colon, a port; or "vsock:", a context id, a colon, a port.
 *	host	an IPv4 address, an IPv6 address in brackets (with "%" and the index of an interface
 *		if it is link-local), or a name of up to 253 bytes
 *	port	0 to 65535, decimal digits, or the name of a service of up to 63 bytes
 *	names	have no colons, brackets, slashes or blanks in them: "tcp://db:80" is EINVAL
 *
 *	"tcp:db.internal:5432"  "udp:[::1]:53"  "tcp:www.example:http"  "vsock:2:1024"
 *
 * The caller has its turn on the connection until the socket is connected, which may take as long
 * as the network does; so threads that should not wait want a connection each. The broker gives up
 * after 140 seconds (ETIMEDOUT, reason KERNEL), or when the connection to it is closed: see
 * fdbroker_fd() for a time limit of one's own.
 *
 * Returns a new descriptor, which belongs to the caller and is close-on-exec and blocking; or -1
 * and one of the errnos of socket(2) and connect(2) that the kernel gave the broker for the address
 * that was tried first (reason KERNEL), or
 *	EACCES		the policy does not allow the name, or none of the addresses (reason POLICY)
 *	ENOENT		there is no such host, or it has no address (reason NAMES)
 *	EAGAIN		the name service does not answer now; try again later (reason NAMES)
 *	EINVAL		there is no such service (reason NAMES); or endpoint is not of this form, as
 *			without a host or with "*" (reason LOCAL)
 *	EIO, or another	the name service has failed (reason NAMES)
 *	EFAULT		endpoint is NULL (reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_dial(struct fdbroker *broker, const char *endpoint) FDBROKER_USE_RESULT;

/*
 * Makes a socket for which socket(2) asks for a privilege, or which a sandbox forbids. The
 * arguments are those of socket(2). Served are, with the object of fdbroker.policy(5) that grants
 * each of them:
 *	AF_INET, SOCK_DGRAM, IPPROTO_ICMP	"icmp", for ping. See ping_group_range in icmp(7):
 *						the kernel may refuse the broker too.
 *	AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6	"icmp6", likewise
 *	AF_INET or AF_INET6, SOCK_RAW,		"raw:". Whoever has one can inject any packet.
 *	and a protocol
 *	AF_NETLINK				"netlink:", netlink(7)
 *	AF_VSOCK				"vsock:*:*", vsock(7)
 * TCP, UDP and unix sockets need no privilege, whatever the policy: TCP and UDP ones are given only
 * bound or connected, by fdbroker_listen() and fdbroker_dial().
 *
 * type: with SOCK_NONBLOCK or SOCK_CLOEXEC if wanted. The descriptor always arrives close-on-exec,
 * and without SOCK_CLOEXEC the flag is cleared afterwards: see fdbroker_open().
 *
 * The socket lives in the network namespace of the broker.
 *
 * Returns a new descriptor, which belongs to the caller; or -1 and one of the errnos of socket(2)
 * that the kernel gave the broker (reason KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or it is a TCP, UDP or unix
 *			socket (reason SOCKET)
 *	EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EINVAL
 *			such a socket is not served, or does not exist (reason SOCKET)
 *
 * Since: 0.1
 */
int fdbroker_socket(
	struct fdbroker *broker, int domain, int type, int protocol) FDBROKER_USE_RESULT;

/* Flags of fdbroker_tun(). */
#define FDBROKER_TUN_NO_PI 1u    /* packets without struct tun_pi before them (IFF_NO_PI) */
#define FDBROKER_TUN_VNET_HDR 2u /* with struct virtio_net_hdr before them (IFF_VNET_HDR) */
#define FDBROKER_TUN_PERSIST 4u  /* the device stays when the descriptor is closed */
#define FDBROKER_TUN_UP 8u       /* the device is brought up */

/*
 * Opens a tun or tap device, and makes it if it is not there: the network device that a program
 * reads packets from and writes packets to (Documentation/networking/tuntap.rst of the kernel). It
 * lives in the network namespace of the broker; giving it addresses and routes is not this
 * library's affair.
 *
 * device: "tun:" for a device of IP packets or "tap:" for one of Ethernet frames, and a name of up
 * to 15 bytes. Without a name the kernel makes one (TUNGETIFF tells).
 *
 * flags: FDBROKER_TUN_... or 0.
 *
 * Returns a new descriptor, which belongs to the caller and is close-on-exec and blocking; or -1
 * and one of the errnos that the kernel gave the broker for /dev/net/tun and its ioctl(2) (reason
 * KERNEL): EBUSY, if somebody has the device open, and others; or
 *	EACCES		the policy does not allow it (reason POLICY)
 *	EINVAL		device is not of this form, or there is no such flag (reason LOCAL); or the
 *			name has a "%" (reason SOCKET)
 *	EFAULT		device is NULL (reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_tun(
	struct fdbroker *broker, const char *device, unsigned int flags) FDBROKER_USE_RESULT;

/*
 * Sets an option that needs a privilege on the caller's own socket, as setsockopt(2) does, if a
 * rule names it and its value. Served are SO_MARK, SO_PRIORITY, SO_RCVBUFFORCE, SO_SNDBUFFORCE,
 * SO_DEBUG, SO_BINDTODEVICE (level SOL_SOCKET), IP_TRANSPARENT and IPV6_TRANSPARENT; no
 * other one is served.
 *
 * sockfd: a socket, which remains the caller's.
 *
 * value: an int; for SO_BINDTODEVICE the name of an interface, of which up to 15 bytes count, with
 * or without a NUL; of no bytes, it ends the binding.
 *
 * length: of the value in bytes.
 *
 * Returns 0; or -1 and one of the errnos of setsockopt(2) that the kernel gave the broker (reason
 * KERNEL), or
 *	EACCES		the policy does not allow it (reason POLICY); or the socket lives in a
 *			network namespace that is not granted (reason NETNS)
 *	ENOPROTOOPT	the option is not one of these (reason SOCKET)
 *	ENOTSOCK	sockfd is not a socket (reason SOCKET)
 *	EINVAL		length is too short for an int, or negative (reason LOCAL)
 *	EFAULT		value is NULL, and length is not 0 (reason LOCAL)
 *	EBADF, ETOOMANYREFS: as from fdbroker_bind()
 *
 * Since: 0.1
 */
int fdbroker_setsockopt(struct fdbroker *broker, int sockfd, int level, int name, const void *value,
	socklen_t length) FDBROKER_USE_RESULT;

struct addrinfo;

/*
 * Asks for the addresses of a host and the port of a service, as getaddrinfo(3) does, in the
 * broker's name service. What the results are, their order and the flags of hints are libc's, as
 * are those of its extensions: an empty service is port 0, and "*" is the same as NULL.
 *
 * node, service, hints: as for getaddrinfo(3); read only during the call. hints may be NULL, which
 * means AI_V4MAPPED | AI_ADDRCONFIG. At most 128 addresses are given.
 *
 * result: on success the list, the caller's, to be released with fdbroker_freeaddrinfo() and never
 * with freeaddrinfo(3). Otherwise it is left alone.
 *
 * The caller has its turn on the connection until the answer is there: some 15 seconds at most.
 *
 * Returns 0, or one of the codes of getaddrinfo(3), for gai_strerror(3):
 *	EAI_SYSTEM	and sets errno: EACCES if the policy does not allow it (reason POLICY);
 *			EFAULT if result is NULL (reason LOCAL); what stands at ERRORS above; or
 *			what the name service ran into (reason NAMES)
 *	EAI_AGAIN	the name service does not answer now (reason NAMES)
 *	EAI_NONAME	there is no such host (reason NAMES); node and service are both NULL, or
 *			node is empty or longer than 253 bytes (reason LOCAL)
 *	EAI_SERVICE	there is no such service (reason NAMES); service is longer than 63 bytes
 *			(reason LOCAL)
 *	EAI_MEMORY	out of memory: here (reason LOCAL), or there (reason NAMES)
 *	EAI_BADFLAGS, EAI_FAMILY, EAI_SOCKTYPE, EAI_NODATA, EAI_FAIL and others (reason NAMES)
 * fdbroker_last_reason() is NONE after success. Unless it returns EAI_SYSTEM, errno is unspecified.
 *
 * Since: 0.1
 */
int fdbroker_getaddrinfo(struct fdbroker *broker, const char *node, const char *service,
	const struct addrinfo *hints, struct addrinfo **result) FDBROKER_USE_RESULT;

/*
 * Releases what fdbroker_getaddrinfo() gave: the list from this entry on. NULL is allowed. errno
 * and the reason are left alone.
 *
 * Since: 0.1
 */
void fdbroker_freeaddrinfo(struct addrinfo *result);

/*
 * Asks for the name of an address and of a port, as getnameinfo(3) does, in the broker's name
 * service.
 *
 * address: a struct sockaddr_in or sockaddr_in6 of address_length bytes.
 *
 * host, service: where the names go, with a NUL, if they fit into host_size and service_size bytes;
 * NULL or a size of 0: that one is not wanted. On failure what is there is unspecified.
 *
 * flags: NI_... of getnameinfo(3).
 *
 * Returns 0, or one of the codes of getnameinfo(3):
 *	EAI_SYSTEM	and sets errno: EACCES if the policy does not allow it (reason POLICY); what
 *			stands at ERRORS above; or what the name service ran into (reason NAMES)
 *	EAI_FAMILY	address is NULL, of another family, or too short (reason LOCAL)
 *	EAI_NONAME	neither is wanted (reason LOCAL); NI_NAMEREQD is given, and there is no name
 *			(reason NAMES)
 *	EAI_OVERFLOW	one does not fit (reason LOCAL)
 *	EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL and others (reason NAMES)
 *
 * Since: 0.1
 */
int fdbroker_getnameinfo(struct fdbroker *broker, const struct sockaddr *address,
	socklen_t address_length, char *host, socklen_t host_size, char *service,
	socklen_t service_size, int flags) FDBROKER_USE_RESULT;

/*
 * Asks for the number of a protocol, as getprotobyname(3) does, in the broker's name service: 6 for
 * "tcp".
 *
 * Returns the number, 0 or more; or -1 and
 *	EACCES		the policy does not allow it (reason POLICY)
 *	ENOENT		there is no such protocol (reason NAMES); name is empty or longer than 63
 *			bytes (reason LOCAL)
 *	EAGAIN		the name service does not answer now (reason NAMES)
 *	ENOMEM, EIO, or another	the name service has failed (reason NAMES)
 *	EFAULT		name is NULL (reason LOCAL)
 *
 * Since: 0.1
 */
int fdbroker_getprotobyname(struct fdbroker *broker, const char *name) FDBROKER_USE_RESULT;

/*
 * Why the last call of this thread failed, of those that can: FDBROKER_REASON_NONE if it succeeded
 * or if there was none. fdbroker_fd(), fdbroker_free(), fdbroker_strreason() and this function do
 * not change it.
 *
 * Since: 0.1
 */
enum fdbroker_reason fdbroker_last_reason(void);

/*
 * A reason in words: one of a few names, a colon, and a sentence without a full stop, as in
 * "kernel: the policy allows it; the errno is the kernel's". Never NULL, also for a reason that
 * this version of the library does not know; static, never to be freed.
 *
 * Since: 0.1
 */
const char *fdbroker_strreason(enum fdbroker_reason reason);

/* Flags of fdbroker_sandbox(): what remains possible beside what the broker does. */
#define FDBROKER_SANDBOX_SOCKETS 1u  /* unix and IP sockets of one's own, and connecting them */
#define FDBROKER_SANDBOX_PROGRAMS 2u /* the system's programs, and the files that these need */

/*
 * Leaves this process nothing but what it has open, and the broker: for good, and for all children
 * that it will have. Connect before (SANDBOXES above). It is in libfdbroker-sandbox, which needs
 * libseccomp: link with `pkg-config --libs fdbroker-sandbox`.
 *
 * What is given up, in this order. Before it returns 0 it has looked whether the process is not
 * dumpable, has no capability and has no_new_privs, and tried whether a folder can still be opened
 * (before the filter, so that it is Landlock that forbids it) and whether the filter refuses. For
 * the rest it takes the kernel's word: signals, the network, the bounding set.
 *	dumping		no core file; others of the user cannot trace the process or read its
 *			memory (PR_SET_DUMPABLE; execve(2) undoes it)
 *	capabilities	all of them: ambient, bounding (where there is CAP_SETPCAP), effective,
 *			permitted and inheritable set
 *	no_new_privs	programs get no privileges from set-user-ID bits and the like: prctl(2)
 *	Landlock	every access to files by path that landlock(7) knows; TCP bind (Linux 6.7);
 *			signals, and abstract unix sockets, to processes outside (Linux 6.12)
 *	seccomp		with EPERM: open, openat, openat2, creat, execve, execveat; socket,
 *			socketpair, connect, MSG_FASTOPEN, bind; name_to_handle_at, open_by_handle_at,
 *			open_tree, uselib, pidfd_getfd; truncate, and chmod, chown, utime, setxattr,
 *			removexattr and their like by path; inotify_add_watch, fanotify_init and
 *			fanotify_mark; mq_open, mq_unlink, and shared memory, semaphores and queues
 *			of System V; io_uring; ptrace, process_vm_readv and process_vm_writev,
 *			process_madvise, kcmp, and prlimit that sets a limit of a process by its pid;
 *			mount, umount, move_mount, fsopen and the rest of its family, pivot_root,
 *			chroot; unshare, setns, clone(2) with a new namespace; bpf, perf_event_open,
 *			userfaultfd, keys, modules, kexec; TIOCSTI and TIOCLINUX of ioctl(2).
 *			With ENOSYS: clone3, for which libc takes clone.
 *			System calls of another architecture (int 0x80, x32) end the process.
 *
 * flags: 0, or
 *	FDBROKER_SANDBOX_SOCKETS	socket (AF_UNIX, AF_INET, AF_INET6), socketpair, connect and
 *			MSG_FASTOPEN stay; bind does not, and the protocols SCTP, DCCP, SMC and MPTCP
 *			do not (EPROTONOSUPPORT): Landlock does not know their ports. Who can connect
 *			to a unix socket can have done whatever its server does for this user: a
 *			service manager, a container engine and an agent do much. Where Landlock does
 *			not know scopes that is true of abstract ones too.
 *	FDBROKER_SANDBOX_PROGRAMS	open, openat, openat2, creat, execve and execveat stay, for
 *			which Landlock leaves reading and executing in /usr, /bin, /sbin, /lib*, /etc
 *			and /opt, reading /proc and what /sys says of processors and memory, the files
 *			that /etc/resolv.conf and /etc/localtime are now, and reading and writing
 *			/dev/null, zero, full, random, urandom and tty: of terminals its own alone, so
 *			none can be made (/dev/ptmx, /dev/pts) but before. Programs run in this
 *			sandbox. What this user may read there, it may still read.
 *
 * It is not covered, and remains as it was:
 *	what is open: descriptors, mappings, directories (openat(2) below one is forbidden all the
 *			same), connections that were inherited, and what their other ends do for one;
 *			close before what is not needed
 *	sending: sendto(2) and sendmsg(2) with an address on a datagram socket that is there already;
 *			listen(2) and sending on an unbound one, which bind it to an ephemeral port
 *			(ip_local_port_range of ip(7)), among which the process can choose
 *			(IP_LOCAL_PORT_RANGE, Linux 6.3); UDP and other sockets know no Landlock
 *	looking: stat(2), access(2), readlink(2), getxattr(2), statfs(2) and chdir(2) tell what there
 *			is, but no contents; readlink(2) is what the library itself needs in /proc/self;
 *			O_PATH, with FDBROKER_SANDBOX_PROGRAMS
 *	signals, and with FDBROKER_SANDBOX_SOCKETS abstract unix sockets, before Linux 6.12: to
 *			whatever process of the user; priorities and processors of these, on any
 *			kernel (setpriority(2), ioprio_set(2), sched_setaffinity(2))
 *	the user: files that the broker opens, and signals, are still of the user and the groups that
 *			the process runs as; drop root before (setresuid(2))
 *	a terminal that is open: what is written to it, and all other commands of ioctl(2)
 *	time, memory and processors: what the process uses up, and what can be learned from that
 *	the policy: narrow the connection, fdbroker_limit()
 *
 * A child that was made before is outside: it gets no signal from here any more, nor the one of
 * PR_SET_PDEATHSIG (prctl(2)) when this process ends.
 *
 * After it nothing is loaded any more (dlopen(3), the name service, locales, time zones), unless it
 * is there already. So set up first: locale, time zone, logging, random numbers from a file. A
 * program that meets hostile data does well to add a filter of its own that lists what it needs:
 * seccomp(2) is allowed. Calling it again can only take away more; Landlock allows 16 times.
 *
 * THREADS AND FORK. The process must have one thread: what is given up here, each thread would have
 * for itself. And it must not share its memory with another process, as after vfork(2). Threads that
 * are made later are in the sandbox, as children are. It is not safe in a signal handler. It waits
 * for up to a tenth of a second for a thread that has been joined to be gone.
 *
 * Returns 0 when it has entered all of it; or -1, with the reason of the last call left alone, and
 *	EINVAL		there is no such flag
 *	EBUSY		the process has several threads, or shares its memory; or that cannot be
 *			found out, as unshare(2) is forbidden and there is no /proc. Where unshare(2)
 *			is forbidden, as in many containers, threads are noticed, but not that
 *			another process shares the memory
 *	ENOSYS, EOPNOTSUPP
 *			this kernel has no Landlock, or it is turned off: landlock(7)
 *	ENOMEM, EMFILE, ENFILE
 *			there is no memory, or no room for a descriptor
 *	ENOTRECOVERABLE	something could not be given up, such as where a filter forbids it, Landlock
 *			was entered too many times or the kernel has no seccomp filters; or what
 *			should fail does not
 * After ENOTRECOVERABLE the process may have lost a part, and the sandbox is not there: the process
 * should end. After any other errno it is as it was.
 *
 * Since: 0.1
 */
int fdbroker_sandbox(unsigned int flags) FDBROKER_USE_RESULT;

#undef FDBROKER_USE_RESULT

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
