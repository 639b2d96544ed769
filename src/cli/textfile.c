// SPDX-License-Identifier: MIT
/* Reading what the user wrote into files, line by line, with the faults of editors and of other
 * systems taken care of once: byte order marks, CRLF, NUL bytes, directories, endless devices. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>

#include <sandbox/fd.h>

#include "textfile.h"

static int text_fail(struct err *err, const struct text_kind *kind, int num, const char *file)
{
	char quoted[256];

	return err_set(err, kind->code, num, "cannot read %s '%s'", kind->what,
		       err_quote(quoted, sizeof(quoted), file));
}

static int text_open(int *ret_fd, struct stat *ret_st, const char *file,
		     const struct text_kind *kind, struct err *err)
{
	/* O_NONBLOCK: a FIFO in a place where only files belong must not hang the run. */
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (kind->regular ? O_NONBLOCK : 0);
	autofd int fd = open(file, flags);

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return text_fail(err, kind, errno, file);
	if (S_ISDIR(ret_st->st_mode))
		return text_fail(err, kind, EISDIR, file);
	if (kind->regular && !S_ISREG(ret_st->st_mode)) {
		text_fail(err, kind, EINVAL, file);
		return err_cause(err, "it is not a regular file");
	}
	*ret_fd = fd_steal(&fd);
	return 0;
}

static int text_check_nul(const char *text, size_t len, const char *file,
			  const struct text_kind *kind, struct err *err)
{
	const char *nul = memchr(text, '\0', len);
	unsigned line = 1;

	if (!nul)
		return 0;
	for (const char *p = text; p < nul; p++)
		line += *p == '\n';
	text_fail(err, kind, EINVAL, file);
	err_cause(err, "line %u holds a NUL byte: it is no text, or not in UTF-8", line);
	return err_fix(err, "save it as plain UTF-8 text");
}

int text_read(char **ret, struct stat *ret_st, const char *file, const struct text_kind *kind,
	      struct err *err)
{
	g_autofree char *text = NULL;
	autofd int fd = -EBADF;
	struct stat st = { 0 };
	size_t size;
	ssize_t n;
	int r;

	r = text_open(&fd, &st, file, kind, err);
	if (r < 0)
		return r;
	/* Files in /proc have the size 0 and contents. */
	size = st.st_size > 0 && st.st_size < TEXT_MAX ? (size_t)st.st_size : TEXT_MAX;
	text = g_malloc(size + 1);
	n = fd_read_all(fd, text, size);
	if (n == -EFBIG) {
		text_fail(err, kind, EFBIG, file);
		return err_cause(err, size < TEXT_MAX ? "it grew while it was read"
						      : "it is larger than 1 MiB");
	}
	if (n < 0)
		return text_fail(err, kind, (int)-n, file);
	text[n] = '\0';
	r = text_check_nul(text, (size_t)n, file, kind, err);
	if (r < 0)
		return r;
	*ret = g_steal_pointer(&text);
	if (ret_st)
		*ret_st = st;
	return 0;
}

char *text_line(char **pos, unsigned *line_no)
{
	char *line = *pos, *end;

	if (!line)
		return NULL;
	if (*line_no == 0 && g_str_has_prefix(line, "\xef\xbb\xbf"))
		line += 3;
	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	*pos = *end ? end + 1 : end;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	(*line_no)++;
	return line;
}

int value_check_length(const char *value, const char *where, struct err *err)
{
	char quoted[256];

	if (strlen(value) <= VALUE_MAX)
		return 0;
	err_set(err, ERR_VALUE, E2BIG, "the value of %s is too long",
		err_quote(quoted, sizeof(quoted), where));
	err_cause(err, "one string of a command line or environment holds at most %d bytes",
		  VALUE_MAX);
	return err_fix(err, "put long contents into a file and show it with --volume");
}

static int env_line_fail(struct err *err, const char *where, const char *cause, const char *fix)
{
	char quoted[256];

	err_set(err, ERR_FILE, 0, "cannot understand %s of an environment file",
		err_quote(quoted, sizeof(quoted), where));
	err_cause(err, "%s", cause);
	return err_fix(err, "%s", fix);
}

/* The value is everything behind '=', as it stands: no quotes, no expansion, like docker's. */
static int env_line_check(const char *line, const char *where, struct err *err)
{
	size_t name = strcspn(line, "= \t");

	if (name == 6 && strncmp(line, "export", 6) == 0 && line[name] != '=' && line[name])
		return env_line_fail(err, where, "it is a line of a shell script",
				     "leave out the word export, and quotes too");
	if (name == 0 || (line[name] && line[name] != '='))
		return env_line_fail(err, where, "the name is empty or has a blank in it",
				     "write NAME=VALUE, or NAME to pass on the caller's");
	return value_check_length(line, where, err);
}

static void env_line_add(GArray *items, const char *line, const char *file, unsigned line_no)
{
	/* clang-format off */
	struct occurrence item = {
		.opt = option_row(OPT_ENV), .value = g_strdup(line),
		.origin = ORIGIN_FILE, .file = g_strdup(file), .nth = line_no,
	};
	/* clang-format on */

	g_array_append_val(items, item);
}

int env_file_expand(GArray *items, const char *file, struct err *err)
{
	static const struct text_kind kind = { ERR_FILE, "the environment file", false };
	g_autofree char *text = NULL;
	unsigned line_no = 0;
	char *pos, *line;
	int r;

	r = text_read(&text, NULL, file, &kind, err);
	if (r < 0)
		return r;
	for (pos = text; (line = text_line(&pos, &line_no));) {
		g_autofree char *where = g_strdup_printf("%s:%u", file, line_no);

		line = g_strchug(line);
		if (!strchr(line, '='))
			g_strchomp(line);
		if (*line == '\0' || *line == '#')
			continue;
		r = env_line_check(line, where, err);
		if (r < 0)
			return r;
		env_line_add(items, line, file, line_no);
	}
	return 0;
}
