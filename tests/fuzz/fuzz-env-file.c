// SPDX-License-Identifier: MIT
/* An --env-file, to the environment of the plan. */
#include <unistd.h>

#include <sandbox/request.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *env[] = { (char *)"HOME=/nonexistent", NULL };
	char name[32];
	char *words[] = { (char *)"--env-file", name, (char *)"--", (char *)"true", NULL };
	struct request request = { 0 };
	struct err err = { 0 };
	struct host host;
	int fd = fuzz_file(data, size, name);

	fuzz_host((unsigned)size, &host);
	if (request_parse(&request, words, env, &err) < 0)
		fuzz_check_err(&err);
	else
		fuzz_plan(&request, &host);
	request_clear(&request);
	(void)close(fd);
	return 0;
}
