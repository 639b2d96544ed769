// SPDX-License-Identifier: MIT
/*
 * Keeps the launcher's own program out of the box (runc CVE-2019-5736). In the command's own process,
 * before a filter of the user's, for the one path that will be executed. Until its exec the command
 * is a copy of the launcher, so /proc/self/exe is the launcher's file on the host's own mount,
 * where it may be writable: for the user who built or copied it, and for root. A root directory can
 * make a command lead there, by a link or by the "#!" line of a script; the program then runs in
 * the box, can be opened by others there, and be changed.
 *
 * What the tree has under its own name is no concern of this: `sandbox -- sandbox` works. Who can
 * exchange files of the tree between this look and exec is left with a file that the kernel lets
 * nobody write to while the launcher runs it (ETXTBSY), and that Landlock closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sandbox/sys.h>

#include "run.h"

enum { SCRIPTS_MAX = 6 /* BINPRM_MAX_RECURSION and one */, HEAD = 256 /* BINPRM_BUF_SIZE */ };

static bool is_launcher(const char *path)
{
	struct stat own, st;

	return stat(path, &st) == 0 && stat("/proc/self/exe", &own) == 0 &&
	       st.st_dev == own.st_dev && st.st_ino == own.st_ino;
}

/* Whether it is the launcher's file by way of a magic link (symlink(7)). Without openat2: on a mount
 * that can be written, as those of the host's system are not. */
static bool leads_to_launcher(const char *path)
{
	struct statvfs fs;
	int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, RESOLVE_NO_MAGICLINKS);

	if (fd >= 0)
		(void)close(fd);
	if (fd == -ELOOP)
		return is_launcher(path);
	return fd == -ENOSYS && is_launcher(path) && statvfs(path, &fs) == 0 &&
	       !(fs.f_flag & ST_RDONLY);
}

/* The program in a "#!" line, as fs/binfmt_script.c reads it. */
static bool next_interpreter(const char *path, char *head)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, HEAD);
	size_t blank, len;

	if (fd >= 0)
		(void)close(fd);
	if (n < 2 || head[0] != '#' || head[1] != '!')
		return false;
	head[n] = '\0';
	blank = 2 + strspn(head + 2, " \t");
	len = strcspn(head + blank, " \t\n");
	memmove(head, head + blank, len);
	head[len] = '\0';
	return len > 0;
}

static bool runs_launcher(const char *path)
{
	char head[HEAD + 1];
	bool more = true;

	for (int i = 0; i < SCRIPTS_MAX && more; i++) {
		if (leads_to_launcher(path))
			return true;
		more = next_interpreter(path, head);
		path = head;
	}
	return false;
}

static int refuse(const char *path, struct err *err)
{
	char name[256];

	(void)err_set(err, ERR_NOT_EXECUTABLE, ELOOP, "cannot execute '%s'",
		      err_quote(name, sizeof(name), path));
	return err_cause(err, "it leads through /proc to the program that sets the box up, which "
			      "must not run in it");
}

int exe_check(const char *path, bool by_shell, struct err *err)
{
	if (runs_launcher(path))
		return refuse(path, err);
	return by_shell && runs_launcher("/bin/sh") ? refuse("/bin/sh", err) : 0;
}
