#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""commands.py TPMWARD: checks that the verbs and options of tpmward that documents and messages name are there, and so the methods of
the interfaces; and that the guide for those who come from tpm-tools has every command of these that is installed here."""

import functools
import glob
import os
import re
import shlex
import subprocess
import sys

import source

GUIDE = "MIGRATING.md"
DOCUMENTS = ("README.md", GUIDE)
FOLDERS = ("cli", "client", "daemon", "gui", "helper")
GROUPS = ("key", "nv")


@functools.cache
def shown(program, *words):
    return subprocess.run([program, *words, "--help"], check=False, stdout=subprocess.PIPE, text=True).stdout


def verbs(program, *group):
    listed = shown(program, *group).partition("\nVerbs:\n")[2].partition("\n\n")[0]
    return re.findall(r"(?m)^  ([a-z-]+)\b", listed)


def options(program, *words):
    lines = re.findall(r"(?m)^ +(-.*)", shown(program, *words))
    return {option for line in lines for option in re.findall(r"(?:^|, )(--?[a-z0-9-]+)", line)}


def named_by_document(text):
    blocks = "\n".join(re.findall(r"(?ms)^```\n(.*?)^```", text))
    yield from re.findall(r"(?m)^(?:\$ )?(tpmward .*)", blocks)
    yield from re.findall(r"`(tpmward [^`]+)`", re.sub(r"(?ms)^```.*?^```", "", text))


def named_by_code(text):
    joined = re.sub(r'"\s*\n\s*"', "", text)
    yield from re.findall(r"“(tpmward [a-z][^”]*)”", joined)


def words_of(command):
    """Up to what is the shell's own."""
    words = shlex.split(re.sub(r"\\n|%\w", " ", command), comments=True)[1:]
    ends = [n for n, word in enumerate(words) if re.match(r"[|;&<>]|\d<|>>", word)]
    return words[: ends[0]] if ends else words


def check(program, command):
    words = words_of(command)
    plain = [word for word in words if not word.startswith("-")]
    verb = plain[:1]
    if verb and verb[0] not in (*verbs(program), "help"):
        yield f"there is no verb “{verb[0]}”"
        return
    if verb and verb[0] in GROUPS and plain[1:2]:
        verb = plain[:2]
        if verb[1] not in verbs(program, verb[0]):
            yield f"{verb[0]} has no verb “{verb[1]}”"
            return
    for option in (word.partition("=")[0] for word in words if word.startswith("-") and word != "-"):
        if option not in options(program, *verb):
            yield f"{' '.join(verb)} has no option {option}"


def check_methods(text):
    for interface, member in re.findall(r"`org\.tpmward1\.(\w+)\.(\w+)`", text):
        described = source.read(f"dbus/org.tpmward1.{interface}.xml")
        if f'<method name="{member}">' not in described:
            yield f"{interface} has no method {member}"


def check_guide(text):
    there = {os.path.basename(path) for folder in ("bin", "sbin") for path in glob.glob(f"/usr/{folder}/tpm_*")}
    for name in sorted(there - set(re.findall(r"\btpm_\w+", text))):
        yield f"{name} is not told of"


def main():
    program = sys.argv[1]
    named = [(path, command) for path in DOCUMENTS for command in named_by_document(source.read(path))]
    for path in source.files(".c"):
        if path.startswith(FOLDERS):
            named += [(path, command) for command in named_by_code(source.read(path))]
    findings = [f"{path}: {command}: {finding}" for path, command in named for finding in check(program, command)]
    findings += [f"{path}: {finding}" for path in DOCUMENTS for finding in check_methods(source.read(path))]
    findings += [f"{GUIDE}: {finding}" for finding in check_guide(source.read(GUIDE))]
    print("\n".join(findings) if len(named) > 50 else "the search for commands finds next to none")
    return 1 if findings or len(named) <= 50 else 0


if __name__ == "__main__":
    sys.exit(main())
