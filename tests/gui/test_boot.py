# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page Boot State, beside a TPM into which something was measured."""

import pytest
from cases import cases, run_case

PROGRAM = "gui-boot"


def extend(machine, *registers):
    for register in registers:
        machine.tpm2("tpm2_pcrextend", f"{register}:sha256=" + "5a" * 32)


@pytest.fixture
def fresh_tpm(fresh_tpm, machine):
    """Secure Boot's register has something."""
    extend(machine, 7)


test_boot = cases(PROGRAM)


@pytest.mark.parametrize("change, registers", [("boot", [0, 4]), ("ordinary", [16])])
def test_what_has_changed_since_a_state_was_saved(change, registers, desktops, machine, fresh_tpm, tmp_path):
    variables = {"BOOT_STATE": str(tmp_path / "before.pcrs"), "BOOT_CHANGE": change}
    run_case(desktops("root"), PROGRAM, "/boot/save-before", tmp_path, **variables)
    extend(machine, *registers)
    run_case(desktops("root"), PROGRAM, "/boot/changed", tmp_path, **variables)
