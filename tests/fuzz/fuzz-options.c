// SPDX-License-Identifier: MIT
/* A command line, one word a line as in tests/golden, to the text of its plan. */
#include <sandbox/request.h>

#include "fuzz.h"

/* These read files, which have targets of their own: the input must not open what it likes. */
static bool reads_files(const char *word)
{
	return strstr(word, "env-file") ||
	       (strstr(word, "profile") && strcmp(word, "--no-profile"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *env[] = { (char *)"HOME=/nonexistent", NULL };
	g_autofree char *text = fuzz_text(data, size);
	g_auto(GStrv) words = NULL;
	struct request request = { 0 };
	struct err err = { 0 };
	struct host host;

	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	words = g_strsplit(text, "\n", 512);
	for (char **word = words; *word; word++)
		if (reads_files(*word))
			return 0;
	fuzz_host((unsigned)size, &host);
	if (request_parse(&request, words, env, &err) < 0) {
		fuzz_check_err(&err);
	} else if (!request_has(&request, OPT_HELP) && !request_has(&request, OPT_VERSION)) {
		(void)request_check_dashes(&request, &err);
		fuzz_plan(&request, &host);
	}
	request_clear(&request);
	return 0;
}
