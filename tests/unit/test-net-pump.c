// SPDX-License-Identifier: MIT
/* One direction of a published connection: whatever the number of turns, the end is passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pump.h"

enum { PAGE = 4096, MOST = 40 };

/* Pipes stand for both sockets, and one that holds a page for the pump's own, so that a turn of the
 * pump moves a page. */
static void make_pipe(int pair[2], int size)
{
	assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(fcntl(pair[1], F_SETPIPE_SZ, size) >= size);
}

static void the_end_after(size_t pages)
{
	static const char page[PAGE];
	int from[2], to[2], own[2];
	struct pipes pipes = { .n = 0 };
	struct pump pump;

	make_pipe(from, MOST * PAGE);
	make_pipe(to, MOST * PAGE);
	make_pipe(own, PAGE);
	pipes.kept[pipes.n++] = (struct pipe){ own[0], own[1], false };
	for (size_t i = 0; i < pages; i++)
		assert_int_equal(write(from[1], page, PAGE), PAGE);
	(void)close(from[1]);
	pump_init(&pump, &pipes, from[0], to[1]);
	/* as relay.c: again only while there is something to wait for */
	for (size_t i = 0; i <= pages && (!pump.ended || pump.held); i++)
		assert_int_equal(pump_run(&pump), 0);
	assert_true(pump.done);
	for (size_t i = 0; i < pages; i++) {
		char got[PAGE];

		assert_int_equal(read(to[0], got, PAGE), PAGE);
	}
	pump_clear(&pump);
	pipes_clear(&pipes);
	(void)close(from[0]);
	(void)close(to[0]);
	(void)close(to[1]);
}

static void the_end_is_passed_on(void **state)
{
	(void)state;
	for (size_t pages = 0; pages < MOST; pages++)
		the_end_after(pages);
}

/* Of the pipes that hold something only some are large, and each that goes makes room for another. */
static void large_pipes(void **state)
{
	enum { PUMPS = PIPES_LARGE + 8 };
	static const char page[PAGE];
	struct pipes pipes = { .n = 0 };
	struct pump pumps[PUMPS];
	int from[2], to[2];

	(void)state;
	make_pipe(from, MOST * PAGE);
	make_pipe(to, PAGE);
	assert_int_equal(write(to[1], page, PAGE), PAGE); /* takes nothing more */
	for (int i = 0; i < PUMPS; i++) {
		assert_int_equal(write(from[1], page, 1), 1);
		pump_init(&pumps[i], &pipes, from[0], to[1]);
		assert_int_equal(pump_run(&pumps[i]), 0);
		assert_int_equal(pumps[i].held, 1);
	}
	assert_int_equal(pipes.large, PIPES_LARGE);
	for (int i = 0; i < PUMPS; i++)
		assert_true((fcntl(pumps[i].pipe.in, F_GETPIPE_SZ) >= PIPE_SIZE) ==
			    (i < PIPES_LARGE));
	pump_clear(&pumps[0]);
	assert_int_equal(pipes.large, PIPES_LARGE - 1);
	for (int i = 1; i < PUMPS; i++)
		pump_clear(&pumps[i]);
	assert_int_equal(pipes.large, 0);
	pipes_clear(&pipes);
	for (int i = 0; i < 2; i++) {
		(void)close(from[i]);
		(void)close(to[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_end_is_passed_on),
					    cmocka_unit_test(large_pipes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
