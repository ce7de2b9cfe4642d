#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""analysers.py cppcheck|clang-tidy BUILD-FOLDER: runs one of them over the project's C with the checks chosen."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys

import source

# Not "style": it has opinions about GLib's macros. The suppressed ones are about what cppcheck cannot see or does not know: who frees
# what GLib was handed is for the leak sanitizer to find.
CPPCHECK = [
    "--enable=warning,performance,portability",
    "--error-exitcode=1",
    "--inline-suppr",
    "--library=gtk",
    "--quiet",
    "--suppress=memleak",
    "--suppress=missingInclude",
    "--suppress=unknownMacro",
    "--suppress=preprocessorErrorDirective",
    "--template=gcc",
]


def compiled(build):
    """The project's own C files of the last build, by absolute path."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    paths = {os.path.normpath(os.path.join(command["directory"], command["file"])) for command in commands}
    own = {os.path.join(source.TOP, path) for path in source.files(".c")}
    return sorted(paths & own)


def cppcheck(build):
    # Its own reading of the list of commands also checks what is generated.
    includes = sorted({f"-I{source.TOP}/{os.path.dirname(path)}" for path in source.files(".h")})
    command = ["cppcheck", *CPPCHECK, *includes, f"-I{build}", "-j", str(os.cpu_count()), *compiled(build)]
    return subprocess.run(command, cwd=source.TOP, check=False).returncode


# The analyser gives a function up after so many steps. Three times as many, its default, find nothing more here, in twice the time.
TIDY = ["-Wno-unknown-warning-option", "-Xclang", "-analyzer-config", "-Xclang", "max-nodes=75000"]


def tidy_one(build, path):
    command = ["clang-tidy", "--quiet", "-p", build, *(f"--extra-arg={argument}" for argument in TIDY), path]
    run = subprocess.run(command, cwd=source.TOP, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return run.returncode, run.stdout


def clang_tidy(build):
    # Tests are left to the sanitizers, and the command and what reads GTK's headers to cppcheck and the compiler: they are too many for its
    # pace, and what is privileged comes first.
    slow = tuple(os.path.join(source.TOP, folder, "") for folder in ("cli", "gui", "tests"))
    paths = [path for path in compiled(build) if not path.startswith(slow)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda path: tidy_one(build, path), paths))
    for code, out in results:
        if code:
            print(out)
    return 1 if any(code for code, _ in results) else 0


def main():
    tool, build = sys.argv[1], os.path.abspath(sys.argv[2])
    if shutil.which(tool) is None:
        print(f"skipped: there is no {tool} here (package {tool})")
        return 77
    return {"cppcheck": cppcheck, "clang-tidy": clang_tidy}[tool](build)


if __name__ == "__main__":
    sys.exit(main())
