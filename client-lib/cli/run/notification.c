/* SPDX-License-Identifier: MIT */
#include "notification.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool notification_fits(void)
{
	struct seccomp_notif_sizes sizes;

	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	       sizes.seccomp_notif <= sizeof(struct seccomp_notif) &&
	       sizes.seccomp_notif_resp <= sizeof(struct seccomp_notif_resp);
}

bool notification_receive(struct notification *notification, int listener)
{
	/* The kernel refuses anything but zeroes: seccomp_unotify(2). */
	struct seccomp_notif received = {.id = 0};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &received) != 0)
		return false;
	*notification = (struct notification){
		.listener = listener,
		.id = received.id,
		.thread = (pid_t)received.pid,
		.system_call = received.data.nr,
	};
	for (size_t i = 0; i < sizeof(notification->arguments) / sizeof(uint64_t); i++)
		notification->arguments[i] = received.data.args[i];
	return true;
}

bool notification_comes(int listener, int timeout_msec)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};

	return poll(&ready, 1, timeout_msec) == 1;
}

bool notification_is_over(int listener)
{
	struct pollfd ready = {.fd = listener};

	return poll(&ready, 1, 0) == 1;
}

bool notification_is_alive(const struct notification *notification)
{
	uint64_t id = notification->id;

	return ioctl(notification->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* That nobody waits for the answer any more is no failure of ours. */
static void respond(const struct notification *notification, uint32_t flags, int error)
{
	struct seccomp_notif_resp response = {
		.id = notification->id, .flags = flags, .error = -error};

	(void)ioctl(notification->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void notification_continue(const struct notification *notification)
{
	respond(notification, SECCOMP_USER_NOTIF_FLAG_CONTINUE, 0);
}

void notification_return(const struct notification *notification, int error)
{
	respond(notification, 0, error);
}

void notification_return_descriptor(
	const struct notification *notification, int fd, bool is_close_on_exec)
{
	/* One step (Linux 5.14): in two, a caller that dies in between would keep a descriptor that
	   it never learns of. */
	struct seccomp_notif_addfd addition = {
		.id = notification->id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = is_close_on_exec ? O_CLOEXEC : 0,
	};

	if (ioctl(notification->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addition) < 0)
		notification_return(notification, errno);
}
