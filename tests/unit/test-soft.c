// SPDX-License-Identifier: MIT
/* The soft limiter's arithmetic: the duty cycle against a simulated box, and the accounting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <cmocka.h>

#include "watch/soft.h"

#define MS SOFT_MS
#define S  SOFT_S

/* A box that would use `want` thousandths of a CPU, measured by a clock that lags up to `lag`,
 * with wake-ups that come up to `late`. */
struct world {
	uint64_t want;
	uint64_t late, lag;
	uint64_t seconds;
};

/* Numbers that look random and are the same every time. */
static uint64_t draw(uint64_t *seed, uint64_t most)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return most ? (*seed >> 33) % (most + 1) : 0;
}

/* The share that was used, in thousandths. */
static uint64_t simulate(struct duty *duty, const struct world *world)
{
	uint64_t now = 0, used = 0, told = 0, end = world->seconds * S, seed = 1;

	while (now < end) {
		uint64_t ran = duty_window(duty) + draw(&seed, world->late), pause, seen;

		assert_true(ran >= MS && ran <= 5 * S);
		now += ran;
		used += ran / 1000 * world->want;
		seen = used - draw(&seed, world->lag);
		seen = seen > told ? seen : told;
		duty_accrue(duty, ran);
		duty_charge(duty, seen - told, ran);
		told = seen;
		pause = duty_pause(duty);
		if (pause == 0)
			continue;
		pause += draw(&seed, world->late);
		now += pause;
		duty_accrue(duty, pause);
	}
	return used * 1000 / now;
}

static void share(void **state)
{
	/* clang-format off */
	static const struct { uint64_t quota, want, late, lag, least, most; } rows[] = {
		/* one thread and four, on time */
		{ 500,  1000,  0,       0,      498,  502 },
		{ 500,  4000,  0,       0,      498,  502 },
		{ 100,  1000,  0,       0,      99,   101 },
		{ 100,  4000,  0,       0,      99,   101 },
		{ 1500, 4000,  0,       0,      1495, 1505 },
		{ 1500, 2000,  0,       0,      1495, 1505 },
		{ 10,   1000,  0,       0,      9,    11 },
		{ 990,  1000,  0,       0,      985,  995 },
		/* late wake-ups and a coarse clock do not add up */
		{ 500,  1000,  20 * MS, 0,      495,  505 },
		{ 500,  4000,  20 * MS, 8 * MS, 495,  505 },
		{ 100,  4000,  5 * MS,  8 * MS, 98,   102 },
		{ 1500, 4000,  20 * MS, 8 * MS, 1485, 1510 },
		/* more CPUs than the shortest run can divide */
		{ 100,  64000, 0,       0,      95,   105 },
		/* it does not want more */
		{ 500,  300,   20 * MS, 8 * MS, 299,  300 },
		{ 1500, 1000,  0,       0,      1000, 1000 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world world = { rows[i].want, rows[i].late, rows[i].lag, 100 };
		struct duty duty;

		duty_init(&duty, rows[i].quota, 0, (unsigned)(rows[i].want / 1000 + 1));
		assert_in_range(simulate(&duty, &world), rows[i].least, rows[i].most);
	}
}

/* The first second is limited, too: nothing is given away at the start. */
static void beginning(void **state)
{
	struct world world = { .want = 4000, .seconds = 1 };
	struct duty duty;

	(void)state;
	duty_init(&duty, 500, 0, 4);
	assert_in_range(simulate(&duty, &world), 440, 560);
}

static void period(void **state)
{
	struct duty duty;

	(void)state;
	duty_init(&duty, 500, 20 * MS, 1);
	duty_charge(&duty, S, S); /* in debt */
	assert_in_range(duty_period(&duty), 20 * MS, 20 * MS);
	duty_init(&duty, 500, 0, 1);
	duty_accrue(&duty, S);
	assert_in_range(duty_window(&duty), 99 * MS, 101 * MS);
	/* it is stretched by what we cost: 0.3 %, and 1.4 % with very many processes */
	duty_cost(&duty, MS);
	assert_in_range(duty_period(&duty), 333 * MS, 334 * MS);
	duty_init(&duty, 500, 0, 1);
	duty_cost(&duty, 4 * MS);
	assert_in_range(duty_period(&duty), 400 * MS, 400 * MS);
	duty_init(&duty, 500, 0, 1);
	duty_cost(&duty, 14 * MS);
	assert_in_range(duty_period(&duty), S, S);
	duty_init(&duty, 500, 0, 1);
	duty_cost(&duty, S);
	assert_in_range(duty_period(&duty), 2 * S, 2 * S);
}

static void stall(void **state)
{
	struct duty duty;
	uint64_t pause;

	(void)state;
	/* kept from measuring for an hour, a second of it is paid; nothing overflows */
	duty_init(&duty, 500, 0, 64);
	duty_accrue(&duty, 3600 * S);
	duty_charge(&duty, 3600 * S * 64, 3600 * S);
	pause = duty_pause(&duty);
	assert_in_range(pause, 4 * S, 6 * S);
	duty_accrue(&duty, pause);
	assert_int_equal(duty_pause(&duty), 0);
	/* a pause that was slept over long saves no more than two periods */
	duty_accrue(&duty, 3600 * S);
	assert_in_range((uint64_t)duty.balance, 0, 100 * MS);
	/* largest quota, most CPUs */
	duty_init(&duty, 16384ull * 1000, 0, 16384);
	duty_accrue(&duty, 3600 * S);
	duty_charge(&duty, 16384 * 3600 * S, 3600 * S);
	assert_in_range(duty_pause(&duty), 0, 10 * S);
	assert_in_range(duty_window(&duty), MS, S);
	/* none */
	duty_init(&duty, 0, 0, 1);
	duty_charge(&duty, S, S);
	assert_int_equal(duty_pause(&duty), 0);
}

static void windows(void **state)
{
	struct duty duty = { .cpus = 2, .rate = 2000 };

	(void)state;
	assert_in_range(duty_total_window(&duty, 10 * S), S, S);
	assert_in_range(duty_total_window(&duty, 100 * MS), 50 * MS, 50 * MS);
	assert_in_range(duty_total_window(&duty, 0), 2 * MS, 2 * MS);
	/* whatever a look costs: a busy box is not looked at after its limit */
	duty.cost = 2 * MS;
	assert_in_range(duty_total_window(&duty, 100 * MS), 50 * MS, 50 * MS);
	duty.rate = 1000;
	assert_in_range(duty_total_window(&duty, 100 * MS), 100 * MS, 100 * MS);
	/* an idle one at its limit only as often as we may cost */
	duty.rate = 0;
	assert_in_range(duty_total_window(&duty, 100 * MS), 400 * MS, 400 * MS);
	duty.cost = 0;
	assert_in_range(duty_total_window(&duty, MS), 5 * MS, 5 * MS);
	/* 20 times a second far from the limit, 200 times at it */
	assert_in_range(duty_memory_window(0, 64ull << 20, 0), 50 * MS, 50 * MS);
	assert_in_range(duty_memory_window(60ull << 20, 64ull << 20, 0), 5 * MS, 5 * MS);
	assert_in_range(duty_memory_window(44ull << 20, 64ull << 20, 0), 19 * MS, 21 * MS);
	assert_in_range(duty_memory_window(65ull << 20, 64ull << 20, 0), 5 * MS, 5 * MS);
	/* never so often that it costs much */
	assert_in_range(duty_memory_window(0, 64ull << 20, MS), 333 * MS, 334 * MS);
	/* far away, seldom */
	assert_in_range(duty_memory_window(0, 1ull << 30, 0), 120 * MS, 130 * MS);
	assert_in_range(duty_memory_window(0, 1ull << 40, 0), 200 * MS, 200 * MS);
	assert_in_range(duty_memory_window(63ull << 20, 64ull << 20, S), 50 * MS, 100 * MS);
}

static struct soft_table *table(const struct soft_process *rows, size_t n)
{
	struct soft_table *table = g_malloc0(sizeof(*table));

	memcpy(table->row, rows, n * sizeof(*rows));
	table->n = n;
	return table;
}

#define MERGE(account, ran, before, now) \
	merge(account, ran, before, G_N_ELEMENTS(before), now, G_N_ELEMENTS(now))

static uint64_t merge(struct soft_account *account, uint64_t ran, const struct soft_process *before,
		      size_t nbefore, const struct soft_process *now, size_t nnow)
{
	g_autofree struct soft_table *was = table(before, nbefore), *is = table(now, nnow);

	return account_merge(account, was, is, ran);
}

static void alive(void **state)
{
	struct soft_account account = { .cpus = 4 };
	const struct soft_process before[] = {
		{ .pid = 1, .start = 1, .own = 5 * MS, .children = 10 * MS },
		{ .pid = 3, .start = 2, .own = 7 * MS },
		{ .pid = 9, .start = 3, .own = 20 * MS },
	};
	const struct soft_process now[] = {
		{ .pid = 1, .start = 1, .own = 50 * MS, .children = 10 * MS },
		{ .pid = 3, .start = 2, .own = 17 * MS },
		{ .pid = 5, .start = 9, .own = 3 * MS },
		{ .pid = 9, .start = 8, .own = 1 * MS }, /* a pid used again */
	};

	(void)state;
	/* PID 1's own time is ours */
	assert_int_equal(MERGE(&account, 100 * MS, before, now), 14 * MS);
	assert_int_equal(account.total, 14 * MS);
	assert_int_equal(account.suspect, 0);
}

/* What a child had been charged for is not charged again at its parent. */
static void waited_for(void **state)
{
	struct soft_account account = { .cpus = 1 };
	const struct soft_process first[] = {
		{ .pid = 3, .start = 2, .own = 1 * MS },
		{ .pid = 4, .start = 3, .own = 50 * MS, .faults = 70 },
	};
	const struct soft_process second[] = {
		{ .pid = 3, .start = 2, .own = 2 * MS, .children = 60 * MS, .children_faults = 90 },
	};

	(void)state;
	assert_int_equal(MERGE(&account, 100 * MS, first, second), 11 * MS);
	assert_int_equal(account.pool, 0);
	assert_int_equal(account.suspect, 0);
}

/* The parent was read before the child went: its time comes with the next pass. */
static void waited_for_later(void **state)
{
	struct soft_account account = { .cpus = 1 };
	const struct soft_process first[] = {
		{ .pid = 3, .start = 2, .own = 1 * MS },
		{ .pid = 4, .start = 3, .own = 50 * MS, .faults = 70 },
	};
	const struct soft_process second[] = {
		{ .pid = 3, .start = 2, .own = 1 * MS },
	};
	const struct soft_process third[] = {
		{ .pid = 3, .start = 2, .own = 2 * MS, .children = 50 * MS, .children_faults = 70 },
	};

	(void)state;
	assert_int_equal(MERGE(&account, 100 * MS, first, second), 0);
	assert_int_equal(MERGE(&account, 100 * MS, second, third), 1 * MS);
	assert_int_equal(account.suspect, 0);
}

/* A child's time comes rounded down to ticks: what is missing is not charged in advance, nor is
 * anything twice, over many children. */
static void rounded(void **state)
{
	struct soft_account account = { .cpus = 1 };
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 1; i <= 1000; i++) {
		/* each child: 3.7 ms, of which 2 were seen */
		const struct soft_process before[] = {
			{ .pid = 3,
			  .start = 2,
			  .children = (i - 1) * 3700 / 10000 * 10 * MS,
			  .children_faults = (i - 1) * 40 },
			{ .pid = 4, .start = 2 + i, .own = 2 * MS, .faults = 30 },
		};
		const struct soft_process now[] = {
			{ .pid = 3,
			  .start = 2,
			  .children = i * 3700 / 10000 * 10 * MS,
			  .children_faults = i * 40 },
			{ .pid = 4, .start = 3 + i, .own = 2 * MS, .faults = 30 },
		};

		sum += MERGE(&account, 100 * MS, before, now);
	}
	assert_in_range(sum, 3690 * MS, 3740 * MS);
	assert_int_equal(account.suspect, 0);
}

/* Nobody waits: the faults of the dead arrive nowhere, and runnable processes are charged. */
static void abandoned(void **state)
{
	struct soft_account account = { .cpus = 2 };
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 1; i <= 10; i++) {
		const struct soft_process before[] = {
			{ .pid = 3, .start = 2, .state = 'S' },
			{ .pid = 4, .start = 2 + i, .own = 1 * MS, .faults = 30, .state = 'R' },
		};
		const struct soft_process now[] = {
			{ .pid = 3, .start = 2, .state = 'S' },
			{ .pid = 4, .start = 3 + i, .own = 1 * MS, .faults = 30, .state = 'R' },
		};

		sum += MERGE(&account, 50 * MS, before, now);
	}
	assert_true(account.suspect > 0);
	/* all but the first two passes by the number of runnable processes */
	assert_in_range(sum, 8 * 50 * MS, 10 * 50 * MS);
}

static void impossible(void **state)
{
	struct soft_account account = { .cpus = 2 };
	const struct soft_process before[] = { { .pid = 3, .start = 2 } };
	const struct soft_process now[] = { { .pid = 3, .start = 2, .own = 3600 * S } };

	(void)state;
	assert_in_range(MERGE(&account, 100 * MS, before, now), 200 * MS, 300 * MS);
}

static void parsing(void **state)
{
	static const char text[] =
		"42 (a) R (b) ) T 7 40 39 34817 40 4194560 110 220 0 0 12 34 5 6 20 0 1 0 98765 "
		"1 2 3\n";
	struct soft_process row = { 0 };

	(void)state;
	assert_true(account_parse(text, 10 * MS, &row));
	assert_int_equal(row.state, 'T');
	assert_int_equal(row.parent, 7);
	assert_int_equal(row.group, 40);
	assert_int_equal(row.session, 39);
	assert_true(row.foreground);
	assert_int_equal(row.children, 110 * MS);
	assert_int_equal(row.children_faults, 220);
	assert_int_equal(row.faults, 330);
	assert_int_equal(row.start, 98765);
	/* no terminal: tpgid is -1 */
	assert_true(account_parse("1 (x) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 1\n", 1, &row));
	assert_false(row.foreground);
	assert_false(account_parse("", 1, &row));
	assert_false(account_parse("1 (x)", 1, &row));
	assert_false(account_parse("1 (x) ", 1, &row));
	assert_false(account_parse("1 (x) S 0 1", 1, &row));
}

static void finding(void **state)
{
	const struct soft_process rows[] = { { .pid = 1 }, { .pid = 5 }, { .pid = 900 } };
	g_autofree struct soft_table *all = table(rows, 3), *none = table(rows, 0);

	(void)state;
	assert_ptr_equal(table_find(all, 1), &all->row[0]);
	assert_ptr_equal(table_find(all, 900), &all->row[2]);
	assert_null(table_find(all, 6));
	assert_null(table_find(all, 901));
	assert_null(table_find(none, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share),      cmocka_unit_test(beginning),
		cmocka_unit_test(period),     cmocka_unit_test(stall),
		cmocka_unit_test(windows),    cmocka_unit_test(alive),
		cmocka_unit_test(waited_for), cmocka_unit_test(waited_for_later),
		cmocka_unit_test(rounded),    cmocka_unit_test(abandoned),
		cmocka_unit_test(impossible), cmocka_unit_test(parsing),
		cmocka_unit_test(finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
