# SPDX-License-Identifier: LGPL-2.1-or-later
"""Someone at the machine: a session as logind would tell polkit of it, and a desktop's agent that asks for passwords in it."""

import os
import shutil
import sys
import time
from pathlib import Path

import machine
import namespace

# The first that is here; each registers for its session.
AGENTS = (
    "/usr/lib/policykit-1-gnome/polkit-gnome-authentication-agent-1",
    "/usr/libexec/polkit-gnome-authentication-agent-1",
    "/usr/libexec/polkit-mate-authentication-agent-1",
)
AGENT_SECONDS = 10


def activate_session(user, uid, pid):
    """Makes polkit see the process in the active, local session of that user. There is one such session at a time."""
    files = {
        "sessions/c1": f"UID={uid}\nUSER={user}\nACTIVE=1\nIS_DISPLAY=1\nSTATE=active\nREMOTE=0\nTYPE=x11\nCLASS=user\nSEAT=seat0\n",
        f"users/{uid}": f"NAME={user}\nSTATE=active\nDISPLAY=c1\nSESSIONS=c1\nACTIVE_SESSIONS=c1\nSEATS=seat0\nACTIVE_SEATS=seat0\n",
        "seats/seat0": f"IS_SEAT0=1\nACTIVE=c1\nACTIVE_UID={uid}\nSESSIONS=c1\n",
    }
    for name, text in files.items():
        Path("/run/systemd", name).write_text(text)
    scope = f"/user.slice/user-{uid}.slice/session-c1.scope"
    cgroup = machine.ROOT / f"cgroup.{pid}"
    cgroup.write_text(f"9:name=systemd:{scope}\n0::{scope}\n")
    namespace.bind(cgroup, f"/proc/{pid}/cgroup")


def start(user, run):
    """A child that calls run() once it is in the session of that user."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        os._exit(run())
    os.close(reading)
    activate_session(user.pw_name, user.pw_uid, child)
    os.close(writing)
    return child


def start_agent(user, execute):
    """A desktop's polkit agent, ready; execute(COMMAND) becomes it. Without one, who would be asked is told no."""
    agent = next((path for path in AGENTS if os.access(path, os.X_OK)), None)
    if agent is None:
        print("sandbox: there is no polkit agent for a desktop here (package policykit-1-gnome)", file=sys.stderr)
        return

    def run():
        log = os.open(machine.ROOT / "agent.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for fd in (1, 2):
            os.dup2(log, fd)
        return execute([agent])

    child = start(user, run)
    deadline = time.monotonic() + AGENT_SECONDS
    while "Registered Authentication Agent" not in (machine.ROOT / "polkitd.log").read_text(errors="replace"):
        if not machine.is_running(child) or time.monotonic() > deadline:
            said = (machine.ROOT / "agent.log").read_text(errors="replace")
            raise RuntimeError(f"the polkit agent has not started:\n{said}")
        time.sleep(0.01)


def lend_screen(user, environment):
    """Lets another user than the caller show windows on the caller's X server."""
    cookies = Path(os.environ.get("XAUTHORITY") or Path.home() / ".Xauthority")
    if user.pw_uid == int(os.environ.get("SUDO_UID", "0")) or not cookies.exists():
        return
    copy = Path("/run/user", str(user.pw_uid), "Xauthority")
    shutil.copyfile(cookies, copy)
    copy.chmod(0o600)
    shutil.chown(copy, user.pw_uid, user.pw_gid)
    environment["XAUTHORITY"] = str(copy)
