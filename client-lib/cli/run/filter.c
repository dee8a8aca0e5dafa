/* SPDX-License-Identifier: MIT */
/*
 * Written as BPF: libseccomp 2.5 has one action for x32 and for other architectures, and does not
 * know SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV.
 *
 * Must never let a system call pass that does by another number what a trapped one does.
 */
#include "filter.h"
#include "trapped.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSTRUCTIONS_MAX 64
#define X32_BIT 0x40000000 /* __X32_SYSCALL_BIT of asm/unistd.h */
#define NOT_THERE (SECCOMP_RET_ERRNO | ENOSYS)

struct program {
	struct sock_filter instructions[INSTRUCTIONS_MAX];
	unsigned short length;
};

static void add(struct program *program, struct sock_filter instruction)
{
	program->instructions[program->length++] = instruction;
}

static void load(struct program *program, size_t offset)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void end(struct program *program, uint32_t action)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void end_if(struct program *program, uint32_t value, uint32_t action)
{
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	end(program, action);
}

static void check_architecture(struct program *program)
{
	/* libseccomp's names of architectures are the kernel's, AUDIT_ARCH_... of linux/audit.h. */
	load(program, offsetof(struct seccomp_data, arch));
	add(program, (struct sock_filter)BPF_JUMP(
			     BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0));
	end(program, SECCOMP_RET_KILL_PROCESS);
}

/* socket(2): the protocol is the third argument, of which the kernel takes 32 bits. */
static void refuse_mptcp(struct program *program)
{
	const uint32_t low = __BYTE_ORDER == __LITTLE_ENDIAN ? 0 : sizeof(uint32_t);

	/* Nothing is asked of the number after this, so it need not be loaded again. */
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3));
	load(program, offsetof(struct seccomp_data, args[2]) + low);
	end_if(program, IPPROTO_MPTCP, SECCOMP_RET_ERRNO | EPROTONOSUPPORT);
}

static void write_program(struct program *program, bool without_mptcp)
{
	check_architecture(program);
	load(program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	/* The same architecture by other numbers. */
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	end(program, NOT_THERE);
#endif
	for (size_t i = 0; i < trapped_call_count; i++)
		end_if(program, (uint32_t)trapped_calls[i].number, SECCOMP_RET_USER_NOTIF);
	/* It opens and binds without any system call that a filter sees. */
	end_if(program, SYS_io_uring_setup, NOT_THERE);
	if (without_mptcp)
		refuse_mptcp(program);
	end(program, SECCOMP_RET_ALLOW);
}

static int enter(const struct sock_fprog *filter, unsigned long flags)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, filter);
}

int filter_enter(bool without_mptcp)
{
	struct program program = {.length = 0};

	write_program(&program, without_mptcp);
	const struct sock_fprog filter = {program.length, program.instructions};
	/* Linux 5.19: once the supervisor has received a call, only death takes it away again. */
	int listener = enter(&filter, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	return listener < 0 && errno == EINVAL ? enter(&filter, 0) : listener;
}
