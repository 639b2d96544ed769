// SPDX-License-Identifier: MIT
/* deny [--new-privs] RULE[,RULE...]... -- COMMAND [ARG...]
 *
 * Runs a command for which named system calls fail with a named errno, by a seccomp filter that
 * needs no privilege (it sets no_new_privs, so set-user-id programs lose their rights under it).
 * With --new-privs it leaves no_new_privs off, which takes CAP_SYS_ADMIN.
 *
 *   CALL=ERRNO            every use of the call
 *   CALL=ERRNO@N          where its first argument is N (decimal or 0x...)
 *   CALL=ERRNO@I:N        where argument I (from 0) is N
 *   CALL=ERRNO@newns      where its first argument has a CLONE_NEW* flag set
 *
 * Without a rule it sets no_new_privs alone. Exit status 99 for a mistake of its caller. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* clang-format off */
static const struct {
	const char *name;
	int number;
} errnos[] = {
	{ "EPERM", EPERM },   { "ENOENT", ENOENT }, { "EIO", EIO },         { "EAGAIN", EAGAIN },
	{ "ENOMEM", ENOMEM }, { "EACCES", EACCES }, { "EBUSY", EBUSY },     { "EINVAL", EINVAL },
	{ "EMFILE", EMFILE }, { "ENOSPC", ENOSPC }, { "EROFS", EROFS },     { "ENOSYS", ENOSYS },
	{ "OK", 0 }, /* skipped, and success claimed */
	{ "EUSERS", EUSERS }, { "EINTR", EINTR },   { "ESRCH", ESRCH },
	{ "E2BIG", E2BIG },
};
/* clang-format on */

static const unsigned long namespaces[] = {
	CLONE_NEWNS,  CLONE_NEWPID,    CLONE_NEWNET,  CLONE_NEWIPC,
	CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWUSER,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int errno_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(errnos); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].number;
	return -1;
}

static int deny_namespaces(scmp_filter_ctx filter, uint32_t action, int call)
{
	for (size_t i = 0; i < COUNT(namespaces); i++) {
		struct scmp_arg_cmp has = SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]);
		int r = seccomp_rule_add_array(filter, action, call, 1, &has);

		if (r < 0)
			return r;
	}
	return 0;
}

static int deny_argument(scmp_filter_ctx filter, uint32_t action, int call, const char *when)
{
	char *end;
	unsigned long index = 0, value = strtoul(when, &end, 0);

	if (*end == ':') {
		index = value;
		value = strtoul(end + 1, &end, 0);
	}
	if (*end != '\0' || index > 5)
		return -EINVAL;

	struct scmp_arg_cmp is = { .arg = (unsigned)index, .op = SCMP_CMP_EQ, .datum_a = value };

	return seccomp_rule_add_array(filter, action, call, 1, &is);
}

static int add_rule(scmp_filter_ctx filter, char *rule)
{
	char *when = strchr(rule, '@'), *name = strchr(rule, '=');
	uint32_t action;
	int number, call;

	if (name == NULL)
		return -EINVAL;
	*name++ = '\0';
	if (when != NULL)
		*when++ = '\0';
	number = errno_by_name(name);
	call = seccomp_syscall_resolve_name(rule);
	if (number < 0 || call == __NR_SCMP_ERROR)
		return -EINVAL;
	action = SCMP_ACT_ERRNO((uint32_t)number);
	if (when == NULL)
		return seccomp_rule_add_array(filter, action, call, 0, NULL);
	if (strcmp(when, "newns") == 0)
		return deny_namespaces(filter, action, call);
	return deny_argument(filter, action, call, when);
}

static int add_rules(scmp_filter_ctx filter, char *list)
{
	char *rest = NULL;

	for (char *rule = strtok_r(list, ",", &rest); rule; rule = strtok_r(NULL, ",", &rest)) {
		if (add_rule(filter, rule) < 0) {
			fprintf(stderr, "deny: cannot understand '%s'\n", rule);
			return -EINVAL;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool new_privs = argc > 1 && strcmp(argv[1], "--new-privs") == 0;
	int i = new_privs ? 2 : 1, first = i;

	if (filter == NULL || seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) < 0 ||
	    (!new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		return 99;
	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (add_rules(filter, argv[i]) < 0)
			return 99;
	if (++i >= argc) {
		fprintf(stderr, "usage: deny [--new-privs] CALL=ERRNO[,...] -- COMMAND [ARG...]\n");
		return 99;
	}
	if (i > first + 1 && seccomp_load(filter) < 0) {
		fprintf(stderr, "deny: cannot load the filter\n");
		return 99;
	}
	seccomp_release(filter);
	execvp(argv[i], argv + i);
	fprintf(stderr, "deny: cannot run '%s': %s\n", argv[i], strerror(errno));
	return 99;
}
