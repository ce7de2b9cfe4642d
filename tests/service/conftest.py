# SPDX-License-Identifier: LGPL-2.1-or-later
import re

import families
import pytest
import ward

# their failures say what was there instead
pytest.register_assert_rewrite("cli_keys", "keys")

FAULT = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:|-CRITICAL \*\*|\bERROR \*\*")


@pytest.fixture(scope="session")
def machine():
    if not ward.ROOT.is_dir():
        pytest.exit("these run in a sandbox: ./dev test NAME", 2)
    sandbox_ = ward.Sandbox()
    if not families.IS_20:
        families.renew(sandbox_)
    return sandbox_


@pytest.fixture
def sandbox(machine):
    return machine


@pytest.fixture(autouse=True)
def sound_service(machine):
    """Each test finds all parts running and no rules, and must not leave a fault of the service's in its log."""
    logged = len(machine.log())
    yield
    machine.repair()
    added = machine.log()[logged:]
    assert not FAULT.search(added), f"the service has faults:\n{added}"


@pytest.fixture
def callers():
    """callers(USER): another caller, gone after the test."""
    made = []

    def make(user="ward-alice"):
        made.append(ward.Caller(user))
        return made[-1]

    yield make
    for caller in made:
        caller.leave()


@pytest.fixture
def alice(callers):
    return callers("ward-alice")


@pytest.fixture
def bob(callers):
    return callers("ward-bob")


@pytest.fixture
def root(callers):
    return callers("root")


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if families.is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed and ward.ROOT.is_dir():
        for part in ("daemon", "polkitd", "swtpm", "swtpm12", "tcsd"):
            if not (ward.ROOT / f"{part}.log").exists():
                continue
            log = (ward.ROOT / f"{part}.log").read_text(errors="replace")
            report.sections.append((f"end of {part}.log", "\n".join(log.splitlines()[-30:])))
