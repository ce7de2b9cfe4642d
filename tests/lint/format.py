#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that all C is as clang-format writes it."""

import re
import shutil
import subprocess
import sys

import source

VERSION = 14  # Debian 12's; others lay out some constructs in another way


def main():
    tool = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
    if tool is None:
        print("skipped: there is no clang-format here (package clang-format)")
        return 77
    version = subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout
    if int(re.search(r"version (\d+)", version)[1]) != VERSION:
        print(f"skipped: clang-format {VERSION} decides, and this is {version.strip()}")
        return 77
    paths = list(source.files(".c", ".h"))
    return subprocess.run([tool, "--dry-run", "--Werror", *paths], cwd=source.TOP, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
