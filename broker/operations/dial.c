/* SPDX-License-Identifier: MIT */
/*
 * Connecting for a peer. A name is resolved once; each address that it led to is judged, and what
 * remains is connected to, so that nothing can lie between the judging and the deed: no second
 * answer, no name that leads somewhere else the next time. Whoever answers for a name decides where
 * it leads; so addresses that mean this machine or its link (RFC 6890, RFC 4291) are connected to
 * only if a rule by address allows them.
 *
 * Must never: resolve a name that the policy does not allow, or connect to what was not judged.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "../clock.h"
#include "../limits.h"
#include "../resolver.h"
#include "netns.h"
#include "operation.h"
#include "race.h"
#include "target.h"

struct dial {
	const struct server *server;
	const struct asker *asker;
	const struct fdbroker_request *request;
	struct reply *reply;
	enum policy_kind kind;
	uint32_t port;
	uint64_t deadline;
	struct target targets[FDBROKER_ADDRESSES_MAX];
	unsigned int count;
};

/* ---- asking the resolver ---- */

/* What a code of getaddrinfo(3) is as an errno. */
static int names_error(const struct fdbroker_answer *answer)
{
	switch (answer->code) {
	case EAI_NONAME:
	case EAI_NODATA:
		return ENOENT;
	case EAI_AGAIN:
		return EAGAIN;
	case EAI_SERVICE:
		return EINVAL;
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_SYSTEM:
		return answer->error != 0 ? answer->error : EIO;
	default:
		return EIO;
	}
}

/* False: there is nothing to go on with, and *served is what becomes of the request. */
static bool dial_ask(const struct dial *dial, const struct resolver_query *query,
	struct fdbroker_answer *answer, enum served *served)
{
	uint64_t deadline = clock_msec() + RESOLVE_DEADLINE_MSEC;

	*served = SERVED_ELSEWHERE;
	if (resolver_ask(query, deadline, answer) == RESOLVER_UNASKED)
		return false;
	if (answer->code == 0)
		return true;
	*served = reply_refuse(dial->reply, names_error(answer), FDBROKER_REASON_NAMES);
	return false;
}

static struct resolver_query dial_query(const struct dial *dial, int flags)
{
	return (struct resolver_query){
		.question = RESOLVER_ADDRESSES,
		.flags = flags,
		.is_absolute = 1, /* a rule by name is for that name, not for one that begins so */
		.family = AF_UNSPEC,
		.socktype = dial->kind == POLICY_UDP ? SOCK_DGRAM : SOCK_STREAM,
	};
}

/* From the name of the service to its port, before anything else is asked or judged. */
static bool dial_find_port(struct dial *dial, struct fdbroker_answer *answer, enum served *served)
{
	const struct fdbroker_text *service = &dial->request->service;
	struct resolver_query query = dial_query(dial, 0);

	memcpy(query.service, service->bytes, service->length);
	if (!dial_ask(dial, &query, answer, served))
		return false;
	dial->port = answer->addresses[0].endpoint.port;
	return true;
}

static bool dial_find_addresses(
	const struct dial *dial, struct fdbroker_answer *answer, enum served *served)
{
	const struct fdbroker_text *host = &dial->request->host;
	struct resolver_query query = dial_query(dial, AI_ADDRCONFIG | AI_CANONNAME);

	memcpy(query.node, host->bytes, host->length);
	return dial_ask(dial, &query, answer, served);
}

/* ---- judging ---- */

static bool address_allowed(const struct dial *dial, const struct target *target)
{
	struct policy_decision decision = policy_decide_endpoint(dial->server->image,
		dial->asker->peer, &dial->asker->limits, POLICY_CONNECT, &target->judged);

	return decision.outcome == POLICY_ALLOWED &&
	       netns_permits_ours(dial->server, dial->asker, &decision.options);
}

/* For the log: an address that a name led to. */
static void dial_describe_address(struct reply *reply, const struct target *target)
{
	int family = target->judged.family == POLICY_IPV4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, target->judged.address, text, sizeof(text));
	reply_describe_more(reply, " (%s)", text);
}

/* The rule that denies this; or POLICY_NO_RULE. */
static uint32_t dial_deny(const struct dial *dial, const struct policy_endpoint *found)
{
	return policy_deny_endpoint(dial->server->image, dial->asker->peer, POLICY_CONNECT, found);
}

/* Of all that the name led to, what may be connected to. False: nothing. */
static bool dial_judge_addresses(struct dial *dial, const struct fdbroker_answer *answer)
{
	const struct policy_endpoint canonical = {.kind = dial->kind,
		.number = dial->port,
		.name = answer->name.bytes,
		.name_length = answer->name.length};
	uint32_t rule = answer->name.length > 0 ? dial_deny(dial, &canonical) : POLICY_NO_RULE;

	if (rule != POLICY_NO_RULE) {
		reply_deny(dial->server, dial->reply, rule);
		return false;
	}
	for (unsigned int i = 0; i < answer->address_count; i++) {
		struct target *target = &dial->targets[dial->count];
		struct fdbroker_endpoint endpoint = answer->addresses[i].endpoint;
		uint32_t denied;

		endpoint.port = dial->port;
		target_init(target, &endpoint, dial->kind);
		denied = dial_deny(dial, &target->judged);
		if (denied != POLICY_NO_RULE)
			rule = denied;
		else if (!target_is_special(target) || address_allowed(dial, target))
			dial->count++;
	}
	if (dial->count > 0)
		return true;
	dial_describe_address(dial->reply, &dial->targets[0]); /* the last one, and perhaps all */
	reply_deny(dial->server, dial->reply, rule);
	return false;
}

/* What was asked for, judged before any name travels. */
static bool dial_decide(struct dial *dial)
{
	const struct fdbroker_request *request = dial->request;
	struct fdbroker_endpoint endpoint = request->endpoint;
	struct policy_endpoint judged = {.kind = dial->kind,
		.number = dial->port,
		.name = request->host.bytes,
		.name_length = request->host.length};

	if (request->host.length == 0) {
		endpoint.port = dial->port;
		target_init(&dial->targets[0], &endpoint, dial->kind);
		dial->count = 1;
		judged = dial->targets[0].judged;
	}
	if (!reply_decide(dial->server, dial->asker, dial->reply, POLICY_CONNECT, &judged))
		return false;
	if (netns_permits_ours(dial->server, dial->asker, &dial->reply->decision.options))
		return true;
	reply_refuse(dial->reply, EACCES, FDBROKER_REASON_NETNS);
	return false;
}

/* The port of a service is not known yet: is there anything at all that the peer may connect to? */
static bool dial_decide_service(struct dial *dial)
{
	const struct fdbroker_request *request = dial->request;
	struct reply *reply = dial->reply;

	reply_describe_as(reply, POLICY_CONNECT, "%s:%.*s:%.*s", policy_kind_name(dial->kind),
		(int)request->host.length, request->host.length > 0 ? request->host.bytes : "",
		(int)request->service.length, request->service.bytes);
	return reply_decide_verb(dial->server, dial->asker, reply, POLICY_CONNECT);
}

/* ---- the deed ---- */

static enum served dial_connect(struct dial *dial)
{
	unsigned int decisive;
	int fd;

	race_interleave(dial->targets, dial->count);
	fd = race_connect(
		dial->targets, dial->count, dial->asker->connection, dial->deadline, &decisive);
	if (dial->request->host.length > 0)
		dial_describe_address(dial->reply, &dial->targets[decisive]);
	if (fd == -ECANCELED)
		return reply_refuse(dial->reply, ECONNRESET, FDBROKER_REASON_BROKER);
	return fd < 0 ? reply_kernel(dial->reply, -fd) : reply_grant(dial->reply, fd);
}

enum served serve_dial(const struct server *server, const struct asker *asker,
	const struct fdbroker_request *request, int received, struct reply *reply)
{
	static struct fdbroker_answer answer;
	static struct dial dial;
	bool has_service = request->service.length > 0;
	enum served served;

	(void)received; /* the protocol lets none come along */
	dial.server = server;
	dial.asker = asker;
	dial.request = request;
	dial.reply = reply;
	dial.kind = target_kind((enum fdbroker_protocol)request->endpoint.protocol);
	dial.port = request->endpoint.port;
	dial.deadline = clock_msec() + DIAL_DEADLINE_MSEC;
	dial.count = 0;
	if (has_service && !dial_decide_service(&dial))
		return SERVED;
	if (has_service && !server->may_wait)
		return SERVED_ELSEWHERE;
	if (has_service && !dial_find_port(&dial, &answer, &served))
		return served;
	if (!dial_decide(&dial))
		return SERVED;
	if (!server->may_wait)
		return SERVED_ELSEWHERE;
	if (request->host.length == 0)
		return dial_connect(&dial);
	if (!dial_find_addresses(&dial, &answer, &served))
		return served;
	return dial_judge_addresses(&dial, &answer) ? dial_connect(&dial) : SERVED;
}
