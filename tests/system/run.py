#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the system tests against a built binary.

    tests/system/run.py --sandbox BUILD/src/sandbox [--mode MODE] [--list] [PATTERN...]

A pattern is a part of "file.test[case]". One line per test, then `N passed, N failed`. Exit
status: 0, 1 when something failed, 77 when nothing could be run. A test whose needs are missing
is skipped; with SANDBOX_TESTS_MUST_RUN=1 that is a failure. Modes, for the same tests in other
places (each test says where it applies): user (an ordinary user), root, userns (root of a user
namespace), nested (inside a box made by sandbox --nested)."""

import os
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [here, os.path.dirname(here)]

import harness  # noqa: E402


def arguments():
    parser = harness.parser("Run the system tests.")
    parser.add_argument("--sandbox", help="the binary (default: $SANDBOX, else build/src/sandbox)")
    parser.add_argument("--mode", default="user", choices=("user", "root", "userns", "nested"))
    return parser.parse_args()


def prepare(args):
    """The environment box.py reads; set before it is imported."""
    binary = args.sandbox or os.environ.get("SANDBOX") or os.path.join(here, "../../build/src/sandbox")
    binary = os.path.abspath(binary)
    if not os.access(binary, os.X_OK) and not args.list:
        sys.exit("run.py: no binary at %s: build first, or --sandbox FILE" % binary)
    os.environ["SANDBOX"] = binary
    os.environ["SANDBOX_MODE"] = args.mode
    os.environ.setdefault("SANDBOX_TOOLS", os.path.abspath(os.path.join(os.path.dirname(binary), "../tests/tools")))


def tests(folder, args):
    return (test for test in harness.collect(folder) if harness.wanted(test[0], args.pattern))


def main(folder=here):
    """Runs the tests of a folder."""
    args = arguments()
    prepare(args)
    if args.mode == "user" and os.geteuid() == 0 and not args.list:
        print("run.py: this mode is for an ordinary user (tests/run makes one); as root: --mode root")
        return 77
    import box
    if args.list:
        harness.print_list(tests(folder, args))
        return 0
    report = harness.Report(args)
    with box.Place("system"):   # before the tests are imported: they read box.WORK
        for name, function, values in tests(folder, args):
            if args.mode not in getattr(function, "modes", ("user",)):
                continue
            begin = time.monotonic()
            verdict, text = box.judge(function, values)
            report.add(name, harness.doc(function), verdict, text, time.monotonic() - begin)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
