#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs programs that try to get out of their box.

    tests/attack/run.py --sandbox BUILD/src/sandbox [--mode user|root|userns] [--list] [PATTERN...]

The programs are the probe's (tests/attack/*.c); what they achieved is judged outside: a file made or
changed, a signal delivered, bytes in a terminal's queue, a process still alive. Every attack has a
control, the same program without the box, or with the layer off that is to stop it, where it gets
through: an attack that could not have worked shows nothing. Options, output and exit status are
those of tests/system/run.py."""

import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(here, "../system"), here, os.path.join(here, "..")]

import run  # noqa: E402

if __name__ == "__main__":
    sys.exit(run.main(here))
