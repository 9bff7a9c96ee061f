"""What the edge keeps of its clients' messages until the router has settled them: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from maim_protocol.envelope import ClientFrame
from maim_protocol.frames import Closed, EdgeFrame, EdgeMessages, Open, Ranges
from maim_protocol.lanes import Lanes
from maim_protocol.ranges import covered

# One client may have this much unsettled before the edge stops reading from it.
CONN_MESSAGES = 1024
CONN_BYTES = 8 * 1024 * 1024
# Handshakes of one frame: each may bring 8 KiB of headers.
FRAME_OPENS = 256


@dataclass(slots=True)
class _Message:
    conn: int
    frame: ClientFrame
    ordinal: int = 0

    @property
    def conns(self) -> Sequence[int]:
        return (self.conn,)

    @property
    def payload(self) -> bytes | memoryview:
        return self.frame.payload


@dataclass(frozen=True, slots=True)
class _Close:
    closed: Closed

    @property
    def conns(self) -> Sequence[int]:
        return (self.closed.conn,)

    @property
    def payload(self) -> bytes:
        return b""


@dataclass(slots=True)
class _Usage:
    messages: int = 0
    bytes: int = 0


class Uplink:
    """Messages on their way to a router, and those that it has not answered for.

    `limit_bytes` bounds all of it; a single larger message is let in when there is nothing else.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lanes: Lanes[_Message | _Close] = Lanes()
        self._opens: dict[int, Open] = {}
        self._unsettled: dict[int, _Message] = {}
        self._usage: dict[int, _Usage] = {}
        self._bytes = 0
        self._count = 0
        self._ordinal = 0

    @property
    def unsettled(self) -> int:
        """How many messages are kept, sent or not."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether nobody may add anything."""
        return self._bytes >= self._limit

    def has_room(self, conn: int) -> bool:
        """Whether a connection may add a message now."""
        if self.full:
            return False
        usage = self._usage.get(conn)
        return usage is None or (usage.messages < CONN_MESSAGES and usage.bytes < CONN_BYTES)

    def open(self, asked: Open) -> None:
        """Ask for a verdict."""
        self._opens[asked.conn] = asked

    def push(self, conn: int, frame: ClientFrame) -> None:
        """Add a message of a client."""
        self._lanes.push(_Message(conn, frame))
        usage = self._usage.setdefault(conn, _Usage())
        usage.messages += 1
        self._count += 1
        usage.bytes += len(frame.payload)
        self._bytes += len(frame.payload)

    def close(self, closed: Closed) -> None:
        """Say that a connection is gone, after its messages."""
        if self._opens.pop(closed.conn, None) is not None:
            return  # The router has not heard of it.
        self._lanes.push(_Close(closed))

    def settle(self, ranges: Ranges) -> list[tuple[int, str]]:
        """Forget settled messages; returns the sender and msg_id of those that have one."""
        settled: list[tuple[int, str]] = []
        for ordinal in list(covered(ranges, self._unsettled)):
            message = self._forget(ordinal)
            if message is not None and message.frame.msg_id:
                settled.append((message.conn, message.frame.msg_id))
        return settled

    def reject(self, ordinal: int) -> tuple[int, str | None] | None:
        """Forget a message that was not taken; returns its sender and msg_id."""
        message = self._forget(ordinal)
        return (message.conn, message.frame.msg_id) if message is not None else None

    def restart(self) -> None:
        """Begin a new stream: everything that is not settled will be sent again, in order."""
        again = [*self._unsettled.values(), *self._lanes.drain()]
        self._unsettled.clear()
        self._opens.clear()
        self._lanes = Lanes()
        for item in again:
            # The connections of the new stream are announced; old closes mean nothing to it.
            if isinstance(item, _Message):
                self._lanes.push(item)

    def drop(self, live: Iterable[int]) -> None:
        """Forget everything of connections that are not in `live`."""
        kept = set(live)
        for message in [*self._unsettled.values(), *self._lanes.drain()]:
            if not isinstance(message, _Message):
                continue
            if message.conn in kept:
                self._lanes.push(message)
            else:
                self._discount(message)
        self._unsettled.clear()

    @property
    def has_more(self) -> bool:
        """Whether `gather` would give a frame."""
        return bool(self._opens or self._lanes)

    def gather(self) -> EdgeFrame | None:
        """Take what fits into one frame; None when there is nothing."""
        if not self.has_more:
            return None
        frame = EdgeFrame(opens=self._take_opens())
        frame.chunks, items = self._lanes.take()
        closes: list[Closed] = []
        for item, transfer in items:
            if isinstance(item, _Close):
                closes.append(item.closed)
                continue
            if frame.messages is None:
                frame.messages = EdgeMessages()
            self._append(frame.messages, item, transfer)
        frame.closes = closes
        return frame

    def _take_opens(self) -> list[Open]:
        return [self._opens.pop(conn) for conn in list(islice(self._opens, FRAME_OPENS))]

    def _append(self, columns: EdgeMessages, message: _Message, transfer: int) -> None:
        if message.ordinal == 0:
            self._ordinal += 1
            message.ordinal = self._ordinal
        self._unsettled[message.ordinal] = message
        frame, target = message.frame, message.frame.target
        columns.ordinals.append(message.ordinal)
        columns.conns.append(message.conn)
        columns.msg_ids.append(frame.msg_id or "")
        columns.types.append(frame.type)
        columns.target_keys.append(target.api_key if target else "")
        columns.target_platforms.append(target.platform if target else "")
        columns.payloads.append(b"" if transfer else bytes(frame.payload))
        columns.transfers.append(transfer)

    def _forget(self, ordinal: int) -> _Message | None:
        message = self._unsettled.pop(ordinal, None)
        if message is not None:
            self._discount(message)
        return message

    def _discount(self, message: _Message) -> None:
        size = len(message.frame.payload)
        self._bytes -= size
        self._count -= 1
        usage = self._usage[message.conn]
        usage.messages -= 1
        usage.bytes -= size
        if not usage.messages:
            del self._usage[message.conn]
