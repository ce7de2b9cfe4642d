# SPDX-License-Identifier: LGPL-2.1-or-later
"""A person before a screen: sees what accessibility tells of a program's windows, clicks with the mouse and types on the keyboard."""

import os
import re
import subprocess
from typing import NamedTuple

import gi
import ward

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

ATSPI = "org.a11y.atspi"
ROOT = "/org/a11y/atspi/accessible/root"
CACHE = "/org/a11y/atspi/cache"
WINDOW_COORDINATES = 1
SECONDS = 20
HEADER_HEIGHT = 50
# Where a widget is hit as well as in its middle, at which GTK 4.8 finds nothing in an entry.
BESIDE = ((0.01, 0.5), (0.9, 0.5), (0.97, 0.5))
PAGE_NAME = re.compile(r"WardGui\w+Page")
TYPE_NAME = re.compile(r"(Gtk|Adw|WardGui)[A-Z]\w*")


def tidy(name):
    """What a screen reader says: GTK 4.8 names a button by its raw label and its label, “_Close Close”."""
    name = name.strip()
    raw, label = name[: len(name) // 2 + 1], name[len(name) // 2 + 1 :]
    if raw.strip() == label and len(raw) == len(label) + 1:
        return label
    return label if raw.count("_") == 1 and raw.replace("_", "").strip() == label else name


class Node(NamedTuple):
    """A widget as accessibility shows it."""

    path: str
    parent: str
    role: str
    name: str
    description: str
    states: frozenset

    def has(self, state):
        return state in self.states


def state_names(words):
    bits = words[0] | (words[1] << 32 if len(words) > 1 else 0)
    return frozenset(state.value_nick for state in STATES if bits >> int(state) & 1)


STATES = [Atspi.StateType(number) for number in range(int(Atspi.StateType.LAST_DEFINED))]


def role_name(number):
    return Atspi.role_get_name(Atspi.Role(number))


class Program:
    """A program on the desktop, by its process."""

    def __init__(self, desktop, process):
        self.desktop = desktop
        self.process = process
        self.bus = desktop.accessibility()
        self.name = None

    def call(self, path, interface, method, arguments=None, destination=None):
        return self.bus.call_sync(
            destination or self.name, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, 10_000, None
        ).unpack()

    def wait_for_start(self):
        """Until it is there for those who read it out."""

        def find():
            assert self.process.poll() is None, "the program has ended"
            registry = f"{ATSPI}.Registry"
            (children,) = self.call(ROOT, f"{ATSPI}.Accessible", "GetChildren", destination=registry)
            return next((name for name, _ in children if self.pid_of(name) == self.process.pid), None)

        self.name = ward.wait_until(find, SECONDS, "the program to be on the screen")
        ward.wait_until(self.can_be_read, SECONDS, "the program to tell of its widgets")
        return self

    def can_be_read(self):
        try:
            return self.nodes() is not None
        except GLib.Error:
            return False

    def pid_of(self, name):
        bus = "org.freedesktop.DBus"
        try:
            return self.call("/", bus, "GetConnectionUnixProcessID", GLib.Variant("(s)", [name]), bus)[0]
        except GLib.Error:
            return None

    def nodes(self):
        """All widgets that there are now, also those on pages that are not seen, by path and in their order."""
        parents = self.walk()
        try:
            (items,) = self.call(CACHE, f"{ATSPI}.Cache", "GetItems")
        except GLib.Error:  # GTK 3 has none
            return {path: node for path in parents if (node := self.ask_for(path, parents[path]))}
        found = {}
        for (_, path), _, _, _, _, _, name, role, description, states in items:
            found[path] = Node(path, parents.get(path), role_name(role), tidy(name), description, state_names(states))
        return {path: found[path] for path in parents if path in found}

    def ask_for(self, path, parent):
        interface = f"{ATSPI}.Accessible"
        try:
            (values,) = self.call(path, "org.freedesktop.DBus.Properties", "GetAll", GLib.Variant("(s)", [interface]))
            (role,) = self.call(path, interface, "GetRole")
            (states,) = self.call(path, interface, "GetState")
        except GLib.Error:  # it has just gone
            return None
        return Node(path, parent, role_name(role), tidy(values["Name"]), values["Description"], state_names(states))

    def walk(self):
        """The paths of all widgets and of their parents. GTK tells of them in its cache only once somebody has asked for them."""
        parents, asked = {}, [ROOT]
        while asked:
            below = list(zip(asked, self.children(asked)))
            asked = [path for _, children in below for _, path in children]
            parents.update({path: parent for parent, children in below for _, path in children})
        return parents

    def children(self, paths):
        """Those of each, all asked for at once."""
        replies = dict.fromkeys(range(len(paths)))
        context = GLib.MainContext.default()

        def on_reply(bus, result, number):
            try:
                replies[number] = bus.call_finish(result).unpack()[0]
            except GLib.Error:  # it has just gone
                replies[number] = []

        for number, path in enumerate(paths):
            self.bus.call(
                self.name, path, f"{ATSPI}.Accessible", "GetChildren", None, None, Gio.DBusCallFlags.NONE, 10_000, None,
                on_reply, number,
            )  # fmt: skip
        while None in replies.values():
            context.iteration(True)
        return replies.values()

    def extents(self, path):
        arguments = GLib.Variant("(u)", [WINDOW_COORDINATES])
        return self.call(path, f"{ATSPI}.Component", "GetExtents", arguments)[0]

    def text_of(self, node):
        """What stands in an entry."""
        return self.call(node.path, f"{ATSPI}.Text", "GetText", GLib.Variant("(ii)", [0, 10_000]))[0]


def window_of(node, nodes):
    while node is not None and node.parent != ROOT:
        node = nodes.get(node.parent)
    return node


def is_within(node, nodes, root):
    while node is not None:
        if node.path == root.path:
            return True
        node = nodes.get(node.parent)
    return False


class Person:
    """Before the screen, using one program."""

    def __init__(self, program):
        self.program = program
        self.environment = dict(os.environ, DISPLAY=program.desktop.environment["DISPLAY"])

    # What they see

    def is_seen(self, node, nodes):
        """GTK 4.8 tells of no widget but a window whether it is seen: what lies at some points of it says so."""
        return self.seen_point(node, nodes, ((0.5, 0.5), *BESIDE, (0.5, 0.1), (0.5, 0.9))) is not None

    def seen_point(self, node, nodes, points):
        """A point of the widget, in its window, that nothing lies over."""
        window = window_of(node, nodes)
        if window is None:
            return None
        try:
            x, y, width, height = self.program.extents(node.path)
            places = [(x + int(width * across), y + int(height * down)) for across, down in points]
            hit = (place for place in places if width > 0 < height and self.is_at(window, node, nodes, *place))
            return next(hit, None)
        except GLib.Error:  # it has just gone
            return None

    def is_at(self, window, node, nodes, x, y):
        arguments = GLib.Variant("(iiu)", [x, y, WINDOW_COORDINATES])
        ((_, path),) = self.program.call(window.path, f"{ATSPI}.Component", "GetAccessibleAtPoint", arguments)
        return path in nodes and is_within(nodes[path], nodes, node)

    def find_all(self, role=None, name=None, part=None, seen=True, enabled=False, inside=None):
        """Widgets by role and by name (as a whole, or a part of it); seen unless that does not matter."""
        nodes = self.program.nodes()
        fitting = [
            node
            for node in nodes.values()
            if (role is None or node.role == role)
            and (name is None or node.name == name)
            and (part is None or part in node.name)
            and (not enabled or node.has("sensitive"))
            and (inside is None or is_within(node, nodes, inside))
        ]
        return [node for node in fitting if self.is_seen(node, nodes)] if seen else fitting

    def find(self, role=None, name=None, **how):
        return next(iter(self.find_all(role, name, **how)), None)

    def wait_for(self, role=None, name=None, seconds=SECONDS, **how):
        try:
            return ward.wait_until(lambda: self.find(role, name, **how), seconds, f"{role or 'something'} {name or how}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen shows:\n{self.describe()}") from None

    def wait_for_no(self, role=None, name=None, seconds=SECONDS, **how):
        ward.wait_until(lambda: not self.find(role, name, **how), seconds, f"no {role or ''} {name or how}")

    def sees(self, text):
        return self.find("label", part=text) is not None

    def wait_for_text(self, text, seconds=SECONDS):
        return self.wait_for("label", part=text, seconds=seconds)

    def describe(self):
        nodes = self.program.nodes()
        named = [node for node in nodes.values() if node.name and not TYPE_NAME.fullmatch(node.name)]
        seen = [node for node in named if self.is_seen(node, nodes)]
        return "\n".join(f"  {node.role} “{node.name}”" for node in seen)

    # What they do

    def windows(self):
        """The X windows of the program: number and (x, y, width, height)."""
        command = ["xdotool", "search", "--onlyvisible", "--pid", str(self.program.process.pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        return [(number, self.geometry(number)) for number in found.stdout.split()]

    def geometry(self, window):
        command = ["xdotool", "getwindowgeometry", "--shell", window]
        said = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment).stdout
        values = dict(re.findall(r"(\w+)=(-?\d+)", said))
        return tuple(int(values.get(name, 0)) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def origin(self, window):
        """Where a window of accessibility begins on the screen: in the X window that its size fits best, within a frame on all sides."""
        _, _, width, height = self.program.extents(window.path)
        fitting = [(w - width + h - height, x + (w - width) // 2, y + (h - height) // 2)
                   for _, (x, y, w, h) in self.windows() if w >= width and h >= height]  # fmt: skip
        assert fitting, f"no window on the screen is “{window.name}”, {width} × {height}: {self.windows()}"
        return min(fitting)[1:]

    def use(self, *command):
        subprocess.run(["xdotool", *command], check=True, env=self.environment, stdout=subprocess.DEVNULL)

    def click(self, role, name=None, **how):
        """Waits for it, scrolls to it if it has to be, and clicks on it."""
        node, (x, y) = self.bring_into_sight(role, name, **how)
        left, top = self.origin(window_of(node, self.program.nodes()))
        self.use("mousemove", str(left + x), str(top + y), "click", "1")
        return node

    def look_away(self):
        """The pointer goes to the corner of the screen: a note beneath it would stay."""
        self.use("mousemove", "0", "0")

    def press(self, name, **how):
        return self.click("push button", name, enabled=True, **how)

    def bring_into_sight(self, role, name=None, **how):
        """What lies further down or up on the page is scrolled to, with the wheel."""
        node = ward.wait_until(
            lambda: self.find(role, name, **how) or self.find_on_page(role, name, **how), SECONDS, f"{role} {name or how}"
        )
        for _ in range(60):
            nodes = self.program.nodes()
            if point := self.seen_point(node, nodes, ((0.5, 0.5), *BESIDE)):
                return node, point
            self.turn_wheel(node, window_of(node, nodes))
        raise AssertionError(f"{role} “{name or how}” cannot be scrolled to; the screen shows:\n{self.describe()}")

    def turn_wheel(self, node, window):
        _, _, width, height = self.program.extents(window.path)
        left, top = self.origin(window)
        distance = self.program.extents(node.path)[1] - height // 2
        turns = ("--repeat", str(1 + abs(distance) // 200), "--delay", "0", "5" if distance > 0 else "4")
        self.use("mousemove", str(left + width * 3 // 5), str(top + height // 2), "click", *turns)

    def find_on_page(self, role, name, **how):
        """One that is not seen, in the window, above or below what is."""
        for node in self.find_all(role, name, seen=False, **how):
            window = window_of(node, self.program.nodes())
            if window is not None and self.is_on_seen_page(node):
                return node
        return None

    def is_on_seen_page(self, node):
        """Whether one would get to it by scrolling: pages bear the name of their type, as GTK 4.8 has it, and what is neither seen nor
        above or below is behind something else."""
        nodes = self.program.nodes()
        if self.is_seen(node, nodes):
            return True
        _, top, width, height = self.program.extents(node.path)
        _, _, _, window_height = self.program.extents(window_of(node, nodes).path)
        if width == 0 or (top > HEADER_HEIGHT and top + height < window_height):
            return False
        while node is not None and node.parent != ROOT:
            if self.is_seen(node, nodes):
                return True
            if PAGE_NAME.fullmatch(node.name):
                return False
            node = nodes.get(node.parent)
        return False

    def type(self, text):
        self.use("type", "--delay", "5", text)

    def key(self, *keys):
        self.use("key", "--clearmodifiers", *keys)

    def fill(self, name, text, role="text", **how):
        """Clicks into an entry and types in the place of what is there."""
        self.click(role, name, **how)
        self.key("ctrl+a")
        self.type(text)

    def focused(self):
        return next((node for node in self.program.nodes().values() if node.has("focused")), None)

    def focus(self, name):
        """Goes to a widget by the keyboard: with Tab from group to group, with the arrows within a list."""
        been = set()
        for _ in range(100):
            here = self.focused()
            if here and here.name == name:
                return here
            is_known = here is not None and here.path in been
            been.add(here.path if here else None)
            self.key("Tab" if not here or here.role != "list item" or is_known else "Down")
        raise AssertionError(f"the keyboard does not get to “{name}”")

    def choose(self, name):
        """An item of the menu that is open, whose place on the screen GTK 4.8 does not tell."""
        item = self.wait_for("menu item", name, seen=False)
        self.program.call(item.path, f"{ATSPI}.Action", "DoAction", GLib.Variant("(i)", [0]))

    def clipboard(self):
        done = subprocess.run(
            ["xclip", "-selection", "clipboard", "-o"], capture_output=True, text=True, check=False, env=self.environment,
            timeout=10,
        )  # fmt: skip
        return done.stdout


class Administrator(Person):
    """Before the password dialogs of the desktop's polkit agent, which are of GTK 3: they have the keyboard when they come."""

    def wait_for_dialog(self, text):
        """The dialog says what for, in the words of the action."""
        self.wait_for("label", part=text, seen=False)
        self.wait_for_entry()

    def wait_for_entry(self):
        def is_ready():
            entry = self.find("password text", seen=False)
            return entry and {"focused", "sensitive"} <= entry.states and not self.program.text_of(entry)

        ward.wait_until(is_ready, SECONDS, "the entry for the password")

    def answer(self, password):
        self.wait_for_entry()
        self.type(password)
        self.key("Return")

    def dismiss(self):
        self.wait_for_entry()
        self.key("Escape")

    def wait_for_end(self):
        ward.wait_until(lambda: not self.windows(), SECONDS, "the password dialog to close")
