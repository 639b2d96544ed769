// SPDX-License-Identifier: MIT
/* A profile, to the text of the plan it makes. */
#include <unistd.h>

#include <sandbox/request.h>

#include "cli/profile.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *env[] = { (char *)"HOME=/nonexistent", NULL };
	g_autofree char *text = fuzz_text(data, size);
	char name[32], option[48];
	char *words[] = { option, (char *)"--", (char *)"true", NULL };
	struct request request = { 0 };
	struct err err = { 0 };
	struct host host;
	int fd;

	/* what it names is not opened: an --env-file has a target of its own */
	if (memmem(data, size, "inherit", 7) || memmem(data, size, "env-file", 8))
		return 0;
	fd = fuzz_file(data, size, name);
	(void)snprintf(option, sizeof(option), "--profile=%s", name);
	fuzz_host((unsigned)size, &host);
	if (request_parse(&request, words, env, &err) < 0)
		fuzz_check_err(&err);
	else
		fuzz_plan(&request, &host);
	request_clear(&request);
	(void)close(fd);
	g_strfreev(profile_split(text));
	return 0;
}
