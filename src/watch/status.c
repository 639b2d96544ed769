// SPDX-License-Identifier: MIT
/*
 * What other programs learn of a run: --status-fd, --ready-fd, --pidfile, --report, --net-log.
 *
 * Everything is opened and checked by status_open(), while nothing exists yet that would have to
 * be undone. From then on a reader that has gone away is no reason to disturb the command: write
 * errors on descriptors are ignored (SIGPIPE is, too). Only a report that cannot be put in its
 * place is told, since the caller will look for it.
 *
 * Runs in the launcher with the caller's own rights. PID 1 and the command lose these descriptors
 * before the command starts (OP_CLOSE_FDS).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <sandbox/fd.h>
#include <sandbox/log.h>
#include <sandbox/sys.h>
#include <sandbox/watch.h>

#include "event.h"
#include "refused.h"
#include "status.h"

/* A file by the directory it lies in, held open, so that it is found again at the end. */
struct place {
	int dir;
	char *name;
};

struct status {
	const struct plan *plan;
	int status_fd, ready_fd; /* the caller's; -1: none */

	struct place pidfile; /* without a name: none was made */
	int pid_fd;           /* its lock is held to the end */
	dev_t pid_dev;        /* it is removed only while it is still the one we made */
	ino_t pid_ino;

	struct place report; /* a regular file: written beside it, then renamed */
	char *temp;          /* its name meanwhile; NULL: none is left */
	bool replace;        /* a temporary file is made at the end and renamed */
	int report_fd;       /* the temporary file, a device or pipe, or the caller's */

	struct refused refused; /* by the network helper */
};

static void place_clear(struct place *place)
{
	fd_close(&place->dir);
	g_clear_pointer(&place->name, g_free);
}

static int place_open(struct place *ret, const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (name[0] == '\0')
		return -EISDIR;
	ret->name = g_strdup(name);
	ret->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return ret->dir < 0 ? -errno : 0;
}

/* A descriptor the caller passed must be open and writable. It is ours alone from now on; the
 * standard ones belong to the command as well. */
int status_check_fd(int fd, const char *option, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0) {
		err_set(err, ERR_FD, errno, "cannot use descriptor %d of %s", fd, option);
		return err_fix(err, "open it in the calling shell: sandbox %s %d ... %d>FILE",
			       option, fd, fd);
	}
	if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_RDONLY) {
		err_set(err, ERR_FD, EBADF, "cannot use descriptor %d of %s", fd, option);
		err_cause(err, "it is not open for writing");
		return err_fix(err, "open it in the calling shell: sandbox %s %d ... %d>FILE",
			       option, fd, fd);
	}
	if (fd > STDERR_FILENO)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* its reader may be gone when there is something to tell; the child has the default again */
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

static int pidfile_create(const struct place *place)
{
	int fd = openat(place->dir, place->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0644);

	/* held as long as the launcher lives: see pidfile_stale() */
	if (fd >= 0)
		(void)flock(fd, LOCK_EX | LOCK_NB);
	return fd < 0 ? -errno : fd;
}

/* Also of one that its parent has not looked after yet. */
static bool has_ended(pid_t pid)
{
	struct pollfd p = { .fd = sys_pidfd_open(pid), .events = POLLIN };
	bool ended = p.fd < 0 ? p.fd == -ESRCH : poll(&p, 1, 0) == 1;

	fd_close(&p.fd);
	return ended;
}

static bool is_number_of_nobody(char *text, size_t len)
{
	guint64 pid;

	if (len < 2 || text[len - 1] != '\n')
		return len == 0; /* killed before it was filled */
	text[len - 1] = '\0';
	return g_ascii_string_to_unsigned(text, 10, 1, INT_MAX, &pid, NULL) &&
	       has_ended((pid_t)pid);
}

/* Whether the file that is there was left by a launcher that was killed, and has been removed: ours,
 * with nothing in it but the number of a process that is gone, and nobody holds its lock. */
static bool pidfile_stale(const struct place *place)
{
	autofd int fd = openat(place->dir, place->name,
			       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char text[16] = "";
	struct stat st, now;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0 || !is_number_of_nobody(text, (size_t)n))
		return false;
	/* the lock is that of the file which still has this name */
	return fstatat(place->dir, place->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == st.st_dev && now.st_ino == st.st_ino &&
	       unlinkat(place->dir, place->name, 0) == 0;
}

static int pidfile_make(struct status *status, const char *path)
{
	struct place place = { .dir = -EBADF };
	struct stat st = { 0 };
	int r = place_open(&place, path);

	if (r == 0) {
		status->pid_fd = pidfile_create(&place);
		if (status->pid_fd == -EEXIST && pidfile_stale(&place))
			status->pid_fd = pidfile_create(&place);
		r = status->pid_fd < 0 ? status->pid_fd : 0;
		if (r == 0 && fstat(status->pid_fd, &st) < 0)
			r = -errno;
	}
	if (r < 0) {
		place_clear(&place);
		return r;
	}
	status->pid_dev = st.st_dev;
	status->pid_ino = st.st_ino;
	status->pidfile = place;
	return 0;
}

static int pidfile_open(struct status *status, const char *path, struct err *err)
{
	int r = pidfile_make(status, path);

	if (r == 0)
		return 0;
	err_set(err, ERR_FILE, r, "cannot create the pidfile '%s'", path);
	if (r == -EEXIST)
		err_fix(err, "if the sandbox it names is gone: rm -- '%s'", path);
	return r;
}

/* The place a report goes to: symlinks followed, so that the link stays and its target changes. */
static int report_place(struct status *status, const char *path, struct stat *st)
{
	g_autofree char *real = NULL;
	int r = place_open(&status->report, path);

	if (r < 0)
		return r;
	memset(st, 0, sizeof(*st));
	if (fstatat(status->report.dir, status->report.name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISLNK(st->st_mode))
		return 0;
	/* a device or pipe is written through the link, and never replaced */
	if (fstatat(status->report.dir, status->report.name, st, 0) == 0 && !S_ISREG(st->st_mode))
		return 0;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	place_clear(&status->report);
	return place_open(&status->report, real);
}

static int report_temp(struct status *status)
{
	for (unsigned i = 0; i < 100; i++) {
		g_autofree char *name =
			g_strdup_printf(".%s.%d.%u", status->report.name, (int)getpid(), i);

		status->report_fd =
			openat(status->report.dir, name,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (status->report_fd >= 0) {
			status->temp = g_steal_pointer(&name);
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Whether it will work in the end. The file that stays is made when the box is gone: its directory
 * may be writable in there, and what lies in it could be exchanged. */
static int report_try(struct status *status)
{
	/* without a name, so that a kill at this moment leaves none either (Linux 3.11; not on every
	 * file system) */
	autofd int fd = openat(status->report.dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	int r = fd < 0 ? report_temp(status) : 0;

	if (fd >= 0 || r < 0)
		return r;
	fd_close(&status->report_fd);
	r = unlinkat(status->report.dir, status->temp, 0) < 0 ? -errno : 0;
	g_clear_pointer(&status->temp, g_free);
	return r;
}

/* The descriptor a path stands for, -1: none. Such a "file" must be written to where the caller's
 * offset is; put a new one in its place and all else that went there is lost. */
int status_descriptor(const char *path)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };
	/* clang-format off */
	static const struct { const char *path; int fd; } names[] = {
		{ "-",           STDERR_FILENO },
		{ "/dev/stderr", STDERR_FILENO },
		{ "/dev/stdout", STDOUT_FILENO },
	};
	/* clang-format on */

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(path, names[i].path) == 0)
			return names[i].fd;
	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
		guint64 fd;

		if (g_str_has_prefix(path, dirs[i]) &&
		    g_ascii_string_to_unsigned(path + strlen(dirs[i]), 10, 0, INT_MAX, &fd, NULL))
			return (int)fd;
	}
	return -1;
}

static int report_open(struct status *status, const char *path, struct err *err)
{
	struct stat st;
	int r, fd = status_descriptor(path);

	if (fd >= 0) {
		r = status_check_fd(fd, "--report", err);
		status->report_fd = r < 0 ? -EBADF : fd;
		return r;
	}
	r = report_place(status, path, &st);
	if (r == 0 && S_ISDIR(st.st_mode))
		r = -EISDIR;
	if (r == 0 && (st.st_mode == 0 || S_ISREG(st.st_mode))) {
		status->replace = true;
		r = report_try(status);
	} else if (r == 0) {
		status->report_fd = openat(status->report.dir, status->report.name,
					   O_WRONLY | O_NOCTTY | O_CLOEXEC);
		r = status->report_fd < 0 ? -errno : 0;
	}
	if (r == 0)
		return 0;
	err_set(err, ERR_FILE, r, "cannot write the report '%s'", path);
	return err_fix(err, "name a file in a directory you may write, or - for stderr");
}

/* The caller's descriptors first: what we open ourselves may get the number of a missing one. */
static int open_all(struct status *status, const struct plan *plan, struct err *err)
{
	uint32_t origin = plan->origin.status_fd;
	int r = plan->status_fd >= 0 ? status_check_fd(plan->status_fd, "--status-fd", err) : 0;

	if (r == 0 && plan->ready_fd >= 0) {
		origin = plan->origin.ready_fd;
		r = status_check_fd(plan->ready_fd, "--ready-fd", err);
	}
	if (r == 0 && plan->pidfile) {
		origin = plan->origin.pidfile;
		r = pidfile_open(status, plan->pidfile, err);
	}
	if (r == 0 && plan->report) {
		origin = plan->origin.report;
		r = report_open(status, plan->report, err);
	}
	if (r == 0 && plan->net_log) {
		origin = plan->origin.net_log;
		r = refused_open(&status->refused, plan->net_log, err);
	}
	return r < 0 ? err_origin(err, origin) : 0;
}

int status_open(struct status **ret, const struct plan *plan, struct err *err)
{
	struct status *status = g_new(struct status, 1);
	int r;

	*status = (struct status){
		.plan = plan,
		.status_fd = plan->status_fd,
		.ready_fd = plan->ready_fd,
		.pidfile = { .dir = -EBADF },
		.pid_fd = -EBADF,
		.report = { .dir = -EBADF },
		.report_fd = -EBADF,
		.refused = { .fd = -1 },
	};
	r = open_all(status, plan, err);
	if (r < 0) {
		status_close(status);
		return r;
	}
	*ret = status;
	return 0;
}

int status_pid(struct status *status, pid_t init, struct err *err)
{
	char text[16];
	int r;

	if (!status || status->pid_fd < 0)
		return 0;
	r = fd_write_all(status->pid_fd, text,
			 (size_t)g_snprintf(text, sizeof(text), "%d\n", (int)init));
	if (r == 0)
		return 0;
	(void)err_set(err, ERR_FILE, r, "cannot write the pidfile '%s'", status->plan->pidfile);
	return err_origin(err, status->plan->origin.pidfile);
}

static void status_send(const struct status *status, const GString *line)
{
	if (status->status_fd >= 0)
		(void)fd_write_all(status->status_fd, line->str, line->len);
}

static void ready_send(struct status *status)
{
	if (status->ready_fd < 0)
		return;
	(void)fd_write_all(status->ready_fd, "1\n", 2);
	/* the end of file tells the same; not where someone else still writes */
	if (status->ready_fd > STDERR_FILENO && status->ready_fd != status->status_fd)
		(void)close(status->ready_fd);
	status->ready_fd = -1;
}

void status_started(struct status *status, const struct watch_box *box)
{
	g_autoptr(GString) line = NULL;

	if (!status)
		return;
	if (status->status_fd >= 0) {
		line = g_string_sized_new(256);
		event_started(line, box->init, status->plan, box->limits, box->ip);
		status_send(status, line);
	}
	ready_send(status);
}

/* The report is complete on disk or not there at all: written aside, then put in place. */
static int report_send(struct status *status, const GString *line)
{
	int r;

	if (status->replace) {
		status->replace = false;
		r = report_temp(status);
		if (r < 0)
			return r;
	}
	if (status->report_fd < 0)
		return 0;
	r = fd_write_all(status->report_fd, line->str, line->len);
	if (status->temp) {
		if (close(fd_steal(&status->report_fd)) < 0 && r == 0)
			r = -errno;
	}
	if (r < 0 || !status->temp)
		return r;
	if (renameat(status->report.dir, status->temp, status->report.dir, status->report.name) < 0)
		return -errno;
	g_clear_pointer(&status->temp, g_free);
	return 0;
}

void status_error(struct status *status, const struct err *err, const char *origin)
{
	g_autoptr(GString) line = NULL;

	if (!status)
		return;
	line = g_string_sized_new(1024);
	event_error(line, err, origin);
	status_send(status, line);
	/* the error itself is being printed; a second one would only hide it */
	(void)report_send(status, line);
}

int status_exit(struct status *status, const struct outcome *outcome, struct err *err)
{
	g_autoptr(GString) line = NULL;
	int r;

	if (!status || (status->status_fd < 0 && status->report_fd < 0 && !status->replace))
		return 0;
	line = g_string_sized_new(256);
	event_exit(line, outcome, status->refused.summary);
	status_send(status, line);
	r = report_send(status, line);
	if (r < 0)
		return err_set(err, ERR_FILE, r, "cannot write the report '%s'",
			       status->plan->report);
	return 0;
}

void status_network(struct status *status, enum netctl_kind kind, const char *text)
{
	char quoted[512];

	if (kind == NETCTL_NOTICE)
		log_notice("%s", err_quote(quoted, sizeof(quoted), text));
	if (status && kind == NETCTL_REFUSED)
		refused_log(&status->refused, text);
	if (status && kind == NETCTL_SUMMARY && !status->refused.summary)
		status->refused.summary = g_strdup(text);
}

void status_say_refused(const struct status *status)
{
	if (status)
		refused_notice(&status->refused);
}

static void pidfile_remove(struct status *status)
{
	struct stat st;

	fd_close(&status->pid_fd);
	if (!status->pidfile.name)
		return;
	if (fstatat(status->pidfile.dir, status->pidfile.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == status->pid_dev && st.st_ino == status->pid_ino)
		(void)unlinkat(status->pidfile.dir, status->pidfile.name, 0);
	place_clear(&status->pidfile);
}

void status_close(struct status *status)
{
	if (!status)
		return;
	if (status->temp)
		(void)unlinkat(status->report.dir, status->temp, 0);
	pidfile_remove(status);
	if (status->report.name) /* else it is the caller's */
		fd_close(&status->report_fd);
	place_clear(&status->report);
	refused_close(&status->refused);
	g_free(status->temp);
	g_free(status);
}
