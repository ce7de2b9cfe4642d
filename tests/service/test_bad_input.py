# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers who send nonsense, too much or too many get the right error, and the service is unharmed."""

import os
import socket
import struct
import time

import families
import pytest
import ward
from ward import ERROR, Caller, Monitor

INVALID = ERROR + "InvalidArgument"
BUS_ERROR = "org.freedesktop.DBus.Error."


def short(value):
    """A test's name for a value that may be too long for one."""
    text = ascii(value)
    return text if len(text) < 30 else f"{text[:8]}…{len(text)}"



@pytest.fixture(autouse=True)
def unharmed(sandbox, callers):
    """The same process serves before and after, with nothing left open, and another user is served."""
    pid = sandbox.pid("daemon")
    open_before = len(os.listdir(f"/proc/{pid}/fd"))
    yield
    assert sandbox.pid("daemon") == pid and sandbox.is_running("daemon")
    with Caller("ward-bob") as bob:
        assert len(bob.call("Tpm.GetRandom", "u", 4)) == 4
    ward.wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= open_before, why="descriptors to be closed")


@pytest.fixture
def unasked(root):
    """polkit is not asked about a call that is nonsense: no typo asks for a password."""
    rule = "type='method_call',interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization'"
    with Monitor(root, rule) as monitor:
        yield
        assert monitor.all() == []


@pytest.mark.parametrize("count", [0, 4097, 4294967295])
def test_random_count(alice, unasked, count):
    error = alice.error("Tpm.GetRandom", "u", count, interactive=True)
    assert error.name == INVALID
    assert str(count) in error.message and "4096" in error.message


@pytest.mark.parametrize("bank", ["", "md5", "SHA256", "sha256 ", "sha256\n", "ä" * 5000], ids=short)
def test_unknown_bank(alice, bank):
    error = alice.error("Pcrs.Read", "sau", bank, [])
    assert error.name == INVALID
    assert len(error.message) < 500


def test_bank_that_is_not_allocated(alice):
    assert "sha512" not in alice.get("Pcrs.Banks")
    error = alice.error("Pcrs.Read", "sau", "sha512", [])
    assert error.name == ERROR + "NotSupported"
    assert families.BANK in error.message


@pytest.mark.parametrize("indices", [[24], [0, 4294967295], list(range(24)) * 417, [0] * 10000], ids=short)
def test_pcr_indices(alice, indices):
    assert alice.error("Pcrs.Read", "sau", families.BANK, indices).name == INVALID


@pytest.mark.parametrize("mode", ["", "FULL", "quick", "full ", "ü" * 100000], ids=short)
def test_unknown_self_test_mode(alice, unasked, mode):
    last_run = alice.get("SelfTest.LastRun")
    error = alice.error("SelfTest.Run", "s", mode, interactive=True)
    assert error.name == INVALID
    assert "full" in error.message and "incremental" in error.message
    assert alice.get("SelfTest.LastRun") == last_run


@pytest.mark.parametrize(
    "method, signature, arguments",
    [
        ("Tpm.GetRandom", "s", ["16"]),
        ("Tpm.GetRandom", "i", [16]),
        ("Tpm.GetRandom", "", []),
        ("Tpm.GetRandom", "uu", [16, 16]),
        ("Tpm.GetProperties", "a{sv}", [{}]),
        ("Pcrs.Read", "sai", ["sha256", [0]]),
        ("Pcrs.Read", "sas", ["sha256", ["0"]]),
        ("SelfTest.Run", "sa{sv}", ["full", {"unknown-option": ward.caller.Variant("b", True)}]),
        ("Manager.Cancel", "t", [1]),
    ],
)
def test_wrong_signature(alice, unasked, method, signature, arguments):
    assert alice.error(method, signature, *arguments).name == BUS_ERROR + "InvalidArgs"


def test_unknown_members(alice):
    assert alice.error("Tpm.Explode").name == BUS_ERROR + "UnknownMethod"
    assert alice.error("Nothing.GetRandom", "u", 1).name == BUS_ERROR + "UnknownMethod"
    assert alice.error("Tpm.Refresh", path="/org/tpmward1/tpm/tpm7").name == BUS_ERROR + "UnknownMethod"
    assert alice.error("org.freedesktop.DBus.Properties.Get", "ss", "org.tpmward1.Tpm", "Nope").name == BUS_ERROR + "InvalidArgs"


def test_withdrawing_what_is_not_there(alice, bob):
    for serial in (0, 1, 4294967295):
        assert alice.error("Manager.Cancel", "u", serial).name == ERROR + "NotFound"


def pipe():
    reader, writer = os.pipe()
    os.close(writer)
    return reader


def memfd():
    return os.memfd_create("secret", os.MFD_ALLOW_SEALING)


@pytest.mark.parametrize("make", [pipe, memfd])
@pytest.mark.parametrize("count", [1, 16])
def test_surplus_descriptors(alice, unasked, make, count):
    fds = [make() for _ in range(count)]
    error = alice.error("Tpm.GetRandom", "u", 8, fds=fds, interactive=True)
    for fd in fds:
        os.close(fd)
    assert error.name == INVALID
    assert "descriptor" in error.message


@pytest.mark.parametrize("index", [0, -1, 7, 2147483647])
def test_descriptors_that_are_missing(alice, index):
    """No method here takes an `h`: GDBus refuses its signature, whatever it points to."""
    assert alice.error("Tpm.GetRandom", "h", index).name == BUS_ERROR + "InvalidArgs"


def test_many_calls_with_many_descriptors(alice):
    fds = [memfd() for _ in range(16)]
    errors = [alice.error("Tpm.GetRandom", "u", 8, fds=fds).name for _ in range(100)]
    for fd in fds:
        os.close(fd)
    assert set(errors) == {INVALID}


class RawCaller:
    """Speaks to the bus without a library that would refuse to."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect("/run/dbus/system_bus_socket")
        self.socket.settimeout(20)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert self.socket.recv(100).startswith(b"OK")
        self.socket.sendall(b"BEGIN\r\n")
        self.send(1, "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "org.freedesktop.DBus", b"")

    def send(self, serial, path, interface, member, destination, body, signature="", flags=0):
        fields = [(1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination)]
        if signature:
            fields.append((8, "g", signature))
        array = b""
        for code, kind, value in fields:
            array += b"\0" * (-len(array) % 8) + bytes([code, 1]) + kind.encode() + b"\0"
            data = value.encode()
            array += (bytes([len(data)]) if kind == "g" else struct.pack("<I", len(data))) + data + b"\0"
        header = b"l\x01" + bytes([flags]) + b"\x01" + struct.pack("<III", len(body), serial, len(array)) + array
        self.socket.sendall(header + b"\0" * (-len(header) % 8) + body)

    def is_cut_off(self):
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True


def test_invalid_utf8(sandbox):
    raw = RawCaller()
    body = struct.pack("<I", 2) + b"\xff\xfe\0"
    raw.send(2, ward.TPM0, "org.tpmward1.SelfTest", "Run", "org.tpmward1", body, "s")
    assert raw.is_cut_off()


def test_huge_message(sandbox):
    raw = RawCaller()
    size = 100 << 20
    try:
        raw.send(2, ward.TPM0, "org.tpmward1.SelfTest", "Run", "org.tpmward1", struct.pack("<I", size) + b"a" * size + b"\0", "s")
    except ConnectionError:
        pass
    assert raw.is_cut_off()


def test_large_message_that_the_bus_lets_through(alice):
    assert alice.error("SelfTest.Run", "s", "a" * (20 << 20)).name == INVALID


def test_flood(callers, alice, bob):
    """10,000 calls at once from one caller: most are refused, none is lost, and another user hardly notices."""
    calls = [alice.start("Tpm.GetRandom", "u", 4096) for _ in range(10000)]
    waits = []
    for _ in range(10):
        start = time.monotonic()
        assert len(bob.call("Tpm.GetRandom", "u", 32)) == 32
        waits.append(time.monotonic() - start)
    names = set()
    served = 0
    for call in calls:
        try:
            served += len(call.wait()) == 4096
        except ward.DBusError as error:
            names.add(error.name)
    assert served > 0
    # the bus itself has a limit of calls without a reply
    assert names <= {ERROR + "Busy", BUS_ERROR + "LimitsExceeded"}
    assert max(waits) < 5


def test_busy_names_the_limit(sandbox, alice, bob):
    """While polkit hangs, a user's 64 calls wait; the 65th is refused at once, another user's is not."""
    os.kill(sandbox.pid("polkitd"), ward.signal.SIGSTOP)
    waiting = [alice.start("Tpm.GetRandom", "u", 8) for _ in range(64)]
    error = alice.error("Tpm.GetRandom", "u", 8)
    assert error.name == ERROR + "Busy"
    assert "64" in error.message
    assert bob.call("SelfTest.GetResult")[0] is True
    other = Caller("ward-alice")
    assert other.error("SelfTest.GetResult").name == ERROR + "Busy"
    other.leave()
    os.kill(sandbox.pid("polkitd"), ward.signal.SIGCONT)
    assert {len(call.wait()) for call in waiting} == {8}
    assert alice.call("SelfTest.GetResult")[0] is True


def test_flood_of_what_never_reaches_the_gate(callers, bob):
    """GDBus answers reads of properties by itself: they are counted before it sees them."""
    flooders = [callers("ward-alice") for _ in range(12)]
    method = "org.freedesktop.DBus.ObjectManager.GetManagedObjects"
    calls = [caller.start(method, path="/org/tpmward1") for caller in flooders for _ in range(120)]
    start = time.monotonic()
    assert bob.get("Tpm.State") == "ready"
    assert time.monotonic() - start < 5
    names = set()
    served = 0
    for call in calls:
        try:
            served += ward.TPM0 in call.wait()
        except ward.DBusError as error:
            names.add(error.name)
    assert served > 0
    assert names <= {ERROR + "Busy", BUS_ERROR + "LimitsExceeded"}


def test_many_unknown_connections_keep_no_other_out(sandbox, callers):
    """Whose a connection is, the service learns after its first call: until then a flood of them is nobody's."""
    flooders = [callers("ward-alice") for _ in range(12)]
    bob = callers("ward-bob")
    os.kill(sandbox.pid("daemon"), ward.signal.SIGSTOP)
    calls = [caller.start("Tpm.GetProperties") for caller in flooders for _ in range(120)]
    call = bob.start("Tpm.GetProperties")
    os.kill(sandbox.pid("daemon"), ward.signal.SIGCONT)
    assert any(name.endswith("_MANUFACTURER") for name in call.wait())
    names = set()
    for flooding in calls:
        try:
            flooding.wait()
        except ward.DBusError as error:
            names.add(error.name)
    assert ERROR + "Busy" in names


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_calls_that_want_no_reply_are_dropped(sandbox, bob):
    """The bus does not limit them, so they would pile up."""
    pid = sandbox.pid("daemon")
    # AddressSanitizer holds back up to 256 MiB of what was freed
    allowed = 350_000 if sandbox.is_sanitized() else 50_000
    before = resident_kilobytes(pid)
    raw = RawCaller()
    for serial in range(2, 20002):
        raw.send(serial, "/org/tpmward1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "org.tpmward1", b"", flags=1)
    start = time.monotonic()
    assert bob.get("Tpm.State") == "ready"
    assert time.monotonic() - start < 10
    assert resident_kilobytes(pid) - before < allowed


def test_withdrawing_at_the_limit(sandbox, alice):
    """Who has all calls that a user may have can still withdraw one."""
    os.kill(sandbox.pid("polkitd"), ward.signal.SIGSTOP)
    waiting = [alice.start("Tpm.GetRandom", "u", 8) for _ in range(64)]
    assert alice.error("Tpm.GetRandom", "u", 8).name == ERROR + "Busy"
    assert alice.call("Manager.Cancel", "u", waiting[0].serial) is None
    assert waiting[0].error().name == ERROR + "Cancelled"
    os.kill(sandbox.pid("polkitd"), ward.signal.SIGCONT)
    assert {len(call.wait()) for call in waiting[1:]} == {8}


def test_one_users_checks_leave_polkit_to_others(sandbox, callers, alice, bob):
    """polkit answers one after the other; a user's many questions do not make another's wait for all of them."""
    sandbox.write_rule("40-test", "polkit.spawn(['true']);")  # slows each check
    many = [alice.start("SelfTest.Run", "s", "full") for _ in range(60)]
    assert len(bob.call("Tpm.GetRandom", "u", 8)) == 8
    assert {call.error().name for call in many} == {ERROR + "NotAuthorized"}
