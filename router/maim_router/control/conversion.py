"""Fields of control requests to plain values, and what the router knows to responses; pure."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from google.protobuf.duration_pb2 import Duration

from maim_protocol.v1 import delivery_pb2
from maim_protocol.v1 import router_pb2 as pb
from maim_router.bridge import DeliveryReport, EdgeLink, Outcome
from maim_router.connection_map import Entry
from maim_router.control.errors import bad_field, kind_of
from maim_router.delivery import DEFAULT_TIMEOUT, WaitFor
from maim_router.events import EdgeKey

MAX_TIMEOUT = 60.0
MAX_DRAIN_WINDOW = 3600.0
PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
KEY_MAX_CHARS = 128
REASON_MAX_BYTES = 123
DEFAULT_CLOSE_CODE = 4403

# Where a page ended: when the last connection came, and its id.
Mark = tuple[float, str]
START: Mark = (float("-inf"), "")


def wait_for(value: int) -> WaitFor:
    """Read what to wait for; raises `CallError`."""
    if value in (delivery_pb2.WAIT_FOR_UNSPECIFIED, delivery_pb2.WAIT_FOR_WRITTEN):
        return "written"
    if value == delivery_pb2.WAIT_FOR_ACKED:
        return "acked"
    raise bad_field("wait_for", "WAIT_FOR_WRITTEN or WAIT_FOR_ACKED", str(value))


def timeout_seconds(duration: Duration) -> float:
    """Read a timeout: 10 s when there is none, never more than 60 s; raises `CallError`."""
    seconds = duration.seconds + duration.nanos / 1e9
    if seconds < 0:
        raise bad_field("timeout", "0 to 60 s", f"{seconds:g} s")
    return min(seconds, MAX_TIMEOUT) or DEFAULT_TIMEOUT


def ttl_seconds(duration: Duration) -> float:
    """Read a time to live, 0 when there is none; raises `CallError`."""
    seconds = duration.seconds + duration.nanos / 1e9
    if seconds < 0:
        raise bad_field("ttl", "0 s or more", f"{seconds:g} s")
    return seconds


def drain_window(duration: Duration) -> float:
    """Read a drain window, 0 s for the edge's own; raises `CallError`."""
    seconds: float = duration.seconds + duration.nanos / 1e9
    if not 0 <= seconds <= MAX_DRAIN_WINDOW:
        raise bad_field("window", f"0 to {MAX_DRAIN_WINDOW:g} s", f"{seconds:g} s")
    return seconds


def idempotency_key(text: str) -> str:
    """Check the length of an idempotency key; raises `CallError`."""
    if len(text) > KEY_MAX_CHARS:
        raise bad_field("idempotency_key", f"1 to {KEY_MAX_CHARS} characters", str(len(text)))
    return text


def connection_uuid(text: str, *, required: bool = False) -> str:
    """Check the form of a connection id; raises `CallError`."""
    if not text and not required:
        return ""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        # Not repeated: somebody may have taken a key for an id.
        raise bad_field("connection_uuid", "a UUID4", kind_of(text)) from None


def close_code(value: int) -> int:
    """Check a close code, 4403 when there is none; raises `CallError`."""
    if value and value != 1000 and not 4000 <= value <= 4999:
        raise bad_field("code", "1000 or 4000 to 4999", str(value))
    return value or DEFAULT_CLOSE_CODE


def close_reason(text: str) -> str:
    """Check the length of a close reason (RFC 6455, 5.5.1); raises `CallError`."""
    size = len(text.encode())
    if size > REASON_MAX_BYTES:
        raise bad_field("reason", f"at most {REASON_MAX_BYTES} bytes of UTF-8", str(size))
    return text


def page_size(value: int) -> int:
    """Check the size of a page, 100 when there is none; raises `CallError`."""
    if value > MAX_PAGE_SIZE:
        raise bad_field("page_size", f"1 to {MAX_PAGE_SIZE}", str(value))
    return value or PAGE_SIZE


def page(entries: Iterable[Entry], size: int, token: str) -> tuple[Sequence[Entry], str]:
    """Cut a page out of connections, oldest first; returns it with the token of the next.

    A token names the last connection seen, so that pages neither repeat nor skip what stayed
    while others came and went. Raises `CallError`.
    """
    after = _read_token(token)
    rest = sorted((entry for entry in entries if _mark(entry) > after), key=_mark)
    found = rest[:size]
    return found, _write_token(_mark(found[-1])) if len(rest) > size else ""


def report_message(report: DeliveryReport) -> delivery_pb2.DeliveryReport:
    """Write a delivery report."""
    message = delivery_pb2.DeliveryReport(
        msg_id=report.msg_id,
        user_id=report.user_id,
        outcome=outcome_value(report.outcome),
        connections=_outcomes(report.outcomes),
    )
    if report.expires_at:
        message.expires_at.FromNanoseconds(round(report.expires_at * 1e9))
    return message


def broadcast_message(report: DeliveryReport) -> pb.BroadcastResponse:
    """Write what became of a broadcast: counts, and one by one only what failed."""
    counts = Counter(report.outcomes.values())
    failed = {uuid: out for uuid, out in report.outcomes.items() if not out.delivered}
    return pb.BroadcastResponse(
        msg_id=report.msg_id,
        counts=[
            delivery_pb2.OutcomeCount(outcome=outcome_value(outcome), count=counts[outcome])
            for outcome in Outcome
            if counts[outcome]
        ],
        failed=_outcomes(failed),
    )


def outcome_value(outcome: Outcome) -> delivery_pb2.Outcome.ValueType:
    """Name an outcome as the contract does."""
    return delivery_pb2.Outcome.Value(f"OUTCOME_{outcome.value}")


def connection_message(
    entry: Entry, *, standby: bool = False, pending_bytes: int = 0
) -> pb.Connection:
    """Write a connection; its credential stays here."""
    return pb.Connection(
        connection_uuid=entry.uuid,
        user_id=entry.user_id,
        platform=entry.platform,
        label=entry.label,
        edge_id=entry.address.edge.edge_id,
        client_ip=entry.client_ip,
        connected_at=entry.connected_at,
        standby=standby,
        pending_bytes=pending_bytes,
    )


def user_messages(users: Mapping[str, Mapping[str, Sequence[str]]]) -> list[pb.User]:
    """Write users with their platforms, by name."""
    return [
        pb.User(
            user_id=user,
            platforms=sorted(platforms),
            connections=sum(len(uuids) for uuids in platforms.values()),
        )
        for user, platforms in sorted(users.items())
    ]


def edge_messages(links: Iterable[EdgeLink], entries: Iterable[Entry]) -> list[pb.Edge]:
    """Write the attached edges with the number of their connections."""
    counts: Counter[EdgeKey] = Counter(entry.address.edge for entry in entries)
    return [
        pb.Edge(
            edge_id=link.key.edge_id,
            epoch=link.key.epoch,
            address=link.address,
            connections=counts[link.key],
            attached_at=link.attached_at,
            draining=link.status.draining,
        )
        for link in links
    ]


def _outcomes(outcomes: Mapping[str, Outcome]) -> list[delivery_pb2.ConnectionOutcome]:
    return [
        delivery_pb2.ConnectionOutcome(connection_uuid=uuid, outcome=outcome_value(outcome))
        for uuid, outcome in outcomes.items()
    ]


def _mark(entry: Entry) -> Mark:
    return (entry.connected_at, entry.uuid)


def _write_token(mark: Mark) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode()


def _read_token(token: str) -> Mark:
    if not token:
        return START
    try:
        text = base64.urlsafe_b64decode(token.encode())
        return msgspec.json.decode(text, type=tuple[float, str])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise bad_field("page_token", "a next_page_token", kind_of(token)) from None
