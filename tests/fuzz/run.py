#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fuzzes the parsers of outside input: tests/fuzz/README.md.

    tests/fuzz/run.py [--build FOLDER] [--seconds N] [--keep FOLDER] [TARGET...]

FOLDER is a build by clang with -Dfuzz=true -Db_sanitize=address,undefined; each of its targets runs for
N seconds (5), from the corpus and in memory alone: --keep FOLDER keeps what it found there, by target,
and goes on from it. An input that makes a target fail is left in the current directory and named.
One line per target, then `N passed, N failed`; 77 when nothing could be run."""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(here))

import harness  # noqa: E402

# Words that the targets of whole command lines and files are given: every name in the table of options.
WORDY = ("options", "spec", "profile")


def words(path):
    with open(here + "/../../src/cli/options.c", encoding="utf-8") as file:
        names = sorted({word for text in re.findall(r'"([a-z0-9][a-z0-9 -]+)"', file.read()) for word in text.split()})
    with open(path, "w", encoding="ascii") as file:
        file.writelines('"%s"\n' % name for name in names)
    return path


def seeds(target):
    folders = [here + "/corpus/" + target]
    if target == "options":
        folders.append(here + "/../golden")
    return [folder for folder in folders if os.path.isdir(folder)]


def fuzz(program, target, seconds, corpus, work):
    """Runs one target; what it says of itself."""
    command = [program, "-max_total_time=%d" % seconds, "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=1",
               "-max_len=4096", "-use_value_profile=0"]
    if target in WORDY:
        command.append("-dict=" + words(work + "/words"))
    done = subprocess.run([*command, corpus, *seeds(target)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds + 300, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise harness.Failure("\n".join(line for line in text.splitlines() if not re.match(r"#\d+\s", line))[-6000:])
    last = [line for line in text.splitlines() if " cov: " in line][-1]
    number = lambda name: re.search(r"\b%s: (\d+)" % name, last).group(1)
    runs = re.search(r"number_of_executed_units: (\d+)", text).group(1)
    return "%s executions in %d s, %s edges, %s features" % (runs, seconds, number("cov"), number("ft"))


def main():
    parser = argparse.ArgumentParser(description="Fuzz the parsers of outside input.")
    parser.add_argument("--build", help="a build with -Dfuzz=true (default: $BUILD, else build)")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--keep", help="a folder for what is found")
    parser.add_argument("target", nargs="*")
    args = parser.parse_args()
    args.failed_only = args.durations = False
    build = args.build or os.environ.get("BUILD") or here + "/../../build"
    programs = {os.path.basename(path)[5:]: path for path in sorted(glob.glob(build + "/tests/fuzz/fuzz-*")) if os.path.isfile(path)}
    report = harness.Report(args)
    with tempfile.TemporaryDirectory(prefix="sandbox-fuzz.") as work:
        for target, program in programs.items():
            if args.target and target not in args.target:
                continue
            corpus = os.path.join(args.keep or work, target)
            os.makedirs(corpus, exist_ok=True)
            said = []
            begin = time.monotonic()
            verdict, text = harness.judge(lambda: said.append(fuzz(program, target, args.seconds, corpus, work)))
            report.add("fuzz." + target, "".join(said), verdict, text, time.monotonic() - begin)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
