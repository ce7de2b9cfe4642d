# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service of the name org.tpmward1 on a bus of its own, with a TPM and findings such as no machine at hand has them."""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

XML = Path(__file__).resolve().parents[2] / "dbus"
EMPTY = {"s": "", "b": False, "u": 0, "t": 0, "as": [], "ao": [], "aa{sv}": []}
SHA256, SHA1 = 0x0B, 0x04
CHIP = {"TPM_PT_CONTEXT_HASH": GLib.Variant("u", SHA256)}
TPM0 = "/org/tpmward1/tpm/tpm0"
NAMES = {"/org/tpmward1/Manager": ["Manager"], TPM0: ["Tpm", "Ownership", "Lockout"]}
OBJECT_MANAGER = """<node><interface name="org.freedesktop.DBus.ObjectManager"><method name="GetManagedObjects">
<arg type="a{oa{sa{sv}}}" direction="out"/></method></interface></node>"""


def entry(**members):
    """a{sv}; "uses_pin" is "uses-pin"."""
    kinds = {bool: "b", str: "s", int: "u"}
    return {name.replace("_", "-"): GLib.Variant(kinds[type(value)], value) for name, value in members.items()}


class Fake:
    """properties: {"Ownership.LockoutAuthSet": True}; replies: {"Clear": ("(s)", ("cleared",))}, an error {"Clear": "LockedOut"}, or a
    list of these, one a call. A process of its own: GDBus has threads, and the tests fork.
    """

    def __init__(self, properties, replies):
        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name, "calls")
        self.log.touch()
        command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"]
        self.bus = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.bus.stdout.readline().strip()
        self.process = subprocess.Popen(
            [sys.executable, __file__, self.address, self.log], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        as_text = {name: [freeze(reply) for reply in as_list(replies[name])] for name in replies}
        self.process.stdin.write(pickle.dumps((properties, as_text)))
        self.process.stdin.close()
        assert self.process.stdout.readline() == b"ready\n"

    def close(self):
        for process in (self.process, self.bus):
            process.kill()
            process.wait()
            process.stdout.close()
        self.folder.cleanup()

    def called(self, *methods):
        """The calls of these methods: (method, arguments, {option: secret})."""
        found = []
        with self.log.open("rb") as log:
            while log.peek(1):
                found.append(pickle.load(log))
        return [call for call in found if call[0] in methods]


def as_list(reply):
    return reply if isinstance(reply, list) else [reply]


def freeze(reply):
    """A reply that can be pickled: an error's name, or the text of a GVariant."""
    return reply if isinstance(reply, str) else (GLib.Variant(*reply).print_(True),)


@pytest.fixture
def fakes():
    """fakes(properties, replies): a Fake, gone after the test."""
    made = []

    def start(properties, replies):
        made.append(Fake(properties, replies))
        return made[-1]

    yield start
    for service in made:
        service.close()


class Service:
    """What runs in the other process."""

    def __init__(self, properties, replies, log):
        self.log = log
        self.replies = {"Refresh": [("()",)], "GetProperties": [freeze(("(a{sv})", (CHIP,)))]}
        self.replies.update(replies)
        self.properties = {"Tpm.Name": "tpm0", "Tpm.State": "ready", "Tpm.Family": "2.0", "Lockout.MaxFailures": 32,
                           "Lockout.LockoutRecoverySeconds": 86400, "Ownership.PhysicalPresence": "none"}  # fmt: skip
        self.properties.update(properties)

    def serve(self, address):
        loop = GLib.MainLoop()
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        connection.register_object("/org/tpmward1", Gio.DBusNodeInfo.new_for_xml(OBJECT_MANAGER).interfaces[0], self.on_call)
        for path, names in NAMES.items():
            for name in names:
                connection.register_object(path, self.interface(name), self.on_call, self.on_get)
        Gio.bus_own_name_on_connection(connection, "org.tpmward1", 0, lambda *_: print("ready", flush=True), None)
        loop.run()

    def interface(self, name):
        return Gio.DBusNodeInfo.new_for_xml((XML / f"org.tpmward1.{name}.xml").read_text()).interfaces[0]

    def on_get(self, connection, sender, path, interface, name):
        short = interface.rpartition(".")[2]
        kind = next(info.signature for info in self.interface(short).properties if info.name == name)
        return GLib.Variant(kind, self.properties.get(f"{short}.{name}", EMPTY[kind]))

    def on_call(self, connection, sender, path, interface, method, parameters, invocation):
        if method == "GetManagedObjects":
            tpm = {
                f"org.tpmward1.{name}": {
                    info.name: self.on_get(None, None, None, f"org.tpmward1.{name}", info.name)
                    for info in self.interface(name).properties
                }
                for name in NAMES[TPM0]
            }
            invocation.return_value(GLib.Variant("(a{oa{sa{sv}}})", ({TPM0: tpm},)))
            return
        with self.log.open("ab") as log:
            log.write(pickle.dumps((method, parameters.unpack(), self.secrets(parameters, invocation))))
        replies = self.replies.get(method, [("()",)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, str):
            invocation.return_dbus_error(f"org.tpmward1.Error.{reply}", f"This is what {reply} says.")
        else:
            invocation.return_value(GLib.Variant.parse(None, reply[0], None, None))

    @staticmethod
    def secrets(parameters, invocation):
        """The options that are descriptors: what they hold."""
        fds = invocation.get_message().get_unix_fd_list()
        found = {}
        for i in range(parameters.n_children()):
            options = parameters.get_child_value(i)
            if options.get_type_string() != "a{sv}":
                continue
            for name in options.keys():
                value = options.lookup_value(name, None)
                if value.get_type_string() == "h":
                    fd = fds.get(value.get_handle())
                    found[name] = os.pread(fd, 65536, 0)
                    os.close(fd)
        return found


if __name__ == "__main__":
    given, answers = pickle.load(sys.stdin.buffer)
    Service(given, answers, Path(sys.argv[2])).serve(sys.argv[1])
