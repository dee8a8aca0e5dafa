/* SPDX-License-Identifier: MIT */
/*
 * The journal's socket. It is not connected: whoever listens at the address gets the entry, also a
 * journal that was started anew since the last one.
 *
 * Must never: wait, or be given a value with a newline in it. Of the protocol's two ways to write a
 * value this is the one for values without; log.c escapes whatever somebody else chose.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "journal.h"
#include "limits.h"

static struct {
	int fd;
	struct sockaddr_un address;
} journal = {.fd = -1};

/* A socket of its own finds it out: one that was connected would keep to the journal of then. */
static bool somebody_listens(void)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 &&
	       connect(fd, (const struct sockaddr *)&journal.address, sizeof(journal.address)) == 0;
}

bool journal_open(const char *path)
{
	const int bytes = JOURNAL_SEND_BYTES;

	if (strlen(path) >= sizeof(journal.address.sun_path))
		return false;
	if (journal.fd >= 0)
		close(journal.fd);
	journal.fd = -1;
	journal.address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(journal.address.sun_path, path, strlen(path));
	if (!somebody_listens())
		return false;
	journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (journal.fd < 0)
		return false;
	/* Less than that is no reason to do without: an entry that is too long is skipped. */
	(void)setsockopt(journal.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return true;
}

bool journal_write(int priority, const char *message_id, struct journal_text fields,
	struct journal_text message)
{
	char head[128];
	const int length = snprintf(head, sizeof(head),
		"PRIORITY=%d\nSYSLOG_IDENTIFIER=fdbrokerd\n%s%s%sMESSAGE=", priority,
		message_id != NULL ? "MESSAGE_ID=" : "", message_id != NULL ? message_id : "",
		message_id != NULL ? "\n" : "");
	struct iovec parts[] = {
		{(void *)fields.bytes, fields.length},
		{head, (size_t)length},
		{(void *)message.bytes, message.length},
		{(char[]){'\n'}, 1},
	};
	const struct msghdr packet = {
		.msg_name = &journal.address,
		.msg_namelen = sizeof(journal.address),
		.msg_iov = parts,
		.msg_iovlen = sizeof(parts) / sizeof(parts[0]),
	};
	ssize_t n;

	do
		n = sendmsg(journal.fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}
