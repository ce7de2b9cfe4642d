# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in the virtual machine are written with: commands of users, calls by busctl, systemd's and tpm2-tools' views."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

UNIT = "tpmward.service"
HELPER_UNIT = "tpmward-helper.service"
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
    options = {"input": "", **options}
    return subprocess.run(
        [*drop, *map(str, command)], check=False, capture_output=True, text=True, errors="replace",
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


def options(**values):
    """busctl's arguments for a{sv}; names have _ where the interface has -."""
    arguments = [len(values)]
    for name, value in values.items():
        arguments.append(name.replace("_", "-"))
        if isinstance(value, bool):
            arguments += ["b", str(value).lower()]
        elif isinstance(value, bytes):
            arguments += ["ay", len(value), *value]
        else:
            arguments += ["s", value]
    return arguments


def refusal(method, *args, path=None, user="root"):
    """The name of the error that a call ends with, without org.tpmward1.Error, and its message. Arguments are written as GVariants are."""
    interface, _, member = method.rpartition(".")
    if "." not in interface:
        path = path or (MANAGER if interface == "Manager" else tpm_path())
        interface = f"{SERVICE}.{interface}"
    where = ["--dest", SERVICE, "--object-path", path, "--method", f"{interface}.{member}"]
    done = execute("gdbus", "call", "--system", "--timeout=100", *where, *args, user=user)
    assert done.returncode != 0, f"{method} was not refused: {done.stdout}"
    match = re.search(r"GDBus\.Error:([\w.]+): (.*)", done.stderr, re.S)
    assert match, done.stderr
    return match[1].removeprefix(f"{SERVICE}.Error."), match[2].strip()


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


def unit(*names, of=UNIT):
    """Properties of the service's unit, or another."""
    shown = run("systemctl", "show", of, *(f"--property={name}" for name in names))
    found = dict(line.split("=", 1) for line in shown.splitlines())
    return found[names[0]] if len(names) == 1 else [found[name] for name in names]


def pid():
    return int(unit("MainPID"))


def stop():
    run("systemctl", "stop", UNIT)
    assert unit("ActiveState") == "inactive"


def journal(*options):
    run("journalctl", "--sync")
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


def variables():
    """What tpm2_getcap says that changes: "inLockout" and its kin are 0 or 1."""
    lines = re.findall(r"^ *(\w+): +(0x[0-9A-Fa-f]+|[01])$", capability("properties-variable"), re.M)
    return {name: int(value, 0) for name, value in lines}


def handles(kind):
    """"persistent" or "nv-index": the handles that are taken."""
    return [int(handle, 16) for handle in re.findall(r"0x[0-9A-Fa-f]+", capability(f"handles-{kind}"))]


def guess_wrongly(count):
    """Wrong auth values for a key that counts them, by another program."""
    attributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt"
    run("tpm2_createprimary", "-Q", "-G", "ecc", "-p", "right", "-c", "/run/counting", "-a", attributes)
    for _ in range(count):
        assert execute("tpm2_create", "-Q", "-C", "/run/counting", "-P", "wrong", "-u", "/dev/null", "-r", "/dev/null").returncode != 0


def findings(method="Diagnose", **options):
    """What is found, by id."""
    return {finding["id"]: finding for finding in call(f"Manager.{method}", **options)}


def repair(finding, **given):
    """As root. Returns what was done."""
    return call("Manager.Repair", "sa{sv}", finding, *options(**given), user="root")


def access(path):
    return run("stat", "-c", "%U:%G %a", path).strip()


def exposure(unit_name):
    """By systemd's own measure, from 0 to 10, of the unit as it is loaded."""
    said = run("systemd-analyze", "security", "--no-pager", unit_name)
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])


def read_pcrs(bank):
    """(index, value) of all PCRs, by tpm2-tools."""
    lines = re.findall(r"^\s+(\d+) *: 0x([0-9A-F]+)$", run("tpm2_pcrread", bank), re.M)
    return [(int(index), value.lower()) for index, value in lines]
