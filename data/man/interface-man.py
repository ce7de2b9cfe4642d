#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes org.tpmward1(5) from the interfaces' XML with its comments, and from the polkit policy.

Not made by gdbus-codegen, which drops annotations, and all but the first line of an argument's description."""

import argparse
import re
import textwrap
from xml.dom import minidom

ACTION = "org.tpmward1.Action"
MARKUP = re.compile(r"<literal>(.*?)</literal>|@(\w+)", re.S)


class Doc:
    """What a comment says: its summary, its paragraphs, and the descriptions of what is named with @."""

    def __init__(self, comment, name):
        heading, *lines = textwrap.dedent(comment.strip("\n")).strip().splitlines()
        if not heading.startswith(name + ":"):
            raise SystemExit(f"{name}: the comment before it is about something else: {heading}")
        self.named = {}
        self.paragraphs = [heading[len(name) + 1 :].strip()]
        target = None
        for line in map(str.strip, lines):
            named = re.match(r"@(\w+): *(.*)", line) if target != "body" else None
            if named:
                target = named[1]
                self.named[target] = named[2]
            elif not line:
                target = "body"
                self.paragraphs.append("")
            elif target in self.named:
                self.named[target] += " " + line
            else:
                self.paragraphs[-1] = f"{self.paragraphs[-1]} {line}".strip()
        self.paragraphs = [paragraph for paragraph in self.paragraphs if paragraph]


def escape(text):
    return text.replace("\\", "\\e").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def roff(text):
    """Text with the comments' markup, one sentence a line."""
    out = ""
    end = 0
    for match in MARKUP.finditer(text):
        out += escape(text[end : match.start()])
        literal, name = match[1], match[2]
        out += f"\\fB{escape(literal).replace('-', chr(92) + '-')}\\fR" if literal else f"\\fI{name}\\fR"
        end = match.end()
    out += escape(text[end:])
    lines = re.sub(r"(?<=[\w)\]][.]) (?=[A-Z])", "\n", " ".join(out.split()))
    return re.sub(r"(?m)^(?=[.'])", r"\\&", lines)


def children(node, tag):
    return [child for child in node.childNodes if child.nodeName == tag]


def annotation(node, name):
    for child in children(node, "annotation"):
        if child.getAttribute("name") == name:
            return child.getAttribute("value")
    return None


def doc_of(node):
    name = node.getAttribute("name")
    before = node.previousSibling
    while before is not None and before.nodeType == node.TEXT_NODE:
        before = before.previousSibling
    if before is None or before.nodeType != node.COMMENT_NODE:
        raise SystemExit(f"{name}: there is no comment before it")
    return Doc(before.data, name)


def arguments(node, direction):
    chosen = [arg for arg in children(node, "arg") if arg.getAttribute("direction") == direction]
    return ", ".join(f"{arg.getAttribute('type')}\\ \\fI{arg.getAttribute('name')}\\fR" for arg in chosen)


def signature(node):
    name = f"\\fB{node.getAttribute('name')}\\fR"
    if node.nodeName == "property":
        return f"{name} {node.getAttribute('type')}"
    out = arguments(node, "out") if node.nodeName == "method" else ""
    return f"{name}({arguments(node, 'in')})" + (f" \\(-> ({out})" if out else "")


def body(paragraphs):
    return "\n.IP\n".join(roff(paragraph) for paragraph in paragraphs)


def described_arguments(node, doc):
    lines = [".RS"]
    for arg in children(node, "arg"):
        name = arg.getAttribute("name")
        if name not in doc.named:
            raise SystemExit(f"{node.getAttribute('name')}: its argument {name} is not described")
        lines += [".TP", f"\\fI{name}\\fR", roff(doc.named[name])]
    return lines + [".RE"]


def method(node):
    doc = doc_of(node)
    errors = [paragraph for paragraph in doc.paragraphs if paragraph.startswith("Errors:")]
    rest = [paragraph for paragraph in doc.paragraphs if paragraph not in errors]
    lines = [".TP", signature(node), f"Action: \\fI{(annotation(node, ACTION) or 'none').replace('-', chr(92) + '-')}\\fR"]
    lines += [".IP", body(rest)] if rest else []
    lines += described_arguments(node, doc) if children(node, "arg") else []
    return lines + ([".IP", body(errors)] if errors else [])


def member(node):
    if node.nodeName == "method":
        return method(node)
    doc = doc_of(node)
    arguments_ = described_arguments(node, doc) if children(node, "arg") else []
    return [".TP", signature(node), body(doc.paragraphs)] + arguments_


def interface(path):
    node = minidom.parse(path).getElementsByTagName("interface")[0]
    doc = doc_of(node)
    lines = [f".SS {node.getAttribute('name')}", roff(doc.named.pop("short_description")) + "."]
    for paragraph in doc.paragraphs:
        lines += [".PP", roff(paragraph)]
    for tag, title in (("method", "Methods"), ("property", "Properties"), ("signal", "Signals")):
        members = children(node, tag)
        if members:
            lines += [".PP", f"{title}:"]
        for each in members:
            lines += member(each)
    return lines


def text_of(node, tag):
    return next(child for child in children(node, tag) if not child.hasAttribute("xml:lang")).firstChild.data


def actions(path):
    lines = []
    for node in minidom.parse(path).getElementsByTagName("action"):
        defaults = children(node, "defaults")[0]
        any_, inactive, active = (text_of(defaults, "allow_" + who) for who in ("any", "inactive", "active"))
        name = node.getAttribute("id").replace("-", "\\-")
        lines += [".TP", f"\\fB{name}\\fR", escape(text_of(node, "description")) + "."]
        if any_ == inactive == active:
            lines.append(f"By default: {any_}.")
        else:
            lines.append(f"By default: {active} for the active local session, {inactive} for others there, {any_} for all others.")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("template")
    parser.add_argument("policy")
    parser.add_argument("interfaces", nargs="+")
    args = parser.parse_args()
    values = dict(pair.split("=", 1) for pair in args.set)
    values["actions"] = "\n".join(actions(args.policy))
    values["interfaces"] = "\n".join(line for path in args.interfaces for line in interface(path))
    with open(args.template, encoding="utf-8") as template:
        print(re.sub(r"@(\w+)@", lambda match: values[match[1]], template.read()), end="")


if __name__ == "__main__":
    main()
