// SPDX-License-Identifier: MIT
/*
 * Subordinate ids (subuid(5), subgid(5)) and the two privileged programs that map them. newuidmap
 * checks every map again by itself; what is read here only decides what to ask it for, and what to
 * tell the user beforehand.
 */
#include <errno.h>
#include <glib.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <sandbox/spawn.h>

#include "file.h"
#include "subid.h"

#define SUBID_FILE_MAX (16u << 20)
#define NSSWITCH_MAX   (64u << 10)
#define GETSUBIDS_MAX  (16u << 10)
#define GETSUBIDS_MS   5000
#define ID_LAST        4294967294u /* 2^32-1 means "no id" */

/* --- ranges: pure ---------------------------------------------------------------------------- */

/* Half-open in 64 bits, so that no sum can wrap. */
struct span {
	uint64_t start, end;
};

static void add_joined(GArray *ranges, struct span span)
{
	struct subid_range *last = NULL, range;

	if (ranges->len > 0)
		last = &g_array_index(ranges, struct subid_range, ranges->len - 1);
	if (last != NULL && (uint64_t)last->start + last->count == span.start) {
		last->count += (uint32_t)(span.end - span.start);
		return;
	}
	range.start = (uint32_t)span.start;
	range.count = (uint32_t)(span.end - span.start);
	g_array_append_val(ranges, range);
}

/* Adds what of `span` no earlier range has, in pieces, in order: the kernel refuses a map that
 * names an id outside twice. */
static void add_new(GArray *ranges, struct span span, unsigned from)
{
	for (unsigned i = from; i < ranges->len; i++) {
		struct subid_range *have = &g_array_index(ranges, struct subid_range, i);
		struct span taken = { have->start, (uint64_t)have->start + have->count };

		if (taken.end <= span.start || taken.start >= span.end)
			continue;
		if (span.start < taken.start)
			add_new(ranges, (struct span){ span.start, taken.start }, i + 1);
		if (taken.end >= span.end)
			return;
		span.start = taken.end;
	}
	if (span.start < span.end)
		add_joined(ranges, span);
}

/* The user's own id may stand inside of a range (images of podman hand out 1 to 65536 that way);
 * it is mapped on its own. Id 0 is the host's root and never in a map, whatever the file says. */
static void add_range(GArray *ranges, struct span span, uint32_t own)
{
	if (span.start == 0)
		span.start = 1;
	if (own < span.start || own >= span.end) {
		add_new(ranges, span, 0);
		return;
	}
	add_new(ranges, (struct span){ span.start, own }, 0);
	add_new(ranges, (struct span){ (uint64_t)own + 1, span.end }, 0);
}

static bool parse_span(const char *start, const char *count, struct span *ret)
{
	guint64 first, n;

	if (!g_ascii_string_to_unsigned(start, 10, 0, ID_LAST, &first, NULL) ||
	    !g_ascii_string_to_unsigned(count, 10, 1, ID_LAST, &n, NULL) || first + n - 1 > ID_LAST)
		return false;
	*ret = (struct span){ first, first + n };
	return true;
}

/* Shadow compares the name first and takes a number for the uid of the owner. */
static bool is_owner(const char *field, const char *user, uid_t uid)
{
	guint64 number;

	if (user != NULL && strcmp(field, user) == 0)
		return true;
	return g_ascii_string_to_unsigned(field, 10, 0, ID_LAST, &number, NULL) && number == uid;
}

static bool parse_line(const char *line, size_t len, char **ret_owner, struct span *ret)
{
	g_autofree char *copy = g_strndup(line, len);
	g_auto(GStrv) fields = g_strsplit(copy, ":", 4);

	if (g_strv_length(fields) != 3 || fields[0][0] == '\0' || fields[0][0] == '#' ||
	    !parse_span(fields[1], fields[2], ret))
		return false;
	*ret_owner = g_strdup(fields[0]);
	return true;
}

/* Cheap, for sites whose files have a hundred thousand lines of others. */
static bool maybe_owner(const char *line, const char *user)
{
	size_t len = user != NULL ? strlen(user) : 0;

	return g_ascii_isdigit(*line) ||
	       (len > 0 && strncmp(line, user, len) == 0 && line[len] == ':');
}

static void take(GArray *ranges, struct subid_range **ret, size_t *ret_n)
{
	*ret_n = ranges->len;
	*ret = (struct subid_range *)(void *)g_array_free(ranges, ranges->len == 0);
}

static GArray *ranges_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct subid_range));
}

void subid_parse(const char *text, const char *user, uid_t uid, uint32_t own,
		 struct subid_range **ret, size_t *ret_n)
{
	GArray *ranges = ranges_new();

	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		g_autofree char *owner = NULL;
		struct span span;

		if (maybe_owner(line, user) && parse_line(line, len, &owner, &span) &&
		    is_owner(owner, user, uid))
			add_range(ranges, span, own);
		line += len + (line[len] == '\n');
	}
	take(ranges, ret, ret_n);
}

void subid_parse_getsubids(const char *text, uint32_t own, struct subid_range **ret, size_t *ret_n)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GArray *ranges = ranges_new();

	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);
		guint n = g_strv_length(words);
		struct span span;

		/* a domain's user may have a space in its name: the numbers are the last two */
		if (n >= 4 && g_str_has_suffix(words[0], ":") &&
		    parse_span(words[n - 2], words[n - 1], &span))
			add_range(ranges, span, own);
	}
	take(ranges, ret, ret_n);
}

bool subid_elsewhere(const char *nsswitch)
{
	g_auto(GStrv) lines = g_strsplit(nsswitch, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		char *text = g_strstrip(*line);

		if (!g_str_has_prefix(text, "subid:"))
			continue;
		text[strcspn(text, "#")] = '\0';
		text = g_strstrip(text + strlen("subid:"));
		return *text != '\0' && !g_str_has_prefix(text, "files");
	}
	return false;
}

/* The lowest start from `want` on whose `count` ids are free of one span; repeated until none
 * moves it, since the spans are in no order. */
uint32_t subid_free(const char *text, uint32_t count)
{
	uint64_t want = 100000;
	bool moved = true;

	while (moved && want + count - 1 <= ID_LAST) {
		moved = false;
		for (const char *line = text; *line != '\0';) {
			size_t len = strcspn(line, "\n");
			g_autofree char *owner = NULL;
			struct span span;

			if (parse_line(line, len, &owner, &span) && span.start < want + count &&
			    span.end > want) {
				want = span.end;
				moved = true;
			}
			line += len + (line[len] == '\n');
		}
	}
	return want + count - 1 <= ID_LAST ? (uint32_t)want : 0;
}

/* --- the host -------------------------------------------------------------------------------- */

uint32_t host_subid_free(uint32_t count)
{
	g_autofree char *uids = NULL, *gids = NULL, *both = NULL;

	(void)file_read("/etc/subuid", SUBID_FILE_MAX, &uids);
	(void)file_read("/etc/subgid", SUBID_FILE_MAX, &gids);
	both = g_strdup_printf("%s\n%s", uids != NULL ? uids : "", gids != NULL ? gids : "");
	return subid_free(both, count);
}

static bool ask_nss(void)
{
	static const char *const files[] = { "/etc/nsswitch.conf", "/usr/etc/nsswitch.conf" };

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *text = NULL;

		if (file_read(files[i], NSSWITCH_MAX, &text) == 0)
			return subid_elsewhere(text);
	}
	return false;
}

static void from_file(const char *path, const struct host *host, uint32_t own,
		      struct subid_range **ret, size_t *ret_n)
{
	g_autofree char *text = NULL;

	if (file_read(path, SUBID_FILE_MAX, &text) == 0)
		subid_parse(text, host->user, host->uid, own, ret, ret_n);
}

/* LDAP and the like: with "subid: sss" in nsswitch.conf, newuidmap asks that library alone and
 * the files do not count; getsubids(1) asks the same way. */
static void from_nss(const struct host *host, bool groups, uint32_t own, struct subid_range **ret,
		     size_t *ret_n)
{
	char out[GETSUBIDS_MAX];
	char program[] = "/usr/bin/getsubids", flag[] = "-g";
	char *with_flag[] = { program, flag, host->user, NULL };
	char *without[] = { program, host->user, NULL };

	if (host->user[0] == '-')
		return;
	if (spawn_run(groups ? with_flag : without, out, sizeof(out), GETSUBIDS_MS) == 0)
		subid_parse_getsubids(out, own, ret, ret_n);
}

/* NULL if it can do its work, else why not. */
static const char *helper_fault(const char *path, const struct stat *st)
{
	struct statvfs fs;
	bool setuid = (st->st_mode & S_ISUID) != 0;

	if (st->st_uid != 0)
		return "is not owned by root";
	if (!setuid && getxattr(path, "security.capability", NULL, 0) <= 0)
		return "is neither setuid root nor has file capabilities";
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID) != 0)
		return "lies on a file system mounted nosuid";
	return NULL;
}

/* The first one in the fixed list that works, else the first that is there, with its fault. */
static char *find_helper(const char *name, char **ret_fault)
{
	static const char *const dirs[] = {
		"/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/run/wrappers/bin",
	};
	char *broken = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autofree char *path = g_strdup_printf("%s/%s", dirs[i], name);
		const char *fault;
		struct stat st;

		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
			continue;
		fault = helper_fault(path, &st);
		if (fault == NULL) {
			g_clear_pointer(ret_fault, g_free);
			g_free(broken);
			return g_steal_pointer(&path);
		}
		if (broken == NULL) {
			*ret_fault = g_strdup_printf("%s %s", path, fault);
			broken = g_steal_pointer(&path);
		}
	}
	return broken;
}

/* Root maps by itself; all others need both programs, working. */
static char *helpers_reason(const struct host *host, char *uid_fault, char *gid_fault)
{
	if (host->euid == 0)
		return NULL;
	if (host->newuidmap == NULL || host->newgidmap == NULL)
		return g_strdup_printf("%s is not installed",
				       host->newuidmap == NULL ? "newuidmap" : "newgidmap");
	if (uid_fault != NULL || gid_fault != NULL)
		return g_strdup(uid_fault != NULL ? uid_fault : gid_fault);
	if (host->no_new_privs)
		return g_strdup("no_new_privs is set, so newuidmap has no privilege here");
	if (prctl(PR_CAPBSET_READ, CAP_SETUID, 0, 0, 0) == 0 ||
	    prctl(PR_CAPBSET_READ, CAP_SETGID, 0, 0, 0) == 0)
		return g_strdup("the capability bounding set lacks setuid or setgid, so newuidmap "
				"has no privilege here");
	return NULL;
}

static char *ranges_reason(const struct host *host)
{
	const char *where = host->nsubuids == 0 ? "/etc/subuid has" : "/etc/subgid has";

	if (host->nsubuids > 0 && host->nsubgids > 0)
		return NULL;
	if (host->nsubuids == 0 && host->nsubgids == 0)
		where = "/etc/subuid and /etc/subgid have";
	if (host->subid_nss)
		where = "the 'subid:' service of nsswitch.conf has";
	return g_strdup_printf("%s no range for user %s", where, host->user);
}

void subid_probe(struct host *host)
{
	g_autofree char *uid_fault = NULL, *gid_fault = NULL;

	host->subid_nss = ask_nss();
	if (host->subid_nss) {
		from_nss(host, false, host->uid, &host->subuids, &host->nsubuids);
		from_nss(host, true, host->gid, &host->subgids, &host->nsubgids);
	} else {
		from_file("/etc/subuid", host, host->uid, &host->subuids, &host->nsubuids);
		from_file("/etc/subgid", host, host->gid, &host->subgids, &host->nsubgids);
	}
	host->newuidmap = find_helper("newuidmap", &uid_fault);
	host->newgidmap = find_helper("newgidmap", &gid_fault);
	host->subid_reason = ranges_reason(host);
	if (host->subid_reason == NULL)
		host->subid_reason = helpers_reason(host, uid_fault, gid_fault);
}
