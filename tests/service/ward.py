# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the service are written with: callers, polkit agents and the parts of the sandbox that they run in."""

import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import caller

sys.path.append(str(Path(__file__).resolve().parents[1] / "sandbox"))

import seat  # noqa: E402

ROOT = Path(os.environ.get("TPMWARD_SANDBOX", "/nonexistent"))
STATE = Path("/var/lib/tpmward")
TPM0 = "/org/tpmward1/tpm/tpm0"
MANAGER = "/org/tpmward1/Manager"
ERROR = "org.tpmward1.Error."
TCTI = f"swtpm:path={ROOT}/swtpm.sock"
POLKIT = "org.freedesktop.PolicyKit1"
AGENT = ROOT / "build/tests/service/ward-polkit-agent"


class DBusError(Exception):
    """An error reply."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


def wait_until(condition, timeout=10, why="the condition"):
    """Returns the first true value of condition()."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{why}: not within {timeout} s")
        time.sleep(0.005)
    return value


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run_tpm2(*command):
    """Runs one of tpm2-tools, or openssl with the provider tpm2, whatever comes of it."""
    environment = dict(os.environ, TPM2TOOLS_TCTI=TCTI, TPM2OPENSSL_TCTI=TCTI, TSS2_LOG="all+none")
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


class Pending:
    """A call under way. `serial` is what Manager.Cancel takes."""

    def __init__(self, owner, number):
        self.owner = owner
        self.number = number
        self.serial = owner.receive(lambda: owner.serials.pop(number, None), 10, "the sending of a call")

    def is_done(self):
        self.owner.take_in(0)
        return self.number in self.owner.replies

    def wait(self, timeout=30):
        """What the call returns: a value, a tuple of several, or None. Raises DBusError."""
        replies = self.owner.replies
        kind, *rest = self.owner.receive(lambda: replies.get(self.number), timeout, "a reply")
        if kind == "error":
            raise DBusError(*rest)
        (values,) = rest
        return values[0] if len(values) == 1 else values or None

    def error(self, timeout=30):
        """The error that the call ends with."""
        try:
            value = self.wait(timeout)
        except DBusError as error:
            return error
        raise AssertionError(f"the call succeeded: {value}")


class Signals:
    """The signals that a caller has seen since it subscribed: caller.Signal (time, sender, path, interface, member, args)."""

    def __init__(self, owner, number):
        self.owner = owner
        self.number = number
        owner.signals[number] = []

    def all(self):
        self.owner.take_in(0)
        return list(self.owner.signals[self.number])

    def wait(self, fits=lambda seen: True, timeout=10, why="a signal"):
        """The first that fits."""
        found = lambda: next((seen for seen in self.owner.signals[self.number] if fits(seen)), None)  # noqa: E731
        return self.owner.receive(found, timeout, why)

    def clear(self):
        self.all()
        self.owner.signals[self.number].clear()


class Caller:
    """A process of a user's with a connection of its own to the system bus; a context manager that leaves it at the end."""

    def __init__(self, user="ward-alice"):
        self.user = user
        self.uid = pwd.getpwnam(user).pw_uid
        self.replies, self.serials, self.signals = {}, {}, {}
        self.last_number = 0
        self.channel, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.channel.close()
            caller.serve(theirs, user)
        theirs.close()
        self.name = None
        self.receive(lambda: self.name, 10, "the connection to the bus")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def take_in(self, timeout):
        """Waits for one message of the process, if timeout is not 0, and takes in what has arrived."""
        while select.select([self.channel], [], [], max(timeout, 0))[0]:
            kind, number, value = caller.receive(self.channel)[0]
            if kind == "ready":
                self.name = value
            elif kind == "signal":
                self.signals[number].append(value)
            else:
                {"reply": self.replies, "serial": self.serials}[kind][number] = value
            timeout = 0

    def receive(self, found, timeout, why):
        deadline = time.monotonic() + timeout
        while (value := found()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{why} of {self.user}: not within {timeout} s")
            self.take_in(left)
        return value

    def send(self, kind, *arguments, fds=()):
        self.last_number += 1
        caller.send(self.channel, (kind, self.last_number, arguments), fds)
        return self.last_number

    def start(self, method, signature="", *args, path=None, destination="org.tpmward1", interactive=False, fds=()):
        """Sends a call and returns it as Pending. "Tpm.GetRandom" is short for org.tpmward1.Tpm's on tpm0 (Manager's: on the manager).

        fds are descriptors that come with the message; an `h` among args is an index into them.
        """
        interface, _, member = method.rpartition(".")
        if "." not in interface:
            path = path or (MANAGER if interface == "Manager" else TPM0)
            interface = f"org.tpmward1.{interface}"
        number = self.send(
            "call", destination, path or TPM0, interface, member, f"({signature})", args, interactive, fds=fds
        )
        return Pending(self, number)

    def call(self, method, signature="", *args, timeout=30, **options):
        """Calls and waits; the arguments are those of start()."""
        return self.start(method, signature, *args, **options).wait(timeout)

    def error(self, method, signature="", *args, timeout=30, **options):
        """Calls and returns the error that must come back."""
        return self.start(method, signature, *args, **options).error(timeout)

    def get(self, name, **options):
        """A property: "Tpm.State"."""
        interface, _, member = name.rpartition(".")
        path = MANAGER if interface == "Manager" else TPM0
        return self.call(
            "org.freedesktop.DBus.Properties.Get", "ss", f"org.tpmward1.{interface}", member, path=path, **options
        )

    def subscribe(self, sender="org.tpmward1", path=None, interface=None, member=None):
        number = self.send("subscribe", sender, path, interface, member)
        seen = Signals(self, number)
        # The bus handles what we send in turn, so the match is there once this is answered.
        self.call("org.freedesktop.DBus.GetId", destination="org.freedesktop.DBus", path="/org/freedesktop/DBus")
        return seen

    def watch_properties(self, path=None):
        return self.subscribe(path=path, interface="org.freedesktop.DBus.Properties", member="PropertiesChanged")

    def leave(self, sig=signal.SIGKILL):
        """Ends the process, and its connection with it."""
        if self.pid:
            os.kill(self.pid, sig)
            os.waitpid(self.pid, 0)
            self.channel.close()
            self.pid = None


class Agent:
    """Someone who answers polkit's dialogs for a caller's calls: each takes the next answer, a password, "CANCEL" or "HANG"."""

    def __init__(self, caller_, *answers):
        command = [AGENT, str(caller_.pid), str(caller_.uid), *answers]
        self.lines = []
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
        self.wait_for("registered")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def dialogs(self):
        """A line for each dialog so far: action, message, details and identities."""
        self.take_in(0)
        return [line for line in self.lines if line.startswith("dialog ")]

    def take_in(self, timeout):
        while select.select([self.process.stdout], [], [], timeout)[0]:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("the polkit agent has ended")
            self.lines.append(line.decode().rstrip("\n"))
            timeout = 0

    def wait_for(self, start, timeout=10):
        """The first line that starts so: "dialog", "completed gained", "completed refused", "withdrawn"."""
        deadline = time.monotonic() + timeout
        while not (found := [line for line in self.lines if line.startswith(start)]):
            if time.monotonic() > deadline:
                raise AssertionError(f"the polkit agent has not said “{start}”, but {self.lines}")
            self.take_in(0.05)
        return found[0]


class Monitor:
    """Sees the messages on the bus that fit a match rule."""

    def __init__(self, root, rule):
        self.root = root
        self.marker = f"org.tpmward.Marker{root.name.replace(':', '_').replace('.', '_')}"
        markers = f"type='method_call',member='GetNameOwner',arg0='{self.marker}'"
        command = ["busctl", "monitor", "--json=short", f"--match={rule}", f"--match={markers}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.messages = []
        assert self.process.stderr.readline().startswith(b"Monitoring")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def all(self):
        """All that the bus has passed on until now, as busctl's JSON has them."""
        self.root.error(
            "org.freedesktop.DBus.GetNameOwner", "s", self.marker, destination="org.freedesktop.DBus",
            path="/org/freedesktop/DBus",
        )  # fmt: skip
        while (message := json.loads(self.process.stdout.readline())).get("member") != "GetNameOwner":
            self.messages.append(message)
        return list(self.messages)


class Sandbox:
    """The parts beside which a test runs: dbus, polkitd, swtpm (of a TPM 1.2 swtpm12 and tcsd) and daemon."""

    def __init__(self):
        self.root = Caller("root")
        self.polkit_changes = self.root.subscribe(POLKIT, interface=f"{POLKIT}.Authority", member="Changed")

    def pid(self, part):
        return int((ROOT / "pids" / part).read_text())

    def is_running(self, part):
        try:
            return is_running(self.pid(part))
        except FileNotFoundError:
            return False

    def kill(self, part, sig=signal.SIGKILL):
        """Sends a signal; returns when the part is gone, if the signal is one that ends it, and the bus knows."""
        name = {"daemon": "org.tpmward1", "polkitd": POLKIT}.get(part)
        owner, pid = name and self.owner(name), self.pid(part)
        os.kill(pid, sig)
        if sig not in (signal.SIGKILL, signal.SIGTERM):
            return
        wait_until(lambda: not is_running(pid), why=f"the end of {part}")
        if owner:  # a call that was sent meanwhile may have started another
            wait_until(lambda: self.owner(name) != owner, why=f"the bus to see the end of {part}")

    def is_sanitized(self):
        """Whether the service has been built with AddressSanitizer, which takes and holds back memory of its own."""
        return "libasan" in Path(f"/proc/{self.pid('daemon')}/maps").read_text()

    def owner(self, name):
        """The unique name of who owns a name, or "" if nobody does."""
        try:
            return self.root.call(
                "org.freedesktop.DBus.GetNameOwner", "s", name, destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
            )  # fmt: skip
        except DBusError:
            return ""

    def start(self, part, *arguments):
        """Starts a part that was killed; arguments are for the daemon (see start-daemon)."""
        started = subprocess.run([ROOT / f"start-{part}", *arguments], capture_output=True, text=True, check=False)
        if started.returncode != 0:
            raise AssertionError(f"start-{part}: {started.stderr}{started.stdout}")

    def restart(self, part, *arguments):
        if self.is_running(part):
            self.kill(part, signal.SIGTERM if part == "daemon" else signal.SIGKILL)
        self.start(part, *arguments)

    def log(self, part="daemon"):
        return (ROOT / f"{part}.log").read_text(errors="replace")

    def write_rule(self, name, script):
        """Puts a polkit rule into force: JavaScript, or the body of a function (action, subject)."""
        if "addRule" not in script:
            script = f"polkit.addRule(function(action, subject) {{ {script} }});"
        draft = ROOT / f"{name}.draft"
        draft.write_text(script)
        self._change_rules(lambda: draft.rename(ROOT / "rules.d" / f"{name}.rules"))

    def remove_rules(self):
        for rule in (ROOT / "rules.d").iterdir():
            self._change_rules(rule.unlink)

    def _change_rules(self, change):
        finished = self.log("polkitd").count("Finished loading")
        change()
        wait_until(lambda: self.log("polkitd").count("Finished loading") > finished, why="polkit to read its rules")
        # polkit has sent Changed by then, and whoever watches has it before anything that is sent from now on.
        self.root.call(
            f"{POLKIT}.Authority.EnumerateActions", "s", "", destination=POLKIT, path="/org/freedesktop/PolicyKit1/Authority"
        )

    def tpm2(self, *command):
        """Runs one of tpm2-tools, or openssl with the provider tpm2, and returns its output. The service is stopped meanwhile: a swtpm
        serves one at a time."""
        was_running = self.is_running("daemon")
        if was_running:
            self.kill("daemon", signal.SIGTERM)
        done = run_tpm2(*command)
        if was_running:
            self.start("daemon")
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def fail_authorizations(self, count):
        """Wrong passwords for a key that counts them, given by nobody whom the service knows."""
        was_running = self.is_running("daemon")
        if was_running:
            self.kill("daemon", signal.SIGTERM)
        context = str(ROOT / "da.context")
        self.tpm2("tpm2_createprimary", "-Q", "-G", "ecc", "-p", "right", "-c", context, "-a",
                  "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt")  # fmt: skip
        for _ in range(count):
            done = run_tpm2("tpm2_create", "-Q", "-C", context, "-P", "wrong", "-u", "/dev/null", "-r", "/dev/null")
            assert done.returncode != 0
            self.tpm2("tpm2_flushcontext", "-t")  # or the third finds no room
        if was_running:
            self.start("daemon")

    def repair(self):
        """Starts what a test has left stopped, and takes its rules away."""
        for part in ("dbus", "polkitd", "swtpm", "swtpm12", "tcsd", "daemon"):
            if self.is_running(part):
                os.kill(self.pid(part), signal.SIGCONT)
            elif (ROOT / "pids" / part).exists():
                self.start(part)
        self.remove_rules()


def activate_session(caller_):
    """Makes polkit see the caller in an active, local session, as a person at a desktop is. There is one such session at a time."""
    seat.activate_session(caller_.user, caller_.uid, caller_.pid)
