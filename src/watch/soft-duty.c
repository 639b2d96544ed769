// SPDX-License-Identifier: MIT
/*
 * The duty cycle's arithmetic. With a box that uses `rate` while it runs and a quota below that,
 * a period P is split into a run of quota*P/rate and a pause of the rest. At the end of the pause
 * the balance has the level (rate - quota) * run, at the end of the run it is zero again.
 */
#include "soft.h"

#define MS SOFT_MS

enum {
	COST_USUAL = 3, /* thousandths of a CPU that we may use */
	COST_MOST = 14, /* ... with so many processes that the period would get too long */
	NEARLY = 8,     /* part of a run not worth another measurement */
	CREDIT = 2,     /* periods an idle box may save */
};
/* While a period is no longer than STRETCH the small budget holds. A pause is never longer than
 * STALL: after we were kept from measuring, the debt above it is forgiven. */
#define PERIOD_USUAL  (100 * MS)
#define STRETCH       (400 * MS)
#define STRETCH_MOST  (2000 * MS)
#define STALL         (5000 * MS)
#define SHORTEST_RUN  (2 * MS)
#define SHORTEST_STOP (1 * MS)
#define MEMORY_SPEED  1024ull /* MiB a second that a box may be expected to take */
#define MIB           (1024ull * 1024)

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Thousandths of a time, without overflow for days and thousands of CPUs. */
static uint64_t share(uint64_t time, uint64_t permille)
{
	return time / 1000 * permille + time % 1000 * permille / 1000;
}

static void limit(struct duty *duty)
{
	int64_t most = (int64_t)share(CREDIT * duty_period(duty), duty->quota);
	int64_t least = -(int64_t)share(STALL, duty->quota);

	if (duty->balance > most)
		duty->balance = most;
	if (duty->balance < least)
		duty->balance = least;
}

void duty_init(struct duty *ret, uint64_t quota, uint64_t period, unsigned cpus)
{
	*ret = (struct duty){
		.quota = quota,
		.period = period ? period : PERIOD_USUAL,
		.cpus = cpus ? cpus : 1,
		.rate = 1000,
	};
	ret->balance = (int64_t)share(ret->period, quota) / 2;
}

void duty_accrue(struct duty *duty, uint64_t elapsed)
{
	duty->balance +=
		(int64_t)share(elapsed < STALL * 1000 ? elapsed : STALL * 1000, duty->quota);
	limit(duty);
}

void duty_charge(struct duty *duty, uint64_t used, uint64_t ran)
{
	/* a clock that jumps by a tick says nothing about the rate of a moment */
	if (ran >= SHORTEST_RUN / 2) {
		uint64_t rate = clamp(used / (ran / 1000), 0, duty->cpus * 1000);

		duty->rate = (duty->rate + rate) / 2;
	}
	duty->balance -= (int64_t)used;
	limit(duty);
}

void duty_cost(struct duty *duty, uint64_t cost)
{
	duty->cost = duty->cost ? (duty->cost * 3 + cost) / 4 : cost;
}

/* How long between two times of `cost`. */
static uint64_t spacing(uint64_t cost)
{
	if (cost * 1000 / COST_USUAL <= STRETCH)
		return cost * 1000 / COST_USUAL;
	return clamp(cost * 1000 / COST_MOST, STRETCH, STRETCH_MOST);
}

uint64_t duty_period(const struct duty *duty)
{
	uint64_t apart = spacing(duty->cost);

	return apart > duty->period ? apart : duty->period;
}

uint64_t duty_pause(const struct duty *duty)
{
	int64_t level = 0;

	if (duty->quota == 0)
		return 0;
	if (duty->rate > duty->quota)
		level = (int64_t)share(share(duty_period(duty), duty->rate - duty->quota),
				       duty->quota * 1000 / duty->rate);
	if (duty->balance > level / NEARLY)
		return 0;
	return clamp((uint64_t)(level - duty->balance) * 1000 / duty->quota, SHORTEST_STOP,
		     STALL * 2);
}

uint64_t duty_window(const struct duty *duty)
{
	uint64_t period = duty_period(duty);

	if (duty->rate <= duty->quota)
		return period;
	if (duty->balance <= 0)
		return SHORTEST_RUN;
	return clamp((uint64_t)duty->balance * 1000 / (duty->rate - duty->quota), SHORTEST_RUN,
		     period);
}

/* It cannot be used up before `soon`; with a box that goes on as it does, at `likely`. Between the
 * two we look only as often as we may cost, so that an idle box at its limit stays cheap. */
uint64_t duty_total_window(const struct duty *duty, uint64_t left)
{
	uint64_t soon = clamp(left / duty->cpus, SHORTEST_RUN, 1000 * MS);
	uint64_t likely = left / (duty->rate ? duty->rate : 1) * 1000;
	uint64_t apart = clamp(spacing(duty->cost), 5 * MS, STRETCH);

	if (apart > likely)
		apart = likely;
	return apart > soon ? apart : soon;
}

uint64_t duty_memory_window(uint64_t used, uint64_t limit_bytes, uint64_t cost)
{
	uint64_t room = used < limit_bytes ? limit_bytes - used : 0;
	uint64_t fill = room / (MEMORY_SPEED * MIB / 1000) * MS;
	/* 20 times a second, but not where even eight busy CPUs could not reach the limit so soon */
	uint64_t far = clamp(fill / 8, 50 * MS, 200 * MS);
	uint64_t window = clamp(fill, 5 * MS, far);
	/* near the limit we may cost more, for a while */
	uint64_t apart = clamp(cost * 1000 / (window < 50 * MS ? COST_MOST : COST_USUAL), 0,
			       window < 50 * MS ? 100 * MS : STRETCH);

	return apart > window ? apart : window;
}
