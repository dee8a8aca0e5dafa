/* SPDX-License-Identifier: MIT */
/*
 * A program that is handed descriptors, as the service manager would: it finds them by
 * sd_listen_fds_with_names(3) and prints, for each, its number, name, family, type, local address,
 * and whether it listens or is connected. It must never look for a descriptor anywhere else.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

static const char *family_name(int family)
{
	switch (family) {
	case AF_UNIX:
		return "unix";
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	case AF_NETLINK:
		return "netlink";
	case AF_VSOCK:
		return "vsock";
	default:
		return "other";
	}
}

static const char *type_name(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "datagram";
	case SOCK_RAW:
		return "raw";
	default:
		return "other";
	}
}

/* -1 if it is not a socket. */
static int socket_option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

static void print_address(int fd)
{
	union {
		struct sockaddr generic;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
		struct sockaddr_un local;
		struct sockaddr_vm vsock;
	} address = {0};
	socklen_t size = sizeof(address);
	char text[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, &address.generic, &size) != 0)
		err(1, "getsockname");
	if (address.generic.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.ipv4.sin_addr, text, sizeof(text));
		printf(" %s:%u", text, ntohs(address.ipv4.sin_port));
	} else if (address.generic.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.ipv6.sin6_addr, text, sizeof(text));
		printf(" [%s]:%u", text, ntohs(address.ipv6.sin6_port));
	} else if (address.generic.sa_family == AF_UNIX) {
		printf(" %s", address.local.sun_path);
	} else if (address.generic.sa_family == AF_VSOCK) {
		printf(" %u:%u", address.vsock.svm_cid, address.vsock.svm_port);
	} else {
		printf(" -");
	}
}

static const char *state_name(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	if (socket_option(fd, SO_ACCEPTCONN) == 1)
		return "listening";
	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 ? "connected" : "-";
}

static void print_descriptor(int fd, const char *name)
{
	int family = socket_option(fd, SO_DOMAIN);

	printf("%d %s", fd, name);
	if (family < 0) {
		printf(" no socket\n");
		return;
	}
	printf(" %s %s", family_name(family), type_name(socket_option(fd, SO_TYPE)));
	print_address(fd);
	printf(" %s\n", state_name(fd));
}

int main(void)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);

	if (count < 0)
		errx(1, "sd_listen_fds_with_names: %d", count);
	for (int i = 0; i < count; i++) {
		print_descriptor(SD_LISTEN_FDS_START + i, names[i]);
		free(names[i]);
	}
	free(names);
	return count > 0 ? 0 : 1;
}
