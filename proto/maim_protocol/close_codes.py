"""WebSocket close codes and what a client should do after each (docs/protocol.md, "Closing")."""

from __future__ import annotations

import enum


class Advice(enum.Enum):
    """What a client should do after a close."""

    STOP = "stop"
    RECONNECT = "reconnect"


class CloseCode(enum.IntEnum):
    """Every close code that the edge sends (RFC 6455 section 7.4 and ours from 4400 up)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_LARGE = 1009
    INTERNAL = 1011
    TRY_AGAIN = 1013
    BAD_FRAMES = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    SLOW_CONSUMER = 4408
    REPLACED = 4409
    LIMITED = 4429
    ROUTER_UNREACHABLE = 4503


# RFC 6455 section 7.4.1: 1002, 1003, 1007 say that this client cannot be understood.
_STOP = frozenset(
    {
        CloseCode.NORMAL,
        1002,
        1003,
        1007,
        CloseCode.BAD_FRAMES,
        CloseCode.UNAUTHENTICATED,
        CloseCode.FORBIDDEN,
        CloseCode.REPLACED,
    }
)
REASON_MAX_BYTES = 123


def advice(code: int) -> Advice:
    """Say whether a client that was closed with `code` should come back.

    4000 to 4099 belong to the application (`Disconnect` with its own code) and mean stop.
    """
    if code in _STOP or 4000 <= code <= 4099:
        return Advice.STOP
    return Advice.RECONNECT


def fit_reason(reason: str) -> str:
    """Cut a close reason to the 123 bytes of UTF-8 that RFC 6455 section 5.5 leaves for it."""
    raw = reason.encode("utf-8", "replace")[:REASON_MAX_BYTES]
    return raw.decode("utf-8", "ignore")
