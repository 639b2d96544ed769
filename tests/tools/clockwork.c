// SPDX-License-Identifier: MIT
/* clockwork [-w] RUNS WARMUP PARALLEL -- COMMAND... [::: COMMAND...]...
 *
 * Times whole runs of commands, from the start of the process to its end having been waited for.
 * The commands take turns, so that whatever else the machine does hits all of them alike, in another
 * order each round: what ran before leaves other things in the caches, and with a fixed order always
 * the same for the same command. -w: each runs twice in its turn, and the second time counts. With
 * PARALLEL above 1 it starts that many of one command at once and takes the time until the last has
 * ended.
 *
 * Prints one line of nanoseconds per command. A command that fails is an error: what does not
 * work must not look fast. posix_spawn is used because its cost does not depend on our size. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct command {
	char **argv;
	uint64_t *took;
};

static uint64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int start(char **argv, posix_spawn_file_actions_t *quiet, pid_t *pid)
{
	int r = argv[0] ? posix_spawnp(pid, argv[0], quiet, NULL, argv, environ) : EINVAL;

	if (r != 0)
		fprintf(stderr, "clockwork: cannot start '%s': %s\n", argv[0] ? argv[0] : "",
			strerror(r));
	return r;
}

static int finish(char **argv, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	if (status == 0)
		return 0;
	fprintf(stderr, "clockwork: '%s' ended with wait status %#x\n", argv[0], (unsigned)status);
	return -1;
}

/* One measurement: `parallel` processes of the same command at once. */
static int measure(char **argv, long parallel, posix_spawn_file_actions_t *quiet, uint64_t *took)
{
	pid_t pids[256];
	uint64_t begin = now();

	for (long i = 0; i < parallel; i++)
		if (start(argv, quiet, &pids[i]) != 0)
			return -1;
	for (long i = 0; i < parallel; i++)
		if (finish(argv, pids[i]) < 0)
			return -1;
	*took = now() - begin;
	return 0;
}

/* Splits at ":::" in place; returns how many commands there are. */
static size_t split(char **words, struct command *commands, long runs)
{
	size_t n = 0;

	while (*words != NULL) {
		commands[n].argv = words;
		commands[n].took = calloc((size_t)runs, sizeof(uint64_t));
		if (commands[n++].took == NULL)
			return 0;
		while (*words != NULL && strcmp(*words, ":::") != 0)
			words++;
		if (*words != NULL)
			*words++ = NULL;
	}
	return n;
}

/* Any order is as good as any other: no more than that is asked of random(3). */
static void shuffle(size_t *order, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)random() % i, was = order[i - 1];

		order[i - 1] = order[k];
		order[k] = was;
	}
}

static void round_of(struct command *commands, const size_t *order, size_t n, long run,
		     long parallel, int twice, posix_spawn_file_actions_t *quiet)
{
	for (size_t i = 0; i < n; i++) {
		struct command *c = &commands[order[i]];
		uint64_t took;

		for (int k = 0; k <= twice; k++)
			if (measure(c->argv, parallel, quiet, &took) < 0)
				exit(1);
		if (run >= 0)
			c->took[run] = took;
	}
}

int main(int argc, char **argv)
{
	int twice = argc > 1 && strcmp(argv[1], "-w") == 0;
	posix_spawn_file_actions_t quiet;
	struct command *commands;
	long runs, warmup, parallel;
	size_t n, *order;

	argc -= twice;
	argv += twice;
	if (argc < 6 || strcmp(argv[4], "--") != 0) {
		fprintf(stderr,
			"usage: clockwork [-w] RUNS WARMUP PARALLEL -- COMMAND... [::: COMMAND...]\n");
		return 2;
	}
	runs = strtol(argv[1], NULL, 10);
	warmup = strtol(argv[2], NULL, 10);
	parallel = strtol(argv[3], NULL, 10);
	if (runs < 1 || warmup < 0 || parallel < 1 || parallel > 256)
		exit(2);
	commands = calloc((size_t)argc, sizeof(*commands));
	order = calloc((size_t)argc, sizeof(*order));
	if (commands == NULL || order == NULL)
		exit(2);
	n = split(argv + 5, commands, runs);
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	srandom((unsigned)now());
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);

	for (long run = -warmup; run < runs; run++) {
		shuffle(order, n);
		round_of(commands, order, n, run, parallel, twice, &quiet);
	}
	for (size_t i = 0; i < n; i++) {
		for (long run = 0; run < runs; run++)
			printf("%s%" PRIu64, run ? " " : "", commands[i].took[run]);
		printf("\n");
	}
	exit(0);
}
