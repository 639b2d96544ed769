// SPDX-License-Identifier: MIT
/* Texts of /proc: mountinfo, cgroup, uid_map, status, PID/stat, and numbers anywhere. */
#include "fuzz.h"
#include "host/file.h"
#include "host/procfs.h"
#include "watch/soft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size), *cgroup = procfs_own_cgroup(text);
	char line[256];
	uint32_t row[3];
	struct soft_process process;
	bool whole;

	FUZZ_CHECK(!cgroup ||
		   (cgroup[0] == '/' && !strchr(cgroup, '\n') && !g_str_has_prefix(cgroup, "/..")));
	procfs_list_below(text, "/proc", line, sizeof(line));
	fuzz_check_text(line, sizeof(line));
	(void)procfs_has_root(text);
	(void)procfs_id_mapped(text, 1000, &whole);
	(void)procfs_status(text);
	(void)file_scan(text, row, 3);
	if (account_parse(text, 10 * SOFT_MS, &process))
		FUZZ_CHECK(process.start != 0);
	return 0;
}
