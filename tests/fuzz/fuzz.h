/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the targets share. Each defines LLVMFuzzerTestOneInput(): bytes from outside go into one
 * reader, and what it says of itself in its header is checked. libFuzzer drives it (clang, -Dfuzz),
 * or replay.c, which reads the files of a corpus.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sandbox/err.h>
#include <sandbox/host.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                   \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* The input as a string of its own size, so that a read past its end is seen; free it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Nothing that was read may forge a second line or move the cursor: every text of an error ends, and
 * holds no control character. */
static inline void fuzz_check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	FUZZ_CHECK(len < size);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static inline void fuzz_check_err(const struct err *err)
{
	FUZZ_CHECK(err->code > ERR_NONE && err->code < _ERR_MAX && err->what[0]);
	fuzz_check_text(err->what, sizeof(err->what));
	fuzz_check_text(err->cause, sizeof(err->cause));
	fuzz_check_text(err->fix, sizeof(err->fix));
}

/* A memfd that holds the input, and its name in out[32]. */
int fuzz_file(const uint8_t *data, size_t size, char out[32]);

/* Made-up facts of a host, one of FUZZ_HOSTS; and from the spec of a request to the text of its
 * plan (plan.c). */
enum { FUZZ_HOSTS = 6 };
struct request;
void fuzz_host(unsigned nth, struct host *ret);
void fuzz_plan(const struct request *request, const struct host *host);
