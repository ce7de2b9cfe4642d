# SPDX-License-Identifier: LGPL-2.1-or-later
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = Path(__file__).resolve().parents[1] / "service"
sys.path.insert(0, str(SERVICE))

import desktop  # noqa: E402
import person  # noqa: E402
import ward  # noqa: E402

# The fixtures of the service's tests are these tests' too; their module has the name of this one.
_spec = importlib.util.spec_from_file_location("service_conftest", SERVICE / "conftest.py")
_service = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_service)
globals().update({name: value for name, value in vars(_service).items() if not name.startswith("_")})


def pytest_exception_interact(node):
    """A picture of what went wrong, for who names a file for it."""
    if "GUI_PICTURE" in os.environ and "DISPLAY" in os.environ:
        subprocess.run(["import", "-window", "root", os.environ["GUI_PICTURE"]], check=False)


@pytest.fixture(scope="session", autouse=True)
def lasting_callers(machine):
    """Callers for all tests of the process: there can be no new ones once it has connections, and GLib's threads, of its own."""
    with ward.Caller("ward-alice") as caller:
        yield {"ward-alice": caller, "root": machine.root}


@pytest.fixture
def alice(lasting_callers):
    return lasting_callers["ward-alice"]


@pytest.fixture
def root(lasting_callers):
    return lasting_callers["root"]


@pytest.fixture(scope="session")
def screen():
    """An X server with a window manager, for all desktops of the test process."""
    with desktop.Screen() as screen_:
        yield screen_


@pytest.fixture(scope="session")
def desktops(screen):
    """desktops(USER): that user's environment of a desktop, with a session bus."""
    made = {}

    def get(user):
        if user not in made:
            made[user] = desktop.Desktop(screen, user)
        return made[user]

    yield get
    for each in made.values():
        each.end()


@pytest.fixture(scope="session")
def pristine_tpm(machine):
    """The TPM's state as its maker delivered it."""
    machine.kill("daemon", desktop.SIGTERM)
    machine.kill("swtpm")
    return desktop.TpmState()


@pytest.fixture
def fresh_tpm(machine, pristine_tpm):
    """Nobody has used the TPM or the service yet."""
    pristine_tpm.restore(machine)


@pytest.fixture
def start_app(desktops, fresh_tpm):
    """start_app(ARGUMENTS…): ward-alice before the application, with a fresh TPM, at a desktop without a polkit agent."""
    started = []
    its_desktop = desktops("ward-alice")
    its_desktop.accessibility()

    def start(*arguments, **environment):
        program = ward.ROOT / "build/gui/tpmward-gui"
        process = its_desktop.start_in_session([program, *arguments], "app", **environment)
        started.append(process)
        return person.Person(person.Program(its_desktop, process).wait_for_start())

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def admin(desktops, machine):
    """ward-admin, whom the polkit agent of ward-alice's desktop asks."""
    its_desktop = desktops("ward-alice")
    its_desktop.accessibility()
    process = its_desktop.start_agent(machine)
    yield person.Administrator(person.Program(its_desktop, process).wait_for_start())
    process.kill()
    process.wait()


@pytest.fixture
def app(admin, start_app):
    """ward-alice before the application's window, with the TPM found."""
    me = start_app()
    me.wait_for("list item", "Overview")
    return me
