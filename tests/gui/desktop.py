# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop to show windows on: an X server, a window manager and a session bus; and a TPM as it was when it was new."""

import os
import pwd
import shutil
import subprocess
import types
from pathlib import Path
from signal import SIGTERM

import ward
from gi.repository import Gio

SIZE = "1400x1000"
FOLDER = ward.ROOT / "desktops"
STATE_FOLDER = ward.ROOT / "swtpm/state"

# Nothing on the bus is started but what reads windows out; a test may drive another user's desktop as root.
SESSION_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
ACCESSIBILITY_SERVICE = Path("/usr/share/dbus-1/services/org.a11y.Bus.service")
AGENT = "/usr/lib/policykit-1-gnome/polkit-gnome-authentication-agent-1"
GTK_SETTINGS = "[Settings]\ngtk-font-name=Cantarell 11\ngtk-hint-font-metrics=0\ngtk-enable-animations=0\n"


class Screen:
    """An X server that is seen by nobody, with a window manager; a context manager."""

    def __enter__(self):
        FOLDER.mkdir()
        FOLDER.chmod(0o755)
        Path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE}x24", "-nolisten", "tcp", "-noreset", "-ac"]
        with open(FOLDER / "xvfb.log", "wb") as log:
            self.server = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log)
        os.close(writing)
        with os.fdopen(reading) as number:
            self.display = f":{number.readline().strip()}"
        assert self.display != ":", (FOLDER / "xvfb.log").read_text()
        os.environ["DISPLAY"] = self.display
        with open(FOLDER / "openbox.log", "wb") as log:
            self.manager = subprocess.Popen(["openbox", "--sm-disable"], stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        for process in (self.manager, self.server):
            process.kill()
            process.wait()


class Desktop:
    """What a user's programs find on the screen: `environment`."""

    def __init__(self, screen, user):
        self.user = pwd.getpwnam(user)
        folder = FOLDER / user
        self.folder = folder
        services = folder / "services"
        services.mkdir(parents=True)
        shutil.copy(ACCESSIBILITY_SERVICE, services)
        settings = folder / ".config/gtk-4.0/settings.ini"
        settings.parent.mkdir(parents=True)
        settings.write_text(GTK_SETTINGS)
        (folder / "run").mkdir(mode=0o700)
        socket = folder / "run/bus"
        (folder / "session.conf").write_text(SESSION_BUS.format(socket=socket, services=services))
        subprocess.run(["chown", "-R", f"{self.user.pw_uid}:{self.user.pw_gid}", folder], check=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "TPMWARD_SANDBOX": str(ward.ROOT),
            "LC_ALL": "C.UTF-8",
            "DISPLAY": screen.display,
            "HOME": str(folder),
            "USER": user,
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={socket}",
            "GDK_BACKEND": "x11",
            "GSK_RENDERER": "cairo",
            "GSETTINGS_BACKEND": "memory",
            "GSETTINGS_SCHEMA_DIR": str(ward.ROOT / "build/data"),
            "GIO_USE_VFS": "local",
            "GTK_USE_PORTAL": "0",
            "ADW_DISABLE_PORTAL": "1",
            "G_DEBUG": "fatal-criticals",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
        }
        self.reader = None
        self.bus = self.start(["dbus-daemon", f"--config-file={folder}/session.conf", "--nofork", "--nopidfile"], "bus")
        ward.wait_until(socket.exists, why="the session bus")

    def accessibility(self):
        """The connection to the bus of those who read windows out; the programs that are started from now on are on it."""
        if self.reader is None:
            session = self.connect(self.environment["DBUS_SESSION_BUS_ADDRESS"])
            arguments = ("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress")
            (address,) = session.call_sync(*arguments, None, None, Gio.DBusCallFlags.NONE, 10_000, None).unpack()
            self.environment["AT_SPI_BUS_ADDRESS"] = address
            self.reader = self.connect(address)
        return self.reader

    @staticmethod
    def connect(address):
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        return Gio.DBusConnection.new_for_address_sync(address, flags, None, None)

    def start(self, command, log, stdin=subprocess.DEVNULL, **environment):
        """A process of the user's, with its output in FOLDER/LOG.log."""
        with open(self.folder / f"{log}.log", "ab") as output:
            return subprocess.Popen(
                command, env={**self.environment, **environment}, stdin=stdin, stdout=output, stderr=output,
                cwd=self.folder, user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[],
            )  # fmt: skip

    def start_in_session(self, command, log, **environment):
        """The same, for polkit in the session of someone at the machine."""
        waiting = ["sh", "-c", 'read -r line && exec "$@" </dev/null', "sh", *command]
        process = self.start(waiting, log, stdin=subprocess.PIPE, **environment)
        member = types.SimpleNamespace(user=self.user.pw_name, uid=self.user.pw_uid, pid=process.pid)
        ward.activate_session(member)
        process.stdin.write(b"go on\n")
        process.stdin.close()
        return process

    def start_agent(self, machine):
        """Someone to ask for passwords, as a desktop has; in a session."""
        registered = machine.log("polkitd").count("Registered Authentication Agent")
        process = self.start_in_session([AGENT], "agent")
        ward.wait_until(
            lambda: machine.log("polkitd").count("Registered Authentication Agent") > registered,
            why="the polkit agent to register",
        )
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def end(self):
        self.bus.kill()
        self.bus.wait()


class TpmState:
    """A copy of the TPM's state, made while it does not run."""

    def __init__(self):
        self.copy = ward.ROOT / "swtpm/pristine"
        shutil.copytree(STATE_FOLDER, self.copy)

    def restore(self, machine):
        """The TPM has that state again, and the service knows of nothing since."""
        if machine.is_running("daemon"):
            machine.kill("daemon", SIGTERM)
        if machine.is_running("swtpm"):
            machine.kill("swtpm")
        shutil.rmtree(STATE_FOLDER)
        shutil.copytree(self.copy, STATE_FOLDER)
        for entry in ward.STATE.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        machine.start("swtpm")
        machine.start("daemon")
