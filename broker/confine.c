/* SPDX-License-Identifier: MIT */
/*
 * Giving up privileges, in the only order that works: the bounding set and the securebits need
 * CAP_SETPCAP, so they go before the capabilities; the user goes before the securebits are locked;
 * no_new_privs goes before seccomp, which needs it or CAP_SYS_ADMIN (seccomp(2)); and dumpable goes
 * last of those that change it, since a change of user sets it anew (prctl(2)).
 *
 * Everything that was given up is read back from the kernel.
 */
#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine.h"
#include "log.h"

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_WORKER] = "worker",
	[ROLE_EXECUTOR] = "executor",
	[ROLE_NAMES] = "names",
	[ROLE_RESOLVER] = "resolver",
};

#define SET(capability) ((capability_set)1 << (capability))

/* With no_new_privs these cannot be used to gain anything, but a set that is zero needs no
 * argument. */
#define SECUREBITS                                                                                 \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
		SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED)

const char *role_name(enum role role)
{
	return role_names[role];
}

/*
 * What serving sockets needs beside ports. sk_setsockopt() in net/core/sock.c and
 * do_ip_setsockopt() in net/ipv4/ip_sockglue.c ask for CAP_NET_RAW or CAP_NET_ADMIN, the first of
 * which can do less (SO_MARK and SO_PRIORITY since Linux 5.17).
 */
static capability_set socket_capabilities(const struct policy_needs *needs)
{
	const uint32_t raw = POLICY_BIT(POLICY_RAW) | POLICY_BIT(POLICY_MARK) |
			     POLICY_BIT(POLICY_PRIORITY) | POLICY_BIT(POLICY_TRANSPARENT) |
			     POLICY_BIT(POLICY_BINDTODEVICE);
	const uint32_t admin = POLICY_BIT(POLICY_TUN) | POLICY_BIT(POLICY_TAP) |
			       POLICY_BIT(POLICY_RCVBUFFORCE) | POLICY_BIT(POLICY_SNDBUFFORCE) |
			       POLICY_BIT(POLICY_DEBUG);
	capability_set set = 0;

	if ((needs->allowed_kinds & raw) != 0 || needs->device ||
		(needs->with & POLICY_WITH_TRANSPARENT) != 0)
		set |= SET(CAP_NET_RAW);
	if ((needs->allowed_kinds & admin) != 0)
		set |= SET(CAP_NET_ADMIN);
	if (needs->unix_path)
		set |= SET(CAP_DAC_OVERRIDE);
	return set;
}

capability_set confine_capabilities(const struct policy_needs *needs, enum role role)
{
	const uint32_t writing = POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_APPEND) |
				 POLICY_BIT(POLICY_CREATE) | POLICY_BIT(POLICY_REMOVE);
	capability_set set = 0;

	if (role == ROLE_NAMES || role == ROLE_RESOLVER)
		return 0;
	if ((needs->own_verbs & writing) != 0)
		set |= SET(CAP_DAC_OVERRIDE);
	else if ((needs->own_verbs & POLICY_FILE_VERBS) != 0)
		set |= SET(CAP_DAC_READ_SEARCH);
	if (needs->low_port)
		set |= SET(CAP_NET_BIND_SERVICE);
	/* Only executors create. FOWNER: the mode is set when the file is somebody else's already.
	 */
	if (needs->owner && role != ROLE_WORKER)
		set |= SET(CAP_CHOWN) | SET(CAP_FOWNER);
	if (needs->as && role != ROLE_WORKER)
		set |= SET(CAP_SETUID) | SET(CAP_SETGID);
	if (role != ROLE_WORKER)
		set |= socket_capabilities(needs);
	return set;
}

void confine_capability_names(capability_set set, char *names, size_t size)
{
	size_t length = 0;

	names[0] = '\0';
	for (int i = 0; i <= CAP_LAST_CAP && length < size; i++) {
		char *name = (set & SET(i)) != 0 ? cap_to_name(i) : NULL;
		int n;

		if (name == NULL)
			continue;
		for (char *c = name; *c != '\0'; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		n = snprintf(names + length, size - length, "%s%s", length > 0 ? " " : "", name);
		length += (size_t)(n > 0 ? n : 0);
		cap_free(name);
	}
}

/* ---- capability sets ---- */

static int capabilities_get(cap_flag_t flag, capability_set *set)
{
	cap_t state = cap_get_proc();

	*set = 0;
	if (state == NULL)
		return -errno;
	for (int i = 0; i < 64; i++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (cap_get_flag(state, i, flag, &value) == 0 && value == CAP_SET)
			*set |= SET(i);
	}
	cap_free(state);
	return 0;
}

static int capabilities_fill(cap_t state, cap_flag_t flag, capability_set set)
{
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if ((set & SET(i)) != 0 && cap_set_flag(state, flag, 1, &i, CAP_SET) < 0)
			return -errno;
	return 0;
}

static int capabilities_set(
	capability_set effective, capability_set permitted, capability_set inheritable)
{
	cap_t state = cap_init();
	int error;

	if (state == NULL)
		return -errno;
	error = capabilities_fill(state, CAP_EFFECTIVE, effective);
	if (error == 0)
		error = capabilities_fill(state, CAP_PERMITTED, permitted);
	if (error == 0)
		error = capabilities_fill(state, CAP_INHERITABLE, inheritable);
	if (error == 0 && cap_set_proc(state) < 0)
		error = -errno;
	cap_free(state);
	return error;
}

capability_set confine_permitted(void)
{
	capability_set set;

	return capabilities_get(CAP_PERMITTED, &set) == 0 ? set : 0;
}

/* ---- the steps ---- */

static int step_failed(const char *step, int error)
{
	log_message(LOG_ERR, "cannot give up privileges: %s: %s", step, strerror(-error));
	return error;
}

int confine_become(uid_t uid, gid_t gid)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return step_failed("PR_SET_KEEPCAPS", -errno);
	if (setgroups(0, NULL) < 0)
		return step_failed("setgroups", -errno);
	if (setresgid(gid, gid, gid) < 0)
		return step_failed("setresgid", -errno);
	if (setresuid(uid, uid, uid) < 0)
		return step_failed("setresuid", -errno);
	if (getgroups(0, NULL) != 0)
		return step_failed("groups are left behind", -EPERM);
	return 0;
}

/* Without CAP_SETPCAP neither can be changed: no_new_privs then is what keeps exec from gaining. */
static int drop_bounding_and_securebits(capability_set keep)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if ((keep & SET(i)) == 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return step_failed("the bounding set", -errno);
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
		return step_failed("the securebits", -errno);
	return 0;
}

/* The supervisor's children get its set as ambient ones; nobody else's exec gets any. */
static int set_ambient(capability_set ambient)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return step_failed("the ambient set", -errno);
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if ((ambient & SET(i)) != 0 &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return step_failed("the ambient set", -errno);
	return 0;
}

/* ---- and the proof ---- */

static int verify_set(cap_flag_t flag, capability_set expected, const char *what)
{
	capability_set set;
	int error = capabilities_get(flag, &set);

	if (error == 0 && set != expected)
		error = -EPERM;
	return error < 0 ? step_failed(what, error) : 0;
}

int confine_suspend(void)
{
	int error = capabilities_set(0, confine_permitted(), 0);

	if (error < 0)
		return step_failed("clearing the effective capabilities", error);
	return verify_set(CAP_EFFECTIVE, 0, "the effective set is not empty");
}

int confine_resume(void)
{
	const capability_set permitted = confine_permitted();
	int error = capabilities_set(permitted, permitted, 0);

	if (error < 0)
		return step_failed("raising the effective capabilities", error);
	return verify_set(CAP_EFFECTIVE, permitted, "the effective set is not what it should be");
}

static int verify_capabilities(
	capability_set permitted, capability_set effective, capability_set inherited)
{
	int error;

	error = verify_set(CAP_PERMITTED, permitted, "the permitted set is not what it should be");
	if (error == 0)
		error = verify_set(
			CAP_EFFECTIVE, effective, "the effective set is not what it should be");
	if (error == 0)
		error = verify_set(
			CAP_INHERITABLE, inherited, "the inheritable set is not what it should be");
	for (int i = 0; error == 0 && i <= CAP_LAST_CAP; i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) !=
			((inherited & SET(i)) != 0))
			error = step_failed("the ambient set is not what it should be", -EPERM);
	return error;
}

static int verify_bounding_and_securebits(capability_set keep)
{
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if ((keep & SET(i)) == 0 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			return step_failed("the bounding set is not what it should be", -EPERM);
	if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != SECUREBITS)
		return step_failed("the securebits are not what they should be", -EPERM);
	return 0;
}

/* What keeps an executor that acts as others from becoming root is its filter: no setuid(2). */
static int verify_user(capability_set effective)
{
	const bool may_change = (effective & SET(CAP_SETUID)) != 0;
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
		getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return step_failed("getresuid", -errno);
	if (uids[0] != uids[1] || uids[0] != uids[2] || gids[0] != gids[1] || gids[0] != gids[2])
		return step_failed("a user or group is left behind", -EPERM);
	if (!may_change && uids[0] != 0 && setuid(0) == 0)
		return step_failed("the user can be changed back to root", -EPERM);
	return 0;
}

static int verify_process(void)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return step_failed("no_new_privs is not set", -EPERM);
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return step_failed("the process is dumpable", -EPERM);
	return 0;
}

/* All but the bounding set and the securebits. */
static int drop(capability_set permitted, capability_set effective, capability_set inherited)
{
	int error = capabilities_set(effective, permitted, inherited);

	if (error < 0)
		return step_failed("the capabilities", error);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return step_failed("no_new_privs", -errno);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return step_failed("dumpable", -errno);
	return 0;
}

int confine_for_good(enum role role, capability_set keep)
{
	const capability_set setpcap = confine_permitted() & SET(CAP_SETPCAP);
	const capability_set inherited = role == ROLE_SUPERVISOR ? keep : 0;
	const capability_set effective = role == ROLE_SUPERVISOR ? 0 : keep;
	int error;

	error = capabilities_set(setpcap, keep | setpcap, inherited);
	if (error < 0)
		return step_failed("the capabilities", error);
	error = set_ambient(inherited);
	if (error == 0 && setpcap != 0)
		error = drop_bounding_and_securebits(keep);
	if (error == 0 && setpcap != 0)
		error = verify_bounding_and_securebits(keep);
	if (error == 0)
		error = drop(keep, effective, inherited);
	if (error == 0)
		error = verify_capabilities(keep, effective, inherited);
	if (error == 0)
		error = verify_user(effective);
	return error == 0 ? verify_process() : error;
}
