#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the budgets of CONTRIBUTING.md: the sizes of files and functions, nesting, what is not to be called, licences, paths."""

import ast
import re
import sys

import source

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 600
MAX_NESTING = 4

# "file:function" of those that are longer, each with its reason.
LONG_FUNCTIONS = {}

# "file:call" of what is called all the same, each with its reason.
ALLOWED = {
    "daemon/tpm2/ward-tpm2-rc.c:g_usleep": "a busy TPM gives no sign when it is ready again",
    "daemon/tpm2/ward-tpm2-self-test.c:g_usleep": "nor one that tests itself",
    "tests/unit/test-tpm.c:g_usleep": "a thread that ends slowly, which others are to wait for",
    "tests/unit/test-tpm2-fixture.c:g_usleep": "between two looks for a socket, until a deadline",
}

BANNED = re.compile(r"\b(?:goto\b|(?:strcpy|strcat|sprintf|vsprintf|gets|system|popen|g?_?u?sleep|nanosleep)\s*\()")
# A TPM2B's size is checked where it is filled, in one place: ward_tpm2b_set() and its like.
TPM2B_COPY = re.compile(r"\bmemcpy\s*\([^,;]*(?:\.|->)(?:buffer|name|secret|digest)\b")
NO_LICENCE_LINE = {"LICENSE", ".gitignore"}
MACHINE_PATH = re.compile(r"/wor[k]/|/roo[t]/|/hom[e]/\w|deb\.debian\.or[g]|pypi\.or[g]")


def check_c(path, text):
    lines = text.splitlines()
    for name, first, last in source.functions(text):
        if last - first + 1 > MAX_FUNCTION_LINES and f"{path}:{name}" not in LONG_FUNCTIONS:
            yield f"{path}:{first}: {name} has {last - first + 1} lines; {MAX_FUNCTION_LINES} are allowed"
        depth = source.nesting("\n".join(lines[first - 1 : last]))
        if depth > MAX_NESTING:
            yield f"{path}:{first}: {name} is nested {depth} deep; {MAX_NESTING} are allowed"
    for number, line in enumerate(source.without_comments(text).splitlines(), 1):
        match = BANNED.search(line)
        call = match[0].rstrip(" (") if match else None
        if call and f"{path}:{call}" not in ALLOWED:
            yield f"{path}:{number}: {call} is not used here"
        if TPM2B_COPY.search(line):
            yield f"{path}:{number}: fills a TPM2B by memcpy, where nothing checks its size"


def check_python(path, text):
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION_LINES and f"{path}:{node.name}" not in LONG_FUNCTIONS:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines; {MAX_FUNCTION_LINES} are allowed"


def check(path):
    try:
        text = source.read(path)
    except UnicodeDecodeError:
        return
    head = "\n".join(text.splitlines()[:5])
    if path not in NO_LICENCE_LINE and "SPDX-License-Identifier: " not in head:
        yield f"{path}:1: has no SPDX-License-Identifier in its first five lines"
    for number, line in enumerate(text.splitlines(), 1):
        if match := MACHINE_PATH.search(line):
            yield f"{path}:{number}: {match[0]} is a fact of one machine"
    first = text.split("\n", 1)[0]
    is_shell = re.match(r"#!.*\b(sh|bash)$", first)
    is_python = path.endswith(".py") or re.match(r"#!.*\bpython3?$", first)
    if path.endswith((".c", ".h")) or is_python or is_shell:
        if len(text.splitlines()) > MAX_FILE_LINES:
            yield f"{path}:1: has {len(text.splitlines())} lines; {MAX_FILE_LINES} are allowed"
    if path.endswith((".c", ".h")):
        yield from check_c(path, text)
    elif is_python:
        yield from check_python(path, text)


def main():
    findings = [finding for path in source.files() for finding in check(path)]
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
