# SPDX-License-Identifier: MIT
"""What every runner of tests in Python shares: finding the tests of a folder, judging one, the lines
that are printed. A test is a function test_NAME of a file test_FILE.py; its name is FILE.NAME, or
FILE.NAME[ROW] for each row of its `cases`; the first line of its documentation is its promise. A test
that fails is not repeated: one that fails now and then is a defect to mend."""

import argparse
import glob
import importlib
import inspect
import os
import sys
import traceback


class Failure(AssertionError):
    """An expectation that did not hold."""


class Skip(Exception):
    """Something the test needs is missing."""


def doc(function):
    return (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")


def parser(description):
    """The options of every runner."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--list", action="store_true", help="print names and promises, run nothing")
    parser.add_argument("--failed-only", action="store_true", help="print no line for tests that pass")
    parser.add_argument("--durations", action="store_true", help="print how long each test took")
    parser.add_argument("pattern", nargs="*", help="a part of the names wanted")
    return parser


def wanted(name, patterns):
    return not patterns or any(pattern in name for pattern in patterns)


def collect(folder, places=(None,)):
    """(name, function, values) of each test; with `places`, once for each of them, which is the only
    value then."""
    for path in sorted(glob.glob(folder + "/test_*.py")):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in list(vars(module).items()):
            if not name.startswith("test_") or getattr(function, "__module__", None) != module.__name__:
                continue
            rows = getattr(function, "cases", None) or {place: () if place is None else (place,) for place in places}
            for row, values in rows.items():
                full = "%s.%s%s" % (module.__name__[5:], name[5:], "[%s]" % row if row else "")
                yield full, function, values if isinstance(values, tuple) else (values,)


def print_list(tests):
    for name, function, _ in tests:
        print("%-60s %s" % (name, doc(function)))


def judge(function, *values):
    """Runs one test: ("ok", "skip" or "FAIL", text)."""
    try:
        function(*values)
        return "ok", ""
    except Skip as reason:
        return "skip", str(reason)
    except Failure as failure:
        return "FAIL", str(failure)
    except Exception:
        return "FAIL", traceback.format_exc()


MOST_LINES = 60


def shortened(text):
    """The lines of a text, the middle of a long one left out: some programs say a lot when they fail."""
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        half = MOST_LINES // 2
        lines[half:-half] = ["... %d lines ..." % (len(lines) - MOST_LINES)]
    return lines


class Report:
    """Prints a line for each test and `N passed, N failed` at the end. A skip is a failure where
    SANDBOX_TESTS_MUST_RUN is 1."""

    def __init__(self, args):
        self.args = args
        self.count = {"ok": 0, "FAIL": 0, "skip": 0}
        self.must_run = os.environ.get("SANDBOX_TESTS_MUST_RUN") == "1"

    def add(self, name, promise, verdict, text, seconds):
        if verdict == "skip" and self.must_run:
            verdict, text = "FAIL", "skipped: " + text
        self.count[verdict] += 1
        if verdict != "ok" or not self.args.failed_only:
            took = " (%.2f s)" % seconds if self.args.durations else ""
            print("%-4s %s%s%s" % (verdict, name, ": " + promise if promise else "", took))
        print("".join("     | %s\n" % line for line in shortened(text)), end="")
        sys.stdout.flush()

    def end(self):
        """The exit status: 0, 1 when something failed, 77 when nothing was run."""
        if self.count["skip"]:
            print("%d skipped" % self.count["skip"])
        print("%d passed, %d failed" % (self.count["ok"], self.count["FAIL"]))
        if self.count["FAIL"]:
            return 1
        return 0 if self.count["ok"] else 77
