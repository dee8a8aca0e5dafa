/* SPDX-License-Identifier: MIT */
/*
 * Written as BPF: libseccomp 2.5 has one action for x32 and for other architectures, and does not
 * know SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV.
 *
 * Must never let a system call pass that does by another number what a trapped one does.
 */
#include "filter.h"
#include "trapped.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSTRUCTIONS_MAX 64
#define X32_BIT 0x40000000 /* __X32_SYSCALL_BIT of asm/unistd.h */
#define NOT_THERE (SECCOMP_RET_ERRNO | ENOSYS)

struct instructions {
	struct sock_filter list[INSTRUCTIONS_MAX];
	unsigned short count;
};

static void add(struct instructions *filter, struct sock_filter instruction)
{
	assert(filter->count < INSTRUCTIONS_MAX);
	filter->list[filter->count++] = instruction;
}

static void load(struct instructions *filter, size_t offset)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void end(struct instructions *filter, uint32_t action)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void end_if(struct instructions *filter, uint32_t value, uint32_t action)
{
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	end(filter, action);
}

/* Afterwards the number of the system call is loaded. */
static void check_architecture(struct instructions *filter)
{
	/* libseccomp's names of architectures are the kernel's, AUDIT_ARCH_... of linux/audit.h. */
	load(filter, offsetof(struct seccomp_data, arch));
	add(filter, (struct sock_filter)BPF_JUMP(
			    BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0));
	end(filter, SECCOMP_RET_KILL_PROCESS);
	load(filter, offsetof(struct seccomp_data, nr));
}

static int enter(struct instructions *filter, unsigned long flags)
{
	const struct sock_fprog program = {filter->count, filter->list};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

bool filter_refuse(void)
{
	struct instructions filter = {.count = 0};

	check_architecture(&filter);
#ifdef __x86_64__
	/* The same architecture by other numbers. */
	add(&filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	end(&filter, NOT_THERE);
#endif
#ifdef SYS_socketcall
	/* bind(2) by another number, socketcall(2): libc has not needed it since Linux 4.3. */
	end_if(&filter, SYS_socketcall, NOT_THERE);
#endif
	/* It opens and binds without any system call that a filter sees. */
	end_if(&filter, SYS_io_uring_setup, NOT_THERE);
	end(&filter, SECCOMP_RET_ALLOW);
	return enter(&filter, 0) == 0;
}

/*
 * The kernel refuses a second listener (EBUSY) only as long as there is the first one. Once the
 * supervisor is dead, the program could have one of its own and let its calls go on, which fail now:
 * of two filters that trap a call, the later one counts.
 */
static void refuse_listeners(struct instructions *filter)
{
	const uint32_t low = __BYTE_ORDER == __LITTLE_ENDIAN ? 0 : sizeof(uint32_t);

	/* Nothing is asked of the number after this. */
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3));
	load(filter, offsetof(struct seccomp_data, args[1]) + low);
	add(filter, (struct sock_filter)BPF_JUMP(
			    BPF_JMP | BPF_JSET | BPF_K, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 1));
	end(filter, SECCOMP_RET_ERRNO | EBUSY);
}

int filter_trap(void)
{
	const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct instructions filter = {.count = 0};
	int listener;

	check_architecture(&filter);
	for (size_t i = 0; i < trapped_call_count; i++)
		end_if(&filter, (uint32_t)trapped_calls[i].number, SECCOMP_RET_USER_NOTIF);
	refuse_listeners(&filter);
	end(&filter, SECCOMP_RET_ALLOW);
	/* Linux 5.19: once the supervisor has received a call, only death takes it away again. */
	listener = enter(&filter, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	return listener < 0 && errno == EINVAL ? enter(&filter, flags) : listener;
}
