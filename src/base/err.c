// SPDX-License-Identifier: MIT
/* Errors as values: see include/sandbox/err.h. Async-signal-safe enough for the child: vsnprintf
 * with %s, %d and %u into fixed buffers allocates nothing. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sandbox/err.h>

static const struct {
	const char *name;
	int exit_status;
	const char *summary;
} rows[] = {
	[ERR_NONE] = { "E-NONE", 0, "no error" },
#define ERR(id, name, exit_status, summary) [ERR_##id] = { name, exit_status, summary },
#include <sandbox/err-codes.h>
#undef ERR
};

/* Marks a text that did not fit, so that a cut path is never mistaken for a whole one. */
static void mark_cut(char *out, size_t size, int wanted)
{
	if (wanted >= 0 && (size_t)wanted >= size)
		memcpy(out + size - 4, "...", 4);
}

static int err_ret(const struct err *err)
{
	return err->num > 0 ? -err->num : -EINVAL;
}

int err_set(struct err *err, enum err_code code, int num, const char *fmt, ...)
{
	va_list ap;

	memset(err, 0, sizeof(*err));
	err->code = (uint16_t)code;
	err->num = num < 0 ? -num : num;
	va_start(ap, fmt);
	mark_cut(err->what, sizeof(err->what), vsnprintf(err->what, sizeof(err->what), fmt, ap));
	va_end(ap);
	return err_ret(err);
}

int err_cause(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mark_cut(err->cause, sizeof(err->cause),
		 vsnprintf(err->cause, sizeof(err->cause), fmt, ap));
	va_end(ap);
	return err_ret(err);
}

int err_fix(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mark_cut(err->fix, sizeof(err->fix), vsnprintf(err->fix, sizeof(err->fix), fmt, ap));
	va_end(ap);
	return err_ret(err);
}

int err_origin(struct err *err, uint32_t origin)
{
	if (err->origin == 0)
		err->origin = origin;
	return err_ret(err);
}

const char *err_code_name(enum err_code code)
{
	return code < _ERR_MAX ? rows[code].name : "E-INTERNAL";
}

int err_code_exit(enum err_code code)
{
	return code < _ERR_MAX ? rows[code].exit_status : 125;
}

const char *err_code_summary(enum err_code code)
{
	return code < _ERR_MAX ? rows[code].summary : "";
}

const char *err_quote(char *out, unsigned size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	unsigned n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool plain = *p >= 0x20 && *p != 0x7f;
		unsigned need = plain ? 1 : 4;

		if (n + need + 4 > size) {
			memcpy(out + n, "...", 3);
			n += 3;
			break;
		}
		if (plain) {
			out[n++] = (char)*p;
		} else {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[*p >> 4];
			out[n++] = hex[*p & 15];
		}
	}
	out[n] = '\0';
	return out;
}
