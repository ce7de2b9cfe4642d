#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interfaces, the polkit policy and the documentation say the same."""

import functools
import glob
import os
import re
import subprocess
import tempfile
import unittest
from xml.dom import minidom

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
ACTION = "org.tpmward1.Action"
BYTES_ANNOTATION = "org.gtk.GDBus.C.ForceGVariant"
PRIVATE = "org.tpmward1.Helper.xml"  # between the service and its helper, and no caller's
OF_KEYS = ("Keys", "SystemKeys")  # of one template


def path(*parts):
    return os.path.join(TOP, *parts)


def read(*parts):
    with open(path(*parts), encoding="utf-8") as file:
        return file.read()


@functools.lru_cache
def sources():
    """Each interface's file name and text."""
    files = sorted(glob.glob(path("dbus", "*.xml")))
    texts = [(os.path.basename(file), read("dbus", os.path.basename(file))) for file in files]
    with tempfile.TemporaryDirectory() as folder:
        for name in OF_KEYS:
            target = os.path.join(folder, name)
            subprocess.run([path("dbus", "make-keys-xml.py"), path("dbus", "keys.xml.in"), target, name], check=True)
            texts.append((f"org.tpmward1.{name}.xml", read(target)))
    return texts


def children(node, tag):
    return [child for child in node.childNodes if child.nodeName == tag]


def annotations(node):
    return {child.getAttribute("name"): child.getAttribute("value") for child in children(node, "annotation")}


def interfaces(*also):
    """Those for callers, and that of the files named."""
    for name, text in sources():
        if name != PRIVATE or PRIVATE in also:
            yield from minidom.parseString(text.encode()).getElementsByTagName("interface")


def members(*tags, also=()):
    """Each member of those kinds with its full name."""
    for interface in interfaces(*also):
        for tag in tags:
            for node in children(interface, tag):
                yield f"{interface.getAttribute('name')}.{node.getAttribute('name')}", node


def comment_before(node):
    before = node.previousSibling
    while before is not None and before.nodeType == node.TEXT_NODE:
        before = before.previousSibling
    return before.data.strip() if before is not None and before.nodeType == node.COMMENT_NODE else ""


def policy():
    return minidom.parse(path("polkit", "org.tpmward.policy")).getElementsByTagName("action")


class Authorization(unittest.TestCase):
    def test_every_method_names_its_action(self):
        known = {action.getAttribute("id") for action in policy()} | {"public"}
        for name, method in members("method"):
            with self.subTest(name):
                self.assertIn(annotations(method).get(ACTION), known)

    def test_every_action_of_the_policy_is_some_methods(self):
        used = {annotations(method).get(ACTION) for _, method in members("method")}
        for action in policy():
            with self.subTest(action.getAttribute("id")):
                self.assertIn(action.getAttribute("id"), used)

    def test_every_action_lets_the_service_ask_with_details(self):
        for action in policy():
            owners = [node.firstChild.data for node in children(action, "annotate")]
            with self.subTest(action.getAttribute("id")):
                self.assertEqual(owners, ["unix-user:tpmward"])

    def test_no_property_can_be_written(self):
        for name, node in members("property"):
            with self.subTest(name):
                self.assertEqual(node.getAttribute("access"), "read")


class Helper(unittest.TestCase):
    """The service's own interface to its helper: who may call it is for the bus to say."""

    def methods(self):
        return [(name, node) for name, node in members("method", also=[PRIVATE]) if ".Helper." in name]

    def test_no_method_of_it_asks_polkit(self):
        self.assertTrue(self.methods())
        for name, method in self.methods():
            with self.subTest(name):
                self.assertNotIn(ACTION, annotations(method))

    def test_no_method_of_it_can_be_given_a_path_or_a_command(self):
        """The only strings are names that the helper looks up in what it knows: test_helper.py sees it refuse all others; and which start of
        tcsd is meant, which it compares with systemd's word."""
        names = {("tpm", "s"), ("service", "s"), ("start", "s")}
        for name, method in self.methods():
            arguments = [arg for arg in children(method, "arg") if arg.getAttribute("direction") == "in"]
            given = {(arg.getAttribute("name"), arg.getAttribute("type")) for arg in arguments} - names
            with self.subTest(name):
                self.assertLessEqual(set("".join(kind for _, kind in given)), set("bu"))

    def test_the_bus_lets_only_the_service_call_it(self):
        rules = {}
        for policy_node in minidom.parse(path("dbus", "org.tpmward1.conf")).getElementsByTagName("policy"):
            whom = policy_node.getAttribute("user") or policy_node.getAttribute("context")
            for verdict in ("allow", "deny"):
                for rule in children(policy_node, verdict):
                    if rule.getAttribute("send_destination") == "org.tpmward1.Helper":
                        rules[whom] = verdict
        self.assertEqual(rules, {"default": "deny", "tpmward": "allow"})


class Policy(unittest.TestCase):
    def test_every_text_is_there_in_each_language(self):
        for action in policy():
            for tag in ("description", "message"):
                languages = sorted(node.getAttribute("xml:lang") for node in children(action, tag))
                with self.subTest(action.getAttribute("id"), text=tag):
                    self.assertEqual(languages, ["", "de"])

    def test_every_message_names_the_tpm_in_each_language(self):
        """But of an action that the manager's methods ask for, too, which are about no TPM: polkit would show the name's place."""
        of_no_tpm = {annotations(method).get(ACTION) for name, method in members("method") if ".Manager." in name}
        for action in policy():
            name = action.getAttribute("id")
            for message in children(action, "message"):
                with self.subTest(name, language=message.getAttribute("xml:lang")):
                    self.assertEqual("$(tpm)" in message.firstChild.data, name not in of_no_tpm)

    def test_the_example_rules_name_actions_that_exist(self):
        named = set(re.findall(r"org\.tpmward\.[a-z-]+", re.sub(r"//.*", "", read("polkit", "50-org.tpmward.example.rules"))))
        self.assertTrue(named)
        self.assertLessEqual(named, {action.getAttribute("id") for action in policy()})


class Documentation(unittest.TestCase):
    def test_every_member_has_a_comment_of_its_own(self):
        for name, node in members("method", "property", "signal", also=[PRIVATE]):
            with self.subTest(name):
                heading, _, text = comment_before(node).partition(":")
                self.assertEqual(heading, node.getAttribute("name"))
                self.assertTrue(text.strip())

    def test_every_interface_has_a_comment_with_a_short_description(self):
        for interface in interfaces(PRIVATE):
            with self.subTest(interface.getAttribute("name")):
                comment = comment_before(interface)
                self.assertTrue(comment.startswith(interface.getAttribute("name") + ":"))
                self.assertIn("@short_description: ", comment)

    def test_every_argument_has_a_name_and_a_description(self):
        for name, node in members("method", "signal", also=[PRIVATE]):
            for arg in children(node, "arg"):
                with self.subTest(name, argument=arg.getAttribute("name")):
                    self.assertRegex(comment_before(node), rf"@{arg.getAttribute('name') or '?'}: \S")

    def test_every_error_is_in_the_man_page(self):
        names = re.findall(r'X \(\w+, "(\w+)"\)', read("dbus", "ward-error-names.h"))
        self.assertTrue(names)
        for name in names:
            with self.subTest(name):
                self.assertIn(f"\n.B {name}\n", read("data", "man", "org.tpmward1.5.in"))

    def test_every_finding_of_the_doctor_is_in_the_comment_of_diagnose(self):
        ids = re.findall(r'^  \{ "([a-z0-9-]+)", (?:TRUE|FALSE) \},$', read("daemon", "core", "ward-finding.c"), re.M)
        self.assertGreater(len(ids), 20)
        (diagnose,) = [node for name, node in members("method") if name == "org.tpmward1.Manager.Diagnose"]
        for finding in ids:
            with self.subTest(finding):
                self.assertIn(f"<literal>{finding}</literal>", comment_before(diagnose))

    def test_every_error_that_a_comment_names_exists(self):
        names = set(re.findall(r'X \(\w+, "(\w+)"\)', read("dbus", "ward-error-names.h")))
        for file, text in sources():
            with self.subTest(file):
                self.assertLessEqual(set(re.findall(r"org\.tpmward1\.Error\.(\w+)", text)), names)


class OfKeys(unittest.TestCase):
    """The two interfaces of one template."""

    def methods(self, name):
        return {node.getAttribute("name"): node for full, node in members("method") if full.split(".")[2] == name}

    def test_system_keys_has_the_methods_of_keys_and_those_about_all_keys_and_the_chip(self):
        own, system = (self.methods(name) for name in OF_KEYS)
        self.assertEqual(set(system) - set(own), {"ListAll", "Persist", "Evict", "ListPersistent"})
        for name, node in own.items():
            with self.subTest(name):
                kinds = [[(arg.getAttribute("name"), arg.getAttribute("type")) for arg in children(method, "arg")]
                         for method in (node, system[name])]  # fmt: skip
                self.assertEqual(*kinds)

    def test_the_same_is_asked_of_polkit_for_nothing_but_what_anybody_may_read(self):
        own, system = (self.methods(name) for name in OF_KEYS)
        same = {name for name in own if annotations(own[name])[ACTION] == annotations(system[name])[ACTION]}
        self.assertEqual(same, {"List", "Describe", "GetPublicKey"})


class Types(unittest.TestCase):
    def test_bytes_reach_the_code_with_their_length(self):
        for name, node in members("method", "signal", also=[PRIVATE]):
            for arg in children(node, "arg"):
                if arg.getAttribute("type") == "ay":
                    with self.subTest(name, argument=arg.getAttribute("name")):
                        self.assertEqual(annotations(arg).get(BYTES_ANNOTATION), "true")


if __name__ == "__main__":
    unittest.main()
