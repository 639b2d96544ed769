// SPDX-License-Identifier: MIT
/* The one line that helpers/sandbox-scope answers with. */
#include "fuzz.h"
#include "ops/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size), *dir = scope_answer(text);

	if (!dir)
		return 0;
	fuzz_check_text(dir, strlen(dir) + 1);
	FUZZ_CHECK(g_str_has_prefix(dir, "/sys/fs/cgroup/") && !strstr(dir, "/../") &&
		   !g_str_has_suffix(dir, "/.."));
	return 0;
}
