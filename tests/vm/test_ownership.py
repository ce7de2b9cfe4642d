# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TPM 2.0 that is taken, locked out, recovered, and cleared, on a machine whose disk relies on it. tpm2-tools look on through the
kernel's resource manager, and agree. The tests build on each other, in order."""

import time

import guest
import pytest
from guest import call, execute, options, properties, refusal, run, wait_until

SRK = 0x81000001
INDEX, KEY = 0x01500016, 0x81000042
IMAGE = "/var/lib/ward-volume"
PASSPHRASE = "a passphrase beside the TPM"
BAR_SECONDS = 8
LOCKOUT, NEXT_LOCKOUT, WRONG = "a lockout auth of many words", b"\x00\xffbytes", "not the lockout auth"


def assert_agreement():
    """That every property of Ownership and Lockout is what tpm2-tools read from the chip, or sysfs has from the firmware."""
    before = time.time() * 1e6
    call("Tpm.Refresh")
    chip, persistent = guest.variables(), guest.handles("persistent")
    assert properties("Ownership") == {
        "Owned": bool(chip["lockoutAuthSet"] or chip["ownerAuthSet"]),
        "OwnerAuthSet": bool(chip["ownerAuthSet"]),
        "EndorsementAuthSet": bool(chip["endorsementAuthSet"]),
        "LockoutAuthSet": bool(chip["lockoutAuthSet"]),
        "SrkPresent": SRK in persistent,
        "SrkHandle": SRK if SRK in persistent else 0,
        "ClearDisabled": bool(chip["disableClear"]),
        "PhysicalPresence": "none",
        "ClearPending": False,
        "Enabled": bool(chip["shEnable"]),
        "Active": bool(chip["ehEnable"]),
    }
    told = properties("Lockout")
    # what the chip does not tell
    barred, recovery = told.pop("LockoutAuthBarredUntil"), told.pop("NextRecovery")
    assert told == {
        "LockedOut": bool(chip["inLockout"]),
        "Failures": chip["TPM2_PT_LOCKOUT_COUNTER"],
        "MaxFailures": chip["TPM2_PT_MAX_AUTH_FAIL"],
        "RecoverySeconds": chip["TPM2_PT_LOCKOUT_INTERVAL"],
        "LockoutRecoverySeconds": chip["TPM2_PT_LOCKOUT_RECOVERY"],
    }
    assert recovery == 0 if not told["Failures"] else recovery <= time.time() * 1e6 + told["RecoverySeconds"] * 1e6
    assert barred == 0 or barred > before


@pytest.fixture(scope="module")
def volume(installed):
    """A disk of systemd's day: LUKS2, with a passphrase and a key on the TPM."""
    run("truncate", "--size=20M", IMAGE)
    device = run("losetup", "--find", "--show", IMAGE).strip()
    quick = ["--pbkdf=pbkdf2", "--pbkdf-force-iterations=1000"]
    run("cryptsetup", "luksFormat", "--batch-mode", "--type=luks2", *quick, "--key-file=-", device, input=PASSPHRASE)
    run("env", f"PASSWORD={PASSPHRASE}", "systemd-cryptenroll", "--tpm2-device=auto", device)
    yield device
    run("losetup", "--detach", device)


def unlock(device):
    """Whether systemd opens the disk by the TPM alone, and what it says."""
    tool = "/lib/systemd/systemd-cryptsetup"
    done = execute(tool, "attach", "ward-volume", device, "-", "tpm2-device=auto,headless=1")
    if done.returncode == 0:
        run(tool, "detach", "ward-volume")
    return done.returncode == 0, done.stderr


def test_nobody_owns_a_new_tpm():
    assert properties("Ownership")["Owned"] is False
    assert_agreement()


def test_nothing_would_break_on_a_machine_without_encrypted_disks():
    assert call("Ownership.PreviewOwnership") == []


def test_ownership_is_taken_by_root_alone():
    assert refusal("Ownership.TakeOwnership", "{'lockout-auth': <'x'>}", user=guest.USER)[0] == "NotAuthorized"
    call("Ownership.TakeOwnership", "a{sv}", *options(lockout_auth=LOCKOUT), user="root")
    told = properties("Ownership")
    assert [told[name] for name in ("Owned", "LockoutAuthSet", "OwnerAuthSet", "SrkPresent", "SrkHandle")] == [True, True, False, True, SRK]
    assert_agreement()


def test_the_auth_is_the_chips():
    """Another program opens the lockout hierarchy with it. (With none it would bar it: nobody tries here.)"""
    run("tpm2_dictionarylockout", "-c", "-p", LOCKOUT)


def test_ownership_is_not_taken_twice():
    assert refusal("Ownership.TakeOwnership", "{'lockout-auth': <'another'>}")[0] == "AlreadyOwned"
    assert_agreement()


def test_auth_is_changed_to_one_of_any_bytes():
    call("Ownership.ChangeAuth", "sa{sv}", "lockout", *options(old=LOCKOUT, new=NEXT_LOCKOUT), user="root")
    run("tpm2_dictionarylockout", "-c", "-p", f"hex:{NEXT_LOCKOUT.hex()}")
    assert_agreement()


def test_parameters_are_the_chips():
    call("Lockout.SetParameters", "uuua{sv}", 3, 900, BAR_SECONDS, *options(auth=NEXT_LOCKOUT), user="root")
    assert [properties("Lockout")[name] for name in ("MaxFailures", "RecoverySeconds", "LockoutRecoverySeconds")] == [3, 900, BAR_SECONDS]
    assert_agreement()


def test_wrong_auth_values_lock_the_chip():
    guest.guess_wrongly(1)
    assert_agreement()
    assert [properties("Lockout")[name] for name in ("LockedOut", "Failures")] == [False, 1]
    guest.guess_wrongly(2)
    assert_agreement()
    assert [properties("Lockout")[name] for name in ("LockedOut", "Failures")] == [True, 3]


def test_reset_lifts_the_lockout():
    assert refusal("Lockout.Reset", "{}", user=guest.USER)[0] == "NotAuthorized"
    call("Lockout.Reset", "a{sv}", *options(auth=NEXT_LOCKOUT), user="root")
    assert [properties("Lockout")[name] for name in ("LockedOut", "Failures", "NextRecovery")] == [False, 0, 0]
    assert_agreement()
    run("tpm2_create", "-Q", "-C", "/run/counting", "-P", "right", "-u", "/dev/null", "-r", "/dev/null")


def test_second_try_of_the_lockout_auth_takes_force():
    """After a wrong one the chip refuses even the right one for a time, which it does not show: the service knows."""
    assert refusal("Lockout.Reset", f"{{'auth': <'{WRONG}'>}}")[0] == "AuthenticationFailed"
    barred = properties("Lockout")["LockoutAuthBarredUntil"]
    assert 0 < barred - time.time() * 1e6 < (BAR_SECONDS + 5) * 1e6
    name, message = refusal("Lockout.Reset", "{'auth': <'whatever'>}")
    assert (name, "force" in message) == ("LockedOut", True)
    assert_agreement()

    reset = ["busctl", "call", guest.SERVICE, guest.tpm_path(), f"{guest.SERVICE}.Lockout", "Reset", "a{sv}"]
    forced = [*reset, *options(auth=NEXT_LOCKOUT, force=True)]
    wait_until(lambda: execute(*forced).returncode == 0, "the chip to take its lockout auth again", BAR_SECONDS * 3)
    assert properties("Lockout")["LockoutAuthBarredUntil"] == 0
    call("Lockout.Reset", "a{sv}", *options(auth=NEXT_LOCKOUT), user="root")


def dependents(method, kind):
    return [entry for entry in call(f"Ownership.{method}", user="root") if entry["kind"] == kind]


def test_disk_of_systemds_is_seen_to_rely_on_the_tpm(volume):
    assert unlock(volume)[0]
    (seen,) = wait_until(lambda: dependents("PreviewOwnership", "luks-volume"), "a scan that sees it", 60)
    assert seen["subject"] == volume
    assert "systemd" in seen["detail"]
    assert (seen["recoverable"], seen["uses-owner-empty-auth"]) == ("yes", True)


def test_owner_auth_is_not_set_without_a_word(volume):
    name, message = refusal("Ownership.ChangeAuth", "owner", "{'new': <'owner'>}")
    assert (name, volume in message) == ("WouldBreak", True)
    assert unlock(volume)[0]
    assert_agreement()


def test_with_an_owner_auth_systemd_does_not_open_the_disk(volume):
    """Which is why the lockout auth alone is recommended."""
    call("Ownership.ChangeAuth", "sa{sv}", "owner", *options(new="owner", force=True), user="root")
    assert_agreement()
    opened, said = unlock(volume)
    assert not opened, said
    enrolled = execute("env", f"PASSWORD={PASSPHRASE}", "systemd-cryptenroll", "--tpm2-device=auto", volume)
    assert enrolled.returncode != 0, enrolled.stdout


def test_without_it_the_disk_opens_again(volume):
    call("Ownership.ChangeAuth", "sa{sv}", "owner", *options(old="owner"), user="root")
    assert_agreement()
    assert unlock(volume)[0]


@pytest.fixture(scope="module")
def kept(volume):
    """What other programs keep on the chip itself."""
    run("tpm2_nvdefine", "-Q", hex(INDEX), "-C", "o", "-s", "8", "-a", "ownerread|ownerwrite")
    run("tpm2_nvwrite", "-Q", hex(INDEX), "-C", "o", "-i", "-", input="8 bytes.")
    run("tpm2_createprimary", "-Q", "-G", "ecc", "-c", "/run/kept")
    run("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "/run/kept", hex(KEY))


def test_preview_of_a_clear_has_all_that_tools_have_made(kept, volume):
    ledger = call("Ownership.PreviewClear")
    on_the_chip = {entry["handle"]: entry for entry in ledger if "handle" in entry}
    assert set(on_the_chip) == {*guest.handles("persistent"), *guest.handles("nv-index")} == {INDEX, KEY, SRK}
    assert (on_the_chip[INDEX]["kind"], on_the_chip[KEY]["kind"]) == ("nv-index", "persistent-handle")
    (disk,) = [entry for entry in ledger if entry["kind"] == "luks-volume"]
    assert (disk["subject"], disk["recoverable"]) == (volume, "yes")


def test_clear_is_refused_without_its_name_or_right():
    before = guest.handles("persistent")
    assert refusal("Ownership.Clear", "{'confirm': <'tpm1'>}")[0] == "InvalidArgument"
    assert refusal("Ownership.Clear", "{'confirm': <'tpm0'>}", user=guest.USER)[0] == "NotAuthorized"
    assert guest.handles("persistent") == before


def test_clear_by_the_lockout_auth(kept, volume):
    assert call("Ownership.Clear", "a{sv}", *options(confirm="tpm0", auth=NEXT_LOCKOUT), user="root") == "cleared"
    told = properties("Ownership")
    assert [told[name] for name in ("Owned", "LockoutAuthSet", "SrkPresent")] == [False, False, False]
    assert guest.handles("persistent") + guest.handles("nv-index") == []
    assert_agreement()
    assert (properties("Tpm")["State"], properties("Tpm")["StateDetail"]) == ("ready", "")
    assert [entry for entry in call("Ownership.PreviewClear") if "handle" in entry] == []


def test_cleared_tpm_no_longer_opens_the_disk_but_its_passphrase_does(volume):
    assert not unlock(volume)[0]
    run("cryptsetup", "open", "--test-passphrase", "--key-file=-", volume, input=PASSPHRASE)


def test_command_takes_ownership_and_changes_the_auth():
    secret = f"{LOCKOUT} 2"
    run("tpmward", "own", "--lockout-fd", "0", input=LOCKOUT)
    assert_agreement()
    # its two secrets come by two descriptors
    script = 'exec tpmward change-auth lockout --old-fd 3 --new-fd 0 3< <(printf %s "$OLD")'
    run("env", f"OLD={LOCKOUT}", "bash", "-c", script, input=secret)
    run("tpm2_dictionarylockout", "-c", "-p", secret)
    assert_agreement()


def test_clear_behind_the_services_back_is_noticed(volume):
    guest.stop()
    run("tpm2_clear", "-c", "l", f"{LOCKOUT} 2")
    told = properties("Tpm")
    assert told["State"] == "ready"
    assert "cleared" in told["StateDetail"]
    assert_agreement()
    seen = guest.findings()["tpm-cleared@tpm0"]
    assert seen["severity"] == "warning"
    assert volume in seen["detail"]


def test_what_was_noticed_is_settled_by_a_person():
    assert refusal("Manager.Repair", "tpm-cleared@tpm0", "{}", user=guest.USER)[0] == "NotAuthorized"
    assert len(guest.repair("tpm-cleared@tpm0")) == 1
    assert properties("Tpm")["StateDetail"] == ""
    guest.stop()
    assert properties("Tpm")["StateDetail"] == ""
    assert "tpm-cleared@tpm0" not in guest.findings()


def test_command_clears():
    run("tpmward", "own", "--lockout-fd", "0", input=LOCKOUT)
    said = run("tpmward", "clear", "--confirm", "tpm0", "--auth-fd", "0", input=LOCKOUT)
    assert "/dev/loop" in said
    assert guest.variables()["lockoutAuthSet"] == 0
    assert_agreement()


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
