// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <sandbox/pty.h>

/* A terminal without lines and echo is just being used by someone else, the editing shell of
 * `sandbox -- CMD &` say: then the kernel's defaults are better, but for the character set. (Our
 * caller may be in another PID namespace by now, so tty_foreground() could not tell.) */
static void copy_modes(int pty, int source)
{
	struct termios from, to;

	if (tcgetattr(source, &from) < 0 || tcgetattr(pty, &to) < 0)
		return;
	if ((from.c_lflag & (ICANON | ECHO)) != 0)
		to = from;
	else
		to.c_iflag = (to.c_iflag & ~(tcflag_t)IUTF8) | (from.c_iflag & IUTF8);
	(void)tcsetattr(pty, TCSANOW, &to);
}

int pty_copy_size(int pty, int source)
{
	struct winsize size;

	if (ioctl(source, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
		return 0;
	return ioctl(pty, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int pty_prepare(int pty, int source)
{
	copy_modes(pty, source);
	return pty_copy_size(pty, source);
}
