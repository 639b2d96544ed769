// SPDX-License-Identifier: MIT
/*
 * The command's own process, between vfork and exec. It shares PID 1's memory until then: it
 * writes nothing but its stack and *err.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/watch.h>

#include "run.h"

static int own_group(const struct run *run, struct err *err)
{
	if (setpgid(0, 0) < 0)
		return err_set(err, ERR_TTY, errno, "cannot make the command's process group");
	if (run->pty < 0)
		return 0;
	/* in a pipeline, or started by `sandbox ... &`, it begins in the background: whoever reads the terminal first is stopped by
	 * SIGTTIN, and only then the launcher starts to take the user's input */
	if (run->foreground && tcsetpgrp(run->pty, getpid()) < 0)
		return err_set(err, ERR_TTY, errno, "cannot put the command into the foreground");
	for (int i = 0; i < 3; i++)
		if (run->plan->tty[i] && dup2(run->pty, i) < 0)
			return err_set(err, ERR_TTY, errno,
				       "cannot give the terminal to the command");
	return 0;
}

/* What will be executed, settled before the filter is loaded, which may refuse everything that is
 * needed to look for it. */
struct target {
	char path[PATH_MAX];
	bool there;      /* it was seen to be executable */
	bool plain_text; /* and may be a script that does not say by whom it is to be run */
};

/* Of a program for another machine, or a damaged one, no shell can make sense. */
static bool is_plain_text(const char *path)
{
	char head[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		(void)close(fd);
	return n > 0 && !memchr(head, '\0', (size_t)n) &&
	       !(n >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0);
}

/* The errno that says most: found but not executable beats not found. */
static int try_path(struct target *t, int so_far)
{
	struct stat st;
	int num = access(t->path, X_OK) < 0 ? errno : 0;

	if (num == 0 || num == EACCES)
		num = stat(t->path, &st) == 0 && S_ISDIR(st.st_mode) ? EISDIR : num;
	t->there = num == 0;
	t->plain_text = t->there && is_plain_text(t->path);
	return num == ENOTDIR || num == ENOENT ? so_far : num;
}

static int search(const struct plan *plan, struct target *t)
{
	int num = ENOENT;

	for (const char *p = plan->path_env; p; p = *p ? p + 1 : NULL) {
		size_t len = strcspn(p, ":");
		int n = snprintf(t->path, sizeof(t->path), "%.*s/%s", len ? (int)len : 1,
				 len ? p : ".", plan->file);

		if (n > 0 && (size_t)n < sizeof(t->path))
			num = try_path(t, num);
		if (t->there || (num != ENOENT && num != EACCES && num != EISDIR))
			return num;
		p += len;
		if (*p == '\0')
			break;
	}
	return num;
}

static int find(const struct plan *plan, struct target *t)
{
	if (!strchr(plan->file, '/'))
		return search(plan, t);
	if (strlen(plan->file) >= sizeof(t->path))
		return ENAMETOOLONG;
	(void)snprintf(t->path, sizeof(t->path), "%s", plan->file);
	return try_path(t, ENOENT);
}

/* As execvp(3) does, so that such scripts run as they do from a shell. Not inlined: the stack of every
 * command would be larger by the eight pages, each of them touched. */
static __attribute__((noinline)) int exec_by_shell(const struct target *t, const struct plan *plan)
{
	char *argv[4096] = { (char *)"sh", (char *)t->path };
	size_t n = 2;

	for (char **a = plan->argv + 1; plan->argv[0] && *a; a++) {
		if (n == sizeof(argv) / sizeof(argv[0]) - 1)
			return E2BIG;
		argv[n++] = *a;
	}
	argv[n] = NULL;
	(void)execve("/bin/sh", argv, plan->env);
	return ENOEXEC;
}

/* Nothing but execve: the filter is loaded. Returns the errno. */
static int execute(const struct target *t, const struct plan *plan)
{
	(void)execve(t->path, plan->argv, plan->env);
	if (errno == ENOEXEC && t->plain_text)
		return exec_by_shell(t, plan);
	return errno == ENOENT ? ELIBBAD : errno; /* it is there, its interpreter is not */
}

static int exec_error(const struct plan *plan, const char *path, int num, struct err *err)
{
	char name[256];

	(void)err_quote(name, sizeof(name), num == ENOENT ? plan->file : path);
	if (num == ENOENT) {
		(void)err_set(err, ERR_NOT_FOUND, ENOENT, "cannot find the command '%s' in the box",
			      name);
		if (!strchr(plan->file, '/'))
			(void)err_cause(err, "it is in none of the directories of PATH=%s",
					plan->path_env);
		return -ENOENT;
	}
	(void)err_set(err, ERR_NOT_EXECUTABLE, num, "cannot execute '%s'", name);
	if (num == ELIBBAD) {
		(void)err_cause(err,
				"its interpreter (the #! line of a script, or the loader of an ELF "
				"file) does not exist in the box");
		(void)err_fix(
			err, "check the first line: head -n 1 %s; or show the interpreter (--show)",
			name);
	} else if (num == EACCES) {
		(void)err_fix(err, "chmod +x %s; or run it by its interpreter: sandbox -- sh %s",
			      name, name);
	}
	return -num;
}

int command_exec(struct run *run, struct err *err)
{
	const struct plan *plan = run->plan;
	struct target target = { .path = "" };
	int r, num;

	r = own_group(run, err);
	if (r == 0 && !plan->pid_namespace && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		r = err_set(err, ERR_LOCKDOWN, errno, "cannot tie the command to the box");
	if (r < 0)
		return r;
	(void)umask(run->umask);
	watch_signals_child();
	r = stage_walk(run, STAGE_HANDOFF, err);
	if (r < 0)
		return r;
	num = find(plan, &target);
	if (!target.there)
		return exec_error(plan, target.path, num, err);
	r = exe_check(target.path, target.plain_text, err);
	if (r == 0)
		r = stage_walk(run, STAGE_EXEC, err);
	if (r < 0)
		return r;
	return exec_error(plan, target.path, execute(&target, plan), err);
}
