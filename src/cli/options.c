// SPDX-License-Identifier: MIT
/*
 * THE table of options (include/sandbox/options.h). Parser, profiles, --help, `sandbox help` and
 * the completions read it, and tests/lint holds the manual against it: what an option is called
 * and how it is explained is decided here and nowhere else. What it means is decided in spec/.
 *
 * Rows marked OPT_LATER are known by name only. Their help says what serves meanwhile, and is the
 * mend of E-OPTION-LATER: a script must never run with less than it asked for.
 */
#include <glib.h>
#include <limits.h>
#include <string.h>

#include <sandbox/options.h>
#include <sandbox/value.h>

#define CLI   OPT_CLI_ONLY
#define LATER OPT_LATER

#define FLAG   OPT_KIND_FLAG
#define SCALAR OPT_KIND_SCALAR
#define LIST   OPT_KIND_LIST

#define NONE     OPT_COMPLETE_NONE
#define PATH     OPT_COMPLETE_PATH
#define DIRS     OPT_COMPLETE_DIR
#define WORDS    OPT_COMPLETE_WORDS
#define PROFILES OPT_COMPLETE_PROFILE
#define CAPS     OPT_COMPLETE_CAP

#define NAMESPACES "mnt pid net ipc uts cgroup time"
#define SECUREBITS                                                               \
	"noroot noroot-locked no-setuid-fixup no-setuid-fixup-locked keep-caps " \
	"keep-caps-locked no-cap-ambient-raise no-cap-ambient-raise-locked"
#define SIGNALS "TERM INT HUP QUIT KILL USR1 USR2 WINCH"

/* clang-format off */
static const struct option rows[_OPT_MAX] = {
#define ROW(id, letter, name, alias, kind, flags, group, arg, complete, words, help) \
	[OPT_##id] = { OPT_##id, letter, name, alias, kind, flags, group, arg, help, complete, words }

	ROW(PROFILE, 0, "profile", NULL, LIST, CLI, "profile", "NAME|./FILE", PROFILES, NULL,
	    "Read options from a profile first; repeatable (default: 'default', if you or /etc have one)"),
	ROW(NO_PROFILE, 0, "no-profile", NULL, FLAG, CLI, "profile", NULL, NONE, NULL,
	    "Read no profile at all, not even 'default'"),
	ROW(STRICT, 0, "strict", NULL, FLAG, 0, "profile", NULL, NONE, NULL,
	    "Refuse wherever something can be had only approximately"),
	ROW(EXPLAIN, 0, "explain", NULL, FLAG, CLI, "profile", NULL, NONE, NULL,
	    "Print the plan of the run and exit; nothing is started or created"),

	ROW(HOST, 0, "host", NULL, FLAG, 0, "view", NULL, NONE, NULL,
	    "Show the programs of the host (the default)"),
	ROW(ROOTFS, 0, "rootfs", NULL, SCALAR, 0, "view", "DIR", DIRS, NULL,
	    "Use DIR as the root of the box, writable unless --read-only"),
	ROW(IMAGE, 0, "image", NULL, SCALAR, LATER, "view", "REF", NONE, NULL,
	    "unpack the image into a directory and use --rootfs DIR"),
	ROW(HOME, 0, "home", NULL, SCALAR, 0, "view", "private|ro|rw|DIR", WORDS, "private ro rw",
	    "What stands at your home: an empty one in memory (default), your own, or DIR"),
	ROW(CWD, 0, "cwd", NULL, SCALAR, 0, "view", "rw|ro|none", WORDS, "rw ro none",
	    "How the current directory is shown (default: rw; not at all if it is home, / or above home)"),
	ROW(WORKDIR, 'w', "workdir", "chdir", SCALAR, 0, "view", "DIR", PATH, NULL,
	    "Start the command in DIR, a path inside the box"),
	ROW(READ_ONLY, 0, "read-only", NULL, FLAG, 0, "view", NULL, NONE, NULL,
	    "Make the root directory, and the current one if shown unasked, read-only"),
	ROW(SHOW, 0, "show", NULL, LIST, 0, "view", "PATH", PATH, NULL,
	    "Show a file or directory of the host at its own path, read-only; repeatable"),
	ROW(HIDE, 0, "hide", NULL, LIST, 0, "view", "PATH", PATH, NULL,
	    "Cover a path with an empty file or directory; repeatable"),
	ROW(PROTECT, 0, "protect", NULL, LIST, 0, "view", "PATH", PATH, NULL,
	    "Make PATH, if it exists, read-only inside a writable tree; repeatable"),

	ROW(VOLUME, 'v', "volume", NULL, LIST, 0, "volumes", "SRC[:DST][:OPTS]", PATH, NULL,
	    "Show SRC of the host at DST; OPTS of ro,rw,noexec,optional,dev; repeatable"),
	ROW(TMPFS, 0, "tmpfs", NULL, LIST, 0, "volumes", "DST[:size=SIZE,mode=MODE]", PATH, NULL,
	    "An empty file system in memory at DST; repeatable"),
	ROW(FILE, 0, "file", NULL, LIST, 0, "volumes", "DST=TEXT|DST=@FD", NONE, NULL,
	    "A read-only file at DST holding TEXT, or what descriptor FD yields; repeatable"),
	ROW(SECRET, 0, "secret", NULL, LIST, 0, "volumes", "NAME=FILE|NAME=env:VAR", PATH, NULL,
	    "A copy of FILE or of a variable, in memory, at /run/secrets/NAME; repeatable"),
	ROW(OVERLAY, 0, "overlay", NULL, SCALAR, LATER, "volumes", "[NAME]", NONE, NULL,
	    "work on a copy of the tree: -v COPY:DST"),

	ROW(USER, 'u', "user", NULL, SCALAR, 0, "identity", "UID[:GID]", NONE, NULL,
	    "Be this user and group inside; numbers only"),
	ROW(ROOT, 0, "root", NULL, FLAG, 0, "identity", NULL, NONE, NULL,
	    "Be root inside, which is you outside: -u 0 --userns root"),
	ROW(USERNS, 0, "userns", NULL, SCALAR, 0, "identity", "keep-id|root|auto|map:C:H:N,...", WORDS,
	    "keep-id root auto map:",
	    "How ids inside map to ids outside (default: keep-id; auto with --rootfs)"),
	ROW(HOSTNAME, 0, "hostname", NULL, SCALAR, 0, "identity", "NAME", NONE, NULL,
	    "The host name inside (default: sandbox)"),
	ROW(SHARE, 0, "share", NULL, LIST, 0, "identity", "LIST", WORDS, NAMESPACES,
	    "Share namespaces with the host: mnt,pid,net,ipc,uts,cgroup,time; repeatable"),
	ROW(UNSHARE, 0, "unshare", NULL, LIST, 0, "identity", "LIST", WORDS, NAMESPACES,
	    "Make new namespaces; all but time are new anyway; repeatable"),
	ROW(NESTED, 0, "nested", NULL, FLAG, 0, "identity", NULL, NONE, NULL,
	    "Let the command make user namespaces of its own"),

	ROW(ENV, 'e', "env", NULL, LIST, 0, "environment", "NAME[=VALUE]", NONE, NULL,
	    "Set a variable, or pass on the caller's; repeatable"),
	ROW(ENV_FILE, 0, "env-file", NULL, LIST, 0, "environment", "FILE", PATH, NULL,
	    "Read NAME=VALUE and NAME lines from FILE; repeatable"),
	ROW(ENV_ALL, 0, "env-all", NULL, FLAG, 0, "environment", NULL, NONE, NULL,
	    "Pass on the whole environment; mind the tokens in it"),
	ROW(CLEAR_ENV, 0, "clear-env", NULL, FLAG, 0, "environment", NULL, NONE, NULL,
	    "Pass on nothing but what --env names"),

	ROW(CPUS, 0, "cpus", "cpu", SCALAR, 0, "limits", "N|N%", NONE, NULL,
	    "At most N CPUs: 0.5 and 50% are half of one, 2 and 200% are two"),
	ROW(CPU_WEIGHT, 0, "cpu-weight", NULL, SCALAR, 0, "limits", "N", NONE, NULL,
	    "The share of CPU where there is competition, 1 to 10000; 100 is what others have"),
	ROW(CPUSET, 0, "cpuset", NULL, SCALAR, 0, "limits", "LIST", NONE, NULL,
	    "Only these CPUs, such as 0-3,5"),
	ROW(MEMORY, 'm', "memory", NULL, SCALAR, 0, "limits", "SIZE|N%", NONE, NULL,
	    "At most SIZE of memory; beyond it the box is killed, exit 137"),
	ROW(MEMORY_HIGH, 0, "memory-high", NULL, SCALAR, 0, "limits", "SIZE|N%", NONE, NULL,
	    "Slow the box down beyond SIZE of memory (needs a cgroup)"),
	ROW(MEMORY_SWAP, 0, "memory-swap", NULL, SCALAR, 0, "limits", "SIZE|unlimited", WORDS,
	    "unlimited", "Memory and swap together, with --memory (default: no swap; needs a cgroup)"),
	ROW(PIDS_LIMIT, 0, "pids-limit", NULL, SCALAR, 0, "limits", "N|unlimited", WORDS, "unlimited",
	    "At most N processes and threads in the box (default: 4096)"),
	ROW(IO_READ, 0, "io-read", NULL, LIST, 0, "limits", "[PATH:]RATE", NONE, NULL,
	    "Read at most 10M bytes or 500iops a second from a disk (needs a cgroup); repeatable"),
	ROW(IO_WRITE, 0, "io-write", NULL, LIST, 0, "limits", "[PATH:]RATE", NONE, NULL,
	    "Write at most so much a second to a disk (needs a cgroup); repeatable"),
	ROW(ULIMIT, 0, "ulimit", NULL, LIST, 0, "limits", "NAME=SOFT[:HARD]", WORDS,
	    "as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= "
	    "rttime= sigpending= stack=",
	    "A resource limit of each process, such as nofile=1024 or core=unlimited; repeatable"),
	ROW(TIMEOUT, 0, "timeout", NULL, SCALAR, 0, "limits", "TIME", NONE, NULL,
	    "Stop the command after TIME (30, 500ms, 1h30m) and end the box 2 s later; exit 124"),
	ROW(CPU_TIME, 0, "cpu-time", NULL, SCALAR, 0, "limits", "TIME", NONE, NULL,
	    "At most TIME of CPU time for the whole box; exit 124"),
	ROW(NICE, 0, "nice", NULL, SCALAR, 0, "limits", "N", NONE, NULL,
	    "The scheduling priority, -20 to 19"),
	ROW(BACKGROUND, 0, "background", NULL, FLAG, 0, "limits", NULL, NONE, NULL,
	    "Run only when nothing else wants the CPU (SCHED_IDLE)"),
	ROW(LIMITS, 0, "limits", NULL, SCALAR, 0, "limits", "auto|cgroup|soft|off", WORDS,
	    "auto cgroup soft off", "Who enforces limits: the kernel where possible (auto), it alone, or we"),

	ROW(NETWORK, 0, "network", NULL, SCALAR, 0, "network", "none|user|host|ns:PATH", WORDS,
	    "none user host ns:",
	    "Nothing but loopback (default), a network of its own, the host's, or a namespace"),
	ROW(PUBLISH, 'p', "publish", NULL, LIST, 0, "network", "[IP:]HOST:BOX[/udp]", NONE, NULL,
	    "A port of the host (of 127.0.0.1 unless IP says it) that leads into the box; repeatable"),
	ROW(ALLOW, 0, "allow", NULL, LIST, 0, "network", "[tcp|udp://]TARGET[:PORTS]", NONE, NULL,
	    "A destination the box may reach: HOST, *.HOST, CIDR or lan, :PORTS; the rest is refused"),
	ROW(DENY, 0, "deny", NULL, LIST, 0, "network", "[tcp|udp://]TARGET[:PORTS]", NONE, NULL,
	    "A destination the box may not reach; the first rule that matches decides"),
	ROW(HOST_PORT, 0, "host-port", NULL, LIST, 0, "network", "PORT[/udp]", NONE, NULL,
	    "A port of the host's loopback that the box reaches at its gateway; repeatable"),
	ROW(DNS, 0, "dns", NULL, LIST, 0, "network", "ADDRESS", NONE, NULL,
	    "A name server to ask in place of the host's; repeatable"),
	ROW(ADD_HOST, 0, "add-host", NULL, LIST, 0, "network", "NAME:ADDRESS", NONE, NULL,
	    "A name the box resolves to an address; repeatable"),
	ROW(IP, 0, "ip", NULL, SCALAR, 0, "network", "ADDRESS|auto", WORDS, "auto",
	    "An address of the host for the box: ports are published there that name no other"),
	ROW(IPV6, 0, "ipv6", NULL, SCALAR, 0, "network", "auto|on|off", WORDS, "auto on off",
	    "Whether the box's network has IPv6 (auto: if the host's has)"),
	ROW(NET_LOG, 0, "net-log", NULL, SCALAR, 0, "network", "FILE|-", PATH, NULL,
	    "Append a line for each thing the box's network refuses to FILE, or to standard error"),

	ROW(CAP_ADD, 0, "cap-add", NULL, LIST, 0, "security", "LIST", CAPS, NULL,
	    "Give the command capabilities inside the box, by name, or ALL; repeatable"),
	ROW(CAP_DROP, 0, "cap-drop", NULL, LIST, 0, "security", "LIST", CAPS, NULL,
	    "Take capabilities away, by name, or ALL; repeatable"),
	ROW(SECUREBITS, 0, "securebits", NULL, LIST, 0, "security", "LIST", WORDS, SECUREBITS,
	    "Set exactly these securebits, such as noroot,noroot-locked; repeatable"),
	ROW(ALLOW_NEW_PRIVS, 0, "allow-new-privs", NULL, FLAG, 0, "security", NULL, NONE, NULL,
	    "Let set-user-id programs inside change ids and capabilities, within the box"),
	ROW(SECCOMP, 0, "seccomp", NULL, SCALAR, 0, "security", "default|strict|off|FILE.json", WORDS,
	    "default strict off",
	    "The system call filter: the default one, one for pure computing, none, or docker's JSON"),
	ROW(SECCOMP_ALLOW, 0, "seccomp-allow", NULL, LIST, 0, "security", "LIST", NONE, NULL,
	    "Allow these system calls, too: names, @groups, numbers; repeatable"),
	ROW(SECCOMP_DENY, 0, "seccomp-deny", NULL, LIST, 0, "security", "LIST", NONE, NULL,
	    "Refuse these system calls: names, @groups, numbers; repeatable"),
	ROW(SECCOMP_ACTION, 0, "seccomp-action", NULL, SCALAR, 0, "security", "errno|kill|log", WORDS,
	    "errno kill log",
	    "What happens at a call that --seccomp-deny or strict refuses (default: errno)"),
	ROW(LANDLOCK, 0, "landlock", NULL, SCALAR, 0, "security", "auto|on|off", WORDS, "auto on off",
	    "A second layer under the file tree: where the kernel has it (default), or never, or else refuse"),
	ROW(SECURITY_OPT, 0, "security-opt", NULL, LIST, LATER, "security", "KEY=VALUE", NONE, NULL,
	    "no-new-privileges is always on; for the rest see --cap-drop and --securebits"),
	ROW(BACKEND, 0, "backend", NULL, SCALAR, 0, "security", "auto|namespaces|landlock", WORDS,
	    "auto namespaces landlock",
	    "What confines the box: namespaces (default), or Landlock alone where these are refused"),
	ROW(MULTIARCH, 0, "multiarch", NULL, FLAG, 0, "security", NULL, NONE, NULL,
	    "Allow programs of the processor's other architectures, such as 32-bit ones"),

	ROW(TTY, 't', "tty", NULL, FLAG, 0, "process", NULL, NONE, NULL,
	    "Give the command a terminal of its own (default: if it has one); --no-tty: never"),
	ROW(DETACH, 'd', "detach", NULL, FLAG, LATER, "process", NULL, NONE, NULL,
	    "start it in the background of the shell: sandbox ... &"),
	ROW(NAME, 0, "name", NULL, SCALAR, LATER, "process", "NAME", NONE, NULL,
	    "use --pidfile FILE to find the box again"),
	ROW(STOP_SIGNAL, 0, "stop-signal", NULL, SCALAR, 0, "process", "SIGNAL", WORDS, SIGNALS,
	    "The signal that --timeout sends first (default: TERM)"),
	ROW(PRESERVE_FDS, 0, "preserve-fds", NULL, LIST, CLI, "process", "LIST", NONE, NULL,
	    "Descriptors above 2 that the command inherits, by number; repeatable"),
	ROW(ARGV0, 0, "argv0", NULL, SCALAR, CLI, "process", "NAME", NONE, NULL,
	    "The name the command sees as its own"),

	ROW(STATUS_FD, 0, "status-fd", NULL, SCALAR, CLI, "scripting", "FD", NONE, NULL,
	    "Write events to this descriptor, one JSON object a line"),
	ROW(REPORT, 0, "report", NULL, SCALAR, CLI, "scripting", "FILE|-", PATH, NULL,
	    "Write how it ended to FILE, or to standard error, as one JSON object"),
	ROW(BLOCK_FD, 0, "block-fd", NULL, SCALAR, CLI, "scripting", "FD", NONE, NULL,
	    "Prepare all, but execute the command only when FD yields a byte or its end"),
	ROW(READY_FD, 0, "ready-fd", NULL, SCALAR, CLI, "scripting", "FD", NONE, NULL,
	    "Write 1 and a newline to FD when the command has been executed"),
	ROW(PIDFILE, 0, "pidfile", NULL, SCALAR, CLI, "scripting", "FILE", PATH, NULL,
	    "Write the process id of the box's first process to FILE; removed at the end"),
	ROW(QUIET, 'q', "quiet", NULL, FLAG, 0, "scripting", NULL, NONE, NULL,
	    "Print no notices; errors are always printed"),

	ROW(HELP, 'h', "help", NULL, FLAG, CLI, "help", NULL, NONE, NULL,
	    "Print this help and exit"),
	ROW(VERSION, 'V', "version", NULL, FLAG, CLI, "help", NULL, NONE, NULL,
	    "Print the version and exit"),
#undef ROW
};
/* clang-format on */

const struct option *option_row(enum opt_id id)
{
	return (unsigned)id < _OPT_MAX ? &rows[id] : NULL;
}

static bool name_is(const char *name, const char *text, size_t len)
{
	return name && strncmp(name, text, len) == 0 && name[len] == '\0';
}

const struct option *option_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < _OPT_MAX; i++) {
		if (name_is(rows[i].name, name, len) || name_is(rows[i].alias, name, len))
			return &rows[i];
	}
	return NULL;
}

const struct option *option_by_letter(char letter)
{
	for (size_t i = 0; letter && i < _OPT_MAX; i++) {
		if (rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

bool option_negatable(const struct option *opt)
{
	return opt->kind == OPT_KIND_FLAG && opt->id != OPT_NO_PROFILE && opt->id != OPT_HELP &&
	       opt->id != OPT_VERSION;
}

/* How far the user's word is from a name: a beginning ("work" for "workdir") is nearer than a wrong
 * letter. One slip in three letters; UINT_MAX beyond: it is a different word. */
static unsigned word_distance(const char *word, const char *name)
{
	size_t len = strlen(word);
	unsigned d;

	if (len >= 3 && strncmp(word, name, len) == 0)
		return 1;
	d = value_distance(word, len, name, strlen(name));
	return d <= MIN(len / 3, 3) ? d : UINT_MAX;
}

const char *option_nearest(const char *name)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < _OPT_MAX; i++) {
		const char *const names[] = { rows[i].name, rows[i].alias };

		for (size_t n = 0; n < G_N_ELEMENTS(names) && names[n]; n++) {
			unsigned d = word_distance(name, names[n]);

			if (d < least) {
				least = d;
				best = rows[i].name;
			}
		}
	}
	return best;
}
