// SPDX-License-Identifier: MIT
/*
 * Completions for bash, zsh and fish, printed from the tables of options and verbs. Each script is
 * a fixed frame with the rows in between; the frame finds out where the cursor is (a verb, an
 * option, its value, the command), the rows say what may stand there. What stands behind `--` is
 * left to the shell's own completion of that command.
 */
#include <ctype.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>

/* ---- what the rows say ---- */

static bool is_offered(const struct option *opt)
{
	return !(opt->flags & OPT_LATER);
}

/* Comma lists go on behind a comma. */
static bool is_comma_list(const struct option *opt)
{
	return opt->arg && strcmp(opt->arg, "LIST") == 0;
}

/* The words of a capability list, of the library this was built with. */
static void add_caps(GString *words)
{
	g_string_append(words, "all");
	for (int value = 0; value < 64; value++) {
		char *name = cap_to_name((cap_value_t)value);

		if (name && g_str_has_prefix(name, "cap_"))
			g_string_append_printf(words, " %s", name + strlen("cap_"));
		(void)cap_free(name);
	}
}

static char *option_words(const struct option *opt)
{
	GString *words = g_string_new(opt->words);

	if (opt->complete == OPT_COMPLETE_CAP)
		add_caps(words);
	return g_string_free(words, FALSE);
}

/* For the inside of single quotes of bash and zsh; `more` gets backslashes. */
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

/* Every spelling of an option: "-v", "--volume", ... */
static char *option_spellings(const struct option *opt, const char *separator)
{
	GString *all = g_string_new(NULL);

	if (opt->letter)
		g_string_append_printf(all, "-%c%s", opt->letter, separator);
	g_string_append_printf(all, "--%s", opt->name);
	if (opt->alias)
		g_string_append_printf(all, "%s--%s", separator, opt->alias);
	return g_string_free(all, FALSE);
}

static void put_spellings(FILE *out, const struct option *opt)
{
	g_autofree char *all = option_spellings(opt, " ");

	fprintf(out, " %s", all);
}

/* Calls `put` for every option that works, or only for those with a value. */
static void each_option(FILE *out, void (*put)(FILE *out, const struct option *opt), bool valued)
{
	for (int id = 0; id < _OPT_MAX; id++) {
		const struct option *opt = option_row((enum opt_id)id);

		if (is_offered(opt) && (!valued || opt->kind != OPT_KIND_FLAG))
			put(out, opt);
	}
}

/* ---- bash ---- */

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
	g_autofree char *pattern = option_spellings(opt, "|");
	g_autofree char *words = option_words(opt);

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
				is_comma_list(opt) ? "_sandbox_list" : "_sandbox_words", words);
		break;
	case OPT_COMPLETE_NONE: fputs(") ;;\n", out); break;
	}
}

/* One pattern of them all; OPT_PROFILE is the first row. */
static void bash_takes_value(FILE *out, const struct option *opt)
{
	g_autofree char *pattern = option_spellings(opt, "|");

	fprintf(out, "%s%s", opt->id == OPT_PROFILE ? "" : "|", pattern);
}

static void bash_name(FILE *out, const struct option *opt)
{
	put_spellings(out, opt);
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

static void bash_print(FILE *out, const struct verb *verbs)
{
	fputs(bash_head, out);
	each_option(out, bash_value, true);
	fputs(bash_middle, out);
	each_option(out, bash_takes_value, true);
	fputs(bash_tail_1, out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run && strcmp(verb->name, "run") != 0)
			bash_verb(out, verb);
	}
	fputs(bash_tail_2, out);
	fputs("_sandbox_options='", out);
	each_option(out, bash_name, false);
	fputs("'\n_sandbox_verbs='", out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run)
			fprintf(out, " %s", verb->name);
	}
	fputs("'\n", out);
}

/* ---- zsh ---- */

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
	g_autofree char *words = option_words(opt);

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
		fputs(is_comma_list(opt) ? " _sandbox_list " : " _sandbox_words ", out);
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

static void zsh_print(FILE *out, const struct verb *verbs)
{
	fputs(zsh_head, out);
	each_option(out, zsh_option, false);
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

/* ---- fish ---- */

static const char fish_head[] =
	"# fish completion for sandbox(1), made by `sandbox completion fish`\n"
	"\n"
	"# Where the cursor is: first, options, run, verb NAME, command N (tokens before it), none.\n"
	"function __sandbox_at\n"
	"\tset -l tokens (commandline -opc)\n"
	"\tset -l place options\n"
	"\tset -l skip 0\n"
	"\ttest (count $tokens) -le 1; and echo first; and return\n"
	"\tfor i in (seq 2 (count $tokens))\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\t\tcontinue\n"
	"\t\tend\n"
	"\t\tswitch $tokens[$i]\n"
	"\t\t\tcase --\n"
	"\t\t\t\techo command $i\n"
	"\t\t\t\treturn\n"
	"\t\t\tcase";

static const char fish_middle[] =
	"\n"
	"\t\t\t\tset skip 1\n"
	"\t\t\tcase '-*'\n"
	"\t\t\tcase run\n"
	"\t\t\t\tif test $i != 2\n"
	"\t\t\t\t\ttest $place = run; and echo command (math $i - 1); or echo none\n"
	"\t\t\t\t\treturn\n"
	"\t\t\t\tend\n"
	"\t\t\t\tset place run\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\tif test $place = run\n"
	"\t\t\t\t\techo command (math $i - 1)\n"
	"\t\t\t\telse if test $i = 2\n"
	"\t\t\t\t\techo verb $tokens[2..-1]\n"
	"\t\t\t\telse\n"
	"\t\t\t\t\techo none\n"
	"\t\t\t\tend\n"
	"\t\t\t\treturn\n"
	"\t\tend\n"
	"\tend\n"
	"\techo $place\n"
	"end\n"
	"\n"
	"function __sandbox_is\n"
	"\tset -l at (string split ' ' (__sandbox_at))\n"
	"\tcontains -- $at[1] $argv\n"
	"end\n"
	"\n"
	"# \"verb NAME\" and exactly the words that follow it.\n"
	"function __sandbox_verb\n"
	"\ttest (__sandbox_at) = \"verb $argv\"\n"
	"end\n"
	"\n"
	"function __sandbox_command\n"
	"\tset -l at (string split ' ' (__sandbox_at))\n"
	"\tset -l tokens (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\tset -e tokens[1..$at[2]]\n"
	"\tcomplete -C (string join -- ' ' (string escape -- $tokens) \"$current\")\n"
	"end\n"
	"\n"
	"function __sandbox_run\n"
	"\tset -l current (commandline -ct)\n"
	"\tcomplete -C \"$current\"\n"
	"end\n"
	"\n"
	"function __sandbox_profiles\n"
	"\tset -l tokens (commandline -opc)\n"
	"\t$tokens[1] profile list 2>/dev/null | string replace -r ' .*' ''\n"
	"end\n"
	"\n"
	"# A comma list: what stands before the last comma, and one word more.\n"
	"function __sandbox_list\n"
	"\tset -l head (string replace -r '^-.*?=' '' -- (commandline -ct) | string replace -r '[^,]*$' '')\n"
	"\tprintf '%s\\n' \"$head\"$argv\n"
	"end\n"
	"\n"
	"complete -c sandbox -f\n"
	"complete -c sandbox -n '__sandbox_is command' -a '(__sandbox_command)'\n"
	"complete -c sandbox -n '__sandbox_is run' -a '(__sandbox_run)'\n"
	"complete -c sandbox -n '__sandbox_is first options' -a '--' -d 'The command follows'\n";

/* Single quotes of fish know two escapes: \\ and \'. */
static void fish_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void fish_values(FILE *out, const struct option *opt)
{
	g_autofree char *words = option_words(opt);

	switch (opt->complete) {
	case OPT_COMPLETE_PATH: fputs(" -r -F", out); break;
	case OPT_COMPLETE_DIR: fputs(" -x -a '(__fish_complete_directories)'", out); break;
	case OPT_COMPLETE_PROFILE: fputs(" -r -F -a '(__sandbox_profiles)'", out); break;
	case OPT_COMPLETE_CAP:
	case OPT_COMPLETE_WORDS:
		if (opt->id == OPT_HOME)
			fprintf(out, " -x -a '%s (__fish_complete_directories)'", words);
		else if (is_comma_list(opt))
			fprintf(out, " -x -a '(__sandbox_list %s)'", words);
		else
			fprintf(out, " -x -a '%s'", words);
		break;
	case OPT_COMPLETE_NONE: fputs(" -x", out); break;
	}
}

static void fish_option(FILE *out, const struct option *opt)
{
	static const char begin[] = "complete -c sandbox -n '__sandbox_is first options run'";

	fputs(begin, out);
	if (opt->letter)
		fprintf(out, " -s %c", opt->letter);
	fprintf(out, " -l %s", opt->name);
	if (opt->alias)
		fprintf(out, " -l %s", opt->alias);
	if (opt->kind != OPT_KIND_FLAG)
		fish_values(out, opt);
	fputs(" -d ", out);
	fish_quoted(out, opt->help);
	fputc('\n', out);
	if (option_negatable(opt))
		fprintf(out, "%s -l no-%s -d 'Undo --%s'\n", begin, opt->name, opt->name);
}

static void fish_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "complete -c sandbox -n '__sandbox_is first' -a %s -d ", verb->name);
	fish_quoted(out, verb->help);
	fputc('\n', out);
	if (verb->words)
		fprintf(out, "complete -c sandbox -n '__sandbox_verb %s' -a '%s'\n", verb->name,
			verb->words);
}

static void fish_print(FILE *out, const struct verb *verbs)
{
	fputs(fish_head, out);
	each_option(out, put_spellings, true);
	fputs(fish_middle, out);
	fputs("complete -c sandbox -n '__sandbox_verb profile show' -a '(__sandbox_profiles)'\n"
	      "complete -c sandbox -n '__sandbox_verb profile check' -F\n",
	      out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run)
			fish_verb(out, verb);
	}
	each_option(out, fish_option, false);
}

/* ---- the door ---- */

/* clang-format off */
static const struct shell {
	const char *name;
	void (*print)(FILE *out, const struct verb *verbs);
} shells[] = {
	{ "bash", bash_print },
	{ "zsh",  zsh_print  },
	{ "fish", fish_print },
};
/* clang-format on */

int complete_print(FILE *out, const struct verb *verbs, const char *shell, struct err *err)
{
	char quoted[64];

	for (size_t i = 0; i < G_N_ELEMENTS(shells); i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(out, verbs);
			return 0;
		}
	}
	err_set(err, ERR_USAGE, 0, "there is no completion for the shell '%s'",
		err_quote(quoted, sizeof(quoted), shell));
	return err_fix(err, "sandbox completion bash|zsh|fish");
}
