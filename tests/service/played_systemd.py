# SPDX-License-Identifier: LGPL-2.1-or-later
"""A systemd on the sandbox's bus that starts and stops nothing, but keeps the states of units and writes down what it is asked for.

As a program, which PlayedSystemd runs: the argument is JSON of the units, each with its properties; how a job ends; whether a job
lasts until a line comes in; the commands that start and stop tcsd, if it is to do that; and whether what is started fails."""

import json
import select
import subprocess
import sys
import time
import uuid

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
JOB = f"{PATH}/job/1"
UNITS = ("tcsd.service", "tpm2-abrmd.service")
NOT_FOUND = {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": "", "Result": "success"}
LOADED = {"LoadState": "loaded", "ActiveState": "inactive", "UnitFileState": "disabled", "Result": "success"}
NO_CHANGES = ("ready", "Subscribe", "Unsubscribe", "LoadUnit")


class PlayedSystemd:
    """Runs one. A unit is given as tcsd={"ActiveState": "active"}; those that are not given it does not find.

    commands: what it runs for a start and for a stop of tcsd; a job whose command fails has failed, and the unit with it.
    dies: what is started fails as soon as the job is done."""

    def __init__(self, tcsd=None, abrmd=None, job="done", waits=False, commands=None, dies=False):
        units = {unit: LOADED | given for unit, given in zip(UNITS, (tcsd, abrmd), strict=True) if given is not None}
        options = {"units": units, "job": job, "waits": waits, "commands": commands, "dies": dies}
        command = [sys.executable, __file__, json.dumps(options)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.seen = []
        self.wait_for("ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def take_in(self, timeout):
        """Takes in one more of what it has been asked for, if there is one within the time."""
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            return False
        line = self.process.stdout.readline()
        assert line, "the played systemd has ended"
        self.seen.append(json.loads(line))
        return True

    def wait_for(self, name, timeout=10):
        deadline = time.monotonic() + timeout
        while name not in [asked[0] for asked in self.seen]:
            assert self.take_in(max(0, deadline - time.monotonic())), f"systemd was not asked for {name}, but {self.seen}"

    def end_job(self):
        self.process.stdin.write(b"end\n")

    def changes(self):
        """What it has been asked for so far that changes something."""
        while self.take_in(0):
            pass
        return [asked for asked in self.seen if asked[0] not in NO_CHANGES]


def method(name, taken, given):
    arguments = [f"<arg type='{kind}' direction='in'/>" for kind in taken]
    arguments += [f"<arg type='{kind}' direction='out'/>" for kind in given]
    return f"<method name='{name}'>{''.join(arguments)}</method>"


def strings(*names):
    return "".join(f"<property name='{name}' type='s' access='read'/>" for name in names)


MANAGER_XML = f"""<node><interface name='{NAME}.Manager'>
{method("Subscribe", [], [])}{method("Unsubscribe", [], [])}{method("Reload", [], [])}
{method("LoadUnit", ["s"], ["o"])}{method("StartUnit", ["s", "s"], ["o"])}{method("StopUnit", ["s", "s"], ["o"])}
{method("RestartUnit", ["s", "s"], ["o"])}{method("ResetFailedUnit", ["s"], [])}
{method("DisableUnitFiles", ["as", "b"], ["a(sss)"])}{method("MaskUnitFiles", ["as", "b", "b"], ["a(sss)"])}
</interface></node>"""
UNIT_XML = f"""<node>
<interface name='{NAME}.Unit'>{strings("LoadState", "ActiveState", "UnitFileState")}
<property name='InvocationID' type='ay' access='read'/></interface>
<interface name='{NAME}.Service'>{strings("Result")}</interface>
</node>"""


def say(*what):
    print(json.dumps(what), flush=True)


def path_of(unit):
    return f"{PATH}/unit/{unit.replace('-', '_2d').replace('.', '_2e')}"


class Systemd:
    """The program's."""

    def __init__(self, options):
        self.job, self.waits, self.commands, self.dies = (options[name] for name in ("job", "waits", "commands", "dies"))
        self.units = {unit: dict(options["units"].get(unit, NOT_FOUND)) for unit in UNITS}
        self.at = None  # the job: a unit and the state that it is to have
        self.connection = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        self.export(PATH, MANAGER_XML, None)
        for unit in UNITS:
            self.export(path_of(unit), UNIT_XML, self.units[unit])
        Gio.bus_own_name_on_connection(self.connection, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: say("ready"), self.lost)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, 0, GLib.IOCondition.IN | GLib.IOCondition.HUP, self.on_line)

    def export(self, path, xml, properties):
        for interface in Gio.DBusNodeInfo.new_for_xml(xml).interfaces:
            self.connection.register_object(
                path, interface, self.on_call, lambda *what: self.get(properties, what[4]), None
            )

    @staticmethod
    def get(properties, name):
        if name == "InvocationID":
            return GLib.Variant("ay", bytes.fromhex(properties.get(name, "")))
        return GLib.Variant("s", properties[name])

    def lost(self, *_):
        sys.exit("the bus does not let this own the name of systemd")

    def begin_job(self, unit, state):
        self.at = (unit, state)
        if not self.waits:
            GLib.idle_add(self.end_job)
        return GLib.Variant("(o)", (JOB,))

    def end_job(self):
        unit, state = self.at
        job = self.job
        if self.commands and subprocess.run(self.commands[state != "active"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
            job = "failed"
            self.units[unit] |= {"ActiveState": "failed", "Result": "exit-code"}
        if job == "done":
            self.units[unit]["ActiveState"] = state
        if job == "done" and state == "active":
            self.units[unit]["InvocationID"] = uuid.uuid4().hex
        if self.dies and job == "done" and state == "active":
            self.units[unit] |= {"ActiveState": "failed", "Result": "exit-code"}
        removed = GLib.Variant("(uoss)", (1, JOB, unit, job))
        self.connection.emit_signal(None, PATH, f"{NAME}.Manager", "JobRemoved", removed)
        return False

    def change_files(self, units, state):
        for unit in units:
            self.units[unit] |= state
        return GLib.Variant("(a(sss))", ([],))

    def answer(self, name, arguments):
        match name:
            case "LoadUnit":
                return GLib.Variant("(o)", (path_of(arguments[0]),))
            case "StartUnit" | "RestartUnit":
                return self.begin_job(arguments[0], "active")
            case "StopUnit":
                return self.begin_job(arguments[0], "inactive")
            case "ResetFailedUnit":
                self.units[arguments[0]]["ActiveState"] = "inactive"
            case "DisableUnitFiles":
                return self.change_files(arguments[0], {"UnitFileState": "disabled"})
            case "MaskUnitFiles":
                return self.change_files(arguments[0], {"UnitFileState": "masked", "LoadState": "masked"})
        return None

    def on_call(self, _connection, _sender, _path, _interface, name, parameters, invocation):
        arguments = parameters.unpack()
        say(name, *arguments)
        invocation.return_value(self.answer(name, arguments))

    def on_line(self, _fd, _condition):
        if not sys.stdin.readline():
            sys.exit(0)
        self.end_job()
        return True


if __name__ == "__main__":
    systemd = Systemd(json.loads(sys.argv[1]))
    GLib.MainLoop().run()
