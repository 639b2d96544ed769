#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the system tests against a built binary.

    tests/system/run.py --sandbox BUILD/src/sandbox [--mode MODE] [--list] [PATTERN...]

A test that fails is run once more, and shown as `again`. A pattern is a part of "file.test[case]". One line per test, then `N passed, N failed`. Exit
status: 0, 1 when something failed, 77 when nothing could be run. A test whose needs are missing
is skipped; with SANDBOX_TESTS_MUST_RUN=1 that is a failure. Modes, for the same tests in other
places (each test says where it applies): user (an ordinary user), root, userns (root of a user
namespace), nested (inside a box made by sandbox --nested)."""

import argparse
import glob
import importlib
import os
import sys
import tempfile
import time
import traceback

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, here)


def arguments():
    parser = argparse.ArgumentParser(description="Run the system tests.")
    parser.add_argument("--sandbox", help="the binary (default: $SANDBOX, else build/src/sandbox)")
    parser.add_argument("--mode", default="user", choices=("user", "root", "userns", "nested"))
    parser.add_argument("--list", action="store_true", help="print names and promises, run nothing")
    parser.add_argument("--failed-only", action="store_true", help="print no line for tests that pass")
    parser.add_argument("--durations", action="store_true", help="print how long each test took")
    parser.add_argument("pattern", nargs="*")
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


def collect(patterns):
    for path in sorted(glob.glob(here + "/test_*.py")):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in vars(module).items():
            if not name.startswith("test_") or getattr(function, "__module__", None) != module.__name__:
                continue
            rows = getattr(function, "cases", None) or {None: ()}
            for row, values in rows.items():
                full = "%s.%s%s" % (module.__name__[5:], name[5:], "[%s]" % row if row else "")
                if not patterns or any(pattern in full for pattern in patterns):
                    yield full, function, values if isinstance(values, tuple) else (values,)


def judge(function, values):
    """Runs one test. Returns (verdict, text)."""
    import box
    for need in getattr(function, "needs", ()):
        present, what = box.NEEDS[need]
        if not present():
            return "skip", "needs " + what
    scratch = tempfile.mkdtemp(prefix="t.", dir=box.WORK)
    box._current["scratch"] = scratch
    leaks = box.Leaks()
    try:
        function(*values)
        verdict, text = "ok", ""
    except box.Skip as reason:
        verdict, text = "skip", str(reason)
    except box.Failure as failure:
        verdict, text = "FAIL", str(failure)
    except Exception:
        verdict, text = "FAIL", traceback.format_exc()
    problems = leaks.problems()
    if problems:
        verdict, text = "FAIL", "\n".join(filter(None, [text, *problems]))
    box.remove_tree(scratch)
    return verdict, text


def main():
    args = arguments()
    prepare(args)
    if args.mode == "user" and os.geteuid() == 0 and not args.list:
        print("run.py: this mode is for an ordinary user (tests/run makes one); as root: --mode root")
        return 77
    import box
    if args.list:
        for full, function, _ in collect(args.pattern):
            print("%-60s %s" % (full, box.doc(function)))
        return 0
    must_run = os.environ.get("SANDBOX_TESTS_MUST_RUN") == "1"
    base = os.environ.get("SANDBOX_SCRATCH") or "/var/tmp"
    box.WORK = tempfile.mkdtemp(prefix="sandbox-system.", dir=base)
    os.chmod(box.WORK, 0o755)
    os.mkdir(box.WORK + "/runtime", 0o700)
    os.mkdir(box.WORK + "/tmp", 0o700)
    box.become_subreaper()
    count = {"ok": 0, "FAIL": 0, "skip": 0}
    try:
        for full, function, values in collect(args.pattern):
            if args.mode not in getattr(function, "modes", ("user",)):
                continue
            begin = time.monotonic()
            verdict, text = judge(function, values)
            if verdict == "FAIL":
                # A busy machine misses a deadline now and then: it must pass by itself, and is shown.
                print("again %s: %s" % (full, text.splitlines()[0] if text else ""))
                verdict, text = judge(function, values)
            if verdict == "skip" and must_run:
                verdict, text = "FAIL", "skipped: " + text
            count[verdict] += 1
            if verdict != "ok" or not args.failed_only:
                took = " (%.2f s)" % (time.monotonic() - begin) if args.durations else ""
                print("%-4s %s: %s%s" % (verdict, full, box.doc(function), took))
            if text:
                print("".join("     | %s\n" % line for line in text.splitlines()), end="")
            sys.stdout.flush()
    finally:
        box.remove_tree(box.WORK)
    if count["skip"]:
        print("%d skipped" % count["skip"])
    print("%d passed, %d failed" % (count["ok"], count["FAIL"]))
    if count["FAIL"]:
        return 1
    return 0 if count["ok"] else 77


if __name__ == "__main__":
    sys.exit(main())
