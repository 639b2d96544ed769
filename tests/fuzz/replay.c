// SPDX-License-Identifier: MIT
/* Runs one target over files, and over all files of folders: without libFuzzer, with any compiler.
 *
 *     replay-TARGET FILE|FOLDER...
 */
#include <sys/stat.h>

#include "fuzz.h"

static bool replay_file(const char *path)
{
	g_autofree char *text = NULL;
	size_t size;

	if (!g_file_get_contents(path, &text, &size, NULL))
		return false;
	fprintf(stderr, "%s\n", path); /* the last one is the culprit */
	(void)LLVMFuzzerTestOneInput((const uint8_t *)text, size);
	return true;
}

static unsigned replay_folder(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	unsigned n = 0;

	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		n += replay_file(file);
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned n = 0;

	/* a read past an empty input is a fault, too */
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		n += g_file_test(argv[i], G_FILE_TEST_IS_DIR) ? replay_folder(argv[i])
							      : replay_file(argv[i]);
	printf("%u inputs\n", n);
	return n ? 0 : 1;
}
