/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * sandbox-scope asks systemd for a cgroup that is the caller's own to use, answers with one line,
 * and ends. It decides nothing: which limits there are, and what happens when there is no systemd,
 * is the launcher's business.
 *
 *   sandbox-scope scope --name NAME.scope --pid N [--slice NAME.slice] [--pidfd FD] [WHERE]
 *       A transient scope with process N in it, Delegate=yes, without limits. The answer comes
 *       when systemd's job is done, so that the process is in its new cgroup by then.
 *       FD is a pidfd of the same process: no number can be used twice, where systemd takes it
 *       (from 254 on; else the number is sent, which the caller must keep from being reaped).
 *   sandbox-scope probe [WHERE]
 *       Is there a systemd to ask, and which?
 *   sandbox-scope stop --name NAME.scope [WHERE]
 *       Stops the scope and forgets its failure. One that does not exist is stopped already.
 *
 *   WHERE: [--bus ADDRESS] [--runtime DIR] [--system]
 *       The manager of the user: D-Bus ADDRESS ("unix:path=..."), then DIR/bus and
 *       /run/user/UID/bus, then the manager's own socket beside them, systemd/private. With --system the
 *       system's: /run/dbus/system_bus_socket, then /run/systemd/private. A socket must belong to
 *       the user (or to root with --system). No environment variable is read.
 *
 * The answer is exactly one line on standard output. It comes at the latest ANSWER_SECONDS after the
 * last sign of life: the start, a connection, the answer to the call; so a socket that is mute costs
 * that long, and a slow machine that is at work is waited for up to three times as long. Where
 * others of the user's are before us, TURN_SECONDS come on top at the most.
 *   ok /user.slice/user-1000.slice/user@1000.service/sandbox.slice/NAME.scope     scope; exit 0
 *   ok 252.38-1~deb12u1 /user.slice/user-1000.slice/user@1000.service             probe; exit 0
 *   ok NAME.scope                                                                 stop; exit 0
 *   err CODE D-BUS-ERROR TEXT                                                     exit 1
 * Paths are below the root of the cgroup hierarchy as the manager sees it. CODE is one of the
 * codes below; D-BUS-ERROR is the name systemd gave, or "-"; TEXT is for people, without control
 * characters. No answer at all (the helper was killed, or could not start) is a failure too.
 *
 * The caller owns the descriptors and the scope: systemd removes the scope once no process is left
 * in it (CollectMode=inactive-or-failed, so that none stays in the list of failed units). After an
 * error, "timeout" above all, or without an answer, the scope may exist nevertheless: only the
 * process's own /proc/PID/cgroup says whether it was moved.
 *
 * Sources: org.freedesktop.systemd1(5), systemd.scope(5), https://systemd.io/CONTROL_GROUP_INTERFACE.
 */

#define ANSWER_SECONDS 5
#define TURN_SECONDS   60

enum code {
	CODE_NOBUS,     /* no manager could be reached */
	CODE_REFUSED,   /* it was reached, and answered with an error */
	CODE_TIMEOUT,   /* no answer within ANSWER_SECONDS */
	CODE_JOBFAILED, /* it began, and its job did not end with "done" */
	CODE_USAGE,     /* the arguments make no sense */
	_CODE_MAX,
};

struct problem {
	enum code code;
	char name[128]; /* the D-Bus error's name; empty: none */
	char text[512]; /* one sentence */
};

struct request {
	const char *name;    /* of the scope */
	const char *slice;   /* default: sandbox.slice */
	const char *address; /* of the bus; NULL: find it */
	const char *runtime; /* directory of the user's sockets; NULL: /run/user/UID */
	pid_t pid;           /* 0: not given */
	int pidfd;           /* -1: not given */
	bool system;
};

/* Fills `problem` and returns -1, so that `return problem_set(...)` works. */
int problem_set(struct problem *problem, enum code code, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A unit's name of letters, digits and :_.- that ends in `suffix` and is not longer than systemd
 * allows (UNIT_NAME_MAX, 255). */
bool name_is_unit(const char *name, const char *suffix);
