// SPDX-License-Identifier: MIT
/*
 * cost ROUNDS: what filters cost, at loading and at each call. The peers have the shape of docker's
 * default profile, made by libseccomp as runc does: three architectures, the same three hundred and
 * some names allowed, comparisons for socket, clone and personality, EPERM for the rest; once as
 * libseccomp does it unasked, once as a binary tree (SCMP_FLTATR_CTL_OPTIMIZE).
 *
 * Each round takes every filter once, in a process of its own, so that other load hits all alike.
 * A line of output: NAME INSTRUCTIONS; how many of them one call takes: getpid, openat, the mean of all
 * that are allowed; then the medians of: loading, fork to reaped, and the rows of `known` and
 * `looked_at`, in nanoseconds. "none" loads nothing.
 *
 * Since Linux 5.11 the kernel runs no filter for a call that it always allows whatever the arguments
 * (seccomp_cache_prepare). What such calls cost before is measured by a second filter of three
 * instructions, which looks at an argument of every call, so that nothing is known beforehand.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../../../helpers/sandbox-seccomp/policy.h"
#include "../../unit/bpf.h"

enum { CALLS = 2000, WHATS = 11, FILTERS = 4, MAX_ROUNDS = 5000 };

struct filter {
	const char *name;
	GArray *program; /* NULL: none */
	double *took[WHATS];
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void do_getpid(void)
{
	(void)syscall(SYS_getpid);
}
static void do_openat(void)
{
	(void)close(openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC));
}
static void do_ioctl(void)
{
	struct termios t;

	(void)ioctl(-1, TCGETS, &t);
}
static void do_socket(void)
{
	(void)close(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void do_clone(void)
{
	/* refused by the kernel itself, after the filter: threads need the memory too (clone(2)) */
	(void)syscall(SYS_clone, CLONE_SIGHAND, NULL, NULL, NULL, 0UL);
}
static void do_personality(void)
{
	(void)syscall(SYS_personality, 0xffffffffUL);
}
static void do_prctl(void)
{
	(void)prctl(PR_GET_DUMPABLE);
}

static void (*const known[])(void) = { do_getpid, do_openat,      do_ioctl, do_socket,
				       do_clone,  do_personality, do_prctl };
static void (*const looked_at[])(void) = { do_getpid, do_openat };

G_STATIC_ASSERT(2 + G_N_ELEMENTS(known) + G_N_ELEMENTS(looked_at) == WHATS);

static double one_call(void (*what)(void))
{
	double from;

	for (int i = 0; i < CALLS / 10; i++)
		what();
	from = now();
	for (int i = 0; i < CALLS; i++)
		what();
	return (now() - from) / CALLS;
}

static int load(const GArray *program)
{
	struct sock_fprog prog = { (unsigned short)program->len,
				   (struct sock_filter *)(void *)program->data };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* Allows everything, but not without a look: what the kernel knew of calls beforehand, it forgets. */
static int look_at_all(void)
{
	static struct sock_filter look[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { G_N_ELEMENTS(look), look };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static void child(const GArray *program, double *took)
{
	double from;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	from = now();
	if (program && load(program) < 0)
		_exit(1);
	took[0] = now() - from;
	if (took[1] < 0) /* fork to reaped: with nothing between */
		_exit(0);
	took += 2;
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		*took++ = one_call(known[i]);
	if (look_at_all() < 0)
		_exit(1);
	for (size_t i = 0; i < G_N_ELEMENTS(looked_at); i++)
		*took++ = one_call(looked_at[i]);
	_exit(0);
}

static void measure(const GArray *program, double *took, bool calls)
{
	double from = now();
	pid_t pid;
	int status;

	took[1] = calls ? 0 : -1;
	pid = fork();
	if (pid == 0)
		child(program, took);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		(void)fprintf(stderr, "cost: a filter cannot be loaded\n");
		exit(1);
	}
	if (!calls)
		took[1] = now() - from;
}

/* The rules of docker's profile in shape: what ours allows without a condition, and its own few. */
static void docker_rules(scmp_filter_ctx ctx, const struct policy *ours)
{
	static const uint64_t personalities[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

	for (guint i = 0; i < ours->rules->len; i++) {
		const struct policy_rule *rule = &g_array_index(ours->rules, struct policy_rule, i);

		if (rule->act.action != POLICY_ALLOW || rule->nargs > 0)
			continue;
		(void)seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
				       seccomp_syscall_resolve_name(rule->name), 0);
	}
	(void)seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(personalities); i++)
		(void)seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
				       SCMP_A0(SCMP_CMP_EQ, personalities[i]));
	(void)seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			       SCMP_A0(SCMP_CMP_NE, AF_VSOCK));
	(void)seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			       SCMP_A0(SCMP_CMP_MASKED_EQ, 0x7e020000, 0));
	(void)seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static GArray *exported(scmp_filter_ctx ctx)
{
	int fd = memfd_create("bpf", MFD_CLOEXEC);
	GArray *ret = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
	struct sock_filter insn;

	if (fd < 0 || seccomp_export_bpf(ctx, fd) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		exit(1);
	while (read(fd, &insn, sizeof(insn)) == (ssize_t)sizeof(insn))
		g_array_append_val(ret, insn);
	(void)close(fd);
	return ret;
}

static GArray *docker_like(unsigned level, const struct policy *ours)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	GArray *ret;

	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, level);
#ifdef __x86_64__
	(void)seccomp_arch_add(ctx, SCMP_ARCH_X86);
	(void)seccomp_arch_add(ctx, SCMP_ARCH_X32);
#endif
	docker_rules(ctx, ours);
	ret = exported(ctx);
	seccomp_release(ctx);
	return ret;
}

static int by_value(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;

	return one < two ? -1 : one > two;
}

static bool steps_of(const GArray *program, int nr, unsigned *steps)
{
	const struct seccomp_data data = { .nr = nr, .arch = seccomp_arch_native() };

	*steps = 1; /* the last one's, too */
	return bpf_run_counted((const struct sock_filter *)(void *)program->data, program->len,
			       &data, steps) == SECCOMP_RET_ALLOW;
}

static void print_steps(const GArray *program)
{
	unsigned getpid_, openat_, one, all = 0, n = 0;

	(void)steps_of(program, SYS_getpid, &getpid_);
	(void)steps_of(program, SYS_openat, &openat_);
	for (int nr = 0; nr < 512; nr++)
		if (steps_of(program, nr, &one)) {
			all += one;
			n++;
		}
	(void)printf(" %u %u %.1f", getpid_, openat_, n ? (double)all / n : 0.0);
}

int main(int argc, char **argv)
{
	const struct policy_facts facts = { 0 };
	int rounds = argc > 1 ? atoi(argv[1]) : 200;
	struct filter filters[FILTERS] = { { .name = "none" },
					   { .name = "sandbox" },
					   { .name = "docker-like" },
					   { .name = "docker-like-tree" } };
	double *took = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	auto_policy policy;

	if (rounds < 1 || rounds > MAX_ROUNDS || took == MAP_FAILED)
		return 2;
	policy_default(&policy, &facts);
	filters[1].program = policy_compile(&policy, NULL);
	filters[2].program = docker_like(1, &policy);
	filters[3].program = docker_like(2, &policy);
	for (int f = 0; f < FILTERS; f++)
		for (int w = 0; w < WHATS; w++)
			filters[f].took[w] = g_new(double, rounds);
	for (int r = 0; r < rounds; r++)
		for (int f = 0; f < FILTERS; f++) {
			measure(filters[f].program, took, true);
			for (int w = 2; w < WHATS; w++)
				filters[f].took[w][r] = took[w];
			measure(filters[f].program, took, false);
			filters[f].took[0][r] = took[0];
			filters[f].took[1][r] = took[1];
		}
	for (int f = 0; f < FILTERS; f++) {
		(void)printf("%s %u", filters[f].name,
			     filters[f].program ? filters[f].program->len : 0);
		if (filters[f].program)
			print_steps(filters[f].program);
		else
			(void)printf(" 0 0 0");
		for (int w = 0; w < WHATS; w++) {
			qsort(filters[f].took[w], (size_t)rounds, sizeof(double), by_value);
			(void)printf(" %.1f", filters[f].took[w][rounds / 2]);
		}
		(void)printf("\n");
	}
	return 0;
}
