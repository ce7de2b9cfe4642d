# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys on a kernel's TPM, through its resource manager, beside other programs at it, and over restarts. The tests build on each other."""

import concurrent.futures
import hashlib
import os
import re
import signal
import subprocess
from pathlib import Path

import guest
import pytest
from guest import call, execute, pid, properties, refusal, run

STATE = Path("/var/lib/tpmward")
NODE = "/dev/tpmrm0"
HANDLE = 0x81010005
DIGEST = hashlib.sha256(b"what is signed").digest()
# More than a chip holds at a time, and more than the service keeps ready.
MANY = [f"one of many {number}" for number in range(10)]
PROVIDERS = ["-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2"]


def create(label, *options, algorithm="ecc-p256", **how):
    """options: those of a{sv} in busctl's words, name by name."""
    count = sum(word in ("s", "b", "as", "a{sau}") for word in options)
    return call(how.pop("interface", "Keys") + ".Create", "ssa{sv}", label, algorithm, count, *options, **how)


def sign(label, interface="Keys", **values):
    user = values.pop("user", guest.USER)
    given = guest.options(**values)
    return bytes(call(f"{interface}.Sign", "ssaya{sv}", label, "sha256", len(DIGEST), *DIGEST, *given, user=user))


def not_signed(label, options="@a{sv} {}"):
    """The name of the error, and its message."""
    bytes_ = ", ".join(f"0x{byte:02x}" for byte in DIGEST)
    return refusal("Keys.Sign", f"'{label}'", "'sha256'", f"[byte {bytes_}]", options, user=guest.USER)


def describe(label):
    return call("Keys.Describe", "s", label)


def keys():
    return {key["label"]: key for key in call("Keys.List")}


def public(label, interface="Keys", user=guest.USER):
    return bytes(call(f"{interface}.GetPublicKey", "ss", label, "pem", user=user))


def verifies(folder, key, signature):
    for name, data in (("public", key), ("signature", signature), ("digest", DIGEST)):
        (folder / name).write_bytes(data)
    files = ["-inkey", folder / "public", "-sigfile", folder / "signature", "-in", folder / "digest"]
    form = "PEM" if key.startswith(b"-") else "DER"
    return execute("openssl", "pkeyutl", "-verify", "-pubin", "-keyform", form, *files, "-pkeyopt", "digest:sha256").returncode == 0


def works(folder, label, **values):
    return verifies(folder, public(label), sign(label, **values))


class Peer:
    """Another program, which keeps a key and a session in the chip for as long as it lives."""

    def __init__(self):
        program = [f"{guest.BUILD}/tests/vm/ward-tpm-peer", f"device:{NODE}"]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout.readline() == "ready\n"

    def signs(self):
        self.process.stdin.write("\n")
        return self.process.stdout.readline().strip() == "signed"

    def leave(self):
        """Whether it could give back what it had."""
        self.process.stdin.close()
        left = self.process.wait(60) == 0
        self.process.stdout.close()
        return left


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    if peer.process.poll() is None:
        assert peer.leave()


def in_the_chip(kind):
    """How many handles of a kind there are, whoever has them: the manager's own node shows a caller only its objects."""
    listed = run("tpm2_getcap", f"handles-{kind}", "-T", "device:/dev/tpm0")
    return len(re.findall(r"0x[0-9A-Fa-f]+", listed))


@pytest.mark.parametrize("algorithm", ["ecc-p256", "rsa2048"])
def test_a_users_key_signs(tmp_path, algorithm):
    identifier = create(algorithm, algorithm=algorithm)
    told = describe(algorithm)
    assert (told["id"], told["usable"], told["algorithm"], told["parent"]) == (identifier, True, algorithm, 0x40000001)
    assert works(tmp_path, algorithm)


def test_keys_are_the_services_own_files():
    """By its unit alone: the folder is made by systemd, and the service has no right but its user's."""
    assert guest.access(STATE) in ("tpmward:tpmward 700", "tpmward:tpmward 750")
    stored = [path for path in STATE.rglob("*") if path.is_file() and path.suffix in (".pem", ".meta")]
    assert len(stored) == 4
    assert {guest.access(path) for path in stored} == {"tpmward:tpmward 600"}
    assert execute("cat", stored[0], user=guest.USER).returncode != 0


def test_many_keys_in_turn(tmp_path):
    for label in MANY:
        create(label)
    signatures = [{label: sign(label) for label in MANY} for _ in range(2)]
    told = keys()
    for label, signature in signatures[-1].items():
        assert verifies(tmp_path, bytes(told[label]["public-key"]), signature)


def test_a_key_with_an_auth(tmp_path):
    create("with auth", "auth", "s", "sesame")
    assert works(tmp_path, "with auth", auth="sesame")
    assert not_signed("with auth")[0] == "AuthenticationFailed"
    assert guest.variables()["TPM2_PT_LOCKOUT_COUNTER"] == 0
    assert not_signed("with auth", "{'auth': <'wrong'>}")[0] == "AuthenticationFailed"
    assert guest.variables()["TPM2_PT_LOCKOUT_COUNTER"] == 1 == properties("Lockout")["Failures"]
    # of a chip's three tries one is a user's
    call("Lockout.Reset", "a{sv}", 0, user="root")
    assert works(tmp_path, "with auth", auth="sesame")


def test_a_key_bound_to_pcrs(tmp_path):
    create("bound", "pcrs", "a{sau}", 1, "sha256", 1, 16)
    assert works(tmp_path, "bound")
    run("tpm2_pcrextend", f"16:sha256={'11' * 32}")
    name, message = not_signed("bound")
    assert name == "PolicyMismatch"
    assert "sha256:16" in message
    run("tpm2_pcrreset", "16")
    assert works(tmp_path, "bound")


def test_the_service_keeps_no_session_in_the_chip():
    """A session that lies saved for long keeps all others from starting new ones (TPM_RC_CONTEXT_GAP)."""
    sign("with auth", auth="sesame")
    assert (in_the_chip("loaded-session"), in_the_chip("saved-session"), in_the_chip("transient")) == (0, 0, 0)


def test_what_others_have_in_the_chip_stays(tmp_path, peer):
    before = in_the_chip("saved-session")
    assert before == 1
    another = Peer()
    assert [sign(label) for label in MANY[:3]] and sign("with auth", auth="sesame")
    assert peer.signs() and another.signs()
    guest.stop()
    assert peer.signs() and another.signs()
    # a service that starts finds their objects and sessions, too
    assert works(tmp_path, "with auth", auth="sesame")
    assert peer.signs() and another.signs()
    os.kill(pid(), signal.SIGKILL)
    assert works(tmp_path, MANY[0])
    assert peer.signs() and another.signs()
    assert in_the_chip("saved-session") == 2
    assert another.leave()
    assert in_the_chip("saved-session") == 1


def tools(folder, number):
    """What other programs do at the chip: keys made, loaded and used, sessions, tpm2-openssl; one after the other."""
    folder = folder / str(number)
    folder.mkdir()
    primary, key, text = folder / "primary", folder / "key", folder / "digest"
    text.write_bytes(DIGEST)
    export = folder / "key.pem"
    export.write_text(call("Keys.Export", "s", "with auth"))
    return [
        ["tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", primary],
        ["tpm2_create", "-Q", "-C", primary, "-G", "ecc256:ecdsa", "-u", folder / "u", "-r", folder / "r", "-c", key],
        ["tpm2_sign", "-Q", "-c", key, "-g", "sha256", "-d", "-o", folder / "signature", text],
        ["tpm2_startauthsession", "-S", folder / "session"],
        ["tpm2_createprimary", "-Q", "-C", "n", "-G", "rsa", "-c", folder / "rsa"],
        ["openssl", "pkeyutl", *PROVIDERS, "-sign", "-inkey", export, "-passin", "pass:sesame", "-in", text, "-out", folder / "there"],
    ]


def in_turn(commands):
    return [(done.args, done.stderr) for done in map(lambda command: execute(*command), commands) if done.returncode]


def test_all_work_at_the_same_time(tmp_path, peer):
    before = pid()
    sequences = [tools(tmp_path, number) for number in range(2)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        others = [pool.submit(in_turn, commands) for commands in sequences]
        ours = [pool.submit(sign, label) for label in MANY[:5]]
        with_auth = [pool.submit(sign, "with auth", auth="sesame") for _ in range(3)]
        made = pool.submit(create, "made beside others")
        held = [peer.signs() for _ in range(20)]
    assert [other.result() for other in others] == [[], []]
    assert all(call_.result() for call_ in (*ours, *with_auth, made))
    assert held == [True] * 20
    assert verifies(tmp_path, public("with auth"), with_auth[0].result())
    assert verifies(tmp_path, public("with auth"), (tmp_path / "0/there").read_bytes())
    assert works(tmp_path, "made beside others")
    assert pid() == before


def test_a_key_of_tpm2_openssl_signs_here(tmp_path):
    made = tmp_path / "made.pem"
    run("openssl", "genpkey", *PROVIDERS, "-algorithm", "EC", "-pkeyopt", "group:P-256", "-pkeyopt", "user-auth:sesame", "-out", made)
    data = made.read_bytes()
    call("Keys.Import", "saya{sv}", "made there", len(data), *data, 0)
    assert works(tmp_path, "made there", auth="sesame")


@pytest.fixture
def ssh_tpm_agent():
    """Skips where its package could not be had for the machine."""
    missing = Path("/opt/newer/missing")
    if missing.exists():
        pytest.skip(missing.read_text())


@pytest.fixture
def agent(ssh_tpm_agent, tmp_path, monkeypatch):
    """start(folder) starts ssh-tpm-agent with the keys of a folder, for the ssh programs; it is told the auth value that it asks for."""
    socket, asked, log = tmp_path / "socket", tmp_path / "askpass", tmp_path / "agent.log"
    asked.write_text("#!/bin/sh\necho sesame\n")
    asked.chmod(0o755)
    for name, value in (("SSH_AUTH_SOCK", socket), ("SSH_ASKPASS", asked), ("SSH_ASKPASS_REQUIRE", "force")):
        monkeypatch.setenv(name, str(value))
    started = []

    def start(folder):
        with open(log, "w", encoding="utf-8") as output:
            started.append(subprocess.Popen(["ssh-tpm-agent", "-l", socket, "--key-dir", folder], stdout=output, stderr=output))
        guest.wait_until(socket.exists, "ssh-tpm-agent to listen")

    yield start
    for process in started:
        process.terminate()
        process.wait(60)
        print(log.read_text())


@pytest.mark.parametrize("auth", [(), ("auth", "s", "sesame")], ids=["open", "auth"])
@pytest.mark.parametrize(("algorithm", "usage"), [("ecc-p256", ["sign"]), ("rsa2048", ["sign", "decrypt"])])
def test_a_key_of_ours_signs_in_ssh_tpm_agent(tmp_path, agent, algorithm, usage, auth):
    """It signs SHA-512 by RSA, as ssh has it, with the help of decrypt."""
    label = f"for ssh-tpm-agent: {algorithm} {auth}"
    create(label, "usage", "as", len(usage), *usage, *auth, algorithm=algorithm)
    line = bytes(call("Keys.GetPublicKey", "ss", label, "ssh")).decode()
    exported, text, allowed, one = (tmp_path / name for name in ("exported", "text", "allowed", "one.pub"))
    exported.mkdir()
    (exported / "key.tpm").write_text(call("Keys.Export", "s", label))
    agent(exported)
    assert [listed.split()[:2] for listed in run("ssh-add", "-L").splitlines()] == [line.split()[:2]]
    text.write_text("what is signed")
    allowed.write_text(f"somebody {line}")
    one.write_text(line)
    run("ssh-keygen", "-Y", "sign", "-n", "file", "-f", one, text)
    verify = ["ssh-keygen", "-Y", "verify", "-n", "file", "-I", "somebody", "-f", allowed, "-s", f"{text}.sig"]
    run(*verify, input="what is signed")
    assert execute(*verify, input="something else").returncode != 0
    call("Keys.Delete", "s", label)


@pytest.mark.parametrize("auth", ["", "sesame"], ids=["open", "auth"])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_a_key_of_ssh_tpm_agent_signs_here(tmp_path, ssh_tpm_agent, kind, auth):
    run("ssh-tpm-keygen", "-t", kind, "-f", tmp_path / "made", "-N", auth)
    data = (tmp_path / "made.tpm").read_bytes()
    label = f"of ssh-tpm-agent: {kind} {auth}"
    call("Keys.Import", "saya{sv}", label, len(data), *data, 0)
    line = bytes(call("Keys.GetPublicKey", "ss", label, "ssh")).decode()
    assert line.split()[:2] == (tmp_path / "made.pub").read_text().split()[:2]
    assert works(tmp_path, label, **({"auth": auth} if auth else {}))
    call("Keys.Delete", "s", label)


def test_a_persistent_key_is_everybodys(tmp_path):
    create("of the machine", interface="SystemKeys", user="root")
    pem = public("of the machine", "SystemKeys", "root")
    call("SystemKeys.Persist", "sua{sv}", "of the machine", HANDLE, 0, user="root")
    run("tpm2_readpublic", "-Q", "-c", hex(HANDLE), "-f", "pem", "-o", tmp_path / "read")
    assert (tmp_path / "read").read_bytes() == pem
    assert verifies(tmp_path, pem, sign("of the machine", "SystemKeys", user="root"))
    assert HANDLE in guest.handles("persistent")


def test_keys_outlive_the_service(tmp_path):
    before = keys()
    os.kill(pid(), signal.SIGKILL)
    after = keys()
    assert set(after) == set(before)
    # how often each was used is written now and then, but for that nothing differs
    counted = ("uses", "last-used")
    for label, told in before.items():
        assert {name: after[label][name] for name in told if name not in counted} == {
            name: value for name, value in told.items() if name not in counted
        }
    assert works(tmp_path, MANY[3])


@pytest.mark.after_reboot
def test_keys_outlive_a_restart_of_the_machine(tmp_path):
    told = keys()
    assert {*MANY, "ecc-p256", "rsa2048", "with auth", "bound", "made there", "made beside others"} == set(told)
    assert all(key["usable"] for key in told.values())
    assert works(tmp_path, "rsa2048")
    assert works(tmp_path, "bound")
    assert works(tmp_path, "with auth", auth="sesame")
    assert works(tmp_path, "made there", auth="sesame")
    assert verifies(tmp_path, public("of the machine", "SystemKeys", "root"), sign("of the machine", "SystemKeys", user="root"))


def test_an_evicted_key_is_still_the_services(tmp_path):
    call("SystemKeys.Evict", "ua{sv}", HANDLE, 0, user="root")
    assert HANDLE not in guest.handles("persistent")
    assert verifies(tmp_path, public("of the machine", "SystemKeys", "root"), sign("of the machine", "SystemKeys", user="root"))


def test_a_clear_makes_keys_unusable_and_says_why(tmp_path):
    before = set(keys())
    assert call("Ownership.Clear", "a{sv}", *guest.options(confirm="tpm0"), user="root") == "cleared"
    told = keys()
    assert set(told) == before
    assert not any(key["usable"] for key in told.values())
    assert all("clear" in key["problem"] for key in told.values())
    name, message = not_signed("ecc-p256")
    assert (name, "clear" in message) == ("Corrupt", True)
    call("Keys.Delete", "s", "ecc-p256")
    create("ecc-p256")
    assert works(tmp_path, "ecc-p256")


def test_the_journal_has_no_complaint():
    assert [line for line in guest.complaints() if "cleared" not in line] == []
