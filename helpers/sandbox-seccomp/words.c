// SPDX-License-Identifier: MIT
/* Lists of system calls as people write them. */
#include <glib.h>
#include <linux/net.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "words.h"

enum { NUMBERS = 1024, NAME_MAX_LEN = 64, NEAR = 3, DEPTH_MAX = 4 };

/* ---- faults ---- */

static void put(char *out, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void put(char *out, size_t size, const char *fmt, va_list ap)
{
	(void)vsnprintf(out, size, fmt, ap);
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
}

int fault_cause(struct fault *fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(fault->cause, sizeof(fault->cause), fmt, ap);
	va_end(ap);
	return -1;
}

int fault_fix(struct fault *fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(fault->fix, sizeof(fault->fix), fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- names ---- */

static const unsigned every_arch[] = { POLICY_X86_64,  POLICY_X86, POLICY_X32,
				       POLICY_AARCH64, POLICY_ARM, POLICY_RISCV64 };

bool word_is_known(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(every_arch); i++)
		if (policy_number(every_arch[i], name) >= 0)
			return true;
	/* negative, but not an error: some other architecture has it */
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[NAME_MAX_LEN + 1];

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned up = row[j], same = corner + (a[i - 1] != b[j - 1]);

			row[j] = MIN(MIN(up + 1, row[j - 1] + 1), same);
			corner = up;
		}
	}
	return row[m];
}

static void near(char *best, size_t size, unsigned *least, const char *prefix,
		 const char *candidate, const char *word)
{
	unsigned d = distance(candidate, word);

	if (d >= *least)
		return;
	*least = d;
	(void)snprintf(best, size, "%s%s", prefix, candidate);
}

static int unknown(const char *word, struct fault *fault)
{
	unsigned least = NEAR, native = policy_arch_native();
	bool group = word[0] == '@';
	char best[NAME_MAX_LEN + 8] = "";

	for (const struct group *g = group_first(); g->name; g++)
		near(best, sizeof(best), &least, "@", g->name, group ? word + 1 : word);
	for (int nr = 0; nr < NUMBERS && !group; nr++) {
		g_autofree char *name = policy_number_name(native, nr);

		if (name)
			near(best, sizeof(best), &least, "", name, word);
	}
	(void)fault_cause(fault, "'%.64s' is no %s", word,
			  group ? "group of system calls" : "system call");
	if (best[0])
		return fault_fix(fault, "did you mean %s? sandbox seccomp list %s", best,
				 group ? "" : "@known");
	return fault_fix(fault, "sandbox seccomp list %s",
			 group ? "has the groups" : "@known has all names");
}

/* ---- lists ---- */

struct walk {
	word_each each;
	void *data;
	struct fault *fault;
};

static int walk_number(const struct walk *w, const char *word)
{
	g_autofree char *name = NULL;
	guint64 nr;

	if (!g_ascii_string_to_unsigned(word, 10, 0, NUMBERS - 1, &nr, NULL)) {
		(void)fault_cause(w->fault, "'%.64s' is no number of a system call", word);
		return fault_fix(w->fault, "sandbox seccomp resolve NAME tells the number");
	}
	name = policy_number_name(policy_arch_native(), (int)nr);
	w->each(w->data, name, (int)nr);
	return 0;
}

static void walk_known(const struct walk *w)
{
	for (int nr = 0; nr < NUMBERS; nr++) {
		g_autofree char *name = policy_number_name(policy_arch_native(), nr);

		if (name)
			w->each(w->data, name, nr);
	}
}

static void walk_group(const struct walk *w, const struct group *group, unsigned depth)
{
	g_auto(GStrv) members = g_strsplit(group->members, " ", -1);

	if (strcmp(group->name, "known") == 0)
		walk_known(w);
	for (char **m = members; *m; m++) {
		const struct group *sub = **m == '@' ? group_find(*m + 1) : NULL;

		if (sub && depth < DEPTH_MAX)
			walk_group(w, sub, depth + 1);
		else if (!sub && **m && word_is_known(*m))
			w->each(w->data, *m, policy_number(policy_arch_native(), *m));
	}
}

static int walk_word(const struct walk *w, const char *word)
{
	const struct group *group = word[0] == '@' ? group_find(word + 1) : NULL;

	if (word[0] == '\0') {
		(void)fault_cause(w->fault, "an item of the list is empty");
		return fault_fix(w->fault, "give names, @groups or numbers, as in bind,@mount,47");
	}
	if (g_ascii_isdigit(word[0]))
		return walk_number(w, word);
	if (group) {
		walk_group(w, group, 0);
		return 0;
	}
	if (word[0] == '@' || !word_is_known(word))
		return unknown(word, w->fault);
	w->each(w->data, word, policy_number(policy_arch_native(), word));
	return 0;
}

int words_walk(const char *list, word_each each, void *data, struct fault *fault)
{
	struct walk w = { each, data, fault };
	g_auto(GStrv) words = g_strsplit(list, ",", -1);

	if (!words[0])
		return walk_word(&w, "");
	for (char **word = words; *word; word++)
		if (walk_word(&w, *word) < 0)
			return -1;
	return 0;
}

/* ---- rules ---- */

/* socketcall(2) and ipc(2) have the number of the real call as their first argument. */
/* clang-format off */
static const struct { const char *name, *through; unsigned char call; } multiplexed[] = {
	{ "socket", "socketcall", SYS_SOCKET },           { "bind", "socketcall", SYS_BIND },
	{ "connect", "socketcall", SYS_CONNECT },         { "listen", "socketcall", SYS_LISTEN },
	{ "accept", "socketcall", SYS_ACCEPT },           { "getsockname", "socketcall", SYS_GETSOCKNAME },
	{ "getpeername", "socketcall", SYS_GETPEERNAME }, { "socketpair", "socketcall", SYS_SOCKETPAIR },
	{ "send", "socketcall", SYS_SEND },               { "recv", "socketcall", SYS_RECV },
	{ "sendto", "socketcall", SYS_SENDTO },           { "recvfrom", "socketcall", SYS_RECVFROM },
	{ "shutdown", "socketcall", SYS_SHUTDOWN },       { "setsockopt", "socketcall", SYS_SETSOCKOPT },
	{ "getsockopt", "socketcall", SYS_GETSOCKOPT },   { "sendmsg", "socketcall", SYS_SENDMSG },
	{ "recvmsg", "socketcall", SYS_RECVMSG },         { "accept4", "socketcall", SYS_ACCEPT4 },
	{ "recvmmsg", "socketcall", SYS_RECVMMSG },       { "sendmmsg", "socketcall", SYS_SENDMMSG },
	{ "semop", "ipc", 1 },   { "semget", "ipc", 2 },  { "semctl", "ipc", 3 },  { "semtimedop", "ipc", 4 },
	{ "msgsnd", "ipc", 11 }, { "msgrcv", "ipc", 12 }, { "msgget", "ipc", 13 }, { "msgctl", "ipc", 14 },
	{ "shmat", "ipc", 21 },  { "shmdt", "ipc", 22 },  { "shmget", "ipc", 23 }, { "shmctl", "ipc", 24 },
};
/* clang-format on */

/* The arguments proper lie in memory, where no filter looks: a rule that has conditions cannot be
 * kept there. One that lets some of them through is left out, one that refuses some refuses all. */
static void add_multiplexed(struct policy *policy, const struct policy_rule *rule, unsigned i)
{
	struct policy_rule twin = {
		.name = multiplexed[i].through,
		.archs = POLICY_X86,
		.act = rule->act,
		.nargs = 1,
		.args = { { .index = 0,
			    .op = POLICY_EQ,
			    .narrow = true,
			    .value = multiplexed[i].call } },
	};
	bool lets = rule->act.action == POLICY_ALLOW || rule->act.action == POLICY_LOG;

	if (rule->nargs == 0 || !lets)
		policy_add(policy, &twin);
}

void rule_add(struct policy *policy, const struct policy_rule *rule)
{
	policy_add(policy, rule);
	if (!rule->name || !(policy->archs & POLICY_X86) ||
	    (rule->archs && !(rule->archs & POLICY_X86)))
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(multiplexed); i++)
		if (strcmp(multiplexed[i].name, rule->name) == 0)
			add_multiplexed(policy, rule, i);
}

struct adding {
	struct policy *policy;
	struct policy_do act;
};

static void add_one(void *data, const char *name, int nr)
{
	const struct adding *a = data;
	struct policy_rule rule = { .name = name, .nr = nr, .act = a->act };

	if (!name)
		rule.archs = policy_arch_native();
	rule_add(a->policy, &rule);
}

int words_add(struct policy *policy, const char *list, struct policy_do act, struct fault *fault)
{
	struct adding a = { policy, act };

	return words_walk(list, add_one, &a, fault);
}
