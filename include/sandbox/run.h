/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/err.h>
#include <sandbox/outcome.h>
#include <sandbox/plan.h>

struct status;

/* Walks the plan: parent stages here, child stages in the clone, then supervises to the end.
 * 0: the command was started and *ret says how it ended. Negative: it was not, err says why,
 * and nothing is left behind. Called once, single-threaded. status (watch.h) may be NULL. */
int run_plan(const struct plan *plan, struct status *status, struct outcome *ret, struct err *err);
