/* SPDX-License-Identifier: MIT */
/*
 * Network devices of programs: tun and tap, Documentation/networking/tuntap.rst of the kernel. The
 * device is made in the broker's network namespace, and belongs to uid 0: one without an owner can
 * be attached to by anybody who may open /dev/net/tun, which is everybody on most systems
 * (tun_not_capable() in drivers/net/tun.c).
 *
 * What fails on the way is undone by closing the descriptor, as long as the device is not
 * persistent: so that comes last.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "operation.h"

#define TUN_PATH "/dev/net/tun"
/* Documentation/admin-guide/devices.txt */
#define TUN_MAJOR 10
#define TUN_MINOR 200

#define FLAGS_SERVED                                                                               \
	(FDBROKER_TUN_NO_PI | FDBROKER_TUN_VNET_HDR | FDBROKER_TUN_PERSIST | FDBROKER_TUN_UP)

/* The clone device, where nobody but root could have put another. A descriptor, or a negative
 * errno. */
static int tun_open(const struct server *server)
{
	const struct walk_way way = {.as = WALK_AS_NOBODY};
	struct walk walk;
	enum walk_outcome outcome =
		walk_to(&server->walker, TUN_PATH, strlen(TUN_PATH), &way, &walk);
	int fd = -ENODEV;
	char name[16];

	if (outcome == WALK_MISSING) {
		fd = -ENOENT;
	} else if (outcome == WALK_ERROR) {
		fd = -walk.error;
	} else if (outcome == WALK_FOUND && S_ISCHR(walk.status.stx_mode) &&
		   walk.status.stx_rdev_major == TUN_MAJOR &&
		   walk.status.stx_rdev_minor == TUN_MINOR) {
		snprintf(name, sizeof(name), "%d", walk.object);
		fd = openat(server->self_fd, name, O_RDWR | O_CLOEXEC | O_NOCTTY);
		fd = fd < 0 ? -errno : fd;
	}
	walk_end(&walk);
	return fd;
}

/* 0 or a positive errno. */
static int tun_bring_up(const struct ifreq *device)
{
	/* Every socket knows the ioctls of netdevice(7); this one can do nothing else. */
	_cleanup_close_ int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = *device;

	if (any < 0 || ioctl(any, SIOCGIFFLAGS, &request) < 0)
		return errno;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	return ioctl(any, SIOCSIFFLAGS, &request) < 0 ? errno : 0;
}

/* 0 or a positive errno. */
static int tun_configure(int fd, const struct fdbroker_request *request)
{
	uint32_t flags = request->tun.flags;
	struct ifreq device = {.ifr_flags = 0};

	memcpy(device.ifr_name, request->name.bytes, request->name.length);
	device.ifr_flags = (short)((request->tun.is_tap != 0 ? IFF_TAP : IFF_TUN) |
				   ((flags & FDBROKER_TUN_NO_PI) != 0 ? IFF_NO_PI : 0) |
				   ((flags & FDBROKER_TUN_VNET_HDR) != 0 ? IFF_VNET_HDR : 0));
	if (ioctl(fd, TUNSETIFF, &device) < 0 || ioctl(fd, TUNGETIFF, &device) < 0)
		return errno;
	/* An alternative name (ip-link(8), altname) leads to a device that was not judged. */
	if (request->name.length > 0 &&
		(memcmp(device.ifr_name, request->name.bytes, request->name.length) != 0 ||
			device.ifr_name[request->name.length] != '\0'))
		return EINVAL;
	/* One that is persistent by now was there before, and keeps the owner that it was given. */
	if ((device.ifr_flags & IFF_PERSIST) == 0 && ioctl(fd, TUNSETOWNER, 0UL) < 0)
		return errno;
	if ((flags & FDBROKER_TUN_UP) != 0) {
		int error = tun_bring_up(&device);

		if (error != 0)
			return error;
	}
	if ((flags & FDBROKER_TUN_PERSIST) != 0 && ioctl(fd, TUNSETPERSIST, 1UL) < 0)
		return errno;
	return 0;
}

enum served serve_tun(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	const struct policy_endpoint judged = {
		.kind = request->tun.is_tap != 0 ? POLICY_TAP : POLICY_TUN,
		.name = request->name.bytes,
		.name_length = request->name.length,
	};
	_cleanup_close_ int fd = -1;
	int error;

	(void)received; /* the protocol lets none come along */
	/* The kernel would make a name of "vpn%d", and another one than was judged. */
	if ((request->tun.flags & ~FLAGS_SERVED) != 0 ||
		(request->name.length > 0 &&
			memchr(request->name.bytes, '%', request->name.length) != NULL)) {
		reply_describe(reply, POLICY_SOCKET, &judged);
		return reply_refuse(reply, EINVAL, FDBROKER_REASON_SOCKET);
	}
	if (!reply_decide(server, asker, reply, POLICY_SOCKET, &judged))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	fd = tun_open(server);
	if (fd < 0)
		return reply_kernel(reply, -fd);
	error = tun_configure(fd, request);
	return error != 0 ? reply_kernel(reply, error) : reply_grant(reply, take_fd(&fd));
}
