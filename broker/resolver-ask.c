/* SPDX-License-Identifier: MIT */
/*
 * The executor's side of its resolver: asking, waiting, and believing nothing that comes back
 * before it has been checked. Code that took apart packets of the network ran where it came from.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "child.h"
#include "clock.h"
#include "log.h"
#include "resolver.h"

static int channel = -1;
static bool lost;

void resolver_attach(void)
{
	channel = fcntl(CHILD_RESOLVER, F_GETFL) >= 0 ? CHILD_RESOLVER : -1;
	lost = false;
}

int resolver_channel(void)
{
	return channel;
}

bool resolver_is_lost(void)
{
	return lost;
}

/* ---- what comes back ---- */

/* A name goes into logs and into programs that print it. */
static bool is_printable(const struct fdbroker_text *text)
{
	for (size_t i = 0; i < text->length; i++) {
		unsigned char byte = (unsigned char)text->bytes[i];

		if (byte <= ' ' || byte == 0x7f)
			return false;
	}
	return true;
}

/* Is that an answer to this question? The library refuses one that is not, and the connection with
 * it. */
static bool answer_fits(const struct resolver_query *query, const struct fdbroker_answer *answer)
{
	if ((query->question == RESOLVER_ADDRESSES) != (answer->address_count > 0))
		return false;
	for (unsigned int i = 0; i < answer->address_count; i++) {
		int family =
			answer->addresses[i].endpoint.family == FDBROKER_IPV4 ? AF_INET : AF_INET6;

		if (query->family != AF_UNSPEC && query->family != family)
			return false;
	}
	return true;
}

/* The codes of getaddrinfo(3) are negative and few; a failure has nothing beside its code. */
static bool answer_is_sound(
	const struct resolver_query *query, const struct fdbroker_answer *answer)
{
	if (!is_printable(&answer->name) || !is_printable(&answer->service))
		return false;
	if (answer->code == 0)
		return answer->error == 0 && answer->number >= 0 && answer_fits(query, answer);
	return answer->code < 0 && answer->code >= EAI_IDN_ENCODE && answer->address_count == 0 &&
	       answer->name.length == 0 && answer->service.length == 0 && answer->number == 0 &&
	       (answer->error == 0 || answer->code == EAI_SYSTEM);
}

/* The answer in place of one that will not come. */
static enum resolver_outcome resolver_lose(struct fdbroker_answer *answer)
{
	lost = true;
	memset(answer, 0, sizeof(*answer));
	answer->code = EAI_AGAIN;
	return RESOLVER_ANSWERED;
}

/*
 * A descriptor that came along would be closed when it is discarded, which can wait for ever: so
 * there is no room for one, and what has one stays where it is (MSG_CTRUNC).
 */
static ssize_t resolver_peek(void *data, size_t size)
{
	struct iovec bytes = {.iov_base = data, .iov_len = size};
	struct msghdr packet = {.msg_iov = &bytes, .msg_iovlen = 1};
	ssize_t length = recvmsg(channel, &packet, MSG_PEEK | MSG_DONTWAIT);

	if (length < 0)
		return 0; /* ECONNRESET: it has ended with the question unread, unix(7) */
	return (packet.msg_flags & MSG_CTRUNC) != 0 ? -1 : length;
}

static enum resolver_outcome resolver_hear(
	const struct resolver_query *query, struct fdbroker_answer *answer)
{
	static unsigned char data[FDBROKER_DATA_MAX + 1]; /* one more shows what is too long */
	ssize_t length = resolver_peek(data, sizeof(data));

	if (length == 0) {
		log_message(LOG_ERR, "the resolver has died over a question; it is replaced");
		return resolver_lose(answer);
	}
	if (length < 0 || length > (ssize_t)FDBROKER_DATA_MAX ||
		fdbroker_names_decode(data, (size_t)length, answer) < 0 ||
		!answer_is_sound(query, answer)) {
		log_message(LOG_ERR, "the resolver's answer is malformed; it is replaced");
		return resolver_lose(answer);
	}
	(void)recv(channel, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
	return RESOLVER_ANSWERED;
}

/* ---- asking ---- */

/*
 * Is there something already, before a question? It would be taken for the answer to this one. So
 * it is with the end of the channel.
 */
static bool resolver_speaks_unasked(void)
{
	struct pollfd ready = {.fd = channel, .events = POLLIN};

	return poll(&ready, 1, 0) != 0;
}

static bool resolver_answers(uint64_t deadline)
{
	struct pollfd ready = {.fd = channel, .events = POLLIN};

	for (;;) {
		uint64_t now = clock_msec();

		if (now >= deadline)
			return false;
		if (poll(&ready, 1, (int)(deadline - now)) > 0)
			return true;
	}
}

enum resolver_outcome resolver_ask(
	const struct resolver_query *query, uint64_t deadline, struct fdbroker_answer *answer)
{
	if (channel < 0)
		return resolver_lose(answer);
	if (lost || resolver_speaks_unasked() ||
		send(channel, query, sizeof(*query), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		lost = true;
		return RESOLVER_UNASKED;
	}
	if (resolver_answers(deadline))
		return resolver_hear(query, answer);
	log_message(LOG_NOTICE, "the name service does not answer in time");
	return resolver_lose(answer);
}
