# SPDX-License-Identifier: LGPL-2.1-or-later
"""A systemd on the sandbox's bus that does nothing but write down, a line of JSON each, what it is asked for.

The argument is JSON: the states of its one unit (load, active, file), and result, how a job ends. A job ends when a line comes in."""

import json
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
UNIT = f"{PATH}/unit/only"
JOB = f"{PATH}/job/1"


def method(name, taken, given):
    arguments = [f"<arg type='{kind}' direction='in'/>" for kind in taken]
    arguments += [f"<arg type='{kind}' direction='out'/>" for kind in given]
    return f"<method name='{name}'>{''.join(arguments)}</method>"


MANAGER_XML = f"""<node><interface name='{NAME}.Manager'>
{method("Subscribe", [], [])}{method("Unsubscribe", [], [])}{method("Reload", [], [])}
{method("LoadUnit", ["s"], ["o"])}{method("StartUnit", ["s", "s"], ["o"])}{method("StopUnit", ["s", "s"], ["o"])}
{method("DisableUnitFiles", ["as", "b"], ["a(sss)"])}{method("MaskUnitFiles", ["as", "b", "b"], ["a(sss)"])}
</interface></node>"""
UNIT_XML = f"""<node><interface name='{NAME}.Unit'>
{"".join(f"<property name='{name}' type='s' access='read'/>" for name in ("LoadState", "ActiveState", "UnitFileState"))}
</interface></node>"""


def say(*what):
    print(json.dumps(what), flush=True)


class Systemd:
    def __init__(self, options):
        self.options = options
        self.connection = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        for path, xml in ((PATH, MANAGER_XML), (UNIT, UNIT_XML)):
            interface = Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0]
            self.connection.register_object(path, interface, self.on_call, self.on_get, None)
        Gio.bus_own_name_on_connection(self.connection, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: say("ready"), self.lost)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, 0, GLib.IOCondition.IN | GLib.IOCondition.HUP, self.on_line)

    def lost(self, *_):
        sys.exit("the bus does not let this own the name of systemd")

    def on_call(self, _connection, _sender, _path, _interface, name, parameters, invocation):
        say(name, *parameters.unpack())
        replies = {
            "LoadUnit": ("(o)", (UNIT,)),
            "StartUnit": ("(o)", (JOB,)),
            "StopUnit": ("(o)", (JOB,)),
            "DisableUnitFiles": ("(a(sss))", ([],)),
            "MaskUnitFiles": ("(a(sss))", ([],)),
        }
        invocation.return_value(GLib.Variant(*replies[name]) if name in replies else None)

    def on_get(self, _connection, _sender, _path, _interface, name):
        return GLib.Variant("s", self.options[{"LoadState": "load", "ActiveState": "active", "UnitFileState": "file"}[name]])

    def on_line(self, _fd, _condition):
        if not sys.stdin.readline():
            sys.exit(0)
        removed = GLib.Variant("(uoss)", (1, JOB, "only.service", self.options["result"]))
        self.connection.emit_signal(None, PATH, f"{NAME}.Manager", "JobRemoved", removed)
        return True


systemd = Systemd(json.loads(sys.argv[1]))
GLib.MainLoop().run()
