// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static const struct probe *const tables[] = { file_probes, process_probes, kernel_probes,
					      mount_probes };

long say(const char *what, long r)
{
	int num = errno;

	printf("%s: %s\n", what, r >= 0 ? "ok" : strerrorname_np(num) ? strerrorname_np(num) : "?");
	fflush(stdout);
	errno = num;
	return r;
}

unsigned long number(const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end) {
		fprintf(stderr, "probe: '%s' is not a number\n", text);
		exit(99);
	}
	return value;
}

static int usage(void)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct probe *p = tables[t]; p->name; p++)
			fprintf(stderr, "probe %s %s\n", p->name, p->arguments);
	return 99;
}

int main(int argc, char **argv)
{
	for (size_t t = 0; argc > 1 && t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct probe *p = tables[t]; p->name; p++)
			if (strcmp(p->name, argv[1]) == 0)
				return p->run(argc - 2, argv + 2);
	return usage();
}
