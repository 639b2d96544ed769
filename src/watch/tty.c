// SPDX-License-Identifier: MIT
/*
 * The terminal. The box has a pty of its own (TIOCSTI and TIOCLINUX reach no further); its master
 * is here, and this file moves bytes between it and the user's terminal, window sizes inward, and
 * nothing else: escape sequences are never looked at.
 *
 * The user's terminal is raw only while we are in its foreground and relay input; in a pipeline
 * it stays as it is until the command reads or sets the terminal (loop.c), so that `sandbox -- X |
 * less` leaves the keys to less. The modes are put back whenever we stop relaying.
 *
 * Nothing blocks: O_NONBLOCK must never be set on the caller's descriptors, since the flag belongs
 * to the open file description that the shell uses too, so the terminal is opened a second time.
 * Each direction has one small buffer, refilled when it is empty: a slow terminal thus stops the
 * box as it would without us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <sandbox/fd.h>
#include <sandbox/pty.h>

#include "tty.h"

enum {
	IDLE_MS = 100,     /* how often to look whether the pty was opened again */
	ROUNDS = 16,       /* buffers moved before signals and the wire get their turn */
	SMALL_WRITE = 256, /* to a terminal that blocks: what poll(2) promises room for */
};

bool tty_foreground(int source)
{
	pid_t group = tcgetpgrp(source);

	/* ENOTTY: not our controlling terminal, so the kernel applies no job control to us */
	return group < 0 ? errno == ENOTTY && isatty(source) : group == getpgrp();
}

void stdio_save(struct stdio_state *ret, bool no_pty)
{
	for (int fd = 0; fd < 3; fd++) {
		ret->flags[fd] = fcntl(fd, F_GETFL);
		ret->has_modes[fd] = no_pty && tcgetattr(fd, &ret->modes[fd]) == 0;
	}
}

void stdio_restore(const struct stdio_state *state)
{
	for (int fd = 0; fd < 3; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && state->flags[fd] >= 0 && flags != state->flags[fd])
			(void)fcntl(fd, F_SETFL, state->flags[fd]);
		/* in the background the terminal is someone else's by now */
		if (state->has_modes[fd] && tty_foreground(fd))
			(void)tcsetattr(fd, TCSANOW, &state->modes[fd]);
	}
}

void tty_resize(struct tty *tty)
{
	if (tty->pty >= 0)
		(void)pty_copy_size(tty->pty, tty->source);
}

/* Another open file description of the terminal `fd`. Its device may belong to another user (su,
 * sudo); /dev/tty is open to all and the same terminal if it is our controlling one. */
static int open_again(int fd)
{
	const int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[32];
	int again;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	if (again < 0 && tcgetpgrp(fd) >= 0)
		again = open("/dev/tty", flags);
	return again;
}

static void open_terminals(struct tty *tty, const struct plan *plan)
{
	static const int order[] = { STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO };
	int target = plan->tty_source;

	for (size_t i = 3; i-- > 0;)
		if (plan->tty[order[i]])
			target = order[i];
	tty->in = open_again(tty->source);
	tty->own_in = tty->in >= 0;
	if (!tty->own_in)
		tty->in = tty->source;
	tty->out = open_again(target);
	tty->own_out = tty->out >= 0;
	if (!tty->own_out)
		tty->out = target;
}

void tty_open(struct tty *ret, const struct plan *plan, const struct watch_box *box)
{
	*ret = (struct tty){ .pty = -1, .in = -EBADF, .out = -EBADF };
	if (box->pty < 0 || plan->tty_source < 0)
		return;
	ret->pty = box->pty;
	ret->source = plan->tty_source;
	ret->keep_opost = !plan->tty[STDOUT_FILENO];
	ret->to_user = g_new0(struct tty_buffer, 1);
	ret->to_box = g_new0(struct tty_buffer, 1);
	(void)fcntl(ret->pty, F_SETFL, O_RDWR | O_NONBLOCK);
	open_terminals(ret, plan);
}

void tty_close(struct tty *tty)
{
	if (tty->pty < 0)
		return;
	tty_stop(tty);
	if (tty->own_in)
		fd_close(&tty->in);
	if (tty->own_out)
		fd_close(&tty->out);
	g_free(tty->to_user);
	g_free(tty->to_box);
	tty->to_user = tty->to_box = NULL;
	tty->pty = -1;
}

/* Every key goes to the pty as it is, whose own modes then make lines and signals of it. The
 * character size and the speed are the terminal's own business. */
static void make_raw(struct termios *modes, bool keep_opost)
{
	modes->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL |
				      IXON | IXOFF | IXANY | INPCK | IUCLC | IMAXBEL);
	modes->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	if (!keep_opost)
		modes->c_oflag &= ~(tcflag_t)OPOST;
	modes->c_cc[VMIN] = 1;
	modes->c_cc[VTIME] = 0;
}

bool tty_start(struct tty *tty)
{
	struct termios raw;

	if (tty->pty < 0 || tty->in_gone || !tty_foreground(tty->source))
		return false;
	if (!tty->relaying && tcgetattr(tty->source, &tty->cooked) < 0)
		return false;
	raw = tty->cooked;
	make_raw(&raw, tty->keep_opost);
	if (tcsetattr(tty->source, TCSANOW, &raw) < 0)
		return false;
	tty->relaying = true;
	return true;
}

bool tty_is_gone(const struct tty *tty)
{
	/* every ioctl of a terminal that hung up is EIO */
	return tty->in_gone || (tcgetpgrp(tty->source) < 0 && errno == EIO);
}

void tty_stop(struct tty *tty)
{
	if (tty->pty < 0 || !tty->relaying)
		return;
	tty->relaying = false;
	/* whoever took the terminal from us has set it as he needs it */
	if (!tty->in_gone && tty_foreground(tty->source))
		(void)tcsetattr(tty->source, TCSANOW, &tty->cooked);
}

static bool buffer_empty(const struct tty_buffer *buffer)
{
	return buffer->from == buffer->to;
}

int tty_poll(const struct tty *tty, struct pollfd *slots)
{
	bool input = tty->relaying && buffer_empty(tty->to_box);
	bool output = !buffer_empty(tty->to_user);
	short events = (short)((output ? 0 : POLLIN) | (buffer_empty(tty->to_box) ? 0 : POLLOUT));

	slots[TTY_SLOT_PTY] = (struct pollfd){
		.fd = tty->idle || events == 0 ? -1 : tty->pty,
		.events = events,
	};
	/* no events but still a descriptor: POLLHUP is told in any case */
	slots[TTY_SLOT_IN] = (struct pollfd){
		.fd = tty->in_gone ? -1 : tty->in,
		.events = input ? POLLIN : 0,
	};
	slots[TTY_SLOT_OUT] = (struct pollfd){
		.fd = output && !tty->out_gone ? tty->out : -1,
		.events = POLLOUT,
	};
	return tty->idle ? IDLE_MS : -1;
}

/* Refills an empty buffer: what read(2) returned, as a negative errno where it failed. */
static ssize_t buffer_fill(struct tty_buffer *buffer, int fd)
{
	ssize_t n = read(fd, buffer->data, sizeof(buffer->data));

	if (n < 0)
		return -errno;
	buffer->from = 0;
	buffer->to = (size_t)n;
	return n;
}

/* Empties it as far as it goes: 0, or a negative errno; -EAGAIN: a rest is left. */
static int buffer_send(struct tty_buffer *buffer, int fd, size_t most)
{
	while (!buffer_empty(buffer)) {
		size_t len = buffer->to - buffer->from;
		ssize_t n = write(fd, buffer->data + buffer->from, len < most ? len : most);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buffer->from += (size_t)n;
		if (most < TTY_BUFFER && !buffer_empty(buffer))
			return -EAGAIN;
	}
	return 0;
}

/* False: the terminal takes no more at the moment. A terminal that is gone takes everything, so
 * that the box, which may live on (nohup), is not stopped by it. */
static bool send_to_user(struct tty *tty)
{
	int r = tty->out_gone ? 0
			      : buffer_send(tty->to_user, tty->out,
					    tty->own_out ? TTY_BUFFER : SMALL_WRITE);

	if (r == -EAGAIN)
		return false;
	if (r < 0)
		tty->out_gone = true;
	tty->to_user->from = tty->to_user->to = 0;
	return true;
}

/* True: a buffer was moved and there may be more. */
static bool move_output(struct tty *tty)
{
	ssize_t n;

	if (!buffer_empty(tty->to_user))
		return send_to_user(tty);
	n = buffer_fill(tty->to_user, tty->pty);
	if (n == -EINTR)
		return true;
	if (n <= 0) {
		/* EIO: no process has the pty open, though one may open it again */
		tty->idle = n == -EIO;
		return false;
	}
	/* a terminal that may block is asked by poll(2) first */
	return tty->own_out || tty->out_gone ? send_to_user(tty) : false;
}

static void send_to_box(struct tty *tty)
{
	int r = buffer_send(tty->to_box, tty->pty, TTY_BUFFER);

	if (r < 0 && r != -EAGAIN)
		tty->to_box->from = tty->to_box->to = 0;
}

/* True: the terminal has hung up. */
static bool move_input(struct tty *tty, short revents)
{
	ssize_t n;

	if ((revents & POLLIN) != 0 && tty->relaying && buffer_empty(tty->to_box)) {
		n = buffer_fill(tty->to_box, tty->in);
		if (n > 0)
			send_to_box(tty);
		/* from the background: SIGTTIN is blocked, so the read fails (termios(3)) */
		if (n == -EIO && (revents & (POLLHUP | POLLERR)) == 0)
			tty->relaying = false;
		if (n == 0)
			revents = (short)(revents | POLLHUP);
	}
	return (revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool tty_handle(struct tty *tty, const struct pollfd *slots)
{
	tty->idle = false;
	if ((slots[TTY_SLOT_PTY].revents & POLLOUT) != 0)
		send_to_box(tty);
	/* no descriptor: an idle pty is looked at again, a full buffer waits for the terminal */
	if (slots[TTY_SLOT_PTY].revents != 0 || slots[TTY_SLOT_OUT].revents != 0 ||
	    (slots[TTY_SLOT_PTY].fd < 0 && buffer_empty(tty->to_user)))
		for (int i = 0; i < ROUNDS && move_output(tty); i++)
			;
	if (slots[TTY_SLOT_IN].revents == 0 || !move_input(tty, slots[TTY_SLOT_IN].revents))
		return false;
	tty->in_gone = tty->out_gone = true;
	tty->relaying = false;
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void tty_flush(struct tty *tty, int ms)
{
	int64_t end = now_ms() + ms;

	if (tty->pty < 0)
		return;
	for (;;) {
		struct pollfd out = { .fd = tty->out, .events = POLLOUT };
		int64_t left = end - now_ms();

		while (left > 0 && move_output(tty))
			left = end - now_ms();
		if (left <= 0 || buffer_empty(tty->to_user))
			return;
		if (poll(&out, 1, (int)left) < 0 && errno != EINTR)
			return;
	}
}

bool tty_drain(struct tty *tty)
{
	if (tty->pty < 0)
		return true;
	while (move_output(tty))
		;
	/* EAGAIN from the pty means empty: the kernel looks for bytes on their way first */
	return buffer_empty(tty->to_user);
}

void tty_hang_up(struct tty *tty)
{
	autofd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* the number stays its owner's to close */
	if (null >= 0)
		(void)dup3(null, tty->pty, O_CLOEXEC);
	tty_close(tty);
}
