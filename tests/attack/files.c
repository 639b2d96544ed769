// SPDX-License-Identifier: MIT
/* Files of the host: by name, through /proc, by handle, by descriptors that were left open. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

/* Prints what each path holds. */
static int read_files(int argc, char **argv)
{
	char buf[4096];

	for (int i = 0; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_NONBLOCK);
		ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

		say(argv[i], n);
		if (n > 0)
			printf("%.*s\n", (int)n, buf);
	}
	return 0;
}

/* Adds the text to each path, which it makes if it is not there. */
static int write_files(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_WRONLY | O_CREAT | O_APPEND, 0644);

		say(argv[i], fd < 0 ? -1 : write(fd, argv[0], strlen(argv[0])));
	}
	return 0;
}

/* Opens each path for writing, and writes nothing. */
static int open_files(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		say(argv[i], open(argv[i], O_WRONLY | O_NONBLOCK));
	return 0;
}

/* Every way to the host's tree through a process: PID/root, PID/cwd, PID/fd/N, joined to PATH. */
static int by_proc(int argc, char **argv)
{
	char path[4096], buf[4096];

	for (int pid = 0; pid < 40; pid++)
		for (int way = -3; way < 40; way++) {
			static const char *const ways[] = { "exe", "cwd", "root" };
			int n = pid == 0 ? snprintf(path, sizeof(path), "/proc/self/")
					 : snprintf(path, sizeof(path), "/proc/%d/", pid);
			int fd;
			ssize_t got;

			if (way < 0)
				snprintf(path + n, sizeof(path) - n, "%s/%s", ways[-way - 1],
					 argc > 0 ? argv[0] : "");
			else
				snprintf(path + n, sizeof(path) - n, "fd/%d/%s", way,
					 argc > 0 ? argv[0] : "");
			fd = open(path, O_RDONLY | O_NONBLOCK);
			got = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
			if (got > 0)
				printf("%s: %.*s\n", path, (int)got, buf);
			if (fd >= 0)
				close(fd);
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "-planted");
			fd = argc > 1 ? open(path, O_WRONLY | O_CREAT, 0644) : -1;
			if (fd >= 0)
				close(fd);
		}
	return 0;
}

/* handle MOUNT TYPE HEX: a handle taken outside, opened here ("shocker"). */
static int by_handle(int argc, char **argv)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { 0 };
	char buf[4096];
	int mnt, fd;
	ssize_t n;

	if (argc < 3)
		return 99;
	h.handle.handle_bytes = (unsigned)strlen(argv[2]) / 2;
	h.handle.handle_type = (int)number(argv[1]);
	for (unsigned i = 0; i < h.handle.handle_bytes && i < MAX_HANDLE_SZ; i++)
		sscanf(argv[2] + 2 * i, "%2hhx", &h.handle.f_handle[i]);
	mnt = open(argv[0], O_RDONLY);
	fd = open_by_handle_at(mnt, &h.handle, O_RDONLY);
	say("open_by_handle_at", fd);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	if (n > 0)
		printf("%.*s\n", (int)n, buf);
	return 0;
}

/* Prints TYPE HEX of a file. */
static int take_handle(int argc, char **argv)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int id;

	if (argc < 1 || name_to_handle_at(AT_FDCWD, argv[0], &h.handle, &id, 0) < 0)
		return 1;
	printf("%d ", h.handle.handle_type);
	for (unsigned i = 0; i < h.handle.handle_bytes; i++)
		printf("%02x", h.handle.f_handle[i]);
	printf("\n");
	return 0;
}

/* Every descriptor that is open here, but the one that looks. */
static int descriptors(int argc, char **argv)
{
	DIR *dir = opendir("/proc/self/fd");
	char path[64], target[4096];

	(void)argc;
	(void)argv;
	for (struct dirent *d; dir && (d = readdir(dir));) {
		ssize_t n;

		if (d->d_name[0] == '.' || atoi(d->d_name) == dirfd(dir))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%.20s", d->d_name);
		n = readlink(path, target, sizeof(target));
		printf("%s %.*s\n", d->d_name, (int)(n > 0 ? n : 0), target);
	}
	return 0;
}

/* Device nodes: made, and those of the host opened. */
static int devices(int argc, char **argv)
{
	static const struct {
		const char *name;
		mode_t type;
		unsigned major, minor;
	} rows[] = {
		{ "mem", S_IFCHR, 1, 1 },    { "kmem", S_IFCHR, 1, 2 },
		{ "port", S_IFCHR, 1, 4 },   { "kmsg", S_IFCHR, 1, 11 },
		{ "tty0", S_IFCHR, 4, 0 },   { "fuse", S_IFCHR, 10, 229 },
		{ "kvm", S_IFCHR, 10, 232 }, { "sda", S_IFBLK, 8, 0 },
		{ "loop0", S_IFBLK, 7, 0 },  { "loop-control", S_IFCHR, 10, 237 },
		{ "vda", S_IFBLK, 254, 0 },
	};
	char path[4096], what[128];

	if (argc < 1)
		return 99;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", argv[0], rows[i].name);
		snprintf(what, sizeof(what), "make %s", rows[i].name);
		say(what, mknod(path, rows[i].type | 0666, makedev(rows[i].major, rows[i].minor)));
		snprintf(what, sizeof(what), "open %s", rows[i].name);
		fd = open(path, O_RDWR | O_NONBLOCK);
		say(what, fd);
		snprintf(path, sizeof(path), "/dev/%s", rows[i].name);
		snprintf(what, sizeof(what), "open /dev/%s", rows[i].name);
		say(what, open(path, O_RDONLY | O_NONBLOCK));
	}
	return 0;
}

/* Fills a file until nothing more fits, at most MIB. Prints how much that was. */
static int fill(int argc, char **argv)
{
	static char block[1 << 20];
	unsigned long most = argc > 1 ? number(argv[1]) : 0, have = 0;
	int fd = argc > 0 ? open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

	memset(block, 'x', sizeof(block));
	while (fd >= 0 && have < most && write(fd, block, sizeof(block)) == sizeof(block))
		have++;
	say("write", have < most ? -1 : 0);
	printf("mib %lu\n", have);
	return 0;
}

/* Waits for the file of PID's program to become free, holding it open, then writes to it. */
static int overwrite(int argc, char **argv)
{
	char path[64], self[64];
	int fd, out;

	if (argc < 2)
		return 99;
	snprintf(path, sizeof(path), "/proc/%lu/exe", number(argv[0]));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	say("open exe", fd);
	if (fd < 0)
		fd = open(path, O_PATH | O_CLOEXEC);
	say("pin exe", fd);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	say("chmod exe", fd < 0 ? -1 : chmod(self, 0777));
	say("truncate exe", fd < 0 ? -1 : truncate(self, 1));
	out = fd < 0 ? -1 : open(self, O_WRONLY);
	say("write exe", out < 0 ? -1 : write(out, argv[1], strlen(argv[1])));
	return 0;
}

const struct probe file_probes[] = {
	{ "read", read_files, "PATH..." },
	{ "write", write_files, "TEXT PATH..." },
	{ "open-for-writing", open_files, "PATH..." },
	{ "by-proc", by_proc, "PATH [plant]" },
	{ "by-handle", by_handle, "MOUNT TYPE HEX" },
	{ "take-handle", take_handle, "PATH" },
	{ "descriptors", descriptors, "" },
	{ "devices", devices, "DIRECTORY" },
	{ "fill", fill, "FILE MIB" },
	{ "overwrite", overwrite, "PID TEXT" },
	{ 0 },
};
