#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that the functions, types, files and links that the documents name exist."""

import os
import re
import sys

import source

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "MIGRATING.md")
FOLDERS = ("client", "cli", "daemon", "data", "dbus", "helper", "polkit", "tests")


def check(path, code):
    text = re.sub(r"(?s)^```.*?^```", "", source.read(path), flags=re.M)
    for function in re.findall(r"`(\w+)\(\)`", text):
        # A definition begins its line, in the layout that clang-format gives it.
        if not re.search(rf"(?m)^{function} \(", code) and function != "ward_noun_verb":
            yield f"{path}: {function}() is defined nowhere"
    for name in re.findall(r"`(Ward[A-Z]\w+)`", text):
        if not re.search(rf"\b{name}\b", code) and name != "WardNoun":
            yield f"{path}: {name} is defined nowhere"
    for named in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^`\s]*)`", text) + re.findall(r"\]\(([^)#:]+)\)", text):
        if not os.path.exists(os.path.join(source.TOP, named)):
            yield f"{path}: {named} does not exist"


def main():
    code = "\n".join(source.without_comments(source.read(path)) for path in source.files(".c", ".h"))
    findings = [finding for path in DOCUMENTS for finding in check(path, code)]
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
