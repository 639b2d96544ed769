// SPDX-License-Identifier: MIT
/* Id maps: as text for --userns map:, or, behind a NUL, ranges for the automatic map. */
#include <errno.h>

#include <sandbox/idmap.h>

#include "fuzz.h"

static bool overlap(uint32_t a, uint32_t na, uint32_t b, uint32_t nb)
{
	return (uint64_t)a < (uint64_t)b + nb && (uint64_t)b < (uint64_t)a + na;
}

static void check_map(const struct idmap *map)
{
	char text[IDMAP_MAX * 33 + 1];
	uint32_t id;

	FUZZ_CHECK(map->n >= 1 && map->n <= IDMAP_MAX);
	for (size_t i = 0; i < map->n; i++) {
		const struct idrange *row = &map->rows[i];

		FUZZ_CHECK(row->count > 0 && (uint64_t)row->inside + row->count <= UINT32_MAX &&
			   (uint64_t)row->outside + row->count <= UINT32_MAX);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(!overlap(row->inside, row->count, map->rows[k].inside,
					    map->rows[k].count) &&
				   !overlap(row->outside, row->count, map->rows[k].outside,
					    map->rows[k].count));
		FUZZ_CHECK(idmap_outside(map, row->inside, &id) && id == row->outside);
		FUZZ_CHECK(idmap_inside(map, row->outside + row->count - 1, &id) &&
			   id == row->inside + row->count - 1);
	}
	FUZZ_CHECK(idmap_format(map, text, sizeof(text)) > 0);
	FUZZ_CHECK(idmap_format(map, text, 4) == -EOVERFLOW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);
	struct idmap map = { 0 };
	struct err err = { 0 };
	struct subid_range ranges[400];
	size_t n;
	int r;

	if (size == 0 || data[0] != 0) {
		r = idmap_parse(&map, text, &err);
	} else {
		n = (size - 1) / sizeof(ranges[0]);
		n = n < G_N_ELEMENTS(ranges) ? n : G_N_ELEMENTS(ranges);
		memcpy(ranges, data + 1, n * sizeof(ranges[0]));
		r = idmap_auto(&map, 1000, ranges, n, &err);
	}
	if (r < 0)
		fuzz_check_err(&err);
	else
		check_map(&map);
	idmap_clear(&map);
	return 0;
}
