/* SPDX-License-Identifier: MIT */
#pragma once

/* Why something could not be done: protocol.h says how it is told. */
struct fault {
	unsigned at; /* which list; 0: none */
	char what[256];
	char cause[512];
	char fix[256];
};

/* Both return -1. The first keeps what is there already as what. */
int fault_cause(struct fault *fault, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int fault_fix(struct fault *fault, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
