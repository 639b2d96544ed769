// SPDX-License-Identifier: MIT
/*
 * PREPARE, in the launcher: the filter of the user's own is made or found, and judged. It is loaded in
 * EXEC, in the command's own process, so that it cannot hit PID 1. The profile is read here,
 * once, with the caller's rights; the box has no part in it.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include <sandbox/log.h>

#include "ops.h"

/* Which option was at fault: one of the lists, or the one that chose the filter. */
static void blame(const struct op *op, unsigned at, struct err *err)
{
	char what[sizeof(err->what)];

	if (at > 0 && at <= op->u.filter.nlists) {
		const struct seccomp_list *list = &op->u.filter.lists[at - 1];

		(void)g_snprintf(what, sizeof(what),
				 "the value '%.200s' of --seccomp-%s cannot be used", list->text,
				 list->deny ? "deny" : "allow");
		(void)g_strlcpy(err->what, what, sizeof(err->what));
		err->code = ERR_VALUE;
		(void)err_origin(err, list->origin);
	} else if (op->u.filter.file && err->num == EINVAL) {
		(void)g_snprintf(err->what, sizeof(err->what),
				 "the seccomp profile '%.300s' cannot be used", op->u.filter.file);
	}
}

/* What the command's start itself needs once the filter is there. */
static int judge(const struct filter *filter, struct err *err)
{
	static const struct {
		int nr;
		const char *name, *why;
	} needed[] = {
		{ SYS_execve, "execve", "it is how the command is started" },
		{ SYS_exit_group, "exit_group", "no process could end" },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
		enum filter_verdict v =
			filter_judge(filter->insns, filter->n, filter_native_arch(), needed[i].nr);

		if (v == FILTER_LETS)
			continue;
		(void)err_set(err, ERR_SECCOMP, EPERM, "the system call filter refuses '%s'%s",
			      needed[i].name, v == FILTER_DEPENDS ? " for some arguments" : "");
		(void)err_cause(err, "%s",
				v == FILTER_BROKEN ? "it is no valid program" : needed[i].why);
		return err_fix(err,
			       "allow it: take %s out of the list or group that denies it, or name "
			       "it among the allowed of the profile",
			       needed[i].name);
	}
	return 0;
}

int op_filter_apply(const struct op *op, struct run *run, struct err *err)
{
	g_autofree char *source = NULL;
	size_t len = 0;
	unsigned at = 0;
	int r = op->u.filter.file ? filter_source(op->u.filter.file, &source, &len, err) : 0;

	if (r < 0)
		return r;
	r = filter_make(&run->filter, op->u.filter.argv, source, len, op->u.filter.cache, &at, err);
	if (r < 0) {
		blame(op, at, err);
		return r;
	}
	r = judge(&run->filter, err);
	if (r < 0)
		return r;
	for (char **note = run->filter.notes; *note; note++)
		log_notice("%s", *note);
	if (run->filter.kills) {
		run->named = g_memdup2(run->filter.insns, run->filter.n * sizeof(*run->named));
		filter_notify(run->named, run->filter.n);
	}
	return 0;
}
