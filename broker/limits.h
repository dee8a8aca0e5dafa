/* SPDX-License-Identifier: MIT */
/*
 * Every number that bounds what the broker does, with the reason beside it. After start a worker
 * allocates nothing on a client's behalf: all of these are sizes of fixed tables, or counts and
 * times that are checked in one place each.
 */
#pragma once

#include <stddef.h>

/*
 * Connections. A table entry is touched only when it is used. Fewer are possible when
 * RLIMIT_NOFILE is lower: the supervisor and a worker hold one descriptor for each.
 */
#define SESSIONS_MAX 32768
/* Of these, entries for connections that are only there to be refused. */
#define SESSIONS_SPARE 64
/*
 * Descriptors that a process needs for itself, beside those of its connections. The supervisor has
 * four for each executor and its resolver: a pidfd and an eventfd of both.
 */
#define DESCRIPTORS_RESERVED(workers) (512 + 4 * EXECUTORS_MAX * (workers))

/* Groups of one peer; the kernel's NGROUPS_MAX is 65536, for each of which memory is kept. */
#define PEER_GROUPS_MAX 1024

/* Workers, set by --workers. */
#define WORKERS_MAX 16
/*
 * Executors of one worker: one is kept ready, others are started when work waits for them. Many,
 * since connecting and the name service take long; one that only waits costs little.
 */
#define EXECUTORS_READY 1
#define EXECUTORS_MAX 64
/* Processes that hang in the kernel and outlived their worker, to be reaped when they end. */
#define GHOSTS_MAX 1024
/* One that is not of those kept ready ends after this time without work. */
#define EXECUTOR_IDLE_MSEC 2000
/* A packet whose paths have more components than this together is left to an executor. */
#define WORKER_COMPONENTS_MAX 256
/*
 * A packet is left to an executor too if its requests times the bytes of its connection's limits
 * are more than this: limits are read for each of them, and can be made to take long.
 */
#define WORKER_LIMITS_BYTES_MAX 1024
/* How many events a worker takes from the kernel at once. */
#define EVENTS_AT_ONCE 64

/*
 * How long an executor may take for one packet before it is given up: longer than a spinning disk
 * takes to wake, shorter than people wait.
 */
#define EXECUTOR_DEADLINE_MSEC 10000
/* One question to the name service: resolv.conf(5) lets it ask one server twice for 5 seconds. */
#define RESOLVE_DEADLINE_MSEC 15000
/* The same for whoever lent the connection to the executor that asks. */
#define RESOLVE_LENT_DEADLINE_MSEC (RESOLVE_DEADLINE_MSEC + 2000)
/*
 * Connecting with all that goes before it. The kernel gives an address up after 127 seconds
 * (tcp(7), tcp_syn_retries); a little later the executor does, and then the worker.
 */
#define DIAL_DEADLINE_MSEC 140000
#define DIAL_LENT_DEADLINE_MSEC 150000
/* Between the beginnings of two attempts to connect, RFC 8305, section 8. */
#define CONNECT_ATTEMPT_DELAY_MSEC 250
/* The same when the policy it works under has been replaced: a reload waits for it. */
#define RETIRE_DEADLINE_MSEC 1000
/*
 * After SIGKILL: by then the process is gone, or it hangs inside the kernel, where it can neither
 * read nor write a connection any more.
 */
#define KILL_GRACE_MSEC 500

/*
 * Results that a client has not read, each perhaps with a descriptor, before it must read them all
 * to be served again: one full packet, see fdbroker-protocol(7).
 */
#define UNREAD_RESULTS_MAX 64
/*
 * All clients together may have as many of them as RLIMIT_NOFILE divided by this: beyond
 * RLIMIT_NOFILE descriptors in flight nobody could be sent any, unix(7).
 */
#define UNREAD_RESULTS_DIVISOR 2
/* A client that has not read its replies by then is ended. */
#define UNREAD_DEADLINE_MSEC 30000
/* How often a client that has not read its replies is looked at again. */
#define UNREAD_RECHECK_MSEC 10

/*
 * How often it is looked whether clients that are over their rate (`limit requests`) may go on. What
 * they have waited for too long is not lost to them: the rate counts, not the moment.
 */
#define RATE_RECHECK_MSEC 10

/*
 * A connection that was being served when this many workers died is ended; a packet over which
 * this many executors died is not served again.
 */
#define SESSION_CRASHES_MAX 3
/*
 * Whoever loads the policy all the time would else keep what takes longer, a lookup or a dial, from
 * ever coming to its end.
 */
#define SESSION_REPEATS_MAX 16

/* A longer name is nobody's, and is not asked for: LOGIN_NAME_MAX of limits.h(0p). */
#define NAME_BYTES_MAX 256
/* The name service: at load, and for the name and home of one peer (policies with %u or %h). */
#define NAMES_LOAD_DEADLINE_MSEC 30000
#define NAMES_PEER_DEADLINE_MSEC 2000
#define NAMES_PEER_HELPERS_MAX 4

/* Bytes of the ring between a process and the log; what does not fit is counted and said. */
#define RING_BYTES ((size_t)256 * 1024)
/* Bytes of a message, before they are escaped. */
#define LOG_MESSAGE_MAX 1024
/* How often it is tried to say what the log could not take; at the end, so many times. */
#define LOG_RETRY_MSEC 100
#define LOG_CLOSE_RETRIES 5
/*
 * A log line: three of the longest paths (PATH_MAX), unit, rule and client, each byte as \u00HH, and
 * what stands around.
 */
#define LOG_LINE_MAX (3 * 6 * 4096 + 6 * 1024 + 1024)
/*
 * Bytes on their way to the journal, as far as net.core.wmem_max (socket(7)) goes: the longest
 * entry is two log lines, and a journal that is busy for a moment should not miss others.
 */
#define JOURNAL_SEND_BYTES (8 << 20)

/*
 * Bytes of the names in one list: a hundred thousand names of 40 bytes. And of what a client may
 * have, as text.
 */
#define LIST_BYTES_MAX (4u << 20)

/*
 * How long an executor waits in connect(2): what answers on this machine or the next has done so by
 * then, and for what takes longer the client waits itself. Then a signal, until one finds it there.
 */
#define CONNECT_WAIT_MSEC 20
#define CONNECT_REPEAT_MSEC 5
/*
 * To a virtual machine a signal would give the connection up; the kernel does that by itself after
 * 2 s, SO_VM_SOCKETS_CONNECT_TIMEOUT in net/vmw_vsock/af_vsock.c, which the client may have set to
 * more.
 */
#define CONNECT_VSOCK_MSEC 5000

/* What is wrong with a policy, in the log; the rest `fdbroker check` shows. */
#define DIAGNOSTICS_LOGGED_MAX 100

/* After accept(2) has failed for want of descriptors or memory. */
#define ACCEPT_RETRY_MSEC 100
/* After a connection could not be dealt or lent because too many descriptors are in flight
 * (unix(7)). */
#define DEAL_RETRY_MSEC 2
/*
 * Bytes on the way to a worker beyond which no connection is dealt to it: some fifty of them. It
 * keeps room in the channel for other messages, and few descriptors in flight.
 */
#define DEAL_QUEUE_BYTES_MAX 65536
/* Between two starts of a worker when it dies at once: doubles from the first to the second. */
#define RESTART_DELAY_MIN_MSEC 10
#define RESTART_DELAY_MAX_MSEC 5000
/* A worker that lived this long did not die at once. */
#define RESTART_SETTLED_MSEC 1000
/* A new worker must be ready to serve by then, or it counts as dead. */
#define WORKER_START_DEADLINE_MSEC 10000
