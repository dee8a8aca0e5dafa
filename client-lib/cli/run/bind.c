/* SPDX-License-Identifier: MIT */
/*
 * The socket is taken from the program by pidfd_getfd(2) and bound by the broker: so its options,
 * its duplicates and its registrations with epoll(7) stay what they are.
 *
 * Must never act on an address that the program could change meanwhile: it is copied once.
 */
#include "bind.h"
#include "answer.h"
#include "cleanup.h"
#include "name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct wanted_address {
	union {
		struct sockaddr any;
		struct sockaddr_in inet; /* of sockaddr_in6 the port is at the same place */
		struct sockaddr_un unix_;
		struct sockaddr_storage storage;
	} address;
	socklen_t length;
	int socket, domain, type, protocol;
	bool is_kept; /* from the program: it gets it by the broker or not at all */
	unsigned int unprivileged_port; /* the first one that it could bind by itself */
};

/* By itself the program cannot have it: so that the broker's log knows of it, the broker is asked,
   whatever it could grant. */
static bool is_out_of_reach(const struct wanted_address *wanted)
{
	const struct sockaddr_in *address = &wanted->address.inet;
	const in_port_t port = ntohs(address->sin_port);

	return (address->sin_family == AF_INET || address->sin_family == AF_INET6) &&
	       wanted->length >= sizeof(*address) &&
	       ((port > 0 && port < wanted->unprivileged_port) || wanted->is_kept);
}

static bool guess(struct grants *grants, const void *argument)
{
	const struct wanted_address *wanted = argument;

	return is_out_of_reach(wanted) || grants_bind(grants, &wanted->address.any, wanted->length,
						  wanted->type, wanted->protocol);
}

static int ask(struct fdbroker *broker, void *argument)
{
	const struct wanted_address *wanted = argument;

	return fdbroker_bind(broker, wanted->socket, &wanted->address.any, wanted->length);
}

static bool read_address(struct wanted_address *wanted, const struct notification *notification)
{
	const uint64_t *arguments = notification->arguments;

	wanted->length = (socklen_t)arguments[2];
	return wanted->length >= sizeof(wanted->address.any.sa_family) &&
	       wanted->length <= sizeof(wanted->address.storage) &&
	       target_read(notification->thread, arguments[1], &wanted->address, wanted->length);
}

static bool read_option(int socket, int name, int *value)
{
	socklen_t size = sizeof(*value);

	return getsockopt(socket, SOL_SOCKET, name, value, &size) == 0;
}

/*
 * In a sandbox the ports of streams are the broker's to give. From Linux 6.7 on Landlock sees to
 * that for TCP. What is told here is told by the socket, which the program can replace in time, and
 * which nobody can look at in a process that is not dumpable.
 */
static bool is_kept(const struct receiver *receiver, const struct wanted_address *wanted)
{
	return receiver->supervision->mode == RUN_SANDBOX &&
	       (wanted->domain == AF_INET || wanted->domain == AF_INET6) &&
	       wanted->type != SOCK_DGRAM;
}

static bool take_socket(struct wanted_address *wanted, const struct receiver *receiver,
	const struct notification *notification)
{
	wanted->socket =
		target_take_descriptor(notification->thread, (int)notification->arguments[0]);
	if (wanted->socket < 0 || !read_option(wanted->socket, SO_DOMAIN, &wanted->domain) ||
		!read_option(wanted->socket, SO_TYPE, &wanted->type) ||
		!read_option(wanted->socket, SO_PROTOCOL, &wanted->protocol))
		return false;
	wanted->is_kept = is_kept(receiver, wanted);
	return true;
}

/* Made absolute. Abstract ones and those that the kernel is to name are everybody's: unix(7). */
static bool find_path(struct wanted_address *wanted, pid_t thread)
{
	char path[sizeof(wanted->address.unix_.sun_path) + 1] = "";
	struct sockaddr_un *address = &wanted->address.unix_;
	struct name name;

	memcpy(path, address->sun_path, wanted->length - sizeof(address->sun_family));
	if (path[0] == '\0' || !name_make(&name, thread, AT_FDCWD, path) || name.wants_folder ||
		name.length >= sizeof(address->sun_path))
		return false;
	memset(address->sun_path, 0, sizeof(address->sun_path));
	memcpy(address->sun_path, name.text, name.length);
	wanted->length = sizeof(*address);
	return true;
}

/* Whether the family is one that the broker binds, and the address complete. */
static bool complete_address(struct wanted_address *wanted, pid_t thread)
{
	switch (wanted->address.any.sa_family) {
	case AF_INET:
	case AF_INET6:
	case AF_VSOCK:
		return true;
	case AF_UNIX:
		return wanted->length <= sizeof(wanted->address.unix_) && find_path(wanted, thread);
	default:
		return false;
	}
}

/* False: it is nothing to ask the broker for. */
static bool find_address(struct wanted_address *wanted, struct receiver *receiver,
	const struct notification *notification)
{
	return take_socket(wanted, receiver, notification) && read_address(wanted, notification) &&
	       complete_address(wanted, notification->thread) &&
	       answer_is_for_broker(receiver, notification, guess, wanted);
}

static void leave(const struct receiver *receiver, const struct notification *notification,
	const struct wanted_address *wanted)
{
	if (wanted->is_kept)
		notification_return(notification, EACCES);
	else
		answer_without_broker(receiver, notification);
}

/* Before each answer: then the program alone has it, may close it, and bind another one to the
   address. */
static void give_back_socket(struct wanted_address *wanted)
{
	if (wanted->socket >= 0)
		close(take_fd(&wanted->socket));
}

/* False: the broker refuses. */
static bool bind_by_broker(struct receiver *receiver, const struct notification *notification,
	struct wanted_address *wanted)
{
	int error, result = answer_ask(receiver, ask, wanted, &error);

	give_back_socket(wanted);
	if (result == 0 || error != 0)
		notification_return(notification, error);
	return result == 0 || error != 0;
}

void serve_bind(struct receiver *receiver, const struct notification *notification)
{
	struct wanted_address wanted = {
		.socket = -1, .unprivileged_port = receiver->supervision->unprivileged_port};

	/* Even closing what has been taken may wait: it need be no socket. */
	receiver_may_wait(receiver);
	if (find_address(&wanted, receiver, notification) &&
		bind_by_broker(receiver, notification, &wanted))
		return;
	give_back_socket(&wanted);
	leave(receiver, notification, &wanted);
}
