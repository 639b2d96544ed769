// SPDX-License-Identifier: MIT
/* `sandbox-seccomp compile`: what protocol.h describes. */
#include <dlfcn.h>
#include <glib.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol.h"
#include "request.h"
#include "verbs.h"

int answer_fault(const struct fault *fault, const char *what)
{
	if (fault->at)
		(void)fprintf(stderr, "at %u\n", fault->at);
	(void)fprintf(stderr, "what %s\n", fault->what[0] ? fault->what : what);
	if (fault->cause[0])
		(void)fprintf(stderr, "cause %s\n", fault->cause);
	if (fault->fix[0])
		(void)fprintf(stderr, "fix %s\n", fault->fix);
	return 1;
}

/* Linked statically it is in our own file, which will do as well. */
static void put_library(FILE *out)
{
	Dl_info info = { 0 };
	struct stat st = { 0 };

	if (!dladdr((void *)(uintptr_t)seccomp_version, &info) || !info.dli_fname ||
	    stat(info.dli_fname, &st) < 0 || strchr(info.dli_fname, '\n'))
		return;
	(void)fprintf(out, "library %ju %ju %jd %jd %s\n", (uintmax_t)st.st_dev,
		      (uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtime,
		      info.dli_fname);
}

static void put_notes(const struct profile_notes *notes, FILE *out)
{
	g_autofree char *names = NULL;

	if (!notes->unknown_slips)
		return;
	g_ptr_array_add(notes->unknown, NULL);
	names = g_strjoinv(" ", (char **)notes->unknown->pdata);
	g_strdelimit(names, "\n", '?');
	(void)fprintf(
		out,
		"note the seccomp profile names system calls that are not known here, so that they "
		"are let through: %.400s\n",
		names);
}

static int compile(const struct request *request, struct fault *fault)
{
	auto_policy policy = { 0 };
	struct profile_notes notes;
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) program = NULL;
	int r = request_policy(request, &policy, &notes, fault);

	if (r == 0) {
		program = policy_compile(&policy, &error);
		r = program ? 0 : fault_cause(fault, "%s", error->message);
	}
	if (r == 0 && program) {
		(void)printf("sandbox-seccomp %d %u %u\n", ANSWER_VERSION, program->len,
			     notes.flags);
		put_library(stdout);
		put_notes(&notes, stdout);
		(void)putchar('\n');
		(void)fwrite(program->data, sizeof(struct sock_filter), program->len, stdout);
		if (fflush(stdout) != 0)
			r = fault_cause(fault, "standard output cannot be written");
	}
	g_ptr_array_unref(notes.unknown);
	return r;
}

int verb_compile(int argc, char **argv)
{
	struct fault fault = { 0 };
	struct request request;
	int r = request_read(&request, argc, argv, &fault);

	if (r == 0)
		r = compile(&request, &fault);
	request_clear(&request);
	return r < 0 ? answer_fault(&fault, "the filter cannot be made") : 0;
}
