// SPDX-License-Identifier: MIT
/*
 * Strict readers of the numbers people write: see include/sandbox/value.h. strtoul and its kin skip
 * spaces, take signs and wrap negative numbers round, and atoi has no errors at all; "-u 1x" must
 * not become user 1, nor "-u -1" the id that means "leave it as it is".
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include <sandbox/value.h>

#include "ascii.h"

#define ID_MAX_VALID (UINT32_MAX - 1)
#define TIME_MAX_MS  (2147483647ull * 1000)
#define WORD_SIZE    64

/* The form is judged before the range: "99999999999999999999x" is no number at all. */
static int digits(const char *text, size_t len, unsigned base, uint64_t *ret)
{
	bool overflow = false;
	uint64_t n = 0;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] >= (char)('0' + base))
			return -EINVAL;
		overflow |= __builtin_mul_overflow(n, base, &n);
		overflow |= __builtin_add_overflow(n, (unsigned)(text[i] - '0'), &n);
	}
	if (overflow)
		return -ERANGE;
	*ret = n;
	return 0;
}

int value_u64(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	int r = digits(text, len, 10, &n);

	if (r < 0)
		return r;
	if (n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

int value_int(const char *text, size_t len, int min, int max, int *ret)
{
	bool negative = len > 0 && text[0] == '-';
	uint64_t n = 0;
	int64_t value;
	int r;

	r = value_u64(text + negative, len - negative, INT_MAX, &n);
	if (r < 0)
		return r;
	value = negative ? -(int64_t)n : (int64_t)n;
	if (value < min || value > max)
		return -ERANGE;
	*ret = (int)value;
	return 0;
}

int value_mode(const char *text, size_t len, unsigned *ret)
{
	uint64_t n = 0;
	int r = digits(text, len, 8, &n);

	if (r < 0)
		return r;
	if (n > 07777)
		return -ERANGE;
	*ret = (unsigned)n;
	return 0;
}

int value_id(const char *text, size_t len, uint32_t *ret)
{
	uint64_t n = 0;
	int r = value_u64(text, len, ID_MAX_VALID, &n);

	if (r < 0)
		return r;
	*ret = (uint32_t)n;
	return 0;
}

static size_t digit_prefix(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_digit(text[n]))
		n++;
	return n;
}

/* The power of 1024 a unit stands for, or -1. */
static int size_power(const char *unit, size_t len)
{
	static const char letters[] = "bkmgtpe";
	const char *letter;

	if (len == 0)
		return 0;
	letter = memchr(letters, unit[0] | 0x20, sizeof(letters) - 1);
	if (!letter || !is_alpha(unit[0]))
		return -1;
	if (len == 1)
		return (int)(letter - letters);
	if (letter == letters)
		return -1;
	if ((len == 2 && strncasecmp(unit + 1, "b", 1) == 0) ||
	    (len == 3 && strncasecmp(unit + 1, "ib", 2) == 0))
		return (int)(letter - letters);
	return -1;
}

static int percentage(uint64_t n, unsigned *ret_permille)
{
	if (n > 100)
		return -ERANGE;
	*ret_permille = (unsigned)n * 10;
	return 0;
}

int value_size(const char *text, size_t len, uint64_t *ret, unsigned *ret_permille)
{
	size_t split = digit_prefix(text, len);
	bool percent = ret_permille && len == split + 1 && text[split] == '%';
	int power = percent ? 0 : size_power(text + split, len - split);
	uint64_t n = 0;
	int r;

	if (power < 0)
		return -EINVAL;
	r = value_u64(text, split, INT64_MAX, &n);
	if (r < 0)
		return r;
	if (percent) {
		r = percentage(n, ret_permille);
		if (r < 0)
			return r;
		*ret = 0;
		return 0;
	}
	if (n > (uint64_t)INT64_MAX >> (10 * power))
		return -ERANGE;
	if (ret_permille)
		*ret_permille = 0;
	*ret = n << (10 * power);
	return 0;
}

/* From long to short: each may follow only a longer one, so "30m1h" and "1h1h" are refused. */
/* clang-format off */
static const struct {
	const char *name;
	uint64_t ms;
} time_units[] = {
	{ "d",  86400000 },
	{ "h",   3600000 },
	{ "m",     60000 },
	{ "s",      1000 },
	{ "ms",        1 },
};
/* clang-format on */

#define TIME_UNITS (sizeof(time_units) / sizeof(time_units[0]))

static size_t time_unit(const char *name, size_t len, size_t from)
{
	while (from < TIME_UNITS && (strlen(time_units[from].name) != len ||
				     memcmp(time_units[from].name, name, len) != 0))
		from++;
	return from;
}

/* One number and its unit from the front of text[len]; returns the bytes used or an error. */
static int time_part(const char *text, size_t len, size_t *unit, uint64_t *sum)
{
	size_t split = digit_prefix(text, len), end = split;
	uint64_t n = 0;
	int r;

	while (end < len && is_alpha(text[end]))
		end++;
	*unit = time_unit(text + split, end - split, *unit);
	if (*unit == TIME_UNITS)
		return -EINVAL;
	r = value_u64(text, split, TIME_MAX_MS, &n);
	if (r < 0)
		return r;
	if (n > TIME_MAX_MS / time_units[*unit].ms || *sum + n * time_units[*unit].ms > TIME_MAX_MS)
		return -ERANGE;
	*sum += n * time_units[*unit].ms;
	++*unit;
	return (int)end;
}

int value_time(const char *text, size_t len, uint64_t *ret)
{
	size_t unit = 0;
	uint64_t sum = 0;
	int used;

	if (len > WORD_SIZE)
		return -EINVAL;
	if (len > 0 && digit_prefix(text, len) == len) {
		int r = value_u64(text, len, TIME_MAX_MS / 1000, &sum);

		if (r < 0)
			return r;
		*ret = sum * 1000;
		return 0;
	}
	do {
		used = time_part(text, len, &unit, &sum);
		if (used < 0)
			return used;
		text += used;
		len -= (size_t)used;
	} while (len > 0);
	*ret = sum;
	return 0;
}

enum { CPUS_MIN = 10, CPUS_MAX = 16384000 };

/* "12.345" in thousandths; digits beyond the third must be zero. */
static int thousandths(const char *text, size_t len, uint64_t *ret)
{
	size_t whole = digit_prefix(text, len), part = 0;
	uint64_t n, scale = 100;
	int r = value_u64(text, whole, CPUS_MAX, &n);

	if (r < 0)
		return r;
	n *= 1000;
	if (whole < len) {
		part = digit_prefix(text + whole + 1, len - whole - 1);
		if (text[whole] != '.' || part == 0 || whole + 1 + part != len)
			return -EINVAL;
	}
	for (size_t i = 0; i < part; i++, scale /= 10) {
		unsigned digit = (unsigned)(text[whole + 1 + i] - '0');

		if (scale == 0 && digit != 0)
			return -EINVAL;
		n += digit * scale;
	}
	*ret = n;
	return 0;
}

int value_cpus(const char *text, size_t len, uint32_t *ret)
{
	bool percent = len > 0 && text[len - 1] == '%';
	uint64_t n;
	int r = thousandths(text, len - percent, &n);

	if (r < 0)
		return r;
	if (percent && n % 100 != 0)
		return -EINVAL;
	n = percent ? n / 100 : n;
	if (n < CPUS_MIN || n > CPUS_MAX)
		return -ERANGE;
	*ret = (uint32_t)n;
	return 0;
}

static int cpu_range(const char *text, size_t len, uint64_t *ret, unsigned bits)
{
	size_t split = digit_prefix(text, len);
	uint64_t first = 0, last;
	int r = value_u64(text, split, bits - 1, &first);

	last = first;
	if (r == 0 && split < len)
		r = text[split] == '-'
			    ? value_u64(text + split + 1, len - split - 1, bits - 1, &last)
			    : -EINVAL;
	if (r < 0)
		return r;
	if (last < first)
		return -EINVAL;
	for (; first <= last; first++)
		ret[first / 64] |= UINT64_C(1) << first % 64;
	return 0;
}

int value_cpuset(const char *text, size_t len, uint64_t *ret, unsigned bits)
{
	memset(ret, 0, bits / 8);
	for (;;) {
		const char *comma = memchr(text, ',', len);
		size_t one = comma ? (size_t)(comma - text) : len;
		int r = cpu_range(text, one, ret, bits);

		if (r < 0 || !comma)
			return r;
		len -= one + 1;
		text = comma + 1;
	}
}

/* clang-format off */
static const struct word signal_words[] = {
	{ "HUP",    SIGHUP    }, { "INT",    SIGINT    }, { "QUIT",   SIGQUIT   },
	{ "ILL",    SIGILL    }, { "TRAP",   SIGTRAP   }, { "ABRT",   SIGABRT   },
	{ "BUS",    SIGBUS    }, { "FPE",    SIGFPE    }, { "KILL",   SIGKILL   },
	{ "USR1",   SIGUSR1   }, { "SEGV",   SIGSEGV   }, { "USR2",   SIGUSR2   },
	{ "PIPE",   SIGPIPE   }, { "ALRM",   SIGALRM   }, { "TERM",   SIGTERM   },
	{ "STKFLT", SIGSTKFLT }, { "CHLD",   SIGCHLD   }, { "CONT",   SIGCONT   },
	{ "STOP",   SIGSTOP   }, { "TSTP",   SIGTSTP   }, { "TTIN",   SIGTTIN   },
	{ "TTOU",   SIGTTOU   }, { "URG",    SIGURG    }, { "XCPU",   SIGXCPU   },
	{ "XFSZ",   SIGXFSZ   }, { "VTALRM", SIGVTALRM }, { "PROF",   SIGPROF   },
	{ "WINCH",  SIGWINCH  }, { "IO",     SIGIO     }, { "POLL",   SIGIO     },
	{ "PWR",    SIGPWR    }, { "SYS",    SIGSYS    }, { NULL,     0         },
};
/* clang-format on */

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N: as kill(1) and systemd count them, from 34 to 64. */
static int signal_realtime(const char *text, size_t len, int *ret)
{
	bool from_min = len >= 5 && memcmp(text, "RTMIN", 5) == 0;
	bool from_max = len >= 5 && memcmp(text, "RTMAX", 5) == 0;
	int n = 0, r;

	if (!from_min && !from_max)
		return -EINVAL;
	if (len > 5) {
		if (text[5] != (from_min ? '+' : '-') || len < 7 || !is_digit(text[6]))
			return -EINVAL;
		r = value_int(text + 6, len - 6, 0, SIGRTMAX - SIGRTMIN, &n);
		if (r < 0)
			return r;
	}
	*ret = from_min ? SIGRTMIN + n : SIGRTMAX - n;
	return 0;
}

int value_signal(const char *text, size_t len, int *ret)
{
	const struct word *word;
	char upper[WORD_SIZE];

	if (len == 0 || len >= sizeof(upper))
		return -EINVAL;
	if (is_digit(text[0]))
		return value_int(text, len, 1, SIGRTMAX, ret);
	for (size_t i = 0; i < len; i++)
		upper[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] & ~0x20) : text[i];
	text = upper;
	if (len > 3 && memcmp(text, "SIG", 3) == 0) {
		text += 3;
		len -= 3;
	}
	word = word_find(signal_words, text, len);
	if (!word)
		return signal_realtime(text, len, ret);
	*ret = word->value;
	return 0;
}
