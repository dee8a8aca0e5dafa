/* SPDX-License-Identifier: MIT */
/*
 * What the broker could grant: its text compiled, as the broker compiles the policy, and asked what
 * the broker would ask. What a connection was narrowed to is left out, and so is where a file or a
 * socket lies: in doubt the answer is yes, and the broker says no.
 *
 * Must never: be taken for a decision, or hold the lock while it waits for anybody.
 */
#include "grants.h"

#include "endpoint.h"
#include "load.h"
#include "policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRESH_NSEC INT64_C(1000000000)
#define NEVER INT64_MIN

/* What one text of the broker says. */
struct known {
	char *text; /* NULL: nothing is known */
	size_t length;
	void *bytes;                      /* of the image */
	const struct policy_image *image; /* NULL, of a text: it makes no sense */
	struct policy_peer peer;
};

struct grants {
	pthread_rwlock_t lock; /* of what is known; the refreshing thread alone changes it */
	struct known known;
	_Atomic int64_t refreshed_nsec; /* when the last refresh began; or NEVER */
};

struct grants *grants_new(void)
{
	struct grants *grants = calloc(1, sizeof(*grants));

	if (grants == NULL)
		return NULL;
	/* Those who ask, one after the other, must not keep the answer from being replaced. */
	grants->lock = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
	atomic_init(&grants->refreshed_nsec, NEVER);
	return grants;
}

static void known_drop(struct known *known)
{
	free(known->text);
	free(known->bytes);
	*known = (struct known){0};
}

void grants_free(struct grants *grants)
{
	if (grants == NULL)
		return;
	known_drop(&grants->known);
	free(grants);
}

static int64_t now_nsec(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool grants_are_old(const struct grants *grants)
{
	int64_t refreshed = atomic_load(&grants->refreshed_nsec);

	return refreshed == NEVER || now_nsec() - refreshed >= FRESH_NSEC;
}

/* ---- from the broker's text to an image ---- */

/* The bytes of the file, which is in memory and sealed. False with errno. */
static bool read_text(int fd, struct known *known)
{
	struct stat status;
	size_t length = 0;
	ssize_t count = 1;

	if (fstat(fd, &status) != 0)
		return false;
	known->length = (size_t)status.st_size;
	known->text = malloc(known->length + 1);
	if (known->text == NULL)
		return false;
	while (length < known->length && count > 0) {
		count = pread(fd, known->text + length, known->length - length, (off_t)length);
		if (count < 0 && errno == EINTR)
			count = 1;
		else if (count > 0)
			length += (size_t)count;
	}
	known->length = length;
	return count >= 0;
}

/* Everything up to an image: 0, or -ENOMEM, or another negative errno if that is not to be had. */
static int compile(struct policy_set *set, struct known *known)
{
	size_t count, failed, size;
	struct policy_name *names;
	int error = policy_set_add_grants(set, known->text, known->length);

	if (error != 0)
		return error;
	names = policy_set_names(set, &count);
	error = policy_load_names(names, count, &failed);
	if (error == 0)
		error = policy_set_compile(set, &known->bytes, &size);
	if (error == 0)
		known->image = policy_image_open(known->bytes, size);
	return error;
}

/* False: out of memory. A text that makes no sense leaves known->image NULL. */
static bool make_sense(struct known *known)
{
	char storage[POLICY_PEER_TEXT_MAX];
	struct policy_identity identity;
	struct policy_set *set = policy_set_new();
	int error = set != NULL ? compile(set, known) : -ENOMEM;

	policy_set_free(set);
	if (error == -ENOMEM)
		errno = ENOMEM;
	if (error != 0 || known->image == NULL)
		return error != -ENOMEM;
	if (!policy_grants_identity(&identity, known->text, known->length, storage) ||
		policy_peer_init(&known->peer, known->image, &identity) != 0)
		known->image = NULL;
	return true;
}

/* One that made no sense is tried again: perhaps the name service had failed. */
static bool is_same(const struct known *known, const struct known *other)
{
	return known->image != NULL && known->length == other->length &&
	       memcmp(known->text, other->text, known->length) == 0;
}

/* Takes over what fresh says, and leaves in it what is to be dropped. */
static bool learn(struct grants *grants, struct known *fresh)
{
	struct known before;

	/* Nobody else writes to it, so no lock is needed to read. */
	if (is_same(&grants->known, fresh))
		return true;
	if (!make_sense(fresh))
		return false;
	pthread_rwlock_wrlock(&grants->lock);
	before = grants->known;
	grants->known = *fresh;
	pthread_rwlock_unlock(&grants->lock);
	*fresh = before;
	return true;
}

static int refresh(struct grants *grants, struct fdbroker *broker)
{
	struct known fresh = {0};
	int fd = fdbroker_grants(broker), error;
	bool done;

	if (fd < 0)
		return -1;
	done = read_text(fd, &fresh) && learn(grants, &fresh);
	error = errno;
	close(fd);
	known_drop(&fresh);
	errno = error;
	return done ? 0 : -1;
}

/* What has failed is not tried again at once either. */
int grants_refresh(struct grants *grants, struct fdbroker *broker)
{
	int64_t began = now_nsec();
	int result = refresh(grants, broker);

	atomic_store(&grants->refreshed_nsec, began);
	return result;
}

/* ---- asking the image ---- */

/* What is asked: of a path, or of an endpoint. */
struct question {
	uint32_t verbs;
	const char *path; /* NULL: of the endpoint */
	size_t length;
	struct policy_endpoint endpoint;
};

/*
 * POLICY_DENIED_CONFLICT is a no as well: by that the broker too refuses the request, which could
 * have been meant by either of two rules.
 */
static bool is_allowed(const struct known *known, const struct question *question)
{
	struct policy_decision decision;

	if (question->path != NULL)
		decision = policy_decide_path(known->image, &known->peer, NULL, question->verbs,
			question->path, question->length);
	else
		decision = policy_decide_endpoint(
			known->image, &known->peer, NULL, POLICY_BIND, &question->endpoint);
	return decision.outcome == POLICY_ALLOWED;
}

static bool ask(struct grants *grants, const struct question *question)
{
	bool allowed = false;

	pthread_rwlock_rdlock(&grants->lock);
	if (grants->known.image != NULL)
		allowed = is_allowed(&grants->known, question);
	else if (grants->known.text != NULL)
		allowed = true; /* it is said what is granted, in words that are not known here */
	pthread_rwlock_unlock(&grants->lock);
	return allowed;
}

static bool ask_path(struct grants *grants, uint32_t verbs, const char *path, size_t length)
{
	const struct question question = {.verbs = verbs, .path = path, .length = length};

	return length > 0 && path[0] == '/' && ask(grants, &question);
}

/* ---- open ---- */

bool grants_open(struct grants *grants, const char *path, size_t length, int flags)
{
	uint32_t verbs = policy_open_verbs((uint32_t)flags);

	return verbs != 0 && ask_path(grants, verbs, path, length);
}

/* ---- bind ---- */

/* What of the Internet has rules; MPTCP binds the ports of TCP, RFC 8684. False: nothing. */
static bool inet_kind(int type, int protocol, enum policy_kind *kind)
{
	if (type == SOCK_STREAM) {
		*kind = POLICY_TCP;
		return protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
	}
	*kind = POLICY_UDP;
	return type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP);
}

static bool set_address(struct policy_endpoint *judged, const struct fdbroker_endpoint *endpoint)
{
	uint32_t cid;

	memcpy(judged->address, endpoint->address, sizeof(judged->address));
	switch ((enum fdbroker_family)endpoint->family) {
	case FDBROKER_IPV4:
		judged->family = POLICY_IPV4;
		return true;
	case FDBROKER_IPV6:
		judged->family = POLICY_IPV6; /* a mapped one too: policy.h */
		judged->scope = endpoint->scope;
		return true;
	case FDBROKER_CID:
		memcpy(&cid, endpoint->address, sizeof(cid));
		cid = htonl(cid);
		memcpy(judged->address, &cid, sizeof(cid));
		judged->family = POLICY_CID;
		return true;
	default:
		return false;
	}
}

static bool ask_endpoint(struct grants *grants, const struct sockaddr *address, socklen_t length,
	int type, int protocol)
{
	struct question question = {.endpoint.kind = POLICY_VSOCK};
	struct fdbroker_endpoint endpoint;

	if (endpoint_from_sockaddr(&endpoint, address, length) != 0 ||
		!set_address(&question.endpoint, &endpoint))
		return false;
	if (endpoint.family != FDBROKER_CID && !inet_kind(type, protocol, &question.endpoint.kind))
		return false;
	question.endpoint.number = endpoint.port;
	return ask(grants, &question);
}

/* unix(7): the path ends where its NUL or the address does. */
static bool ask_unix(struct grants *grants, const struct sockaddr *address, socklen_t length)
{
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	struct sockaddr_un local;
	size_t path_length;

	if (length <= start || length > sizeof(local))
		return false;
	memcpy(&local, address, length);
	path_length = strnlen(local.sun_path, length - start);
	return path_length <= FDBROKER_UNIX_PATH_MAX &&
	       ask_path(grants, POLICY_BIT(POLICY_BIND), local.sun_path, path_length);
}

bool grants_bind(struct grants *grants, const struct sockaddr *address, socklen_t length, int type,
	int protocol)
{
	sa_family_t family;

	if (length < sizeof(family))
		return false;
	memcpy(&family, address, sizeof(family));
	if (family == AF_UNIX)
		return ask_unix(grants, address, length);
	return ask_endpoint(grants, address, length, type, protocol);
}
