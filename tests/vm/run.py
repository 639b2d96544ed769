#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests that need a real systemd, in virtual machines.

    tests/vm/run.py [--build FOLDER] [--image bookworm|trixie] [--list] [PATTERN...]

Every test_*(guest) of tests/vm/test_*.py runs once on each image, in a machine of its own, with what
was built beside it in /host/bin and /host/libexec (an installed tree in small). A pattern is a part
of "file.test[image]". One line per test, then `N passed, N failed`. Exit status: 0, 1 when something
failed, 77 when nothing could be run. After each test the machine is searched for what was left
behind. Two machines run at a time: they are emulated, and each wants a processor."""

import concurrent.futures
import os
import shutil
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [here, os.path.dirname(here)]

import box  # noqa: E402
import harness  # noqa: E402
import machine  # noqa: E402
import vm  # noqa: E402

IMAGES = ("bookworm", "trixie")
PROGRAMS = ("qemu-system-x86_64", "qemu-img")
AT_ONCE = 2


def arguments():
    parser = harness.parser("Run the tests in virtual machines.")
    parser.add_argument("--build", help="the build folder (default: $BUILD, else build)")
    parser.add_argument("--image", action="append", choices=IMAGES, help="only this one")
    return parser.parse_args()


def inside(function, image, folder):
    try:
        with box.Machine(image, folder) as guest:
            function(guest)
            box.nothing_left(guest)
    except machine.Trouble as trouble:
        raise box.Failure("\n".join(trouble.args)) from trouble


def judge(function, image, files):
    """Runs one test in its own machine. Returns (verdict, text, seconds)."""
    begin = time.monotonic()
    folder = tempfile.mkdtemp(prefix="sandbox-vm-test.", dir="/var/tmp")
    try:
        os.chmod(folder, 0o777)
        for name, path in files.items():
            os.makedirs(os.path.dirname(folder + "/" + name), exist_ok=True)
            shutil.copy(path, folder + "/" + name)
        verdict, text = harness.judge(inside, function, image, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict, text, time.monotonic() - begin


def main():
    args = arguments()
    tests = [(name, function, values[0]) for name, function, values in harness.collect(here, args.image or IMAGES)
             if harness.wanted(name, args.pattern)]
    if args.list:
        harness.print_list(tests)
        return 0
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        print("skipped: %s is not installed" % " and ".join(missing))
        print("0 passed, 0 failed")
        return 77
    files = box.built(args.build or os.environ.get("BUILD") or os.path.join(here, "../../build"))
    report = harness.Report(args)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        # Both images are made at the same time, when they are not there yet.
        folders = dict(zip(IMAGES, pool.map(lambda name: name in {test[2] for test in tests} and vm.image(name), IMAGES)))
        runs = [(full, function, pool.submit(judge, function, folders[image], files)) for full, function, image in tests]
        for full, function, run in runs:
            report.add(full, harness.doc(function), *run.result())
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
