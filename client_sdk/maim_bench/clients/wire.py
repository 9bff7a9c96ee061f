"""What clients and server say to each other: which bytes to look for, which to send."""

from __future__ import annotations

import importlib
import time
from urllib.parse import urlencode

from maim_bench.clients import frames
from maim_bench.clients.client import Client, Load, Wire
from maim_bench.clients.frames import TOKEN_BYTES, TOKEN_MARK, Template
from maim_bench.plan import Plan

_TYPE = b"sys_"
_ID = b'"msg_id"'


def load_wire(plan: Plan, load: Load) -> Wire:
    """Make the wire that a plan names; ours unless it names one."""
    if not plan.wire:
        return EnvelopeWire(plan, load)
    module, _, name = plan.wire.partition(":")
    wire: Wire = getattr(importlib.import_module(module), name)(plan, load)
    return wire


class EnvelopeWire:
    """Envelopes of docs/protocol.md; what comes is acknowledged unless the plan says not to."""

    def __init__(self, plan: Plan, load: Load) -> None:
        self._plan = plan
        self._load = load
        self._acks: dict[tuple[int, int], Template] = {}

    def url(self, number: int) -> str:
        """Credential and platform go into the query."""
        query = urlencode({"api_key": self._plan.key_of(number), "platform": self._plan.platform})
        return f"{self._plan.url_of(number)}?{query}"

    def greet(self, client: Client) -> None:
        """Say nothing: the handshake said it all."""

    def message(self, receiver: int) -> Template:
        """Make a standard message; its envelope has the plan's size."""
        plan = self._plan
        return frames.message(plan.to or plan.key_of(receiver), plan.platform, plan.size)

    def received(self, client: Client, data: bytes) -> None:
        """Tell apart by its first type what came."""
        kind = data[(at := data.find(_TYPE) + 4) : at + 3]
        token = data[(at := data.find(TOKEN_MARK)) : at + TOKEN_BYTES]
        if kind == b"ack":
            self._load.on_ack(client, token, time.monotonic())
        elif kind == b"std":
            self._load.on_delivery(client, token, time.monotonic())
            if self._plan.client_acks:
                self._acknowledge(client, data)
        elif kind == b"err":
            self._load.on_error(client, token, _code(data))

    def _acknowledge(self, client: Client, data: bytes) -> None:
        begin = data.find(b'"', data.find(_ID) + len(_ID)) + 1
        msg_id = data[begin : data.find(b'"', begin)]
        key = client.number, len(msg_id)
        template = self._acks.get(key)
        if template is None:
            template = frames.ack(b"ack-%d-" % client.number, len(msg_id))
            self._acks[key] = template
        client.write(template.fill(msg_id))


def _code(data: bytes) -> str:
    begin = data.find(b'"', data.find(b'"code"') + 6) + 1
    return data[begin : data.find(b'"', begin)].decode(errors="replace")
