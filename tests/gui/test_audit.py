# SPDX-License-Identifier: LGPL-2.1-or-later
"""All that can be opened, as a screen reader has it: everything has a name, and the keyboard gets everywhere."""

import pytest
from cases import cases
from keys import Keys
from person import ROOT, TYPE_NAME, is_within
from test_walks import PAGES, go_to, open_key
from ward import wait_until

test_audit = cases("gui-audit")

INTERACTIVE = {
    "push button", "toggle button", "check box", "radio button", "text", "password text", "entry", "combo box", "spin button",
    "slider", "menu item", "link", "list item", "page tab", "switch",
}  # fmt: skip


def unnamed(app):
    """The widgets to be used that are named by nothing, or by the name of their type."""
    nodes = app.program.nodes()
    faults = []
    for node in nodes.values():
        if node.role not in INTERACTIVE or not {"focusable", "visible"} <= node.states:
            continue
        if node.name and not TYPE_NAME.fullmatch(node.name):
            continue
        if is_of_the_toolkit(node, nodes) or not was_ever_shown(app, node):
            continue
        faults.append(f"{node.role} “{node.name}” ({node.description}) in {' in '.join(ancestors(node, nodes))}")
    return faults


def ancestors(node, nodes):
    while node := nodes.get(node.parent):
        if node.name and not TYPE_NAME.fullmatch(node.name):
            yield f"{node.role} “{node.name}”"


def was_ever_shown(app, node):
    """What is in a closed row or on another page got no place in the window yet, and its name may come with it."""
    return app.program.extents(node.path)[2] > 0


def is_of_the_toolkit(node, nodes):
    """What libadwaita 1.2 leaves unnamed: what is in a combo row, the switch of an expander row, the search of preferences."""
    roles = []
    above = node
    while above := nodes.get(above.parent):
        roles.append(above.role)
    is_switch = node.name == "GtkSwitch" and roles.count("list item") > 1
    return node.description in ("Show Text", "Apply", "Search") or "combo box" in roles or is_switch


@pytest.fixture
def furnished(alice, fresh_tpm):
    """Keys to be shown."""
    keys = Keys(alice)
    keys.create(label="plain")
    keys.create(label="with a password", auth=b"right")


def wait_until_named(app):
    """What a page still loads may have no name yet."""
    try:
        wait_until(lambda: unnamed(app) == [], 5)
    except AssertionError:
        raise AssertionError("without a name:\n" + "\n".join(unnamed(app))) from None


def openers(app, inside=None):
    """What opens a dialog, by the words on it, in the order of the page."""
    nodes = app.program.nodes()
    labels = [node for node in nodes.values() if node.role == "label" and node.name.endswith("…")]
    found = {}
    for label in labels:
        node = label
        while node and node.role not in ("push button", "list item"):
            node = nodes.get(node.parent)
        if inside and not (node and is_within(node, nodes, inside)):
            continue
        if node and node.has("sensitive") and node.has("visible") and app.is_on_seen_page(node):
            found[node.role, node.name] = node
    return list(found)


def windows(app):
    return [node for node in app.program.nodes().values() if node.parent == ROOT]


def audit_dialog(app, role, name, inside=None):
    """Opens it, looks at it, and leaves it by the keyboard."""
    before = len(windows(app))
    app.click(role, name, inside=inside)
    wait_until(lambda: len(windows(app)) > before, why=f"the dialog of “{name}”")
    if windows(app)[-1].role in ("frame", "dialog"):  # others are the toolkit's, such as those that choose files
        wait_until_named(app)
    app.key("Escape")
    wait_until(lambda: len(windows(app)) == before, why=f"the end of the dialog of “{name}” by Escape")


def audit_details(app, title, but=()):
    """The dialog of one thing, and those that it opens."""
    dialog = app.wait_for("frame", title)
    wait_until_named(app)
    found = [(role, name) for role, name in openers(app, dialog) if name not in but]
    assert found
    for role, name in found:
        audit_dialog(app, role, name, dialog)


@pytest.mark.parametrize("page", PAGES)
def test_names(furnished, start_app, page):
    """With high contrast, whose look is drawn by other rules."""
    app = start_app(ADW_DEBUG_HIGH_CONTRAST="1")
    go_to(app, page)
    wait_until_named(app)
    for role, name in openers(app):
        audit_dialog(app, role, name)


def test_names_in_the_details_of_a_key(furnished, start_app):
    """But for what deletes it, which asks nothing beforehand."""
    app = start_app()
    open_key(app, "with a password")
    audit_details(app, "Key", but=["Delete…"])


def test_names_in_the_details_of_an_nv_index(furnished, start_app, root):
    root.call("Nv.Define", "uuasa{sv}", 0x1800001, 8, ["ownerread", "ownerwrite"], {})
    app = start_app()
    go_to(app, "Storage")
    app.click("list item", "Data of a Program")
    audit_details(app, "NV Index 0x01800001")


@pytest.mark.parametrize("name", ["Status Window", "Keyboard Shortcuts", "Help", "About TPM Manager"])
def test_names_behind_the_menu(furnished, start_app, name):
    """The menu, and what it opens and Escape closes; by keys alone."""
    app = start_app()
    app.wait_for("list item", "Overview")
    app.key("F10")
    app.wait_for("menu item", name, seen=False)
    wait_until_named(app)
    wait_until(lambda: app.focused().role == "menu item", why="the focus in the menu")
    for _ in range(6):
        if app.focused().name == name:
            break
        app.key("Down")
    assert app.focused().name == name
    app.key("Return")
    wait_until(lambda: len(windows(app)) > 1, why=f"the window of “{name}”")
    if name in ("Status Window", "Help"):  # the others are the toolkit's
        wait_until_named(app)
    app.key("Escape" if name != "Status Window" else "ctrl+w")
    wait_until(lambda: len(windows(app)) == 1, why=f"the end of the window of “{name}”")
