"""What the edge keeps of its clients' messages until the router has settled them: pure.

A small message goes into the columns of the frame that leaves next; only while a large one is
under way do all of them queue up in lanes, which keep the order of each connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from maim_protocol.bridge import (
    CHUNK_BYTES,
    FRAME_BYTES,
    FRAME_MESSAGES,
    ITEM_BYTES,
    Closed,
    EdgeFrame,
    EdgeMessages,
    Lanes,
    Open,
    Ranges,
    covered,
)
from maim_protocol.envelope import ClientFrame

# One client may have this much unsettled before the edge stops reading from it.
CONN_MESSAGES = 1024
CONN_BYTES = 8 * 1024 * 1024
# Handshakes of one frame: each may bring 8 KiB of headers.
FRAME_OPENS = 256


class _Usage(msgspec.Struct):
    """What one connection has unsettled."""

    messages: int = 0
    bytes: int = 0


class _Message(msgspec.Struct):
    conn: int
    frame: ClientFrame
    usage: _Usage
    ordinal: int = 0

    @property
    def conns(self) -> Sequence[int]:
        return (self.conn,)

    @property
    def payload(self) -> bytes | memoryview:
        return self.frame.payload


class _Close(msgspec.Struct):
    closed: Closed

    @property
    def conns(self) -> Sequence[int]:
        return (self.closed.conn,)

    @property
    def payload(self) -> bytes:
        return b""


class _Batch:
    """A frame that fills."""

    __slots__ = ("bytes", "closes", "messages")

    def __init__(self) -> None:
        self.messages = EdgeMessages()
        self.closes: list[Closed] = []
        self.bytes = 0

    @property
    def full(self) -> bool:
        return self.bytes >= FRAME_BYTES or len(self.messages.ordinals) >= FRAME_MESSAGES


class Uplink:
    """Messages on their way to a router, and those that it has not answered for.

    `limit_bytes` bounds all of it; a single larger message is let in when there is nothing else.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._batches: deque[_Batch] = deque()
        self._lanes: Lanes[_Message | _Close] = Lanes()
        self._opens: dict[int, Open] = {}
        # In the order in which they leave; those in the lanes are not here yet.
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
    def unsettled_bytes(self) -> int:
        """How many bytes they take."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether nobody may add anything."""
        return self._bytes >= self._limit

    @property
    def has_more(self) -> bool:
        """Whether `gather` would give a frame."""
        return bool(self._batches or self._opens or self._lanes)

    def has_capacity(self, conn: int) -> bool:
        """Whether a connection may add a message now."""
        if self.full:
            return False
        usage = self._usage.get(conn)
        return usage is None or (usage.messages < CONN_MESSAGES and usage.bytes < CONN_BYTES)

    def open(self, asked: Open) -> None:
        """Ask for a verdict."""
        self._opens[asked.conn] = asked

    def push(self, conn: int, frame: ClientFrame) -> bool:
        """Add a message of a client; returns whether it may add another one, as `has_capacity`."""
        size = len(frame.payload)
        usage = self._usage.get(conn)
        if usage is None:
            usage = self._usage[conn] = _Usage()
        usage.messages += 1
        usage.bytes += size
        self._count += 1
        self._bytes += size
        self._put(_Message(conn, frame, usage), size)
        return (
            usage.messages < CONN_MESSAGES
            and usage.bytes < CONN_BYTES
            and self._bytes < self._limit
        )

    def leave(self, conn: int) -> None:
        """Note that a connection adds nothing more; what is not settled stays."""
        self._usage.pop(conn, None)

    def close(self, closed: Closed) -> None:
        """Say that a connection is gone, after its messages."""
        if self._opens.pop(closed.conn, None) is not None:
            return  # The router has not heard of it.
        if self._lanes:
            self._lanes.push(_Close(closed))
        else:
            batch = self._open_batch()
            batch.bytes += ITEM_BYTES
            batch.closes.append(closed)

    def settle(self, ranges: Ranges) -> list[tuple[int, str]]:
        """Forget settled messages; returns the sender and msg_id of those that have one."""
        return self.settle_each(list(covered(ranges, self._unsettled)))

    def settle_each(self, ordinals: Iterable[int]) -> list[tuple[int, str]]:
        """Forget settled messages named one by one; unknown ordinals mean nothing."""
        settled: list[tuple[int, str]] = []
        for ordinal in ordinals:
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
        again = self._drain()
        self._opens.clear()
        self._lanes = Lanes()
        # The connections of the new stream are announced; old closes mean nothing to it.
        for message in again:
            self._put(message, len(message.payload))

    def drop(self, live: Iterable[int]) -> None:
        """Forget everything of connections that are not in `live`."""
        kept = set(live)
        for message in self._drain():
            if message.conn in kept:
                self._put(message, len(message.payload))
            else:
                self._discount(message)

    def gather(self) -> EdgeFrame | None:
        """Take what fits into one frame; None when there is nothing."""
        if self._batches:
            batch = self._batches.popleft()
            messages = batch.messages if batch.messages.ordinals else None
            return EdgeFrame(opens=self._take_opens(), messages=messages, closes=batch.closes)
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

    def _take_opens(self) -> Sequence[Open]:
        if not self._opens:
            return ()
        return [self._opens.pop(conn) for conn in list(islice(self._opens, FRAME_OPENS))]

    def _put(self, message: _Message, size: int) -> None:
        if self._lanes or size > CHUNK_BYTES:
            self._lanes.push(message)
            return
        batch = self._open_batch()
        batch.bytes += size + ITEM_BYTES
        self._append(batch.messages, message, 0)

    def _open_batch(self) -> _Batch:
        if not self._batches or self._batches[-1].full:
            self._batches.append(_Batch())
        return self._batches[-1]

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
        if transfer and not columns.transfers:
            columns.transfers.extend([0] * len(columns.payloads))
        if columns.transfers or transfer:
            columns.transfers.append(transfer)
        columns.payloads.append(b"" if transfer else bytes(frame.payload))

    def _drain(self) -> list[_Message]:
        """Take out everything that is not settled, in order."""
        waiting = (item for item in self._lanes.drain() if isinstance(item, _Message))
        again = [*self._unsettled.values(), *waiting]
        self._unsettled.clear()
        self._batches.clear()
        return again

    def _forget(self, ordinal: int) -> _Message | None:
        message = self._unsettled.pop(ordinal, None)
        if message is not None:
            self._discount(message)
        return message

    def _discount(self, message: _Message) -> None:
        size = len(message.frame.payload)
        self._bytes -= size
        self._count -= 1
        message.usage.messages -= 1
        message.usage.bytes -= size
