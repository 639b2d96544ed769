// SPDX-License-Identifier: MIT
/*
 * Asking the helper for a filter, and keeping its answer. In the launcher, before clone, with the
 * caller's rights. The helper reads what others wrote (a profile) and may be slow or wrong: its time
 * is bounded, and its answer is judged like one from the cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sandbox/fd.h>
#include <sandbox/filter.h>
#include <sandbox/spawn.h>

#include "config.h"
#include "filter-cache.h"

enum { PROFILE_MAX = 1 << 20, HELPER_MS = 5000, ANSWER_MAX = 1 << 18, ANSWER_VERSION = 1 };

static const char helper_name[] = "sandbox-seccomp";

void filter_clear(struct filter *filter)
{
	g_clear_pointer(&filter->insns, g_free);
	g_clear_pointer(&filter->notes, g_strfreev);
	filter->n = 0;
}

/* ---- the profile ---- */

/* A pipe will do as well as a file. */
int filter_source(const char *path, char **ret, size_t *ret_len, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	g_autofree char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_FILE, errno, "cannot read the seccomp profile '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_FILE, EISDIR, "cannot read the seccomp profile '%s'", path);
	text = g_malloc(PROFILE_MAX);
	n = fd_read_all(fd, text, PROFILE_MAX);
	if (n < 0) {
		(void)err_set(err, ERR_FILE, (int)n, "cannot read the seccomp profile '%s'", path);
		return n == -EFBIG ? err_cause(err, "it is larger than 1 MiB") : (int)n;
	}
	*ret = g_steal_pointer(&text);
	*ret_len = (size_t)n;
	return 0;
}

/* ---- the helper ---- */

/* A file without a name, for what is larger than a pipe. */
static int memory_file(const char *text, size_t len)
{
	autofd int fd = memfd_create("sandbox-filter", MFD_CLOEXEC);
	autofd int high = -EBADF;
	int r;

	if (fd < 0)
		return -errno;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		return -errno;
	r = fd_write_all(high, text, len);
	if (r == 0 && lseek(high, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : fd_steal(&high);
}

static int no_helper(int num, struct err *err)
{
	(void)err_set(err, ERR_SECCOMP, num, "the system call filter cannot be made");
	(void)err_cause(err, "the helper %s %s", helper_name,
			num == ENOENT ? "is not installed" : "cannot be started");
	return err_fix(err,
		       "install it beside sandbox (meson install), or leave the --seccomp options "
		       "out: the default filter needs no helper");
}

/* "cause TEXT" and its like: the text is shown as it is, but for what err_quote() takes out. */
static void take_fault(char *said, unsigned *ret_at, struct err *err)
{
	char *rest = said, quoted[sizeof(err->what)];

	(void)err_set(err, ERR_SECCOMP, EINVAL, "the system call filter cannot be made");
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (g_str_has_prefix(line, "at "))
			*ret_at = (unsigned)g_ascii_strtoull(line + 3, NULL, 10);
		else if (g_str_has_prefix(line, "what ") && line[5])
			(void)err_set(err, ERR_SECCOMP, EINVAL, "%s",
				      err_quote(quoted, sizeof(quoted), line + 5));
		else if (g_str_has_prefix(line, "cause "))
			(void)err_cause(err, "%s", err_quote(quoted, sizeof(quoted), line + 6));
		else if (g_str_has_prefix(line, "fix "))
			(void)err_fix(err, "%s", err_quote(quoted, sizeof(quoted), line + 4));
	}
	if (!err->cause[0])
		(void)err_cause(err, "the helper %s gave no reason", helper_name);
}

/* *ret: all it wrote to its standard output. */
static int ask(char **argv, const char *source, size_t len, GBytes **ret, unsigned *ret_at,
	       struct err *err)
{
	autofd int in = memory_file(source ? source : "", len), out = memory_file("", 0);
	struct spawn spawn;
	char said[2048] = "";
	char *text;
	ssize_t n;
	int r;

	if (in < 0 || out < 0)
		return err_set(err, ERR_NOMEM, in < 0 ? in : out, "cannot make a file in memory");
	r = spawn_start_io(&spawn, argv, in, out);
	if (r < 0)
		return no_helper(-r, err);
	r = spawn_finish(&spawn, said, sizeof(said), HELPER_MS);
	if (r == 1) {
		take_fault(said, ret_at, err);
		return -EINVAL;
	}
	if (r != 0) {
		(void)err_set(err, ERR_SECCOMP, r < 0 ? r : EIO,
			      "the system call filter cannot be made");
		return err_cause(err,
				 r == -ETIMEDOUT ? "the helper %s took more than 5 seconds"
						 : "the helper %s ended without an answer",
				 helper_name);
	}
	text = g_malloc(ANSWER_MAX);
	n = lseek(out, 0, SEEK_SET) < 0 ? -errno : fd_read_all(out, text, ANSWER_MAX);
	if (n < 0) {
		g_free(text);
		return err_set(err, ERR_SECCOMP, (int)n,
			       "the answer of the helper %s cannot be read", helper_name);
	}
	*ret = g_bytes_new_take(text, (gsize)n);
	return 0;
}

/* ---- the answer: protocol.h of the helper ---- */

/* The library it was made with is still the same file: "library DEV INODE SIZE MTIME PATH". */
static bool same_library(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 6);
	g_autofree char *now = NULL;
	struct stat st;

	if (g_strv_length(words) != 6 || stat(words[5], &st) < 0)
		return false;
	now = g_strdup_printf("library %ju %ju %jd %jd %s", (uintmax_t)st.st_dev,
			      (uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtime,
			      words[5]);
	return strcmp(now, line) == 0;
}

/* "sandbox-seccomp VERSION COUNT FLAGS" */
static bool take_first(struct filter *f, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	guint64 version, n, flags;

	if (g_strv_length(words) != 4 || strcmp(words[0], helper_name) != 0 ||
	    !g_ascii_string_to_unsigned(words[1], 10, ANSWER_VERSION, ANSWER_VERSION, &version,
					NULL) ||
	    !g_ascii_string_to_unsigned(words[2], 10, 1, BPF_MAXINSNS, &n, NULL) ||
	    !g_ascii_string_to_unsigned(words[3], 10, 0, UINT32_MAX, &flags, NULL) ||
	    (flags & ~(guint64)SECCOMP_FILTER_FLAG_LOG))
		return false;
	f->n = (unsigned)n;
	f->flags = (unsigned)flags;
	return true;
}

static bool take_head(struct filter *f, const char *head)
{
	g_auto(GStrv) lines = g_strsplit(head, "\n", -1);
	g_autoptr(GPtrArray) notes = g_ptr_array_new();
	char quoted[512];
	bool library = false;

	if (!lines[0] || !take_first(f, lines[0]))
		return false;
	for (char **l = lines + 1; *l; l++) {
		library |= same_library(*l);
		if (g_str_has_prefix(*l, "note "))
			g_ptr_array_add(notes, g_strdup(err_quote(quoted, sizeof(quoted), *l + 5)));
	}
	g_ptr_array_add(notes, NULL);
	f->notes = (char **)g_ptr_array_steal(notes, NULL);
	return library;
}

static bool take_answer(struct filter *ret, GBytes *answer)
{
	gsize len;
	const char *text = g_bytes_get_data(answer, &len);
	const char *end = text ? memmem(text, len, "\n\n", 2) : NULL;
	g_autofree char *head = end ? g_strndup(text, (gsize)(end - text)) : NULL;
	struct filter f = { 0 };

	if (head && take_head(&f, head) && f.n > 0 && f.n <= BPF_MAXINSNS &&
	    len - (gsize)(end + 2 - text) == f.n * sizeof(struct sock_filter)) {
		f.insns = g_memdup2(end + 2, f.n * sizeof(struct sock_filter));
		f.kills = filter_kills(f.insns, f.n);
		*ret = f;
		return true;
	}
	filter_clear(&f);
	return false;
}

/* ---- the key ---- */

static void add(GChecksum *sum, const void *data, size_t len)
{
	uint64_t size = len; /* so that no two lists of words run together to the same bytes */

	g_checksum_update(sum, (const guchar *)&size, sizeof(size));
	g_checksum_update(sum, data, (gssize)len);
}

static char *key_of(char **argv, const char *source, size_t len)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint32_t arch = filter_native_arch();
	struct stat st = { 0 };

	if (stat(argv[0], &st) < 0)
		return NULL;
	add(sum, SANDBOX_VERSION, strlen(SANDBOX_VERSION));
	add(sum, &arch, sizeof(arch));
	add(sum, &st.st_dev, sizeof(st.st_dev));
	add(sum, &st.st_ino, sizeof(st.st_ino));
	add(sum, &st.st_size, sizeof(st.st_size));
	add(sum, &st.st_mtim, sizeof(st.st_mtim));
	for (char **word = argv; *word; word++)
		add(sum, *word, strlen(*word));
	add(sum, source ? source : "", len);
	return g_strdup(g_checksum_get_string(sum));
}

static bool from_cache(struct filter *ret, int dir, const char *key)
{
	g_autoptr(GBytes) answer = dir >= 0 && key ? cache_read(dir, key) : NULL;

	if (!answer || !take_answer(ret, answer))
		return false;
	ret->cached = true;
	return true;
}

int filter_make(struct filter *ret, char **argv, const char *source, size_t len, const char *cache,
		unsigned *ret_at, struct err *err)
{
	g_autofree char *helper = argv[0] = helper_find(helper_name);
	g_autofree char *key = helper ? key_of(argv, source, len) : NULL;
	autofd int dir = cache ? cache_open(cache) : -ENOENT;
	g_autoptr(GBytes) answer = NULL;
	int r;

	*ret_at = 0;
	if (from_cache(ret, dir, key))
		return 0;
	r = helper ? ask(argv, source, len, &answer, ret_at, err) : no_helper(ENOENT, err);
	if (r < 0)
		return r;
	if (!take_answer(ret, answer)) {
		(void)err_set(err, ERR_SECCOMP, EBADMSG, "the system call filter cannot be made");
		return err_cause(
			err, "the answer of the helper %s makes no sense: is it of this version?",
			helper_name);
	}
	if (dir >= 0 && key)
		cache_write(dir, key, answer);
	return 0;
}

int filter_ask(char **argv, const char *source, size_t len, char **ret_text, struct err *err)
{
	g_autofree char *helper = argv[0] = helper_find(helper_name);
	g_autoptr(GBytes) answer = NULL;
	unsigned at = 0;
	int r = helper ? ask(argv, source, len, &answer, &at, err) : no_helper(ENOENT, err);

	if (r == 0)
		*ret_text = g_strndup(g_bytes_get_data(answer, NULL), g_bytes_get_size(answer));
	return r;
}
