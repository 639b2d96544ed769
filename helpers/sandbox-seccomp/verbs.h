/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "policy.h"

/* What the program can be asked for; each returns the exit status. */
int verb_builtin(unsigned arch, FILE *out);
