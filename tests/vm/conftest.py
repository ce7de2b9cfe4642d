# SPDX-License-Identifier: LGPL-2.1-or-later
import os

import guest
import pytest


def pytest_configure():
    if not os.path.isdir("/run/ward-vm"):
        pytest.exit("these run in the virtual machine: ./dev vm", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call):
    """A test that fails shows what the machine's journal says of its time."""
    report = (yield).get_result()
    if report.failed:
        journal = guest.journal(f"--since=@{int(call.start) - 1}", "--output=short-monotonic")
        report.sections.append(("the machine's journal", journal))


@pytest.fixture(scope="session")
def installed():
    """Installs as README.md says. Returns what was said."""
    return guest.run("meson", "install", "-C", guest.BUILD, "--no-rebuild")


@pytest.fixture(autouse=True)
def on_an_installation(installed):
    pass
