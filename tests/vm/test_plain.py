# SPDX-License-Identifier: MIT
"""The launcher as it is, on the distributions' own kernels and under systemd."""

from box import SANDBOX, same

HELPERS = "strace -f -qq -e trace=execve -o /tmp/trace.$$ %s -q -- true && grep -c sandbox-scope /tmp/trace.$$" % SANDBOX


def test_plain_run(guest):
    """Without a limit: runs in every situation, with the command's own status."""
    for mode in ("user", "user-service", "no-session", "guest", "root"):
        result = guest.run("%s -q -- sh -c 'echo inside; exit 7'" % SANDBOX, mode)
        same((mode, result.status, result.out, result.err), (mode, 7, "inside\n", ""), "plain run")


def test_no_helper(guest):
    """Without a limit that needs a cgroup of its own, the helper never starts."""
    same(guest.run(HELPERS).out, "0\n", "starts of the helper")
