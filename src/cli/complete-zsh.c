// SPDX-License-Identifier: MIT
/* The completion for zsh: see complete.c. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>

#include "complete.h"

/* For the inside of single quotes of zsh; `more` gets backslashes. */
static void put_quoted(FILE *out, const char *text, const char *more)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr(more, *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static const char zsh_head[] =
	"#compdef sandbox\n"
	"# zsh completion for sandbox(1), made by `sandbox completion zsh`\n"
	"\n"
	"_sandbox_words() {\n"
	"\tlocal -a open closed\n"
	"\topen=(${(M)@:#*[=:]})\n"
	"\tclosed=(${@:#*[=:]})\n"
	"\tcompadd -S '' -a open\n"
	"\tcompadd -a closed\n"
	"}\n"
	"\n"
	"_sandbox_list() {\n"
	"\tcompset -P '*,'\n"
	"\tcompadd -q -S , -M 'm:{A-Z}={a-z}' -- \"$@\"\n"
	"}\n"
	"\n"
	"_sandbox_paths() {\n"
	"\tcompset -P '*[:=]'\n"
	"\t_files \"$@\"\n"
	"}\n"
	"\n"
	"_sandbox_home() {\n"
	"\tif [[ $PREFIX == */* ]]; then _files -/; else _sandbox_words private ro rw; fi\n"
	"}\n"
	"\n"
	"_sandbox_profiles() {\n"
	"\tif [[ $PREFIX == */* ]]; then\n"
	"\t\t_files\n"
	"\telse\n"
	"\t\tcompadd -- ${${(f)\"$(_call_program profiles $_sandbox_program profile list 2>/dev/null)\"}%% *}\n"
	"\tfi\n"
	"}\n"
	"\n"
	"# The first word that is no option: a command, but only behind run or --.\n"
	"_sandbox_first() {\n"
	"\tif [[ $words[1] == run ]] || (( $words[(i)--] < CURRENT )); then\n"
	"\t\t_command_names -e\n"
	"\telse\n"
	"\t\tcompadd -- --\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_sandbox() {\n"
	"\tlocal _sandbox_program=$words[1]\n"
	"\tlocal -a options verbs\n"
	"\toptions=(\n";

static const char zsh_middle[] = "\t)\n"
				 "\tverbs=(\n";

static const char zsh_tail_1[] = "\t)\n"
				 "\tif (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then\n"
				 "\t\t_describe -t verbs verb verbs\n"
				 "\t\tcompadd -- --\n"
				 "\t\treturn\n"
				 "\tfi\n"
				 "\tif (( CURRENT > 2 )); then\n"
				 "\t\tcase $words[2] in\n";

static const char zsh_tail_2[] =
	"\t\t(run)\n"
	"\t\t\tshift words\n"
	"\t\t\t(( CURRENT-- )) ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"\t_arguments -s -S $options '(-)1: :_sandbox_first' '*::arguments: _normal'\n"
	"}\n"
	"\n"
	"_sandbox \"$@\"\n";

static void zsh_action(FILE *out, const struct option *opt)
{
	g_autofree char *words = complete_words(opt);

	switch (opt->complete) {
	case OPT_COMPLETE_PATH: fputs("_sandbox_paths", out); break;
	case OPT_COMPLETE_DIR: fputs("_files -/", out); break;
	case OPT_COMPLETE_PROFILE: fputs(" _sandbox_profiles", out); break;
	case OPT_COMPLETE_CAP:
	case OPT_COMPLETE_WORDS:
		if (opt->id == OPT_HOME) {
			fputs(" _sandbox_home", out);
			break;
		}
		fputs(complete_is_comma_list(opt) ? " _sandbox_list " : " _sandbox_words ", out);
		put_quoted(out, words, ":");
		break;
	case OPT_COMPLETE_NONE: fputc(' ', out); break;
	}
}

/* '(-w --workdir)--workdir=[Start ...]:DIR:action' */
static void zsh_spec(FILE *out, const struct option *opt, const char *dashes, const char *name,
		     const char *joint)
{
	fputs("\t\t'", out);
	if (opt->kind == OPT_KIND_LIST)
		fputc('*', out);
	else if (opt->letter)
		fprintf(out, "(-%c --%s)", opt->letter, opt->name);
	fprintf(out, "%s%s%s[", dashes, name, opt->kind == OPT_KIND_FLAG ? "" : joint);
	put_quoted(out, opt->help, "[]:\\");
	fputc(']', out);
	if (opt->kind != OPT_KIND_FLAG) {
		fputc(':', out);
		put_quoted(out, opt->arg, ":\\");
		fputc(':', out);
		zsh_action(out, opt);
	}
	fputs("'\n", out);
}

static void zsh_option(FILE *out, const struct option *opt)
{
	const char letter[] = { opt->letter, '\0' };

	if (opt->letter)
		zsh_spec(out, opt, "-", letter, "+");
	zsh_spec(out, opt, "--", opt->name, "=");
	if (opt->alias)
		zsh_spec(out, opt, "--", opt->alias, "=");
	if (option_negatable(opt))
		fprintf(out, "\t\t'--no-%s[Undo --%s]'\n", opt->name, opt->name);
}

static void zsh_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "\t\t(%s)\n", verb->name);
	if (verb->words)
		fprintf(out, "\t\t\t(( CURRENT == 3 )) && compadd -- %s\n", verb->words);
	if (strcmp(verb->name, "profile") == 0)
		fputs("\t\t\t(( CURRENT == 4 )) && [[ $words[3] == show ]] && _sandbox_profiles\n"
		      "\t\t\t(( CURRENT == 4 )) && [[ $words[3] == check ]] && _files\n",
		      out);
	fputs("\t\t\treturn ;;\n", out);
}

void complete_zsh(FILE *out, const struct verb *verbs)
{
	fputs(zsh_head, out);
	complete_each(out, zsh_option, false);
	fputs(zsh_middle, out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (!verb->run)
			continue;
		fprintf(out, "\t\t'%s:", verb->name);
		put_quoted(out, verb->help, ":\\");
		fputs("'\n", out);
	}
	fputs(zsh_tail_1, out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run && strcmp(verb->name, "run") != 0)
			zsh_verb(out, verb);
	}
	fputs(zsh_tail_2, out);
}
