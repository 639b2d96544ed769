// SPDX-License-Identifier: MIT
/* The pure parts of host/: passwd rows, homes, kernel versions, and why namespaces are refused. */
#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sandbox/host.h>
#include <sandbox/sys.h>

#include "host/file.h"
#include "host/user.h"

#define ALL_FLAGS ((uint64_t)(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET))

static void test_home(void **state)
{
	/* clang-format off */
	static const struct { const char *path, *want; } rows[] = {
		{ NULL, NULL },              { "", NULL },
		{ "/", NULL },               { "//", NULL },
		{ "home/a", NULL },          { "/home/a", "/home/a" },
		{ "/home/a/", "/home/a" },   { "//home///a//", "/home/a" },
		{ "/home/../etc", NULL },    { "/home/./a", NULL },
		{ "/home/a\n", NULL },       { "/home/\033[m", NULL },
		{ "/home/a b", "/home/a b" }, { "/home/..a", "/home/..a" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = user_home_clean(rows[i].path);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("'%s': got '%s'", rows[i].path, got);
	}
}

static void test_passwd(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/bash\n"
				   "broken:x:1000:1000\n"
				   "trap:x:1:1000:1000:/home/trap:/bin/sh:more\n"
				   "gid:x:7:1000::/home/gid:/bin/sh\n"
				   "alice:x:1000:1000:Alice,,,:/home/alice/:/bin/sh\n"
				   "second:x:1000:1000::/home/second:/bin/sh\n"
				   "homeless:x:1001:1001::/:/bin/sh";
	struct user user = { NULL, NULL };

	(void)state;
	assert_int_equal(user_parse(text, 1000, &user), 0);
	assert_string_equal(user.name, "alice");
	assert_string_equal(user.home, "/home/alice");
	user_clear(&user);
	assert_int_equal(user_parse(text, 1001, &user), 0);
	assert_string_equal(user.name, "homeless");
	assert_null(user.home);
	user_clear(&user);
	assert_int_equal(user_parse(text, 1, &user), -ENOENT);
	assert_int_equal(user_parse("", 0, &user), -ENOENT);
}

static void test_kernel_version(void **state)
{
	(void)state;
	assert_int_equal(host_kernel_version("6.1.0-25-amd64"), 6001);
	assert_int_equal(host_kernel_version("5.12"), 5012);
	assert_int_equal(host_kernel_version("10.0.1"), 10000);
	assert_int_equal(host_kernel_version("odd"), 0);
	assert_int_equal(host_kernel_version(""), 0);
}

/* A host with nothing in the way; each case changes what it is about. */
static struct host_confinement open_host(void)
{
	/* clang-format off */
	struct host_confinement facts = {
		.userns_built_in = true, .seccomp = 0, .unprivileged_clone = -1,
		.apparmor_restrict = -1, .ns_built_in = ~0ull, .exe = "/usr/bin/sandbox",
	};
	/* clang-format on */

	for (size_t i = 0; i < HOST_NS_MAX; i++)
		facts.ns_max[i] = 10000;
	return facts;
}

static void expect(const struct host_confinement *facts, int num, enum err_code code,
		   const char *cause, const char *fix)
{
	struct err err = { 0 };

	assert_int_equal(host_explain_userns_from(facts, num, ALL_FLAGS, &err), -num);
	assert_int_equal(err.num, num);
	if (err.code != code || strstr(err.cause, cause) == NULL || strstr(err.fix, fix) == NULL)
		fail_msg("got %s, cause '%s', fix '%s'", err_code_name(err.code), err.cause,
			 err.fix);
	assert_true(err.what[0] != '\0');
}

static void test_sysctl(void **state)
{
	struct host_confinement facts = open_host();

	(void)state;
	facts.unprivileged_clone = 0;
	expect(&facts, EPERM, ERR_USERNS_SYSCTL, "unprivileged_userns_clone",
	       "sysctl -p /etc/sysctl.d/60-sandbox.conf");
	facts.unprivileged_clone = 1;
	facts.seccomp = 2;
	expect(&facts, EPERM, ERR_USERNS_DENIED, "seccomp", "");
}

static void test_apparmor(void **state)
{
	struct host_confinement facts = open_host();

	(void)state;
	facts.apparmor_restrict = 1;
	g_strlcpy(facts.apparmor, "unconfined", sizeof(facts.apparmor));
	expect(&facts, EACCES, ERR_USERNS_APPARMOR, "apparmor_restrict_unprivileged_userns",
	       "profile sandbox /usr/bin/sandbox flags=(unconfined)");
	/* the child, after the namespace was made and its capabilities taken */
	g_strlcpy(facts.apparmor, "unprivileged_userns (enforce)", sizeof(facts.apparmor));
	expect(&facts, EPERM, ERR_USERNS_APPARMOR, "/usr/bin/sandbox", "apparmor_parser -r");
	/* the one that was installed with it */
	g_strlcpy(facts.profile, "/usr/share/sandbox/apparmor/sandbox", sizeof(facts.profile));
	expect(&facts, EPERM, ERR_USERNS_APPARMOR, "/usr/bin/sandbox",
	       "sudo cp /usr/share/sandbox/apparmor/sandbox /etc/apparmor.d/sandbox");
	facts.profile[0] = '\0';
	/* a path that cannot stand in a profile as it is */
	g_strlcpy(facts.exe, "/home/a b/{x}/sandbox", sizeof(facts.exe));
	expect(&facts, EPERM, ERR_USERNS_APPARMOR, "", "/usr/local/bin/sandbox");
	/* its own profile allows it, so something else is the reason */
	g_strlcpy(facts.apparmor, "sandbox (unconfined)", sizeof(facts.apparmor));
	facts.seccomp = 2;
	expect(&facts, EPERM, ERR_USERNS_DENIED, "seccomp", "");
	/* another profile confines us */
	facts.seccomp = 0;
	g_strlcpy(facts.apparmor, "snap.x (enforce)", sizeof(facts.apparmor));
	expect(&facts, EACCES, ERR_USERNS_APPARMOR, "snap.x", "userns,");
}

/* With ranges newuidmap writes the map, and the first mount is what fails. */
static void test_stripped(void **state)
{
	struct host_confinement facts = open_host();
	struct err err = { .code = ERR_MOUNT, .num = EACCES, .stage = 6, .origin = 3, .what = "x" };

	(void)state;
	assert_false(host_explain_stripped_from(&facts, &err));
	assert_int_equal(err.code, ERR_MOUNT);
	facts.apparmor_restrict = 1;
	g_strlcpy(facts.apparmor, "unconfined", sizeof(facts.apparmor));
	assert_true(host_explain_stripped_from(&facts, &err));
	assert_int_equal(err.code, ERR_USERNS_APPARMOR);
	assert_int_equal(err.stage, 6);
	assert_int_equal(err.origin, 3);
	assert_string_equal(err.what, "x");
	assert_non_null(strstr(err.fix, "apparmor_parser"));
	err.num = EINVAL;
	assert_false(host_explain_stripped_from(&facts, &err));
	/* root keeps what it has */
	err.num = EPERM;
	facts.sys_admin = true;
	assert_false(host_explain_stripped_from(&facts, &err));
}

static void test_scan(void **state)
{
	uint32_t got[3] = { 7, 7, 7 };

	(void)state;
	assert_true(file_scan(" 1000:  12 11/4294967295", got, 3));
	assert_int_equal(got[0], 1000);
	assert_int_equal(got[2], 11);
	assert_false(file_scan("1 2", got, 3));
	assert_false(file_scan("1 4294967296", got, 2));
	assert_false(file_scan("99999999999999999999999", got, 1));
	assert_false(file_scan("", got, 1));
}

static void test_refusals(void **state)
{
	struct host_confinement facts = open_host();

	(void)state;
	facts.in_chroot = true;
	expect(&facts, EPERM, ERR_USERNS_CHROOT, "chroot", "pivot_root");
	facts.id_unmapped = true;
	expect(&facts, EPERM, ERR_USERNS_DENIED, "not mapped", "map uid");
	facts = open_host();
	expect(&facts, EPERM, ERR_USERNS_CHROOT, "most likely", "");
	facts.seccomp = 2;
	g_strlcpy(facts.container, "docker", sizeof(facts.container));
	expect(&facts, EPERM, ERR_USERNS_DENIED, "docker", "seccomp=unconfined");
	g_strlcpy(facts.container, "sandbox", sizeof(facts.container));
	expect(&facts, EPERM, ERR_USERNS_DENIED, "sandbox", "--nested");
	expect(&facts, ENOSYS, ERR_KERNEL, "seccomp", "--nested");
	facts = open_host();
	g_strlcpy(facts.selinux, "user_u:user_r:user_t:s0", sizeof(facts.selinux));
	expect(&facts, EACCES, ERR_USERNS_DENIED, "SELinux", "ausearch");
	facts = open_host();
	facts.proc_missing = true;
	expect(&facts, EPERM, ERR_USERNS_DENIED, "/proc is not mounted", "mount /proc");
}

static void test_quota(void **state)
{
	struct host_confinement facts = open_host();

	(void)state;
	facts.ns_max[0] = 0;
	expect(&facts, ENOSPC, ERR_USERNS_QUOTA, "user.max_user_namespaces is 0",
	       "user.max_user_namespaces=16384");
	facts.in_userns = true;
	expect(&facts, ENOSPC, ERR_USERNS_QUOTA, "itself inside", "--nested");
	facts.ns_max[0] = INT32_MAX; /* its own is no bound: the outer one cannot be seen */
	expect(&facts, ENOSPC, ERR_USERNS_QUOTA, "around this process", "--disable-userns");
	facts = open_host();
	facts.ns_max[3] = 128;
	expect(&facts, ENOSPC, ERR_USERNS_QUOTA, "user.max_net_namespaces=128",
	       "user.max_net_namespaces=16384");
	/* a kind that was not asked for cannot be the reason */
	facts.ns_max[7] = 0;
	expect(&facts, EUSERS, ERR_USERNS_QUOTA, "user.max_net_namespaces=128", "");
	for (size_t i = 0; i < HOST_NS_MAX; i++)
		facts.ns_max[i] = -1;
	expect(&facts, ENOSPC, ERR_USERNS_QUOTA, "", "");
}

static void test_other_errnos(void **state)
{
	struct host_confinement facts = open_host();

	(void)state;
	facts.ns_built_in = ~(uint64_t)CLONE_NEWUSER;
	expect(&facts, EINVAL, ERR_KERNEL, "without user namespaces", "CONFIG_USER_NS");
	facts.ns_built_in = ~(uint64_t)CLONE_NEWPID;
	expect(&facts, EINVAL, ERR_KERNEL, "without pid namespaces", "--share pid");
	facts = open_host();
	expect(&facts, EINVAL, ERR_NAMESPACE, "does not accept", "");
	expect(&facts, ENOSYS, ERR_KERNEL, "5.12", "");
	expect(&facts, ENOMEM, ERR_NOMEM, "out of memory", "");
	expect(&facts, EAGAIN, ERR_NOMEM, "RLIMIT_NPROC", "ulimit");
	expect(&facts, EIO, ERR_NAMESPACE, "", "");
}

static void test_profile(void **state)
{
	g_autofree char *good = host_apparmor_profile("/opt/x-1.0/bin/sandbox");
	g_autofree char *spaces = host_apparmor_profile("/opt/a b/sandbox");
	g_autofree char *braces = host_apparmor_profile("/opt/{a,b}/sandbox");
	g_autofree char *none = host_apparmor_profile("");

	(void)state;
	assert_non_null(strstr(good, "profile sandbox /opt/x-1.0/bin/sandbox flags=(unconfined) {\n"
				     "  userns,\n"));
	assert_null(spaces);
	assert_null(braces);
	assert_null(none);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_passwd),
		cmocka_unit_test(test_kernel_version),
		cmocka_unit_test(test_sysctl),
		cmocka_unit_test(test_apparmor),
		cmocka_unit_test(test_stripped),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_other_errnos),
		cmocka_unit_test(test_profile),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
