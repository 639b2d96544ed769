// SPDX-License-Identifier: MIT
/* The completion for fish: see complete.c. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/cli.h>
#include <sandbox/options.h>

#include "complete.h"

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
	g_autofree char *words = complete_words(opt);

	switch (opt->complete) {
	case OPT_COMPLETE_PATH: fputs(" -r -F", out); break;
	case OPT_COMPLETE_DIR: fputs(" -x -a '(__fish_complete_directories)'", out); break;
	case OPT_COMPLETE_PROFILE: fputs(" -r -F -a '(__sandbox_profiles)'", out); break;
	case OPT_COMPLETE_CAP:
	case OPT_COMPLETE_WORDS:
		if (opt->id == OPT_HOME)
			fprintf(out, " -x -a '%s (__fish_complete_directories)'", words);
		else if (complete_is_comma_list(opt))
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

void complete_fish(FILE *out, const struct verb *verbs)
{
	fputs(fish_head, out);
	complete_each(out, complete_put_spellings, true);
	fputs(fish_middle, out);
	fputs("complete -c sandbox -n '__sandbox_verb profile show' -a '(__sandbox_profiles)'\n"
	      "complete -c sandbox -n '__sandbox_verb profile check' -F\n",
	      out);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb->run)
			fish_verb(out, verb);
	}
	complete_each(out, fish_option, false);
}
