# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service says of a TPM is what tpm2-tools read from the same TPM."""

import datetime
import re
import time

import families
import pytest
import ward
from ward import ERROR

BANK_SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


def capability(sandbox, name):
    return sandbox.tpm2("tpm2_getcap", name)


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


def strings(text):
    return dict(re.findall(r'(TPM2_PT_\w+):\n(?:  as UINT32: .*\n|  raw: .*\n)*  (?:as string|value): +"?([^"\n]*)"?', text))


def test_fixed_properties_are_the_chips(sandbox, alice):
    told = alice.call("Tpm.GetProperties")
    raw = raw_properties(capability(sandbox, "properties-fixed"))
    assert len(raw) > 30
    assert {name: told.get(name) for name in raw} == raw


def test_variable_properties_are_the_chips(sandbox, alice):
    told = alice.call("Tpm.GetProperties")
    text = capability(sandbox, "properties-variable")
    raw = {
        name: number
        for name, number in raw_properties(text).items()
        # a restart of the service, by which tpm2-tools get at the TPM, may change what is loaded
        if "LOADED" not in name and "ACTIVE" not in name
    }
    assert len(raw) > 10
    assert {name: told.get(name) for name in raw} == raw
    flags = dict(re.findall(r"  (\w+): +([01])$", text, re.M))
    assert bool(told["TPM_PT_PERMANENT"] & 1) == (flags["ownerAuthSet"] == "1")
    assert bool(told["TPM_PT_STARTUP_CLEAR"] & 2) == (flags["shEnable"] == "1")


def test_identity_is_the_chips(sandbox, alice):
    told = {name: alice.get(f"Tpm.{name}") for name in ("Manufacturer", "VendorString", "SpecRevision", "SpecDate", "Family")}
    firmware = alice.get("Tpm.FirmwareVersion")
    text = capability(sandbox, "properties-fixed")
    raw, words = raw_properties(text), strings(text)

    assert told["Manufacturer"] == words["TPM2_PT_MANUFACTURER"].strip()
    vendor = "".join(raw[f"TPM_PT_VENDOR_STRING_{i}"].to_bytes(4, "big").decode() for i in range(1, 5))
    assert told["VendorString"] == vendor.replace("\0", "").strip()
    assert told["SpecRevision"] == words["TPM2_PT_REVISION"]
    day = datetime.date(raw["TPM_PT_YEAR"], 1, 1) + datetime.timedelta(raw["TPM_PT_DAY_OF_YEAR"] - 1)
    assert told["SpecDate"] == day.isoformat()
    # libtpms writes a date and a time, in hex digits
    assert firmware == f"{raw['TPM_PT_FIRMWARE_VERSION_1']:08x}.{raw['TPM_PT_FIRMWARE_VERSION_2']:06x}"
    assert told["Family"] == words["TPM2_PT_FAMILY_INDICATOR"]


def test_a_software_tpm_says_so(alice):
    assert alice.get("Tpm.Emulated") is True
    assert alice.get("Tpm.State") == "ready"
    assert alice.get("Tpm.StateDetail") == ""
    assert alice.get("Tpm.Transport") == families.TRANSPORT
    assert alice.get("Tpm.Advisories") == []


def test_key_algorithms_are_the_chips(sandbox, alice):
    told = alice.get("Tpm.KeyAlgorithms")
    algorithms, curves = capability(sandbox, "algorithms"), capability(sandbox, "ecc-curves")
    assert ("rsa2048" in told) == bool(re.search(r"^rsa:", algorithms, re.M))
    assert ("ecc-p256" in told) == ("TPM2_ECC_NIST_P256" in curves)
    assert ("ecc-p384" in told) == ("TPM2_ECC_NIST_P384" in curves)
    assert "rsa3072" in told


def test_random_bytes(alice):
    for count in (1, 48, 49, 4095, 4096):
        assert len(alice.call("Tpm.GetRandom", "u", count)) == count
    assert alice.call("Tpm.GetRandom", "u", 32) != alice.call("Tpm.GetRandom", "u", 32)
    # 4096 fair bytes have nearly all of the 256 values
    assert len(set(alice.call("Tpm.GetRandom", "u", 4096))) > 240


def allocated(text):
    return [bank for bank, indices in re.findall(r"- (\w+): \[([^\]]*)\]", text) if indices.strip()]


def test_banks_are_the_chips(sandbox, alice):
    banks = alice.get("Pcrs.Banks")
    assert banks == allocated(capability(sandbox, "pcrs"))
    assert len(banks) > 1


def test_pcrs_are_the_chips(sandbox, alice):
    sandbox.tpm2("tpm2_pcrextend", "16:sha256=" + "5a" * 32)
    for bank in alice.get("Pcrs.Banks"):
        told = alice.call("Pcrs.Read", "sau", bank, [])
        read = re.findall(r"^\s+(\d+) *: 0x([0-9A-F]+)$", sandbox.tpm2("tpm2_pcrread", bank), re.M)
        assert [(index, value.hex().upper()) for index, value in told] == [(int(index), value) for index, value in read]
        assert len(told) == 24


def test_pcrs_come_in_ascending_order_and_once(alice):
    told = alice.call("Pcrs.Read", "sau", families.BANK, [23, 0, 16, 7, 16])
    assert [index for index, _ in told] == [0, 7, 16, 23]
    assert {len(value) for _, value in told} == {BANK_SIZES[families.BANK]}


def test_refresh_updates_properties_before_it_returns(sandbox, alice):
    seen = alice.watch_properties(ward.TPM0)
    sandbox.kill(families.LINK)
    assert alice.call("Tpm.Refresh") is None
    states = [signal.args[1]["State"] for signal in seen.all() if "State" in signal.args[1]]
    assert states == ["unreachable"]
    assert families.NO_LINK in alice.get("Tpm.StateDetail")


def test_self_test_full(root):
    passed, code, text, _ = root.call("SelfTest.Run", "s", "full")
    assert (passed, code) == (True, 0)
    assert "passed" in text


def test_self_test_incremental(root):
    passed, code, text, _ = root.call("SelfTest.Run", "s", "incremental")
    assert (passed, code) == (True, 0)
    assert "incremental" in text


def test_result_is_the_chips(sandbox, alice):
    passed, code, _, data = alice.call("SelfTest.GetResult")
    text = sandbox.tpm2("tpm2_gettestresult")
    assert passed == ("success" in text)
    assert code == 0
    chips = re.search(r"^data: *([0-9a-f]*)", text, re.M)
    assert data.hex() == (chips[1] if chips else "")


def test_self_test_is_seen_as_it_runs(root, alice):
    seen = alice.watch_properties(ward.TPM0)
    before = time.time() * 1e6
    root.call("SelfTest.Run", "s", "full")
    after = time.time() * 1e6
    seen.wait(lambda signal: signal.args[1].get("State") == "passed")

    changes = [signal.args[1] for signal in seen.all() if signal.args[0] == "org.tpmward1.SelfTest"]
    assert [change["State"] for change in changes if "State" in change] == ["running", "passed"]
    assert alice.get("SelfTest.Mode") == "full"
    assert before <= alice.get("SelfTest.LastRun") <= after
    assert 0 < alice.get("SelfTest.Duration") <= after - before
    assert alice.get("SelfTest.Code") == 0
    assert "passed" in alice.get("SelfTest.Text")


def test_change_is_told_before_the_reply(root):
    """The one who called has the signal when the reply comes: without waiting for it."""
    seen = root.watch_properties(ward.TPM0)
    root.call("SelfTest.Run", "s", "full")
    states = [signal.args[1].get("State") for signal in seen.all()]
    assert states[-1] == "passed"


def test_self_test_outlives_the_service(sandbox, root, alice):
    root.call("SelfTest.Run", "s", "full")
    names = ("State", "Mode", "LastRun", "Duration", "Code", "Text")
    before = {name: alice.get(f"SelfTest.{name}") for name in names}
    sandbox.restart("daemon")
    assert {name: alice.get(f"SelfTest.{name}") for name in names} == before
    assert before["State"] == "passed"


def test_objects_are_announced(alice):
    objects = alice.call("org.freedesktop.DBus.ObjectManager.GetManagedObjects", path="/org/tpmward1")
    assert list(objects) == [ward.TPM0]
    assert {"org.tpmward1.Tpm", "org.tpmward1.SelfTest", "org.tpmward1.Pcrs"} <= set(objects[ward.TPM0])
    assert alice.get("Manager.Tpms") == [ward.TPM0]
    assert alice.get("Manager.NoTpmReason") == ""
    assert re.fullmatch(r"\d+\.\d+\.\d+", alice.get("Manager.Version"))


@pytest.mark.parametrize("name", ["Tpm.State", "SelfTest.Code", "Pcrs.Banks", "Manager.Version"])
def test_nothing_is_writable(root, name):
    interface, _, member = name.rpartition(".")
    value = root.get(name)
    path = ward.MANAGER if interface == "Manager" else ward.TPM0
    kind = {str: "s", int: "u", list: "as"}[type(value)]
    variant = ward.caller.Variant(kind, value)
    error = root.error("org.freedesktop.DBus.Properties.Set", "ssv", f"org.tpmward1.{interface}", member, variant, path=path)
    assert error.name.startswith("org.freedesktop.DBus.Error.")
    assert not error.name.startswith(ERROR)
    assert root.get(name) == value
