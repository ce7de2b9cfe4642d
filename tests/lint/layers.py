#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""layers.py LIBRARY PREFIX…: checks that a static library refers to no symbol that begins with one of the prefixes."""

import shutil
import subprocess
import sys


def main():
    library, *prefixes = sys.argv[1:]
    if shutil.which("nm") is None:
        print("skipped: there is no nm here (package binutils)")
        return 77
    out = subprocess.run(["nm", "--undefined-only", "-A", library], check=True, capture_output=True, text=True).stdout
    wrong = [line for line in out.splitlines() if line.split()[-1].startswith(tuple(prefixes))]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
