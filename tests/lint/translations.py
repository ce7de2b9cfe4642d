#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that translators are given all that people see, and that the translations that there are lack nothing.

A text that nobody has marked is found where its place tells that it is shown: in the properties of templates that hold texts, and as an
argument of the functions that show one."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import source

FOLDERS = ("client", "data", "gui")
MARK = re.compile(r"\b(?:_|N_|C_|NC_|ngettext) ?\(")
# Properties whose values people read.
SHOWN = {"label", "title", "subtitle", "description", "tooltip-text", "placeholder-text", "text", "help-text"}
# Functions whose only text is one that people read.
SHOWING = re.compile(
    r"\b(?:gtk_label_set_(?:text|label)|gtk_button_set_label|gtk_widget_set_tooltip_text|gtk_window_set_title"
    r"|adw_\w+_set_(?:title|subtitle|description)) ?\([^;\"]*\"((?:\\.|[^\"\\])*)\"[^;]*;"
)
KEYWORDS = ("_", "N_", "C_:1c,2", "NC_:1c,2", "g_dngettext:2,3", "ngettext:1,2")


def is_words(text):
    return text is not None and re.search(r"[A-Za-z]{2}", re.sub(r"%\w+", "", text)) is not None


def lines_of(path):
    return [line for line in source.read(path).splitlines() if line and not line.startswith("#")]


def listed():
    """What has something for translators."""
    for path in source.files(".c", ".ui", ".in", ".xml"):
        if not path.startswith(tuple(f"{folder}{os.sep}" for folder in FOLDERS)):
            continue
        is_code = path.endswith(".c") and MARK.search(source.without_comments(source.read(path)))
        is_template = path.endswith(".ui") and 'translatable="yes"' in source.read(path)
        if is_code or is_template or path.endswith((".desktop.in", ".metainfo.xml.in", ".gschema.xml")):
            yield path


def check_list():
    given, expected = lines_of("po/POTFILES"), sorted(listed())
    yield from (f"po/POTFILES lacks {path}" for path in sorted(set(expected) - set(given)))
    yield from (f"po/POTFILES names {path}, which has nothing to translate" for path in sorted(set(given) - set(expected)))
    if given != sorted(given):
        yield "po/POTFILES is not sorted"


def check_templates():
    for path in source.files(".ui"):
        for property_ in ElementTree.fromstring(source.read(path)).iter("property"):
            name = property_.get("name", "").replace("_", "-")
            if name in SHOWN and is_words(property_.text) and property_.get("translatable") != "yes":
                yield f"{path}: “{property_.text}” ({name}) is not translatable"


def check_code():
    for path in source.files(".c"):
        if not path.startswith(f"gui{os.sep}"):
            continue
        for match in SHOWING.finditer(source.without_comments(source.read(path), keep_strings=True)):
            is_key = re.fullmatch("[a-z-]+", match[1])  # of a dictionary
            if is_words(match[1]) and not is_key and not MARK.search(match[0]):
                yield f"{path}: “{match[1]}” is not marked for translation"


def run(*command):
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    return subprocess.run(command, cwd=source.TOP, capture_output=True, text=True, check=False, env=environment)


def check_translation(language, template, folder):
    path = os.path.join("po", f"{language}.po")
    merged = os.path.join(folder, f"{language}.po")
    done = run("msgmerge", "--quiet", "--no-fuzzy-matching", "--output-file", merged, path, template)
    checked = run("msgfmt", "--check", "--output-file", os.devnull, path)
    if done.returncode or checked.returncode:
        yield f"{path}: {done.stderr}{checked.stderr}"
        return
    for lacking, options in (("no translation", ["--untranslated"]), ("a doubtful one", ["--only-fuzzy"])):
        for file in (merged, path):
            found = run("msgattrib", "--no-wrap", "--no-obsolete", *options, file).stdout
            texts = [text for text in re.findall(r'(?m)^msgid "(.+)"$', found) if text]
            yield from (f"{path}: there is {lacking} of “{text}”" for text in texts)


def check_translations():
    with tempfile.TemporaryDirectory() as folder:
        template = os.path.join(folder, "all.pot")
        keywords = [f"--keyword={keyword}" for keyword in KEYWORDS]
        done = run("xgettext", "--from-code=UTF-8", *keywords, "--files-from=po/POTFILES", "--output", template)
        if done.returncode or "warning:" in done.stderr:
            yield f"xgettext: {done.stderr}"
            return
        for language in lines_of("po/LINGUAS"):
            yield from check_translation(language, template, folder)


def main():
    findings = [*check_list(), *check_templates(), *check_code()]
    if not shutil.which("xgettext"):
        print("skipped: there is no xgettext here (package gettext)")
        return 1 if findings else 77
    findings += check_translations()
    print("\n".join(dict.fromkeys(findings)))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
