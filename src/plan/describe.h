/* SPDX-License-Identifier: MIT */
#pragma once

#include "build.h"

/* One row: its name and its fields, without what it is from. */
void describe_op(const struct op *op, GString *out);

/* Inside quotes, whatever is in it. */
void describe_quoted(GString *out, const char *text);

/* UINT64_MAX is "unlimited". */
void describe_limit(GString *out, uint64_t value);
