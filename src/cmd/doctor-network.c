// SPDX-License-Identifier: MIT
/* doctor: what a network of its own needs. */
#include <errno.h>
#include <glib.h>

#include "doctor.h"

void doctor_tun(struct facts *facts, struct result *ret)
{
	int r = host_tun_probe();

	(void)facts;
	if (r == 0) {
		doctor_say(ret, MARK_OK, "/dev/net/tun can be opened");
	} else if (r == -EACCES || r == -EPERM) {
		doctor_say(ret, MARK_WARN, "/dev/net/tun cannot be opened: %s", g_strerror(-r));
		doctor_mend(ret, "sudo chmod 0666 /dev/net/tun\n"
				 "echo 'KERNEL==\"tun\", MODE=\"0666\"' | "
				 "sudo tee /etc/udev/rules.d/60-tun.rules");
	} else {
		doctor_say(ret, MARK_WARN, "/dev/net/tun cannot be opened: %s", g_strerror(-r));
		doctor_mend(
			ret,
			facts->confinement.container[0] != '\0'
				? "start the container with --device /dev/net/tun"
				: "sudo modprobe tun && echo tun | sudo tee /etc/modules-load.d/tun.conf");
	}
}
