/* SPDX-License-Identifier: MIT */
/*
 * A client that does what it is told over one connection, so that a shell script can see how a
 * long-lived client fares: ask [COMMAND...], each one argument, or one on each line of the
 * standard input. Every command prints one line at once: "ok", "ok ANSWER", or an errno and the
 * library's reason ("EACCES policy"). The exit status is 0 unless a command is not understood.
 *
 *	open PATH [FLAGS [MODE]]     FLAGS as in open(2), joined by |
 *	cat PATH                     open, read all, close; newlines come out as \n
 *	many PATH...                 fdbroker_open_many; "ok" or the errno and reason of each
 *	bind tcp|udp ADDRESS PORT [v6only]   an own socket, bound in place
 *	listen ENDPOINT              fdbroker_listen
 *	cat-often PATH CONTENT FILE  opens until FILE exists, then removes it; see below
 *	bind-often PATH SECONDS      binds a unix socket and closes it, again and again; see below
 *	socket DOMAIN TYPE PROTOCOL  fdbroker_socket; numbers, or words as in socket(2)
 *	tun DEVICE [FLAGS]           fdbroker_tun
 *	dial ENDPOINT                fdbroker_dial
 *	resolve NODE                 fdbroker_getaddrinfo: canonical name and addresses, or EAI_...
 *	stat PATH | lstat PATH       mode, owner and size
 *	access PATH MODE             MODE is a number as of access(2)
 *	readlink PATH | mkdir PATH | rmdir PATH | unlink PATH | rename PATH PATH
 *	list PATH                    fdbroker_list: the names, sorted; it is kept as the descriptor
 *	grants                       fdbroker_grants: the text; newlines come out as \n
 *	limit VERBS OBJECT           fdbroker_limit, with this one
 *	name-of ADDRESS [FLAGS]      fdbroker_getnameinfo; FLAGS: numeric|nofqdn|namereqd
 *	make DOMAIN TYPE [PROTOCOL] | make file PATH     an own socket, or what is none
 *	adopt NUMBER                 a descriptor that was inherited
 * These use the descriptor that was got last; the socket is the client's own, and is sent along:
 *	bind-it ADDRESS | connect-it ADDRESS      ADDRESS is: inet HOST PORT, inet6 HOST PORT,
 *	                             unix PATH, vsock CID PORT
 *	set-option LEVEL NAME VALUE  fdbroker_setsockopt; a VALUE that is no number is a text
 * or is looked at:
 *	read | write TEXT | flags | name | peer | start-listening | answer TEXT | receive | close
 *	get-option LEVEL NAME | nonblock | connected | ping
 * These use no broker:
 *	confine                      no_new_privs, and a filter that forbids open(2), bind(2), ...
 *	sandbox FLAGS                fdbroker_sandbox
 *	open-myself PATH | bind-myself ADDRESS PORT
 *	become UID                   this and no other user from now on
 *	umask OCTAL | chdir PATH | say TEXT | sleep SECONDS | wait-for FILE | connect-again
 *	clone                        fdbroker_clone; it is the one in use from now on
 *	adopt-connection NUMBER      fdbroker_from_fd; it is the one in use from now on
 *
 * With --direct as the first argument there is no broker at all: those of the above that stand for
 * a system call make it themselves, and print the errno alone.
 *
 * cat-often counts what it sees: CONTENT, a refusal, or something else, which it shows. bind-often
 * counts how often it got the name, and how often somebody else had it while it was bound.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fdbroker.h"
#include "open-flags.h"
#include "words.h"

#define WORDS_MAX 80
#define ENOUGH_OPENS 5000ul

struct client {
	struct fdbroker *broker;
	int fd; /* what open, bind or listen got last */
};

/* ---- what is printed ---- */

static void print_escaped(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '\n')
			fputs("\\n", stdout);
		else if (byte < ' ' || byte > '~')
			printf("\\x%02x", byte);
		else
			putchar(byte);
	}
}

static void print_answer(const char *text, size_t length)
{
	fputs("ok ", stdout);
	print_escaped(text, length);
	putchar('\n');
}

/* For calls of the library. */
static void print_refusal(void)
{
	int error = errno;

	printf("%s %s\n", errno_word(error), reason_word(fdbroker_last_reason()));
}

/* With --direct. */
static bool is_direct;

/* For calls that the library stands for. */
static void print_outcome(int result)
{
	if (result >= 0)
		printf("ok\n");
	else if (is_direct)
		printf("%s\n", errno_word(errno));
	else
		print_refusal();
}

/* For the kernel's own calls. */
static void print_result(int result)
{
	if (result < 0)
		printf("%s\n", errno_word(errno));
	else
		printf("ok\n");
}

static void __attribute__((noreturn, format(printf, 1, 2))) misunderstood(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("ask: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(64);
}

/* ---- pieces ---- */

static int flags_from(const struct flag *table, size_t table_count, const char *text)
{
	char copy[256];
	char *rest = copy;
	int flags = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (const char *word; (word = strsep(&rest, "|")) != NULL;) {
		size_t i = 0;

		while (i < table_count && strcmp(table[i].name, word) != 0)
			i++;
		if (i < table_count)
			flags |= table[i].value;
		else if (word[0] >= '0' && word[0] <= '9')
			flags |= (int)strtoul(word, NULL, 0);
		else
			misunderstood("no such flag: %s", word);
	}
	return flags;
}

#define FLAGS_FROM(table, text) flags_from(table, sizeof(table) / sizeof((table)[0]), text)

static socklen_t address_from(const char *text, const char *port, struct sockaddr_storage *storage)
{
	struct sockaddr_in *four = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
	in_port_t number = htons((uint16_t)strtoul(port, NULL, 10));

	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = number;
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = number;
		return sizeof(*six);
	}
	misunderstood("no address: %s", text);
}

static void keep(struct client *client, int fd)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = fd;
}

static void keep_and_print(struct client *client, int fd)
{
	if (fd < 0) {
		print_outcome(-1);
		return;
	}
	keep(client, fd);
	printf("ok\n");
}

static ssize_t read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size && (got = read(fd, buffer + length, size - length)) != 0) {
		if (got < 0)
			return -1;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

/* ---- commands that ask the broker ---- */

static int open_path(const struct client *client, const char *path, int flags, mode_t mode)
{
	return is_direct ? open(path, flags | O_CLOEXEC, mode)
			 : fdbroker_open(client->broker, path, flags | O_CLOEXEC, mode);
}

static void do_open(struct client *client, int count, char **words)
{
	int flags = count > 2 ? FLAGS_FROM(open_flags, words[2]) : O_RDONLY;
	mode_t mode = count > 3 ? (mode_t)strtoul(words[3], NULL, 8) : 0666;

	keep_and_print(client, open_path(client, words[1], flags, mode));
}

static void do_cat(struct client *client, int count, char **words)
{
	char buffer[65536];
	ssize_t length;
	int fd = open_path(client, words[1], O_RDONLY, 0);

	(void)count;
	if (fd < 0) {
		print_outcome(-1);
		return;
	}
	length = read_all(fd, buffer, sizeof(buffer));
	if (length < 0)
		printf("%s reading\n", errno_word(errno));
	else
		print_answer(buffer, (size_t)length);
	close(fd);
}

static void do_many(struct client *client, int count, char **words)
{
	struct fdbroker_open_request requests[WORDS_MAX] = {0};

	for (int i = 1; i < count; i++) {
		requests[i - 1].path = words[i];
		requests[i - 1].flags = O_RDONLY | O_CLOEXEC;
	}
	if (fdbroker_open_many(client->broker, requests, (size_t)count - 1) < 0) {
		print_refusal();
		return;
	}
	for (int i = 0; i < count - 1; i++) {
		if (i > 0)
			printf(", ");
		if (requests[i].fd >= 0) {
			printf("ok");
			close(requests[i].fd);
		} else {
			printf("%s %s", errno_word(requests[i].error),
				reason_word(requests[i].reason));
		}
	}
	printf("\n");
}

static void do_bind(struct client *client, int count, char **words)
{
	struct sockaddr_storage address;
	socklen_t length;
	int type, fd, on = 1;

	if (count < 4)
		misunderstood("bind tcp|udp ADDRESS PORT [v6only]");
	length = address_from(words[2], words[3], &address);
	type = strcmp(words[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		print_result(fd);
		return;
	}
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (count > 4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fdbroker_bind(client->broker, fd, (struct sockaddr *)&address, length) != 0) {
		print_refusal();
		close(fd);
		return;
	}
	keep(client, fd);
	printf("ok\n");
}

/* Is this listener, which does not block, the one that the address leads to? */
static bool is_reached(int listener, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted = -1;

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	if (accepted >= 0)
		close(accepted);
	return accepted >= 0;
}

static void do_bind_often(struct client *client, int count, char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	time_t end = time(NULL) + (time_t)strtoul(words[2], NULL, 10);
	unsigned long bound = 0, lost = 0;

	(void)count;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", words[1]);
	while (time(NULL) < end) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fdbroker_bind(client->broker, fd, (const struct sockaddr *)&address,
			    sizeof(address)) == 0 &&
			listen(fd, 1) == 0) {
			bound++;
			for (int i = 0; i < 20; i++) {
				if (!is_reached(fd, &address)) {
					lost++;
					break;
				}
			}
		}
		close(fd);
	}
	printf("ok bound=%lu lost=%lu\n", bound, lost);
}

/* ---- sockets in all their forms ---- */

static const struct flag socket_words[] = {
	{"AF_UNIX", AF_UNIX},
	{"AF_INET", AF_INET},
	{"AF_INET6", AF_INET6},
	{"AF_NETLINK", AF_NETLINK},
	{"AF_PACKET", AF_PACKET},
	{"AF_VSOCK", AF_VSOCK},
	{"SOCK_STREAM", SOCK_STREAM},
	{"SOCK_DGRAM", SOCK_DGRAM},
	{"SOCK_SEQPACKET", SOCK_SEQPACKET},
	{"SOCK_RAW", SOCK_RAW},
	{"SOCK_NONBLOCK", SOCK_NONBLOCK},
	{"SOCK_CLOEXEC", SOCK_CLOEXEC},
	{"IPPROTO_ICMP", IPPROTO_ICMP},
	{"IPPROTO_ICMPV6", IPPROTO_ICMPV6},
	{"IPPROTO_MPTCP", IPPROTO_MPTCP},
	{"SOL_SOCKET", SOL_SOCKET},
	{"SOL_IP", IPPROTO_IP},
	{"SOL_IPV6", IPPROTO_IPV6},
	{"SO_MARK", SO_MARK},
	{"SO_PRIORITY", SO_PRIORITY},
	{"SO_RCVBUF", SO_RCVBUF},
	{"SO_RCVBUFFORCE", SO_RCVBUFFORCE},
	{"SO_SNDBUF", SO_SNDBUF},
	{"SO_SNDBUFFORCE", SO_SNDBUFFORCE},
	{"SO_DEBUG", SO_DEBUG},
	{"SO_REUSEPORT", SO_REUSEPORT},
	{"SO_KEEPALIVE", SO_KEEPALIVE},
	{"SO_BINDTODEVICE", SO_BINDTODEVICE},
	{"SO_ERROR", SO_ERROR},
	{"IP_FREEBIND", IP_FREEBIND},
	{"IP_TRANSPARENT", IP_TRANSPARENT},
	{"IPV6_FREEBIND", IPV6_FREEBIND},
	{"IPV6_TRANSPARENT", IPV6_TRANSPARENT},
	{"IPV6_V6ONLY", IPV6_V6ONLY},
};

/* Numbers and words, joined by |. */
static int socket_number(const char *text)
{
	char copy[256];
	char *rest = copy;
	int number = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (const char *word; (word = strsep(&rest, "|")) != NULL;) {
		size_t i = 0;

		while (i < sizeof(socket_words) / sizeof(socket_words[0]) &&
			strcmp(socket_words[i].name, word) != 0)
			i++;
		number |= i < sizeof(socket_words) / sizeof(socket_words[0])
				  ? socket_words[i].value
				  : (int)strtol(word, NULL, 0);
	}
	return number;
}

union any_address {
	struct sockaddr any;
	struct sockaddr_storage storage;
	struct sockaddr_un local;
	struct sockaddr_vm machine;
};

/* words: what stands after the name of the command. */
static socklen_t any_address_from(int count, char **words, union any_address *address)
{
	memset(address, 0, sizeof(*address));
	if (count == 2 && strcmp(words[0], "unix") == 0) {
		address->local.sun_family = AF_UNIX;
		memcpy(address->local.sun_path, words[1],
			strnlen(words[1], sizeof(address->local.sun_path)));
		return sizeof(address->local);
	}
	if (count == 3 && strcmp(words[0], "vsock") == 0) {
		address->machine.svm_family = AF_VSOCK;
		address->machine.svm_cid = (unsigned int)strtoul(words[1], NULL, 0);
		address->machine.svm_port = (unsigned int)strtoul(words[2], NULL, 0);
		return sizeof(address->machine);
	}
	if (count == 3)
		return address_from(words[1], words[2], &address->storage);
	misunderstood("no address: %s", words[0]);
}

static void do_make(struct client *client, int count, char **words)
{
	int fd;

	if (strcmp(words[1], "file") == 0)
		fd = open(words[2], O_RDONLY | O_CLOEXEC);
	else
		fd = socket(socket_number(words[1]), socket_number(words[2]) | SOCK_CLOEXEC,
			count > 3 ? socket_number(words[3]) : 0);
	print_result(fd);
	if (fd >= 0)
		keep(client, fd);
}

static void do_adopt(struct client *client, int count, char **words)
{
	(void)count;
	keep(client, (int)strtol(words[1], NULL, 10));
	printf("ok\n");
}

/* This machine, by a datagram or raw socket for ICMP, icmp(7). */
static void do_ping(struct client *client, int count, char **words)
{
	/* Type 8, echo; the checksum is right as long as all else is 0 (RFC 792). */
	unsigned char packet[64] = {8, 0, 0xf7, 0xff};
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 5};

	(void)count;
	(void)words;
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sendto(client->fd, packet, 8, 0, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		recv(client->fd, packet, sizeof(packet), 0) < 0)
		print_result(-1);
	else
		printf("ok\n");
}

static void do_bind_it(struct client *client, int count, char **words)
{
	union any_address address;
	socklen_t length = any_address_from(count - 1, words + 1, &address);

	print_outcome(is_direct ? bind(client->fd, &address.any, length)
				: fdbroker_bind(client->broker, client->fd, &address.any, length));
}

static void do_connect_it(struct client *client, int count, char **words)
{
	union any_address address;
	socklen_t length = any_address_from(count - 1, words + 1, &address);

	print_outcome(is_direct
			      ? connect(client->fd, &address.any, length)
			      : fdbroker_connect(client->broker, client->fd, &address.any, length));
}

static void do_set_option(struct client *client, int count, char **words)
{
	int level = socket_number(words[1]), name = socket_number(words[2]), number;
	const char *text = count > 3 ? words[3] : "";
	const void *value = text;
	socklen_t length = (socklen_t)strlen(text) + 1;
	char *end;

	number = (int)strtol(text, &end, 0);
	if (end != text && *end == '\0') {
		value = &number;
		length = sizeof(number);
	}
	print_outcome(is_direct ? setsockopt(client->fd, level, name, value, length)
				: fdbroker_setsockopt(
					  client->broker, client->fd, level, name, value, length));
}

static void do_get_option(struct client *client, int count, char **words)
{
	int level = socket_number(words[1]), name = socket_number(words[2]);
	char value[16] = "";
	socklen_t length = sizeof(value);
	int number;

	(void)count;
	if (getsockopt(client->fd, level, name, value, &length) < 0) {
		print_result(-1);
		return;
	}
	memcpy(&number, value, sizeof(number));
	if (name == SO_BINDTODEVICE && level == SOL_SOCKET)
		printf("ok %s\n", value);
	else
		printf("ok %d\n", number);
}

static void do_socket(struct client *client, int count, char **words)
{
	int domain = socket_number(words[1]), type = socket_number(words[2]);
	int protocol = socket_number(words[3]), fd;

	(void)count;
	fd = is_direct ? socket(domain, type, protocol)
		       : fdbroker_socket(client->broker, domain, type, protocol);
	print_outcome(fd);
	if (fd >= 0)
		keep(client, fd);
}

static void do_tun(struct client *client, int count, char **words)
{
	keep_and_print(client, fdbroker_tun(client->broker, words[1],
				       count > 2 ? (unsigned int)strtoul(words[2], NULL, 0) : 0));
}

static void do_nonblock(struct client *client, int count, char **words)
{
	int flags = fcntl(client->fd, F_GETFL);

	(void)count;
	(void)words;
	print_result(flags < 0 ? flags : fcntl(client->fd, F_SETFL, flags | O_NONBLOCK));
}

/* Is it connected? */
static void do_connected(struct client *client, int count, char **words)
{
	union any_address address;
	socklen_t length = sizeof(address);

	(void)count;
	(void)words;
	print_result(getpeername(client->fd, &address.any, &length));
}

static void do_listen(struct client *client, int count, char **words)
{
	(void)count;
	keep_and_print(client, fdbroker_listen(client->broker, words[1], 16));
}

static void do_cat_often(struct client *client, int count, char **words)
{
	unsigned long right = 0, refused = 0, wrong = 0;
	char buffer[4096];

	if (count < 4)
		misunderstood("cat-often PATH CONTENT FILE");
	while (right + refused < ENOUGH_OPENS || access(words[3], F_OK) != 0) {
		int fd = fdbroker_open(client->broker, words[1], O_RDONLY | O_CLOEXEC);
		ssize_t length;

		if (fd < 0) {
			refused++;
			continue;
		}
		length = read_all(fd, buffer, sizeof(buffer));
		if (length == (ssize_t)strlen(words[2]) &&
			memcmp(buffer, words[2], strlen(words[2])) == 0) {
			right++;
		} else if (wrong++ == 0) {
			fputs("ask: wrong content: ", stdout);
			print_answer(buffer, length > 0 ? (size_t)length : 0);
		}
		close(fd);
	}
	unlink(words[3]);
	printf("ok right=%lu refused=%lu wrong=%lu\n", right, refused, wrong);
}

static void do_dial(struct client *client, int count, char **words)
{
	(void)count;
	keep_and_print(client, fdbroker_dial(client->broker, words[1]));
}

static void print_code(int code)
{
	static const struct flag codes[] = {
		{"EAI_BADFLAGS", EAI_BADFLAGS},
		{"EAI_NONAME", EAI_NONAME},
		{"EAI_AGAIN", EAI_AGAIN},
		{"EAI_FAIL", EAI_FAIL},
		{"EAI_NODATA", EAI_NODATA},
	};

	if (code == EAI_SYSTEM) {
		print_refusal();
		return;
	}
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].value == code) {
			printf("%s %s\n", codes[i].name, reason_word(fdbroker_last_reason()));
			return;
		}
	}
	printf("code %d\n", code);
}

static void do_resolve(struct client *client, int count, char **words)
{
	const struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int code = fdbroker_getaddrinfo(client->broker, words[1], NULL, &hints, &list);

	(void)count;
	if (code != 0) {
		print_code(code);
		return;
	}
	printf("ok %s", list->ai_canonname != NULL ? list->ai_canonname : "-");
	for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
		char text[NI_MAXHOST];

		if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof(text), NULL, 0,
			    NI_NUMERICHOST) == 0)
			printf(" %s", text);
	}
	printf("\n");
	fdbroker_freeaddrinfo(list);
}

static const struct flag nameinfo_flags[] = {
	{"numeric", NI_NUMERICHOST},
	{"nofqdn", NI_NOFQDN},
	{"namereqd", NI_NAMEREQD},
};

static void do_name_of(struct client *client, int count, char **words)
{
	int flags = count > 2 ? FLAGS_FROM(nameinfo_flags, words[2]) : 0;
	struct sockaddr_storage address;
	socklen_t length = address_from(words[1], "0", &address);
	char host[NI_MAXHOST];
	int code = fdbroker_getnameinfo(client->broker, (const struct sockaddr *)&address, length,
		host, sizeof(host), NULL, 0, flags);

	if (code != 0)
		print_code(code);
	else
		print_answer(host, strlen(host));
}

static void print_status(int result, const struct stat *status)
{
	if (result < 0)
		print_refusal();
	else
		printf("ok %o %u:%u %jd\n", status->st_mode, status->st_uid, status->st_gid,
			(intmax_t)status->st_size);
}

static void do_stat(struct client *client, int count, char **words)
{
	struct stat status;

	(void)count;
	print_status(fdbroker_stat(client->broker, words[1], &status), &status);
}

static void do_lstat(struct client *client, int count, char **words)
{
	struct stat status;

	(void)count;
	print_status(fdbroker_lstat(client->broker, words[1], &status), &status);
}

static void do_access(struct client *client, int count, char **words)
{
	(void)count;
	print_outcome(fdbroker_access(client->broker, words[1], atoi(words[2])));
}

static void do_readlink(struct client *client, int count, char **words)
{
	char text[4096];
	ssize_t length = fdbroker_readlink(client->broker, words[1], text, sizeof(text));

	(void)count;
	if (length < 0)
		print_refusal();
	else
		print_answer(text, (size_t)length);
}

static void do_mkdir(struct client *client, int count, char **words)
{
	(void)count;
	print_outcome(fdbroker_mkdir(client->broker, words[1], 0777));
}

static void do_rmdir(struct client *client, int count, char **words)
{
	(void)count;
	print_outcome(fdbroker_rmdir(client->broker, words[1]));
}

static void do_unlink(struct client *client, int count, char **words)
{
	(void)count;
	print_outcome(fdbroker_unlink(client->broker, words[1]));
}

static void do_rename(struct client *client, int count, char **words)
{
	(void)count;
	print_outcome(fdbroker_rename(client->broker, words[1], words[2]));
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Of a list: each is ended by a NUL. */
static void print_names(char *bytes, size_t length)
{
	char *names[WORDS_MAX];
	size_t count = 0;

	for (size_t at = 0; at < length && count < WORDS_MAX; at += strlen(bytes + at) + 1)
		names[count++] = bytes + at;
	qsort(names, count, sizeof(names[0]), compare_names);
	printf("ok");
	for (size_t i = 0; i < count; i++) {
		putchar(' ');
		print_escaped(names[i], strlen(names[i]));
	}
	printf("\n");
}

static void do_list(struct client *client, int count, char **words)
{
	char bytes[65536];
	ssize_t length;
	int fd = fdbroker_list(client->broker, words[1]);

	(void)count;
	if (fd < 0) {
		print_refusal();
		return;
	}
	keep(client, fd);
	length = read_all(fd, bytes, sizeof(bytes));
	if (length < 0)
		print_result(-1);
	else
		print_names(bytes, (size_t)length);
}

static void do_grants(struct client *client, int count, char **words)
{
	static char text[1 << 20];
	ssize_t length;
	int fd = fdbroker_grants(client->broker);

	(void)count;
	(void)words;
	if (fd < 0) {
		print_refusal();
		return;
	}
	length = read_all(fd, text, sizeof(text));
	if (length < 0)
		print_result(-1);
	else
		print_answer(text, (size_t)length);
	close(fd);
}

static void do_limit(struct client *client, int count, char **words)
{
	const struct fdbroker_limit limit = {words[1], words[2]};

	(void)count;
	print_outcome(fdbroker_limit(client->broker, &limit, 1));
}

/* To whom is the descriptor connected? */
static void do_peer(struct client *client, int count, char **words)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	(void)count;
	(void)words;
	if (getpeername(client->fd, (struct sockaddr *)&address, &length) != 0 ||
		getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		print_result(-1);
	else
		printf("ok %s %s\n", host, port);
}

static void do_clone(struct client *client, int count, char **words)
{
	struct fdbroker *clone = fdbroker_clone(client->broker);

	(void)count;
	(void)words;
	if (clone == NULL) {
		print_refusal();
		return;
	}
	fdbroker_free(client->broker);
	client->broker = clone;
	printf("ok\n");
}

static void do_connect_again(struct client *client, int count, char **words)
{
	(void)count;
	(void)words;
	fdbroker_free(client->broker);
	client->broker = fdbroker_new(NULL);
	if (client->broker == NULL)
		print_refusal();
	else
		printf("ok\n");
}

static void do_adopt_connection(struct client *client, int count, char **words)
{
	struct fdbroker *adopted = fdbroker_from_fd((int)strtol(words[1], NULL, 10));

	(void)count;
	if (adopted == NULL) {
		print_refusal();
		return;
	}
	fdbroker_free(client->broker);
	client->broker = adopted;
	printf("ok\n");
}

/* ---- commands about the descriptor ---- */

static void do_read(struct client *client, int count, char **words)
{
	char buffer[65536];
	ssize_t length = read_all(client->fd, buffer, sizeof(buffer));

	(void)count;
	(void)words;
	if (length < 0)
		print_result(-1);
	else
		print_answer(buffer, (size_t)length);
}

static void do_write(struct client *client, int count, char **words)
{
	const char *text = count > 1 ? words[1] : "";

	print_result(write(client->fd, text, strlen(text)) < 0 ? -1 : 0);
}

static void do_flags(struct client *client, int count, char **words)
{
	int flags = fcntl(client->fd, F_GETFL);

	(void)count;
	(void)words;
	if (flags < 0) {
		print_result(flags);
		return;
	}
	printf("ok %s%s%s%s\n",
		(flags & O_ACCMODE) == O_RDONLY   ? "O_RDONLY"
		: (flags & O_ACCMODE) == O_WRONLY ? "O_WRONLY"
						  : "O_RDWR",
		flags & O_APPEND ? "|O_APPEND" : "", flags & O_NONBLOCK ? "|O_NONBLOCK" : "",
		flags & O_PATH ? "|O_PATH" : "");
}

static void do_name(struct client *client, int count, char **words)
{
	struct sockaddr_storage address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
	socklen_t length = sizeof(address);
	char text[INET6_ADDRSTRLEN];

	(void)count;
	(void)words;
	if (getsockname(client->fd, (struct sockaddr *)&address, &length) != 0)
		print_result(-1);
	else if (address.ss_family == AF_INET)
		printf("ok %s %u\n", inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text)),
			ntohs(four->sin_port));
	else
		printf("ok %s %u\n", inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text)),
			ntohs(six->sin6_port));
}

static void do_start_listening(struct client *client, int count, char **words)
{
	(void)count;
	(void)words;
	print_result(listen(client->fd, 16));
}

/* Answers one connection as an HTTP server would. */
static void do_answer(struct client *client, int count, char **words)
{
	const char *text = count > 1 ? words[1] : "";
	char request[4096];
	int fd = accept4(client->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		print_result(fd);
		return;
	}
	if (read(fd, request, sizeof(request)) > 0)
		dprintf(fd, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s\n", strlen(text) + 1,
			text);
	close(fd);
	printf("ok\n");
}

static void do_receive(struct client *client, int count, char **words)
{
	char buffer[4096];
	ssize_t length = recv(client->fd, buffer, sizeof(buffer), 0);

	(void)count;
	(void)words;
	if (length < 0)
		print_result(-1);
	else
		print_answer(buffer, (size_t)length);
}

static void do_close(struct client *client, int count, char **words)
{
	(void)count;
	(void)words;
	keep(client, -1);
	printf("ok\n");
}

/* ---- commands without the broker ---- */

static void do_confine(struct client *client, int count, char **words)
{
	static const char *const forbidden[] = {
		"open", "openat", "openat2", "creat", "open_by_handle_at", "bind"};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool done = filter != NULL && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

	(void)client;
	(void)count;
	(void)words;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		int number = seccomp_syscall_resolve_name(forbidden[i]);

		if (done && number != __NR_SCMP_ERROR)
			done = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) == 0;
	}
	done = done && seccomp_load(filter) == 0;
	seccomp_release(filter);
	if (!done)
		misunderstood("cannot confine myself");
	printf("ok\n");
}

static void do_sandbox(struct client *client, int count, char **words)
{
	(void)client;
	(void)count;
	print_result(fdbroker_sandbox((unsigned int)strtoul(words[1], NULL, 0)));
}

static void do_open_myself(struct client *client, int count, char **words)
{
	int fd = open(words[1], O_RDONLY | O_CLOEXEC);

	(void)count;
	if (fd >= 0)
		keep(client, fd);
	print_result(fd);
}

static void do_bind_myself(struct client *client, int count, char **words)
{
	struct sockaddr_storage address;
	socklen_t length;
	int fd, result;

	if (count < 3)
		misunderstood("bind-myself ADDRESS PORT");
	length = address_from(words[1], words[2], &address);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	result = fd < 0 ? fd : bind(fd, (struct sockaddr *)&address, length);
	print_result(result);
	if (result == 0)
		keep(client, fd);
	else if (fd >= 0)
		close(fd);
}

static void do_become(struct client *client, int count, char **words)
{
	uid_t uid = (uid_t)strtoul(words[1], NULL, 10);

	(void)client;
	(void)count;
	print_result(setresuid(uid, uid, uid));
}

static void do_umask(struct client *client, int count, char **words)
{
	(void)client;
	(void)count;
	umask((mode_t)strtoul(words[1], NULL, 8));
	printf("ok\n");
}

static void do_chdir(struct client *client, int count, char **words)
{
	(void)client;
	(void)count;
	print_result(chdir(words[1]));
}

static void do_say(struct client *client, int count, char **words)
{
	(void)client;
	printf("%s\n", count > 1 ? words[1] : "");
}

static void do_sleep(struct client *client, int count, char **words)
{
	(void)client;
	(void)count;
	usleep((useconds_t)(strtod(words[1], NULL) * 1e6));
	printf("ok\n");
}

static void do_wait_for(struct client *client, int count, char **words)
{
	(void)client;
	(void)count;
	while (access(words[1], F_OK) != 0)
		usleep(10000);
	printf("ok\n");
}

static const struct command {
	const char *name;
	int least; /* words, with the name */
	void (*run)(struct client *client, int count, char **words);
} commands[] = {
	{"open", 2, do_open},
	{"cat", 2, do_cat},
	{"many", 2, do_many},
	{"bind", 4, do_bind},
	{"listen", 2, do_listen},
	{"bind-often", 3, do_bind_often},
	{"socket", 4, do_socket},
	{"tun", 2, do_tun},
	{"make", 3, do_make},
	{"adopt", 2, do_adopt},
	{"ping", 1, do_ping},
	{"bind-it", 3, do_bind_it},
	{"connect-it", 3, do_connect_it},
	{"set-option", 3, do_set_option},
	{"get-option", 3, do_get_option},
	{"nonblock", 1, do_nonblock},
	{"connected", 1, do_connected},
	{"cat-often", 4, do_cat_often},
	{"dial", 2, do_dial},
	{"resolve", 2, do_resolve},
	{"name-of", 2, do_name_of},
	{"stat", 2, do_stat},
	{"lstat", 2, do_lstat},
	{"access", 3, do_access},
	{"readlink", 2, do_readlink},
	{"mkdir", 2, do_mkdir},
	{"rmdir", 2, do_rmdir},
	{"unlink", 2, do_unlink},
	{"rename", 3, do_rename},
	{"list", 2, do_list},
	{"grants", 1, do_grants},
	{"limit", 3, do_limit},
	{"peer", 1, do_peer},
	{"clone", 1, do_clone},
	{"connect-again", 1, do_connect_again},
	{"adopt-connection", 2, do_adopt_connection},
	{"read", 1, do_read},
	{"write", 1, do_write},
	{"flags", 1, do_flags},
	{"name", 1, do_name},
	{"start-listening", 1, do_start_listening},
	{"answer", 1, do_answer},
	{"receive", 1, do_receive},
	{"close", 1, do_close},
	{"confine", 1, do_confine},
	{"sandbox", 2, do_sandbox},
	{"open-myself", 2, do_open_myself},
	{"bind-myself", 3, do_bind_myself},
	{"become", 2, do_become},
	{"umask", 2, do_umask},
	{"chdir", 2, do_chdir},
	{"say", 1, do_say},
	{"sleep", 2, do_sleep},
	{"wait-for", 2, do_wait_for},
};

/* Words are parted by single spaces; the text of write, answer and say is all the rest. */
static int split(char *line, char **words)
{
	int count = 0;
	char *rest = line;

	while (count < WORDS_MAX && (words[count] = strsep(&rest, " ")) != NULL) {
		count++;
		if (count == 1 && rest != NULL &&
			(strcmp(words[0], "write") == 0 || strcmp(words[0], "answer") == 0 ||
				strcmp(words[0], "say") == 0)) {
			words[count++] = rest;
			break;
		}
	}
	return count;
}

static void run(struct client *client, char *line)
{
	char *words[WORDS_MAX];
	int count;

	if (line[0] == '\0')
		return;
	count = split(line, words);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, words[0]) != 0)
			continue;
		if (count < commands[i].least)
			misunderstood("%s: too few words", words[0]);
		commands[i].run(client, count, words);
		fflush(stdout);
		return;
	}
	misunderstood("no such command: %s", words[0]);
}

int main(int argc, char **argv)
{
	struct client client = {.broker = NULL, .fd = -1};
	char *line = NULL;
	size_t size = 0;

	is_direct = argc > 1 && strcmp(argv[1], "--direct") == 0;
	if (!is_direct)
		client.broker = fdbroker_new(NULL);
	if (!is_direct && client.broker == NULL) {
		print_refusal();
		return 1;
	}
	for (int i = is_direct ? 2 : 1; i < argc; i++)
		run(&client, argv[i]);
	while (argc == (is_direct ? 2 : 1) && getline(&line, &size, stdin) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		run(&client, line);
	}
	free(line);
	keep(&client, -1);
	fdbroker_free(client.broker);
	return 0;
}
