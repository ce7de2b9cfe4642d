# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TPM 1.2 behind tcsd: what the service tells and does is what tpm-tools tell and do, and a tcsd that hangs, dies or talks nonsense
costs neither the service nor anybody who asks for something else."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import ward
from caller import Variant
from families import deliver, extend, power_cycle, tool
from keys import Keys, options
from ward import ERROR


@pytest.fixture(autouse=True)
def fresh_tpm(sandbox):
    """Each test begins with a TPM without an owner, as its maker has delivered it."""
    deliver(sandbox)


def state(root):
    return tuple(root.get(f"Ownership.{name}") for name in ("Owned", "OwnerAuthSet", "SrkPresent"))


def take(root, owner="own", **more):
    root.call("Ownership.TakeOwnership", "a{sv}", options(**{"owner-auth": owner}, **more))


def test_identity_is_what_tpm_version_tells(alice):
    said = dict(re.findall(r"^  ([\w ]+): +(\S+)", tool("tpm_version"), re.M))
    assert alice.get("Tpm.Family") == "1.2"
    assert alice.get("Tpm.State") == "ready"
    assert alice.get("Tpm.FirmwareVersion") == said["Chip Version"]
    assert alice.get("Tpm.SpecRevision") == f"{said['Spec Level']}.{said['Errata Revision']}"
    assert alice.get("Tpm.Manufacturer") == said["TPM Vendor ID"].strip("\0")
    assert alice.call("Tpm.GetProperties")["TPM_CAP_PROP_MANUFACTURER"] == int(said["Manufacturer Info"], 16)
    assert alice.get("Tpm.KeyAlgorithms") == ["rsa2048"]
    assert alice.get("Tpm.Emulated") is True


def test_endorsement_key_is_what_tpm_getpubek_tells(alice, root):
    """As long as everybody is told it."""
    (words,) = re.findall(r"Public Key:\s+([0-9a-f\s]+)", tool("tpm_getpubek"))
    assert alice.call("Tpm.GetProperties")["pubEndorsementKey"] == bytes.fromhex(words)
    take(root)
    assert "pubEndorsementKey" not in alice.call("Tpm.GetProperties")


def test_self_test_is_what_tpm_selftest_tells(root):
    passed, code, text, data = root.call("SelfTest.Run", "s", "full")
    words = re.search(r"TPM Test Results: ([0-9a-f ]+)", tool("tpm_selftest", "-l", "info"))[1].strip()
    assert (passed, code) == (True, 0)
    assert bytes(data).hex() == words.replace(" ", "")
    assert words in text


def test_pcrs(alice):
    assert alice.get("Pcrs.Banks") == ["sha1"]
    values = alice.call("Pcrs.Read", "sau", "sha1", [])
    assert [index for index, _ in values] == list(range(24))
    assert bytes(values[0][1]) == bytes(20)
    assert bytes(values[17][1]) == b"\xff" * 20


def test_ownership_that_tpm_tools_can_use(root):
    assert state(root) == (False, False, False)
    take(root)
    assert state(root) == (True, True, True)
    assert "Disabled: false" in tool("tpm_setclearable", "--status", said="own\n")
    tool("tpm_setclearable", "--status", said="wrong\n", fails=True)
    assert b"own" not in (ward.Path("/var/lib/tpm/system.data")).read_bytes()


def test_ownership_that_tpm_tools_have_taken(root):
    tool("tpm_takeownership", "-z", said="tools\ntools\n")
    root.call("Tpm.Refresh")
    assert state(root) == (True, True, True)
    root.call("Ownership.ChangeAuth", "sa{sv}", "owner", options(old="tools", new="ours"))
    assert "Disabled: false" in tool("tpm_setclearable", "--status", said="ours\n")


def test_ownership_must_be_asked_for_by_the_owners_secret(root):
    for other in ("endorsement-auth", "lockout-auth"):
        error = root.error("Ownership.TakeOwnership", "a{sv}", options(**{"owner-auth": "x", other: "y"}))
        assert error.name == ERROR + "NotSupported" and other in error.message
    assert state(root) == (False, False, False)
    take(root, owner="")
    assert "Disabled: false" in tool("tpm_setclearable", "--status", "--well-known")


def test_the_command(sandbox, root):
    """It needs no word of its own to take ownership, as nothing can break by that."""
    secret = ward.ROOT / "owner-secret"
    secret.write_bytes(b"own")

    def tpmward(*command):
        with open(secret, "rb") as file:
            done = subprocess.run(
                ["tpmward", *command], stdin=file, capture_output=True, check=False, text=True, env=dict(os.environ, NO_COLOR="1")
            )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "it has no owner" in tpmward("status")
    tpmward("own", "--owner-fd", "0")
    assert state(root) == (True, True, True)
    assert "it has an owner" in tpmward("status")
    assert "TPM 1.2, revision 2.3" in tpmward("status")
    assert "passed its full self-test" in tpmward("selftest")


def test_secrets_are_changed(root):
    take(root, **{"srk-auth": "srk"})
    error = root.error("Ownership.ChangeAuth", "sa{sv}", "owner", options(old="wrong", new="new"))
    assert error.name == ERROR + "AuthenticationFailed" and "0x1" in error.message
    root.call("Ownership.ChangeAuth", "sa{sv}", "owner", options(old="own", new="new"))
    assert root.error("Ownership.ChangeAuth", "sa{sv}", "srk", options(old="srk", new="")).name == ERROR + "InvalidArgument"
    root.call("Ownership.ChangeAuth", "sa{sv}", "srk", options(**{"owner-auth": "new"}, new=""))
    # with the well-known secret of the storage root key
    plain = ward.ROOT / "plain"
    plain.write_text("text")
    tool("tpm_sealdata", "-z", "-i", str(plain), "-o", str(ward.ROOT / "sealed"))


def test_wrong_secrets_lock_it_until_the_owner_resets_that(root):
    take(root)
    names = []
    # that it is locked does not last, at first
    while ERROR + "LockedOut" not in names:
        names.append(root.error("Ownership.ChangeAuth", "sa{sv}", "owner", options(old="wrong", new="new")).name)
        assert len(names) <= 12
    assert set(names) == {ERROR + "AuthenticationFailed", ERROR + "LockedOut"}
    assert root.get("Lockout.LockedOut") is True
    found = {finding["id"]: finding for finding in root.call("Manager.Diagnose")}
    assert "owner's secret" in found["lockout-reached@tpm0"]["detail"] and found["lockout-reached@tpm0"]["repair"] == ""
    root.call("Lockout.Reset", "a{sv}", options(auth="own"))
    assert root.get("Lockout.LockedOut") is False
    root.call("Ownership.ChangeAuth", "sa{sv}", "owner", options(old="own", new="new"))


def test_clear(sandbox, root):
    take(root)
    assert root.error("Ownership.Clear", "a{sv}", options(auth="wrong", confirm="tpm0")).name == ERROR + "AuthenticationFailed"
    assert root.error("Ownership.Clear", "a{sv}", options(auth="own", confirm="tpm1")).name == ERROR + "InvalidArgument"
    assert state(root) == (True, True, True)
    assert root.call("Ownership.Clear", "a{sv}", options(auth="own", confirm="tpm0")) == "cleared"
    assert state(root) == (False, False, False)
    assert root.get("Tpm.State") == "disabled"
    assert (root.get("Ownership.Enabled"), root.get("Ownership.Active")) == (False, False)
    assert root.error("Tpm.GetRandom", "u", 4).name == ERROR + "Disabled"
    assert "tpm-disabled@tpm0" in [finding["id"] for finding in root.call("Manager.Diagnose")]

    power_cycle(sandbox)
    sandbox.start("daemon")
    assert root.get("Tpm.State") == "ready"
    assert (root.get("Ownership.Enabled"), root.get("Ownership.Active")) == (True, True)
    take(root, owner="again")


def test_it_is_disabled_and_enabled_by_its_owner(root):
    take(root)
    root.call("Ownership.SetEnabled", "ba{sv}", False, options(auth="own"))
    assert root.get("Tpm.State") == "disabled"
    assert "its owner can enable it" in root.get("Tpm.StateDetail").lower()
    assert root.error("Ownership.SetEnabled", "ba{sv}", True, options(auth="wrong")).name == ERROR + "AuthenticationFailed"
    root.call("Ownership.SetEnabled", "ba{sv}", True, options(auth="own"))
    assert root.get("Tpm.State") == "ready"


def test_activation_is_for_who_is_present(root):
    assert root.error("Ownership.SetActive", "ba{sv}", False, {}).name == ERROR + "NotSupported"
    assert root.get("Ownership.Active") is True


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("SelfTest.Run", ("s", "incremental")),
        ("Ownership.ProvisionSrk", ("a{sv}", {})),
        ("Ownership.ChangeAuth", ("sa{sv}", "lockout", options(new="x"))),
        ("Ownership.TakeOwnership", ("a{sv}", options(**{"owner-auth": "own", "lockout-auth": "x"}))),
        ("Lockout.SetParameters", ("uuua{sv}", 3, 1000, 1000, {})),
        ("Keys.Create", ("ssa{sv}", "key", "rsa2048", options(pcrs={"sha1": [0]}))),
        ("SystemKeys.Persist", ("sua{sv}", "key", 0x81000010, {})),
        ("SystemKeys.Evict", ("ua{sv}", 0x81000010, {})),
        ("SystemKeys.ListPersistent", ()),
        ("Seal.Seal", ("aya{sv}", b"data", options(pcrs={"sha256": [0]}))),
        ("Seal.Seal", ("aya{sv}", b"data", options(auth="x", no_da=True))),
    ],
)
def test_what_it_cannot_do_is_told_before_anybody_is_asked(alice, method, arguments):
    with ward.Agent(alice, "CANCEL") as agent:
        error = alice.error(method, *arguments, interactive=True)
        assert agent.dialogs() == []
    assert error.name == ERROR + "NotSupported" and "1.2" in error.message


def test_without_an_owner_there_are_no_keys(alice):
    """And so nothing to seal data beneath."""
    for error in (alice.error("Keys.Create", "ssa{sv}", "key", "rsa2048", {}), alice.error("Seal.Seal", "aya{sv}", b"data", {})):
        assert error.name == ERROR + "NotOwned" and "Take ownership" in error.message


def seal(who, data, **values):
    return who.call("Seal.Seal", "aya{sv}", data, options(**values))


def unseal(who, blob, **values):
    return who.call("Seal.Unseal", "sa{sv}", blob, options(**values))


def unseal_error(who, blob, **values):
    return who.error("Seal.Unseal", "sa{sv}", blob, options(**values)).name.removeprefix(ERROR)


@pytest.mark.parametrize("size", [1, 16, 100_000])
def test_what_is_sealed_for_tpm_tools(alice, root, tmp_path, size):
    take(root)
    data, file = os.urandom(size), tmp_path / "sealed"
    file.write_text(seal(alice, data, format="tpm-tools"))
    assert tool("tpm_unsealdata", "-z", "-i", str(file), "-o", str(tmp_path / "data")) == ""
    assert (tmp_path / "data").read_bytes() == data
    assert unseal(alice, file.read_text()) == data


@pytest.mark.parametrize("bound", [(), ("-p", "13", "-p", "14")], ids=["unbound", "pcrs"])
def test_what_tpm_tools_have_sealed(sandbox, alice, root, tmp_path, bound):
    take(root)
    data, file = tmp_path / "data", tmp_path / "sealed"
    data.write_bytes(b"kept by tpm_sealdata")
    tool("tpm_sealdata", "-z", "-i", str(data), "-o", str(file), *bound)
    blob = file.read_text()
    assert unseal(alice, blob) == b"kept by tpm_sealdata"
    assert unseal_error(alice, blob, auth="any") == "AuthenticationFailed"
    if bound:
        extend(sandbox, 14)
        assert unseal_error(alice, blob) == "PolicyMismatch"


def test_seal_for_tpm_tools_to_pcrs(sandbox, alice, root, tmp_path):
    take(root)
    file = tmp_path / "sealed"
    file.write_text(seal(alice, b"bound", format="tpm-tools", pcrs={"sha1": [14]}))
    tool("tpm_unsealdata", "-z", "-i", str(file), "-o", str(tmp_path / "data"))
    extend(sandbox, 14)
    tool("tpm_unsealdata", "-z", "-i", str(file), "-o", str(tmp_path / "data"), fails=True)
    assert unseal_error(alice, file.read_text()) == "PolicyMismatch"


def test_sealed_data_of_tpm_tools_that_is_none(alice, root):
    """tpm-tools cannot notice what was changed in the data; what was changed in the keys, the TPM does."""
    take(root)
    blob = seal(alice, b"whole", format="tpm-tools")
    for end in range(0, len(blob) - 1, 97):
        assert unseal_error(alice, blob[:end]) == "Corrupt"
    lines = blob.splitlines()
    for at in [number for number, line in enumerate(lines[: lines.index("-----ENC DAT-----")]) if not line.startswith("-----")]:
        for changed in (lines[at][::-1], ""):
            assert unseal_error(alice, "\n".join([*lines[:at], changed, *lines[at + 1 :], ""])) == "Corrupt", at
    assert unseal_error(alice, blob.replace("AES-256-CBC", "AES-128-CBC")) == "Corrupt"
    assert unseal(alice, blob) == b"whole"
    for values in ({"auth": "x"}, {"no_da": True}, {"format": "other"}):
        error = alice.error("Seal.Seal", "aya{sv}", b"data", options(**{"format": "tpm-tools", **values}))
        assert error.name == ERROR + "InvalidArgument"


def nv_error(who, method, signature, *arguments, **values):
    return who.error(f"Nv.{method}", signature, *arguments, options(**values)).name.removeprefix(ERROR)


def test_nv_beside_tpm_tools(root, tmp_path):
    """An index of either's is the other's, too."""
    take(root)
    root.call("Nv.Define", "uuasa{sv}", 0x1234, 16, ["ownerread", "ownerwrite"], options(**{"owner-auth": "own"}))
    tool("tpm_nvdefine", "-i", "0x4321", "-s", "8", "-p", "AUTHREAD|AUTHWRITE", "--pwdo=own", "--pwda=mine")
    told = {each["index"]: each for each in root.call("Nv.List")}
    assert {index: (told[index]["size"], told[index]["attributes"]) for index in (0x1234, 0x4321)} == {
        0x1234: (16, ["ownerwrite", "ownerread"]), 0x4321: (8, ["authwrite", "authread"]),
    }  # fmt: skip
    said = tool("tpm_nvinfo", "-n")
    assert sorted(told) == sorted(int(number, 16) for number in re.findall(r"^0x(\w+) ", said, re.M))
    root.call("Nv.Write", "uaya{sv}", 0x1234, b"sixteen bytes ..", options(**{"owner-auth": "own"}))
    file = tmp_path / "data"
    tool("tpm_nvread", "-i", "0x1234", "-f", str(file), "--password=own")
    assert file.read_bytes() == b"sixteen bytes .."
    file.write_bytes(b"12345678")
    tool("tpm_nvwrite", "-i", "0x4321", "-f", str(file), "--password=mine")
    assert root.call("Nv.Read", "ua{sv}", 0x4321, options(auth="mine")) == b"12345678"
    assert root.call("Nv.Read", "ua{sv}", 0x4321, {**options(auth="mine"), "offset": Variant("u", 2), "size": Variant("u", 3)}) == b"345"
    for index in (0x1234, 0x4321):
        root.call("Nv.Undefine", "ua{sv}", index, options(**{"owner-auth": "own"}))
        assert nv_error(root, "Read", "ua{sv}", index, auth="mine") == "NotFound"


def test_nv_that_is_refused(root):
    take(root)
    own = {"owner-auth": "own"}
    before = root.call("Nv.List")
    for name, index, size, attributes in (
        ("InvalidArgument", 0x10001234, 8, []), ("InvalidArgument", 0x1234, 8, ["no_da"]),
        ("InvalidArgument", 0x1234, 8, ["authread", "authwrite"]), ("InvalidArgument", 0x1234, 8, ["ownerread", "ownerwrite", "authread"]),
        ("InvalidArgument", 0x1234, 8, ["writeall"]), ("InvalidArgument", 0x1234, 1025, ["ownerread", "ownerwrite", "writeall"]),
        ("NoSpace", 0x1234, 60000, []),
    ):  # fmt: skip
        assert nv_error(root, "Define", "uuasa{sv}", index, size, attributes, **own) == name, (index, size, attributes)
    assert nv_error(root, "Define", "uuasa{sv}", 0x1234, 8, [], **{"owner-auth": "wrong"}) == "AuthenticationFailed"
    assert root.call("Nv.List") == before
    root.call("Nv.Define", "uuasa{sv}", 0x1234, 8, [], options(**own, auth="mine"))
    root.call("Nv.Write", "uaya{sv}", 0x1234, b"12345678", options(auth="mine"))
    assert nv_error(root, "Read", "ua{sv}", 0x1234, **own) == "NotSupported"
    assert nv_error(root, "Read", "ua{sv}", 0x1234) == "AuthenticationFailed"
    assert nv_error(root, "Undefine", "ua{sv}", 0x1234, **{"owner-auth": "wrong"}) == "AuthenticationFailed"
    assert root.call("Nv.Read", "ua{sv}", 0x1234, options(auth="mine")) == b"12345678"


@contextlib.contextmanager
def stopped(sandbox):
    sandbox.kill("tcsd", signal.SIGSTOP)
    try:
        yield
    finally:
        sandbox.kill("tcsd", signal.SIGCONT)


def is_ready(someone):
    return someone.get("Tpm.State") == "ready"


def test_tcsd_hangs(sandbox, alice, bob):
    with stopped(sandbox):
        started = time.monotonic()
        call = alice.start("Tpm.GetRandom", "u", 4)
        # others are served, and properties read, all the while
        assert bob.get("Tpm.Family") == "1.2"
        error = call.error(timeout=30)
        assert error.name == ERROR + "Unreachable"
        assert time.monotonic() - started < 20
        assert "tcsd" in error.message and "systemctl" in error.message
        assert bob.get("Tpm.State") == "unreachable"
    ward.wait_until(lambda: is_ready(alice), timeout=30, why="the TPM to be used again")
    assert len(alice.call("Tpm.GetRandom", "u", 4)) == 4


def test_tcsd_dies_and_comes_back(sandbox, alice):
    assert is_ready(alice)
    daemon = sandbox.pid("daemon")
    for sig in (signal.SIGKILL, signal.SIGTERM):
        sandbox.kill("tcsd", sig)
        error = alice.error("Tpm.GetRandom", "u", 4)
        assert error.name == ERROR + "Unreachable" and "0x3011" in error.message
        sandbox.start("tcsd")
        assert len(alice.call("Tpm.GetRandom", "u", 4)) == 4
    assert sandbox.pid("daemon") == daemon


def test_its_companion_dies(sandbox, alice):
    assert is_ready(alice)

    def companion():
        parent = sandbox.pid("daemon")
        return subprocess.run(["pgrep", "-P", str(parent), "tpmward-tspi"], capture_output=True, text=True, check=True).stdout.split()

    (first,) = companion()
    os.kill(int(first), signal.SIGKILL)
    assert len(alice.call("Tpm.GetRandom", "u", 4)) == 4
    (second,) = companion()
    assert second != first
    sandbox.kill("daemon")
    ward.wait_until(lambda: not ward.Path(f"/proc/{second}").exists(), why="the companion to end with the service")


def nonsense(said):
    """Answers whoever connects at tcsd's port with that, and closes; None: closes at once."""
    listener = socket.create_server(("127.0.0.1", int(os.environ["TSS_TCSD_PORT"])))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                with connection:
                    if said is not None:
                        connection.recv(4096)
                        connection.sendall(said)

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(None, id="closes"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.0 400 Bad Request\r\n\r\n", id="another program"),
        pytest.param(b"\0\0\0\x20\0\0\0\0", id="half a message"),
        pytest.param(b"\xff" * 64, id="ones"),
        pytest.param(b"\0" * 64, id="zeros"),
    ],
)
def test_something_else_listens(sandbox, alice, said):
    sandbox.kill("tcsd")
    port = os.environ["TSS_TCSD_PORT"]
    ward.wait_until(lambda: subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], capture_output=True).returncode != 0)
    with contextlib.closing(nonsense(said)) as listener:
        error = alice.error("Tpm.GetRandom", "u", 4)
        assert error.name in (ERROR + "Unreachable", ERROR + "Failed")
        assert sandbox.is_running("daemon")
        listener.shutdown(socket.SHUT_RDWR)
    sandbox.start("tcsd")
    ward.wait_until(lambda: is_ready(alice), timeout=30, why="the TPM to be used again")
    assert len(alice.call("Tpm.GetRandom", "u", 4)) == 4


def test_tcsds_threads_are_taken_by_others(sandbox, alice):
    """It serves ten at a time (num_threads)."""
    assert is_ready(alice)
    others = [socket.create_connection(("127.0.0.1", int(os.environ["TSS_TCSD_PORT"]))) for _ in range(12)]
    try:
        error = alice.error("Tpm.GetRandom", "u", 4)
        assert error.name == ERROR + "Unreachable"
    finally:
        for other in others:
            other.close()
    ward.wait_until(lambda: is_ready(alice), timeout=30, why="the TPM to be used again")
    assert len(alice.call("Tpm.GetRandom", "u", 4)) == 4


def test_others_use_tcsd_at_the_same_time(alice):
    wrong = []

    def read():
        for _ in range(20):
            if "TPM 1.2 Version Info" not in tool("tpm_version"):
                wrong.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    while reader.is_alive():
        assert len(alice.call("Tpm.GetRandom", "u", 32)) == 32
    reader.join()
    assert not wrong
