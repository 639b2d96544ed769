// SPDX-License-Identifier: MIT
/* /etc/passwd and the answer of `getent passwd`. */
#include "fuzz.h"
#include "host/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size), *home = user_home_clean(text), *again = NULL;
	struct user user = { NULL, NULL };

	if (home) {
		FUZZ_CHECK(home[0] == '/' && home[1] && !strstr(home, "//"));
		again = user_home_clean(home);
		FUZZ_CHECK(again && strcmp(home, again) == 0);
	}
	if (user_parse(text, 1000, &user) == 0) {
		FUZZ_CHECK(user.name && user_name_ok(user.name));
		fuzz_check_text(user.name, 256);
		FUZZ_CHECK(!user.home || user.home[0] == '/');
	}
	user_clear(&user);
	return 0;
}
