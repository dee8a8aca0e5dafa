/* SPDX-License-Identifier: MIT */
/*
 * Asks for copies past the library, with whatever the broker may be sent: copies COMMAND...; or,
 * with `copies list COMMAND...`, for lists, and with `copies grants COMMAND...`, where PATH is empty,
 * for what the client may have.
 *
 *	open PATH                opening what a rule hands out as a copy; asking for the others without
 *	                         memory
 *	send WHAT PATH           for a copy into WHAT: prints the errno and the reason, and whether
 *	                         WHAT is what it was: its bytes, its size, its times, its seals
 *	fill ROOM SIZE PATH      into a memfd of SIZE bytes of which ROOM are allocated; prints how
 *	                         long it is then
 *	behind SIZE PATH         likewise of SIZE bytes which are a hole, and has as many behind its end
 *	spoil HOW SECONDS PATH   again and again into a memfd to which another thread does HOW
 *	                         meanwhile; counts what came of it
 *	take HOW SECONDS SIZE PATH   again and again into a memfd of SIZE bytes, all of which another
 *	                         thread takes away once, meanwhile, HOW; counts what came of it, and
 *	                         the bytes that are there nevertheless: who wrote them has allocated
 *	                         them
 *
 * WHAT is a kind of file (see `kinds`), or a path that begins with a slash, opened to read and write.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fdbroker.h"
#include "protocol.h"
#include "words.h"

#define ROOM 65536
static const char was_there[] = "what was there";

static int connection;
static enum fdbroker_operation operation = FDBROKER_COPY;

static void check(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
}

/* ---- past the library ---- */

static int broker_connect(void)
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = "/run/fdbroker/broker.sock"};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	check(fd, "socket");
	check(connect(fd, (const struct sockaddr *)&address, sizeof(address)), "connect");
	return fd;
}

static void packet_send(const struct fdbroker_request *request, int sent)
{
	static unsigned char buffer[FDBROKER_PACKET_MAX];
	struct fdbroker_packet packet;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec data;
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	fdbroker_packet_begin(&packet, buffer, FDBROKER_PACKET_REQUEST, 1);
	if (!fdbroker_packet_add_request(&packet, request))
		errx(1, "cannot build a request");
	data = (struct iovec){packet.bytes, packet.length};
	if (sent >= 0) {
		memcpy(CMSG_DATA(&control.header), &sent, sizeof(sent));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	/* Until the connection is accepted no descriptor can be sent over it: SO_PASSRIGHTS. */
	while (sendmsg(connection, &message, MSG_NOSIGNAL) < 0) {
		if (errno != EPERM)
			err(1, "sendmsg");
		usleep(1000);
	}
}

static struct fdbroker_result ask(enum fdbroker_operation asked, const char *path, int sent)
{
	const struct fdbroker_request request = {.operation = asked, .path = {path, strlen(path)}};
	static unsigned char bytes[FDBROKER_REPLY_MAX];
	struct fdbroker_result results[FDBROKER_REQUESTS_MAX];
	const unsigned char *data;
	ssize_t length;

	packet_send(&request, sent);
	length = recv(connection, bytes, sizeof(bytes), 0);
	if (length <= 0)
		errx(1, "the connection was ended");
	if (fdbroker_reply_decode(bytes, (size_t)length, results, &data) != 1)
		errx(1, "a reply that makes no sense");
	return results[0];
}

static void print_result(const struct fdbroker_result *result)
{
	if (result->error == 0)
		printf("ok");
	else
		printf("%s %s", strerrorname_np(result->error), reason_word(result->reason));
}

/* ---- what can be sent ---- */

static int memory(unsigned int flags, off_t size, off_t room)
{
	int fd = memfd_create("copies", MFD_CLOEXEC | flags);

	if (fd < 0)
		return fd;
	check(ftruncate(fd, size), "ftruncate");
	if (room > 0)
		check(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, room), "fallocate");
	return fd;
}

static int fresh_memory(void)
{
	int fd = memory(MFD_ALLOW_SEALING, ROOM, ROOM);

	check(fd, "memfd_create");
	/* Sealed already, by a thread that knows what number it will have: then as it is. */
	if (pwrite(fd, was_there, sizeof(was_there), 0) < 0 && errno != EPERM)
		err(1, "pwrite");
	return fd;
}

static int reopened(int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fresh_memory());
	return open(path, flags | O_CLOEXEC);
}

static int memory_to_read(void)
{
	return reopened(O_RDONLY);
}

static int memory_by_path(void)
{
	return reopened(O_PATH);
}

static int sealed(int seals)
{
	int fd = fresh_memory();

	check(fcntl(fd, F_ADD_SEALS, seals), "F_ADD_SEALS");
	return fd;
}

static int sealed_against_writing(void)
{
	return sealed(F_SEAL_WRITE);
}

static int sealed_against_shrinking(void)
{
	return sealed(F_SEAL_SHRINK);
}

static int sealed_against_seals(void)
{
	return sealed(F_SEAL_SEAL);
}

static int not_to_be_sealed(void)
{
	return memory(0, ROOM, ROOM);
}

static int huge_memory(void)
{
	return memory(MFD_HUGETLB | MFD_ALLOW_SEALING, 2 << 20, 0);
}

static int temporary_file(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	check(fd, "O_TMPFILE");
	check(fallocate(fd, 0, 0, ROOM), "fallocate");
	return fd;
}

static int end_of_pipe(void)
{
	int ends[2];

	return pipe(ends) < 0 ? -1 : ends[1];
}

static int end_of_sockets(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : ends[1];
}

static int event(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int folder(void)
{
	return open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int own_connection(void)
{
	return dup(connection);
}

static const struct {
	const char *name;
	int (*make)(void);
} kinds[] = {
	{"memory", fresh_memory},
	{"memory-to-read", memory_to_read},
	{"memory-by-path", memory_by_path},
	{"sealed-against-writing", sealed_against_writing},
	{"sealed-against-shrinking", sealed_against_shrinking},
	{"sealed-against-seals", sealed_against_seals},
	{"not-to-be-sealed", not_to_be_sealed},
	{"huge-memory", huge_memory},
	{"temporary-file", temporary_file},
	{"pipe", end_of_pipe},
	{"socket", end_of_sockets},
	{"event", event},
	{"folder", folder},
	{"connection", own_connection},
};

static int thing(const char *name)
{
	if (name[0] == '/')
		return open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].make();
	errx(64, "no such thing: %s", name);
}

/* What can be seen of it. */
struct look {
	struct stat status;
	ssize_t length;
	int seals, waiting;
	char bytes[4096];
};

static void look_at(int fd, struct look *look)
{
	char path[32];
	int again;

	memset(look, 0, sizeof(*look));
	check(fstat(fd, &look->status), "fstat");
	look->seals = fcntl(fd, F_GET_SEALS);
	if (S_ISREG(look->status.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		again = open(path, O_RDONLY | O_CLOEXEC);
		look->length = pread(again, look->bytes, sizeof(look->bytes), 0);
		close(again);
	}
	if (!S_ISREG(look->status.st_mode) && !S_ISDIR(look->status.st_mode))
		(void)ioctl(fd, FIONREAD, &look->waiting);
}

static bool is_same(const struct look *one, const struct look *other)
{
	return one->status.st_size == other->status.st_size &&
	       one->status.st_mtim.tv_nsec == other->status.st_mtim.tv_nsec &&
	       one->status.st_mtim.tv_sec == other->status.st_mtim.tv_sec &&
	       one->length == other->length && one->seals == other->seals &&
	       one->waiting == other->waiting &&
	       memcmp(one->bytes, other->bytes, sizeof(one->bytes)) == 0;
}

/* ---- commands ---- */

static void do_send(const char *what, const char *path)
{
	static struct look before, after;
	struct fdbroker_result result;
	int fd = thing(what);

	if (fd < 0) {
		printf("%s: not here\n", strerrorname_np(errno));
		return;
	}
	look_at(fd, &before);
	result = ask(operation, path, fd);
	look_at(fd, &after);
	print_result(&result);
	printf(" %s\n", is_same(&before, &after) ? "unchanged" : "changed");
}

static void fill(int fd, const char *path)
{
	struct fdbroker_result result = ask(operation, path, fd);
	struct stat status;

	print_result(&result);
	check(fstat(fd, &status), "fstat");
	printf(" %jd\n", (intmax_t)status.st_size);
}

static void do_fill(off_t room, off_t size, const char *path)
{
	fill(memory(MFD_ALLOW_SEALING, size, room), path);
}

static void do_behind(off_t size, const char *path)
{
	int fd = memory(MFD_ALLOW_SEALING, size, 0);

	check(fallocate(fd, FALLOC_FL_KEEP_SIZE, size, size), "fallocate");
	fill(fd, path);
}

/* ---- what a client does to itself ---- */

static atomic_int spoiled = -1;
static atomic_bool is_over;

static void spoil_truncate(int fd)
{
	(void)!ftruncate(fd, 0);
	(void)!ftruncate(fd, ROOM);
}

static void spoil_punch(int fd)
{
	(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, ROOM);
}

static void spoil_write(int fd)
{
	(void)!pwrite(fd, was_there, sizeof(was_there), 0);
}

static void spoil_map(int fd)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map != MAP_FAILED)
		munmap(map, 4096);
}

static void spoil_seal(int fd)
{
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
}

static void spoil_append(int fd)
{
	(void)fcntl(fd, F_SETFL, O_APPEND);
	(void)!write(fd, was_there, sizeof(was_there));
	(void)fcntl(fd, F_SETFL, 0);
}

/* Through a mapping that it keeps for a while. */
static void spoil_remove(int fd)
{
	char *map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return;
	for (int i = 0; i < 20; i++)
		(void)madvise(map, ROOM, MADV_REMOVE);
	munmap(map, ROOM);
}

static const struct {
	const char *name;
	void (*spoil)(int fd);
} ways[] = {
	{"truncate", spoil_truncate},
	{"punch", spoil_punch},
	{"write", spoil_write},
	{"map", spoil_map},
	{"seal", spoil_seal},
	{"append", spoil_append},
	{"remove", spoil_remove},
};

static void *spoiler(void *argument)
{
	void (*spoil)(int fd) = NULL;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argument) == 0)
			spoil = ways[i].spoil;
	if (spoil == NULL)
		errx(64, "no such way: %s", (const char *)argument);
	while (!is_over)
		spoil(spoiled);
	return NULL;
}

static void do_spoil(char *how, time_t seconds, const char *path)
{
	const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	const time_t end = time(NULL) + seconds;
	unsigned long copied = 0, refused = 0, unsealed = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, spoiler, how) != 0)
		errx(1, "no thread");
	while (time(NULL) < end) {
		int fd = fresh_memory();
		struct fdbroker_result result;

		spoiled = fd;
		result = ask(operation, path, fd);
		copied += result.error == 0;
		refused += result.error != 0;
		unsealed += result.error == 0 && (fcntl(fd, F_GET_SEALS) & all) != all;
		spoiled = -1;
		close(fd);
	}
	is_over = true;
	pthread_join(thread, NULL);
	printf("copied=%lu refused=%lu unsealed=%lu\n", copied, refused, unsealed);
}

/* ---- what is the broker's is what is there when all was taken away ---- */

static atomic_bool is_answered;

/* Made anew for each try. */
static struct taking {
	int fd;
	size_t size;
	char *map;      /* to be written to, or NULL */
	long nsec;      /* how long to wait */
	bool has_taken; /* whether it has all been taken away */
} taking;

static bool take_punch(const struct taking *it)
{
	return fallocate(it->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)it->size) ==
	       0;
}

static bool take_truncate(const struct taking *it)
{
	if (ftruncate(it->fd, 0) < 0)
		return false;
	(void)!ftruncate(it->fd, (off_t)it->size);
	return true;
}

static bool take_remove(const struct taking *it)
{
	return madvise(it->map, it->size, MADV_REMOVE) == 0;
}

/* What lies behind the end counts as blocks too: again and again, until that is forbidden. */
static bool take_behind(const struct taking *it)
{
	const off_t size = (off_t)it->size;
	int error = fallocate(it->fd, FALLOC_FL_KEEP_SIZE, size, size);
	bool has_taken = take_punch(it);

	while (error == 0 && !is_answered)
		error = fallocate(it->fd, FALLOC_FL_KEEP_SIZE, size, size);
	return has_taken;
}

static const struct {
	const char *name;
	bool (*take)(const struct taking *it);
} takes[] = {
	{"punch", take_punch},
	{"truncate", take_truncate},
	{"remove", take_remove},
	{"behind", take_behind},
};

static bool (*take)(const struct taking *it);

static long nsec_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *taker(void *argument)
{
	const long at = nsec_now() + taking.nsec;

	(void)argument;
	while (nsec_now() < at)
		;
	taking.has_taken = take(&taking);
	return NULL;
}

/* Pages that hold something: mincore(2) does not count those that are allocated alone. */
static size_t bytes_held(const struct taking *it)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = it->size / page;
	unsigned char *resident = malloc(pages);
	void *map = mmap(NULL, it->size, PROT_READ, MAP_PRIVATE, it->fd, 0);
	size_t held = 0;

	if (map == MAP_FAILED || resident == NULL || mincore(map, it->size, resident) < 0)
		err(1, "mincore");
	for (size_t i = 0; i < pages; i++)
		held += (resident[i] & 1) != 0 ? page : 0;
	munmap(map, it->size);
	free(resident);
	return held;
}

/* Returns the errno. *nsec: how long that has taken. */
static int take_once(const char *path, long *nsec)
{
	const int protection = PROT_READ | PROT_WRITE;
	struct fdbroker_result result;
	pthread_t thread;

	taking.fd = memory(MFD_ALLOW_SEALING, (off_t)taking.size, (off_t)taking.size);
	taking.map = take == take_remove
			     ? mmap(NULL, taking.size, protection, MAP_SHARED, taking.fd, 0)
			     : NULL;
	taking.has_taken = false;
	is_answered = false;
	if (taking.fd < 0 || taking.map == MAP_FAILED)
		err(1, "memory");
	if (pthread_create(&thread, NULL, taker, NULL) != 0)
		errx(1, "no thread");
	*nsec = -nsec_now();
	result = ask(operation, path, taking.fd);
	*nsec += nsec_now();
	is_answered = true;
	pthread_join(thread, NULL);
	return result.error;
}

static void do_take(const char *how, time_t seconds, size_t size, const char *path)
{
	const time_t end = time(NULL) + seconds;
	unsigned long filled = 0, refused = 0, taken = 0;
	size_t held = 0;
	long longest = 1000000, nsec;

	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		if (strcmp(takes[i].name, how) == 0)
			take = takes[i].take;
	if (take == NULL)
		errx(64, "no such way: %s", how);
	taking.size = size;
	while (time(NULL) < end) {
		taking.nsec = random() % longest;
		if (take_once(path, &nsec) == 0) {
			filled++;
			longest = nsec + nsec / 2;
		} else {
			refused++;
		}
		taken += taking.has_taken;
		held += taking.has_taken ? bytes_held(&taking) : 0;
		if (taking.map != NULL)
			munmap(taking.map, size);
		close(taking.fd);
	}
	fprintf(stderr, "filled %lu, refused %lu, taken %lu\n", filled, refused, taken);
	printf("filled=%s taken=%s held=%zu\n", filled > 0 ? "some" : "none",
		taken > 0 ? "some" : "none", held);
}

int main(int argc, char **argv)
{
	struct fdbroker_result result;

	connection = broker_connect();
	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		operation = FDBROKER_LIST;
		argc--;
		argv++;
	}
	if (argc > 1 && strcmp(argv[1], "grants") == 0) {
		operation = FDBROKER_GRANTS;
		argc--;
		argv++;
	}
	if (argc == 3 && strcmp(argv[1], "open") == 0) {
		result = ask(operation == FDBROKER_COPY ? FDBROKER_OPEN : operation, argv[2], -1);
		print_result(&result);
		printf("\n");
	} else if (argc == 4 && strcmp(argv[1], "send") == 0) {
		do_send(argv[2], argv[3]);
	} else if (argc == 5 && strcmp(argv[1], "fill") == 0) {
		do_fill(atoll(argv[2]), atoll(argv[3]), argv[4]);
	} else if (argc == 4 && strcmp(argv[1], "behind") == 0) {
		do_behind(atoll(argv[2]), argv[3]);
	} else if (argc == 5 && strcmp(argv[1], "spoil") == 0) {
		do_spoil(argv[2], atoll(argv[3]), argv[4]);
	} else if (argc == 6 && strcmp(argv[1], "take") == 0) {
		do_take(argv[2], atoll(argv[3]), (size_t)atoll(argv[4]), argv[5]);
	} else {
		errx(64, "usage: copies [list|grants] open|send|fill|behind|spoil|take ...");
	}
	return 0;
}
