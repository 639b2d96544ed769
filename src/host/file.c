// SPDX-License-Identifier: MIT
/* Small reads. Sizes are always bounded: some of these files belong to other users' hands. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>

#include "file.h"

int file_open(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

int file_read(const char *path, size_t max, char **ret)
{
	autofd int fd = file_open(path, O_RDONLY);
	g_autofree char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return -EFBIG;
	/* files of /proc say size 0 */
	if (st.st_size > 0)
		max = (size_t)st.st_size + 1;
	text = g_malloc(max + 1);
	n = fd_read_all(fd, text, max);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	if (memchr(text, '\0', (size_t)n) != NULL)
		return -EINVAL;
	*ret = g_steal_pointer(&text);
	return 0;
}

int file_line(const char *path, char *out, size_t size)
{
	autofd int fd = file_open(path, O_RDONLY);
	ssize_t n = -1;

	out[0] = '\0';
	if (fd >= 0)
		n = read(fd, out, size - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int64_t file_number(const char *path, int64_t missing)
{
	char text[32], *end;
	gint64 value;

	if (file_line(path, text, sizeof(text)) < 0 || text[0] == '\0')
		return missing;
	errno = 0;
	value = g_ascii_strtoll(text, &end, 10);
	return errno != 0 || *end != '\0' ? missing : value;
}

bool file_scan(const char *text, uint32_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *end;
		guint64 value;

		while (*text != '\0' && !g_ascii_isdigit(*text))
			text++;
		value = g_ascii_strtoull(text, &end, 10);
		if (end == text || value > UINT32_MAX)
			return false;
		ret[i] = (uint32_t)value;
		text = end;
	}
	return true;
}
