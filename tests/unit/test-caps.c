// SPDX-License-Identifier: MIT
/* Capabilities and securebits by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#include <sandbox/spec.h>

#include "request-of.h"

#define BIT(cap) (UINT64_C(1) << (cap))

static void test_masks(void **state)
{
	/* clang-format off */
	static const struct {
		const char *pairs[7];
		uint64_t add, drop;
		bool add_all, drop_all;
	} rows[] = {
		{ { NULL }, 0, 0, false, false },
		{ { "cap-add", "NET_RAW" }, BIT(CAP_NET_RAW), 0, false, false },
		{ { "cap-add", "cap_net_raw" }, BIT(CAP_NET_RAW), 0, false, false },
		{ { "cap-add", "CAP_Net_Raw,chown" }, BIT(CAP_NET_RAW) | BIT(CAP_CHOWN), 0, false, false },
		{ { "cap-drop", "sys_chroot", "cap-drop", "CAP_KILL" },
		  0, BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL), false, false },
		{ { "cap-drop", "ALL", "cap-add", "NET_BIND_SERVICE" },
		  BIT(CAP_NET_BIND_SERVICE), 0, false, true },
		{ { "cap-add", "NET_BIND_SERVICE", "cap-drop", "all" },
		  BIT(CAP_NET_BIND_SERVICE), 0, false, true },
		{ { "cap-add", "All", "cap-drop", "SYS_ADMIN" }, 0, BIT(CAP_SYS_ADMIN), true, false },
		{ { "cap-add", "ALL", "cap-drop", "ALL" }, 0, 0, false, true },
		{ { "cap-drop", "ALL", "cap-add", "ALL" }, 0, 0, true, false },
		{ { "cap-add", "KILL", "cap-drop", "KILL" }, 0, BIT(CAP_KILL), false, false },
		{ { "cap-drop", "KILL", "cap-add", "KILL" }, BIT(CAP_KILL), 0, false, false },
		{ { "cap-add", "CHECKPOINT_RESTORE" }, BIT(40), 0, false, false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct request request;
		struct spec spec;
		struct err err;

		request_of(&request, rows[i].pairs);
		assert_int_equal(spec_build(&spec, &request, &err), 0);
		assert_true(spec.cap_add == rows[i].add);
		assert_true(spec.cap_drop == rows[i].drop);
		assert_int_equal(spec.cap_add_all, rows[i].add_all);
		assert_int_equal(spec.cap_drop_all, rows[i].drop_all);
		spec_clear(&spec);
		request_of_clear(&request);
	}
}

static void test_securebits(void **state)
{
	static const struct {
		const char *pairs[5];
		unsigned bits;
	} rows[] = {
		{ { "securebits", "noroot" }, SECBIT_NOROOT },
		{ { "securebits", "noroot,noroot-locked" }, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED },
		{ { "securebits", "no_setuid_fixup,no-setuid-fixup_locked" },
		  SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED },
		{ { "securebits", "keep-caps", "securebits", "keep_caps_locked" },
		  SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED },
		{ { "securebits", "no-cap-ambient-raise,no-cap-ambient-raise-locked" },
		  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED },
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct request request;
		struct spec spec;
		struct err err;

		request_of(&request, rows[i].pairs);
		assert_int_equal(spec_build(&spec, &request, &err), 0);
		assert_true(spec.securebits_set);
		assert_int_equal(spec.securebits, rows[i].bits);
		spec_clear(&spec);
		request_of_clear(&request);
	}
}

static void test_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *option, *value, *fix;
	} rows[] = {
		{ "cap-add", "", "capabilities(7)" },
		{ "cap-add", "net_rwa", "mean net_raw?" },
		{ "cap-add", "CAP_SYS_ADMN", "mean sys_admin?" },
		{ "cap-add", "cap_", "capabilities(7)" },
		{ "cap-add", "zzzzzzzzzzzz", "capabilities(7)" },
		{ "cap-add", "12", "capabilities(7)" },
		{ "cap-add", "0x3", "capabilities(7)" },
		{ "cap-add", "cap_chown=ep", "capabilities(7)" },
		{ "cap-add", "chown,", "capabilities(7)" },
		{ "cap-add", "chown kill", "capabilities(7)" },
		{ "cap-add", " chown", "capabilities(7)" },
		{ "cap-drop", "-chown", "cap-drop" },
		{ "cap-drop", "ch\nown", "capabilities(7)" },
		{ "cap-drop", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "capabilities(7)" },
		{ "securebits", "", "noroot" },
		{ "securebits", "root", "noroot" },
		{ "securebits", "+noroot", "noroot" },
		{ "securebits", "noroot,,keep-caps", "noroot" },
		{ "securebits", "NOROOT", "noroot" },
		{ "securebits", "47", "noroot" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const pairs[] = { rows[i].option, rows[i].value, NULL };
		struct request request;
		struct spec spec;
		struct err err;

		request_of(&request, pairs);
		if (spec_build(&spec, &request, &err) == 0)
			fail_msg("--%s '%s' was accepted", rows[i].option, rows[i].value);
		assert_int_equal(err.code, ERR_VALUE);
		assert_int_equal(err.origin, 1);
		if (!strstr(err.fix, rows[i].fix) || strchr(err.what, '\n') ||
		    strchr(err.cause, '\n'))
			fail_msg("--%s '%s': %s / %s / %s", rows[i].option, rows[i].value, err.what,
				 err.cause, err.fix);
		request_of_clear(&request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_securebits),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
