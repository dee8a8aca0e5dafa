/* SPDX-License-Identifier: MIT */
/*
 * The resolver's own side: a question in, a call of the C library, an answer out. It may hang in
 * that call; whoever asked does not wait for ever, and the supervisor ends it with its executor.
 *
 * Must never: see a policy, a peer or a connection of a client, or gain a capability.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "child.h"
#include "log.h"
#include "memory.h"
#include "resolver.h"

/* ---- addresses as the C library and as the wire has them ---- */

static socklen_t endpoint_to_sockaddr(
	const struct fdbroker_endpoint *endpoint, struct sockaddr_storage *storage)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (endpoint->family == FDBROKER_IPV4) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons((uint16_t)endpoint->port);
		memcpy(&ipv4->sin_addr, endpoint->address, sizeof(ipv4->sin_addr));
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons((uint16_t)endpoint->port);
	ipv6->sin6_scope_id = endpoint->scope;
	ipv6->sin6_flowinfo = endpoint->flowinfo;
	memcpy(&ipv6->sin6_addr, endpoint->address, sizeof(ipv6->sin6_addr));
	return sizeof(*ipv6);
}

/* False: it is of neither family of the Internet. */
static bool address_from_info(struct fdbroker_address *address, const struct addrinfo *info)
{
	struct fdbroker_endpoint *endpoint = &address->endpoint;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	*address = (struct fdbroker_address){
		.socktype = info->ai_socktype, .protocol = info->ai_protocol};
	if (info->ai_family == AF_INET && info->ai_addrlen >= sizeof(ipv4)) {
		memcpy(&ipv4, info->ai_addr, sizeof(ipv4));
		endpoint->family = FDBROKER_IPV4;
		endpoint->port = ntohs(ipv4.sin_port);
		memcpy(endpoint->address, &ipv4.sin_addr, sizeof(ipv4.sin_addr));
		return true;
	}
	if (info->ai_family == AF_INET6 && info->ai_addrlen >= sizeof(ipv6)) {
		memcpy(&ipv6, info->ai_addr, sizeof(ipv6));
		endpoint->family = FDBROKER_IPV6;
		endpoint->port = ntohs(ipv6.sin6_port);
		endpoint->scope = ipv6.sin6_scope_id;
		endpoint->flowinfo = ipv6.sin6_flowinfo;
		memcpy(endpoint->address, &ipv6.sin6_addr, sizeof(ipv6.sin6_addr));
		return true;
	}
	return false;
}

/* ---- the three questions ---- */

static const char *text_or_none(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void take_addresses(struct fdbroker_answer *answer, const struct addrinfo *list)
{
	for (const struct addrinfo *info = list; info != NULL; info = info->ai_next)
		if (answer->address_count < FDBROKER_ADDRESSES_MAX &&
			address_from_info(&answer->addresses[answer->address_count], info))
			answer->address_count++;
}

/*
 * Search domains (resolv.conf(5)) are for people who type. Whether the name service heeds this is
 * its own affair; the C library's does.
 */
static void set_search(const struct resolver_query *query)
{
	bool is_whole = query->is_absolute != 0 && strchr(query->node, '.') != NULL;

	/* One that was changed is not renewed when resolv.conf(5) is: so it is made anew. */
	if ((_res.options & RES_INIT) != 0)
		res_nclose(&_res);
	memset(&_res, 0, sizeof(_res));
	if (res_init() == 0 && is_whole)
		_res.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
}

static void find_addresses(const struct resolver_query *query, struct fdbroker_answer *answer)
{
	static char name[FDBROKER_NAME_MAX];
	const struct addrinfo hints = {
		.ai_flags = query->flags,
		.ai_family = query->family,
		.ai_socktype = query->socktype,
		.ai_protocol = query->protocol,
	};
	struct addrinfo *list = NULL;

	answer->code =
		getaddrinfo(text_or_none(query->node), text_or_none(query->service), &hints, &list);
	answer->error = answer->code == EAI_SYSTEM ? errno : 0;
	if (answer->code != 0)
		return;
	take_addresses(answer, list);
	if (list->ai_canonname != NULL) {
		answer->name = (struct fdbroker_text){name, strlen(list->ai_canonname)};
		/* One that is cut off would be judged for another. */
		if (answer->name.length > sizeof(name))
			*answer = (struct fdbroker_answer){.code = EAI_FAIL};
		else
			memcpy(name, list->ai_canonname, answer->name.length);
	}
	freeaddrinfo(list);
}

static void find_name(const struct resolver_query *query, struct fdbroker_answer *answer)
{
	static char host[FDBROKER_NAME_MAX + 1], service[FDBROKER_SERVICE_NAME_MAX + 1];
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(&query->endpoint, &address);

	answer->code = getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), service,
		sizeof(service), query->flags);
	answer->error = answer->code == EAI_SYSTEM ? errno : 0;
	if (answer->code != 0)
		return;
	answer->name = (struct fdbroker_text){host, strlen(host)};
	answer->service = (struct fdbroker_text){service, strlen(service)};
}

static void find_protocol(const struct resolver_query *query, struct fdbroker_answer *answer)
{
	static char room[4096];
	struct protoent entry, *found = NULL;
	int error = getprotobyname_r(query->node, &entry, room, sizeof(room), &found);

	if (error != 0 && error != ENOENT)
		*answer = (struct fdbroker_answer){.code = EAI_SYSTEM, .error = error};
	else if (found == NULL)
		answer->code = EAI_NONAME;
	else
		answer->number = found->p_proto;
}

static void resolver_find(const struct resolver_query *query, struct fdbroker_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	set_search(query);
	if (query->question == RESOLVER_ADDRESSES)
		find_addresses(query, answer);
	else if (query->question == RESOLVER_NAME)
		find_name(query, answer);
	else if (query->question == RESOLVER_PROTOCOL)
		find_protocol(query, answer);
	else
		answer->code = EAI_FAIL;
}

/* ---- the process ---- */

static int resolver_begin(void)
{
	struct ring *ring;
	size_t size;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	ring = memory_map(CHILD_RING, PROT_READ | PROT_WRITE, MAP_SHARED, sizeof(*ring), &size);
	if (ring == NULL)
		return -EBADF;
	log_to_ring(ring);
	if (confine_for_good(ROLE_RESOLVER, 0) < 0)
		return -EPERM;
	return confine_syscalls(ROLE_RESOLVER, NULL);
}

int resolver_main(void)
{
	static unsigned char data[FDBROKER_DATA_MAX];
	static struct fdbroker_answer answer;
	struct resolver_query query;
	size_t length;

	if (resolver_begin() < 0)
		return 1;
	while (recv(CHILD_CHANNEL, &query, sizeof(query), 0) == sizeof(query)) {
		query.node[sizeof(query.node) - 1] = '\0';
		query.service[sizeof(query.service) - 1] = '\0';
		resolver_find(&query, &answer);
		length = fdbroker_names_encode(data, &answer);
		if (send(CHILD_CHANNEL, data, length, MSG_NOSIGNAL) < 0)
			return 0; /* its executor is gone */
	}
	return 0;
}
