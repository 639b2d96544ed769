// SPDX-License-Identifier: MIT
/*
 * PID 1's side of a filter that kills. A process the kernel kills for a call of its own dies without
 * a word about which: the parent sees SIGSYS, and only the kernel's log has the number. So the
 * filter asks instead (SECCOMP_RET_USER_NOTIF, Linux 5.0), PID 1 holds the other end, tells the
 * launcher the number, and ends the process. It never answers: the call waits until its process
 * is dead, and is not executed whatever happens. With PID 1 everything ends.
 *
 * SIGSYS is what the kernel would send, and parents inside expect; a process that blocks, ignores
 * or catches it gets SIGKILL, which nothing can put off.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/wire.h>

#include "run.h"

enum { DIE_MS = 500, FAST = 20 };

/* Whether the call still waits. */
static bool waits(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* Soon on an idle machine; on a busy one it has to get its turn first. It takes SIGSYS, as was looked
 * up, so that the whole while passes only for one that has just changed that. */
static bool gone_soon(int listener, uint64_t id)
{
	struct timespec pause = { .tv_nsec = 20 * 1000 };

	for (int i = 0; i < DIE_MS + FAST; i++) {
		if (!waits(listener, id))
			return true;
		pause.tv_nsec = i < FAST ? 20 * 1000 : 1000 * 1000;
		(void)nanosleep(&pause, NULL);
	}
	return !waits(listener, id);
}

/* Whether SIGSYS would end it. What it changes meanwhile does not help it: the call is not made, and
 * the next one finds it in `seen`. */
static bool takes_sigsys(int proc, pid_t pid)
{
	static const char *const masks[] = { "SigBlk:\t", "SigIgn:\t", "SigCgt:\t" };
	char path[32], text[4096];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%d/status", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (unsigned i = 0; i < 3; i++) {
		const char *at = strstr(text, masks[i]);

		if (!at ||
		    strtoull(at + strlen(masks[i]), NULL, 16) & (UINT64_C(1) << (SIGSYS - 1)))
			return false;
	}
	return true;
}

/* It has come back from a handler it had not when it was looked at. */
static bool seen(struct notify *notify, pid_t pid)
{
	for (unsigned i = 0; i < NOTIFY_SEEN; i++)
		if (notify->seen[i] == pid)
			return true;
	notify->seen[notify->next++ % NOTIFY_SEEN] = pid;
	return false;
}

static int end_process(struct notify *notify, const struct seccomp_notif *call)
{
	pid_t pid = (pid_t)call->pid;

	if (takes_sigsys(notify->proc, pid) && !seen(notify, pid)) {
		if (kill(pid, SIGSYS) < 0 && errno != ESRCH)
			return -errno;
		if (gone_soon(notify->fd, call->id))
			return 0;
	}
	return kill(pid, SIGKILL) < 0 && errno != ESRCH ? -errno : 0;
}

/* Signal 0 to a thread of another process is ESRCH, and EPERM comes after that. */
static bool is_thread_of(pid_t process, pid_t thread)
{
	return syscall(SYS_tgkill, process, thread, 0) == 0 || errno == EPERM;
}

int notify_handle(struct notify *notify, int wire, pid_t command)
{
	union {
		struct seccomp_notif call;
		char room[512]; /* a later kernel's may be larger (seccomp_unotify(2)) */
	} u;
	struct wire_blocked blocked;

	memset(&u, 0, sizeof(u));
	if (ioctl(notify->fd, SECCOMP_IOCTL_NOTIF_RECV, &u.call) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : -errno; /* it died meanwhile */
	blocked = (struct wire_blocked){
		.nr = u.call.data.nr,
		.arch = u.call.data.arch,
		.pid = (int32_t)u.call.pid,
		.command = is_thread_of(command, (pid_t)u.call.pid),
	};
	(void)wire_send_blocked(wire, &blocked);
	return end_process(notify, &u.call);
}
