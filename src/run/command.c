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

/* The errno that says most: found but not executable beats not found. */
static int try_exec(const char *path, const struct plan *plan, int so_far)
{
	struct stat st;
	int num;

	(void)execve(path, plan->argv, plan->env);
	num = errno;
	if (num == ENOENT && access(path, F_OK) == 0)
		num = ELIBBAD; /* it is there, its interpreter is not */
	if (num == EACCES && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		num = EISDIR;
	if (num == ENOTDIR || num == ENOENT)
		return so_far;
	return num;
}

/* A text without "#!": as execvp(3) does, so that such scripts run as they do from a shell. */
static int exec_by_shell(const char *path, const struct plan *plan)
{
	char *argv[4096] = { (char *)"sh", (char *)path };
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

/* A program for another machine, or damaged: no shell can make sense of it. */
static bool is_binary(const char *path)
{
	char head[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	if (fd >= 0)
		(void)close(fd);
	return n <= 0 || memchr(head, '\0', (size_t)n) || (n >= 4 && memcmp(head, ELFMAG, 4) == 0);
}

static int try_path(const char *path, const struct plan *plan, int so_far)
{
	int num = try_exec(path, plan, so_far);

	return num == ENOEXEC && !is_binary(path) ? exec_by_shell(path, plan) : num;
}

static int search(const struct plan *plan, char *path, size_t size)
{
	int num = ENOENT;

	for (const char *p = plan->path_env; p; p = *p ? p + 1 : NULL) {
		size_t len = strcspn(p, ":");
		int n = snprintf(path, size, "%.*s/%s", len ? (int)len : 1, len ? p : ".",
				 plan->file);

		if (n > 0 && (size_t)n < size)
			num = try_path(path, plan, num);
		if (num != ENOENT && num != EACCES && num != EISDIR)
			return num;
		p += len;
		if (*p == '\0')
			break;
	}
	return num;
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
	char path[PATH_MAX];
	int r, num;

	r = own_group(run, err);
	if (r == 0 && !plan->pid_namespace && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		r = err_set(err, ERR_LOCKDOWN, errno, "cannot tie the command to the box");
	if (r == 0)
		r = exe_check(plan, err);
	if (r == 0)
		r = stage_walk(run, STAGE_HANDOFF, err);
	if (r < 0)
		return r;
	(void)umask(run->umask);
	watch_signals_child();
	(void)snprintf(path, sizeof(path), "%s", plan->file);
	if (strlen(plan->file) >= sizeof(path))
		num = ENAMETOOLONG;
	else if (strchr(plan->file, '/'))
		num = try_path(path, plan, ENOENT);
	else
		num = search(plan, path, sizeof(path));
	return exec_error(plan, path, num, err);
}
