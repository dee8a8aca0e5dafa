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

/* The codes of getaddrinfo(3) are negative and few; a failure has nothing beside its code. */
static bool answer_is_sound(const struct fdbroker_answer *answer)
{
	if (!is_printable(&answer->name) || !is_printable(&answer->service))
		return false;
	if (answer->code == 0)
		return answer->error == 0 && answer->number >= 0;
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

static enum resolver_outcome resolver_hear(struct fdbroker_answer *answer)
{
	static unsigned char data[FDBROKER_DATA_MAX + 1]; /* one more shows what is too long */
	ssize_t length = recv(channel, data, sizeof(data), MSG_DONTWAIT);

	if (length <= 0) {
		log_message(LOG_ERR, "the resolver has died over a question; it is replaced");
		return resolver_lose(answer);
	}
	if (length > (ssize_t)FDBROKER_DATA_MAX ||
		fdbroker_names_decode(data, (size_t)length, answer) < 0 ||
		!answer_is_sound(answer)) {
		log_message(LOG_ERR, "the resolver's answer is malformed; it is replaced");
		return resolver_lose(answer);
	}
	return RESOLVER_ANSWERED;
}

/* ---- asking ---- */

enum waited { WAITED_ANSWER, WAITED_CLIENT_GONE, WAITED_TOO_LONG };

static enum waited resolver_wait(int connection, uint64_t deadline)
{
	struct pollfd fds[] = {
		{.fd = channel, .events = POLLIN},
		{.fd = connection, .events = POLLRDHUP},
	};

	for (;;) {
		uint64_t now = clock_msec();

		if (now >= deadline)
			return WAITED_TOO_LONG;
		if (poll(fds, 2, (int)(deadline - now)) < 0 && errno != EINTR)
			return WAITED_TOO_LONG;
		if (fds[1].revents != 0)
			return WAITED_CLIENT_GONE;
		if (fds[0].revents != 0)
			return WAITED_ANSWER;
	}
}

enum resolver_outcome resolver_ask(const struct resolver_query *query, int connection,
	uint64_t deadline, struct fdbroker_answer *answer)
{
	if (channel < 0)
		return resolver_lose(answer);
	if (lost || send(channel, query, sizeof(*query), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		lost = true;
		return RESOLVER_UNASKED;
	}
	switch (resolver_wait(connection, deadline)) {
	case WAITED_ANSWER:
		return resolver_hear(answer);
	case WAITED_CLIENT_GONE:
		lost = true; /* it is busy with what nobody wants to know */
		return RESOLVER_CLIENT_GONE;
	case WAITED_TOO_LONG:
		break;
	}
	log_message(LOG_NOTICE, "the name service does not answer in time");
	return resolver_lose(answer);
}
