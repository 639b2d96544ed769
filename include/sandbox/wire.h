/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <sandbox/err.h>
#include <sandbox/soft.h>

/*
 * The wire between the launcher and the child that becomes PID 1: one SOCK_SEQPACKET pair, one
 * fixed struct. Until HANDOFF only REACHED, PROCEED, FD and FAILED travel, and end of file is a
 * failure on both sides. After REACHED(HANDOFF) the same socket carries the supervision below;
 * then end of file means to PID 1 that the launcher is gone (it ends the box), and to the
 * launcher that PID 1 is gone (it reaps it).
 */

#define WIRE_MAGIC 0x53424f58u /* "SBOX" */

enum wire_kind {
	WIRE_REACHED = 1, /* child: value is the stage it has completed */
	WIRE_PROCEED,     /* parent: value is the stage the child may go past */
	WIRE_FD,          /* child: one descriptor attached; value is enum wire_slot */
	WIRE_FAILED,      /* child: err is valid */
	/* supervision */
	WIRE_STARTED,     /* child: the command was executed; value is its pid inside */
	WIRE_STOPPED,     /* child: the command stopped; value is the signal */
	WIRE_EXITED,      /* child: the command ended; value is its wait status */
	WIRE_LIMIT,       /* child: the limiter's word; value is enum soft_kind, figures are valid */
	WIRE_BLOCKED,     /* child: a filter has ended a process; blocked is valid */
	WIRE_SIGNAL,      /* parent: send signal `value` to the command's process group */
	WIRE_FOREGROUND,  /* parent: the pty's foreground group becomes the command's (value 1), or
	                     PID 1's own (0), so that the command is in the background there and
	                     a read of it stops it with SIGTTIN, as on the terminal outside */
	WIRE_RESUME,      /* parent: SIGCONT to the command's group */
	WIRE_FINISH,      /* parent: the time is up: kill all, tell the figures and the command's
	                     status, end */
	_WIRE_MAX,
};

/* The status PID 1 exits with when it has ended the box for --timeout: told to by FINISH, or by itself,
 * since the launcher was stopped. */
enum { WIRE_TIMED_OUT = 124 };

enum wire_slot {
	WIRE_SLOT_PTY = 1,   /* the master of the box's own pty */
	WIRE_SLOT_LINK,      /* the box's frames; err.num is enum netctl_channel */
	WIRE_SLOT_NETNS,     /* the box's network namespace, for the agent of published ports */
	WIRE_SLOT_MADE,      /* O_PATH of a directory; err.what holds the name of a mount point made
	                        in it, value of err.num 1 for a file, 0 for a directory */
};

/* A process that made a call which its filter answers by killing. */
struct wire_blocked {
	int32_t nr;       /* of the call, as `arch` numbers it */
	uint32_t arch;    /* AUDIT_ARCH_* */
	int32_t pid;      /* inside, of the thread */
	int32_t command;  /* 1: the command itself, 0: another process of the box */
};

struct wire_msg {
	uint32_t magic;
	uint16_t kind;
	uint16_t stage;
	int32_t value;
	int32_t pad;
	struct soft_report figures;
	struct wire_blocked blocked;
	struct err err;
};

/* Sends one message, with `fd` attached unless it is negative. Async-signal-safe; blocks.
 * 0 or negative errno. */
int wire_send(int sock, enum wire_kind kind, int value, const struct err *err, int fd);

/* The same without waiting: -EAGAIN when the other side does not read. For the supervisor, whose
 * timers must go on whatever PID 1 does. */
int wire_send_nowait(int sock, enum wire_kind kind, int value);

/* WIRE_LIMIT with what the limiter has reported. */
int wire_send_figures(int sock, const struct soft_report *report);

/* WIRE_BLOCKED. Of the command it waits until it is sent; of others it is dropped when the other side
 * does not read, so that they cannot stop PID 1. */
int wire_send_blocked(int sock, const struct wire_blocked *blocked);

/* Receives one. 0; -EPIPE at end of file; -EBADMSG for a message of the wrong size, magic or
 * kind; -EAGAIN with nonblock set when there is none. *ret_fd: a descriptor, close-on-exec, or
 * -EBADF; NULL refuses descriptors. */
int wire_recv(int sock, struct wire_msg *ret, int *ret_fd, int nonblock);
