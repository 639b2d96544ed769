// SPDX-License-Identifier: MIT
/* Single objects of the host that only doctor asks about. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/host.h>

#include "file.h"

int host_tun_probe(void)
{
	autofd int fd = file_open("/dev/net/tun", O_RDWR);

	return fd < 0 ? -errno : 0;
}

/* Lines of /proc/key-users: " 1000:  12 11/11 9/200 150/20000"; the second pair is keys in use and
 * their quota. */
int host_keys_probe(uid_t uid, unsigned *ret_used, unsigned *ret_max)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	int r = file_read("/proc/key-users", 1u << 20, &text);

	if (r < 0)
		return r;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		uint32_t numbers[6];

		if (!file_scan(*line, numbers, G_N_ELEMENTS(numbers)) || numbers[0] != uid)
			continue;
		*ret_used = numbers[4];
		*ret_max = numbers[5];
		return 0;
	}
	return -ENOENT;
}

const char *host_runtime_fault(const char *dir, uid_t uid)
{
	struct stat st;

	if (dir[0] != '/')
		return "is not an absolute path";
	if (lstat(dir, &st) < 0)
		return errno == ENOENT ? "does not exist" : "cannot be looked at";
	if (!S_ISDIR(st.st_mode))
		return "is not a directory";
	if (st.st_uid != uid)
		return "belongs to another user";
	if ((st.st_mode & 077) != 0)
		return "is open to other users";
	return access(dir, W_OK | X_OK) < 0 ? "is not writable" : NULL;
}
