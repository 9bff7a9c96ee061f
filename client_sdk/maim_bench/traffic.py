"""Clients that send to each other, or to the server's handler, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count, cycle

from maim_bench.clients import Client, Wire, make_token
from maim_bench.matching import Matching
from maim_bench.plan import Plan

# Tokens of generator processes never meet: each has so many.
TOKENS_EACH = 10**17
# An open loop that is so far behind has shown what there is to see.
MOST_OPEN = 200_000


class Traffic:
    """A closed loop: whatever frees a place lets the same sender send again.

    With a rate it only sends what it is told to (`send_next`).
    """

    def __init__(self, plan: Plan) -> None:
        self.matching = Matching(deliveries=plan.work == "routed", acks=plan.server_acks)
        self._plan = plan
        self._running = False
        awaits_ack = plan.frees == "settled" or plan.work == "handler"
        self._frees_on_delivery = not (awaits_ack and plan.server_acks)
        # Servers remember message ids: those of two runs must differ, so they begin with the time.
        self._numbers = count(plan.worker * TOKENS_EACH + time.time_ns() // 1000)
        self._clients: Sequence[Client] = ()
        self._turns: Iterator[Client] = iter(())

    def ready(self, clients: Sequence[Client], wire: Wire) -> None:
        """Take the clients, and what each will send."""
        self._clients = clients
        self._turns = cycle(clients)
        for client in clients:
            receiver = clients[self._plan.receiver_of(client.number) - self._plan.first]
            receiver.partner = client
            client.template = wire.message(receiver.number)
        for client in clients[: self._plan.slow]:
            client.pause_reading()

    def start(self) -> None:
        """Fill every place of a closed loop."""
        self._running = self._plan.rate == 0
        if self._running:
            each = 1 if self._plan.rotate else len(self._clients)
            for _ in range(self._plan.in_flight * each):
                self.send_next(time.monotonic())

    def stop(self) -> None:
        """Send nothing more; what is on its way may still arrive."""
        self._running = False

    def send_next(self, at: float) -> None:
        """Let the client whose turn it is send; latency counts from `at`."""
        if len(self.matching.undelivered) + len(self.matching.unacked) < MOST_OPEN:
            self._send(next(self._turns), at)
        else:
            self.matching.window.errors["not_sent"] += 1

    def on_delivery(self, client: Client, token: bytes, now: float) -> None:
        """Match a message; its place may be free now."""
        matching = self.matching
        if matching.delivered(token, now) and (
            self._frees_on_delivery or token not in matching.unacked
        ):
            self._free(client.partner, now)

    def on_ack(self, client: Client, token: bytes, now: float) -> None:
        """Match an ack; its place may be free now."""
        matching = self.matching
        first = matching.acked(token, now)
        if first and not self._frees_on_delivery and token not in matching.undelivered:
            self._free(client, now)

    def on_error(self, client: Client, token: bytes, code: str) -> None:
        """Count a refusal; the place is free."""
        if self.matching.failed(token, code):
            self._free(client, time.monotonic())

    def on_closed(self, client: Client, reason: str) -> None:
        """Count a connection that ended while it was needed."""
        self.matching.window.errors[f"closed {reason}"] += 1

    def _free(self, sender: Client, now: float) -> None:
        if self._running:
            self._send(next(self._turns) if self._plan.rotate else sender, now)

    def _send(self, client: Client, at: float) -> None:
        token = make_token(next(self._numbers))
        self.matching.sent(token, at)
        client.send(token)
