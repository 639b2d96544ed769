// SPDX-License-Identifier: MIT
/* The box's own terminal. The slave is opened by TIOCGPTPEER (Linux 4.13), not by name; the master
 * goes to the launcher. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/pty.h>
#include <sandbox/wire.h>

#include "ops.h"

int op_pty_open(int master, struct run *run, struct err *err)
{
	int unlock = 0, r;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, ERR_TTY, errno, "cannot unlock the box's terminal");
	run->pty = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (run->pty < 0)
		return err_set(err, ERR_TTY, errno, "cannot open the box's terminal");
	r = pty_prepare(master, run->plan->tty_source);
	if (r < 0)
		return err_set(err, ERR_TTY, r, "cannot copy the terminal's settings");
	r = wire_send(run->wire, WIRE_FD, WIRE_SLOT_PTY, NULL, master);
	return r < 0 ? err_set(err, ERR_TTY, r, "cannot hand over the box's terminal") : 0;
}

/* One of the host's, where the box has no devpts of its own. */
int op_pty_apply(const struct op *op, struct run *run, struct err *err)
{
	autofd int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	(void)op;
	if (master < 0 || fstat(master, &st) < 0)
		return err_set(err, ERR_TTY, errno, "cannot open a terminal for the box");
	if (!S_ISCHR(st.st_mode) || major(st.st_rdev) != 5 || minor(st.st_rdev) != 2)
		return err_set(err, ERR_TTY, ENXIO,
			       "'/dev/ptmx' is not the character device 5:2 it should be");
	return op_pty_open(master, run, err);
}
