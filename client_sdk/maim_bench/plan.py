"""What a run of the load generator is to do, as plain values that go from process to process."""

from __future__ import annotations

from typing import Literal

import msgspec

from maim_bench.schedule import Arrivals

Work = Literal["routed", "handler", "listen"]
Frees = Literal["delivery", "settled"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One generator process's part of a run; times in seconds, sizes in bytes.

    Clients spread over `urls` in equal blocks. `key` holds `{n}` for the number of a client; `to`
    is the key of a receiver elsewhere, else each sends to another one here. `in_flight` is a
    connection's, or everybody's together with `rotate`, where whoever is next sends. `rate` 0 is a
    closed loop. A message frees its place when it was delivered, or when it is also acknowledged
    (`settled`). `wire` is the `module:class` of another protocol than ours.
    """

    urls: tuple[str, ...]
    wire: str = ""
    work: Work = "routed"
    key: str = "bench-{n}"
    to: str = ""
    platform: str = "bench"
    connections: int = 50
    first: int = 0
    worker: int = 0
    in_flight: int = 1
    rotate: bool = False
    rate: float = 0.0
    arrivals: Arrivals = "even"
    size: int = 400
    frees: Frees = "delivery"
    server_acks: bool = True
    client_acks: bool = True
    slow: int = 0
    opening: int = 64
    local_address: str = ""
    ca: str = ""
    seed: int = 1

    def key_of(self, number: int) -> str:
        """Name the credential of a client."""
        return self.key.replace("{n}", str(number))

    def url_of(self, number: int) -> str:
        """Name the address of a client."""
        return self.urls[(number - self.first) * len(self.urls) // self.connections]

    def receiver_of(self, number: int) -> int:
        """Name whom a client sends to: half a circle away, so that two talk to each other."""
        return self.first + (number - self.first + self.connections // 2) % self.connections
