/* SPDX-License-Identifier: MIT */
/*
 * Promises of libfdbroker, kept against a broker that is a child process of the test and plays a
 * part: most of them a part that the real one never should. Every test ends with as many
 * descriptors and children as it began with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake-broker.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The file of this path and no other. */
static bool opens_its_own(struct fdbroker *broker, const char *path)
{
	char expected[64], content[64] = "";
	int fd = fdbroker_open(broker, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	snprintf(expected, sizeof(expected), "%s 0", path);
	ssize_t length = read(fd, content, sizeof(content) - 1);
	close(fd);
	return length > 0 && strcmp(content, expected) == 0;
}

/* ---- opening ---- */

static void a_file_is_opened(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);

	expect_content(fdbroker_open(broker, "/etc/key", O_RDONLY), "/etc/key 0");
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	disconnect(broker);
}

static void a_denial_is_eacces_with_the_reason_policy(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);

	expect_failure(fdbroker_open(broker, "/no", O_RDONLY), EACCES, FDBROKER_REASON_POLICY);
	disconnect(broker);
}

static void close_on_exec_is_as_asked_for(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	int with = fdbroker_open(broker, "/a", O_RDONLY | O_CLOEXEC);
	int without = fdbroker_open(broker, "/a", O_RDONLY);

	assert_int_equal(fcntl(with, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(without, F_GETFD), 0);
	assert_int_equal(fcntl(fdbroker_fd(broker), F_GETFD), FD_CLOEXEC);
	expect_content(with, "/a 0"); /* the flag is the library's affair, not the broker's */
	close(without);
	disconnect(broker);
}

static void a_path_is_tidied_but_never_resolved(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	static const struct {
		const char *path, *arrives;
	} paths[] = {
		{"//a///b", "/a/b 0"},
		{"/./a/./b", "/a/b 0"},
		{"/a/../b", "/a/../b 0"},
		{"/.a/..b/...", "/.a/..b/... 0"},
		{"/a/..", "/a/.. 0"},
		{"/a/", "/a 200000"}, /* O_DIRECTORY */
		{"/a//", "/a 200000"},
		{"/a/.", "/a 200000"},
		{"/a/./", "/a 200000"},
		{"/", "/ 200000"},
	};

	for (size_t i = 0; i < COUNT(paths); i++)
		expect_content(fdbroker_open(broker, paths[i].path, 0), paths[i].arrives);
	expect_failure(fdbroker_open(broker, "/a/", O_WRONLY | O_CREAT, 0600), EISDIR,
		FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void a_relative_path_goes_by_the_name_of_its_folder(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	int usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int before = open(".", O_PATH | O_CLOEXEC);

	assert_int_equal(chdir("/usr"), 0);
	expect_content(fdbroker_open(broker, "a", 0), "/usr/a 0");
	expect_content(fdbroker_open(broker, ".", 0), "/usr 200000");
	expect_content(fdbroker_openat(broker, AT_FDCWD, "./a/b", 0), "/usr/a/b 0");
	assert_int_equal(chdir("/"), 0);
	expect_content(fdbroker_open(broker, "a", 0), "/a 0");
	expect_content(fdbroker_openat(broker, usr, "a", 0), "/usr/a 0");
	expect_content(fdbroker_openat(broker, root, "a", 0), "/a 0");
	expect_content(fdbroker_openat(broker, -1, "/a", 0), "/a 0");
	assert_int_equal(fchdir(before), 0);
	close(before);
	close(root);
	close(usr);
	disconnect(broker);
}

static void a_folder_without_a_name_is_refused(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	char gone[] = "/tmp/fdbroker-test-XXXXXX";
	int file = memfd_create("file", MFD_CLOEXEC);

	assert_non_null(mkdtemp(gone));
	int folder = open(gone, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmdir(gone), 0);
	expect_failure(fdbroker_openat(broker, folder, "a", 0), ENOENT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_openat(broker, file, "a", 0), ENOTDIR, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_openat(broker, -1, "a", 0), EBADF, FDBROKER_REASON_LOCAL);
	close(file);
	close(folder);
	disconnect(broker);
}

static void a_bad_path_is_refused_as_by_open(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	static char path[FDBROKER_PATH_MAX + 2];
	const char *volatile no_path = NULL;

	expect_failure(fdbroker_open(broker, no_path, 0), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_open(NULL, "/a", 0), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_open(broker, "", 0), ENOENT, FDBROKER_REASON_LOCAL);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	expect_failure(fdbroker_open(broker, path, 0), ENAMETOOLONG, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_open(broker, path + 2, 0), ENAMETOOLONG, FDBROKER_REASON_LOCAL);
	path[FDBROKER_PATH_MAX] = '\0';
	int fd = fdbroker_open(broker, path, 0);
	assert_true(fd >= 0);
	close(fd);
	disconnect(broker);
}

/* ---- many ---- */

#define MANY 200

static void each_of_many_files_has_its_own_outcome(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	static struct fdbroker_open_request files[MANY];
	static char paths[MANY][16], expected[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/%s%d", i % 10 == 7 ? "no" : "", i);
		files[i] = (struct fdbroker_open_request){.path = paths[i], .fd = 99};
	}
	files[5].path = NULL;
	files[100].path = "";
	assert_int_equal(fdbroker_open_many(broker, files, MANY), MANY - MANY / 10 - 2);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	for (int i = 0; i < MANY; i++) {
		if (files[i].error == 0) {
			snprintf(expected, sizeof(expected), "%s 0", paths[i]);
			assert_int_equal(files[i].reason, FDBROKER_REASON_NONE);
			expect_content(files[i].fd, expected);
			continue;
		}
		assert_int_equal(files[i].fd, -1);
		assert_int_equal(files[i].error, i == 5 ? EFAULT : i == 100 ? ENOENT : EACCES);
	}
	disconnect(broker);
}

static void long_paths_are_spread_over_packets(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	static char path[FDBROKER_PATH_MAX + 1];
	struct fdbroker_open_request files[20];

	memset(path, 'x', FDBROKER_PATH_MAX);
	path[0] = '/';
	for (size_t i = 0; i < COUNT(files); i++)
		files[i] = (struct fdbroker_open_request){.path = path};
	assert_int_equal(fdbroker_open_many(broker, files, COUNT(files)), COUNT(files));
	for (size_t i = 0; i < COUNT(files); i++)
		close(files[i].fd);
	disconnect(broker);
}

static void none_of_many_is_none(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	struct fdbroker_open_request *volatile no_files = NULL;

	assert_int_equal(fdbroker_open_many(broker, no_files, 0), 0);
	expect_failure(fdbroker_open_many(broker, no_files, 1), EFAULT, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

/* Serves one packet of 64 and dies. */
static void serve_once(int fd)
{
	static struct asked asked;

	if (ask_next(fd, &asked))
		grant_packet(fd, &asked);
}

static void what_was_opened_before_the_broker_died_is_kept(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_once);
	struct fdbroker_open_request files[100];

	for (size_t i = 0; i < COUNT(files); i++)
		files[i] = (struct fdbroker_open_request){.path = "/a"};
	assert_int_equal(fdbroker_open_many(broker, files, COUNT(files)), 64);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_BROKER);
	for (size_t i = 0; i < COUNT(files); i++) {
		assert_int_equal(files[i].error, i < 64 ? 0 : ECONNRESET);
		if (i < 64)
			close(files[i].fd);
	}
	expect_failure(fdbroker_open_many(broker, files, COUNT(files)), ECONNRESET,
		FDBROKER_REASON_BROKER);
	disconnect(broker);
}

/* ---- a broker that answers strangely ---- */

/* One packet for each result, last first. */
static void serve_backwards(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		for (unsigned int i = asked.count; i-- > 0;)
			grant(fd, asked.first_id + i, &asked.requests[i]);
	}
}

static void results_may_come_in_any_order(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_backwards);
	struct fdbroker_open_request files[] = {{.path = "/a"}, {.path = "/b"}, {.path = "/c"}};

	assert_int_equal(fdbroker_open_many(broker, files, COUNT(files)), 3);
	expect_content(files[0].fd, "/a 0");
	expect_content(files[1].fd, "/b 0");
	expect_content(files[2].fd, "/c 0");
	disconnect(broker);
}

/* Before the answer one to somebody else, after it a second one: as after a worker's crash. */
static void serve_too_much(int fd)
{
	static struct asked asked;
	const struct fdbroker_request wrong = {.operation = FDBROKER_OPEN, .path = {"/wrong", 6}};

	while (ask_next(fd, &asked)) {
		grant(fd, asked.first_id - 1, &wrong);
		grant(fd, asked.first_id + 64, &wrong);
		deny(fd, asked.first_id + 1, EPERM, FDBROKER_REASON_KERNEL);
		grant(fd, asked.first_id, &asked.requests[0]);
		grant(fd, asked.first_id, &wrong);
	}
}

static void answers_that_nobody_waits_for_are_dropped(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_too_much);

	for (int i = 0; i < 10; i++)
		expect_content(fdbroker_open(broker, "/a", 0), "/a 0");
	disconnect(broker);
}

static void serve_nothing(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
}

static void a_dead_broker_is_a_connection_reset(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_nothing);

	for (int i = 0; i < 3; i++)
		expect_failure(fdbroker_open(broker, "/a", 0), ECONNRESET, FDBROKER_REASON_BROKER);
	disconnect(broker);
}

static const struct fdbroker_request nothing = {.operation = FDBROKER_OPEN, .path = {"", 0}};

static void serve_garbage(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	send_with(fd, "garbage", 7, NULL, 0);
	ask_next(fd, &asked);
}

static void serve_garbage_with_descriptors(int fd)
{
	static struct asked asked;
	const int fds[] = {0, 1, 2};

	ask_next(fd, &asked);
	send_with(fd, "garbage", 7, fds, COUNT(fds));
	ask_next(fd, &asked);
}

static void serve_a_request(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	send_with(fd, asked.bytes, 24, NULL, 0);
	ask_next(fd, &asked);
}

static void serve_too_long(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	send_with(fd, asked.bytes, sizeof(asked.bytes), NULL, 0);
	ask_next(fd, &asked);
}

static void serve_success_without_descriptor(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	reply(fd, &(struct fdbroker_result){.id = asked.first_id}, 1, NULL, 0);
	ask_next(fd, &asked);
}

static void serve_broken_promise(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	reply(fd, &(struct fdbroker_result){.id = asked.first_id, .has_descriptor = 1}, 1, NULL, 0);
	ask_next(fd, &asked);
}

static void serve_extra_descriptor(int fd)
{
	static struct asked asked;
	const int fds[] = {make_file(&nothing), make_file(&nothing)};

	ask_next(fd, &asked);
	reply(fd, &(struct fdbroker_result){.id = asked.first_id, .has_descriptor = 1}, 1, fds, 2);
	ask_next(fd, &asked);
}

static void serve_denial_with_descriptor(int fd)
{
	static struct asked asked;
	const int file = make_file(&nothing);

	ask_next(fd, &asked);
	reply(fd, &(struct fdbroker_result){.id = asked.first_id, .error = EACCES, .reason = 2}, 1,
		&file, 1);
	ask_next(fd, &asked);
}

static void a_malformed_reply_ends_the_connection(void **state)
{
	(void)state;
	static void (*const parts[])(int) = {
		serve_garbage,
		serve_garbage_with_descriptors,
		serve_a_request,
		serve_too_long,
		serve_success_without_descriptor,
		serve_broken_promise,
		serve_extra_descriptor,
		serve_denial_with_descriptor,
	};

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct fdbroker *broker = connect_to(parts[i]);

		expect_failure(fdbroker_open(broker, "/a", 0), EPROTO, FDBROKER_REASON_BROKER);
		expect_failure(fdbroker_open(broker, "/a", 0), ECONNRESET, FDBROKER_REASON_BROKER);
		disconnect(broker);
	}
}

static void serve_empty(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	send_with(fd, "", 0, NULL, 0);
	ask_next(fd, &asked);
}

static void a_packet_of_no_bytes_counts_as_the_end(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_empty);

	expect_failure(fdbroker_open(broker, "/a", 0), ECONNRESET, FDBROKER_REASON_BROKER);
	disconnect(broker);
}

/* More descriptors than one reply may have: the kernel cuts them off, MSG_CTRUNC. */
static void serve_65_descriptors(int fd)
{
	static struct asked asked;
	int fds[FDBROKER_REQUESTS_MAX + 1];

	ask_next(fd, &asked);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = make_file(&nothing);
	reply(fd, &(struct fdbroker_result){.id = asked.first_id, .has_descriptor = 1}, 1, fds,
		COUNT(fds));
}

static void descriptors_beyond_64_are_not_kept(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_65_descriptors);

	expect_failure(fdbroker_open(broker, "/a", 0), EMFILE, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

static void a_process_without_room_for_descriptors_gets_emfile(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	struct fdbroker_open_request files[] = {
		{.path = "/a"}, {.path = "/no"}, {.path = "/b"}, {.path = "/c"}};
	struct rlimit limit, tight;
	int next = dup(0);

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t room = 0; room < 3; room++) {
		tight = (struct rlimit){(rlim_t)next + room, limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
		int opened = fdbroker_open_many(broker, files, COUNT(files));
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(opened, 0);
		assert_int_equal(files[0].error, EMFILE);
		assert_int_equal(files[0].reason, FDBROKER_REASON_LOCAL);
		assert_int_equal(files[1].error, EACCES);
		assert_int_equal(files[3].error, EMFILE);
	}
	expect_content(fdbroker_open(broker, "/a", 0), "/a 0");
	disconnect(broker);
}

static void a_non_blocking_connection_works_too(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);

	assert_int_equal(fcntl(fdbroker_fd(broker), F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100; i++)
		expect_content(fdbroker_open(broker, "/a", 0), "/a 0");
	disconnect(broker);
}

static void ignore_signal(int number)
{
	(void)number;
}

static void serve_slowly(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		for (int i = 0; i < 5; i++) {
			kill(getppid(), SIGUSR1);
			usleep(10000);
		}
		grant_packet(fd, &asked);
	}
}

static void a_signal_does_not_interrupt_a_call(void **state)
{
	(void)state;
	struct sigaction handler = {.sa_handler = ignore_signal}, before; /* no SA_RESTART */

	assert_int_equal(sigaction(SIGUSR1, &handler, &before), 0);
	struct fdbroker *broker = connect_to(serve_slowly);
	expect_content(fdbroker_open(broker, "/a", 0), "/a 0");
	disconnect(broker);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static void serve_never(int fd)
{
	static struct asked asked;

	ask_next(fd, &asked);
	ask_next(fd, &asked); /* until the client hangs up */
}

static int connection_fd;

static void end_connection(int number)
{
	(void)number;
	shutdown(connection_fd, SHUT_RDWR);
}

static void a_signal_handler_may_end_the_connection(void **state)
{
	(void)state;
	const struct itimerval soon = {.it_value.tv_usec = 100000};
	struct sigaction handler = {.sa_handler = end_connection, .sa_flags = SA_RESTART}, before;
	struct fdbroker *broker = connect_to(serve_never);

	connection_fd = fdbroker_fd(broker);
	assert_int_equal(sigaction(SIGALRM, &handler, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	expect_failure(fdbroker_dial(broker, "tcp:host:80"), ECONNRESET, FDBROKER_REASON_BROKER);
	expect_failure(fdbroker_open(broker, "/a", 0), ECONNRESET, FDBROKER_REASON_BROKER);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	disconnect(broker);
}

/* ---- threads and processes ---- */

static void *open_often(void *data)
{
	struct fdbroker *broker = data;
	char path[32];

	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/%lx/%d", (unsigned long)pthread_self(), i);
		if (!opens_its_own(broker, path))
			return "failed";
	}
	return NULL;
}

static void threads_share_a_connection(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	pthread_t threads[8];

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_often, broker), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	disconnect(broker);
}

static void *fail_once(void *data)
{
	struct fdbroker *broker = data;
	int fd = fdbroker_open(broker, "/no", 0);

	return fd == -1 && fdbroker_last_reason() == FDBROKER_REASON_POLICY ? NULL : "wrong";
}

static void the_reason_is_each_threads_own(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	pthread_t thread;
	void *failed = NULL;

	close(fdbroker_open(broker, "/a", 0));
	assert_int_equal(pthread_create(&thread, NULL, fail_once, broker), 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_NONE);
	disconnect(broker);
}

/* A child that shares the connection and does its part. */
static pid_t start_sharer(struct fdbroker *broker, void *(*act)(void *))
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(act(broker) == NULL ? 0 : 1);
	return pid;
}

static void expect_success(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void processes_share_a_connection_after_fork(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	pid_t broker_of_ours = broker_pid;
	pthread_t thread;
	pid_t children[4];
	void *failed = NULL;

	/* A thread is in the middle of a call during each fork. */
	assert_int_equal(pthread_create(&thread, NULL, open_often, broker), 0);
	for (size_t i = 0; i < COUNT(children); i++)
		children[i] = start_sharer(broker, open_often);
	assert_null(open_often(broker));
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	for (size_t i = 0; i < COUNT(children); i++)
		expect_success(children[i]);
	broker_pid = broker_of_ours;
	disconnect(broker);
}

static void *open_and_free(void *data)
{
	struct fdbroker *broker = data;
	bool opened = opens_its_own(broker, "/a");

	fdbroker_free(broker);
	return opened ? NULL : "failed";
}

static void freeing_in_a_child_leaves_the_parent_its_connection(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);

	expect_success(start_sharer(broker, open_and_free));
	assert_true(opens_its_own(broker, "/b"));
	disconnect(broker);
}

/* Answers "/hang" only when the next request is there: too late for who asked. */
static void serve_late(int fd)
{
	static struct asked late, asked;
	bool is_late = false;

	while (ask_next(fd, &asked)) {
		if (memcmp(asked.requests[0].path.bytes, "/hang", 5) == 0) {
			late = asked;
			late.requests[0].path.bytes = "/late";
			is_late = true;
			kill(getpid(), SIGSTOP); /* the test sees that the request is here */
			continue;
		}
		if (is_late)
			grant(fd, late.first_id, &late.requests[0]);
		is_late = false;
		grant_packet(fd, &asked);
	}
}

static void *hang(void *data)
{
	return opens_its_own(data, "/hang") ? NULL : "failed";
}

static void a_process_that_dies_in_its_turn_harms_nobody_else(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_late);
	int status;

	for (int i = 0; i < 5; i++) {
		pid_t child = start_sharer(broker, hang);

		assert_int_equal(waitpid(broker_pid, &status, WUNTRACED), broker_pid);
		assert_true(WIFSTOPPED(status));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(kill(broker_pid, SIGCONT), 0);
		assert_true(opens_its_own(broker, "/mine"));
	}
	disconnect(broker);
}

/* ---- sockets ---- */

/* Grants the bind if the descriptor that came is a socket. */
static void serve_binds(int fd)
{
	static struct asked asked;

	while (ask_next(fd, &asked)) {
		const struct fdbroker_endpoint *endpoint = &asked.requests[0].endpoint;
		struct stat sent;

		if (asked.descriptor == -1 || fstat(asked.descriptor, &sent) != 0 ||
			!S_ISSOCK(sent.st_mode))
			deny(fd, asked.first_id, EINVAL, FDBROKER_REASON_SOCKET);
		else if (endpoint->port != 80)
			deny(fd, asked.first_id, EACCES, FDBROKER_REASON_POLICY);
		else
			reply(fd, &(struct fdbroker_result){.id = asked.first_id}, 1, NULL, 0);
		close(asked.descriptor);
	}
}

static void a_socket_is_bound_in_place(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_binds);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int file = memfd_create("file", MFD_CLOEXEC);
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(81)};
	const struct sockaddr *on_80 = (struct sockaddr *)&ipv4;
	const struct sockaddr *on_81 = (struct sockaddr *)&ipv6;

	assert_int_equal(fdbroker_bind(broker, fd, on_80, sizeof(ipv4)), 0);
	expect_failure(
		fdbroker_bind(broker, fd, on_81, sizeof(ipv6)), EACCES, FDBROKER_REASON_POLICY);
	expect_failure(
		fdbroker_bind(broker, file, on_80, sizeof(ipv4)), EINVAL, FDBROKER_REASON_SOCKET);
	close(file);
	close(fd);
	disconnect(broker);
}

static void a_bad_bind_is_refused_as_by_bind(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_binds);
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct sockaddr packet = {.sa_family = AF_PACKET};
	const struct sockaddr *address = (struct sockaddr *)&ipv6;
	const struct sockaddr *volatile no_address = NULL;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	expect_failure(fdbroker_bind(broker, fd, no_address, 28), EFAULT, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_bind(broker, fd, address, 0), EINVAL, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_bind(broker, fd, address, 23), EINVAL, FDBROKER_REASON_LOCAL);
	assert_int_equal(fdbroker_bind(broker, fd, address, 24), 0);
	expect_failure(fdbroker_bind(broker, fd, (struct sockaddr *)&packet, sizeof(packet)),
		EAFNOSUPPORT, FDBROKER_REASON_SOCKET);
	expect_failure(fdbroker_bind(broker, -1, address, 28), EBADF, FDBROKER_REASON_LOCAL);
	expect_failure(fdbroker_bind(broker, 999, address, 28), EBADF, FDBROKER_REASON_LOCAL);
	assert_int_equal(fdbroker_bind(broker, fd, address, 28), 0);
	close(fd);
	disconnect(broker);
}

/* "protocol family port scope last-byte", see make_file(). */
static void an_endpoint_may_be_written_in_these_ways(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	static const struct {
		const char *endpoint, *arrives;
	} endpoints[] = {
		{"tcp:80", "1 0 80 0 0"},
		{"tcp:*:80", "1 0 80 0 0"},
		{"tcp:[::]:80", "1 6 80 0 0"},
		{"tcp:127.0.0.1:443", "1 4 443 0 0"},
		{"tcp:0.0.0.0:0", "1 4 0 0 0"},
		{"udp:[::1]:53", "2 6 53 0 1"},
		{"udp:65535", "2 0 65535 0 0"},
		{"udp:[fe80::1%2]:53", "2 6 53 2 1"},
		{"udp:[fe80::1%4294967295]:53", "2 6 53 4294967295 1"},
	};

	for (size_t i = 0; i < COUNT(endpoints); i++) {
		int fd = fdbroker_listen(broker, endpoints[i].endpoint, 1);

		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		expect_content(fd, endpoints[i].arrives);
	}
	disconnect(broker);
}

static void anything_else_is_no_endpoint(void **state)
{
	(void)state;
	struct fdbroker *broker = connect_to(serve_well);
	const char *volatile no_endpoint = NULL;
	static const char *const endpoints[] = {"", "80", "tcp", "tcp:", "TCP:80", "sctp:80",
		"tcp:http", "tcp:65536", "tcp:-1", "tcp:+1", "tcp: 80", "tcp:80 ", "tcp:0x50",
		"tcp:80,81", "tcp::80", "tcp:*:", "tcp:**:80", "tcp:127.1:80", "tcp:127.0.0.1",
		"tcp:127.0.0.1/8:80", "tcp:256.0.0.1:80", "tcp:localhost:80", "tcp:::1:80",
		"tcp:[::1]", "tcp:[::1]80", "tcp:[::1:80", "tcp:[]:80", "tcp:[127.0.0.1]:80",
		"tcp:[fe80::1%]:80", "tcp:[fe80::1%0]:80", "tcp:[fe80::1%eth0]:80",
		"tcp:[fe80::1%4294967296]:80", "tcp:18446744073709551696",
		"tcp:[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"};

	for (size_t i = 0; i < COUNT(endpoints); i++) {
		if (fdbroker_listen(broker, endpoints[i], 1) != -1)
			fail_msg("an endpoint: '%s'", endpoints[i]);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	}
	expect_failure(fdbroker_listen(broker, no_endpoint, 1), EFAULT, FDBROKER_REASON_LOCAL);
	disconnect(broker);
}

/* ---- connections ---- */

static void only_a_connected_seqpacket_socket_is_adopted(void **state)
{
	(void)state;
	int file = memfd_create("file", MFD_CLOEXEC), pair[2];
	int alone = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int internet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	const struct {
		int fd, error;
	} others[] = {{-1, EBADF}, {999, EBADF}, {file, ENOTSOCK}, {alone, EINVAL},
		{internet, EINVAL}, {pair[0], EINVAL}};
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_null(fdbroker_from_fd(others[i].fd));
		assert_int_equal(errno, others[i].error);
		assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	}
	assert_int_equal(fcntl(alone, F_GETFD), 0); /* untouched */
	close(pair[0]);
	close(pair[1]);
	close(internet);
	close(alone);
	close(file);
}

static char folder[] = "/tmp/fdbroker-test-XXXXXX";
static struct sockaddr_un server_address;

static int make_folder(void **state)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0777), 0);
	server_address.sun_family = AF_UNIX;
	snprintf(server_address.sun_path, sizeof(server_address.sun_path), "%.32s/socket", folder);
	return remember_descriptors(state);
}

static int remove_folder(void **state)
{
	unlink(server_address.sun_path);
	assert_int_equal(rmdir(folder), 0);
	return expect_nothing_left(state);
}

static void listen_and_serve(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&server_address, sizeof(server_address)) == 0 &&
		chmod(server_address.sun_path, 0666) == 0 && listen(fd, 1) == 0)
		serve_well(accept(fd, NULL, NULL));
	_exit(0);
}

static void a_broker_that_is_starting_is_waited_for(void **state)
{
	(void)state;
	broker_pid = fork();
	assert_int_not_equal(broker_pid, -1);
	if (broker_pid == 0) {
		usleep(300000);
		listen_and_serve();
	}
	struct fdbroker *broker = fdbroker_new(server_address.sun_path);
	assert_non_null(broker);
	assert_int_equal(fcntl(fdbroker_fd(broker), F_GETFL) & O_NONBLOCK, 0);
	assert_true(opens_its_own(broker, "/a"));
	disconnect(broker);
}

static void the_environment_names_the_socket(void **state)
{
	(void)state;
	broker_pid = fork();
	assert_int_not_equal(broker_pid, -1);
	if (broker_pid == 0)
		listen_and_serve();
	assert_int_equal(setenv("FDBROKER_SOCKET", server_address.sun_path, 1), 0);
	struct fdbroker *broker = fdbroker_new(NULL);
	assert_int_equal(unsetenv("FDBROKER_SOCKET"), 0);
	assert_non_null(broker);
	assert_true(opens_its_own(broker, "/a"));
	disconnect(broker);
}

static void a_server_of_another_user_is_refused(void **state)
{
	(void)state;
	const uid_t nobody = 65534;

	if (geteuid() != 0)
		skip();
	broker_pid = fork();
	assert_int_not_equal(broker_pid, -1);
	if (broker_pid == 0 && setresuid(nobody, nobody, nobody) == 0)
		listen_and_serve();
	assert_null(fdbroker_new(server_address.sun_path));
	assert_int_equal(errno, EPERM);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
	assert_int_equal(waitpid(broker_pid, NULL, 0), broker_pid);
}

static void a_broker_that_is_not_there_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	int full = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), waiting;

	assert_null(fdbroker_new(server_address.sun_path));
	assert_int_equal(errno, ENOENT);
	/* One that never accepts, its queue full. */
	assert_int_equal(bind(full, (struct sockaddr *)&server_address, sizeof(server_address)), 0);
	assert_int_equal(listen(full, 0), 0);
	waiting = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(
		connect(waiting, (struct sockaddr *)&server_address, sizeof(server_address)), 0);
	assert_null(fdbroker_new(server_address.sun_path));
	assert_int_equal(errno, EAGAIN);
	close(waiting);
	close(full);
}

static void a_socket_path_that_cannot_be_is_refused(void **state)
{
	(void)state;
	char path[109];

	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	assert_null(fdbroker_new(path));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(fdbroker_new(""));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fdbroker_last_reason(), FDBROKER_REASON_LOCAL);
}

static void freeing_nothing_is_fine_and_keeps_errno(void **state)
{
	(void)state;
	errno = EXDEV;
	fdbroker_free(NULL);
	assert_int_equal(errno, EXDEV);
}

static void every_reason_has_words(void **state)
{
	(void)state;
	for (int i = -1; i < 300; i++)
		assert_non_null(fdbroker_strreason((enum fdbroker_reason)i));
	assert_string_equal(fdbroker_strreason(FDBROKER_REASON_POLICY),
		"policy: no rule of the policy allows it, or one denies it, or rules disagree on "
		"it: see the broker's log");
}

#define TEST_IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_opened),
		TEST(a_denial_is_eacces_with_the_reason_policy),
		TEST(close_on_exec_is_as_asked_for),
		TEST(a_path_is_tidied_but_never_resolved),
		TEST(a_relative_path_goes_by_the_name_of_its_folder),
		TEST(a_folder_without_a_name_is_refused),
		TEST(a_bad_path_is_refused_as_by_open),
		TEST(each_of_many_files_has_its_own_outcome),
		TEST(long_paths_are_spread_over_packets),
		TEST(none_of_many_is_none),
		TEST(what_was_opened_before_the_broker_died_is_kept),
		TEST(results_may_come_in_any_order),
		TEST(answers_that_nobody_waits_for_are_dropped),
		TEST(a_dead_broker_is_a_connection_reset),
		TEST(a_malformed_reply_ends_the_connection),
		TEST(a_packet_of_no_bytes_counts_as_the_end),
		TEST(descriptors_beyond_64_are_not_kept),
		TEST(a_process_without_room_for_descriptors_gets_emfile),
		TEST(a_non_blocking_connection_works_too),
		TEST(a_signal_does_not_interrupt_a_call),
		TEST(a_signal_handler_may_end_the_connection),
		TEST(threads_share_a_connection),
		TEST(the_reason_is_each_threads_own),
		TEST(processes_share_a_connection_after_fork),
		TEST(freeing_in_a_child_leaves_the_parent_its_connection),
		TEST(a_process_that_dies_in_its_turn_harms_nobody_else),
		TEST(a_socket_is_bound_in_place),
		TEST(a_bad_bind_is_refused_as_by_bind),
		TEST(an_endpoint_may_be_written_in_these_ways),
		TEST(anything_else_is_no_endpoint),
		TEST(only_a_connected_seqpacket_socket_is_adopted),
		TEST_IN_FOLDER(a_broker_that_is_starting_is_waited_for),
		TEST_IN_FOLDER(the_environment_names_the_socket),
		TEST_IN_FOLDER(a_server_of_another_user_is_refused),
		TEST_IN_FOLDER(a_broker_that_is_not_there_is_not_waited_for_for_ever),
		TEST(a_socket_path_that_cannot_be_is_refused),
		TEST(freeing_nothing_is_fine_and_keeps_errno),
		TEST(every_reason_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
