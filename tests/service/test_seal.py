# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sealed data: what comes back and when it does not, beside tpm2-tools, and the users' budgets of wrong auths."""

import base64
import fcntl
import os
import re
import subprocess
import tempfile
import time

import families
import pytest
import ward
from families import BANK, IS_20, SEALED, extend, renew
from ward import ERROR, caller

MIB = 1024 * 1024
KINDS = {str: "s", bytes: "ay", bool: "b", dict: "a{sau}"}
OWN = "TPMWARD SEALED DATA"


def options(**values):
    return {name.replace("_", "-"): caller.Variant(KINDS[type(value)], value) for name, value in values.items()}


def handle(index):
    return caller.Variant("h", index)


def memfd(data=b"", sealed=False):
    fd = os.memfd_create("data", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if sealed:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


@pytest.fixture
def fresh(sandbox):
    renew(sandbox)
    return sandbox


def seal(who, data, fds=(), **values):
    return who.call("Seal.Seal", "aya{sv}", data, options(**values), fds=fds)


def unseal(who, blob, **values):
    return who.call("Seal.Unseal", "sa{sv}", blob, options(**values))


def unseal_error(who, blob, **values):
    return who.error("Seal.Unseal", "sa{sv}", blob, options(**values))


@pytest.mark.parametrize("bound", [False, True], ids=["unbound", "pcrs"])
@pytest.mark.parametrize("size", [1, 128, 129, MIB])
def test_round_trip(alice, size, bound):
    data = os.urandom(size)
    blob = seal(alice, data, **({"pcrs": {BANK: [0, 7]}} if bound else {}))
    label = SEALED if size <= 128 and not bound else OWN
    assert blob.startswith(f"-----BEGIN {label}-----\n") and blob.endswith(f"-----END {label}-----\n")
    assert unseal(alice, blob) == data


def test_anybody_on_the_machine_may_unseal_what_has_no_auth(alice, bob):
    """Who has the blob has the data: it is the auth and the PCRs that say more."""
    assert unseal(bob, seal(alice, b"shared")) == b"shared"


@pytest.mark.parametrize("size", [1, 129, MIB])
def test_descriptors_both_ways(alice, size):
    data = os.urandom(size)
    fd = memfd(data, sealed=True)
    blob = alice.call("Seal.Seal", "aya{sv}", b"", {"data": handle(0)}, fds=[fd])
    os.close(fd)
    output = memfd()
    assert alice.call("Seal.Unseal", "sa{sv}", blob, {"output": handle(0)}, fds=[output]) == b""
    assert os.pread(output, size + 1, 0) == data
    os.close(output)


def test_output_to_a_pipe(alice):
    data = os.urandom(MIB)
    blob = seal(alice, data)
    reader, writer = os.pipe()
    call = alice.start("Seal.Unseal", "sa{sv}", blob, {"output": handle(0)}, fds=[writer])
    os.close(writer)
    with open(reader, "rb") as file:
        assert file.read() == data
    assert call.wait() == b""


def test_pipe_that_nobody_reads_hinders_nobody(alice, bob):
    """The call waits, the service does not; with the reader gone it fails."""
    blob = seal(alice, os.urandom(MIB))
    reader, writer = os.pipe()
    calls = [alice.start("Seal.Unseal", "sa{sv}", blob, {"output": handle(0)}, fds=[writer]) for _ in range(5)]
    os.close(writer)
    start = time.monotonic()
    assert unseal(bob, seal(bob, b"mine")) == b"mine"
    assert bob.get("Tpm.State") == "ready"
    assert time.monotonic() - start < 5
    assert not any(call.is_done() for call in calls)
    os.close(reader)
    assert {call.error().name for call in calls} == {ERROR + "Failed"}


def test_output_to_a_file(alice):
    blob = seal(alice, b"kept in a file")
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        assert alice.call("Seal.Unseal", "sa{sv}", blob, {"output": handle(0)}, fds=[file.fileno()]) == b""
        file.seek(0)
        assert file.read() == b"kept in a file"


def refused_outputs():
    reader, writer = os.pipe()
    os.close(writer)
    yield reader
    yield os.open("/dev/null", os.O_WRONLY)
    yield os.open("/proc/self/comm", os.O_WRONLY)
    yield os.open("/usr/bin/env", os.O_RDONLY)
    yield memfd(b"x", sealed=True)


def test_outputs_that_are_refused(alice):
    blob = seal(alice, b"data")
    for fd in refused_outputs():
        error = alice.error("Seal.Unseal", "sa{sv}", blob, {"output": handle(0)}, fds=[fd])
        os.close(fd)
        assert error.name == ERROR + "InvalidArgument"
        assert "output" in error.message


@pytest.mark.parametrize("size", [0, MIB + 1])
def test_sizes_that_are_refused(alice, size):
    assert alice.error("Seal.Seal", "aya{sv}", bytes(size), {}).name == ERROR + "InvalidArgument"
    fd = memfd(bytes(size), sealed=True)
    error = alice.error("Seal.Seal", "aya{sv}", b"", {"data": handle(0)}, fds=[fd])
    os.close(fd)
    assert error.name == ERROR + "InvalidArgument"


def test_data_twice(alice):
    fd = memfd(b"one", sealed=True)
    error = alice.error("Seal.Seal", "aya{sv}", b"other", {"data": handle(0)}, fds=[fd])
    os.close(fd)
    assert error.name == ERROR + "InvalidArgument"


@pytest.mark.parametrize(
    "values, name",
    [
        ({"auth": "a" * 65}, "InvalidArgument"),
        ({"auth": b"ends in zero\0"}, "InvalidArgument"),
        ({"pcrs": {}}, "InvalidArgument"),
        ({"pcrs": {"sha256": []}}, "InvalidArgument"),
        ({"pcrs": {"sha256": [24]}}, "InvalidArgument"),
        ({"pcrs": {"md5": [1]}}, "InvalidArgument"),
        ({"pcrs": {"sha512": [1]}}, "NotSupported"),
        ({"format": "other"}, "InvalidArgument"),
        ({"format": "tpm-tools"}, "NotSupported"),
        ({"srk_auth": "x"}, "NotSupported"),
        ({"output": "x"}, "InvalidArgument"),
        ({"secret": "x"}, "InvalidArgument"),
    ],
)
def test_options_that_are_refused(alice, values, name):
    error = alice.error("Seal.Seal", "aya{sv}", b"data", options(**values))
    assert error.name == ERROR + name, error.message


@pytest.mark.parametrize("size", [100, 1000])
@pytest.mark.parametrize("auth", ["sesame", "a" * 64, b"\x01\x00\x02"], ids=["short", "longest", "bytes"])
def test_auth(fresh, alice, size, auth):
    data = os.urandom(size)
    blob = seal(alice, data, auth=auth)
    assert unseal(alice, blob, auth=auth) == data
    assert unseal_error(alice, blob).name == ERROR + "AuthenticationFailed"
    assert alice.get("Lockout.Failures") == 0
    error = unseal_error(alice, blob, auth="wrong")
    assert error.name == ERROR + "AuthenticationFailed"
    assert "6 more tries" in error.message and "TPM has 31" in error.message
    assert alice.get("Lockout.Failures") == 1
    assert unseal(alice, blob, auth=auth) == data


def test_auth_where_none_is_needed(alice):
    blob = seal(alice, b"data")
    error = unseal_error(alice, blob, auth="some")
    assert error.name == ERROR + "AuthenticationFailed"
    assert "not tried" in error.message
    assert unseal(alice, blob, auth="") == b"data"


def test_wrong_auths_that_do_not_count(fresh, alice):
    blob = seal(alice, b"data", auth="sesame", no_da=True)
    for _ in range(10):
        assert unseal_error(alice, blob, auth="wrong").name == ERROR + "AuthenticationFailed"
    assert alice.get("Lockout.Failures") == 0
    assert unseal(alice, blob, auth="sesame") == b"data"


def test_empty_auth_that_counts(fresh, alice):
    """no-da can be had without an auth too: such data is shut while the chip is locked out."""
    counted, uncounted = seal(alice, b"one", no_da=False), seal(alice, b"two")
    trap = seal(alice, b"three", auth="sesame")
    with ward.Caller("root") as root:
        for _ in range(32):
            unseal_error(root, trap, auth="wrong")
    assert alice.get("Lockout.LockedOut") is True
    assert unseal_error(alice, counted).name == ERROR + "LockedOut"
    assert unseal(alice, uncounted) == b"two"


@pytest.mark.parametrize("size", [20, 2000])
def test_pcrs(fresh, alice, size):
    data = os.urandom(size)
    blob = seal(alice, data, pcrs={BANK: [16, 23], "sha1": [16]} if IS_20 else {BANK: [13, 14]})
    extend(fresh, 12)
    assert unseal(alice, blob) == data
    extend(fresh, 23 if IS_20 else 14)
    error = unseal_error(alice, blob)
    assert error.name == ERROR + "PolicyMismatch"
    assert (f"{BANK}:23" if IS_20 else f"{BANK}:14") in error.message and ":16" not in error.message and ":13" not in error.message
    if IS_20:
        fresh.tpm2("tpm2_pcrreset", "23")
        assert unseal(alice, blob) == data


def test_pcrs_and_auth(fresh, alice):
    blob = seal(alice, b"both", pcrs={"sha256": [23]}, auth="sesame")
    assert unseal(alice, blob, auth="sesame") == b"both"
    assert unseal_error(alice, blob, auth="wrong").name == ERROR + "AuthenticationFailed"
    assert alice.get("Lockout.Failures") == 1
    fresh.tpm2("tpm2_pcrextend", "23:sha256=" + "11" * 32)
    assert unseal_error(alice, blob, auth="sesame").name == ERROR + "PolicyMismatch"
    # what need not be tried is not charged
    assert unseal_error(alice, blob, auth="wrong").name == ERROR + "PolicyMismatch"
    assert alice.get("Lockout.Failures") == 1


def with_der(blob, change):
    """The blob with its DER changed."""
    first, *lines, last = blob.strip().splitlines()
    der = bytearray(base64.b64decode("".join(lines)))
    change(der)
    text = base64.encodebytes(bytes(der)).decode().replace("\n", "")
    return "\n".join([first, *(text[i : i + 64] for i in range(0, len(text), 64)), last, ""])


@pytest.mark.parametrize("size, pcrs", [(60, None), (60, {BANK: [0]}), (300, None), (300, {BANK: [0]})])
def test_changed_blobs(fresh, alice, size, pcrs):
    """A bit in every third byte: never other data than was sealed, never another error than these, and no try lost."""
    data = os.urandom(size)
    blob = seal(alice, data, **({"pcrs": pcrs} if pcrs else {}))
    length = len(base64.b64decode("".join(blob.strip().splitlines()[1:-1])))
    calls = []
    for at in range(0, length, 3):
        def change(der, at=at):
            der[at] ^= 1 << at % 8

        calls.append((at, alice.start("Seal.Unseal", "sa{sv}", with_der(blob, change), {})))
        if len(calls) < 50 and at + 3 < length:
            continue
        for where, call in calls:
            try:
                assert call.wait() == data, f"byte {where}"
            except ward.DBusError as error:
                assert error.name in {ERROR + name for name in ("Corrupt", "NotSupported", "AuthenticationFailed")}, (where, error)
        calls = []
    assert unseal(alice, blob) == data
    assert alice.get("Lockout.Failures") == 0


@pytest.mark.parametrize("size", [60, 300])
def test_truncated_blobs(alice, size):
    blob = seal(alice, os.urandom(size))
    for end in range(0, len(blob) - 2, 37):
        assert unseal_error(alice, blob[:end]).name == ERROR + "Corrupt"


@pytest.mark.parametrize("blob", ["", "nonsense", "-----BEGIN TSS2 PRIVATE KEY-----\n" + "A" * 3 * MIB, "ä" * 100000], ids=lambda b: f"{len(b)}")
def test_blobs_that_are_none(alice, blob):
    error = unseal_error(alice, blob)
    assert error.name == ERROR + "Corrupt"
    assert len(error.message) < 500


@pytest.mark.parametrize("size", [60, 300])
def test_blob_from_before_a_clear(fresh, alice, size):
    blob = seal(alice, os.urandom(size))
    families.clear_as_others_do(fresh)
    error = unseal_error(alice, blob)
    assert error.name == ERROR + "Corrupt"
    assert "another TPM" in error.message and "clear" in error.message


def test_owner_auth_without_srk(fresh, alice, root):
    before = seal(alice, b"before")
    fresh.tpm2("tpm2_changeauth", "-c", "owner", "own")
    error = alice.error("Seal.Seal", "aya{sv}", b"data", {})
    assert error.name == ERROR + "NotOwned"
    assert "ProvisionSrk" in error.message
    root.call("Ownership.ProvisionSrk", "a{sv}", options(owner_auth="own"))
    assert unseal(alice, seal(alice, b"data")) == b"data"
    assert unseal(alice, before) == b"before"


def octets(tmp_path, blob):
    """The last two octet strings of a TSS2 PRIVATE KEY, cut out by openssl, as files; and what asn1parse says of it."""
    pem = tmp_path / "blob.pem"
    pem.write_text(blob)
    parsed = subprocess.run(["openssl", "asn1parse", "-in", pem], capture_output=True, text=True, check=True).stdout
    offsets = re.findall(r"^ *(\d+):d=1 .*OCTET STRING", parsed, re.MULTILINE)
    files = []
    for name, offset in zip(("public", "private"), offsets, strict=True):
        file = tmp_path / name
        run = ["openssl", "asn1parse", "-in", pem, "-strparse", offset, "-noout", "-out", file]
        # what is within is no ASN.1, which openssl says when it has written it
        subprocess.run(run, capture_output=True, check=False)
        files.append(str(file))
    return files, parsed


@pytest.mark.parametrize("auth", [None, "sesame"])
@pytest.mark.parametrize("provisioned", [False, True])
def test_beside_tpm2_tools(fresh, root, alice, tmp_path, auth, provisioned):
    """What is inside of a TSS2 PRIVATE KEY is what tpm2_load takes, beneath the parent that it names."""
    if provisioned:
        root.call("Ownership.ProvisionSrk", "a{sv}", {})
    blob = seal(alice, b"for others too", **({"auth": auth} if auth else {}))
    (public, private), parsed = octets(tmp_path, blob)
    assert "2.23.133.10.1.5" in parsed
    assert f"BOOLEAN           :{0 if auth else 255}" in parsed
    assert ("INTEGER           :81000001" if provisioned else "INTEGER           :40000001") in parsed

    parent, context = str(tmp_path / "parent"), str(tmp_path / "object")
    if provisioned:
        parent = "0x81000001"
    else:
        unique = tmp_path / "unique"
        unique.write_bytes(bytes(4))  # both coordinates of zero length, as in the service's template
        fresh.tpm2("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256:null:aes128cfb", "-u", str(unique), "-c", parent, "-a",
                   "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt")  # fmt: skip
    fresh.tpm2("tpm2_load", "-Q", "-C", parent, "-u", public, "-r", private, "-c", context)
    assert fresh.tpm2("tpm2_unseal", "-c", context, *(["-p", auth] if auth else [])) == "for others too"


def test_what_is_sealed_by_tpm2_tools(fresh, root, alice, tmp_path):
    """And the other way, in a PEM that openssl writes."""
    root.call("Ownership.ProvisionSrk", "a{sv}", {})
    data, public, private = tmp_path / "data", tmp_path / "public", tmp_path / "private"
    data.write_bytes(b"by another tool")
    fresh.tpm2("tpm2_create", "-Q", "-C", "0x81000001", "-i", str(data), "-u", str(public), "-r", str(private), "-p", "sesame")
    fields = {
        "type": "OID:2.23.133.10.1.5",
        "parent": "INTEGER:0x81000001",
        "public": f"FORMAT:HEX,OCTETSTRING:{public.read_bytes().hex()}",
        "private": f"FORMAT:HEX,OCTETSTRING:{private.read_bytes().hex()}",
    }
    config = tmp_path / "config"
    config.write_text("asn1=SEQUENCE:key\n[key]\n" + "".join(f"{name}={value}\n" for name, value in fields.items()))
    der = tmp_path / "der"
    subprocess.run(["openssl", "asn1parse", "-genconf", config, "-noout", "-out", der], check=True)
    blob = f"-----BEGIN {SEALED}-----\n{base64.encodebytes(der.read_bytes()).decode()}-----END {SEALED}-----\n"
    assert unseal(alice, blob, auth="sesame") == b"by another tool"


def exhaust(who, blob):
    """Wrong auths until the service or the chip refuses; how many were tried."""
    for count in range(40):
        error = unseal_error(who, blob, auth="wrong")
        if error.name == ERROR + "LockedOut":
            return count, error.message
        assert error.name == ERROR + "AuthenticationFailed"
    raise AssertionError("nobody has refused")


def test_one_user_does_not_use_up_all_tries(fresh, alice, bob, root):
    """Of 32, 4 are root's, and a quarter of the others is one user's; a restart of the service changes nothing."""
    blob = seal(alice, b"data", auth="sesame")
    count, message = exhaust(bob, blob)
    assert count == 7
    assert "at most 7" in message and "Try again after" in message
    assert unseal_error(bob, blob, auth="sesame").name == ERROR + "LockedOut"
    fresh.restart("daemon")
    assert unseal_error(bob, blob, auth="sesame").name == ERROR + "LockedOut"
    assert alice.get("Lockout.Failures") == 7
    assert "6 more tries" in unseal_error(alice, blob, auth="wrong").message
    assert unseal(alice, blob, auth="sesame") == b"data"
    (record,) = ward.STATE.glob("*.budgets")
    assert record.stat().st_mode & 0o7777 == 0o600

    root.call("Lockout.Reset", "a{sv}", {})
    assert not record.exists()
    assert unseal(bob, blob, auth="sesame") == b"data"


def test_last_try_is_roots(sandbox, callers, alice, bob, root):
    """Of 3 tries one is root's and one each user's."""
    families.clear(sandbox, tries=3)
    blob = seal(alice, b"data", auth="sesame")
    assert exhaust(bob, blob)[0] == 1
    assert exhaust(alice, blob)[0] == 1
    error = unseal_error(callers("daemon"), blob, auth="sesame")
    assert error.name == ERROR + "LockedOut"
    assert "kept for root" in error.message
    assert unseal(root, blob, auth="sesame") == b"data"
    assert "TPM has 0" in unseal_error(root, blob, auth="wrong").message
    error = unseal_error(root, blob, auth="sesame")
    assert error.name == ERROR + "LockedOut"
    assert "every 1000 seconds" in error.message
    assert "locked itself" in unseal_error(alice, blob, auth="sesame").message


def test_damaged_record_of_tries(fresh, alice, root):
    blob = seal(alice, b"data", auth="sesame")
    fresh.kill("daemon", ward.signal.SIGTERM)
    (ward.STATE / "tpm0.budgets").write_bytes(b"\x01garbage")
    logged = len(fresh.log())
    fresh.start("daemon")
    assert "cannot be read" in fresh.log()[logged:]
    error = unseal_error(alice, blob, auth="sesame")
    assert error.name == ERROR + "LockedOut"
    assert "damaged" in error.message
    assert unseal(root, blob, auth="sesame") == b"data"
    root.call("Lockout.Reset", "a{sv}", {})
    assert unseal(alice, blob, auth="sesame") == b"data"


def test_eight_at_once(alice, bob):
    """Callers beside each other get what is theirs."""
    blobs = {index: seal(alice, b"%d" % index * 100) for index in range(8)}
    calls = {index: (alice, bob)[index % 2].start("Seal.Unseal", "sa{sv}", blob, {}) for index, blob in blobs.items()}
    assert {index: call.wait() for index, call in calls.items()} == {index: b"%d" % index * 100 for index in range(8)}


def count_in_memory(pid, marks):
    """How often each is in a process's memory."""
    counts = dict.fromkeys(marks, 0)
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            first, end = (int(address, 16) for address in span.split("-"))
            try:
                memory.seek(first)
                content = memory.read(end - first)
            except OSError:
                continue
            for mark in marks:
                counts[mark] += content.count(mark)
    return counts


@pytest.mark.parametrize("size", [100, 1000])
def test_no_secret_stays_in_memory(fresh, alice, size):
    """Of what comes and goes by descriptors; what comes otherwise is the control."""
    pid = fresh.pid("daemon")
    if "libasan" in open(f"/proc/{pid}/maps").read():
        pytest.skip("AddressSanitizer holds back what was freed")
    data, auth, control = (bytes(byte | 1 for byte in os.urandom(16)) * 4 for _ in range(3))
    data = data + os.urandom(size - len(data))
    for _ in range(3):
        fds = [memfd(data, sealed=True), memfd(auth, sealed=True)]
        blob = alice.call("Seal.Seal", "aya{sv}", b"", {"data": handle(0), "auth": handle(1)}, fds=fds)
        fds[0] = memfd()
        alice.call("Seal.Unseal", "sa{sv}", blob, {"output": handle(0), "auth": handle(1)}, fds=fds)
        assert os.pread(fds[0], size + 1, 0) == data
        for fd in fds:
            os.close(fd)
    assert count_in_memory(pid, [data[:16], auth[:16]]) == {data[:16]: 0, auth[:16]: 0}
    seal(alice, control)
    assert count_in_memory(pid, [control[:16]])[control[:16]] > 0


def test_no_secret_in_the_log(sandbox, alice):
    blob = seal(alice, b"sealed-and-secret", auth="sesame-open")
    unseal(alice, blob, auth="sesame-open")
    unseal_error(alice, blob, auth="barley-open")
    assert not re.search("sesame-open|barley-open|sealed-and-secret", sandbox.log())
