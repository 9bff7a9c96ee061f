"""When the next frame of a bridge stream may leave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How a stream gathers; what a write costs decides.

    `seconds` go by between two writes while more than `above` things a second come; below
    that, what comes leaves at once.
    """

    seconds: float
    above: float = 0.0


# Whatever comes leaves in the same turn of the loop.
AT_ONCE = Pace(0.0)
# A write on grpc.aio costs some 50 µs, so it is always worth waiting for company.
GRPC_PACE = Pace(0.001)
# On a stream of ours it costs about as much as a message: waiting pays where many come.
HTTP2_PACE = Pace(0.001, above=3_000.0)
