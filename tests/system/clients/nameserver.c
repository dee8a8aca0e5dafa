/* SPDX-License-Identifier: MIT */
/*
 * A name server for the tests: answers queries on 127.0.0.1:53 as a file says, which it reads anew
 * at each query, and prints each query as "NAME TYPE" (RFC 1035).
 *
 *	nameserver FILE
 *
 * A line of the file: a name, a type (A, AAAA, PTR), and what the queries for it get, one after the
 * other, parted by "/"; the last is for all that follow:
 *
 *	db.test A 10.0.0.5 10.0.0.6 / 127.0.0.1
 *	www.test A cname=web.test 10.0.0.7
 *	5.0.0.10.in-addr.arpa PTR db.test
 *	slow.test A silence / 10.0.0.5
 *	broken.test A servfail
 *	long.test A truncated / 10.0.0.5	the first by UDP, and then it is asked by TCP
 *
 * A name that has no line does not exist.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMES_MAX 64
#define HEADER 12
enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_PTR = 12, TYPE_AAAA = 28 };
enum { NOERROR = 0, SERVFAIL = 2, NXDOMAIN = 3 };

struct message {
	unsigned char bytes[4096];
	size_t length;
};

/* How often each name was asked for with each type. */
static struct {
	char key[300];
	unsigned int count;
} asked[NAMES_MAX];

static unsigned int count_query(const char *name, const char *type)
{
	char key[300];

	snprintf(key, sizeof(key), "%.255s %s", name, type);
	for (int i = 0; i < NAMES_MAX; i++) {
		if (asked[i].key[0] == '\0')
			snprintf(asked[i].key, sizeof(asked[i].key), "%s", key);
		if (strcasecmp(asked[i].key, key) == 0)
			return asked[i].count++;
	}
	errx(1, "too many names");
}

static const char *type_word(unsigned int type)
{
	return type == TYPE_A      ? "A"
	       : type == TYPE_AAAA ? "AAAA"
	       : type == TYPE_PTR  ? "PTR"
				   : "other";
}

/* ---- writing ---- */

static void put(struct message *reply, const void *bytes, size_t length)
{
	if (length > sizeof(reply->bytes) - reply->length)
		errx(1, "the answer is too long");
	memcpy(reply->bytes + reply->length, bytes, length);
	reply->length += length;
}

static void put16(struct message *reply, unsigned int value)
{
	uint16_t wire = htons((uint16_t)value);

	put(reply, &wire, sizeof(wire));
}

static size_t encode_name(const char *name, unsigned char *out)
{
	size_t length = 0;

	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		out[length++] = (unsigned char)label;
		memcpy(out + length, name, label);
		length += label;
		name += label + (name[label] == '.');
	}
	out[length++] = 0;
	return length;
}

static void put_record(struct message *reply, const char *owner, unsigned int type,
	const void *data, size_t length)
{
	unsigned char name[256];
	static const unsigned char minute[4] = {0, 0, 0, 60};

	put(reply, name, encode_name(owner, name));
	put16(reply, type);
	put16(reply, 1); /* IN */
	put(reply, minute, sizeof(minute));
	put16(reply, (unsigned int)length);
	put(reply, data, length);
	reply->bytes[7]++;
}

/* Adds what one word of the file stands for; the owner changes with a CNAME. */
static void put_answer(struct message *reply, char *owner, unsigned int type, const char *word)
{
	unsigned char data[256];

	if (strncmp(word, "cname=", 6) == 0) {
		put_record(reply, owner, TYPE_CNAME, data, encode_name(word + 6, data));
		snprintf(owner, 256, "%s", word + 6);
	} else if (type == TYPE_PTR) {
		put_record(reply, owner, type, data, encode_name(word, data));
	} else if (type == TYPE_A && inet_pton(AF_INET, word, data) == 1) {
		put_record(reply, owner, type, data, 4);
	} else if (type == TYPE_AAAA && inet_pton(AF_INET6, word, data) == 1) {
		put_record(reply, owner, type, data, 16);
	} else {
		errx(1, "not an answer: %s", word);
	}
}

/* ---- the file ---- */

/* Finds what the file says for the name. Returns NOERROR with *script set, if it has the type. */
static int find(const char *file, const char *name, const char *type, char **script)
{
	static char line[4096];
	int found = NXDOMAIN;
	FILE *stream = fopen(file, "re");

	if (stream == NULL)
		err(1, "%s", file);
	*script = NULL;
	while (*script == NULL && fgets(line, sizeof(line), stream) != NULL) {
		char *rest = line, *owner, *kind;

		line[strcspn(line, "\n")] = '\0';
		owner = strsep(&rest, " ");
		kind = strsep(&rest, " ");
		if (rest == NULL || strcasecmp(owner, name) != 0)
			continue;
		found = NOERROR;
		if (strcmp(kind, type) == 0)
			*script = rest;
	}
	fclose(stream);
	return found;
}

/* What the nth query gets. */
static char *choose(char *script, unsigned int n)
{
	char *choice = strsep(&script, "/");

	while (n-- > 0 && script != NULL)
		choice = strsep(&script, "/");
	return choice;
}

/* ---- one query ---- */

/* Reads the question's name; returns its type, or 0. */
static unsigned int read_question(const struct message *query, char *name, size_t *end)
{
	size_t at = HEADER, length = 0;

	while (at < query->length && query->bytes[at] != 0) {
		size_t label = query->bytes[at++];

		if (label > 63 || at + label >= query->length || length + label + 2 > 256)
			return 0;
		if (length > 0)
			name[length++] = '.';
		memcpy(name + length, query->bytes + at, label);
		length += label;
		at += label;
	}
	name[length] = '\0';
	if (at + 5 > query->length)
		return 0;
	*end = at + 5;
	return (unsigned int)query->bytes[at + 1] << 8 | query->bytes[at + 2];
}

/* Makes the reply. False: there is none. */
static bool answer(const char *file, const struct message *query, struct message *reply)
{
	char name[256], *script, *choice, *word;
	size_t end = 0;
	unsigned int type = read_question(query, name, &end), nth;
	int code;

	if (type == 0)
		return false;
	printf("%s %s\n", name, type_word(type));
	fflush(stdout);
	code = find(file, name, type_word(type), &script);
	nth = count_query(name, type_word(type));
	memset(reply->bytes, 0, HEADER);
	memcpy(reply->bytes, query->bytes, 2);
	reply->bytes[2] = 0x85; /* response, authoritative, recursion desired */
	reply->bytes[3] = 0x80; /* recursion available */
	reply->bytes[5] = 1;
	reply->length = HEADER;
	put(reply, query->bytes + HEADER, end - HEADER);
	choice = script != NULL ? choose(script, nth) : NULL;
	while (choice != NULL && (word = strsep(&choice, " ")) != NULL) {
		if (strcmp(word, "silence") == 0)
			return false;
		if (strcmp(word, "servfail") == 0)
			code = SERVFAIL;
		else if (strcmp(word, "truncated") == 0)
			reply->bytes[2] |= 2;
		else if (word[0] != '\0')
			put_answer(reply, name, type, word);
	}
	reply->bytes[3] |= (unsigned char)code;
	return true;
}

static void serve_udp(const char *file, int fd)
{
	static struct message query, reply;
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t got = recvfrom(
		fd, query.bytes, sizeof(query.bytes), 0, (struct sockaddr *)&from, &length);

	if (got < HEADER)
		return;
	query.length = (size_t)got;
	if (answer(file, &query, &reply))
		sendto(fd, reply.bytes, reply.length, 0, (struct sockaddr *)&from, length);
}

/* One query: its length, and then it, RFC 1035, section 4.2.2. False: there is none. */
static bool serve_tcp_query(const char *file, int fd)
{
	static struct message query, reply;
	uint16_t length = 0;

	if (recv(fd, &length, sizeof(length), MSG_WAITALL) != sizeof(length))
		return false;
	query.length = ntohs(length);
	if (query.length > sizeof(query.bytes) || query.length < HEADER ||
		recv(fd, query.bytes, query.length, MSG_WAITALL) != (ssize_t)query.length)
		return false;
	printf("by TCP: ");
	if (answer(file, &query, &reply)) {
		length = htons((uint16_t)reply.length);
		send(fd, &length, sizeof(length), MSG_NOSIGNAL);
		send(fd, reply.bytes, reply.length, MSG_NOSIGNAL);
	}
	return true;
}

static void serve_tcp(const char *file, int listener)
{
	int fd = accept(listener, NULL, NULL);

	while (fd >= 0 && serve_tcp_query(file, fd))
		;
	if (fd >= 0)
		close(fd);
}

static int open_port(int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		(type == SOCK_STREAM && listen(fd, 16) < 0))
		err(1, "port 53");
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd ports[] = {
		{.fd = open_port(SOCK_DGRAM), .events = POLLIN},
		{.fd = open_port(SOCK_STREAM), .events = POLLIN},
	};

	if (argc != 2)
		errx(64, "usage: nameserver FILE");
	printf("ready\n");
	fflush(stdout);
	while (poll(ports, 2, -1) > 0) {
		if (ports[0].revents != 0)
			serve_udp(argv[1], ports[0].fd);
		if (ports[1].revents != 0)
			serve_tcp(argv[1], ports[1].fd);
	}
	err(1, "poll");
}
