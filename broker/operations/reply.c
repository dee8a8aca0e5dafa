/* SPDX-License-Identifier: MIT */
/*
 * Must never: put what a client wrote into a text as anything but an argument.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "operation.h"
#include "reply.h"

void reply_init(struct reply *reply)
{
	reply->error = 0;
	reply->reason = FDBROKER_REASON_NONE;
	reply->fd = -1;
	reply->data = NULL;
	reply->data_length = 0;
	reply->verbs = 0;
	reply->object = "";
	reply->object_length = 0;
	reply->real_length = 0;
	reply->decision =
		(struct policy_decision){.outcome = POLICY_DENIED_NO_RULE, .rule = POLICY_NO_RULE};
}

/* ---- the outcome ---- */

enum served reply_refuse(struct reply *reply, int error, enum fdbroker_reason reason)
{
	reply->error = error;
	reply->reason = reason;
	return SERVED;
}

enum served reply_kernel(struct reply *reply, int error)
{
	return reply_refuse(reply, error, FDBROKER_REASON_KERNEL);
}

enum served reply_grant(struct reply *reply, int fd)
{
	reply->error = 0;
	reply->reason = FDBROKER_REASON_NONE;
	reply->fd = fd;
	return SERVED;
}

enum served reply_give(struct reply *reply, const void *data, size_t length)
{
	reply->data = data;
	reply->data_length = length;
	return reply_grant(reply, -1);
}

enum served reply_deny(const struct server *server, struct reply *reply, uint32_t rule)
{
	reply->decision = policy_denial(server->image, rule);
	return reply_refuse(reply, EACCES, FDBROKER_REASON_POLICY);
}

/* ---- the object ---- */

__attribute__((format(printf, 2, 0))) static void text_add(
	struct reply *reply, const char *format, va_list arguments)
{
	size_t room = sizeof(reply->text) - reply->object_length;
	int added = vsnprintf(reply->text + reply->object_length, room, format, arguments);

	if (added > 0)
		reply->object_length += (size_t)added < room ? (size_t)added : room - 1;
}

void reply_describe_as(struct reply *reply, enum policy_verb verb, const char *format, ...)
{
	va_list arguments;

	reply->verbs = POLICY_BIT(verb);
	reply->object = reply->text;
	reply->object_length = 0;
	va_start(arguments, format);
	text_add(reply, format, arguments);
	va_end(arguments);
}

void reply_describe_more(struct reply *reply, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_add(reply, format, arguments);
	va_end(arguments);
}

/* The host's part: an address, a name, or nothing. */
static void host_describe(const struct policy_endpoint *endpoint, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?", scope[16] = "";
	uint32_t cid;

	text[0] = '\0';
	switch (endpoint->family) {
	case POLICY_IPV4:
		inet_ntop(AF_INET, endpoint->address, text, (socklen_t)size);
		return;
	case POLICY_IPV6:
		inet_ntop(AF_INET6, endpoint->address, address, sizeof(address));
		if (endpoint->scope != 0)
			snprintf(scope, sizeof(scope), "%%%u", endpoint->scope);
		snprintf(text, size, "[%s%s]", address, scope);
		return;
	case POLICY_CID:
		memcpy(&cid, endpoint->address, sizeof(cid));
		cid = ntohl(cid);
		snprintf(text, size, cid == VMADDR_CID_ANY ? "*" : "%u", cid);
		return;
	case POLICY_NO_ADDRESS:
		if (endpoint->name_length > 0)
			snprintf(text, size, "%.*s", (int)endpoint->name_length, endpoint->name);
		return;
	}
}

void reply_describe(
	struct reply *reply, enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	const char *kind = policy_kind_name(endpoint->kind);
	char host[FDBROKER_HOST_MAX + 1];
	const char *device = endpoint->name_length > 0 ? host : "*"; /* whichever, or none */

	host_describe(endpoint, host, sizeof(host));
	switch (endpoint->kind) {
	case POLICY_VSOCK:
		if (endpoint->number == VMADDR_PORT_ANY) {
			reply_describe_as(reply, verb, "%s:%s:*", kind, host);
			return;
		}
		/* fall through */
	case POLICY_TCP:
	case POLICY_UDP:
		reply_describe_as(reply, verb, "%s:%s:%u", kind, host, endpoint->number);
		return;
	case POLICY_HOST:
		reply_describe_as(reply, verb, "%s:%s", kind, host);
		return;
	case POLICY_TUN:
	case POLICY_TAP:
		reply_describe_as(reply, verb, "%s:%s", kind, device);
		return;
	case POLICY_RAW:
	case POLICY_NETLINK:
		reply_describe_as(reply, verb, "%s:%u", kind, endpoint->number);
		return;
	case POLICY_BINDTODEVICE:
		reply_describe_as(reply, verb, "%s=%s", kind, device);
		return;
	case POLICY_ICMP:
	case POLICY_ICMP6:
		reply_describe_as(reply, verb, "%s", kind);
		return;
	default:
		reply_describe_as(reply, verb, "%s=%u", kind, endpoint->number);
		return;
	}
}

void reply_describe_real(struct reply *reply, const char *path, size_t length)
{
	if (length > sizeof(reply->real) ||
		(length == reply->object_length && memcmp(path, reply->object, length) == 0))
		return;
	memcpy(reply->real, path, length);
	reply->real_length = length;
}

/* ---- the audit log ---- */

static bool reply_was_allowed(const struct reply *reply)
{
	switch (reply->reason) {
	case FDBROKER_REASON_NONE:
	case FDBROKER_REASON_KERNEL:
	case FDBROKER_REASON_NAMES:
	case FDBROKER_REASON_BROKER: /* nobody waits for it any more */
	case FDBROKER_REASON_UNKNOWN:
	case FDBROKER_REASON_COPY: /* more or less of it is known by now, if not all */
		return reply->decision.outcome == POLICY_ALLOWED;
	default:
		return false;
	}
}

static bool reply_is_recorded(const struct reply *reply)
{
	uint8_t log = reply->decision.options.log;

	return log == POLICY_LOG_ALL || (log == POLICY_LOG_DENIED && !reply_was_allowed(reply));
}

static const char *asker_unit(const struct asker *asker)
{
	return asker->peer->text + asker->peer->unit;
}

static struct record reply_record(const struct asker *asker, const struct reply *reply)
{
	return (struct record){
		.kind = RECORD_DECISION,
		.uid = asker->peer->uid,
		.pid = asker->pid,
		.verbs = reply->verbs,
		.rule = reply->decision.rule,
		.error = reply->error,
		.reason = (uint8_t)reply->reason,
		.allowed = reply_was_allowed(reply),
		.outcome = (uint8_t)reply->decision.outcome,
		.unit_length = (uint8_t)strlen(asker_unit(asker)),
	};
}

/* What the record's text is behind the unit: ring.h. */
static const char *reply_text(const struct reply *reply, size_t *length)
{
	static char text[3 * (PATH_MAX + 1)];

	*length = reply->object_length;
	if (reply->real_length == 0)
		return reply->object;
	memcpy(text, reply->object, *length);
	text[(*length)++] = '\0';
	if (memchr(text, '\0', reply->object_length) == NULL) /* no target */
		text[(*length)++] = '\0';
	memcpy(text + *length, reply->real, reply->real_length);
	*length += reply->real_length;
	return text;
}

typedef void ring_function(
	struct ring *ring, const struct record *record, const void *unit, const void *text);

static void reply_write(const struct server *server, const struct asker *asker,
	const struct reply *reply, ring_function *write)
{
	struct record record = reply_record(asker, reply);
	size_t length;
	const char *text;

	if (!reply_is_recorded(reply)) {
		ring_drop_pending(server->ring);
		return;
	}
	text = reply_text(reply, &length);
	record.text_length = (uint16_t)(record.unit_length + length);
	write(server->ring, &record, asker_unit(asker), text);
}

void reply_audit(const struct server *server, const struct asker *asker, const struct reply *reply)
{
	reply_write(server, asker, reply, ring_write);
}

static void reply_audit_pending(
	const struct server *server, const struct asker *asker, struct reply *reply)
{
	reply_refuse(reply, EOWNERDEAD, FDBROKER_REASON_UNKNOWN);
	reply_write(server, asker, reply, ring_write_pending);
}

/* ---- the decision ---- */

bool reply_is_allowed(const struct server *server, const struct asker *asker, struct reply *reply)
{
	if (reply->decision.outcome == POLICY_ALLOWED) {
		if (server->may_wait)
			reply_audit_pending(server, asker, reply);
		return true;
	}
	reply_refuse(reply, EACCES,
		reply->decision.outcome == POLICY_DENIED_LIMITED ? FDBROKER_REASON_NARROWED
								 : FDBROKER_REASON_POLICY);
	return false;
}

bool reply_decide(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb, const struct policy_endpoint *endpoint)
{
	reply_describe(reply, verb, endpoint);
	reply->decision =
		policy_decide_endpoint(server->image, asker->peer, &asker->limits, verb, endpoint);
	return reply_is_allowed(server, asker, reply);
}

bool reply_decide_verb(const struct server *server, const struct asker *asker, struct reply *reply,
	enum policy_verb verb)
{
	reply->decision = policy_decide_verb(server->image, asker->peer, &asker->limits, verb);
	return reply_is_allowed(server, asker, reply);
}
