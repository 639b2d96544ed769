// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>

#include <sandbox/log.h>

static bool quiet;

void log_quiet(bool on)
{
	quiet = on;
}

static void print(const char *kind, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void print(const char *kind, const char *fmt, va_list ap)
{
	char line[1024];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	/* one write, so that two processes' lines do not mix */
	(void)fprintf(stderr, "sandbox: %s%s\n", kind, line);
}

void log_notice(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	print("notice: ", fmt, ap);
	va_end(ap);
}

void log_always(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print("", fmt, ap);
	va_end(ap);
}
