#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commands in a clone of a virtual machine.

    tests/vm/vm.py run IMAGE DIR COMMAND [MODE]

IMAGE is bookworm or trixie (built when it is not there) or an image's directory; DIR is /host in
the machine, where COMMAND (bash) starts and may write; its output and exit status become this
program's own. It takes one or two seconds. Modes:

    user           in a login session of tester, who lingers
    user-service   in a service of tester's user manager
    no-session     as tester, with no session, no cgroup of their own and no variables, like cron's
    guest          the same as guest, who does not linger: there is no user manager
    guest-session  in a login session of guest; its user manager ends 10 s after it
    root           as root, in a service of the system's manager

In Python: `with Guest("trixie", folder) as guest: guest.run("id", "root").out`; a machine keeps its
state from one command to the next."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections import namedtuple

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402

MODES = ("user", "user-service", "no-session", "guest", "guest-session", "root")
Result = namedtuple("Result", "status out err")


def image(name):
    """The directory of an image; builds it if need be."""
    if os.path.isdir(name):
        return os.path.abspath(name)
    build = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image")
    return subprocess.run([build, name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Guest:
    """A running machine with a shared directory."""

    def __init__(self, name, shared):
        self.stack = contextlib.ExitStack()
        self.image = image(name)
        self.shared = os.path.abspath(shared)
        self.count = 0

    def __enter__(self):
        os.makedirs(self.shared + "/.vm", exist_ok=True)
        os.chmod(self.shared + "/.vm", 0o755)
        self.agent = self.stack.enter_context(machine.clone(self.image, self.shared))
        return self

    def __exit__(self, *what):
        self.stack.__exit__(*what)
        shutil.rmtree(self.shared + "/.vm", ignore_errors=True)

    def run(self, command, mode="user", timeout=60):
        """Runs a bash script in one of the MODES: its status, stdout and stderr (text)."""
        self.count += 1
        folder = "%s/.vm/%d" % (self.shared, self.count)
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        with open(folder + "/command", "w") as file:
            file.write(command + "\n")
        self.agent.say("RUN %d %s" % (self.count, mode))
        status = int(self.agent.hear("DONE", timeout)[2])
        texts = []
        for name in ("stdout", "stderr"):
            with contextlib.suppress(FileNotFoundError), open(folder + "/" + name, errors="replace") as file:
                texts.append(file.read())
        return Result(status, *(texts + ["", ""])[:2])


def main(arguments):
    if len(arguments) not in (4, 5) or arguments[0] != "run" or (arguments[4:] or MODES)[0] not in MODES:
        sys.exit("usage: vm.py run IMAGE DIR COMMAND [%s]" % "|".join(MODES))
    name, shared, command = arguments[1:4]
    try:
        with Guest(name, shared) as guest:
            result = guest.run(command, *arguments[4:], timeout=float(os.environ.get("VM_TIMEOUT", "300")))
    except machine.Trouble as trouble:
        sys.exit("vm.py: " + "\n".join(trouble.args))
    sys.stdout.write(result.out)
    sys.stderr.write(result.err)
    return result.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
