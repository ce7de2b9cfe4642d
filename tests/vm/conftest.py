# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests that go on after a restart of the machine: before one that is marked as `after_reboot` it is restarted, and pytest with it. What
came of the tests before is kept on the host's side, and told again by the new run as if it had seen it."""

import json
from pathlib import Path

import guest
import pytest

CONTROL = Path("/run/ward-vm")
REPORTS = CONTROL / "reports"
INSTALLED = CONTROL / "installed"


def pytest_configure(config):
    if not CONTROL.is_dir():
        pytest.exit("these run in the virtual machine: ./dev vm", 2)
    config.addinivalue_line("markers", "after_reboot: the machine is restarted before this test")


def known_reports():
    """(the id of the test, what pytest makes of it for transport), in order."""
    return [json.loads(line) for line in REPORTS.read_text(encoding="utf-8").splitlines()] if REPORTS.exists() else []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    known = [report for test, report in known_reports() if test == item.nodeid]
    if reports := [report for report in known if report]:
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=item.config.hook.pytest_report_from_serializable(config=item.config, data=report))
        return True
    if item.get_closest_marker("after_reboot") and not known:
        note(item, None)
        (CONTROL / "again").touch()
        pytest.exit("the machine is restarted", 0)
    return None


def note(item, report):
    with open(REPORTS, "a", encoding="utf-8") as file:
        file.write(json.dumps([item.nodeid, report]) + "\n")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails shows what the machine's journal says of its time."""
    report = (yield).get_result()
    if report.failed:
        journal = guest.journal(f"--since=@{int(call.start) - 1}", "--output=short-monotonic")
        report.sections.append(("the machine's journal", journal))
    note(item, item.config.hook.pytest_report_to_serializable(config=item.config, report=report))


@pytest.fixture(scope="session")
def installed():
    """Installs as README.md says. Returns what was said."""
    if not INSTALLED.exists():
        INSTALLED.write_text(guest.run("meson", "install", "-C", guest.BUILD, "--no-rebuild"), encoding="utf-8")
    return INSTALLED.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def on_an_installation(installed):
    pass
