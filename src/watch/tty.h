/* SPDX-License-Identifier: MIT */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <termios.h>

#include <sandbox/plan.h>
#include <sandbox/watch.h>

/* The state of the standard descriptors that outlives a process: the status flags of the open
 * file descriptions and, where the command has the caller's terminal itself, its modes. */
struct stdio_state {
	int flags[3]; /* F_GETFL; -1: closed */
	bool has_modes[3];
	struct termios modes[3];
};

/* `no_pty`: the terminals among them went to the command as they are. */
void stdio_save(struct stdio_state *ret, bool no_pty);
void stdio_restore(const struct stdio_state *state);

enum { TTY_BUFFER = 8192 };
struct tty_buffer {
	size_t from, to;
	char data[TTY_BUFFER];
};

enum tty_slot { TTY_SLOT_PTY, TTY_SLOT_IN, TTY_SLOT_OUT, _TTY_SLOT_MAX };

/* The relay between the user's terminal and the master of the box's pty. */
struct tty {
	int pty;              /* master, borrowed; -1: there is no pty and nothing below is used */
	int source;           /* the caller's descriptor, borrowed: modes and job control */
	int in, out;          /* the same terminal, opened again so that O_NONBLOCK is ours alone */
	bool own_in, own_out; /* ... which failed: in and out are the caller's descriptors */
	bool keep_opost;      /* someone else writes to the terminal too (`sandbox -- X | less`) */
	bool relaying;        /* raw, and input goes to the pty */
	bool in_gone, out_gone; /* the user's terminal hung up */
	bool idle;              /* no process has the pty open at the moment */
	struct termios cooked;  /* to be restored; valid while relaying */
	struct tty_buffer *to_user, *to_box;
};

void tty_open(struct tty *ret, const struct plan *plan, const struct watch_box *box);
/* Restores the terminal and releases everything. */
void tty_close(struct tty *tty);

/* Raw mode and input on; nothing happens outside of the foreground, and a second call renews the
 * modes. False: we may not use the terminal. */
bool tty_start(struct tty *tty);
/* Input off and the terminal as it was. */
void tty_stop(struct tty *tty);
/* Whether the user's terminal has hung up, noticed by tty_handle() or not yet. */
bool tty_is_gone(const struct tty *tty);
/* The window size of the user's terminal goes to the pty. */
void tty_resize(struct tty *tty);

/* Fills _TTY_SLOT_MAX slots; returns the longest time to poll, -1: no limit. */
int tty_poll(const struct tty *tty, struct pollfd *slots);
/* Moves what can be moved without blocking. True: the user's terminal has just hung up. */
bool tty_handle(struct tty *tty, const struct pollfd *slots);

/* Moves what the box has written so far, for at most `ms` milliseconds. */
void tty_flush(struct tty *tty, int ms);
/* The box is gone: moves what can be moved of what is left; true: that was all. */
bool tty_drain(struct tty *tty);
/* Puts /dev/null in the place of the master: for the box the terminal is hung up. */
void tty_hang_up(struct tty *tty);
