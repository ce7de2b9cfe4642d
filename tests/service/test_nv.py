# SPDX-License-Identifier: LGPL-2.1-or-later
"""NV indices: what is kept in the TPM and by what right, beside tpm2-tools."""

import fcntl
import os
import re

import pytest

import ward
from families import IS_20, NV_INDEX, NV_NO_INDICES, NV_NO_SIZES, NV_RESERVED, NV_RESERVED_FOR, NV_SIZE, OWNER_AUTH, clear
from ward import ERROR, caller

INDEX, OTHER, RESERVED = NV_INDEX, NV_INDEX + 1, NV_RESERVED
EK_CERTIFICATE = 0x01C00002  # which a swtpm of TPM 2.0 is made with
MADE_WITH = 0x10000000  # the bit of what a TPM 1.2 is made with
MAX = NV_SIZE
KINDS = {str: "s", bytes: "ay", bool: "b", int: "u"}
# What a TPM 1.2 does not tell, or has not.
NO_DA = ["no_da"] if IS_20 else []
WRITTEN = ["written"] if IS_20 else []
BOTH = ["authread", "authwrite", "ownerread", "ownerwrite"]
REFUSED = "org.freedesktop.DBus.Error.InvalidArgs"


def options(**values):
    return {
        name.replace("_", "-"): value if isinstance(value, caller.Variant) else caller.Variant(KINDS[type(value)], value)
        for name, value in values.items()
    }


def handle(index):
    return caller.Variant("h", index)


def memfd(data=b"", sealed=False):
    fd = os.memfd_create("data", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if sealed:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


class Nv:
    """The interface for a caller, as the owner where nothing is said; errors by their short names."""

    def __init__(self, who):
        self.who = who

    def list(self):
        """By their numbers, without those that the TPM was made with."""
        entries = self.who.call("Nv.List")
        made_with = {entry["index"] for entry in entries if "platformcreate" in entry["attributes"] or entry["index"] & MADE_WITH}
        return {entry["index"]: entry for entry in entries if entry["index"] not in made_with}

    @staticmethod
    def right(values):
        """The owner's, if there is no other."""
        return values if {"auth", "owner", "owner_auth"} & set(values) else {**OWNER_AUTH, **values}

    def read(self, index=INDEX, fds=(), **values):
        return self.who.call("Nv.Read", "ua{sv}", index, options(**self.right(values)), fds=fds)

    def write(self, data, index=INDEX, /, fds=(), **values):
        return self.who.call("Nv.Write", "uaya{sv}", index, data, options(**self.right(values)), fds=fds)

    def define(self, size, index=INDEX, attributes=(), fds=(), **values):
        values = {**OWNER_AUTH, **values}
        return self.who.call("Nv.Define", "uuasa{sv}", index, size, list(attributes), options(**values), fds=fds)

    def undefine(self, index=INDEX, **values):
        return self.who.call("Nv.Undefine", "ua{sv}", index, options(**{**OWNER_AUTH, **values}))

    def fails(self, method, *args, **values):
        """The error that the method must end with: its name and its message."""
        with pytest.raises(ward.DBusError) as raised:
            getattr(self, method)(*args, **values)
        return raised.value.name.removeprefix(ERROR), raised.value.message

    def error(self, method, *args, **values):
        return self.fails(method, *args, **values)[0]


@pytest.fixture
def nv(sandbox, root):
    """Of a chip that has no indices but those that it was made with."""
    if IS_20:
        clear(sandbox)
    owner = Nv(root)
    for index in owner.list():
        owner.undefine(index, force=True)
    return owner


def is_blank(nv, size):
    """Nothing was written, which a TPM 1.2 does not tell."""
    return nv.error("read") == "NotFound" if IS_20 else nv.read() == b"\xff" * size


# by the service alone


@pytest.mark.parametrize("size", [1, 1024, 1025, MAX])
def test_round_trip(nv, size):
    data = os.urandom(size)
    nv.define(size)
    nv.write(data)
    assert nv.read() == data
    nv.undefine()
    assert INDEX not in nv.list()


@pytest.mark.parametrize("size", [1, MAX])
def test_descriptors_both_ways(nv, size):
    data = os.urandom(size)
    secret = memfd(b"sesame", sealed=True)
    nv.define(size, auth=handle(0), fds=[secret])
    content = memfd(data, sealed=True)
    nv.write(b"", data=handle(0), auth=handle(1), fds=[content, secret])
    output = memfd()
    assert nv.read(output=handle(0), auth=handle(1), fds=[output, secret]) == b""
    assert os.pread(output, size + 1, 0) == data
    for fd in (secret, content, output):
        os.close(fd)


def test_list(nv):
    assert nv.list() == {}
    nv.define(8)
    nv.define(4, RESERVED, ["authread", "ownerwrite", *NO_DA], auth="x", force=True)
    nv.write(b"data", RESERVED, force=True)
    indices = nv.list()
    assert list(indices) == [INDEX, RESERVED]
    assert indices[INDEX] == {
        "index": INDEX, "size": 8, "attributes": ["ownerwrite", "ownerread", *NO_DA], "written": not IS_20, "description": "",
    }  # fmt: skip
    assert indices[RESERVED] == {
        "index": RESERVED, "size": 4, "attributes": ["ownerwrite", "authread", *NO_DA, *WRITTEN], "written": True,
        "description": NV_RESERVED_FOR,
    }  # fmt: skip


def test_offsets(nv):
    data = bytearray(os.urandom(1500))
    nv.define(1500)
    nv.write(bytes(data))
    assert nv.read(offset=1400) == data[1400:]
    assert nv.read(offset=3, size=1200) == data[3:1203]
    nv.write(b"changed", offset=1020)
    data[1020:1027] = b"changed"
    assert nv.read() == data
    for wrong in ({"offset": 1500}, {"offset": 1499, "size": 2}, {"size": 1501}, {"offset": 0xFFFFFFFF, "size": 0xFFFFFFFF}):
        assert nv.error("read", **wrong) == "InvalidArgument"
    assert nv.error("read", size=0) == "InvalidArgument"
    assert nv.error("write", b"xx", offset=1499) == "InvalidArgument"
    assert nv.error("write", bytes(1501)) == "InvalidArgument"
    assert nv.read() == data


# who may


@pytest.mark.parametrize("user", ["ward-alice", "ward-bob"])
def test_users_may_list_only(nv, callers, user):
    nv.define(4)
    nv.write(b"data")
    other = Nv(callers(user))
    assert INDEX in other.list()
    assert other.error("read") == "NotAuthorized"
    assert other.error("write", b"else") == "NotAuthorized"
    assert other.error("define", 4, OTHER) == "NotAuthorized"
    assert other.error("undefine") == "NotAuthorized"
    assert nv.read() == b"data"
    assert list(nv.list()) == [INDEX]


def test_rule_for_one_index(nv, sandbox, alice):
    """polkit's rules are told the index."""
    for index in (INDEX, OTHER):
        nv.define(4, index)
        nv.write(b"data", index)
    sandbox.write_rule(
        "10-nv", f"if (action.id == 'org.tpmward.nv' && action.lookup('index') == '0x{INDEX:08x}') return 'yes';"
    )
    assert Nv(alice).read() == b"data"
    assert Nv(alice).error("read", OTHER) == "NotAuthorized"


def test_arguments_are_checked_before_anybody_is_asked(nv, alice):
    """Who may not is told all the same what is wrong."""
    other = Nv(alice)
    assert other.error("read", NV_NO_INDICES[0]) == "InvalidArgument"
    assert other.error("write", b"") == "InvalidArgument"
    assert other.error("define", 0) == "InvalidArgument"
    assert other.error("define", 4, INDEX, ["nonsense"]) == "InvalidArgument"
    assert other.error("define", 4, RESERVED) == "WouldBreak"


# what cannot be


@pytest.mark.parametrize("index", NV_NO_INDICES)
def test_numbers_that_no_index_has(nv, index):
    assert nv.error("define", 4, index, force=True) == "InvalidArgument"
    assert nv.error("read", index) == "InvalidArgument"
    assert nv.error("write", b"data", index, force=True) == "InvalidArgument"
    assert nv.error("undefine", index, force=True) == "InvalidArgument"


@pytest.mark.parametrize("size", NV_NO_SIZES)
def test_sizes_that_no_index_has(nv, size):
    assert nv.error("define", size) == "InvalidArgument"
    assert nv.list() == {}


def test_data_that_no_index_takes(nv):
    nv.define(MAX)
    assert nv.error("write", b"") == "InvalidArgument"
    assert nv.error("write", bytes(65536)) == "InvalidArgument"
    fd = memfd(bytes(65536), sealed=True)
    assert nv.error("write", b"", data=handle(0), fds=[fd]) == "InvalidArgument"
    assert nv.error("write", b"x", data=handle(0), fds=[fd]) == "InvalidArgument"
    os.close(fd)
    assert is_blank(nv, MAX)


def test_what_is_and_is_not_there(nv):
    name, message = nv.fails("read")
    assert name == "NotFound" and "tpmward nv list" in message
    assert nv.error("write", b"data") == "NotFound"
    assert nv.error("undefine") == "NotFound"
    nv.define(4)
    assert nv.error("define", 8) == "Exists"
    assert is_blank(nv, 4)
    if IS_20:
        assert "nothing was written" in nv.fails("read")[1]
    assert nv.list()[INDEX]["size"] == 4


@pytest.mark.parametrize(
    "attributes, name",
    [
        (["ownerread"], "InvalidArgument"),
        (["authwrite"], "InvalidArgument"),
        (["ownerread", "ownerwrite", "readable"], "InvalidArgument"),
        (["ownerread", "ownerwrite", "written"], "InvalidArgument"),
        (["ownerread", "ownerwrite", "writelocked"], "InvalidArgument"),
        (["ownerread", "ownerwrite", "platformcreate"], "InvalidArgument"),
        (["ownerread", "ownerwrite", "writedefine", "clear_stclear"], "InvalidArgument"),
        (["policyread", "policywrite"], "NotSupported" if IS_20 else "InvalidArgument"),
        (["ownerread", "ownerwrite", "nt=0x1"], "NotSupported" if IS_20 else "InvalidArgument"),
    ],
)
def test_attributes_that_are_refused(nv, attributes, name):
    assert nv.error("define", 4, INDEX, attributes) == name
    assert nv.list() == {}


@pytest.mark.parametrize(
    "method, values",
    [
        ("read", {"auth": "a" * 65}),
        ("read", {"owner_auth": "a" * 65}),
        ("read", {"auth": b"zero\0"}),
        ("read", {"auth": "a", "owner": True}),
        ("read", {"auth": "a", "owner_auth": "b"}),
        ("read", {"owner": False, "owner_auth": "b"}),
        ("read", {"offset": "1"}),
        ("read", {"size": True}),
        ("read", {"owner": "yes"}),
        ("read", {"force": True}),
        ("read", {"output": "x"}),
        ("undefine", {"auth": "a"}),
        ("undefine", {"force": "yes"}),
    ],
)
def test_options_that_are_refused(nv, method, values):
    nv.define(4)
    nv.write(b"data")
    assert nv.error(method, **values) == "InvalidArgument"
    assert nv.read() == b"data"


def test_full_memory(nv, root):
    index = INDEX
    with pytest.raises(ward.DBusError) as full:
        while True:
            nv.define(MAX, index)
            index += 1
    assert full.value.name == ERROR + "NoSpace"
    assert list(nv.list()) == list(range(INDEX, index))
    nv.undefine(INDEX)
    nv.define(MAX, index)
    assert root.get("Tpm.State") == "ready"


# reserved numbers


@pytest.mark.parametrize("index", [RESERVED, *([0x01000000, 0x01400001, 0x01C10102, 0x01FFFFFF] if IS_20 else [0xF000])])
def test_reserved_numbers_need_force(nv, index):
    name, message = nv.fails("define", 4, index)
    assert name == "WouldBreak" and "force" in message
    nv.define(4, index, force=True)
    nv.write(b"once", index, force=not IS_20)  # of a TPM 1.2 nobody knows that nothing was written
    assert nv.error("write", b"else", index) == "WouldBreak"
    assert nv.error("undefine", index) == "WouldBreak"
    assert nv.read(index) == b"once"
    nv.write(b"else", index, force=True)
    assert nv.read(index) == b"else"
    nv.undefine(index, force=True)
    assert nv.list() == {}


def test_what_the_maker_has_defined_stays(nv, sandbox, root, tmp_path):
    """The certificate of the endorsement key can be read, by either right, and by force too it is not touched."""
    out = tmp_path / "certificate"
    sandbox.tpm2("tpm2_nvread", hex(EK_CERTIFICATE), "-C", "o", "-o", str(out))
    certificate = out.read_bytes()
    entry = {entry["index"]: entry for entry in root.call("Nv.List")}[EK_CERTIFICATE]
    assert entry["description"] == "the certificate of the endorsement key (RSA)"
    assert entry["size"] == len(certificate) and entry["written"]
    assert attributes_of(sandbox, EK_CERTIFICATE) == entry["attributes"]

    assert nv.read(EK_CERTIFICATE) == certificate
    assert nv.read(EK_CERTIFICATE, owner=True) == certificate
    assert nv.read(EK_CERTIFICATE, owner=False) == certificate
    name, message = nv.fails("undefine", EK_CERTIFICATE, force=True)
    assert name == "NotSupported" and "firmware" in message
    assert nv.error("define", 4, EK_CERTIFICATE, force=True) == "Exists"
    assert nv.error("write", b"fake", EK_CERTIFICATE, force=True) in ("NotSupported", "Disabled")
    assert nv.read(EK_CERTIFICATE) == certificate


# auth values


@pytest.mark.parametrize("auth", ["sesame", "a" * 64, b"\x01\x00\x02"], ids=["short", "longest", "bytes"])
def test_auth(nv, root, auth):
    nv.define(4, auth=auth)
    assert nv.list()[INDEX]["attributes"] == ["authwrite", "authread"]
    nv.write(b"data", auth=auth)
    assert nv.read(auth=auth) == b"data"
    name, message = nv.fails("read")
    assert name == "AuthenticationFailed" and "not asked" in message
    assert nv.error("read", owner=True) == "NotSupported"
    assert root.get("Lockout.Failures") == 0
    name, message = nv.fails("write", b"else", auth="wrong")
    assert name == "AuthenticationFailed" and "more tries" in message
    assert root.get("Lockout.Failures") == 1
    assert nv.read(auth=auth) == b"data"


def test_wrong_auths_are_the_user_s_own(nv, sandbox, alice, bob, root):
    """One user cannot lock the others out."""
    nv.define(4, auth="sesame")
    nv.write(b"data", auth="sesame")
    sandbox.write_rule("10-nv", "if (action.id == 'org.tpmward.nv') return 'yes';")
    for _ in range(7):
        assert Nv(alice).error("read", auth="wrong") == "AuthenticationFailed"
    assert Nv(alice).error("read", auth="sesame") == "LockedOut"
    assert root.get("Lockout.Failures") == 7
    assert root.get("Lockout.LockedOut") is False
    assert Nv(bob).read(auth="sesame") == b"data"


def test_wrong_auths_until_lockout_and_out_of_it(nv, sandbox, root):
    nv.define(4, auth="sesame")
    nv.write(b"data", auth="sesame")
    nv.define(4, OTHER)
    nv.write(b"open", OTHER)
    for _ in range(32):
        assert nv.error("read", auth="wrong") in ("AuthenticationFailed", "LockedOut")
    assert root.get("Lockout.LockedOut") is True
    assert nv.error("read", auth="sesame") == "LockedOut"
    assert nv.read(OTHER) == b"open"
    root.call("Lockout.Reset", "a{sv}", {})
    assert nv.read(auth="sesame") == b"data"


def test_wrong_auths_that_do_not_count(nv, root):
    nv.define(4, INDEX, ["authread", "authwrite", "no_da"], auth="sesame")
    nv.write(b"data", auth="sesame")
    for _ in range(10):
        assert nv.error("read", auth="wrong") == "AuthenticationFailed"
    assert root.get("Lockout.Failures") == 0
    assert nv.read(auth="sesame") == b"data"


def test_empty_auth_that_counts(nv, root):
    """It is tried only where somebody has said that it is the one."""
    nv.define(4, INDEX, ["authread", "authwrite"])
    assert nv.error("write", b"data") == "AuthenticationFailed"
    nv.write(b"data", auth="")
    assert nv.read(auth="") == b"data"
    assert nv.read(owner=False) == b"data"
    assert root.get("Lockout.Failures") == 0


def test_owner_auth(nv, root):
    nv.define(4, INDEX, BOTH, auth="sesame")
    assert nv.error("define", 4, OTHER, owner_auth="own") == "AuthenticationFailed"
    root.call("Ownership.TakeOwnership", "a{sv}", options(owner_auth="own", force=True))
    assert nv.error("define", 4, OTHER) == "AuthenticationFailed"
    assert nv.error("define", 4, OTHER, owner_auth="other") == "AuthenticationFailed"
    nv.define(4, OTHER, owner_auth="own")

    nv.write(b"data", owner_auth="own")
    assert nv.read(owner_auth="own") == b"data"
    assert nv.read(auth="sesame") == b"data"
    assert nv.error("read", owner=True) == "AuthenticationFailed"
    assert nv.error("read", owner_auth="other") == "AuthenticationFailed"
    assert nv.error("undefine") == "AuthenticationFailed"
    assert nv.error("undefine", owner_auth="sesame") == "AuthenticationFailed"
    assert root.get("Lockout.Failures") == 0
    nv.undefine(owner_auth="own")
    assert list(nv.list()) == [OTHER]
    root.call("Ownership.ChangeAuth", "sa{sv}", "owner", options(old="own", new=""))


# beside tpm2-tools


def attributes_of(sandbox, index):
    """As tpm2_nvreadpublic writes them."""
    text = sandbox.tpm2("tpm2_nvreadpublic", hex(index))
    return re.search(r"attributes:\s+friendly: (\S+)", text)[1].split("|")


@pytest.mark.parametrize(
    "attributes",
    [
        [], ["ownerread", "ownerwrite"], ["authread", "authwrite", "no_da"], [*BOTH, "writeall"],
        [*BOTH, "read_stclear", "write_stclear", "globallock"], [*BOTH, "orderly", "clear_stclear"],
        ["ppread", "ppwrite", "ownerread"], [*BOTH, "writedefine"],
    ],
    ids="|".join,
)  # fmt: skip
def test_attributes_by_tpm2_tools_names(nv, sandbox, attributes):
    nv.define(16, INDEX, attributes)
    shown = nv.list()[INDEX]["attributes"]
    assert attributes_of(sandbox, INDEX) == shown
    assert set(attributes) <= set(shown)


@pytest.mark.parametrize("size", [1, 1024, 1025, MAX])
def test_tpm2_tools_read_what_was_written(nv, sandbox, tmp_path, size):
    data = os.urandom(size)
    nv.define(size)
    nv.write(data)
    nv.define(size, OTHER, auth="sesame")
    nv.write(data, OTHER, auth="sesame")
    out = tmp_path / "out"
    sandbox.tpm2("tpm2_nvread", hex(INDEX), "-C", "o", "-o", str(out))
    assert out.read_bytes() == data
    sandbox.tpm2("tpm2_nvread", hex(OTHER), "-P", "sesame", "-o", str(out))
    assert out.read_bytes() == data


@pytest.mark.parametrize("size", [1, 1024, 1025, MAX])
def test_what_tpm2_tools_have_defined_and_written(nv, sandbox, tmp_path, size):
    data = os.urandom(size)
    source = tmp_path / "in"
    source.write_bytes(data)
    sandbox.tpm2("tpm2_nvdefine", hex(INDEX), "-s", str(size))
    sandbox.tpm2("tpm2_nvwrite", hex(INDEX), "-C", "o", "-i", str(source))
    sandbox.tpm2("tpm2_nvdefine", hex(OTHER), "-s", str(size), "-a", "authread|authwrite", "-p", "a" * 40)
    sandbox.tpm2("tpm2_nvwrite", hex(OTHER), "-P", "a" * 40, "-i", str(source))
    assert nv.read() == data
    assert nv.read(OTHER, auth="a" * 40) == data
    nv.write(b"!", OTHER, auth="a" * 40)
    assert nv.read(OTHER, auth="a" * 40) == b"!" + data[1:]
    nv.undefine()
    nv.undefine(OTHER)
    left = sandbox.tpm2("tpm2_getcap", "handles-nv-index").lower()
    assert f"{INDEX:x}" not in left and f"{OTHER:x}" not in left


def test_counter_of_tpm2_tools(nv, sandbox):
    sandbox.tpm2("tpm2_nvdefine", hex(INDEX), "-a", "nt=counter|ownerread|ownerwrite")
    sandbox.tpm2("tpm2_nvincrement", hex(INDEX), "-C", "o")
    assert attributes_of(sandbox, INDEX) == nv.list()[INDEX]["attributes"]
    assert len(nv.read()) == 8
    assert nv.error("write", bytes(8)) == "NotSupported"


def test_locked_by_tpm2_tools(nv, sandbox):
    nv.define(4, INDEX, ["ownerread", "ownerwrite", "read_stclear", "write_stclear"])
    nv.write(b"data")
    sandbox.tpm2("tpm2_nvwritelock", hex(INDEX), "-C", "o")
    name, message = nv.fails("write", b"else")
    assert name == "Disabled" and "restarted" in message
    assert nv.read() == b"data"
    sandbox.tpm2("tpm2_nvreadlock", hex(INDEX), "-C", "o")
    name, message = nv.fails("read")
    assert name == "Disabled" and "restarted" in message
    sandbox.restart("swtpm")
    nv.write(b"else")
    assert nv.read() == b"else"


def test_policy_of_tpm2_tools(nv, sandbox, tmp_path):
    policy = tmp_path / "policy"
    sandbox.tpm2("tpm2_createpolicy", "--policy-pcr", "-l", "sha256:23", "-L", str(policy))
    sandbox.tpm2("tpm2_nvdefine", hex(INDEX), "-s", "4", "-L", str(policy), "-a", "policyread|ownerwrite")
    nv.write(b"data")
    name, message = nv.fails("read")
    assert name == "NotSupported" and "policy" in message
    assert "policyread" in message
    nv.undefine()


# the service


def test_preview_of_a_clear_names_it(nv, root):
    nv.define(4)
    kinds = [item["subject"] for item in root.call("Ownership.PreviewClear") if item["kind"] == "nv-index"]
    assert any(f"0x{INDEX:08x}" in subject for subject in kinds)


def test_many_at_once(nv, root):
    indices = range(INDEX, INDEX + 20)
    by_owner = options(**OWNER_AUTH)
    calls = [root.start("Nv.Define", "uuasa{sv}", index, 4, [], by_owner) for index in indices]
    calls += [root.start("Nv.Write", "uaya{sv}", index, index.to_bytes(4, "big"), by_owner) for index in indices]
    for call in calls:
        call.wait()
    reads = [root.start("Nv.Read", "ua{sv}", index, by_owner) for index in indices]
    assert [call.wait() for call in reads] == [index.to_bytes(4, "big") for index in indices]


def test_killed_between_parts(nv, sandbox, root):
    """What the service was at when it was killed is written or not, byte for byte, and it goes on."""
    old, new = b"a" * MAX, b"b" * MAX
    nv.define(MAX)
    nv.write(old)
    for _ in range(5):
        call = root.start("Nv.Write", "uaya{sv}", INDEX, new, options(**OWNER_AUTH))
        sandbox.kill("daemon")
        sandbox.start("daemon")
        del call
        data = nv.read()
        assert re.fullmatch(rb"b*a*", data) and data.count(b"b") in (0, 1024, MAX)
        nv.write(old)
