/* SPDX-License-Identifier: MIT */
/* Every number that bounds a policy, with its reason. */
#pragma once

/* Bytes of one file: every position in it fits 32 bits with room to add. */
#define POLICY_TEXT_MAX (1u << 28)
/* Rules, and objects of all rules: indices stay far below the marks that mean "none". */
#define POLICY_RULES_MAX (1u << 20)
#define POLICY_OBJECTS_MAX (1u << 22)
/* Client blocks: policy_peer.blocks holds their numbers in 16 bits. */
#define POLICY_BLOCKS_MAX 65535u
/* Ports or ranges of ports in one endpoint; more can only be a mistake. */
#define POLICY_PORTS_MAX 1024u
/* A path of the kernel: PATH_MAX - 1. One that is longer cannot be opened. */
#define POLICY_PATH_MAX 4095u
/* A component: NAME_MAX of every file system that matters; a length fits one byte. */
#define POLICY_COMPONENT_MAX 255u
/* A unix socket's path: unix(7), sun_path without the NUL at its end. */
#define POLICY_UNIX_PATH_MAX 107u
/* The name of a client block goes into every log line. */
#define POLICY_CLIENT_NAME_MAX 64u
/* A host name: RFC 1035, 2.3.4, without the last dot. */
#define POLICY_HOST_MAX 253u
/* A label of it. */
#define POLICY_LABEL_MAX 63u
/* An interface name: IFNAMSIZ - 1. */
#define POLICY_INTERFACE_MAX 15u
/* A user, group or service name: LOGIN_NAME_MAX - 1. */
#define POLICY_NAME_MAX 255u
/*
 * Places in the tree that a path can be at simultaneously, wildcards taken each way. Few policies
 * reach ten; a path that would need more than this is denied (walk.h).
 */
#define POLICY_ACTIVE_MAX 512u
/*
 * `from` lines of blocks that are compared because their rules set different options for one
 * pattern, and pairs of units and globs among them: all blocks there can be may do so on hundreds
 * of patterns, and a policy that would take minutes to load is refused within seconds.
 */
#define POLICY_CLAIMS_MAX (1u << 24)
/*
 * Symbolic links that the broker follows on the way to one object, and so whoever says beforehand
 * what it will do. The kernel's own limit is 40.
 */
#define POLICY_LINKS_MAX 8u
