/* SPDX-License-Identifier: MIT */
/*
 * Asking the name service for a peer. What is denied is not asked at all, so that nobody learns a
 * name, or makes one travel over the network, who may not. Allow judges what was asked for; deny
 * judges that and what it led to: the canonical name, each address.
 *
 * The answer is the C library's own, but for what is denied: same order, same codes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "../clock.h"
#include "../limits.h"
#include "../resolver.h"
#include "operation.h"
#include "target.h"

/* ---- texts ---- */

static void text_copy(char *out, const struct fdbroker_text *text)
{
	if (text->length > 0)
		memcpy(out, text->bytes, text->length);
	out[text->length] = '\0';
}

/*
 * Is it an address, perhaps with a scope? Such a node needs no name service. What else the C
 * library takes for one, as "127.1", is judged as a name, and then as the address that it became.
 */
static bool text_is_address(const struct fdbroker_text *node)
{
	char text[FDBROKER_NAME_MAX + 1], *scope;
	unsigned char address[sizeof(struct in6_addr)];

	text_copy(text, node);
	if (inet_pton(AF_INET, text, address) == 1)
		return true;
	scope = strchr(text, '%');
	if (scope != NULL)
		*scope = '\0';
	return inet_pton(AF_INET6, text, address) == 1;
}

/* ---- judging ---- */

/* For what no object of the language names: may the peer ask for anything? */
static bool lookup_decide_verb(const struct server *server, const struct asker *asker,
	struct reply *reply, const char *kind, const struct fdbroker_text *what)
{
	reply_describe_as(reply, POLICY_RESOLVE, "%s:%.*s", kind, (int)what->length,
		what->length > 0 ? what->bytes : "");
	return reply_decide_verb(server, asker, reply, POLICY_RESOLVE);
}

/* Does a rule deny what was found? Then the reply says so. */
static bool lookup_denied(const struct server *server, const struct asker *asker,
	const struct policy_endpoint *found, struct reply *reply)
{
	uint32_t rule = policy_deny_endpoint(server->image, asker->peer, POLICY_RESOLVE, found);

	if (rule == POLICY_NO_RULE)
		return false;
	reply_deny(server, reply, rule);
	return true;
}

/* A name that is an address is that of an address without a name, which was judged. */
static bool lookup_name_denied(const struct server *server, const struct asker *asker,
	const struct fdbroker_text *name, struct reply *reply)
{
	const struct policy_endpoint found = {
		.kind = POLICY_HOST, .name = name->bytes, .name_length = name->length};

	return name->length > 0 && !text_is_address(name) &&
	       lookup_denied(server, asker, &found, reply);
}

/* An address as the policy judges it, without its port. */
static struct policy_endpoint lookup_address(const struct fdbroker_endpoint *endpoint)
{
	struct target target;

	target_init(&target, endpoint, POLICY_HOST);
	target.judged.number = 0;
	return target.judged;
}

/* Leaves out the addresses that are denied. False: that was all of them. */
static bool lookup_filter(const struct server *server, const struct asker *asker,
	struct fdbroker_answer *answer, struct reply *reply)
{
	const struct policy_decision decision = reply->decision;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < answer->address_count; i++) {
		struct policy_endpoint found = lookup_address(&answer->addresses[i].endpoint);

		if (!lookup_denied(server, asker, &found, reply))
			answer->addresses[kept++] = answer->addresses[i];
	}
	if (kept == 0 && answer->address_count > 0)
		return false;
	answer->address_count = kept;
	reply->decision = decision;
	return true;
}

/* ---- asking and answering ---- */

static enum served lookup_reply(const struct fdbroker_answer *answer, struct reply *reply)
{
	static unsigned char data[FDBROKER_DATA_MAX];

	if (answer->code != 0)
		reply_describe_more(reply, " (%s)", gai_strerror(answer->code));
	reply->data = data;
	reply->data_length = fdbroker_names_encode(data, answer);
	return reply_grant(reply, -1);
}

/* ---- getaddrinfo ---- */

static bool getaddrinfo_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, bool is_name, struct reply *reply)
{
	const struct policy_endpoint object = {.kind = POLICY_HOST,
		.name = request->host.bytes,
		.name_length = request->host.length};

	if (is_name)
		return reply_decide(server, asker, reply, POLICY_RESOLVE, &object);
	if (request->host.length > 0)
		return lookup_decide_verb(server, asker, reply, "address", &request->host);
	return lookup_decide_verb(server, asker, reply, "service", &request->service);
}

/*
 * The canonical name is always asked for, to be judged. Not as AI_CANONIDN has it: the policy knows
 * names as the network does (RFC 5890, A-labels).
 */
static void getaddrinfo_query(
	const struct fdbroker_request *request, bool is_name, struct resolver_query *query)
{
	*query = (struct resolver_query){
		.question = RESOLVER_ADDRESSES,
		.flags = request->addrinfo.flags & ~AI_CANONIDN,
		.family = request->addrinfo.family,
		.socktype = request->addrinfo.socktype,
		.protocol = request->addrinfo.protocol,
	};
	query->flags |= is_name ? AI_CANONNAME : AI_NUMERICHOST;
	text_copy(query->node, &request->host);
	text_copy(query->service, &request->service);
}

enum served serve_getaddrinfo(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static struct fdbroker_answer answer;
	bool is_name = request->host.length > 0 && !text_is_address(&request->host);
	struct resolver_query query;

	(void)received; /* the protocol lets none come along */
	if (!getaddrinfo_decide(server, asker, request, is_name, reply))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	getaddrinfo_query(request, is_name, &query);
	if (resolver_ask(&query, clock_msec() + RESOLVE_DEADLINE_MSEC, &answer) == RESOLVER_UNASKED)
		return SERVED_ELSEWHERE;
	if (is_name && lookup_name_denied(server, asker, &answer.name, reply))
		return SERVED;
	/* Without a node the addresses are constants (AI_PASSIVE), and no news. */
	if (request->host.length > 0 && !lookup_filter(server, asker, &answer, reply))
		return SERVED;
	if ((request->addrinfo.flags & AI_CANONNAME) == 0)
		answer.name.length = 0;
	return lookup_reply(&answer, reply);
}

/* ---- getnameinfo ---- */

static bool getnameinfo_decide(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, struct reply *reply)
{
	struct policy_endpoint object = lookup_address(&request->endpoint);
	char text[INET6_ADDRSTRLEN] = "?";

	if ((request->nameinfo.flags & NI_NUMERICHOST) == 0)
		return reply_decide(server, asker, reply, POLICY_RESOLVE, &object);
	inet_ntop(object.family == POLICY_IPV4 ? AF_INET : AF_INET6, object.address, text,
		sizeof(text));
	return lookup_decide_verb(server, asker, reply, "address",
		&(struct fdbroker_text){.bytes = text, .length = strlen(text)});
}

/*
 * The name without the domain of this machine (NI_NOFQDN). It is believed only if it is the
 * beginning of the name that was judged.
 */
static bool getnameinfo_shorten(
	struct resolver_query *query, uint64_t deadline, struct fdbroker_answer *answer)
{
	char full[FDBROKER_NAME_MAX + 1];
	size_t length;

	text_copy(full, &answer->name);
	query->flags |= NI_NOFQDN;
	if (resolver_ask(query, deadline, answer) == RESOLVER_UNASKED)
		return false;
	length = answer->name.length;
	if (answer->code == 0 && (memcmp(full, answer->name.bytes, length) != 0 ||
					 (full[length] != '\0' && full[length] != '.')))
		*answer = (struct fdbroker_answer){.code = EAI_AGAIN};
	return true;
}

enum served serve_getnameinfo(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static struct fdbroker_answer answer;
	const int not_judged = NI_NOFQDN | NI_IDN; /* other forms of the name */
	uint64_t deadline = clock_msec() + RESOLVE_DEADLINE_MSEC;
	struct resolver_query query = {
		.question = RESOLVER_NAME,
		.flags = request->nameinfo.flags & ~not_judged,
		.endpoint = request->endpoint,
	};

	(void)received;
	if (!getnameinfo_decide(server, asker, request, reply))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	if (resolver_ask(&query, deadline, &answer) == RESOLVER_UNASKED)
		return SERVED_ELSEWHERE;
	if (lookup_name_denied(server, asker, &answer.name, reply))
		return SERVED;
	if (answer.code == 0 && (request->nameinfo.flags & NI_NOFQDN) != 0 &&
		!getnameinfo_shorten(&query, deadline, &answer))
		return SERVED_ELSEWHERE;
	return lookup_reply(&answer, reply);
}

/* ---- getprotobyname ---- */

enum served serve_getprotobyname(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static struct fdbroker_answer answer;
	struct resolver_query query = {.question = RESOLVER_PROTOCOL};

	(void)received;
	if (!lookup_decide_verb(server, asker, reply, "protocol", &request->name))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	text_copy(query.node, &request->name);
	if (resolver_ask(&query, clock_msec() + RESOLVE_DEADLINE_MSEC, &answer) == RESOLVER_UNASKED)
		return SERVED_ELSEWHERE;
	return lookup_reply(&answer, reply);
}
