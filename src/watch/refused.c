// SPDX-License-Identifier: MIT
#include "refused.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/json.h>
#include <sandbox/log.h>
#include <sandbox/netctl.h>

#include "status.h"

enum { LISTED_MAX = 100, FIELDS = 5 }; /* in a report; of a line */

/* A line in its parts, see netctl.h. */
struct line {
	guint64 count;
	gchar **f; /* with its count before, or not */
	const char *proto, *address, *port, *name, *why;
};

static void line_clear(struct line *line)
{
	g_strfreev(line->f);
}

/* False: it is not of the expected form. */
static bool line_read(const char *text, bool counted, struct line *ret)
{
	unsigned at = counted ? 1 : 0;

	*ret = (struct line){ .f = g_strsplit(text, "\t", -1), .count = 1 };
	if (g_strv_length(ret->f) != FIELDS + at ||
	    (counted &&
	     !g_ascii_string_to_unsigned(ret->f[0], 10, 1, G_MAXUINT64, &ret->count, NULL)))
		return false;
	ret->proto = ret->f[at];
	ret->address = ret->f[at + 1];
	ret->port = ret->f[at + 2];
	ret->name = ret->f[at + 3];
	ret->why = ret->f[at + 4];
	return true;
}

/* "198.51.100.3:443", "[2001:db8::1]:443", "198.51.100.3" of a ping, "-" where only a name was asked
 * for. */
static void destination(char *out, size_t size, const struct line *l)
{
	bool v6 = strchr(l->address, ':') != NULL;

	if (!*l->address)
		(void)snprintf(out, size, "-");
	else if (!*l->port)
		(void)snprintf(out, size, "%.64s", l->address);
	else
		(void)snprintf(out, size, "%s%.64s%s:%.8s", v6 ? "[" : "", l->address,
			       v6 ? "]" : "", l->port);
}

/* ---- the log ---- */

static int open_file(struct refused *refused, const char *path)
{
	/* a pipe that nobody reads must not hold the start, and a slow reader not the box */
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	refused->fd = fd;
	refused->ours = true;
	return 0;
}

/* A pipe or a terminal; the master of one would be another when it is opened again. */
static bool can_reopen(int fd)
{
	struct stat st;
	unsigned number;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return true;
	return isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0;
}

/*
 * The caller's own: others write there too, the box among them, so that O_NONBLOCK may not be set on it,
 * and room that is seen may be gone by the write. A pipe or a terminal can be opened a second time, with
 * flags of our own (proc_pid_fd(5)); where it cannot, what poll(2) says has to do.
 */
static int take_descriptor(struct refused *refused, int fd, struct err *err)
{
	int r = status_check_fd(fd, "--net-log", err), again = -1;
	char path[32];

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (can_reopen(fd))
		again = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	refused->fd = again >= 0 ? again : fd;
	refused->ours = again >= 0;
	return 0;
}

int refused_open(struct refused *refused, const char *path, struct err *err)
{
	int r, fd = status_descriptor(path);

	if (fd >= 0)
		return take_descriptor(refused, fd, err);
	r = open_file(refused, path);
	if (r == 0)
		return 0;
	(void)err_set(err, ERR_FILE, r, "cannot write the log '%s'", path);
	if (r == -ENXIO)
		(void)err_cause(err, "it is a pipe that nobody reads");
	return err_fix(err, "name a file in a directory you may write, or - for stderr");
}

static void put_time(char *out, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	n = gmtime_r(&now.tv_sec, &tm) ? strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm) : 0;
	(void)snprintf(out + n, size - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

static bool has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) > 0;
}

/* In one write, so that lines of several boxes do not mix, and without waiting: a socket can be told so, and
 * a pipe that has room has it for PIPE_BUF bytes. A regular file takes all there is. */
static bool put(struct refused *refused, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(refused->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == ENOTSOCK) {
			if (!refused->ours && !has_room(refused->fd))
				break;
			n = write(refused->fd, text, len);
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		refused->cut = true;
		text += n;
		len -= (size_t)n;
	}
	if (len == 0)
		refused->cut = false;
	return len == 0;
}

static bool put_line(struct refused *refused, const struct line *l)
{
	char time[40], to[128], quoted[512], out[1024];
	g_autofree char *rest = NULL;
	int n;

	_Static_assert(sizeof(out) <= PIPE_BUF, "a line may be written in parts");
	put_time(time, sizeof(time));
	destination(to, sizeof(to), l);
	rest = g_strdup_printf("%s %s %s %s", l->proto, to, *l->name ? l->name : "-", l->why);
	n = snprintf(out, sizeof(out), "%s%s %s\n", refused->cut ? "\n" : "", time,
		     err_quote(quoted, sizeof(quoted), rest));
	return put(refused, out, (size_t)n);
}

/* What was lost meanwhile. False: it still cannot be written. */
static bool put_lost(struct refused *refused)
{
	char why[64];
	const struct line l = { .proto = "-", .address = "", .port = "", .name = "", .why = why };

	if (refused->lost == 0)
		return true;
	(void)snprintf(why, sizeof(why), "%u more, which could not be written", refused->lost);
	if (!put_line(refused, &l))
		return false;
	refused->lost = 0;
	return true;
}

void refused_log(struct refused *refused, const char *text)
{
	struct line l;

	if (refused->fd < 0)
		return;
	if (line_read(text, false, &l) && (!put_lost(refused) || !put_line(refused, &l)))
		refused->lost++;
	line_clear(&l);
}

void refused_close(struct refused *refused)
{
	if (refused->fd >= 0)
		(void)put_lost(refused);
	if (refused->ours)
		fd_close(&refused->fd);
	refused->fd = -1;
	g_clear_pointer(&refused->summary, g_free);
}

/* ---- the summary ---- */

/* Calls for every line that can be read. */
static void each(const char *summary, void (*visit)(void *opaque, const struct line *line),
		 void *opaque)
{
	g_auto(GStrv) lines = g_strsplit(summary, "\n", -1);

	for (char **text = lines; *text; text++) {
		struct line l;

		if (line_read(*text, true, &l))
			visit(opaque, &l);
		line_clear(&l);
	}
}

struct report {
	GString *out;
	unsigned listed;
	guint64 more;
};

static void add_text(GString *out, const char *key, const char *value)
{
	if (!*value)
		return;
	g_string_append_printf(out, ",\"%s\":", key);
	json_string(out, value);
}

static void report_line(void *opaque, const struct line *l)
{
	struct report *report = opaque;
	GString *out = report->out;
	guint64 port;

	if (!*l->proto || report->listed == LISTED_MAX) {
		report->more += l->count;
		return;
	}
	g_string_append(out, report->listed++ ? ",{\"to\":" : "{\"to\":");
	json_string(out, *l->address ? l->address : l->name);
	add_text(out, "proto", l->proto);
	if (g_ascii_string_to_unsigned(l->port, 10, 0, 65535, &port, NULL))
		g_string_append_printf(out, ",\"port\":%u", (unsigned)port);
	add_text(out, "name", *l->address ? l->name : "");
	g_string_append_printf(out, ",\"count\":%" G_GUINT64_FORMAT, l->count);
	add_text(out, "why", l->why);
	g_string_append_c(out, '}');
}

void refused_json(GString *out, const char *summary)
{
	struct report report = { .out = out };

	g_string_append(out, "{\"refused\":[");
	each(summary, report_line, &report);
	g_string_append_printf(out, "],\"more\":%" G_GUINT64_FORMAT "}", report.more);
}

struct notice {
	char first[400];
	unsigned others; /* destinations */
	guint64 count;
};

static void notice_line(void *opaque, const struct line *l)
{
	struct notice *notice = opaque;
	char to[128], text[400];

	notice->count += l->count;
	if (notice->first[0]) {
		notice->others++;
		return;
	}
	destination(to, sizeof(to), l);
	(void)snprintf(text, sizeof(text), "%s %s%s%.260s%s: %s", l->proto,
		       *l->address ? to : l->name, *l->address && *l->name ? " (" : "",
		       *l->address ? l->name : "", *l->address && *l->name ? ")" : "", l->why);
	(void)err_quote(notice->first, sizeof(notice->first), text);
}

void refused_notice(const struct refused *refused)
{
	struct notice notice = { .count = 0 };
	char others[64] = "";

	if (refused->fd >= 0 || !refused->summary)
		return;
	each(refused->summary, notice_line, &notice);
	if (!notice.count)
		return;
	if (notice.others)
		(void)snprintf(others, sizeof(others), "; and %u other%s (--net-log FILE has %s)",
			       notice.others, notice.others == 1 ? "" : "s",
			       notice.others == 1 ? "it" : "them");
	log_notice("the box's network refused %" G_GUINT64_FORMAT " time%s: %s%s", notice.count,
		   notice.count == 1 ? "" : "s", notice.first, others);
}
