// SPDX-License-Identifier: MIT
/* What several targets need: a file with the input, made-up hosts, the way to a plan. */
#include <sys/mman.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/plan.h>
#include <sandbox/request.h>
#include <sandbox/spec.h>

#include "fuzz.h"

int fuzz_file(const uint8_t *data, size_t size, char out[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && fd_write_all(fd, data, size) == 0);
	(void)snprintf(out, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* clang-format off */
static struct host_entry entries[] = {
	{ "usr", ENTRY_DIR, NULL },   { "bin", ENTRY_LINK, (char *)"usr/bin" },
	{ "lib64", ENTRY_DIR, NULL }, { "etc", ENTRY_DIR, NULL }, { "opt", ENTRY_ABSENT, NULL },
};
static struct subid_range ranges[] = { { 100000, 65536 }, { 300000, 10 } };
static char *host_env[] = {
	(char *)"PATH=/home/ann/bin:/usr/bin", (char *)"HOME=/home/ann", (char *)"LC_ALL=C.UTF-8",
	(char *)"TOKEN=secret", NULL,
};
static const struct host plain = {
	.uid = 1000, .euid = 1000, .gid = 1000, .egid = 1000, .ngroups = 2, .user = (char *)"ann",
	.home = (char *)"/home/ann", .home_real = (char *)"/home/ann", .cwd = (char *)"/home/ann/proj",
	.env = host_env, .stdio_open = { true, true, true }, .ram = UINT64_C(8) << 30, .kernel = 6001,
	.nproc_hard = 30000, .system = entries, .nsystem = G_N_ELEMENTS(entries),
	.subuids = ranges, .subgids = ranges, .nsubuids = 2, .nsubgids = 1,
	.newuidmap = (char *)"/usr/bin/newuidmap", .newgidmap = (char *)"/usr/bin/newgidmap",
};
/* clang-format on */

void fuzz_host(unsigned nth, struct host *ret)
{
	*ret = plain;
	switch (nth % FUZZ_HOSTS) {
	case 1: ret->tty[0] = ret->tty[1] = ret->tty[2] = true; break;
	case 2: ret->cwd = NULL, ret->home = ret->home_real = NULL; break;
	case 3: ret->nsubuids = ret->nsubgids = 0, ret->kernel = 5010; break;
	case 4: ret->uid = ret->euid = 0, ret->gid = ret->egid = 0; break;
	case 5:
		ret->resolv_target = (char *)"/run/systemd/resolve/stub-resolv.conf";
		ret->cgroup = (struct host_cgroup){ .layout = CGROUP_V2,
						    .dir = (char *)"/sys/fs/cgroup/a",
						    .writable = true,
						    .controllers = (char *)"cpu memory pids",
						    .bus = (char *)"/run/user/1000/bus" };
		break;
	default: break;
	}
}

void fuzz_plan(const struct request *request, const struct host *host)
{
	struct err err = { 0 };
	struct spec spec;
	struct plan plan;
	char origin[64];

	if (spec_build(&spec, request, &err) < 0) {
		fuzz_check_err(&err);
		FUZZ_CHECK(err.origin <= request->items->len);
		fuzz_check_text(request_origin(request, err.origin, origin, sizeof(origin)),
				sizeof(origin));
		return;
	}
	if (plan_compile(&plan, &spec, host, &err) < 0) {
		fuzz_check_err(&err);
		FUZZ_CHECK(err.origin <= request->items->len);
	} else {
		g_autoptr(GString) text = g_string_new(NULL);

		plan_describe(&plan, request, text);
		FUZZ_CHECK(text->len > 0);
		/* what --explain prints is read on a terminal */
		for (size_t i = 0; i < text->len; i++)
			FUZZ_CHECK((unsigned char)text->str[i] >= 0x20 || text->str[i] == '\n');
		plan_clear(&plan);
	}
	spec_clear(&spec);
}
