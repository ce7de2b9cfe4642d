# SPDX-License-Identifier: LGPL-2.1-or-later
"""The other side of ward.Caller: a process of a user's that makes the calls it is told to and tells what comes back.

Messages between the two are pickled with a length in front; descriptors come with the first byte.
"""

import ctypes
import os
import pickle
import pwd
import signal
import socket
import struct
import time
import traceback
from typing import NamedTuple

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

MAX_FDS = 64
PR_SET_PDEATHSIG = 1


class Signal(NamedTuple):
    time: float
    sender: str
    path: str
    interface: str
    member: str
    args: tuple


class Variant(NamedTuple):
    """A value to send as v, with its signature: unlike a GLib.Variant it can be told to the other side."""

    signature: str
    value: object


def of_type(kind, value):
    """As GLib.Variant, which takes many seconds for a mebibyte of ay."""
    if kind == "ay" and isinstance(value, bytes):
        return GLib.Variant.new_from_bytes(GLib.VariantType("ay"), GLib.Bytes(value), True)
    return GLib.Variant(kind, pack(value))


def pack(value):
    if isinstance(value, Variant):
        return of_type(value.signature, value.value)
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(pack, value))
    return value


def send(channel, message, fds=()):
    data = pickle.dumps(message)
    header = struct.pack("Q", len(data))
    if fds:
        socket.send_fds(channel, [header], list(fds))
    else:
        channel.sendall(header)
    channel.sendall(data)


def receive_exactly(channel, size):
    data = bytearray()
    while len(data) < size:
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            raise EOFError("the other side has ended")
        data += part
    return bytes(data)


def receive(channel):
    """A message and its descriptors."""
    header, fds, _flags, _address = socket.recv_fds(channel, 8, MAX_FDS)
    header += receive_exactly(channel, 8 - len(header))
    return pickle.loads(receive_exactly(channel, *struct.unpack("Q", header))), fds


def unpack(variant):
    """As GLib.Variant.unpack, but ay is bytes."""
    kind = variant.get_type_string()
    if kind == "ay":
        return bytes(variant.get_data_as_bytes().get_data() or b"")
    if kind == "v":
        return unpack(variant.get_variant())
    if kind[0] not in "a({":
        return variant.unpack()
    children = [unpack(variant.get_child_value(index)) for index in range(variant.n_children())]
    if kind.startswith("a{"):
        return dict(children)
    return children if kind[0] == "a" else tuple(children)


class Server:
    def __init__(self, channel):
        self.channel = channel
        self.connection = Gio.DBusConnection.new_for_address_sync(
            "unix:path=/run/dbus/system_bus_socket",
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None,
            None,
        )
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, channel.fileno(), GLib.IOCondition.IN, self.on_command)
        self.tell("ready", 0, self.connection.get_unique_name())

    def tell(self, kind, number, value):
        send(self.channel, (kind, number, value))

    def on_command(self, _fd, _condition):
        try:
            (kind, number, arguments), fds = receive(self.channel)
        except (EOFError, ConnectionError):
            os._exit(0)
        {"call": self.call, "subscribe": self.subscribe}[kind](number, fds, *arguments)
        return True

    def call(self, number, fds, destination, path, interface, member, signature, args, interactive):
        message = Gio.DBusMessage.new_method_call(destination, path, interface, member)
        values = zip(GLib.Variant.split_signature(signature), args, strict=True)
        message.set_body(GLib.Variant.new_tuple(*(of_type(kind, value) for kind, value in values)))
        if interactive:
            message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        if fds:
            message.set_unix_fd_list(Gio.UnixFDList.new_from_array(fds))  # which owns them from now on
        serial = self.connection.send_message_with_reply(
            message, Gio.DBusSendMessageFlags.NONE, GLib.MAXINT, None, self.on_reply, number
        )
        self.tell("serial", number, serial)

    def on_reply(self, connection, result, number):
        try:
            message = connection.send_message_with_reply_finish(result)
        except GLib.Error as error:
            self.tell("reply", number, ("error", f"local: {error.domain}", error.message))
            return
        body = message.get_body()
        values = unpack(body) if body else ()
        if message.get_message_type() == Gio.DBusMessageType.ERROR:
            self.tell("reply", number, ("error", message.get_error_name(), str(values[0]) if values else ""))
        else:
            self.tell("reply", number, ("values", values))

    def subscribe(self, number, _fds, sender, path, interface, member):
        self.connection.signal_subscribe(
            sender, interface, member, path, None, Gio.DBusSignalFlags.NONE, self.on_signal, number
        )

    def on_signal(self, _connection, sender, path, interface, member, parameters, number):
        self.tell("signal", number, Signal(time.monotonic(), sender, path, interface, member, unpack(parameters)))


def serve(channel, user):
    """Becomes the user and serves until the other side ends. Does not return."""
    try:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after setuid(), which takes it away
        _server = Server(channel)
        GLib.MainLoop().run()
    except BaseException:  # noqa: B902: the fork must never go on as the tests
        traceback.print_exc()
    os._exit(1)
