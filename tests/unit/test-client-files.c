/* SPDX-License-Identifier: MIT */
/*
 * Promises of libfdbroker about what is done to paths, about copies, limits and clones: against a
 * broker that is a child process of the test. Every test ends with as many descriptors and children
 * as it began with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-broker.h"
#include <arpa/inet.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* ---- the broker's part ---- */

/* What it answers, which is set before it starts. */
static struct {
	struct fdbroker_result result;
	unsigned char data[FDBROKER_DATA_MAX];
	size_t data_length;
	int (*make_descriptor)(void); /* NULL: none */
} answer;

/* What arrives at [0] is what was asked: a byte that tells whether a descriptor came, the packet. */
static int told[2];

static void tell(const struct asked *asked)
{
	unsigned char message[1 + sizeof(asked->bytes)];
	struct fdbroker_request_header header;

	memcpy(&header, asked->bytes + sizeof(struct fdbroker_header), sizeof(header));
	message[0] = asked->descriptor != -1;
	memcpy(message + 1, asked->bytes, sizeof(asked->bytes));
	send(told[1], message, 1 + sizeof(struct fdbroker_header) + header.size, MSG_NOSIGNAL);
}

static void give_answer(int fd, uint32_t id)
{
	struct fdbroker_result result = answer.result;

	result.id = id;
	if (answer.make_descriptor != NULL) {
		int file = answer.make_descriptor();

		result.has_descriptor = 1;
		reply(fd, &result, 1, &file, 1);
		return;
	}
	reply_with_data(fd, result, answer.data, answer.data_length);
}

static void serve_answer(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		tell(&asked);
		if (asked.descriptor != -1)
			close(asked.descriptor);
		give_answer(fd, asked.first_id);
	}
}

/* ---- the client's part ---- */

static struct fdbroker *start(void (*serve)(int fd))
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, told), 0);
	return connect_to(serve);
}

static void stop(struct fdbroker *broker)
{
	disconnect(broker);
	close(told[0]);
	close(told[1]);
	memset(&answer, 0, sizeof(answer));
}

/* What was asked last, and whether it brought a descriptor along. */
static struct asked heard;
static bool heard_descriptor;

static const struct fdbroker_request *hear(void)
{
	unsigned char message[1 + sizeof(heard.bytes)];
	const char *why;
	ssize_t length = recv(told[0], message, sizeof(message), 0);

	assert_true(length > 1);
	heard_descriptor = message[0];
	memcpy(heard.bytes, message + 1, (size_t)length - 1);
	assert_int_equal(fdbroker_packet_decode(heard.bytes, (size_t)length - 1, &heard.first_id,
				 heard.requests, &why),
		1);
	return &heard.requests[0];
}

static void expect_silence(void)
{
	char byte;

	assert_int_equal(recv(told[0], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void expect_text(struct fdbroker_text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.length);
}

/* The bytes of the last packet behind its header, on a little-endian machine. */
static void expect_bytes(const void *bytes, size_t length)
{
	if (htons(1) != 1)
		assert_memory_equal(heard.bytes + sizeof(struct fdbroker_header), bytes, length);
}

static void set_number(int32_t number)
{
	memcpy(answer.data, &number, sizeof(number));
	answer.data_length = sizeof(number);
}

static void set_text(const char *text, size_t length)
{
	const struct fdbroker_text encoded = {text, length};

	answer.data_length = fdbroker_text_encode(answer.data, &encoded);
}

static const struct fdbroker_status some_status = {
	.ino = UINT64_C(0x123456789abc),
	.size = UINT64_C(5) << 32,
	.blocks = 7,
	.dev_major = 259,
	.dev_minor = 70000,
	.rdev_major = 1,
	.rdev_minor = 300,
	.mode = S_IFREG | 0640,
	.nlink = 2,
	.uid = 1000,
	.gid = UINT32_MAX - 1,
	.atime = -1,
	.mtime = INT64_C(1) << 40,
	.ctime = 3,
	.atime_nsec = 999999999,
	.mtime_nsec = 1,
	.ctime_nsec = 0,
	.blksize = 4096,
};

static void set_status(const struct fdbroker_status *status)
{
	memcpy(answer.data, status, sizeof(*status));
	answer.data_length = sizeof(*status);
}

/* ---- what is sent ---- */

/* Every call of one path, by its operation; access and watch with these numbers. */
enum { MODE = R_OK | W_OK, MASK = IN_MODIFY | IN_DONT_FOLLOW };
static struct stat found;
static char link_text[FDBROKER_PATH_MAX + 1];
static int inotify_fd = -1;
#define LSTAT 100 /* beside FDBROKER_STAT */

static int act(struct fdbroker *broker, int operation, const char *path)
{
	switch (operation) {
	case FDBROKER_STAT:
		return fdbroker_stat(broker, path, &found);
	case LSTAT:
		return fdbroker_lstat(broker, path, &found);
	case FDBROKER_ACCESS:
		return fdbroker_access(broker, path, MODE);
	case FDBROKER_READLINK:
		return (int)fdbroker_readlink(broker, path, link_text, sizeof(link_text));
	case FDBROKER_MKDIR:
		return fdbroker_mkdir(broker, path, 0700);
	case FDBROKER_UNLINK:
		return fdbroker_unlink(broker, path);
	case FDBROKER_RMDIR:
		return fdbroker_rmdir(broker, path);
	case FDBROKER_RENAME:
		return fdbroker_rename(broker, path, "/new");
	case FDBROKER_LIST:
		return fdbroker_list(broker, path);
	case FDBROKER_WATCH:
		return fdbroker_watch(broker, inotify_fd, path, MASK);
	default:
		fail_msg("no such operation: %d", operation);
		return -1;
	}
}

static const int acts[] = {FDBROKER_STAT, LSTAT, FDBROKER_ACCESS, FDBROKER_READLINK, FDBROKER_MKDIR,
	FDBROKER_UNLINK, FDBROKER_RMDIR, FDBROKER_RENAME, FDBROKER_LIST, FDBROKER_WATCH};

/* Refuses all, so that one answer fits all. */
static struct fdbroker *start_refusing(void)
{
	answer.result = (struct fdbroker_result){.error = EACCES, .reason = FDBROKER_REASON_POLICY};
	inotify_fd = inotify_init1(IN_CLOEXEC);
	return start(serve_answer);
}

static void stop_refusing(struct fdbroker *broker)
{
	close(inotify_fd);
	stop(broker);
}

static const struct fdbroker_request *ask_and_hear(
	struct fdbroker *broker, int operation, const char *path)
{
	expect_failure(act(broker, operation, path), EACCES, FDBROKER_REASON_POLICY);
	return hear();
}

/* On the wire there are 0, 1 or 2 numbers; those that are not sent are read as 0. */
static void every_operation_sends_its_path_and_numbers(void **state)
{
	(void)state;
	static const struct {
		int operation;
		int32_t first, second;
	} table[] = {{FDBROKER_STAT, 0, 0}, {LSTAT, O_NOFOLLOW, 0}, {FDBROKER_ACCESS, 0, MODE},
		{FDBROKER_READLINK, 0, 0}, {FDBROKER_MKDIR, 0, 0}, {FDBROKER_UNLINK, 0, 0},
		{FDBROKER_RMDIR, 0, 0}, {FDBROKER_RENAME, 0, 0}, {FDBROKER_LIST, 0, 0},
		{FDBROKER_WATCH, 0, MASK}};
	struct fdbroker *broker = start_refusing();

	for (size_t i = 0; i < COUNT(table); i++) {
		int operation = table[i].operation;
		const struct fdbroker_request *request = ask_and_hear(broker, operation, "/a//b");

		assert_int_equal(
			request->operation, operation == LSTAT ? FDBROKER_STAT : operation);
		assert_int_equal(request->numbers[0], table[i].first);
		assert_int_equal(request->numbers[1], table[i].second);
		expect_text(request->path, "/a/b");
		expect_text(request->new_path, operation == FDBROKER_RENAME ? "/new" : "");
		assert_int_equal(heard_descriptor,
			operation == FDBROKER_WATCH || operation == FDBROKER_LIST);
	}
	stop_refusing(broker);
}

static void a_rename_is_these_bytes(void **state)
{
	(void)state;
	static const unsigned char bytes[] = "\x14\0\x12\0"
					     "\0\0\0\0"
					     "\3\0\4\0"
					     "/ol/new";
	struct fdbroker *broker = start_refusing();

	expect_failure(fdbroker_rename(broker, "/ol", "/new"), EACCES, FDBROKER_REASON_POLICY);
	hear();
	expect_bytes(bytes, sizeof(bytes));
	stop_refusing(broker);
}

static void a_relative_path_goes_by_the_name_of_the_working_directory(void **state)
{
	(void)state;
	struct fdbroker *broker = start_refusing();
	int before = open(".", O_PATH | O_CLOEXEC);

	assert_int_equal(chdir("/usr"), 0);
	for (size_t i = 0; i < COUNT(acts); i++)
		expect_text(ask_and_hear(broker, acts[i], "a/../b")->path, "/usr/a/../b");
	expect_failure(fdbroker_rename(broker, "/a", "b"), EACCES, FDBROKER_REASON_POLICY);
	expect_text(hear()->new_path, "/usr/b");
	assert_int_equal(fchdir(before), 0);
	close(before);
	stop_refusing(broker);
}

/* And then a link is followed, lstat and IN_DONT_FOLLOW or not. */
static void a_slash_at_the_end_asks_for_a_directory(void **state)
{
	(void)state;
	static const struct {
		int operation;
		int32_t first, second;
	} table[] = {{FDBROKER_STAT, O_DIRECTORY, 0}, {LSTAT, O_DIRECTORY, 0},
		{FDBROKER_ACCESS, O_DIRECTORY, MODE}, {FDBROKER_READLINK, O_DIRECTORY, 0},
		{FDBROKER_MKDIR, 0, 0}, {FDBROKER_UNLINK, O_DIRECTORY, 0}, {FDBROKER_RMDIR, 0, 0},
		{FDBROKER_RENAME, O_DIRECTORY, 0}, {FDBROKER_LIST, 0, 0},
		{FDBROKER_WATCH, O_DIRECTORY, IN_MODIFY}};
	struct fdbroker *broker = start_refusing();

	for (size_t i = 0; i < COUNT(table); i++) {
		const struct fdbroker_request *request =
			ask_and_hear(broker, table[i].operation, "/a/b//");

		assert_int_equal(request->numbers[0], table[i].first);
		assert_int_equal(request->numbers[1], table[i].second);
		expect_text(request->path, "/a/b");
	}
	assert_int_equal(ask_and_hear(broker, LSTAT, "/a/.")->find.flags, O_DIRECTORY);
	assert_int_equal(ask_and_hear(broker, LSTAT, "/")->find.flags, O_DIRECTORY);
	expect_failure(fdbroker_rename(broker, "/a", "/b/"), EACCES, FDBROKER_REASON_POLICY);
	assert_int_equal(hear()->find.flags, O_DIRECTORY);
	stop_refusing(broker);
}

/* ---- what is not sent ---- */

/* The same of the kernel. None of these paths can be made, removed or renamed. */
static int act_directly(int operation, const char *path)
{
	char new_path[64]; /* of the same mount, or that is what it says first */
	int result = -1;

	snprintf(new_path, sizeof(new_path), "%s/fdbroker-test-renamed", path);
	if (operation == FDBROKER_MKDIR)
		result = mkdir(path, 0700);
	else if (operation == FDBROKER_UNLINK)
		result = unlink(path);
	else if (operation == FDBROKER_RMDIR)
		result = rmdir(path);
	else
		result = rename(path, new_path);
	assert_int_equal(result, -1);
	return errno;
}

static void a_last_component_that_is_no_name_fails_as_by_the_kernel(void **state)
{
	(void)state;
	static const int operations[] = {
		FDBROKER_MKDIR, FDBROKER_UNLINK, FDBROKER_RMDIR, FDBROKER_RENAME};
	static const char *const paths[] = {"/", "//", "/.", "/./", "/tmp/.", "/tmp/.//", "."};
	struct fdbroker *broker = start_refusing();

	for (size_t i = 0; i < COUNT(operations); i++) {
		for (size_t k = 0; k < COUNT(paths); k++)
			expect_failure(act(broker, operations[i], paths[k]),
				act_directly(operations[i], paths[k]), FDBROKER_REASON_LOCAL);
	}
	expect_failure(fdbroker_rename(broker, "/a", "/b/."), EBUSY, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_rename(broker, "/a", "/"), EBUSY, FDBROKER_REASON_LOCAL);
	expect_silence();
	stop_refusing(broker);
}

static void a_bad_path_is_refused_by_every_operation(void **state)
{
	(void)state;
	struct fdbroker *broker = start_refusing();
	static char path[FDBROKER_PATH_MAX + 2];
	const char *volatile no_path = NULL;

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	for (size_t i = 0; i < COUNT(acts); i++) {
		expect_failure(act(broker, acts[i], no_path), EFAULT, FDBROKER_REASON_LOCAL);
		expect_failure(act(NULL, acts[i], "/a"), EFAULT, FDBROKER_REASON_LOCAL);
		expect_failure(act(broker, acts[i], ""), ENOENT, FDBROKER_REASON_LOCAL);
		expect_failure(act(broker, acts[i], path), ENAMETOOLONG, FDBROKER_REASON_LOCAL);
	}
	expect_failure(fdbroker_rename(broker, "/a", no_path), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_rename(broker, "/a", ""), ENOENT, FDBROKER_REASON_LOCAL);
	expect_silence();
	path[FDBROKER_PATH_MAX] = '\0';
	for (size_t i = 0; i < COUNT(acts); i++)
		expect_text(ask_and_hear(broker, acts[i], path)->path, path);
	stop_refusing(broker);
}

static void a_bad_place_for_the_result_is_refused(void **state)
{
	(void)state;
	struct fdbroker *broker = start_refusing();
	struct stat *volatile no_status = NULL;
	char *volatile no_text = NULL;

	expect_failure(fdbroker_stat(broker, "/a", no_status), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_lstat(broker, "/a", no_status), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(
		(int)fdbroker_readlink(broker, "/a", no_text, 1), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(
		(int)fdbroker_readlink(broker, "/a", link_text, 0), EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_watch(broker, -1, "/a", IN_MODIFY), EBADF, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_watch(broker, 999, "/a", IN_MODIFY), EBADF, FDBROKER_REASON_LOCAL);
	expect_silence();
	stop_refusing(broker);
}

/* ---- what comes back ---- */

static void success_without_a_result_is_zero(void **state)
{
	(void)state;
	static const int operations[] = {
		FDBROKER_ACCESS, FDBROKER_MKDIR, FDBROKER_UNLINK, FDBROKER_RMDIR, FDBROKER_RENAME};
	struct fdbroker *broker = start(serve_answer);

	for (size_t i = 0; i < COUNT(operations); i++) {
		assert_int_equal(act(broker, operations[i], "/a"), 0);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
		hear();
	}
	stop(broker);
}

static void every_errno_and_reason_is_passed_on(void **state)
{
	(void)state;
	static const struct {
		int error;
		enum fdbroker_reason reason;
	} table[] = {{ENOENT, FDBROKER_REASON_KERNEL}, {EROFS, FDBROKER_REASON_KERNEL},
		{EINVAL, FDBROKER_REASON_FLAGS}, {EACCES, FDBROKER_REASON_NARROWED},
		{EOPNOTSUPP, FDBROKER_REASON_COPY}, {EOWNERDEAD, FDBROKER_REASON_UNKNOWN}};

	for (size_t i = 0; i < COUNT(table); i++) {
		answer.result = (struct fdbroker_result){
			.error = table[i].error, .reason = (uint8_t)table[i].reason};
		inotify_fd = inotify_init1(IN_CLOEXEC);
		struct fdbroker *broker = start(serve_answer);
		for (size_t k = 0; k < COUNT(acts); k++)
			expect_failure(act(broker, acts[k], "/a"), table[i].error, table[i].reason);
		stop_refusing(broker);
	}
}

static void a_status_arrives_as_struct_stat(void **state)
{
	(void)state;
	set_status(&some_status);
	struct fdbroker *broker = start(serve_answer);

	memset(&found, 0xff, sizeof(found));
	assert_int_equal(fdbroker_stat(broker, "/a", &found), 0);
	assert_int_equal(found.st_ino, some_status.ino);
	assert_int_equal(found.st_size, some_status.size);
	assert_int_equal(found.st_blocks, some_status.blocks);
	assert_int_equal(found.st_dev, makedev(259, 70000));
	assert_int_equal(found.st_rdev, makedev(1, 300));
	assert_int_equal(found.st_mode, some_status.mode);
	assert_int_equal(found.st_nlink, 2);
	assert_int_equal(found.st_uid, 1000);
	assert_int_equal(found.st_gid, UINT32_MAX - 1);
	assert_int_equal(found.st_blksize, 4096);
	assert_int_equal(found.st_atim.tv_sec, -1);
	assert_int_equal(found.st_atim.tv_nsec, 999999999);
	assert_int_equal(found.st_mtim.tv_sec, some_status.mtime);
	assert_int_equal(found.st_mtim.tv_nsec, 1);
	assert_int_equal(found.st_ctim.tv_sec, 3);
	assert_int_equal(found.st_ctim.tv_nsec, 0);
	stop(broker);
}

static void what_fails_leaves_the_result_alone(void **state)
{
	(void)state;
	struct fdbroker *broker = start_refusing();
	struct stat before;

	memset(&found, 0xa5, sizeof(found));
	memset(link_text, 0xa5, sizeof(link_text));
	before = found;
	ask_and_hear(broker, FDBROKER_STAT, "/a");
	ask_and_hear(broker, FDBROKER_READLINK, "/a");
	assert_memory_equal(&found, &before, sizeof(found));
	assert_memory_equal(link_text, &before, 1);
	stop_refusing(broker);
}

static void a_link_is_cut_to_the_room_for_it(void **state)
{
	(void)state;
	set_text("target", 6);
	struct fdbroker *broker = start(serve_answer);

	for (size_t size = 1; size <= 8; size++) {
		memset(link_text, '!', sizeof(link_text));
		assert_int_equal(
			fdbroker_readlink(broker, "/a", link_text, size), size < 6 ? size : 6);
		assert_memory_equal(link_text, "target", size < 6 ? size : 6);
		assert_int_equal(link_text[size < 6 ? size : 6], '!');
	}
	stop(broker);
}

static void a_link_has_4095_bytes_at_most(void **state)
{
	(void)state;
	static char text[FDBROKER_PATH_MAX + 1];

	memset(text, 'x', sizeof(text));
	set_text(text, FDBROKER_PATH_MAX);
	struct fdbroker *broker = start(serve_answer);
	assert_int_equal(act(broker, FDBROKER_READLINK, "/a"), FDBROKER_PATH_MAX);
	assert_memory_equal(link_text, text, FDBROKER_PATH_MAX);
	stop(broker);

	set_text(text, FDBROKER_PATH_MAX + 1);
	broker = start(serve_answer);
	expect_failure(act(broker, FDBROKER_READLINK, "/a"), EPROTO, FDBROKER_REASON_BROKER);
	stop(broker);
}

static int make_empty_file(void)
{
	return memfd_create("names", MFD_CLOEXEC);
}

/* Adds a watch to what came, as the real one does. */
static void serve_watches(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		set_number(
			inotify_add_watch(asked.descriptor, "/tmp", asked.requests[0].watch.mask));
		close(asked.descriptor);
		give_answer(fd, asked.first_id);
	}
}

static void a_watch_is_added_to_the_callers_own_instance(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_watches);
	int fd = inotify_init1(IN_CLOEXEC);
	int number = fdbroker_watch(broker, fd, "/a", IN_DELETE_SELF | IN_ONLYDIR);

	assert_true(number >= 0);
	assert_int_equal(inotify_rm_watch(fd, number), 0);
	close(fd);
	stop(broker);
}

/* ---- a broker that lies ---- */

static void expect_lie_found(int operation)
{
	inotify_fd = inotify_init1(IN_CLOEXEC);
	struct fdbroker *broker = start(serve_answer);
	struct stat before;

	memset(&found, 0xa5, sizeof(found));
	before = found;
	expect_failure(act(broker, operation, "/a"), EPROTO, FDBROKER_REASON_BROKER);
	assert_memory_equal(&found, &before, sizeof(found));
	expect_failure(act(broker, operation, "/a"), ECONNRESET, FDBROKER_REASON_BROKER);
	stop_refusing(broker);
}

static void a_status_that_makes_no_sense_ends_the_connection(void **state)
{
	(void)state;
	struct fdbroker_status lies[8];

	for (size_t i = 0; i < COUNT(lies); i++)
		lies[i] = some_status;
	lies[0].size = UINT64_C(1) << 63;
	lies[1].blocks = UINT64_MAX;
	lies[2].mode = 0640;
	lies[3].mode = 0x10000 | S_IFREG;
	lies[4].atime_nsec = 1000000000;
	lies[5].mtime_nsec = 1000000000;
	lies[6].ctime_nsec = UINT32_MAX;
	for (size_t i = 0; i < COUNT(lies) - 1; i++) {
		set_status(&lies[i]);
		expect_lie_found(FDBROKER_STAT);
		set_status(&lies[i]);
		expect_lie_found(LSTAT);
	}
	set_status(&some_status);
	answer.data_length -= 4;
	expect_lie_found(FDBROKER_STAT);
	set_status(&some_status);
	answer.data_length += 4;
	expect_lie_found(FDBROKER_STAT);
}

static void a_text_or_number_that_makes_no_sense_ends_the_connection(void **state)
{
	(void)state;
	set_text("a\0b", 3);
	expect_lie_found(FDBROKER_READLINK);
	set_text("abcd", 4);
	answer.data_length -= 4;
	expect_lie_found(FDBROKER_READLINK);
	set_number(-1);
	expect_lie_found(FDBROKER_WATCH);
	set_number(1);
	answer.data_length = 8;
	expect_lie_found(FDBROKER_WATCH);
}

static void what_an_operation_does_not_give_ends_the_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++) {
		bool gives_data = acts[i] == FDBROKER_STAT || acts[i] == LSTAT ||
				  acts[i] == FDBROKER_READLINK || acts[i] == FDBROKER_WATCH;

		if (gives_data)
			expect_lie_found(acts[i]); /* nothing comes */
		if (!gives_data) {
			set_number(0);
			expect_lie_found(acts[i]);
		}
		answer.make_descriptor = make_empty_file;
		expect_lie_found(acts[i]);
	}
}

/* ---- limits ---- */

#define LIMIT(verbs, object) (&(const struct fdbroker_limit){verbs, object})

static void limits_are_lines(void **state)
{
	(void)state;
	static const struct fdbroker_limit limits[] = {
		{"read,list", "/srv/my data/**"}, {"bind", "tcp:80"}};
	static const unsigned char bytes[] = "\x14\0\x16\0"
					     "\x0a\0\0\0"
					     "bind tcp:\n\0";
	struct fdbroker *broker = start(serve_answer);

	assert_int_equal(fdbroker_limit(broker, limits, COUNT(limits)), 0);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	const struct fdbroker_request *request = hear();
	assert_int_equal(request->operation, FDBROKER_LIMIT);
	expect_text(request->limits, "read,list /srv/my data/**\nbind tcp:80\n");
	assert_int_equal(fdbroker_limit(broker, LIMIT("bind", "tcp:"), 1), 0);
	hear();
	expect_bytes(bytes, sizeof(bytes));
	stop(broker);
}

static void no_limit_at_all_is_sent_too(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_answer);
	const struct fdbroker_limit *volatile no_limits = NULL;

	assert_int_equal(fdbroker_limit(broker, no_limits, 0), 0);
	assert_int_equal(hear()->limits.length, 0);
	stop(broker);
}

static void what_could_be_read_as_other_limits_is_refused(void **state)
{
	(void)state;
	static const struct fdbroker_limit limits[] = {{NULL, "/a"}, {"read", NULL}, {"", "/a"},
		{"read", ""}, {"read write", "/a"}, {"read,\tlist", "/a"}, {"read ", "/a"},
		{"read\n", "/a"}, {"read", "/a\n"}, {"read", "/a\nwrite /b"}};
	const struct fdbroker_limit *volatile no_limits = NULL;
	struct fdbroker *broker = start(serve_answer);

	for (size_t i = 0; i < COUNT(limits); i++) {
		const struct fdbroker_limit two[] = {{"read", "/good"}, limits[i]};

		expect_failure(
			fdbroker_limit(broker, &limits[i], 1), EINVAL, FDBROKER_REASON_LOCAL);
		expect_failure(fdbroker_limit(broker, two, 2), EINVAL, FDBROKER_REASON_LOCAL);
	}
	expect_failure(fdbroker_limit(broker, no_limits, 1), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_limit(NULL, limits, 0), EFAULT, FDBROKER_REASON_LOCAL);
	expect_silence();
	stop(broker);
}

static void limits_have_4000_bytes_at_most(void **state)
{
	(void)state;
	static char object[FDBROKER_LIMITS_MAX];
	struct fdbroker *broker = start(serve_answer);
	const size_t most = FDBROKER_LIMITS_MAX - strlen("read ") - 1;

	memset(object, 'x', sizeof(object));
	object[most] = '\0';
	assert_int_equal(fdbroker_limit(broker, LIMIT("read", object), 1), 0);
	assert_int_equal(hear()->limits.length, FDBROKER_LIMITS_MAX);
	object[most] = 'x';
	object[most + 1] = '\0';
	expect_failure(
		fdbroker_limit(broker, LIMIT("read", object), 1), E2BIG, FDBROKER_REASON_LOCAL);
	const struct fdbroker_limit two[] = {{"read", object}, {"x", "/a"}};
	object[most - strlen("x /a\n")] = '\0';
	assert_int_equal(fdbroker_limit(broker, two, 2), 0);
	assert_int_equal(hear()->limits.length, FDBROKER_LIMITS_MAX);
	object[most - strlen("x /a\n")] = 'x';
	object[most - strlen("x /a")] = '\0';
	expect_failure(fdbroker_limit(broker, two, 2), E2BIG, FDBROKER_REASON_LOCAL);
	expect_failure(
		fdbroker_limit(broker, LIMIT(object, object), 1), E2BIG, FDBROKER_REASON_LOCAL);
	expect_silence();
	stop(broker);
}

static void limits_that_the_broker_refuses_say_why(void **state)
{
	(void)state;
	answer.result = (struct fdbroker_result){.error = EINVAL, .reason = FDBROKER_REASON_WORDS};
	struct fdbroker *broker = start(serve_answer);

	expect_failure(
		fdbroker_limit(broker, LIMIT("reed", "/a"), 1), EINVAL, FDBROKER_REASON_WORDS);
	stop(broker);
	set_number(0);
	broker = start(serve_answer);
	expect_failure(
		fdbroker_limit(broker, LIMIT("read", "/a"), 1), EPROTO, FDBROKER_REASON_BROKER);
	stop(broker);
}

/* ---- clones ---- */

/* Serves the clone to its end, and then the first one again. */
static void serve_clones(int fd)
{
	static struct asked asked;
	int ends[2];

	while (ask_next(fd, &asked)) {
		if (asked.requests[0].operation != FDBROKER_CLONE) {
			grant_packet(fd, &asked);
			continue;
		}
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
		reply(fd, &(struct fdbroker_result){.id = asked.first_id, .has_descriptor = 1}, 1,
			&ends[0], 1);
		serve_well(ends[1]);
		close(ends[1]);
	}
}

static void a_clone_is_a_connection_of_its_own(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_clones);

	for (int i = 0; i < 3; i++) {
		struct fdbroker *clone = fdbroker_clone(broker);

		assert_non_null(clone);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
		assert_int_not_equal(fdbroker_fd(clone), fdbroker_fd(broker));
		assert_int_equal(fcntl(fdbroker_fd(clone), F_GETFD), FD_CLOEXEC);
		expect_content(fdbroker_open(clone, "/a", 0), "/a 0");
		fdbroker_free(clone);
		expect_content(fdbroker_open(broker, "/b", 0), "/b 0");
	}
	disconnect(broker);
}

static void a_clone_can_be_adopted_by_its_descriptor(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_clones);
	struct fdbroker *clone = fdbroker_clone(broker);

	assert_non_null(clone);
	int fd = fcntl(fdbroker_fd(clone), F_DUPFD_CLOEXEC, 0);
	fdbroker_free(clone);
	clone = fdbroker_from_fd(fd);
	assert_non_null(clone);
	expect_content(fdbroker_open(clone, "/a", 0), "/a 0");
	fdbroker_free(clone);
	disconnect(broker);
}

static void a_clone_that_is_refused_is_none(void **state)
{
	(void)state;
	answer.result = (struct fdbroker_result){.error = EAGAIN, .reason = FDBROKER_REASON_LIMIT};
	struct fdbroker *broker = start(serve_answer);

	assert_null(fdbroker_clone(broker));
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LIMIT);
	assert_null(fdbroker_clone(NULL));
	assert_int_equal(errno, EFAULT);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	static const unsigned char bytes[] = {4, 0, 23, 0};
	hear();
	assert_false(heard_descriptor);
	expect_bytes(bytes, sizeof(bytes));
	expect_silence();
	stop(broker);
}

static int make_stream(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	close(ends[1]);
	return ends[0];
}

static int make_unconnected(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static void a_clone_that_is_no_connection_ends_the_first_one(void **state)
{
	(void)state;
	static int (*const makers[])(void) = {make_empty_file, make_stream, make_unconnected, NULL};

	for (size_t i = 0; i < COUNT(makers); i++) {
		answer.make_descriptor = makers[i];
		struct fdbroker *broker = start(serve_answer);
		assert_null(fdbroker_clone(broker));
		assert_int_equal(errno, EPROTO);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_BROKER);
		assert_null(fdbroker_clone(broker));
		assert_int_equal(errno, ECONNRESET);
		stop(broker);
	}
}

/* ---- copies and lists ---- */

/* The library's calls end up here, since it looks for them here first: ld.so(8). */
#define FOR_THE_LIBRARY __attribute__((visibility("default")))

/* What they do is set before. */
static int interruptions; /* so often EINTR first */
static int allocation_error;
static bool allocates_nothing; /* only the size changes: no memory for gigabytes is wanted */
static off_t last_size;
static bool knows_no_noexec_seal;
static unsigned int last_memory_flags;

FOR_THE_LIBRARY int fallocate(int fd, int mode, off_t offset, off_t length)
{
	last_size = length;
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	if (allocation_error != 0) {
		errno = allocation_error;
		return -1;
	}
	if (allocates_nothing)
		return ftruncate(fd, length);
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

FOR_THE_LIBRARY int memfd_create(const char *name, unsigned int flags)
{
	if (knows_no_noexec_seal && flags & 8u) {
		errno = EINVAL;
		return -1;
	}
	last_memory_flags = flags;
	return (int)syscall(SYS_memfd_create, name, flags);
}

static void reset_memory(void)
{
	interruptions = 0;
	allocation_error = 0;
	allocates_nothing = false;
	knows_no_noexec_seal = false;
}

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* Of "/copy/N" there are copies, and lists, of N bytes. Into what came, if it is large enough. */
static void copy(int fd, const struct asked *asked)
{
	static unsigned int became_shorter;
	const struct fdbroker_text *path = &asked->requests[0].path;
	char digits[32] = "";
	struct stat memory;

	snprintf(digits, sizeof(digits), "%.*s", (int)path->length - 6, path->bytes + 6);
	unsigned long long size = strtoull(digits, NULL, 10);
	fstat(asked->descriptor, &memory);
	if ((unsigned long long)memory.st_size < size) {
		deny(fd, asked->first_id, EMSGSIZE, FDBROKER_REASON_COPY);
	} else if (size == 13) {
		deny(fd, asked->first_id, EIO, FDBROKER_REASON_KERNEL);
	} else if (size == 14) {
		deny(fd, asked->first_id, EMSGSIZE, FDBROKER_REASON_KERNEL);
	} else if (size == 17 || (size == 16 && ++became_shorter % 3 != 0)) {
		deny(fd, asked->first_id, EAGAIN, FDBROKER_REASON_COPY);
	} else if (size == 15) {
		deny(fd, asked->first_id, EOPNOTSUPP, FDBROKER_REASON_COPY);
	} else {
		dprintf(asked->descriptor, "%.*s", size < 6 ? (int)size : 6, "copied");
		lseek(asked->descriptor, 0, SEEK_SET);
		if (ftruncate(asked->descriptor, (off_t)size) != 0)
			abort();
		fcntl(asked->descriptor, F_ADD_SEALS, SEALS);
		reply(fd, &(struct fdbroker_result){.id = asked->first_id}, 1, NULL, 0);
	}
	close(asked->descriptor);
}

static bool is_copied(const struct fdbroker_request *request)
{
	return request->path.length > 6 && memcmp(request->path.bytes, "/copy/", 6) == 0;
}

static void serve_copies(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		tell(&asked);
		if (asked.requests[0].operation == FDBROKER_COPY ||
			asked.requests[0].operation == FDBROKER_LIST) {
			copy(fd, &asked);
			continue;
		}
		for (unsigned int i = 0; i < asked.count; i++) {
			if (is_copied(&asked.requests[i]))
				deny(fd, asked.first_id + i, EOPNOTSUPP, FDBROKER_REASON_COPY);
			else if (memcmp(asked.requests[i].path.bytes, "/no", 3) == 0)
				deny(fd, asked.first_id + i, EACCES, FDBROKER_REASON_POLICY);
			else
				grant(fd, asked.first_id + i, &asked.requests[i]);
		}
	}
}

static void expect_copy(int fd, off_t size)
{
	char content[8] = "";
	struct stat memory;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &memory), 0);
	assert_int_equal(memory.st_size, size);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & SEALS, SEALS);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(read(fd, content, 6), size < 6 ? size : 6);
	assert_memory_equal(content, "copied", size < 6 ? (size_t)size : 6);
	close(fd);
}

/* How often the broker is asked, the first time for the file itself. */
static void expect_asked(unsigned int times)
{
	for (unsigned int i = 0; i < times; i++) {
		bool is_first = i == 0;

		assert_int_equal(hear()->operation, is_first ? FDBROKER_OPEN : FDBROKER_COPY);
		assert_int_equal(heard_descriptor, !is_first);
	}
	expect_silence();
}

static void a_file_that_is_handed_out_as_a_copy_is_opened_as_one(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		off_t size;
		unsigned int asked;
	} table[] = {{"/copy/0", 0, 2}, {"/copy/5", 5, 2}, {"/copy/65536", 65536, 2},
		{"/copy/65537", 65537, 3}, {"/copy/262144", 262144, 3}, {"/copy/262145", 262145, 4},
		{"/copy/5000000", 5000000, 6}, {"/copy/16", 16, 4}};
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	for (size_t i = 0; i < COUNT(table); i++) {
		expect_copy(fdbroker_open(broker, table[i].path, O_RDONLY), table[i].size);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
		expect_asked(table[i].asked);
	}
	stop(broker);
}

static void a_list_comes_in_memory_of_the_callers_own(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		off_t size;
		unsigned int asked;
	} table[] = {{"/copy/0", 0, 1}, {"/copy/65536", 65536, 1}, {"/copy/65537", 65537, 2},
		{"/copy/4194304", 4194304, 4}};
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	for (size_t i = 0; i < COUNT(table); i++) {
		int fd = fdbroker_list(broker, table[i].path);

		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		expect_copy(fd, table[i].size);
		for (unsigned int k = 0; k < table[i].asked; k++) {
			assert_int_equal(hear()->operation, FDBROKER_LIST);
			assert_true(heard_descriptor);
		}
		expect_silence();
	}
	stop(broker);
}

static void what_may_be_had_is_asked_for_with_memory_and_nothing_else(void **state)
{
	(void)state;
	struct fdbroker *broker = start_refusing();

	expect_failure(fdbroker_grants(broker), EACCES, FDBROKER_REASON_POLICY);
	const struct fdbroker_request *request = hear();
	assert_int_equal(request->operation, FDBROKER_GRANTS);
	assert_int_equal(request->path.length, 0);
	assert_true(heard_descriptor);
	expect_failure(fdbroker_grants(NULL), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_list(NULL, "/a"), EFAULT, FDBROKER_REASON_LOCAL);
	stop_refusing(broker);
}

static void a_list_that_fails_leaves_no_memory_behind(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	expect_failure(fdbroker_list(broker, "/copy/13"), EIO, FDBROKER_REASON_KERNEL);
	expect_failure(fdbroker_list(broker, "/copy/14"), EMSGSIZE, FDBROKER_REASON_KERNEL);
	hear();
	hear();
	allocation_error = ENOSPC;
	expect_failure(fdbroker_list(broker, "/copy/1"), ENOSPC, FDBROKER_REASON_LOCAL);
	expect_silence();
	reset_memory();
	stop(broker);
}

static void a_copy_is_close_on_exec_as_asked_for(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	int with = fdbroker_open(broker, "/copy/1", O_RDONLY | O_CLOEXEC);
	int without = fdbroker_open(broker, "/copy/1", O_RDONLY);
	assert_int_equal(fcntl(with, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(without, F_GETFD), 0);
	assert_int_equal(last_memory_flags, MFD_CLOEXEC | MFD_ALLOW_SEALING | 8u);
	close(with);
	close(without);
	stop(broker);
}

static void a_copy_takes_those_flags_along_that_matter(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	reset_memory();
	expect_copy(fdbroker_openat(broker, root, "copy/3/",
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
		3);
	assert_int_equal(hear()->operation, FDBROKER_OPEN);
	const struct fdbroker_request *request = hear();
	assert_int_equal(request->operation, FDBROKER_COPY);
	assert_int_equal(request->find.flags, O_DIRECTORY); /* a link there is followed */
	expect_text(request->path, "/copy/3");
	close(root);
	stop(broker);
}

static void only_reading_is_asked_again_for_a_copy(void **state)
{
	(void)state;
	static const int flags[] = {O_RDWR, O_WRONLY, O_WRONLY | O_CREAT};
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	for (size_t i = 0; i < COUNT(flags); i++) {
		expect_failure(fdbroker_open(broker, "/copy/1", flags[i], 0600), EOPNOTSUPP,
			FDBROKER_REASON_COPY);
		expect_asked(1);
	}
	stop(broker);
}

static void a_kernel_without_the_seal_against_execution_is_fine(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	knows_no_noexec_seal = true;
	expect_copy(fdbroker_open(broker, "/copy/10", O_RDONLY), 10);
	assert_int_equal(last_memory_flags, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	knows_no_noexec_seal = false;
	stop(broker);
}

static void an_interrupted_allocation_is_resumed(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	interruptions = 5;
	expect_copy(fdbroker_open(broker, "/copy/10", O_RDONLY), 10);
	assert_int_equal(interruptions, 0);
	stop(broker);
}

static void a_copy_that_there_is_no_memory_for_fails(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	allocation_error = ENOSPC;
	expect_failure(fdbroker_open(broker, "/copy/10", O_RDONLY), ENOSPC, FDBROKER_REASON_LOCAL);
	expect_asked(1);
	allocation_error = 0;
	expect_copy(fdbroker_open(broker, "/copy/10", O_RDONLY), 10);
	stop(broker);
}

static void what_the_broker_says_to_a_copy_is_passed_on(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	expect_failure(fdbroker_open(broker, "/copy/13", O_RDONLY), EIO, FDBROKER_REASON_KERNEL);
	expect_asked(2);
	expect_failure(
		fdbroker_open(broker, "/copy/14", O_RDONLY), EMSGSIZE, FDBROKER_REASON_KERNEL);
	expect_asked(2);
	expect_failure(
		fdbroker_open(broker, "/copy/15", O_RDONLY), EOPNOTSUPP, FDBROKER_REASON_COPY);
	expect_asked(2);
	expect_failure(fdbroker_open(broker, "/copy/17", O_RDONLY), EAGAIN, FDBROKER_REASON_LOCAL);
	expect_asked(5); /* the open, and four copies */
	stop(broker);
}

static void a_copy_has_4_gigabytes_at_most(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);

	reset_memory();
	allocates_nothing = true;
	int fd = fdbroker_open(broker, "/copy/4294967296", O_RDONLY);
	expect_copy(fd, (off_t)1 << 32);
	expect_asked(10);
	expect_failure(
		fdbroker_open(broker, "/copy/4294967297", O_RDONLY), EFBIG, FDBROKER_REASON_LOCAL);
	assert_int_equal(last_size, (off_t)1 << 32);
	reset_memory();
	stop(broker);
}

static void many_files_may_be_copies_in_part(void **state)
{
	(void)state;
	struct fdbroker *broker = start(serve_copies);
	struct fdbroker_open_request files[] = {{.path = "/a"}, {.path = "/copy/100000"},
		{.path = "/no"}, {.path = NULL}, {.path = "/copy/13"},
		{.path = "/copy/2", .flags = O_CLOEXEC}, {.path = "/copy/3", .flags = O_RDWR},
		{.path = "/b"}};
	static const int errors[] = {0, 0, EACCES, EFAULT, EIO, 0, EOPNOTSUPP, 0};

	reset_memory();
	assert_int_equal(fdbroker_open_many(broker, files, COUNT(files)), 4);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_POLICY);
	for (size_t i = 0; i < COUNT(files); i++) {
		assert_int_equal(files[i].error, errors[i]);
		if (errors[i] != 0)
			assert_int_equal(files[i].fd, -1);
	}
	assert_int_equal(fcntl(files[1].fd, F_GETFD), 0);
	assert_int_equal(fcntl(files[5].fd, F_GETFD), FD_CLOEXEC);
	expect_content(files[0].fd, "/a 0");
	expect_copy(files[1].fd, 100000);
	expect_copy(files[5].fd, 2);
	expect_content(files[7].fd, "/b 0");
	stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_operation_sends_its_path_and_numbers),
		TEST(a_rename_is_these_bytes),
		TEST(a_relative_path_goes_by_the_name_of_the_working_directory),
		TEST(a_slash_at_the_end_asks_for_a_directory),
		TEST(a_last_component_that_is_no_name_fails_as_by_the_kernel),
		TEST(a_bad_path_is_refused_by_every_operation),
		TEST(a_bad_place_for_the_result_is_refused),
		TEST(success_without_a_result_is_zero),
		TEST(every_errno_and_reason_is_passed_on),
		TEST(a_status_arrives_as_struct_stat),
		TEST(what_fails_leaves_the_result_alone),
		TEST(a_link_is_cut_to_the_room_for_it),
		TEST(a_link_has_4095_bytes_at_most),
		TEST(a_watch_is_added_to_the_callers_own_instance),
		TEST(a_status_that_makes_no_sense_ends_the_connection),
		TEST(a_text_or_number_that_makes_no_sense_ends_the_connection),
		TEST(what_an_operation_does_not_give_ends_the_connection),
		TEST(limits_are_lines),
		TEST(no_limit_at_all_is_sent_too),
		TEST(what_could_be_read_as_other_limits_is_refused),
		TEST(limits_have_4000_bytes_at_most),
		TEST(limits_that_the_broker_refuses_say_why),
		TEST(a_clone_is_a_connection_of_its_own),
		TEST(a_clone_can_be_adopted_by_its_descriptor),
		TEST(a_clone_that_is_refused_is_none),
		TEST(a_clone_that_is_no_connection_ends_the_first_one),
		TEST(a_file_that_is_handed_out_as_a_copy_is_opened_as_one),
		TEST(a_list_comes_in_memory_of_the_callers_own),
		TEST(a_list_that_fails_leaves_no_memory_behind),
		TEST(what_may_be_had_is_asked_for_with_memory_and_nothing_else),
		TEST(a_copy_is_close_on_exec_as_asked_for),
		TEST(a_copy_takes_those_flags_along_that_matter),
		TEST(only_reading_is_asked_again_for_a_copy),
		TEST(a_kernel_without_the_seal_against_execution_is_fine),
		TEST(an_interrupted_allocation_is_resumed),
		TEST(a_copy_that_there_is_no_memory_for_fails),
		TEST(what_the_broker_says_to_a_copy_is_passed_on),
		TEST(a_copy_has_4_gigabytes_at_most),
		TEST(many_files_may_be_copies_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
