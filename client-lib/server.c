/* SPDX-License-Identifier: MIT */
/*
 * Whether the one at the other end of a connection may be the broker, by what the kernel says of
 * it. When in doubt this file must always say no: a program tells the broker which secrets it is
 * about to read, and takes what it is handed for them.
 */
#include "server.h"
#include "fdbroker.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/*
 * 0: it is; else a positive errno. EPERM says that it is not, and so it never says that the user
 * database cannot be read, though that is how a seccomp filter may have forbidden it.
 */
static int check_broker_user(uid_t uid)
{
	struct passwd entry, *found = NULL;
	char strings[4096];
	int error = getpwnam_r(FDBROKER_USER, &entry, strings, sizeof(strings), &found);

	if (error != 0)
		return error != EPERM ? error : EACCES;
	return found != NULL && found->pw_uid == uid ? 0 : EPERM;
}

/* ---- numbers in proc(5) ---- */

/* Adds up each number whose turn it is: the third, the sixth, ... if every is 3. */
struct sum {
	unsigned int every, count;
	uint64_t number, total;
	bool in_number;
};

/* False: this is neither a number nor what stands between two of them. */
static bool sum_take(struct sum *sum, char byte)
{
	if (byte >= '0' && byte <= '9') {
		sum->number = sum->number * 10 + (uint64_t)(byte - '0');
		sum->in_number = true;
		return sum->number <= UINT32_MAX;
	}
	if (sum->in_number && ++sum->count % sum->every == 0)
		sum->total += sum->number;
	sum->number = 0;
	sum->in_number = false;
	return byte == ' ' || byte == '\n';
}

static bool sum_read(struct sum *sum, int fd)
{
	char bytes[512];
	ssize_t length;

	while ((length = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < length; i++) {
			if (!sum_take(sum, bytes[i]))
				return false;
		}
	}
	return length == 0 && !sum->in_number && sum->count % sum->every == 0;
}

static bool sum_of_file(const char *path, unsigned int every, uint64_t *total)
{
	struct sum sum = {.every = every};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool is_sound = sum_read(&sum, fd);
	close(fd);
	*total = sum.total;
	return is_sound;
}

/* ---- user namespaces ---- */

/*
 * Whether uid is what every user is shown as that this user namespace has no uid for, and there are
 * such: user_namespaces(7). The third number of each line of the map is the length of a range, and
 * all ranges together have at most 2^32 - 1 uids: (uid_t)-1 is none.
 */
static bool is_from_outside(uid_t uid)
{
	uint64_t overflow_uid, mapped;

	return sum_of_file("/proc/sys/kernel/overflowuid", 1, &overflow_uid) &&
	       overflow_uid == uid && sum_of_file("/proc/self/uid_map", 3, &mapped) &&
	       mapped < UINT32_MAX;
}

int server_check(int fd)
{
	struct ucred server;
	socklen_t size = sizeof(server);

	/* Who called listen(2), or socketpair(2): SO_PEERCRED in unix(7). */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0)
		return -1;
	if (server.uid == 0 || server.uid == geteuid())
		return 0;
	int error = check_broker_user(server.uid);
	if (error == 0 || is_from_outside(server.uid))
		return 0;
	errno = error;
	return -1;
}
