# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done with a key, where something is in the way."""

from cases import cases, run_case

PROGRAM = "gui-key-use"

test_key_use = cases(PROGRAM)
test_key_secret = cases("gui-key-secret")


def test_boot_state(desktops, machine, fresh_tpm, tmp_path):
    run_case(desktops("root"), PROGRAM, "/key-use/bound", tmp_path, BOOT_CHANGE="before")
    machine.tpm2("tpm2_pcrextend", "16:sha256=" + "5a" * 32)
    run_case(desktops("root"), PROGRAM, "/key-use/boot-state-is-another", tmp_path, BOOT_CHANGE="after")
