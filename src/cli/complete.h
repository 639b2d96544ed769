/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct option;
struct verb;

/* Private to the completions: what all of them say of an option, and each shell's own script. */

/* Comma lists go on behind a comma. */
bool complete_is_comma_list(const struct option *opt);
/* The words an option takes, separated by blanks; free it. */
char *complete_words(const struct option *opt);
/* Every spelling of an option: "-v", "--volume", ...; free it. */
char *complete_spellings(const struct option *opt, const char *separator);
/* They with a blank in front of each. */
void complete_put_spellings(FILE *out, const struct option *opt);
/* Calls `put` for every option that works, or only for those with a value. */
void complete_each(FILE *out, void (*put)(FILE *out, const struct option *opt), bool valued);

void complete_bash(FILE *out, const struct verb *verbs);
void complete_zsh(FILE *out, const struct verb *verbs);
void complete_fish(FILE *out, const struct verb *verbs);
