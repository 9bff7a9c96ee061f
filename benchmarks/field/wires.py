"""The protocols of the field's servers, as far as a load generator speaks them.

A message holds its token once, so that whatever comes is searched for tokens.
"""

from __future__ import annotations

import time

from maim_bench.clients import (
    TOKEN_BYTES,
    TOKEN_DIGITS,
    TOKEN_MARK,
    Client,
    Fillable,
    Load,
    Template,
)
from maim_bench.plan import Plan

HOLE = TOKEN_MARK + b"-" * TOKEN_DIGITS
DIGITS = HOLE[len(TOKEN_MARK) :]


def body(size: int, to: int) -> bytes:
    """Write a JSON object of a size with a token in it."""
    head = b'{"to":"%d","id":"%b","text":"' % (to, HOLE)
    return head + b"x" * max(0, size - len(head) - 2) + b'"}'


def deliver(load: Load, client: Client, data: bytes) -> bytes:
    """Tell of every token in what came; returns the end, if it may be a part of one."""
    now = time.monotonic()
    end = 0
    while (at := data.find(TOKEN_MARK, end)) >= 0 and at + TOKEN_BYTES <= len(data):
        end = at + TOKEN_BYTES
        load.on_delivery(client, data[at:end], now)
    return data[max(end, len(data) - TOKEN_BYTES + 1) :]


class NatsWire:
    """NATS over WebSocket: each client has a subject of its own, and all have one together."""

    def __init__(self, plan: Plan, load: Load) -> None:
        self._plan = plan
        self._load = load
        self._pong = Template(b"PONG\r\n").fill(b"")
        self._begun: dict[int, bytes] = {}

    def url(self, number: int) -> str:
        return self._plan.url_of(number)

    def greet(self, client: Client) -> None:
        """Authenticate and subscribe."""
        hello = (
            b'CONNECT {"verbose":false,"pedantic":false,"auth_token":"bench","protocol":1,'
            b'"lang":"python","version":"1"}\r\nSUB to.%d 1\r\nSUB all 2\r\n'
        )
        client.write(Template(hello % client.number).fill(b""))

    def message(self, receiver: int) -> Fillable:
        payload = body(self._plan.size, receiver)
        return Template(b"PUB to.%d %d\r\n%b\r\n" % (receiver, len(payload), payload))

    def received(self, client: Client, data: bytes) -> None:
        if b"PING\r\n" in data:
            client.write(self._pong)
        # A frame may end anywhere in a message.
        begun = self._begun.get(client.number, b"")
        self._begun[client.number] = deliver(self._load, client, begun + data)


class NchanWire:
    """nchan: a client publishes to its partner's channel and subscribes to its own."""

    def __init__(self, plan: Plan, load: Load) -> None:
        self._plan = plan
        self._load = load

    def url(self, number: int) -> str:
        if self._plan.work == "listen":
            return f"{self._plan.url_of(number)}?sub=all"
        return f"{self._plan.url_of(number)}?sub={number}&pub={self._plan.receiver_of(number)}"

    def greet(self, client: Client) -> None:
        """Say nothing."""

    def message(self, receiver: int) -> Fillable:
        return Template(body(self._plan.size, receiver))

    def received(self, client: Client, data: bytes) -> None:
        deliver(self._load, client, data)


class SocketIoWire:
    """Socket.IO 5 on Engine.IO 4, WebSocket from the start; its acks are awaited."""

    def __init__(self, plan: Plan, load: Load) -> None:
        self._plan = plan
        self._load = load
        self._connect = Template(b"40").fill(b"")
        self._pong = Template(b"3").fill(b"")

    def url(self, number: int) -> str:
        return f"{self._plan.url_of(number)}?EIO=4&transport=websocket&user={number}"

    def greet(self, client: Client) -> None:
        """Wait for the server's first packet."""

    def message(self, receiver: int) -> Fillable:
        return _Numbered(
            Template(b'42%b["msg",%b]' % (DIGITS, body(self._plan.size, receiver)), DIGITS)
        )

    def received(self, client: Client, data: bytes) -> None:
        kind = data[:2]
        if kind == b"42":
            deliver(self._load, client, data)
        elif kind == b"43":
            token = TOKEN_MARK + data[2 : data.find(b"[")].rjust(TOKEN_DIGITS, b"0")
            self._load.on_ack(client, token, time.monotonic())
        elif data[:1] == b"0":
            client.write(self._connect)
        elif data == b"2":
            client.write(self._pong)


class _Numbered:
    """The digits of a token are also the number that Socket.IO acknowledges by."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def fill(self, value: bytes) -> bytes:
        """Fill in the digits wherever they belong."""
        return self._template.fill(value[len(TOKEN_MARK) :])
