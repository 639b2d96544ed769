#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests that need a real systemd, in virtual machines.

    tests/vm/run.py [--build FOLDER] [--image bookworm|trixie] [--list] [PATTERN...]

Every test_*(guest) of tests/vm/test_*.py runs once on each image, in a machine of its own, with what
was built beside it in /host/bin and /host/libexec (an installed tree in small). A pattern is a part
of "file.test[image]". One line per test, then `N passed, N failed`. Exit status: 0, 1 when something
failed, 77 when nothing could be run. After each test the machine is searched for what was left
behind. Two machines run at a time: they are emulated, and each wants a processor."""

import argparse
import concurrent.futures
import glob
import importlib
import os
import shutil
import sys
import tempfile
import time
import traceback

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, here)

import box  # noqa: E402
import machine  # noqa: E402
import vm  # noqa: E402

IMAGES = ("bookworm", "trixie")
PROGRAMS = ("qemu-system-x86_64", "qemu-img")
AT_ONCE = 2


def arguments():
    parser = argparse.ArgumentParser(description="Run the tests in virtual machines.")
    parser.add_argument("--build", help="the build folder (default: $BUILD, else build)")
    parser.add_argument("--image", action="append", choices=IMAGES, help="only this one")
    parser.add_argument("--list", action="store_true", help="print names and promises, run nothing")
    parser.add_argument("--failed-only", action="store_true", help="print no line for tests that pass")
    parser.add_argument("--durations", action="store_true", help="print how long each test took")
    parser.add_argument("pattern", nargs="*")
    return parser.parse_args()


def collect(args):
    """(name, function, image) of each test that is wanted."""
    for path in sorted(glob.glob(here + "/test_*.py")):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in vars(module).items():
            if not name.startswith("test_") or getattr(function, "__module__", None) != module.__name__:
                continue
            for image in args.image or IMAGES:
                full = "%s.%s[%s]" % (module.__name__[5:], name[5:], image)
                if not args.pattern or any(pattern in full for pattern in args.pattern):
                    yield full, function, image


def judge(function, image, files):
    """Runs one test in its own machine. Returns (verdict, text, seconds)."""
    begin = time.monotonic()
    folder = tempfile.mkdtemp(prefix="sandbox-vm-test.", dir="/var/tmp")
    try:
        os.chmod(folder, 0o777)
        for name, path in files.items():
            os.makedirs(os.path.dirname(folder + "/" + name), exist_ok=True)
            shutil.copy(path, folder + "/" + name)
        with box.Machine(image, folder) as guest:
            function(guest)
            box.nothing_left(guest)
        verdict, text = "ok", ""
    except box.Failure as failure:
        verdict, text = "FAIL", str(failure)
    except machine.Trouble as trouble:
        verdict, text = "FAIL", "\n".join(trouble.args)
    except Exception:
        verdict, text = "FAIL", traceback.format_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict, text, time.monotonic() - begin


def judge_again(*what):
    """A failure on a machine starved by the emulation must show twice; the first one is shown, too."""
    verdict, text, seconds = judge(*what)
    if verdict == "ok":
        return verdict, text, seconds
    again, more, longer = judge(*what)
    return again, "the first time: %s\n%s" % (text, more), seconds + longer


def report(args, full, function, result):
    verdict, text, seconds = result
    if verdict != "ok" or not args.failed_only:
        took = " (%.1f s)" % seconds if args.durations else ""
        print("%-4s %s: %s%s" % (verdict, full, box.doc(function), took))
    print("".join("     | %s\n" % line for line in text.splitlines()), end="", flush=True)


def main():
    args = arguments()
    tests = list(collect(args))
    if args.list:
        for full, function, _ in tests:
            print("%-60s %s" % (full, box.doc(function)))
        return 0
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        print("skipped: %s is not installed" % " and ".join(missing))
        print("0 passed, 0 failed")
        return 77
    files = box.built(args.build or os.environ.get("BUILD") or os.path.join(here, "../../build"))
    count = {"ok": 0, "FAIL": 0}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        # Both images are made at the same time, when they are not there yet.
        folders = dict(zip(IMAGES, pool.map(lambda name: name in {test[2] for test in tests} and vm.image(name), IMAGES)))
        runs = [(full, function, pool.submit(judge_again, function, folders[image], files)) for full, function, image in tests]
        for full, function, run in runs:
            count[run.result()[0]] += 1
            report(args, full, function, run.result())
    print("%d passed, %d failed" % (count["ok"], count["FAIL"]))
    if count["FAIL"]:
        return 1
    return 0 if count["ok"] else 77


if __name__ == "__main__":
    sys.exit(main())
