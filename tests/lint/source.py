# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lint tests share: the project's files, and C as far as they need to understand it."""

import os
import re

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

NOT_CODE = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.S | re.X,
)
LOOPS = {"if", "for", "while", "switch", "do"}


def files(*suffixes):
    """The project's own files, by their paths from the top; all of them if no suffix is given."""
    for folder, folders, names in os.walk(TOP):
        folders[:] = sorted(d for d in folders if not d.startswith(("_build", "__pycache__")) and d != ".git")
        for name in sorted(names):
            if not suffixes or name.endswith(suffixes):
                yield os.path.relpath(os.path.join(folder, name), TOP)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def without_comments(text, keep_strings=False):
    """C with its comments, and what is in its strings, blanked, and all lines where they were."""

    def blank(match):
        if match["text"] is not None:
            return match["text"] if keep_strings else '""'
        return " " + "\n" * match["comment"].count("\n")

    return NOT_CODE.sub(blank, text)


def functions(text):
    """Name, first line and last line of each function; clang-format sees to it that its braces are in the first column."""
    lines = without_comments(text).splitlines()
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{") and number and lines[number - 1].rstrip().endswith(")"):
            start = number
        elif line.startswith("}") and start is not None:
            heading = start - 1
            while heading > 0 and not re.match(r"\w+ \(", lines[heading]):
                heading -= 1
            yield re.match(r"\w*", lines[heading])[0], start + 1, number + 1
            start = None


def nesting(body):
    """How deep the control statements of a function's body, from brace to brace, lie within each other."""
    code = re.sub(r"(?m)^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", "", without_comments(body))
    tokens = re.findall(r"\w+|[{}();:?]", code)
    return statement(tokens, 0, 0)[1]


def group(tokens, at):
    """Where what a bracket at that place opens ends."""
    depth = 0
    while at < len(tokens):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(tokens[at], 0)
        at += 1
        if depth == 0:
            break
    return at


def statement(tokens, at, depth):
    """Where the statement at that place ends, and the depth that it reaches."""
    if at >= len(tokens):
        return at, depth
    token = tokens[at]
    if token == "{":
        return block(tokens, at, depth)
    if token in LOOPS:
        return control(tokens, at, depth)
    if token in ("case", "default"):
        while at < len(tokens) and tokens[at] != ":":
            at += 1
        return (at + 1, depth) if tokens[at + 1 : at + 2] == ["}"] else statement(tokens, at + 1, depth)
    while at < len(tokens) and tokens[at] != ";":
        at = group(tokens, at)
    return at + 1, depth


def block(tokens, at, depth):
    deepest = depth
    at += 1
    while at < len(tokens) and tokens[at] != "}":
        at, reached = statement(tokens, at, depth)
        deepest = max(deepest, reached)
    return at + 1, deepest


def control(tokens, at, depth):
    is_if, is_do = tokens[at] == "if", tokens[at] == "do"
    at = at + 1 if is_do else group(tokens, at + 1)
    at, deepest = statement(tokens, at, depth + 1)
    if is_do:
        return group(tokens, at + 1) + 1, deepest
    if is_if and tokens[at : at + 1] == ["else"]:
        # "else if" is one more branch, not one more level.
        at, reached = statement(tokens, at + 1, depth if tokens[at + 1 : at + 2] == ["if"] else depth + 1)
        deepest = max(deepest, reached)
    return at, deepest
