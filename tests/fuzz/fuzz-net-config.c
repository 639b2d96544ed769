// SPDX-License-Identifier: MIT
/* The key file that the launcher gives to helpers/sandbox-net. */
#include "fuzz.h"
#include "netconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = fuzz_text(data, size);
	char fault[256] = "";
	struct config config = { 0 };

	if (config_parse(&config, text, size, fault, sizeof(fault)) < 0) {
		FUZZ_CHECK(fault[0]);
		fuzz_check_text(fault, sizeof(fault));
	} else {
		FUZZ_CHECK(config.prefix4 <= 32 && config.prefix6 <= 128 && config.mtu <= 65535);
		for (size_t i = 0; i < config.nhost_ports; i++)
			FUZZ_CHECK(config.host_ports[i].first <= config.host_ports[i].last &&
				   config.host_ports[i].last <= 65535);
	}
	config_clear(&config);
	return 0;
}
