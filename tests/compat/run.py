#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs other people's programs in the default box: what breaks their work is switched off.

    tests/compat/run.py --sandbox BUILD/src/sandbox [--list] [PATTERN...]

As an ordinary user, with the default filter and all other defaults; judged by their exact output.
Programs are the host's (tests/compat/packages); services run as root of a Debian root directory
(tests/compat/packages-root), whose tar is $SANDBOX_DEBIAN. Options, output and exit status are those
of tests/system/run.py."""

import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(here, "../system"), here, os.path.join(here, "..")]

import run  # noqa: E402

if __name__ == "__main__":
    sys.exit(run.main(here))
