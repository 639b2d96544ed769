/* SPDX-License-Identifier: MIT */
#pragma once

#include "bus.h"

/* The verbs, each a bus_act. */
int unit_scope(const struct request *request, const struct bus *bus, struct problem *problem);
int unit_probe(const struct request *request, const struct bus *bus, struct problem *problem);
int unit_stop(const struct request *request, const struct bus *bus, struct problem *problem);

/* Writes the one line of the answer, "ok FIRST[ SECOND]", and disarms the alarm. 0, or -1. */
int answer_ok(const char *first, const char *second, struct problem *problem);
