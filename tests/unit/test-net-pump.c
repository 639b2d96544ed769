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
	bool ret_from;

	make_pipe(from, MOST * PAGE);
	make_pipe(to, MOST * PAGE);
	make_pipe(own, PAGE);
	pipes.kept[0].out = own[0];
	pipes.kept[0].in = own[1];
	pipes.n = 1;
	for (size_t i = 0; i < pages; i++)
		assert_int_equal(write(from[1], page, PAGE), PAGE);
	(void)close(from[1]);
	pump_init(&pump, from[0], to[1]);
	/* as relay.c: again only while there is something to wait for */
	for (size_t i = 0; i <= pages && (!pump.ended || pump.held); i++)
		assert_int_equal(pump_run(&pump, &pipes, &ret_from), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_end_is_passed_on) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
