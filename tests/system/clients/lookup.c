/* SPDX-License-Identifier: MIT */
/*
 * The same questions to libc's name service and to the broker's, in one format, for a test to
 * compare: lookup libc|broker. Each question is printed with its answer: the code, the canonical
 * name, and each entry of the list in its order.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "fdbroker.h"

static struct fdbroker *broker; /* NULL: libc */

static const struct question {
	const char *node, *service;
	int flags, family, socktype, protocol;
} questions[] = {
	{"localhost", NULL, 0, 0, 0, 0},
	{"localhost", "http", 0, 0, 0, 0},
	{"localhost", "http", AI_CANONNAME, AF_INET, SOCK_STREAM, 0},
	{"localhost", "http", 0, AF_INET6, SOCK_STREAM, 0},
	{"localhost", "http", AI_V4MAPPED, AF_INET6, SOCK_STREAM, 0},
	{"localhost", "80", AI_NUMERICSERV, 0, SOCK_DGRAM, 0},
	{"localhost", "http", AI_NUMERICSERV, 0, SOCK_STREAM, 0},
	{"localhost", "nothing", 0, 0, SOCK_STREAM, 0},
	{"localhost", "http", 0, 0, SOCK_DGRAM, 0},
	{"localhost", "80", 0, 0, SOCK_RAW, 0},
	{"localhost", "80", 0, 0, SOCK_STREAM, IPPROTO_UDP},
	{"localhost", "80", 0, 0, 0, IPPROTO_UDP},
	{"localhost", "80", 0, 0, 77, 0},
	{"localhost", "80", 0, AF_UNIX, 0, 0},
	{"localhost", "80", AI_NUMERICHOST, 0, SOCK_STREAM, 0},
	{"localhost", "80", 0x40000000, 0, SOCK_STREAM, 0},
	{NULL, "http", 0, 0, SOCK_STREAM, 0},
	{NULL, "http", AI_PASSIVE, 0, SOCK_STREAM, 0},
	{NULL, "domain", AI_PASSIVE, AF_INET, 0, 0},
	{NULL, "80", AI_CANONNAME, 0, SOCK_STREAM, 0},
	{NULL, NULL, 0, 0, 0, 0},
	{NULL, "", 0, 0, 0, 0},
	{NULL, "", AI_PASSIVE, 0, SOCK_RAW, IPPROTO_ICMP},
	{"", NULL, 0, 0, 0, 0},
	{"127.0.0.1", "80", 0, 0, SOCK_STREAM, 0},
	{"127.0.0.1", "80", AI_CANONNAME, 0, SOCK_STREAM, 0},
	{"127.0.0.1", "80", 0, AF_INET6, SOCK_STREAM, 0},
	{"127.0.0.1", "80", AI_V4MAPPED, AF_INET6, SOCK_STREAM, 0},
	{"::1", "80", 0, 0, SOCK_STREAM, 0},
	{"::1", "80", 0, AF_INET, SOCK_STREAM, 0},
	{"fe80::1%lo", "80", 0, 0, SOCK_STREAM, 0},
	{"fe80::1%7", "80", 0, 0, SOCK_STREAM, 0},
	{"fe80::1%nothing", "80", 0, 0, SOCK_STREAM, 0},
	{"127.1", "80", 0, 0, SOCK_STREAM, 0},
	{"db.test", "5432", 0, 0, SOCK_STREAM, 0},
	{"db.test", "5432", AI_CANONNAME, 0, SOCK_STREAM, 0},
	{"DB.Test.", "5432", AI_CANONNAME, 0, SOCK_STREAM, 0},
	{"db.test", NULL, AI_ADDRCONFIG, 0, 0, 0},
	{"db.test", NULL, AI_V4MAPPED | AI_ALL, AF_INET6, SOCK_STREAM, 0},
	{"db", "5432", AI_CANONNAME, 0, SOCK_STREAM, 0},
	{"many.test", "80", 0, 0, SOCK_STREAM, 0},
	{"six.test", "80", 0, AF_INET, SOCK_STREAM, 0},
	{"six.test", "80", 0, 0, SOCK_STREAM, 0},
	{"www.test", "80", AI_CANONNAME, 0, SOCK_STREAM, 0},
	{"absent.test", "80", 0, 0, SOCK_STREAM, 0},
	{"broken.test", "80", 0, 0, SOCK_STREAM, 0},
	{"bad_name-.test", "80", 0, 0, SOCK_STREAM, 0},
};

static const struct reverse {
	const char *address;
	int port, flags;
} reverses[] = {
	{"127.0.0.1", 80, 0},
	{"127.0.0.1", 80, NI_NUMERICHOST},
	{"127.0.0.1", 80, NI_NUMERICSERV},
	{"127.0.0.1", 53, NI_DGRAM},
	{"127.0.0.1", 81, 0},
	{"::1", 80, 0},
	{"10.0.0.5", 5432, 0},
	{"10.0.0.5", 5432, NI_NAMEREQD},
	{"10.0.0.99", 5432, 0},
	{"10.0.0.99", 5432, NI_NAMEREQD},
	{"fe80::1%1", 80, NI_NUMERICHOST},
	{"10.0.0.5", 5432, NI_NOFQDN},
	{"127.0.0.1", 80, 0x4000},
};

static const char *word(const char *text)
{
	return text != NULL ? text : "NULL";
}

static void print_entry(const struct addrinfo *info)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)info->ai_addr;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)info->ai_addr;
	bool is_four = info->ai_family == AF_INET;

	inet_ntop(info->ai_family,
		is_four ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr, text,
		sizeof(text));
	printf(" [%d %d %d %d %u %s %u %u %s]", info->ai_flags, info->ai_family, info->ai_socktype,
		info->ai_protocol, info->ai_addrlen, text,
		ntohs(is_four ? four->sin_port : six->sin6_port), is_four ? 0 : six->sin6_scope_id,
		word(info->ai_canonname));
}

static void ask(const struct question *q)
{
	const struct addrinfo hints = {.ai_flags = q->flags,
		.ai_family = q->family,
		.ai_socktype = q->socktype,
		.ai_protocol = q->protocol};
	struct addrinfo *list = NULL;
	int code = broker != NULL ? fdbroker_getaddrinfo(broker, q->node, q->service, &hints, &list)
				  : getaddrinfo(q->node, q->service, &hints, &list);

	printf("%s %s %x %d %d %d: %d", word(q->node), word(q->service), (unsigned int)q->flags,
		q->family, q->socktype, q->protocol, code);
	for (const struct addrinfo *info = list; code == 0 && info != NULL; info = info->ai_next)
		print_entry(info);
	putchar('\n');
	if (code == 0 && broker != NULL)
		fdbroker_freeaddrinfo(list);
	else if (code == 0)
		freeaddrinfo(list);
}

static void ask_reverse(const struct reverse *r)
{
	char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int code;

	if (getaddrinfo(r->address, NULL, &hints, &list) != 0)
		errx(1, "not an address: %s", r->address);
	((struct sockaddr_in *)(void *)list->ai_addr)->sin_port = htons((in_port_t)r->port);
	if (broker != NULL)
		code = fdbroker_getnameinfo(broker, list->ai_addr, list->ai_addrlen, host,
			sizeof(host), service, sizeof(service), r->flags);
	else
		code = getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof(host), service,
			sizeof(service), r->flags);
	printf("%s %d %x: %d", r->address, r->port, (unsigned int)r->flags, code);
	if (code == 0)
		printf(" %s %s", host, service);
	putchar('\n');
	freeaddrinfo(list);
}

static void ask_protocol(const char *name)
{
	const struct protoent *found = broker != NULL ? NULL : getprotobyname(name);
	int number = found != NULL ? found->p_proto : -1;

	if (broker != NULL)
		number = fdbroker_getprotobyname(broker, name);
	printf("protocol %s: %d\n", name, number);
}

int main(int argc, char **argv)
{
	if (argc != 2 || (strcmp(argv[1], "libc") != 0 && strcmp(argv[1], "broker") != 0))
		errx(64, "usage: lookup libc|broker");
	if (strcmp(argv[1], "broker") == 0) {
		broker = fdbroker_new(NULL);
		if (broker == NULL)
			err(1, "fdbroker_new");
	}
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		ask(&questions[i]);
	for (size_t i = 0; i < sizeof(reverses) / sizeof(reverses[0]); i++)
		ask_reverse(&reverses[i]);
	ask_protocol("tcp");
	ask_protocol("UDP");
	ask_protocol("nothing");
	fdbroker_free(broker);
	return 0;
}
