# SPDX-License-Identifier: MIT
"""What the tests in virtual machines share: the machine with its shorthands, and the search for
leftovers. Python's standard library only."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import vm  # noqa: E402
from harness import Failure  # noqa: E402

HELPER = "/host/libexec/sandbox/sandbox-scope"
SANDBOX = "/host/bin/sandbox"

# Where each built program goes in the shared directory: the same tree that `meson install` makes,
# so that the launcher finds its helpers.
PLACES = {
    "bin/sandbox": "src/sandbox",
    "libexec/sandbox/sandbox-scope": "helpers/sandbox-scope/sandbox-scope",
    "libexec/sandbox/sandbox-net": "helpers/sandbox-net/sandbox-net",
    "lib/libslirp.so.0": "/usr/lib/x86_64-linux-gnu/libslirp.so.0",   # the images have none
}

# Lists what a test must not leave, once it had 2 s to go, and systemd, 15 times slower than outside, 10 s: scopes, their cgroups (sandbox.slice itself
# may stay: systemd keeps slices), failed units of either manager, processes.
LEFTOVERS = r"""
units() {
	"$@" list-units --all --plain --no-legend | awk '$1 ~ /^sandbox-.*\.scope$/ || $3 == "failed"'
}
left() {
	find /sys/fs/cgroup -mindepth 1 -name 'sandbox-*' -printf 'cgroup %P\n'
	units systemctl
	[ ! -S /run/user/1000/systemd/private ] || units $as_tester systemctl --user
	pgrep -a -x sandbox
	pgrep -a -x sandbox-scope
}
export XDG_RUNTIME_DIR=/run/user/1000
as_tester="setpriv --reuid=tester --regid=tester --init-groups"
while found=$(left 2>&1); [ -n "$found" ]; do
	# nothing is in a scope that is left alone: it is systemd's turn
	if grep -qv -e '^cgroup .*\.scope$' -e '^sandbox-.*\.scope ' <<<"$found"; then most=2; else most=10; fi
	[ $SECONDS -le $most ] || break
	sleep 0.1
done
echo "$found"
"""


def check(condition, text):
    if not condition:
        raise Failure(text)


def same(got, wanted, what):
    check(got == wanted, "%s: got %r, wanted %r" % (what, got, wanted))


def built(folder):
    """The built programs there are: their place in the shared directory, and their file."""
    files = {place: os.path.join(folder, path) for place, path in PLACES.items()}
    return {place: path for place, path in files.items() if os.path.exists(path)}


class Machine(vm.Guest):
    """A guest with shorthands."""

    def ok(self, command, mode="user", timeout=60):
        """Runs a command that must succeed; its output, without the last newline."""
        result = self.run(command, mode, timeout)
        check(result.status == 0, "%s: %s\nended with %d\n%s%s" % (mode, command, *result))
        return result.out.rstrip("\n")

    def has(self, place):
        """True when a program was built: see PLACES."""
        return os.path.exists(self.shared + "/" + place)


def nothing_left(guest):
    left = guest.ok(LEFTOVERS, "root")
    check(not left, "left behind:\n" + left)
