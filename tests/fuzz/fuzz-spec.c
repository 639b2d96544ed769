// SPDX-License-Identifier: MIT
/* Lines "OPTION VALUE", straight to the setters: every value's own reader, volumes above all. */
#include "fuzz.h"
#include "../unit/request-of.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);
	const char *none[] = { NULL };
	struct request request;
	struct host host;

	request_of(&request, none);
	for (char *line = text, *next; line && *line && request.items->len < 64; line = next) {
		char *end = strchr(line, '\n'), *value;
		const struct option *opt;

		next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		value = strchr(line, ' ');
		opt = option_by_name(line, value ? (size_t)(value - line) : strlen(line));
		if (!opt || (opt->flags & OPT_LATER) || (opt->kind == OPT_KIND_FLAG) != !value ||
		    opt->id == OPT_PROFILE || opt->id == OPT_ENV_FILE || opt->id == OPT_HELP ||
		    opt->id == OPT_VERSION)
			continue;
		request_of_add(&request, opt->name, value ? value + 1 : NULL);
	}
	fuzz_host((unsigned)size, &host);
	fuzz_plan(&request, &host);
	request_of_clear(&request);
	return 0;
}
