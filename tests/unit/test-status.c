// SPDX-License-Identifier: MIT
/* The events of --status-fd and --report, and what a wait status means to the caller. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>
#include <cmocka.h>

#include "watch/event.h"
#include "watch/refused.h"

/* wait statuses as the kernel lays them out (wait(2)); glibc has no W_EXITCODE in C11 mode */
#define EXITED(code) ((code) << 8)
#define KILLED(sig)  (sig)
#define CORE         0x80

static void started(void **state)
{
	/* clang-format off */
	static const struct { uint64_t asked; bool exact; const char *limits; } rows[] = {
		{ 4096, true,  "{\"pids\":{\"asked\":4096,\"by\":\"rlimit\",\"exact\":true}}" },
		{ 7,    false, "{\"pids\":{\"asked\":7,\"by\":\"rlimit\",\"exact\":false}}" },
		{ 0,    true,  "{}" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct limit limits[_LIMIT_MAX] = {
			[LIMIT_PIDS] = { .asked = rows[i].asked > 0,
					 .value = rows[i].asked,
					 .by = LIMIT_BY_RLIMIT,
					 .exact = rows[i].exact },
		};
		const struct plan plan = { .landlock = 7,
					   .landlock_only = i == 2,
					   .filter = i == 1 ? "own" : NULL };
		g_autoptr(GString) out = g_string_new(NULL);
		g_autofree char *want = g_strdup_printf(
			"{\"v\":1,\"event\":\"started\",\"pid\":4711,\"backend\":\"%s\","
			"\"landlock\":7,\"filter\":\"%s\",%s\"limits\":%s}\n",
			plan.landlock_only ? "landlock" : "namespaces", plan.filter ? "own" : "off",
			i == 1 ? "\"ip\":\"127.83.4.9\"," : "", rows[i].limits);

		event_started(out, 4711, &plan, limits, i == 1 ? "127.83.4.9" : NULL);
		assert_string_equal(out->str, want);
	}
}

static void exit_event(void **state)
{
	/* clang-format off */
	static const struct { struct outcome outcome; const char *want; } rows[] = {
		{ { .reason = REASON_EXITED, .code = 3, .cpu_s = 0.25, .wall_s = 1.5, .peak_rss = 4096 },
		  "\"code\":3,\"signal\":0,\"reason\":\"exited\",\"cpu_s\":0.250000,"
		  "\"wall_s\":1.500000,\"share\":0.166667,\"throttled_s\":0.000000,\"peak_rss\":4096,"
		  "\"memory_peak\":0,\"pids_peak\":0,\"pids_denied\":0" },
		{ { .reason = REASON_SIGNALED, .code = 139, .signal = SIGSEGV },
		  "\"code\":139,\"signal\":11,\"reason\":\"signaled\",\"cpu_s\":0.000000,"
		  "\"wall_s\":0.000000,\"share\":0.000000,\"throttled_s\":0.000000,\"peak_rss\":0,"
		  "\"memory_peak\":0,\"pids_peak\":0,\"pids_denied\":0" },
		{ { .reason = REASON_TIMEOUT, .code = 124, .signal = SIGTERM, .cpu_s = 1e-6, .wall_s = 86400,
		    .peak_rss = 1ull << 40 },
		  "\"code\":124,\"signal\":15,\"reason\":\"timeout\",\"cpu_s\":0.000001,"
		  "\"wall_s\":86400.000000,\"share\":0.000000,\"throttled_s\":0.000000,"
		  "\"peak_rss\":1099511627776,\"memory_peak\":0,\"pids_peak\":0,\"pids_denied\":0" },
		{ { .reason = REASON_OOM, .code = 137, .signal = SIGKILL, .throttled_s = 0.5,
		    .memory_peak = 67108864, .pids_peak = 3, .pids_denied = 2 },
		  "\"code\":137,\"signal\":9,\"reason\":\"oom\",\"cpu_s\":0.000000,"
		  "\"wall_s\":0.000000,\"share\":0.000000,\"throttled_s\":0.500000,\"peak_rss\":0,"
		  "\"memory_peak\":67108864,\"pids_peak\":3,\"pids_denied\":2" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		g_autofree char *want =
			g_strdup_printf("{\"v\":1,\"event\":\"exit\",%s}\n", rows[i].want);

		event_exit(out, &rows[i].outcome, NULL);
		assert_string_equal(out->str, want);
	}
}

static void error_event(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *want = NULL;
	struct err err;

	(void)state;
	err_set(&err, ERR_SOURCE, ENOENT, "cannot use the volume '%s'", "/a \"b\"\n");
	err.stage = STAGE_PREPARE;
	err_fix(&err, "mkdir -p X");
	event_error(out, &err, "--volume no. 3");
	want = g_strdup_printf(
		"{\"v\":1,\"event\":\"error\",\"code\":\"E-SOURCE\",\"errno\":%d,"
		"\"stage\":\"%s\",\"what\":\"cannot use the volume '/a \\\"b\\\"\\n'\","
		"\"cause\":\"%s\",\"fix\":\"mkdir -p X\","
		"\"origin\":\"--volume no. 3\"}\n",
		ENOENT, stage_name(STAGE_PREPARE), strerror(ENOENT));
	assert_string_equal(out->str, want);
}

/* What the network helper has refused; its lines are the box's doing in part. */
static void refused(void **state)
{
	/* clang-format off */
	static const struct { const char *summary, *want; } rows[] = {
		{ "", "{\"refused\":[],\"more\":0}" },
		{ "3\ttcp\t192.0.2.1\t443\ta.org\tno\n1\tdns\t\t\tb.org\tno\n7\t\t\t\t\t\n",
		  "{\"refused\":[{\"to\":\"192.0.2.1\",\"proto\":\"tcp\",\"port\":443,\"name\":\"a.org\",\"count\":3,"
		  "\"why\":\"no\"},{\"to\":\"b.org\",\"proto\":\"dns\",\"count\":1,\"why\":\"no\"}],\"more\":7}" },
		{ "1\ticmp\t2001:db8::1\t\t\ta\"\x1b\n", "{\"refused\":[{\"to\":\"2001:db8::1\",\"proto\":\"icmp\","
		  "\"count\":1,\"why\":\"a\\\"\\u001b\"}],\"more\":0}" },
		/* not of the form */
		{ "x\n\n0\ttcp\ta\t1\t\tw\n1\ttcp\n-1\ttcp\ta\t1\t\tw\n1\ttcp\ta\t1\t\tw\tw\n", "{\"refused\":[],\"more\":0}" },
		{ "1\ttcp\ta\t99999\t\tw", "{\"refused\":[{\"to\":\"a\",\"proto\":\"tcp\",\"count\":1,\"why\":\"w\"}],\"more\":0}" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);

		refused_json(out, rows[i].summary);
		assert_string_equal(out->str, rows[i].want);
	}
}

/* No errno, no cause, no mend, no origin: the keys are there all the same. */
static void error_event_bare(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct err err;

	(void)state;
	err_set(&err, ERR_USAGE, 0, "no command");
	event_error(out, &err, NULL);
	assert_non_null(strstr(out->str, "\"code\":\"E-USAGE\",\"errno\":0,"));
	assert_non_null(strstr(out->str, "\"cause\":\"\",\"fix\":\"\",\"origin\":\"\"}\n"));
}

/* One event is one line, whatever a path in it holds. */
static void one_line(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct err err;

	(void)state;
	err_set(&err, ERR_FILE, EIO, "%s", "a\nb\rc\x1b[31m\xff");
	err_cause(&err, "\n");
	event_error(out, &err, "\n");
	assert_ptr_equal(strchr(out->str, '\n'), out->str + out->len - 1);
	assert_null(strpbrk(out->str, "\r\x1b\xff"));
}

static void ending(void **state)
{
	/* clang-format off */
	static const struct {
		struct ending ending;
		enum outcome_reason reason;
		int code, signal;
	} rows[] = {
		{ { true,  EXITED(0),              EXITED(0),       false }, REASON_EXITED,   0,   0  },
		{ { true,  EXITED(255),            EXITED(0),       false }, REASON_EXITED,   255, 0  },
		{ { true,  KILLED(SIGKILL),        EXITED(0),       false }, REASON_SIGNALED, 137, 9  },
		{ { true,  KILLED(SIGABRT) | CORE, EXITED(0),       false }, REASON_SIGNALED, 134, 6  },
		/* the status of the command counts even if PID 1 was killed right after */
		{ { true,  EXITED(5),              KILLED(SIGKILL), false }, REASON_EXITED,   5,   0  },
		{ { false, 0,                      KILLED(SIGKILL), false }, REASON_KILLED,   137, 9  },
		/* as timeout(1): 124 even if the command then exits by itself */
		{ { true,  EXITED(0),              EXITED(0),       true  }, REASON_TIMEOUT,  124, 0  },
		{ { true,  KILLED(SIGTERM),        EXITED(0),       true  }, REASON_TIMEOUT,  124, 15 },
		{ { false, 0,                      KILLED(SIGKILL), true  }, REASON_TIMEOUT,  124, 9  },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct outcome out = { .wall_s = 2 };

		outcome_ending(&out, &rows[i].ending);
		assert_int_equal(out.reason, rows[i].reason);
		assert_int_equal(out.code, rows[i].code);
		assert_int_equal(out.signal, rows[i].signal);
		assert_true(out.wall_s == 2);
	}
}

#define LOGGED "T tcp 192.0.2.1:443 - no --allow for it\n"
#define LINE   "tcp\t192.0.2.1\t443\t\tno --allow for it"

/* What can be read there now, with "T" in place of each time. */
static char *drain(int fd)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char buf[4096];
	ssize_t n;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		g_string_append_len(text, buf, n);
	for (size_t at = 0; at < text->len; at++) {
		if (text->str[at] == 'x')
			continue;
		assert_true(text->len - at > 25);
		g_string_erase(text, (gssize)at, 24);
		g_string_insert_c(text, (gssize)at, 'T');
		at += strcspn(text->str + at, "\n");
	}
	return g_strdup(text->str);
}

/* Where a log may go: fds[1]; what reads it: fds[0]. */
enum place { PIPE, PIPE_ONCE /* not to be opened again */, SOCKET, FILE_PLACE, _PLACES };

static void open_place(enum place place, int fds[2])
{
	char name[] = "/tmp/test-status.XXXXXX";

	if (place == PIPE || place == PIPE_ONCE)
		assert_int_equal(pipe(fds), 0);
	if (place == SOCKET)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	if (place != FILE_PLACE)
		return;
	fds[1] = mkstemp(name);
	fds[0] = open(name, O_RDONLY);
	assert_int_equal(unlink(name), 0);
}

static void fill_place(enum place place, const char *path, int fd)
{
	g_autofree char *block = g_strnfill(4096, 'x');
	int again = place == SOCKET ? dup(fd) : open(path, O_WRONLY | O_NONBLOCK);

	assert_true(again >= 0);
	while ((place == SOCKET ? send(again, block, 4096, MSG_DONTWAIT)
				: write(again, block, 4096)) > 0)
		;
	(void)close(again);
}

static void log_to(enum place place)
{
	struct refused refused = { .fd = -1 };
	g_autofree char *before = NULL, *after = NULL, *path = NULL;
	struct err err = { 0 };
	int fds[2] = { -1, -1 };

	open_place(place, fds);
	path = g_strdup_printf("/dev/fd/%d", fds[1]);
	assert_int_equal(refused_open(&refused, path, &err), 0);
	assert_int_equal(refused.ours, place == PIPE || place == PIPE_ONCE);
	if (place == PIPE_ONCE) {
		(void)close(refused.fd);
		refused.fd = fds[1];
		refused.ours = false;
	}
	if (place != FILE_PLACE)
		fill_place(place, path, fds[1]);
	refused_log(&refused, LINE);
	refused_log(&refused, LINE);
	assert_int_equal(refused.lost, place == FILE_PLACE ? 0 : 2);
	before = drain(fds[0]);
	assert_string_equal(before + strspn(before, "x"), place == FILE_PLACE ? LOGGED LOGGED : "");
	refused_log(&refused, LINE);
	after = drain(fds[0]);
	assert_string_equal(after, place == FILE_PLACE
					   ? LOGGED
					   : "T - - - 2 more, which could not be written\n" LOGGED);
	assert_false(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	refused_close(&refused);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* A reader that does not read costs lines, never time; the descriptor stays as the caller has it. A file
 * gets all of them. */
static void full_log(void **state)
{
	(void)state;
	(void)alarm(20); /* one that waits does so for ever */
	for (int place = 0; place < _PLACES; place++)
		log_to((enum place)place);
	(void)alarm(0);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(started),
		cmocka_unit_test(exit_event),
		cmocka_unit_test(refused),
		cmocka_unit_test(full_log),
		cmocka_unit_test(error_event),
		cmocka_unit_test(error_event_bare),
		cmocka_unit_test(one_line),
		cmocka_unit_test(ending),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
