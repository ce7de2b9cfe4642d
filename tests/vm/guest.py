# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in the virtual machine are written with: commands of users, calls by busctl, systemd's and tpm2-tools' views."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

UNIT = "tpmward.service"
SERVICE = "org.tpmward1"
ROOT = "/org/tpmward1"
MANAGER = f"{ROOT}/Manager"
USER = "ward-alice"
BUILD = os.environ.get("TPMWARD_BUILD", "")
DAEMON = "/usr/local/libexec/tpmward-daemon"
SECONDS = 120


def execute(*command, user="root", **options):
    """Runs a command, without a session or a terminal of its own, to its end."""
    drop = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
    environment = dict(os.environ, LC_ALL="C.UTF-8", TPM2TOOLS_TCTI=f"device:{manager_node()}", TSS2_LOG="all+none")
    return subprocess.run(
        [*drop, *map(str, command)], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=SECONDS, env=environment, **options,
    )  # fmt: skip


def run(*command, **options):
    """What a command that succeeds prints."""
    done = execute(*command, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))} ({done.returncode}):\n{done.stdout}{done.stderr}"
    return done.stdout


def wait_until(condition, why, timeout=60):
    """Returns the first true value of condition()."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{why}: not within {timeout} s")
        time.sleep(0.05)
    return value


def plain(value):
    """What busctl's JSON says, without its types."""
    if isinstance(value, dict) and set(value) == {"type", "data"}:
        return plain(value["data"])
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def call(method, signature="", *args, path=None, user=USER):
    """Calls by busctl, which may start the service; "Tpm.GetRandom" is short for org.tpmward1.Tpm's on the machine's TPM."""
    interface, _, member = method.rpartition(".")
    if "." not in interface:
        path = path or (MANAGER if interface == "Manager" else tpm_path())
        interface = f"{SERVICE}.{interface}"
    command = ["busctl", "--system", "--json=short", "--timeout=100", "call", SERVICE, path, interface, member]
    reply = run(*command, *([signature, *args] if signature else []), user=user)
    values = plain(json.loads(reply)) if reply.strip() else []
    return values[0] if len(values) == 1 else values


def properties(interface, path=None):
    path = path or (MANAGER if interface == "Manager" else tpm_path())
    return call("org.freedesktop.DBus.Properties.GetAll", "s", f"{SERVICE}.{interface}", path=path)


def tpm_name():
    """The kernel's name of the machine's only TPM, or None."""
    return next((path.name for path in Path("/sys/class/tpm").glob("tpm*")), None)


def tpm_path():
    """The object that it is to have."""
    return f"{ROOT}/tpm/{tpm_name()}"


def manager_node():
    return f"/dev/tpmrm{(tpm_name() or 'tpm0').removeprefix('tpm')}"


def unit(*names):
    """Properties of the service's unit."""
    shown = run("systemctl", "show", UNIT, *(f"--property={name}" for name in names))
    found = dict(line.split("=", 1) for line in shown.splitlines())
    return found[names[0]] if len(names) == 1 else [found[name] for name in names]


def pid():
    return int(unit("MainPID"))


def stop():
    run("systemctl", "stop", UNIT)
    assert unit("ActiveState") == "inactive"


def journal(*options):
    return run("journalctl", "--no-pager", "--quiet", "--boot", *options)


def complaints():
    """What nothing that the tests do is a reason for: warnings and worse of the service's own, system calls that a filter refused to it by
    killing it, and its end by any other signal than the tests'."""
    own = journal(f"_SYSTEMD_UNIT={UNIT}", "--priority=warning", "--output=short-monotonic")
    kills = re.findall(r".*(?:type=1326|SECCOMP auid=|status=31/SYS).*", journal("--output=short-monotonic"))
    ends = re.findall(r".*tpmward\.service.*code=(?!killed, status=9/KILL).*", journal("_PID=1", "--output=cat"))
    return [*own.splitlines(), *kills, *ends]


def capability(name):
    return run("tpm2_getcap", name)


def raw_properties(text):
    """The number of each property that tpm2_getcap names, by its name in the TCG's specification."""
    numbers, name = {}, None
    for line in text.splitlines():
        if match := re.match(r"(TPM2_PT_\w+):(?: *(0x[0-9A-Fa-f]+))?$", line):
            name = match[1].replace("TPM2_", "TPM_")
            if match[2]:
                numbers[name] = int(match[2], 16)
        elif (match := re.match(r"  raw: 0x([0-9A-Fa-f]+)$", line)) and name:
            numbers[name] = int(match[1], 16)
    return numbers


def read_pcrs(bank):
    """(index, value) of all PCRs, by tpm2-tools."""
    lines = re.findall(r"^\s+(\d+) *: 0x([0-9A-F]+)$", run("tpm2_pcrread", bank), re.M)
    return [(int(index), value.lower()) for index, value in lines]
