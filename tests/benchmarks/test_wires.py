"""What the field's servers send is searched for tokens."""

from __future__ import annotations

import pytest

from benchmarks.field.wires import NatsWire
from maim_bench.clients.client import Client
from maim_bench.clients.frames import Template, make_token
from maim_bench.plan import Plan

ONE, TWO = make_token(1), make_token(2)
STREAM = b'PING\r\nMSG to.0 1 90\r\n{"id":"%b","text":"x"}\r\nMSG to.0 1 90\r\n{"id":"%b"}\r\n' % (
    ONE,
    TWO,
)


class Heard:
    """A load that keeps what it is told."""

    def __init__(self) -> None:
        self.tokens: list[bytes] = []

    def on_delivery(self, client: Client, token: bytes, now: float) -> None:
        self.tokens.append(token)

    def on_ack(self, client: Client, token: bytes, now: float) -> None:
        raise AssertionError

    def on_error(self, client: Client, token: bytes, code: str) -> None:
        raise AssertionError

    def on_closed(self, client: Client, reason: str) -> None:
        raise AssertionError


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_a_token_is_found_once_wherever_frames_are_cut(cut: int) -> None:
    heard = Heard()
    wire = NatsWire(Plan(urls=("ws://a",)), heard)
    client = Client(0, heard, wire)
    client.write = bytearray().extend
    wire.received(client, STREAM[:cut])
    wire.received(client, STREAM[cut:])
    assert heard.tokens == [ONE, TWO]


def test_a_ping_is_answered_though_messages_come_with_it() -> None:
    written = bytearray()
    wire = NatsWire(Plan(urls=("ws://a",)), Heard())
    client = Client(0, Heard(), wire)
    client.write = written.extend
    wire.received(client, STREAM)
    assert bytes(written) == Template(b"PONG\r\n").fill(b"")
