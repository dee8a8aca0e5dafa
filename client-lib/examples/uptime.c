/* SPDX-License-Identifier: MIT */
/*
 * uptime(1) for servers that may run no programs. A filter of seccomp(2) outlives execve(2), and
 * the dynamic loader of any program opens files first of all: so whoever runs uptime must be able
 * to open files, and a server that clients talk to should not. Hence a helper, forked before there
 * is any connection to the broker. It hears nothing from clients, only two kinds of messages from
 * its server: a descriptor, to let uptime write there; without one, send me the text. It can run
 * programs, but is as far from the network as the server is.
 */
#include "uptime.h"

#include "descriptor.h"

#include <fdbroker.h>

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the helper ---- */

static void send_text(int server)
{
	char text[UPTIME_SIZE];
	FILE *uptime = popen("uptime", "re");
	size_t length = 0;

	if (uptime != NULL)
		length = fread(text, 1, sizeof(text) - 1, uptime);
	if (uptime == NULL || pclose(uptime) != 0 || length == 0)
		errx(1, "uptime(1) failed");
	if (send(server, text, length, MSG_NOSIGNAL) < 0)
		err(1, "to the server");
}

static void run_uptime_onto(int fd)
{
	pid_t child = fork();

	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		dup2(fd, STDOUT_FILENO); /* which is not close-on-exec: dup(2) */
		execlp("uptime", "uptime", (char *)NULL);
		err(1, "uptime");
	}
	close(fd);
	waitpid(child, NULL, 0);
}

static void serve(int server)
{
	int fd;

	while (receive_descriptor(server, &fd)) {
		if (fd >= 0)
			run_uptime_onto(fd);
		else
			send_text(server);
	}
}

/* ---- the server's side ---- */

int start_uptime_helper(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		err(1, "socketpair");
	pid_t child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		close(pair[0]);
		if (fdbroker_sandbox(FDBROKER_SANDBOX_PROGRAMS) != 0)
			err(1, "fdbroker_sandbox");
		serve(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	return pair[0];
}

size_t ask_for_uptime(int helper, char text[static UPTIME_SIZE])
{
	send_descriptor(helper, -1);
	ssize_t length = recv(helper, text, UPTIME_SIZE - 1, 0);
	if (length <= 0)
		errx(1, "the helper has died");
	text[length] = '\0';
	return (size_t)length;
}

void hand_over_to_uptime(int helper, int fd)
{
	send_descriptor(helper, fd);
}
