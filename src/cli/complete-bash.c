// SPDX-License-Identifier: MIT
/* The completion for bash: see complete.c. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>

#include "complete.h"

static const char bash_head[] =
	"# shellcheck shell=bash\n"
	"# bash completion for sandbox(1), made by `sandbox completion bash`\n"
	"\n"
	"# Fills COMPREPLY with what compgen finds; names may hold blanks.\n"
	"_sandbox_reply()\n"
	"{\n"
	"\tmapfile -t COMPREPLY < <(compgen \"$@\")\n"
	"}\n"
	"\n"
	"# The last part of a:b or NAME=b as a path.\n"
	"_sandbox_paths()\n"
	"{\n"
	"\tlocal tail=${2##*[:=]}\n"
	"\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\t_sandbox_reply \"$1\" -- \"$tail\"\n"
	"\tCOMPREPLY=(\"${COMPREPLY[@]/#/\"${2%\"$tail\"}\"}\")\n"
	"}\n"
	"\n"
	"_sandbox_words()\n"
	"{\n"
	"\t_sandbox_reply -W \"$1\" -- \"$2\"\n"
	"\t[[ ${COMPREPLY[0]-} == *[=:] ]] && compopt -o nospace 2>/dev/null\n"
	"}\n"
	"\n"
	"_sandbox_list()\n"
	"{\n"
	"\tlocal tail=${2##*,} prefix=''\n"
	"\n"
	"\tcompopt -o nospace 2>/dev/null\n"
	"\t[[ ${tail,,} == cap_* ]] && prefix=cap_\n"
	"\t_sandbox_reply -P \"$prefix\" -W \"$1\" -- \"${tail:${#prefix}}\"\n"
	"\tCOMPREPLY=(\"${COMPREPLY[@]/#/\"${2%\"$tail\"}\"}\")\n"
	"}\n"
	"\n"
	"_sandbox_profiles()\n"
	"{\n"
	"\tcase $1 in\n"
	"\t*/*) _sandbox_paths -f \"$1\" ;;\n"
	"\t*) _sandbox_words \"$(\"${COMP_WORDS[0]}\" profile list 2>/dev/null |\n"
	"\t\twhile read -r name _; do printf '%s ' \"$name\"; done)\" \"$1\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# The values of option $1 that begin with $2.\n"
	"_sandbox_value()\n"
	"{\n"
	"\tcase $1 in\n";

static const char bash_middle[] = "\tesac\n"
				  "}\n"
				  "\n"
				  "_sandbox_takes_value()\n"
				  "{\n"
				  "\tcase $1 in\n"
				  "\t";

static const char bash_tail_1[] =
	") return 0 ;;\n"
	"\tesac\n"
	"\treturn 1\n"
	"}\n"
	"\n"
	"# The command and its arguments, from word $1 of COMP_WORDS on.\n"
	"_sandbox_command()\n"
	"{\n"
	"\tif declare -F _command_offset >/dev/null; then\n"
	"\t\t_command_offset \"$1\"\n"
	"\telif ((COMP_CWORD == $1)); then\n"
	"\t\t_sandbox_reply -c -- \"${COMP_WORDS[COMP_CWORD]}\"\n"
	"\telse\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\t_sandbox_reply -f -- \"${COMP_WORDS[COMP_CWORD]}\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_sandbox()\n"
	"{\n"
	"\tlocal -a words=() at=()\n"
	"\tlocal i word raw cur head='' verb='' option='' cword=0 join=0\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\t# Readline cuts at = and :, which are parts of words here.\n"
	"\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif ((i > 1)) && [[ $join == 1 || $word =~ ^[=:]+$ ]]; then\n"
	"\t\t\twords[cword]+=$word\n"
	"\t\telse\n"
	"\t\t\tcword=${#words[@]}\n"
	"\t\t\twords[cword]=$word\n"
	"\t\t\tat[cword]=$i\n"
	"\t\tfi\n"
	"\t\tjoin=0\n"
	"\t\t[[ $word =~ ^[=:]+$ ]] && join=1\n"
	"\tdone\n"
	"\tcur=${words[cword]}\n"
	"\traw=${COMP_WORDS[COMP_CWORD]}\n"
	"\t[[ $raw =~ ^[=:]+$ ]] && raw=\n"
	"\n"
	"\tfor ((i = 1; i < cword; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\tif [[ $word == -- ]]; then\n"
	"\t\t\t_sandbox_command \"${at[i + 1]}\"\n"
	"\t\t\treturn\n"
	"\t\telif [[ $word == -* ]]; then\n"
	"\t\t\t_sandbox_takes_value \"$word\" && ((++i == cword)) && option=$word\n"
	"\t\telif ((i == 1)); then\n"
	"\t\t\tverb=$word\n"
	"\t\t\t[[ $verb == run ]] || break\n"
	"\t\telif [[ $verb == run ]]; then\n"
	"\t\t\t_sandbox_command \"${at[i]}\"\n"
	"\t\t\treturn\n"
	"\t\telse\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\tdone\n"
	"\n"
	"\tcase $verb in\n";

static const char bash_tail_2[] = "\tesac\n"
				  "\tif [[ -n $option ]]; then\n"
				  "\t\t_sandbox_value \"$option\" \"$cur\"\n"
				  "\telif [[ $cur == --*=* ]]; then\n"
				  "\t\thead=${cur%%=*}=\n"
				  "\t\t_sandbox_value \"${cur%%=*}\" \"${cur#*=}\"\n"
				  "\telif [[ $cur == -* ]]; then\n"
				  "\t\t_sandbox_reply -W \"$_sandbox_options\" -- \"$cur\"\n"
				  "\telif [[ $verb == run ]]; then\n"
				  "\t\t_sandbox_command \"${at[cword]}\"\n"
				  "\t\treturn\n"
				  "\telif ((cword == 1)); then\n"
				  "\t\t_sandbox_reply -W \"$_sandbox_verbs --\" -- \"$cur\"\n"
				  "\telse\n"
				  "\t\t_sandbox_reply -W '--' -- \"$cur\"\n"
				  "\tfi\n"
				  "\t# Only what readline takes for the current word is replaced.\n"
				  "\tCOMPREPLY=(\"${COMPREPLY[@]/#/\"$head\"}\")\n"
				  "\ti=$((${#cur} - ${#raw}))\n"
				  "\tfor ((word = 0; word < ${#COMPREPLY[@]}; word++)); do\n"
				  "\t\tCOMPREPLY[word]=${COMPREPLY[word]:i}\n"
				  "\tdone\n"
				  "} &&\n"
				  "\tcomplete -F _sandbox sandbox\n";

static void bash_value(FILE *out, const struct option *opt)
{
	g_autofree char *pattern = complete_spellings(opt, "|");
	g_autofree char *words = complete_words(opt);

	fprintf(out, "\t%s", pattern);
	switch (opt->complete) {
	case OPT_COMPLETE_PATH: fputs(") _sandbox_paths -f \"$2\" ;;\n", out); break;
	case OPT_COMPLETE_DIR: fputs(") _sandbox_paths -d \"$2\" ;;\n", out); break;
	case OPT_COMPLETE_PROFILE: fputs(") _sandbox_profiles \"$2\" ;;\n", out); break;
	case OPT_COMPLETE_CAP:
	case OPT_COMPLETE_WORDS:
		if (opt->id == OPT_HOME)
			fprintf(out,
				")\n\t\tif [[ $2 == */* ]]; then _sandbox_paths -d \"$2\"; "
				"else _sandbox_words '%s' \"$2\"; fi ;;\n",
				words);
		else
			fprintf(out, ") %s '%s' \"$2\" ;;\n",
				complete_is_comma_list(opt) ? "_sandbox_list" : "_sandbox_words",
				words);
		break;
	case OPT_COMPLETE_NONE: fputs(") ;;\n", out); break;
	}
}

/* One pattern of them all; OPT_PROFILE is the first row. */
static void bash_takes_value(FILE *out, const struct option *opt)
{
	g_autofree char *pattern = complete_spellings(opt, "|");

	fprintf(out, "%s%s", opt->id == OPT_PROFILE ? "" : "|", pattern);
}

static void bash_name(FILE *out, const struct option *opt)
{
	complete_put_spellings(out, opt);
	if (option_negatable(opt))
		fprintf(out, " --no-%s", opt->name);
}

static void bash_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "\t%s)\n", verb->name);
	if (verb->words)
		fprintf(out, "\t\t((cword == 2)) && _sandbox_reply -W '%s' -- \"$cur\"\n",
			verb->words);
	if (strcmp(verb->name, "profile") == 0)
		fputs("\t\t((cword == 3)) && case ${words[2]} in\n"
		      "\t\tshow) _sandbox_profiles \"$cur\" ;;\n"
		      "\t\tcheck) _sandbox_paths -f \"$cur\" ;;\n"
		      "\t\tesac\n",
		      out);
	fputs("\t\treturn ;;\n", out);
}

void complete_bash(FILE *out, const struct verb *verbs)
{
	fputs(bash_head, out);
	complete_each(out, bash_value, true);
	fputs(bash_middle, out);
	complete_each(out, bash_takes_value, true);
	fputs(bash_tail_1, out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run && strcmp(verb->name, "run") != 0)
			bash_verb(out, verb);
	}
	fputs(bash_tail_2, out);
	fputs("_sandbox_options='", out);
	complete_each(out, bash_name, false);
	fputs("'\n_sandbox_verbs='", out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run)
			fprintf(out, " %s", verb->name);
	}
	fputs("'\n", out);
}
