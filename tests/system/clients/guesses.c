/* SPDX-License-Identifier: MIT */
/*
 * What `fdbroker run` thinks that the broker could grant, beside what the broker then says. Reads
 * commands, one on a line, and answers each with a line:
 *
 *	refresh                      "ok", or the errno and the library's reason
 *	old                          has it been asked long ago? "yes" or "no"
 *	open FLAGS PATH              FLAGS joined by |, as in open(2)
 *	bind TYPE inet|inet6|vsock HOST PORT | bind TYPE unix PATH
 *	                             TYPE: stream, dgram, seqpacket, mptcp, udplite
 *	short-bind inet|inet6|vsock|unix LENGTH     the guess alone, for an address of so many bytes
 *	say WORD
 *
 * The answer to open and bind is the guess, "yes" or "no", and what came of it: "ok", or the errno
 * and the reason. With --guess as the first argument the broker is not asked for anything but its
 * grants: the guess alone is printed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdbroker.h"
#include "grants.h"
#include "open-flags.h"
#include "words.h"

#define WORDS_MAX 6

static struct fdbroker *broker;
static struct grants *grants;
static bool only_guess;

static const struct {
	const char *name;
	int type, protocol;
} types[] = {
	{"stream", SOCK_STREAM, 0},
	{"dgram", SOCK_DGRAM, 0},
	{"seqpacket", SOCK_SEQPACKET, 0},
	{"mptcp", SOCK_STREAM, IPPROTO_MPTCP},
	{"udplite", SOCK_DGRAM, IPPROTO_UDPLITE},
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_vm vsock;
	struct sockaddr_un local;
};

/* ---- answers ---- */

static const char *yes_or_no(bool answer)
{
	return answer ? "yes" : "no";
}

/* Of a call of the library. */
static void print_outcome(int result)
{
	if (result >= 0)
		printf("ok\n");
	else
		printf("%s %s\n", errno_word(errno), reason_word(fdbroker_last_reason()));
}

/* What came of it follows on the same line. */
static void print_guess(bool answer)
{
	printf("%s%c", yes_or_no(answer), only_guess ? '\n' : ' ');
}

/* ---- open ---- */

static int parse_flags(char *text)
{
	int value = 0;

	for (char *rest = text, *word; (word = strsep(&rest, "|")) != NULL;) {
		size_t i = 0;

		while (i < sizeof(open_flags) / sizeof(open_flags[0]) &&
			strcmp(open_flags[i].name, word) != 0)
			i++;
		if (i == sizeof(open_flags) / sizeof(open_flags[0]))
			errx(64, "no such flag: %s", word);
		value |= open_flags[i].value;
	}
	return value;
}

static void run_open(char **words)
{
	int value = parse_flags(words[1]), fd;
	char longer[4096];

	/* What follows the path is none of it. */
	snprintf(longer, sizeof(longer), "%s/more", words[2]);
	print_guess(grants_open(grants, longer, strlen(words[2]), value));
	if (only_guess)
		return;
	fd = fdbroker_open(broker, words[2], value, 0600);
	print_outcome(fd);
	if (fd >= 0)
		close(fd);
}

/* ---- bind ---- */

static socklen_t parse_address(char **words, union address *address)
{
	unsigned int port = words[2] != NULL ? (unsigned int)strtoul(words[2], NULL, 10) : 0;

	memset(address, 0, sizeof(*address));
	if (strcmp(words[0], "inet") == 0) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((in_port_t)port);
		inet_pton(AF_INET, words[1], &address->v4.sin_addr);
		return sizeof(address->v4);
	}
	if (strcmp(words[0], "inet6") == 0) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((in_port_t)port);
		inet_pton(AF_INET6, words[1], &address->v6.sin6_addr);
		return sizeof(address->v6);
	}
	if (strcmp(words[0], "vsock") == 0) {
		address->vsock.svm_family = AF_VSOCK;
		address->vsock.svm_port = port;
		address->vsock.svm_cid = (unsigned int)strtoul(words[1], NULL, 10);
		return sizeof(address->vsock);
	}
	address->local.sun_family = AF_UNIX;
	strncpy(address->local.sun_path, words[1], sizeof(address->local.sun_path) - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(words[1]) + 1);
}

static void run_bind(char **words)
{
	union address address;
	socklen_t length = parse_address(words + 2, &address);
	size_t i = 0;
	int fd;

	while (i < sizeof(types) / sizeof(types[0]) && strcmp(types[i].name, words[1]) != 0)
		i++;
	if (i == sizeof(types) / sizeof(types[0]))
		errx(64, "no such type: %s", words[1]);
	fd = socket(address.any.sa_family, types[i].type | SOCK_CLOEXEC, types[i].protocol);
	if (fd < 0) {
		printf("no such socket\n");
		return;
	}
	print_guess(grants_bind(grants, &address.any, length, types[i].type, types[i].protocol));
	if (!only_guess)
		print_outcome(fdbroker_bind(broker, fd, &address.any, length));
	close(fd);
}

static void run_short_bind(char **words)
{
	char *address_words[] = {words[1], strcmp(words[1], "unix") == 0 ? "/srv/s" : "0", "80"};
	union address address;

	parse_address(address_words, &address);
	printf("%s\n", yes_or_no(grants_bind(
			       grants, &address.any, (socklen_t)atoi(words[2]), SOCK_STREAM, 0)));
}

/* ---- the others ---- */

static void run_refresh(char **words)
{
	(void)words;
	print_outcome(grants_refresh(grants, broker));
}

static void run_old(char **words)
{
	(void)words;
	printf("%s\n", yes_or_no(grants_are_old(grants)));
}

static void run_say(char **words)
{
	printf("%s\n", words[1]);
}

static const struct {
	const char *name;
	int words; /* at least */
	void (*run)(char **words);
} commands[] = {
	{"refresh", 1, run_refresh},
	{"old", 1, run_old},
	{"open", 3, run_open},
	{"bind", 4, run_bind},
	{"short-bind", 3, run_short_bind},
	{"say", 2, run_say},
};

static void run(char *line)
{
	char *words[WORDS_MAX + 1] = {NULL}, *word;
	int count = 0;

	while (count < WORDS_MAX && (word = strsep(&line, " ")) != NULL)
		words[count++] = word;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, words[0]) != 0 || count < commands[i].words)
			continue;
		commands[i].run(words);
		return;
	}
	errx(64, "not understood: %s", words[0]);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	only_guess = argc > 1 && strcmp(argv[1], "--guess") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	broker = fdbroker_new(NULL);
	grants = grants_new();
	if (broker == NULL || grants == NULL)
		err(1, "the broker");
	while ((length = getline(&line, &size, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		run(line);
	}
	free(line);
	grants_free(grants);
	fdbroker_free(broker);
	return 0;
}
