/* SPDX-License-Identifier: MIT */
/*
 * fdbroker_getaddrinfo() and its like: what the broker's name service says, in the structures and
 * with the codes of libc. This file must never ask libc's own name service, whose files and sockets
 * a sandboxed program does not have, and never hand on an answer that does not fit the question: a
 * caller who asked for IPv6 reads that many bytes of address.
 */
#include "call.h"
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A question, and what became of it. */
struct lookup {
	int code;     /* 0 or one of EAI_... */
	int error;    /* the errno, if that is EAI_SYSTEM */
	bool is_ours; /* the code is not the name service's */
	/* Takes what was found over into `into`; false: it does not fit the question. */
	bool (*take)(struct lookup *lookup, const struct fdbroker_answer *answer);
	void *into;
};

static void fail_here(struct lookup *lookup, int code)
{
	lookup->code = code;
	lookup->is_ours = true;
}

/* The codes of glibc are negative, the least of them EAI_IDN_ENCODE: <netdb.h>. */
static bool is_code_sound(const struct fdbroker_answer *answer)
{
	return answer->code <= 0 && answer->code >= EAI_IDN_ENCODE &&
	       (answer->code != EAI_SYSTEM || answer->error != 0);
}

static bool take_names(void *context, const unsigned char *data, size_t length)
{
	struct lookup *lookup = context;
	struct fdbroker_answer answer;

	if (fdbroker_names_decode(data, length, &answer) != 0 || !is_code_sound(&answer))
		return false;
	lookup->code = answer.code;
	lookup->error = answer.error;
	return answer.code != 0 || lookup->take(lookup, &answer);
}

/* Returns the code, and sets the reason and, if that is EAI_SYSTEM, errno. */
static int look_up(
	struct fdbroker *broker, const struct fdbroker_request *request, struct lookup *lookup)
{
	struct call_outcome outcome = call_for_data(broker, request, -1, take_names, lookup);

	if (outcome.error != 0) {
		report_outcome(outcome.error, outcome.reason);
		return EAI_SYSTEM;
	}
	if (lookup->code == 0)
		report_outcome(0, FDBROKER_REASON_NONE);
	else
		report_outcome(lookup->code == EAI_SYSTEM ? lookup->error : 0,
			lookup->is_ours ? FDBROKER_REASON_LOCAL : FDBROKER_REASON_NAMES);
	return lookup->code;
}

/* A question that is not asked, because the answer is known. */
static int report_code(int code)
{
	set_last_reason(FDBROKER_REASON_LOCAL);
	return code;
}

static int report_fault(void)
{
	report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	return EAI_SYSTEM;
}

/* ---- getaddrinfo ---- */

/* One block for all that an entry of the list points to. */
struct entry {
	struct addrinfo info;
	union {
		struct sockaddr generic;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} address;
	char name[]; /* canonical, of the first */
};

struct list {
	const struct addrinfo *hints;
	struct addrinfo *first;
};

static void set_ipv4(struct entry *entry, const struct fdbroker_endpoint *endpoint)
{
	entry->info.ai_addrlen = sizeof(entry->address.ipv4);
	entry->address.ipv4.sin_family = AF_INET;
	entry->address.ipv4.sin_port = htons((uint16_t)endpoint->port);
	memcpy(&entry->address.ipv4.sin_addr, endpoint->address, sizeof(struct in_addr));
}

static void set_ipv6(struct entry *entry, const struct fdbroker_endpoint *endpoint)
{
	entry->info.ai_addrlen = sizeof(entry->address.ipv6);
	entry->address.ipv6.sin6_family = AF_INET6;
	entry->address.ipv6.sin6_port = htons((uint16_t)endpoint->port);
	entry->address.ipv6.sin6_flowinfo = endpoint->flowinfo;
	entry->address.ipv6.sin6_scope_id = endpoint->scope;
	memcpy(&entry->address.ipv6.sin6_addr, endpoint->address, sizeof(struct in6_addr));
}

static struct addrinfo *new_entry(
	const struct fdbroker_address *address, int flags, const struct fdbroker_text *name)
{
	struct entry *entry = calloc(1, sizeof(*entry) + name->length + 1);

	if (entry == NULL)
		return NULL;
	if (address->endpoint.family == FDBROKER_IPV4)
		set_ipv4(entry, &address->endpoint);
	else
		set_ipv6(entry, &address->endpoint);
	entry->info.ai_flags = flags;
	entry->info.ai_family = entry->address.generic.sa_family;
	entry->info.ai_socktype = address->socktype;
	entry->info.ai_protocol = address->protocol;
	entry->info.ai_addr = &entry->address.generic;
	if (name->length > 0) {
		memcpy(entry->name, name->bytes, name->length);
		entry->info.ai_canonname = entry->name;
	}
	return &entry->info;
}

static bool fits_hints(const struct fdbroker_address *address, const struct addrinfo *hints)
{
	int family = address->endpoint.family == FDBROKER_IPV4 ? AF_INET : AF_INET6;

	return hints->ai_family == AF_UNSPEC || hints->ai_family == family;
}

static bool take_addresses(struct lookup *lookup, const struct fdbroker_answer *answer)
{
	struct list *list = lookup->into;
	struct addrinfo **next = &list->first;
	struct fdbroker_text name = answer->name;

	for (unsigned int i = 0; i < answer->address_count; i++) {
		struct fdbroker_address address = answer->addresses[i];

		if (!fits_hints(&address, list->hints))
			return false;
		if (list->hints->ai_socktype == SOCK_RAW) { /* see ask_for_any() */
			address.socktype = SOCK_RAW;
			address.protocol = list->hints->ai_protocol;
		}
		*next = new_entry(&address, list->hints->ai_flags, &name);
		if (*next == NULL) {
			fail_here(lookup, EAI_MEMORY);
			return true;
		}
		next = &(*next)->ai_next;
		name.length = 0;
	}
	return answer->address_count > 0;
}

/*
 * What libc makes of an empty service and no node; but on the wire either means that there is none.
 * Raw sockets have no services, not even a number, and the addresses are those of the others.
 */
static void ask_for_any(struct fdbroker_request *request)
{
	request->service = (struct fdbroker_text){"0", 1};
	if (request->addrinfo.socktype == SOCK_RAW) {
		request->addrinfo.socktype = SOCK_DGRAM;
		request->addrinfo.protocol = 0;
	}
}

/* What is known without asking: 0 or one of EAI_... */
static int set_question(struct fdbroker_request *request, const char *node, const char *service)
{
	/* As glibc: nodes and services may be stars, and an empty service is port 0. */
	if (node != NULL && strcmp(node, "*") == 0)
		node = NULL;
	if (service != NULL && strcmp(service, "*") == 0)
		service = NULL;
	if ((node == NULL && service == NULL) || (node != NULL && node[0] == '\0'))
		return EAI_NONAME;
	if (node != NULL)
		request->host = (struct fdbroker_text){node, strnlen(node, FDBROKER_HOST_MAX + 1)};
	else if (service[0] == '\0')
		ask_for_any(request);
	if (service != NULL && service[0] != '\0')
		request->service =
			(struct fdbroker_text){service, strnlen(service, FDBROKER_SERVICE_MAX + 1)};
	if (request->host.length > FDBROKER_HOST_MAX)
		return EAI_NONAME;
	return request->service.length > FDBROKER_SERVICE_MAX ? EAI_SERVICE : 0;
}

int fdbroker_getaddrinfo(struct fdbroker *broker, const char *node, const char *service,
	const struct addrinfo *hints, struct addrinfo **result)
{
	static const struct addrinfo no_hints = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
	struct list list = {.hints = hints != NULL ? hints : &no_hints};
	struct lookup lookup = {.take = take_addresses, .into = &list};

	if (broker == NULL || result == NULL)
		return report_fault();
	hints = list.hints;
	struct fdbroker_request request = {
		.operation = FDBROKER_GETADDRINFO,
		.addrinfo = {hints->ai_flags, hints->ai_family, hints->ai_socktype,
			hints->ai_protocol},
	};
	int code = set_question(&request, node, service);
	if (code != 0)
		return report_code(code);
	code = look_up(broker, &request, &lookup);
	if (code == 0)
		*result = list.first;
	else
		fdbroker_freeaddrinfo(list.first);
	return code;
}

void fdbroker_freeaddrinfo(struct addrinfo *result)
{
	int saved_errno = errno;

	while (result != NULL) {
		struct addrinfo *next = result->ai_next;

		free(result); /* it stands first in its entry */
		result = next;
	}
	errno = saved_errno;
}

/* ---- getnameinfo ---- */

/* Where a name is to go; NULL: it is not wanted. */
struct destination {
	char *bytes;
	size_t size;
};

struct name_and_service {
	struct destination host, service;
};

static bool take_text(struct lookup *lookup, const struct destination *destination,
	const struct fdbroker_text *text)
{
	if (destination->bytes == NULL)
		return true;
	if (text->length >= destination->size) {
		fail_here(lookup, EAI_OVERFLOW);
		return true;
	}
	memcpy(destination->bytes, text->bytes, text->length);
	destination->bytes[text->length] = '\0';
	return text->length > 0;
}

static bool take_name_and_service(struct lookup *lookup, const struct fdbroker_answer *answer)
{
	const struct name_and_service *wanted = lookup->into;

	return take_text(lookup, &wanted->host, &answer->name) &&
	       take_text(lookup, &wanted->service, &answer->service);
}

static struct destination destination(char *bytes, socklen_t size)
{
	return (struct destination){size > 0 ? bytes : NULL, size};
}

/* What nobody wants is not looked for: that would cost a query, or fail. */
static int flags_for(const struct name_and_service *wanted, int flags)
{
	if (wanted->host.bytes == NULL)
		flags = (flags & ~NI_NAMEREQD) | NI_NUMERICHOST;
	if (wanted->service.bytes == NULL)
		flags |= NI_NUMERICSERV;
	return flags;
}

/* getnameinfo(3) does not take an IPv6 address without sin6_scope_id, which bind(2) does. */
static bool set_address(
	struct fdbroker_endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	if (address == NULL || endpoint_from_sockaddr(endpoint, address, length) != 0)
		return false;
	return endpoint->family == FDBROKER_IPV4 ||
	       (endpoint->family == FDBROKER_IPV6 && length >= sizeof(struct sockaddr_in6));
}

int fdbroker_getnameinfo(struct fdbroker *broker, const struct sockaddr *address,
	socklen_t address_length, char *host, socklen_t host_size, char *service,
	socklen_t service_size, int flags)
{
	struct fdbroker_request request = {.operation = FDBROKER_GETNAMEINFO};
	struct name_and_service wanted = {
		destination(host, host_size), destination(service, service_size)};
	struct lookup lookup = {.take = take_name_and_service, .into = &wanted};

	if (broker == NULL)
		return report_fault();
	if (!set_address(&request.endpoint, address, address_length))
		return report_code(EAI_FAMILY);
	if (wanted.host.bytes == NULL && wanted.service.bytes == NULL)
		return report_code(EAI_NONAME);
	request.nameinfo.flags = flags_for(&wanted, flags);
	return look_up(broker, &request, &lookup);
}

/* ---- getprotobyname ---- */

static bool take_number(struct lookup *lookup, const struct fdbroker_answer *answer)
{
	int *number = lookup->into;

	*number = answer->number;
	return answer->number >= 0;
}

static int errno_of_code(int code)
{
	switch (code) {
	case 0:
		return 0;
	case EAI_SYSTEM:
		return errno;
	case EAI_AGAIN:
		return EAGAIN;
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_NONAME:
		return ENOENT;
	default:
		return EIO;
	}
}

int fdbroker_getprotobyname(struct fdbroker *broker, const char *name)
{
	struct fdbroker_request request = {.operation = FDBROKER_GETPROTOBYNAME};
	int number = -1;
	struct lookup lookup = {.take = take_number, .into = &number};

	if (broker == NULL || name == NULL)
		return report_outcome(EFAULT, FDBROKER_REASON_LOCAL);
	request.name = (struct fdbroker_text){name, strnlen(name, FDBROKER_SERVICE_MAX + 1)};
	if (request.name.length == 0 || request.name.length > FDBROKER_SERVICE_MAX)
		return report_outcome(ENOENT, FDBROKER_REASON_LOCAL);
	int error = errno_of_code(look_up(broker, &request, &lookup));
	return error == 0 ? number : report_outcome(error, fdbroker_last_reason());
}
