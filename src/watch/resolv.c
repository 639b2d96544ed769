// SPDX-License-Identifier: MIT
#include "resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/log.h>
#include <sandbox/netctl.h>
#include <sandbox/resolv.h>

#include "loop.h"

/* A moment, so that a file which is written in several steps is read once; and how long until the
 * helper is told again that had no room. */
enum { SETTLE_MS = 100, AGAIN_MS = 500 };

/* One more than fits, so that a file which is longer is seen to be. */
enum { READ_MAX = NETCTL_TEXT_MAX + 1 };

static const char place[] = "/etc/resolv.conf";

static int64_t now_ms(void)
{
	return watch_now_us() / 1000;
}

void resolv_begin(struct resolv *r)
{
	*r = (struct resolv){ .on = true, .fd = -1, .due_ms = now_ms() + SETTLE_MS };
}

/* ---- what is watched ---- */

static void forget(struct resolv *r)
{
	while (r->n > 0) {
		r->n--;
		(void)inotify_rm_watch(r->fd, r->wds[r->n]);
		g_clear_pointer(&r->names[r->n], g_free);
	}
}

void resolv_end(struct resolv *r)
{
	if (!r->on)
		return;
	forget(r);
	fd_close(&r->fd);
	g_clear_pointer(&r->told, g_free);
	r->on = false;
}

static int add(struct resolv *r, const char *path, uint32_t mask, const char *name)
{
	int wd;

	if (r->n == RESOLV_WATCHES)
		return -ENOSPC;
	wd = inotify_add_watch(r->fd, path, mask);
	if (wd < 0)
		return -errno;
	r->wds[r->n] = wd;
	r->names[r->n++] = g_strdup(name);
	return 0;
}

/* The directory of a name; where it is missing, the one above in which it will appear. */
static void watch_directory(struct resolv *r, const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);

	while (add(r, dir,
		   IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF,
		   name) == -ENOENT &&
	       strcmp(dir, "/") != 0) {
		g_autofree char *below = g_steal_pointer(&dir);

		g_free(name);
		name = g_path_get_basename(below);
		dir = g_path_get_dirname(below);
	}
}

/* Where a link leads; NULL: it is none. */
static char *follow(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	g_autofree char *dir = g_path_get_dirname(path);

	if (n < 0)
		return NULL;
	target[n] = '\0';
	return target[0] == '/' ? g_strdup(target) : g_build_filename(dir, target, NULL);
}

static void watch_chain(struct resolv *r)
{
	g_autofree char *path = g_strdup(place);

	for (int links = 0; path && links < RESOLV_LINKS; links++) {
		char *next = follow(path);

		watch_directory(r, path);
		g_free(path);
		path = next;
	}
	/* mounted over, as in a container, it changes without a word in its directory */
	(void)add(r, place, IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB,
		  NULL);
}

static bool open_watch(struct resolv *r)
{
	if (r->fd >= 0)
		return true;
	r->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (r->fd >= 0)
		return true;
	log_notice("changes of the host's resolv.conf will not be followed: %s",
		   errno == EMFILE ? "fs.inotify.max_user_instances is reached"
				   : g_strerror(errno));
	r->on = false;
	return false;
}

/* ---- what it says ---- */

/* To what fits into a message: a last line that is cut is no line. */
static void cut(char *text)
{
	char *end;

	if (strlen(text) <= NETCTL_TEXT_MAX)
		return;
	text[NETCTL_TEXT_MAX] = '\0';
	end = strrchr(text, '\n');
	if (end)
		end[1] = '\0';
}

/* NULL: it is there and cannot be read, so that nothing is known. */
static char *read_text(void)
{
	autofd int fd = open(place, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	g_autofree char *text = NULL;
	char *numbered;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? g_strdup("") : NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	text = g_malloc0(READ_MAX + 1);
	n = fd_read_all(fd, text, READ_MAX);
	if (n < 0 && n != -EFBIG)
		return NULL;
	/* the same name may be another interface by now: it is looked up each time */
	numbered = resolv_number(text, if_nametoindex);
	cut(numbered);
	return numbered;
}

static void look(struct resolv *r, int control)
{
	g_autofree char *text = NULL;
	int sent;

	if (!open_watch(r))
		return;
	/* first the watches, then the file: what changes between the two is heard of */
	forget(r);
	watch_chain(r);
	text = read_text();
	if (!text || (r->told && strcmp(text, r->told) == 0))
		return;
	sent = netctl_send(control, NETCTL_RESOLV, 0, text, strlen(text), -1);
	if (sent == -EAGAIN)
		r->due_ms = now_ms() + AGAIN_MS;
	if (sent < 0)
		return;
	g_free(r->told);
	r->told = g_steal_pointer(&text);
}

/* ---- events ---- */

static bool is_wanted(const struct resolv *r, const struct inotify_event *event)
{
	if (event->mask & IN_IGNORED) /* forget() did it, or another event says why */
		return false;
	if (event->len == 0)
		return true;
	for (unsigned i = 0; i < r->n; i++)
		if (r->names[i] && strcmp(r->names[i], event->name) == 0)
			return true;
	return false;
}

static bool take_events(const struct resolv *r)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool wanted = false;
	ssize_t n;

	while ((n = read(r->fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buf + at);

			wanted |= is_wanted(r, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return wanted;
}

void resolv_poll(const struct resolv *r, struct pollfd *slot)
{
	*slot = (struct pollfd){ r->on ? r->fd : -1, POLLIN, 0 };
}

int resolv_wait(const struct resolv *r, int most)
{
	int64_t left;

	if (!r->on || r->due_ms == 0)
		return most;
	left = r->due_ms - now_ms();
	if (left < 0)
		left = 0;
	return most >= 0 && left > most ? most : (int)left;
}

void resolv_handle(struct resolv *r, const struct pollfd *slot, int control)
{
	if (!r->on)
		return;
	if (slot->revents && take_events(r) && r->due_ms == 0)
		r->due_ms = now_ms() + SETTLE_MS;
	if (r->due_ms == 0 || now_ms() < r->due_ms)
		return;
	r->due_ms = 0;
	look(r, control);
}
