"""A router in memory that does what a test says, for edges over a `LocalBridge`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from maim_protocol.bridge.frames import (
    Admission,
    Closed,
    Deliveries,
    EdgeFrame,
    EdgeStream,
    Hello,
    Live,
    Open,
    Refused,
    RouterFrame,
    Verdict,
    Want,
    Welcome,
)
from maim_protocol.bridge.ranges import to_ranges
from maim_protocol.bridge.transfers import Transfers
from maim_protocol.envelope import SYS_STD

SECONDS = 20.0
Answer = Admission | Refused | None


@dataclass(frozen=True, slots=True)
class Got:
    """A message of a client as it reached the router."""

    ordinal: int
    conn: int
    msg_id: str
    type: str
    target: tuple[str, str]
    payload: bytes


def admit(asked: Open) -> Answer:
    """Let everybody in as the user of their key's name."""
    return Admission(f"uuid-{asked.conn}", asked.api_key)


@dataclass
class ScriptedRouter:
    """Answers opens with `verdict` (None: later) and settles messages at once if `settles`."""

    verdict: Callable[[Open], Answer] = admit
    settles: bool = True
    welcomes: bool = True
    hellos: list[Hello] = field(default_factory=list)
    live: list[Live] = field(default_factory=list)
    opens: list[Open] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    closes: list[Closed] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    outcomes: list[tuple[int, int, int]] = field(default_factory=list)
    # Bytes by connection, as they were told.
    pending: list[tuple[int, int]] = field(default_factory=list)
    draining: bool = False
    _stream: EdgeStream | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _deliveries: int = 0

    async def serve(self, stream: EdgeStream) -> None:
        """Serve one attachment; what `LocalBridge` calls."""
        transfers, self._deliveries = Transfers(), 0
        self._end.clear()
        reading = asyncio.ensure_future(self._read(stream, transfers))
        ending = asyncio.ensure_future(self._end.wait())
        try:
            await asyncio.wait([reading, ending], return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            self._stream = None
            reading.cancel()
            ending.cancel()

    async def until(self, fact: Callable[[], object]) -> None:
        """Wait until something is true; looked at whenever a frame has come."""
        async with asyncio.timeout(SECONDS):
            while not fact():
                self._news.clear()
                await self._news.wait()

    async def write(self, frame: RouterFrame) -> None:
        """Send a frame to the edge."""
        assert self._stream is not None
        await self._stream.write(frame)

    async def deliver(
        self,
        conns: list[int],
        payload: bytes,
        msg_id: str = "",
        want: Want = Want.WRITTEN,
        type: str = SYS_STD,
    ) -> None:
        """Send one message to connections."""
        columns = Deliveries()
        self.add(columns, conns, payload, msg_id, want, type)
        await self.write(RouterFrame(deliveries=columns))

    def add(
        self,
        columns: Deliveries,
        conns: list[int],
        payload: bytes,
        msg_id: str = "",
        want: Want = Want.WRITTEN,
        type: str = SYS_STD,
    ) -> None:
        """Append one message to the columns of a frame."""
        self._deliveries += 1
        columns.ordinals.append(self._deliveries)
        columns.fanouts.append(len(conns))
        columns.conns.extend(conns)
        columns.msg_ids.append(msg_id or f"d{self._deliveries}")
        columns.types.append(type)
        columns.sender_users.append("alice")
        columns.sender_platforms.append("qq")
        columns.target_users.append("bob")
        columns.platforms.append("wx")
        columns.timestamps.append(1.5)
        columns.wants.append(want)
        columns.payloads.append(payload)
        columns.transfers.append(0)

    def leave(self) -> None:
        """End the stream, as a router does that stops."""
        self._end.set()

    async def _read(self, stream: EdgeStream, transfers: Transfers) -> None:
        while (frame := await stream.read()) is not None:
            if frame.hello is not None:
                self.hellos.append(frame.hello)
                self.live = []
                self._stream = stream
            self.live.extend(frame.live)
            if self.welcomes and frame.hello is not None:
                await stream.write(RouterFrame(welcome=Welcome("scripted")))
            self._take_in(frame, transfers)
            await self._answer(stream, frame)
            self._news.set()

    def _take_in(self, frame: EdgeFrame, transfers: Transfers) -> None:
        self.opens.extend(frame.opens)
        self.closes.extend(frame.closes)
        self.pending.extend((row.conn, row.bytes) for row in frame.pending)
        self.draining = self.draining or frame.draining
        transfers.add(frame.chunks)
        for first, last in frame.done:
            self.done.update(range(first, last + 1))
        if frame.outcomes is not None:
            o = frame.outcomes
            self.outcomes.extend(zip(o.ordinals, o.conns, o.outcomes, strict=True))
        m = frame.messages
        for row, ordinal in enumerate(m.ordinals if m else ()):
            assert m is not None
            transfer = m.transfers[row] if m.transfers else 0
            payload = transfers.finish(transfer) if transfer else m.payloads[row]
            target = (m.target_keys[row], m.target_platforms[row])
            kind = m.types[row]
            self.got.append(Got(ordinal, m.conns[row], m.msg_ids[row], kind, target, payload))

    async def _answer(self, stream: EdgeStream, frame: EdgeFrame) -> None:
        verdicts = []
        for asked in frame.opens:
            answer = self.verdict(asked)
            if answer is not None:
                verdicts.append(Verdict(asked.conn, answer))
        ordinals = frame.messages.ordinals if frame.messages and self.settles else []
        if verdicts or ordinals:
            await stream.write(RouterFrame(verdicts=verdicts, settled=to_ranges(ordinals)))
