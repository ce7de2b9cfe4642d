#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""exports.py PROGRAM SYMBOL…: checks that a program defines each of the symbols for the libraries that it is run with, too."""

import shutil
import subprocess
import sys


def main():
    program, *symbols = sys.argv[1:]
    if shutil.which("nm") is None:
        print("skipped: there is no nm here (package binutils)")
        return 77
    out = subprocess.run(["nm", "--dynamic", "--defined-only", program], check=True, capture_output=True, text=True).stdout
    missing = set(symbols) - {line.split()[-1] for line in out.splitlines()}
    print("\n".join(f"{program} does not define {symbol}" for symbol in sorted(missing)))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
