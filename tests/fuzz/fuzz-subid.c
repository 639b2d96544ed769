// SPDX-License-Identifier: MIT
/* /etc/subuid, the answer of getsubids(1), nsswitch.conf. */
#include <unistd.h>

#include "fuzz.h"
#include "host/subid.h"

enum { UID = 1000, OWN = 1000 };

static void check_ranges(const struct subid_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t end = (uint64_t)ranges[i].start + ranges[i].count;

		FUZZ_CHECK(ranges[i].count > 0 && end <= UINT32_MAX);
		FUZZ_CHECK(OWN < ranges[i].start || OWN >= end);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(end <= ranges[k].start ||
				   (uint64_t)ranges[k].start + ranges[k].count <= ranges[i].start);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);
	g_autofree struct subid_range *file = NULL, *nss = NULL;
	size_t n;
	uint32_t start;

	subid_parse(text, "ann", UID, OWN, &file, &n);
	check_ranges(file, n);
	subid_parse_getsubids(text, OWN, &nss, &n);
	check_ranges(nss, n);
	(void)subid_elsewhere(text);
	start = subid_free(text, 65536);
	FUZZ_CHECK(start == 0 || (start >= 100000 && (uint64_t)start + 65536 <= UINT32_MAX));
	return 0;
}
