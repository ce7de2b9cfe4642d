# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program as it is started: its options, its keys, one process for all, and what it tells the desktop."""

import os
import re
import signal
import subprocess

import desktop
import person
import pytest
import ward
from gi.repository import Gio, GLib
from keys import Keys

PROGRAM = ward.ROOT / "build/gui/tpmward-gui"
NOTIFICATIONS = "org.freedesktop.Notifications"
NOTIFICATIONS_XML = """<node><interface name="org.freedesktop.Notifications">
  <method name="GetCapabilities"><arg type="as" direction="out"/></method>
  <method name="GetServerInformation">
    <arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/>
  </method>
  <method name="Notify">
    <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="s" direction="in"/><arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/>
    <arg type="u" direction="out"/>
  </method>
  <method name="CloseNotification"><arg type="u" direction="in"/></method>
</interface></node>"""
PAGES = [
    ("1", "Overview"), ("2", "Ownership"), ("3", "Keys"), ("4", "Boot State"), ("5", "Storage"), ("6", "Doctor"),
]  # fmt: skip


@pytest.fixture
def start(desktops):
    """start(ARGUMENTS…): runs the program to its end."""
    its_desktop = desktops("ward-alice")

    def run(*arguments, **environment):
        return subprocess.run(
            [PROGRAM, *arguments], env={**its_desktop.environment, **environment}, capture_output=True, text=True,
            check=False, timeout=30, user="ward-alice", group="ward-alice", extra_groups=[], cwd="/",
        )  # fmt: skip

    return run


def page_of(me):
    """The page that the sidebar marks."""
    return [node.name for node in me.find_all("list item", seen=False) if node.has("selected")]


def wait_for_page(me, title):
    ward.wait_until(lambda: page_of(me) == [title], why=f"the page {title}")


def window_names(me):
    return sorted(
        subprocess.run(["xdotool", "getwindowname", number], capture_output=True, text=True, check=False, env=me.environment)
        .stdout.strip()
        for number, _ in me.windows()
    )  # fmt: skip


def test_version(start):
    done = start("--version", DISPLAY="")
    assert done.returncode == 0
    assert re.fullmatch(r"tpmward-gui \d+\.\d+\.\d+\n", done.stdout)


def test_help(start):
    done = start("--help")
    assert done.returncode == 0
    assert "--page" in done.stdout and "--selftest-panel" in done.stdout and "security chip" in done.stdout


def test_unknown_page(start):
    done = start("--page", "nowhere")
    assert done.returncode == 1
    assert "no page “nowhere”" in done.stderr and "--help" in done.stderr


def test_keys(app):
    """Everything of the frame can be reached without a mouse."""
    for digit, title in PAGES:
        app.key(f"alt+{digit}")
        wait_for_page(app, title)
    app.key("F9", "Up", "Return")
    wait_for_page(app, "Storage")
    app.key("F10")
    app.wait_for("menu item", "Keyboard Shortcuts", seen=False)
    app.key("Escape")
    app.key("F1")
    app.wait_for("label", "What the Words Mean")
    app.key("Escape")
    app.wait_for_no("label", "What the Words Mean")
    app.key("ctrl+question")
    app.wait_for("label", "Read Everything Again")
    app.key("Escape")
    app.key("ctrl+q")
    assert app.program.process.wait(10) == 0


def test_closing_the_window_ends_it(app):
    app.key("ctrl+w")
    assert app.program.process.wait(10) == 0


def test_second_start(app, start):
    """What it was asked for is shown by the first one, in its window."""
    assert start("--page", "keys").returncode == 0
    wait_for_page(app, "Keys")
    assert start().returncode == 0
    assert window_names(app) == ["TPM Manager"]
    assert start("--selftest-panel").returncode == 0
    ward.wait_until(lambda: window_names(app) == ["TPM Manager", "TPM Status"], why="the status window")


def test_started_by_the_bus(desktops, fresh_tpm):
    """As a desktop does that starts programs by D-Bus: it comes without a window, and shows what is asked for."""
    its_desktop = desktops("ward-alice")
    its_desktop.accessibility()
    process = its_desktop.start([PROGRAM, "--gapplication-service"], "app")
    bus = desktop.Desktop.connect(its_desktop.environment["DBUS_SESSION_BUS_ADDRESS"])

    def call(name, path, method, arguments):
        interface, _, member = method.rpartition(".")
        return bus.call_sync(name, path, interface, member, arguments, None, Gio.DBusCallFlags.NONE, 10_000, None).unpack()

    def is_there():
        name = GLib.Variant("(s)", ["org.tpmward.Manager"])
        return call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", name)[0]

    ward.wait_until(is_there, why="the program on the session bus")
    arguments = GLib.Variant("(sava{sv})", ["panel", [], {}])
    call("org.tpmward.Manager", "/org/tpmward/Manager", "org.freedesktop.Application.ActivateAction", arguments)
    me = person.Person(person.Program(its_desktop, process).wait_for_start())
    ward.wait_until(lambda: window_names(me) == ["TPM Status"], why="the status window")
    bus.close_sync(None)
    me.key("ctrl+q")
    assert process.wait(10) == 0


def test_panel(start_app):
    me = start_app("--selftest-panel")
    me.wait_for_text("IBM SW TPM")
    assert window_names(me) == ["TPM Status"]
    me.key("Tab", "Return")  # the button in its header bar
    me.wait_for("list item", "Overview")


def test_without_schema(start_app):
    """It remembers nothing, and works."""
    me = start_app("--page", "storage", GSETTINGS_SCHEMA_DIR="/nonexistent")
    me.wait_for("list item", "Overview")
    wait_for_page(me, "Storage")
    me.key("ctrl+q")
    assert me.program.process.wait(10) == 0


def test_remembers_the_page(start_app):
    me = start_app(GSETTINGS_BACKEND="keyfile")
    me.wait_for("list item", "Overview")
    me.key("alt+4")
    wait_for_page(me, "Boot State")
    me.key("ctrl+q")
    assert me.program.process.wait(10) == 0
    again = start_app(GSETTINGS_BACKEND="keyfile")
    again.wait_for("list item", "Overview")
    wait_for_page(again, "Boot State")


class Notifications:
    """The part of a desktop that shows notifications."""

    def __init__(self, its_desktop):
        self.bus = desktop.Desktop.connect(its_desktop.environment["DBUS_SESSION_BUS_ADDRESS"])
        self.shown = {}
        interface = Gio.DBusNodeInfo.new_for_xml(NOTIFICATIONS_XML).interfaces[0]
        self.bus.register_object("/org/freedesktop/Notifications", interface, self.on_call, None, None)
        self.bus.call_sync(
            "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName", GLib.Variant("(su)", [NOTIFICATIONS, 0]),
            None, Gio.DBusCallFlags.NONE, 10_000, None,
        )  # fmt: skip
        self.n_told = 0

    def on_call(self, _bus, sender, _path, _interface, method, arguments, invocation):
        reply = None
        if method == "GetCapabilities":
            reply = GLib.Variant("(as)", [["actions", "body"]])
        elif method == "GetServerInformation":
            reply = GLib.Variant("(ssss)", ["played", "tpmward", "1", "1.2"])
        elif method == "Notify":
            _, replaces, _, title, body, *_ = arguments.unpack()
            self.n_told += 1
            number = replaces or self.n_told
            self.shown[title] = (number, body, sender)
            reply = GLib.Variant("(u)", [number])
        elif method == "CloseNotification":
            (number,) = arguments.unpack()
            self.shown = {title: shown for title, shown in self.shown.items() if shown[0] != number}
        invocation.return_value(reply)
        self.bus.flush_sync(None)

    def titles(self):
        GLib.MainContext.default().iteration(False)
        return list(self.shown)

    def wait_for(self, *titles):
        ward.wait_until(lambda: self.titles() == list(titles), why=f"the notifications {titles}")

    def click(self, title):
        """As on a desktop, it goes then."""
        number, _, sender = self.shown.pop(title)
        self.bus.emit_signal(
            sender, "/org/freedesktop/Notifications", NOTIFICATIONS, "ActionInvoked",
            GLib.Variant("(us)", [number, "default"]),
        )  # fmt: skip

    def leave(self):
        self.bus.close_sync(None)


@pytest.fixture
def notifications(desktops):
    made = Notifications(desktops("ward-alice"))
    yield made
    made.leave()


def lock(root):
    """As somebody does who guesses passwords; of other users the service stops each one in time."""
    keys = Keys(root)
    if "guessed" not in keys.labels():
        keys.create(label="guessed", auth="right")
    while not root.get("Lockout.LockedOut"):
        keys.full_error("Sign", "guessed", "sha256", bytes(32), auth="wrong")


def test_lockout_is_told(notifications, start_app, root):
    """When it begins; it is taken back when it is over; and a click shows where to end it."""
    me = start_app()
    me.wait_for("list item", "Overview")
    assert notifications.titles() == []
    lock(root)
    notifications.wait_for("The TPM Is Locked")
    me.wait_for("list item", "Overview")  # GLib takes back only what it was told the number of
    root.call("Lockout.Reset", "a{sv}", {})
    notifications.wait_for()
    lock(root)
    notifications.wait_for("The TPM Is Locked")
    notifications.click("The TPM Is Locked")
    wait_for_page(me, "Ownership")


def test_what_was_so_before_is_not_told(notifications, start_app, root):
    lock(root)
    me = start_app()
    me.wait_for("list item", "Ownership")
    me.key("alt+2")
    wait_for_page(me, "Ownership")
    assert notifications.titles() == []
    root.call("Lockout.Reset", "a{sv}", {})
    lock(root)
    notifications.wait_for("The TPM Is Locked")


def test_failed_self_test_is_told(notifications, start_app, sandbox, root):
    """A software TPM passes each test: the service reads from its record that one has failed."""
    root.call("SelfTest.Run", "s", "full")
    me = start_app()
    me.wait_for("list item", "Overview")
    sandbox.kill("daemon", signal.SIGSTOP)
    (record,) = (path for path in ward.STATE.rglob("*") if path.is_file() and "Passed=true" in path.read_text(errors="replace"))
    record.write_text(record.read_text().replace("Passed=true", "Passed=false").replace("Text=", "Text=Broken. "))
    os.kill(sandbox.pid("daemon"), signal.SIGKILL)  # the application starts another one at once
    notifications.wait_for("The TPM Has Failed Its Self-Test")
    assert notifications.shown["The TPM Has Failed Its Self-Test"][1].startswith("Broken. ")
    me.wait_for("list item", "Overview")
    root.call("SelfTest.Run", "s", "full")
    notifications.wait_for()
