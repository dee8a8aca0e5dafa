/* SPDX-License-Identifier: MIT */
/*
 * Names: of hosts, services and protocols, looked up by the broker for a program that could read
 * neither /etc/hosts nor ask a name server. Each answer is printed as getaddrinfo(3) gives it.
 *
 *	example-lookup host NAME		canonical name, addresses, and the names of these
 *	example-lookup service NAME		the port, once for each type of socket
 *	example-lookup protocol NAME		the number
 *
 *	cc lookup.c -o example-lookup $(pkg-config --cflags --libs fdbroker-sandbox)
 *
 * Policy:	allow resolve host:*
 */
#include <fdbroker.h>

#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct number_name {
	int number;
	const char *name;
};

static const struct number_name flags[] = {
	{AI_PASSIVE, "AI_PASSIVE"},
	{AI_CANONNAME, "AI_CANONNAME"},
	{AI_NUMERICHOST, "AI_NUMERICHOST"},
	{AI_V4MAPPED, "AI_V4MAPPED"},
	{AI_ALL, "AI_ALL"},
	{AI_ADDRCONFIG, "AI_ADDRCONFIG"},
	{AI_NUMERICSERV, "AI_NUMERICSERV"},
};

static const struct number_name families[] = {{AF_INET, "AF_INET"}, {AF_INET6, "AF_INET6"}, {0}};
static const struct number_name types[] = {
	{SOCK_STREAM, "SOCK_STREAM"}, {SOCK_DGRAM, "SOCK_DGRAM"}, {SOCK_RAW, "SOCK_RAW"}, {0}};

static void print_name(const char *label, int number, const struct number_name *names)
{
	while (names->name != NULL && names->number != number)
		names++;
	if (names->name != NULL)
		printf(" %s %s", label, names->name);
	else
		printf(" %s %d", label, number);
}

static void print_flags(int set)
{
	const char *separator = " ";

	printf("flags");
	if (set == 0)
		printf(" 0");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (set & flags[i].number) {
			printf("%s%s", separator, flags[i].name);
			separator = "|";
		}
	}
}

/* What all answers have: how to make a socket for the address. */
static void print_answer(const struct addrinfo *answer)
{
	print_flags(answer->ai_flags);
	print_name("family", answer->ai_family, families);
	print_name("type", answer->ai_socktype, types);
	printf(" protocol %d", answer->ai_protocol);
}

/* Of both families: the port stands at the same place. */
static in_port_t port_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

/* Why: the code of getaddrinfo(3), and what the broker has to say. */
static void fail(const char *what, int code)
{
	errx(1, "%s: %s (%s)", what, gai_strerror(code),
		fdbroker_strreason(fdbroker_last_reason()));
}

static void print_back(struct fdbroker *broker, const struct addrinfo *answer)
{
	char numbers[NI_MAXHOST], name[NI_MAXHOST];

	/* NI_NUMERICHOST asks nobody, but lets IPv6 scopes be shown: getnameinfo(3). */
	int code = fdbroker_getnameinfo(broker, answer->ai_addr, answer->ai_addrlen, numbers,
		sizeof(numbers), NULL, 0, NI_NUMERICHOST);
	if (code != 0)
		fail("address", code);
	code = fdbroker_getnameinfo(broker, answer->ai_addr, answer->ai_addrlen, name, sizeof(name),
		NULL, 0, NI_NAMEREQD);
	printf(" address %s name %s\n", numbers, code == 0 ? name : gai_strerror(code));
}

static void look_up_host(struct fdbroker *broker, const char *name)
{
	struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM};
	struct addrinfo *answers = NULL;
	int code = fdbroker_getaddrinfo(broker, name, NULL, &hints, &answers);

	if (code != 0)
		fail(name, code);
	/* The first answer alone has it: getaddrinfo(3). */
	printf("canonical name %s\n", answers->ai_canonname);
	for (const struct addrinfo *answer = answers; answer != NULL; answer = answer->ai_next) {
		print_answer(answer);
		print_back(broker, answer);
	}
	fdbroker_freeaddrinfo(answers);
}

/* Without a host and with AI_PASSIVE: where a server would listen. */
static void look_up_service(struct fdbroker *broker, const char *name)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET};
	struct addrinfo *answers = NULL;
	int code = fdbroker_getaddrinfo(broker, NULL, name, &hints, &answers);

	if (code != 0)
		fail(name, code);
	for (const struct addrinfo *answer = answers; answer != NULL; answer = answer->ai_next) {
		print_answer(answer);
		printf(" port %u\n", port_of(answer->ai_addr));
	}
	fdbroker_freeaddrinfo(answers);
}

static void look_up_protocol(struct fdbroker *broker, const char *name)
{
	int number = fdbroker_getprotobyname(broker, name);

	if (number < 0)
		err(1, "%s (%s)", name, fdbroker_strreason(fdbroker_last_reason()));
	printf("protocol %d\n", number);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(64, "usage: %s host|service|protocol NAME", argv[0]);
	struct fdbroker *broker = fdbroker_new(NULL);
	if (broker == NULL)
		err(1, "cannot connect to the broker");
	if (fdbroker_sandbox(0) != 0)
		err(1, "fdbroker_sandbox");

	if (strcmp(argv[1], "host") == 0)
		look_up_host(broker, argv[2]);
	else if (strcmp(argv[1], "service") == 0)
		look_up_service(broker, argv[2]);
	else if (strcmp(argv[1], "protocol") == 0)
		look_up_protocol(broker, argv[2]);
	else
		errx(64, "'%s' is none of host, service, protocol", argv[1]);
	fdbroker_free(broker);
	return fflush(stdout) == 0 ? 0 : 1;
}
