/* SPDX-License-Identifier: MIT */
/*
 * Delegation: the parent may read much, and gives a child a connection that is good for one file.
 * The child could not connect by itself, and drops everything else it has; so whatever happens to
 * it, that one file is all that can be got out of it.
 *
 *	example-delegate FILE OTHER	the child prints FILE, and is refused OTHER
 *
 *	cc -D_GNU_SOURCE delegate.c -o example-delegate \
 *		$(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow read FILE OTHER
 */
#include <fdbroker.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	err(1, "%s (%s)", what, fdbroker_strreason(fdbroker_last_reason()));
}

static void print(int fd)
{
	char buffer[4096];
	ssize_t length;

	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
	close(fd);
}

/* All that the child does. It has the narrowed connection, and none of the parent's. */
static int work(struct fdbroker *broker, const char *file, const char *other)
{
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");
	int fd = fdbroker_open(broker, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(file);
	print(fd);
	fd = fdbroker_open(broker, other, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		errx(1, "%s: the connection is not narrowed", other);
	printf("%s: %s\n", other, fdbroker_strreason(fdbroker_last_reason()));
	fdbroker_free(broker);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	int status;

	if (argc != 3)
		errx(64, "usage: %s FILE OTHER", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");

	/* The clone has the rights of this process, until it is narrowed: that is for good. */
	struct fdbroker *narrowed = fdbroker_clone(broker);
	if (narrowed == NULL)
		fail("a second connection");
	const struct fdbroker_limit limit = {"read", argv[1]};
	if (fdbroker_limit(narrowed, &limit, 1) != 0)
		fail("limits");

	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		fdbroker_free(broker);
		_exit(work(narrowed, argv[1], argv[2]));
	}
	fdbroker_free(narrowed);
	if (waitpid(child, &status, 0) < 0)
		err(1, "waitpid");
	fdbroker_free(broker);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
