# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service that is measured, and the tools that measure it: in the sandbox, or installed in the virtual machine."""

import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

SANDBOX = Path(os.environ.get("TPMWARD_SANDBOX", ""))
USER = "ward-alice"
UNIT = "tpmward.service"
WAIT_SECONDS = 20
NAMES = ("org.tpmward.Bench", "org.tpmward.BenchSigner")
POLICY = Path("/etc/dbus-1/system.d/org.tpmward.Bench.conf")


def run(*command, user="root", **options):
    """What a program that succeeds says."""
    drop = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    environment = dict(os.environ, TSS2_LOG="all+none", **options.pop("environment", {}))
    done = subprocess.run(
        [*drop, *map(str, command)], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        env=environment, **options,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ({done.returncode}): {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wait_until(condition, what):
    """Polls, as the pids of the sandbox's parts are not our children."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not happen within {WAIT_SECONDS} s")
        time.sleep(0.005)


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines)


def rss_mb(pid):
    return int(status_of(pid)["VmRSS"].split()[0]) / 1024


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def allow_names():
    """A bus without a rule lets nobody call the services that ours is compared with. This /etc goes away with the sandbox, or the machine."""
    own = "".join(f'<allow own="{name}"/>' for name in NAMES)
    send = "".join(f'<allow send_destination="{name}"/>' for name in NAMES)
    POLICY.write_text(f'<busconfig><policy user="root">{own}</policy><policy context="default">{send}</policy></busconfig>\n')
    run("busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")


def provision():
    """The TPM gets a storage root key at its handle, as where systemd has set it up. Keys lie beneath it."""
    path = run("busctl", "call", "--json=short", "org.tpmward1", "/org/tpmward1/Manager", "org.freedesktop.DBus.Properties", "Get",
               "ss", "org.tpmward1.Manager", "Tpms")  # fmt: skip
    tpm = json.loads(path)["data"][0]["data"][0]
    run("busctl", "--timeout=100", "call", "org.tpmward1", tpm, "org.tpmward1.Ownership", "ProvisionSrk", "a{sv}", "0")


class SandboxService:
    """The sandbox's service, and copies of it that run just as it does."""

    tools = SANDBOX / "build/tests/bench"

    def __init__(self):
        proc = Path(f"/proc/{self.pid()}")
        self.command = [os.fsdecode(part) for part in (proc / "cmdline").read_bytes().split(b"\0")[:-1]]
        self.environment = dict(os.fsdecode(part).split("=", 1) for part in (proc / "environ").read_bytes().split(b"\0")[:-1])
        status = status_of(self.pid())
        self.identity = {
            "user": int(status["Uid"].split()[0]),
            "group": int(status["Gid"].split()[0]),
            "extra_groups": [int(group) for group in status["Groups"].split()],
        }
        self.state = Path(self.argument("--state-dir"))
        self.tcti = self.argument("--tpm").split("=", 1)[1]

    def argument(self, name):
        return self.command[self.command.index(name) + 1]

    def command_for(self, state):
        return [str(state) if part == str(self.state) else part for part in self.command]

    @staticmethod
    def pid():
        return int((SANDBOX / "pids/daemon").read_text())

    def stop(self):
        pid = self.pid()
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: is_gone(pid), "the end of the service")

    def start(self, state=None):
        arguments = ["--only", *self.command_for(state)[1:]] if state else []
        run(SANDBOX / "start-daemon", *arguments)

    def measure_start(self, watcher, state=None):
        """Milliseconds from just before the fork to the announcement of the name, for a copy that is stopped again."""
        command = self.command_for(state or self.state)
        return measure_start(watcher, command, env=self.environment, **self.identity)[0]


class GuestService:
    """The service as systemd runs it."""

    tools = Path("/run/ward-bench")
    tcti = "device:/dev/tpmrm0"

    def __init__(self, build):
        run("meson", "install", "-C", build, "--no-rebuild")
        # The build folder may lie where other users cannot go.
        self.tools.mkdir()
        shutil.copy(build / "tests/bench/ward-bench", self.tools)
        wait_until(Path("/dev/tpmrm0").exists, "the coming of /dev/tpmrm0")
        self.start()

    @staticmethod
    def pid():
        return int(run("systemctl", "show", "--property=MainPID", "--value", UNIT))

    @staticmethod
    def stop():
        run("systemctl", "stop", UNIT)

    @staticmethod
    def start():
        run("systemctl", "start", UNIT)


def measure_start(watcher, command, while_running=None, **options):
    """The milliseconds, and what while_running said of the process."""
    started = time.monotonic_ns() / 1e6
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        owned = select.select([watcher.stdout], [], [], WAIT_SECONDS)[0]
        said = while_running(process.pid) if owned and while_running else None
        process.terminate()
        process.wait(WAIT_SECONDS)
    if not owned:
        raise RuntimeError(f"{command[0]} has not taken its name")
    return float(watcher.stdout.readline()) / 1e3 - started, said


class Tool:
    """ward-bench and its kin, where every user can reach them."""

    def __init__(self, folder):
        self.path = folder / "ward-bench"
        self.pkcs11 = folder / "ward-bench-pkcs11"

    def measure(self, *arguments, user="root", program=None, environment=None):
        """What it measured: a dictionary of dictionaries."""
        said = run(program or self.path, *arguments, user=user, environment=environment or {})
        measured = {}
        for line in said.splitlines():
            name, median, p95, minimum, count = line.split("\t")
            measured[name] = {"median_us": float(median), "p95_us": float(p95), "min_us": float(minimum), "n": int(count)}
        return measured

    def background(self, *arguments):
        """A process that has said that it is ready."""
        process = subprocess.Popen([self.path, *arguments], stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"ward-bench {' '.join(arguments)} failed")
        return process


def end(process):
    process.terminate()
    process.wait()
    process.stdout.close()
