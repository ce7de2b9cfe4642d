# SPDX-License-Identifier: LGPL-2.1-or-later
"""On a machine with a TPM 2.0 and its kernel driver: what README.md promises for a real chip. The tests build on each other, in order."""

import concurrent.futures
import datetime
import json
import os
import pwd
import re
import signal
import subprocess
from pathlib import Path

import guest
import pytest
from guest import call, execute, pid, properties, run, wait_until

MAX_EXPOSURE = 1.6
BANKS = ["sha1", "sha256", "sha384", "sha512"]
DRIVER = Path("/sys/bus/acpi/drivers/tpm_crb")
NOT_AUTHORIZED = 4


def test_installation_does_all_that_it_can(installed):
    said = [line for line in installed.splitlines() if line.startswith("tpmward:")]
    assert len(said) > 5
    assert [line for line in said if not re.match("tpmward: (done|installed): ", line)] == []


def test_the_chips_node_is_not_open_to_users():
    owners = {node: guest.access(node) for node in ("/dev/tpm0", "/dev/tpmrm0")}
    assert owners == {"/dev/tpm0": "tss:root 660", "/dev/tpmrm0": "tss:tss 660"}
    assert execute("tpm2_getrandom", "4", user=guest.USER).returncode != 0


def test_first_call_of_a_user_starts_the_service():
    assert guest.unit("ActiveState") == "inactive"
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties("Manager")["Version"])
    assert guest.unit("ActiveState") == "active"


def test_the_name_is_the_users_tpmward():
    where = ["org.freedesktop.DBus", "/", "org.freedesktop.DBus"]
    uid = run("busctl", "--system", "call", *where, "GetConnectionUnixUser", "s", guest.SERVICE)
    assert uid.split() == ["u", str(pwd.getpwnam("tpmward").pw_uid)]
    owner = run("busctl", "--system", "call", *where, "GetConnectionUnixProcessID", "s", guest.SERVICE)
    assert owner.split() == ["u", str(pid())]
    assert os.readlink(f"/proc/{pid()}/exe") == guest.DAEMON


def test_the_service_has_no_privileges():
    fields = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid()}/status").read_text().splitlines() if ":\t" in line)
    assert "0" not in fields["Uid"].split()
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_the_unit_is_exposed_as_little_as_promised():
    assert guest.exposure(guest.UNIT) <= MAX_EXPOSURE


def test_one_systemctl_line_starts_it_too():
    guest.stop()
    run("systemctl", "start", guest.UNIT)
    assert guest.unit("ActiveState") == "active"


def test_the_tpm_is_reached_through_the_kernels_resource_manager():
    manager = properties("Manager")
    assert (manager["Tpms"], manager["NoTpmReason"]) == (["/org/tpmward1/tpm/tpm0"], "")
    told = properties("Tpm")
    expected = {
        "Name": "tpm0", "DevicePath": "/dev/tpm0", "Transport": "device:/dev/tpmrm0", "Driver": "tpm_crb", "Family": "2.0",
        "State": "ready", "StateDetail": "", "Emulated": True,
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected


def test_identity_is_the_chips():
    told = properties("Tpm")
    raw = guest.raw_properties(guest.capability("properties-fixed"))
    text = {name: number.to_bytes(4, "big").decode("latin-1").strip("\0 ") for name, number in raw.items()}
    assert told["Manufacturer"] == text["TPM_PT_MANUFACTURER"]
    vendor = b"".join(raw[f"TPM_PT_VENDOR_STRING_{i}"].to_bytes(4, "big") for i in range(1, 5))
    assert told["VendorString"] == vendor.replace(b"\0", b"").decode().strip()
    # libtpms writes a date and a time, in hex digits
    assert told["FirmwareVersion"] == f"{raw['TPM_PT_FIRMWARE_VERSION_1']:08x}.{raw['TPM_PT_FIRMWARE_VERSION_2']:06x}"
    assert told["SpecRevision"] == f"{raw['TPM_PT_REVISION'] / 100:.2f}"
    day = datetime.date(raw["TPM_PT_YEAR"], 1, 1) + datetime.timedelta(raw["TPM_PT_DAY_OF_YEAR"] - 1)
    assert told["SpecDate"] == day.isoformat()
    assert told["Family"] == text["TPM_PT_FAMILY_INDICATOR"]


@pytest.mark.parametrize(("kind", "least"), [("properties-fixed", 30), ("properties-variable", 10)])
def test_properties_are_the_chips(kind, least):
    told = call("Tpm.GetProperties")
    raw = guest.raw_properties(guest.capability(kind))
    # what is loaded, the kernel swaps between its clients
    raw = {name: number for name, number in raw.items() if "LOADED" not in name and "ACTIVE" not in name and "TRANSIENT_AVAIL" not in name}
    assert len(raw) > least
    assert {name: told.get(name) for name in raw} == raw


def test_key_algorithms_are_the_chips():
    told = properties("Tpm")["KeyAlgorithms"]
    names = {"rsa2048": "rsa2048", "rsa3072": "rsa3072", "ecc256": "ecc-p256", "ecc384": "ecc-p384"}
    assert told == [name for parameters, name in names.items() if execute("tpm2_testparms", parameters).returncode == 0]
    assert "ecc-p256" in told


def test_banks_are_the_chips():
    assert properties("Pcrs")["Banks"] == BANKS
    assert re.findall(r"- (\w+): \[ 0,", guest.capability("pcrs")) == BANKS


@pytest.mark.parametrize("bank", BANKS)
def test_pcrs_are_the_chips(bank):
    run("tpm2_pcrextend", f"16:{bank}={'5a' * {'sha1': 20, 'sha256': 32, 'sha384': 48, 'sha512': 64}[bank]}")
    told = [(index, bytes(value).hex()) for index, value in call("Pcrs.Read", "sau", bank, 0)]
    assert told == guest.read_pcrs(bank)
    assert len(told) == 24
    assert int(dict(told)[16], 16) != 0


def test_firmware_has_measured_into_the_pcrs_that_it_shows():
    """Evidence that these are the machine's own: the firmware has been at the chip before the kernel was."""
    assert int(dict(guest.read_pcrs("sha256"))[0], 16) != 0


def test_random_bytes():
    for count in (1, 32, 4096):
        assert len(call("Tpm.GetRandom", "u", count)) == count
    assert call("Tpm.GetRandom", "u", 32) != call("Tpm.GetRandom", "u", 32)


def test_self_test_is_refused_to_a_user_without_a_session():
    state = properties("SelfTest")["State"]
    refused = execute(
        "gdbus", "call", "--system", "--dest", guest.SERVICE, "--object-path", guest.tpm_path(), "--method",
        "org.tpmward1.SelfTest.Run", "full", user=guest.USER,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "org.tpmward1.Error.NotAuthorized" in refused.stderr
    assert execute("tpmward", "selftest", "--full", user=guest.USER).returncode == NOT_AUTHORIZED
    assert properties("SelfTest")["State"] == state


def test_self_test_of_root_is_the_chips():
    passed, code, text, _ = call("SelfTest.Run", "s", "full", user="root")
    assert (passed, code) == (True, 0)
    assert "full" in text
    assert "success" in run("tpm2_gettestresult")
    assert properties("SelfTest")["State"] == "passed"


def test_command_shows_the_same():
    panel = run("tpmward", user=guest.USER)
    assert "device:/dev/tpmrm0" in panel
    (tpm,) = json.loads(run("tpmward", "--json", user=guest.USER))["tpms"]
    assert tpm["path"] == guest.tpm_path()
    told = json.loads(run("tpmward", "properties", "--json", user=guest.USER))
    manufacturer = guest.raw_properties(guest.capability("properties-fixed"))["TPM_PT_MANUFACTURER"]
    assert str(manufacturer) in json.dumps(told)
    assert re.fullmatch("[0-9a-f]{32}\n", run("tpmward", "random", "16", "--hex", user=guest.USER))
    pcrs = run("tpmward", "pcrs", "sha256", user=guest.USER).lower()
    assert [value for _, value in guest.read_pcrs("sha256") if value not in pcrs] == []


def test_other_programs_use_the_chip_at_the_same_time(tmp_path):
    """Each has its own view of it from the kernel, so that nobody finds the TPM busy, or full of another's objects."""
    before = pid()
    tools = [
        ["tpm2_getrandom", "--hex", "16"],
        ["tpm2_pcrread", "sha256"],
        *(["tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", str(tmp_path / f"{i}.ctx")] for i in range(4)),
    ]
    service = [
        ["tpmward", "random", "4096", "--hex"],
        ["tpmward", "pcrs", "sha256"],
        ["tpmward", "properties"],
    ]
    commands = [*tools, *service, *tools, *service]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda command: execute(*command), commands))
    assert [(result.args, result.stderr) for result in done if result.returncode != 0] == []
    assert properties("Tpm")["State"] == "ready"
    assert pid() == before


def test_killed_service_is_replaced_for_the_next_call():
    before, tested = pid(), properties("SelfTest")
    os.kill(before, signal.SIGKILL)
    assert len(call("Tpm.GetRandom", "u", 32)) == 32
    assert pid() not in (0, before)
    assert properties("SelfTest") == tested


def test_unbound_driver_takes_the_tpm_away_with_a_reason():
    (device,) = [path.name for path in DRIVER.iterdir() if path.name.startswith("MSFT0101")]
    assert properties("Manager")["Tpms"] == ["/org/tpmward1/tpm/tpm0"]
    before = pid()
    (DRIVER / "unbind").write_text(device)
    wait_until(lambda: properties("Manager")["Tpms"] == [], "the TPM to be withdrawn")
    assert call("org.freedesktop.DBus.ObjectManager.GetManagedObjects", path=guest.ROOT) == {}
    reason = properties("Manager")["NoTpmReason"]
    assert re.match(r"The firmware announces a TPM 2.0 \(ACPI device MSFT0101:00\), but no driver has taken it\. .*tpm_crb", reason)
    shown = execute("tpmward", user=guest.USER)
    assert shown.returncode != 0
    assert reason.split(".")[0] in re.sub(r"\s+", " ", shown.stdout + shown.stderr)
    assert pid() == before


def test_bound_again_the_tpm_comes_back_under_its_new_name():
    before = pid()
    (DRIVER / "bind").write_text("MSFT0101:00")
    wait_until(lambda: properties("Manager")["Tpms"] == ["/org/tpmward1/tpm/tpm1"], "the TPM to be announced")
    assert guest.tpm_name() == "tpm1"
    told = properties("Tpm")
    assert (told["State"], told["DevicePath"], told["Transport"]) == ("ready", "/dev/tpm1", "device:/dev/tpmrm1")
    assert properties("Manager")["NoTpmReason"] == ""
    assert pid() == before


def test_returned_tpm_is_served():
    assert len(call("Tpm.GetRandom", "u", 32)) == 32
    assert [(index, bytes(value).hex()) for index, value in call("Pcrs.Read", "sau", "sha256", 0)] == guest.read_pcrs("sha256")
    assert call("SelfTest.Run", "s", "incremental", user="root")[:2] == [True, 0]


def test_restarted_service_finds_it_too():
    guest.stop()
    assert properties("Manager")["Tpms"] == ["/org/tpmward1/tpm/tpm1"]
    assert len(call("Tpm.GetRandom", "u", 32)) == 32


def measure(*arguments):
    """The medians in microseconds, by name."""
    lines = run(f"{guest.BUILD}/tests/bench/ward-bench", *arguments).splitlines()
    return {name: float(median) for name, median, *_ in (line.split("\t") for line in lines)}


@pytest.fixture
def echo():
    """What ward-bench compares the service with, a name on the bus that nobody else may have."""
    policy = Path("/etc/dbus-1/system.d/org.tpmward.Bench.conf")
    rules = '<allow own="org.tpmward.Bench"/><allow send_destination="org.tpmward.Bench"/>'
    policy.write_text(f"<busconfig><policy user=\"root\">{rules}</policy></busconfig>\n")
    run("busctl", "--system", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")
    with subprocess.Popen([f"{guest.BUILD}/tests/bench/ward-bench", "echo"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield
        process.kill()
    policy.unlink()


def test_random_bytes_come_soon(echo, capsys):
    """Printed, and no more: an emulated machine's times depend on the real one's other work."""
    raw, served = measure("raw", f"device:{guest.manager_node()}", "20"), measure("bus", "20")
    assert raw["raw-random"] > 0 and served["random"] > 0
    with capsys.disabled():
        print(
            f"\nmeasured: GetRandom of 32 bytes through {guest.manager_node()}, median of 20: {served['random'] / 1000:.2f} ms by the service,"
            f" {raw['raw-random'] / 1000:.2f} ms without it; a call to the bus itself {served['bus-driver'] / 1000:.2f} ms"
        )


def test_stopping_is_clean():
    guest.stop()
    assert guest.unit("Result", "ExecMainStatus") == ["success", "0"]


def test_idle_service_ends_and_the_next_call_starts_it():
    folder = Path(f"/run/systemd/system/{guest.UNIT}.d")
    folder.mkdir(parents=True)
    (folder / "idle.conf").write_text(f"[Service]\nExecStart=\nExecStart={guest.DAEMON} --idle-exit 1\n")
    run("systemctl", "daemon-reload")
    for _ in range(2):
        assert len(call("Tpm.GetRandom", "u", 32)) == 32
        wait_until(lambda: guest.unit("ActiveState") == "inactive", "the idle service to end")
        assert guest.unit("Result", "ExecMainStatus") == ["success", "0"]


def test_the_journal_has_no_complaint():
    assert guest.complaints() == []


def test_nothing_on_the_machine_has_failed():
    assert run("systemctl", "list-units", "--failed", "--no-legend", "--plain") == ""
