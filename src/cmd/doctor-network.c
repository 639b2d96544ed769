// SPDX-License-Identifier: MIT
/* doctor: what a network of its own needs. */
#include <glib.h>

#include "doctor.h"

/* No fault where it is missing: a veth pair with a packet socket does the same as fast. */
void doctor_tun(struct facts *facts, struct result *ret)
{
	int r = host_tun_probe();

	(void)facts;
	if (r == 0)
		doctor_say(ret, MARK_OK, "/dev/net/tun can be opened");
	else
		doctor_say(ret, MARK_INFO, "no /dev/net/tun (%s): a veth pair does the same",
			   g_strerror(-r));
}
