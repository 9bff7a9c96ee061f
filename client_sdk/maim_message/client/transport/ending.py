"""Why there is no link, and what follows from it; pure."""

from __future__ import annotations

import email.utils
import math
from dataclasses import dataclass
from datetime import datetime, timezone

import msgspec

from maim_protocol.close_codes import Advice, CloseCode, advice

NO_CLOSE_FRAME = 1006
_STOP_STATUSES = frozenset({401, 403})
_MAX_BODY_CHARS = 200


@dataclass(frozen=True)
class LinkEnd:
    """How an attempt or a link ended.

    `stop`: trying again does not help. `credential`: the key was refused, another one may do.
    `retry_after_seconds`: what the server asked for; `spread` says that it chose a time for this
    very client, so that no jitter is added. `code` is set after a close frame.
    """

    text: str
    stop: bool = False
    credential: bool = False
    retry_after_seconds: float | None = None
    spread: bool = False
    code: int | None = None


def after_close(code: int | None, reason: str, drain_seconds: float | None) -> LinkEnd:
    """Judge the end of a link; `code` is `None` when the peer sent no close frame."""
    code = NO_CLOSE_FRAME if code is None else code
    if code == NO_CLOSE_FRAME:
        text = f"the link broke ({reason or 'no close frame'})"
    else:
        text = f"the server closed the link: {code} {reason or _name(code)}".rstrip()
    return LinkEnd(
        text,
        stop=advice(code) is Advice.STOP,
        credential=code == CloseCode.UNAUTHENTICATED,
        retry_after_seconds=drain_seconds,
        spread=drain_seconds is not None,
        code=code,
    )


def after_refusal(status: int, asked: str | None, body: bytes, now: datetime) -> LinkEnd:
    """Judge an HTTP answer that refused the handshake (docs/protocol.md, "Connecting").

    `asked` is its `Retry-After` header.
    """
    return LinkEnd(
        f"the server refused the handshake: HTTP {status}{_explanation(body)}",
        stop=status in _STOP_STATUSES,
        credential=status == 401,
        retry_after_seconds=retry_after(asked, now),
    )


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str, now: datetime) -> float:
    try:
        when = email.utils.parsedate_to_datetime(date)
    except (TypeError, ValueError):  # the former before Python 3.10
        return math.nan
    return (when.replace(tzinfo=when.tzinfo or timezone.utc) - now).total_seconds()


def _name(code: int) -> str:
    try:
        return CloseCode(code).name.lower().replace("_", " ")
    except ValueError:
        return ""


def _explanation(body: bytes) -> str:
    try:
        said = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    words = [str(said[name]) for name in ("error", "message") if said.get(name)]
    return f" {': '.join(words)[:_MAX_BODY_CHARS]}" if words else ""
