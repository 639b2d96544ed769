// SPDX-License-Identifier: MIT
/* The contract of sys/spawn.c, with /bin/sh as the program. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <sandbox/spawn.h>

#define LONG_MS 20000

static int run(const char *script, char *out, size_t size, int timeout_ms)
{
	char shell[] = "/bin/sh", flag[] = "-c";
	g_autofree char *text = g_strdup(script);
	char *argv[] = { shell, flag, text, NULL };

	return spawn_run(argv, out, size, timeout_ms);
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Each test must leave neither a child nor a descriptor. */
static int setup(void **state)
{
	unsigned *before = g_new(unsigned, 1);

	*before = open_fds();
	*state = before;
	return 0;
}

static int teardown(void **state)
{
	g_autofree unsigned *before = *state;

	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		return -1;
	return open_fds() == *before ? 0 : -1;
}

static void test_status(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(run("exit 0", out, sizeof(out), LONG_MS), 0);
	assert_string_equal(out, "");
	assert_int_equal(run("exit 7", out, sizeof(out), LONG_MS), 7);
	assert_int_equal(run("exit 255", out, sizeof(out), LONG_MS), 255);
	assert_int_equal(run("kill -9 $$", out, sizeof(out), LONG_MS), 128 + SIGKILL);
}

static void test_output(void **state)
{
	char out[64], tiny[4], one[1] = { 'x' };

	(void)state;
	assert_int_equal(run("echo a; echo b >&2", out, sizeof(out), LONG_MS), 0);
	assert_string_equal(out, "a\nb\n");
	assert_int_equal(run("echo abcdef", tiny, sizeof(tiny), LONG_MS), 0);
	assert_string_equal(tiny, "abc");
	assert_int_equal(run("echo abcdef", one, sizeof(one), LONG_MS), 0);
	assert_int_equal(one[0], 0);
	assert_int_equal(run("echo abcdef", NULL, 0, LONG_MS), 0);
}

/* More than any pipe holds: the rest is read and dropped, so the program can end. */
static void test_flood(void **state)
{
	char out[1000];

	(void)state;
	assert_int_equal(run("i=0; while [ $i -lt 20000 ]; do echo 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; i=$((i+1)); done",
			     out, sizeof(out), LONG_MS),
			 0);
	assert_int_equal(strlen(out), sizeof(out) - 1);
}

static void test_timeout(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(run("echo early; exec sleep 1000", out, sizeof(out), 200), -ETIMEDOUT);
	assert_string_equal(out, "early\n");
	assert_int_equal(run("trap '' TERM INT; while :; do :; done", out, sizeof(out), 100),
			 -ETIMEDOUT);
	assert_int_equal(run("while :; do echo flood; done", out, sizeof(out), 100), -ETIMEDOUT);
}

/* A program of the program's that keeps the pipe open must not keep us. */
static void test_grandchild(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(run("sleep 3 & echo done", out, sizeof(out), LONG_MS), 0);
	assert_string_equal(out, "done\n");
}

/* Closing its output early is no end. */
static void test_closed_output(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(run("exec >&- 2>&-; sleep 0.1; exit 5", out, sizeof(out), LONG_MS), 5);
}

static void test_missing(void **state)
{
	char missing[] = "/nonexistent/program", dir[] = "/", relative[] = "sh", out[8];
	char *argv[] = { missing, NULL }, *argv_dir[] = { dir, NULL },
	     *argv_rel[] = { relative, NULL };

	(void)state;
	assert_int_equal(spawn_run(argv, out, sizeof(out), LONG_MS), -ENOENT);
	assert_int_equal(spawn_run(argv_dir, out, sizeof(out), LONG_MS), -EACCES);
	assert_int_equal(spawn_run(argv_rel, out, sizeof(out), LONG_MS), -EINVAL);
	argv[0] = NULL;
	assert_int_equal(spawn_run(argv, out, sizeof(out), LONG_MS), -EINVAL);
}

/* Nothing of ours reaches the program: environment, descriptors, stdin, signals. */
static void test_clean(void **state)
{
	int leak = open("/dev/null", O_RDONLY); /* without close-on-exec */
	sigset_t term, old;
	char out[512];

	(void)state;
	assert_true(leak > 2);
	assert_int_equal(setenv("SECRET", "leaked", 1), 0);
	assert_int_equal(run("echo \"${SECRET-unset} $LC_ALL\"; wc -c; exec ls /proc/self/fd", out,
			     sizeof(out), LONG_MS),
			 0);
	/* ls(1) has one more of its own, the directory */
	assert_string_equal(out, "unset C\n0\n0\n1\n2\n3\n");
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &term, &old), 0);
	(void)signal(SIGUSR1, SIG_IGN);
	assert_int_equal(run("kill -TERM $$; exit 0", out, sizeof(out), LONG_MS), 128 + SIGTERM);
	assert_int_equal(run("kill -USR1 $$; exit 0", out, sizeof(out), LONG_MS), 128 + SIGUSR1);
	(void)signal(SIGUSR1, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)unsetenv("SECRET");
	(void)close(leak);
}

/* With 0 to 2 closed, the pipe gets their numbers first. */
static void test_without_stdio(void **state)
{
	int saved[3], r;
	char out[64];

	(void)state;
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		(void)close(fd);
	}
	r = run("echo out; echo err >&2; read x || echo eof", out, sizeof(out), LONG_MS);
	for (int fd = 0; fd < 3; fd++) {
		(void)dup2(saved[fd], fd);
		(void)close(saved[fd]);
	}
	assert_int_equal(r, 0);
	assert_string_equal(out, "out\nerr\neof\n");
}

static int trial_value(const void *arg)
{
	return *(const int *)arg;
}

static int trial_die(const void *arg)
{
	(void)arg;
	(void)raise(SIGKILL);
	return 0;
}

static int trial_hang(const void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 1000; i++)
		(void)pause();
	return 0;
}

static void test_trial(void **state)
{
	int value = -22, got = 1;

	(void)state;
	assert_int_equal(spawn_trial(0, trial_value, &value, &got, LONG_MS), 0);
	assert_int_equal(got, -22);
	assert_int_equal(spawn_trial(0, trial_die, NULL, &got, LONG_MS), -ECHILD);
	assert_int_equal(spawn_trial(0, trial_hang, NULL, &got, 100), -ETIMEDOUT);
	assert_int_equal(got, -22);
}

static void test_hold(void **state)
{
	struct spawn spawn;

	(void)state;
	assert_int_equal(spawn_hold(&spawn, 0), 0);
	assert_int_equal(kill(spawn.pid, 0), 0);
	assert_int_equal(spawn_finish(&spawn, NULL, 0, 0), -ETIMEDOUT);
	assert_int_equal(spawn.pid, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grandchild, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_stdio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
