"""A gRPC call on an HTTP/2 connection of its own, over asyncio: whole messages in and out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import cast

from maim_protocol.http2 import call
from maim_protocol.http2 import events as ev
from maim_protocol.http2.codes import CallFailed, ErrorCode, Status, status_of_reset
from maim_protocol.http2.connection import Connection
from maim_protocol.http2.events import Field, Fields, Limits
from maim_protocol.http2.inbox import Inbox
from maim_protocol.http2.keepalive import Action, Keepalive

# What each step of an ending may take, where the peer does not do its part.
END_SECONDS = 0.5
GONE = "the call is over; only reading tells why"

OnRequest = Callable[["CallStream", Fields], None]


class CallStream(asyncio.Protocol):
    """Either side of a call; a server's is told by `on_request` what is asked for.

    One task reads and one writes. `announced` are settings for the peer to see.
    """

    def __init__(
        self,
        limits: Limits,
        on_request: OnRequest | None = None,
        announced: Mapping[int, int] | None = None,
        on_closed: Callable[[], None] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._on_request = on_request
        self._on_closed = on_closed
        self._client = on_request is None
        self._connection = Connection(client=self._client, limits=limits, announced=announced)
        self._transport: asyncio.Transport | None = None
        self._inbox = Inbox(limits.unread_bytes)
        self._reader: asyncio.Future[None] | None = None
        self._writers: list[asyncio.Future[None]] = []
        self._paused = False
        self._begun = False  # the first headers came
        self._answered = self._client  # nothing needs to go before the first message
        self._over = False  # nothing can be written any more
        self._keepalive = Keepalive(limits, self._loop.time(), begun=self._client)
        self._timer: asyncio.TimerHandle | None = None
        self._ready = asyncio.Event()
        self._closed = asyncio.Event()

    async def ready(self) -> None:
        """Wait until the peer has shown that it speaks HTTP/2; raises `ConnectionError`."""
        await self._ready.wait()
        if self._over:
            self._inbox.take()

    def open(self, fields: Fields) -> None:
        """Begin the call, as a client that is ready."""
        self._connection.open(fields)
        self._flush()

    async def read(self) -> bytes | None:
        """Wait for the next message; None when the peer has ended the call, or its half, well.

        Raises `CallFailed` when it ended with another status, `ConnectionError` when it is gone.
        """
        inbox, connection = self._inbox, self._connection
        while not inbox.has_news:
            self._reader = self._loop.create_future()
            await self._reader
        message = inbox.take()
        if connection.hold and not inbox.crowded:
            connection.release()
            self._flush()
        return message

    def write(self, message: bytes) -> Awaitable[None] | None:
        """Send a message; returns what to wait for before the next one, if anything.

        Raises `ConnectionError`, now or from what is waited for, when the call is over.
        """
        if self._over:
            raise ConnectionError(GONE)
        if len(message) > self._limits.message_bytes:
            text = f"expected messages of at most {self._limits.message_bytes} bytes"
            raise ConnectionError(f"{text}, got one of {len(message)}")
        if not self._answered:
            self._answered = True
            self._connection.headers(call.RESPONSE)
        self._connection.send(message)
        self._flush()
        return self._room() if self._paused or self._connection.blocked else None

    async def end(self, status: Status, text: str = "", metadata: Iterable[Field] = ()) -> None:
        """End the call, as a server, after what was written; then the connection."""
        if not self._over:
            fields = call.trailers(status, text, metadata, alone=not self._answered)
            self._connection.end(fields)
            self._connection.leave()
            self._flush()
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(self._room(), END_SECONDS)
            self._end(ConnectionError("the call was ended here"))
            # Who closes first may lose what the other still sends, and the status with it.
            await self._closed_within(END_SECONDS)
        await self.close()

    async def close(self) -> None:
        """Break the call off if it still runs, close the connection; safe to call twice."""
        if not self._over:
            self._connection.reset(ErrorCode.CANCEL)
            self._connection.leave()
            self._flush()
            self._end(ConnectionError("the call was broken off here"))
        if self._transport is not None:
            self._transport.close()
            await self._closed_within(END_SECONDS)
            self.abort()
            await self._closed.wait()

    def leave(self) -> None:
        """Tell the peer that the call is to end soon."""
        self._connection.leave()
        self._flush()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None and not self._closed.is_set():
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what goes before everything else."""
        self._transport = cast(asyncio.Transport, transport)
        self._timer = self._loop.call_at(self._keepalive.due, self._tick)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in what came, answer what must be answered, all in one write."""
        self._keepalive.heard_at = self._loop.time()
        for event in self._connection.receive(data):
            if isinstance(event, bytes):
                self._on_message(event)
            else:
                self._on_event(event)
        if self._connection.out:
            self._flush()

    def pause_writing(self) -> None:
        """Let writers wait for the transport."""
        self._paused = True

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._paused = False
        self._wake_writers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._closed.set()
        if self._on_closed is not None:
            self._on_closed()
        self._end(ConnectionResetError(f"the connection was lost: {exc or 'closed by the peer'}"))

    def _on_message(self, message: bytes) -> None:
        self._inbox.put(message)
        if self._inbox.crowded:
            self._connection.hold = True
        self._wake_reader()

    def _on_event(self, event: ev.Event) -> None:
        match event:
            case ev.Ready():
                self._ready.set()
            case ev.Headers(fields, last):
                self._on_headers(fields, last)
            case ev.Ended() if self._client:
                text = "expected a status, got the end of the stream"
                self._end(CallFailed(Status.UNKNOWN, text))
            case ev.Ended():
                self._end_reading(None)
            case ev.Reset(code) if self._client:
                text = f"the peer reset the stream: {code.name}"
                self._end(CallFailed(status_of_reset(code), text))
            case ev.Reset():
                self._end(None)
            case ev.Unreadable(status, text):
                self._on_problem(CallFailed(status, text))
            case ev.Failed(text):
                self._end(ConnectionError(text))

    def _on_headers(self, fields: Fields, last: bool) -> None:
        if self._on_request is not None:
            if not self._begun:
                self._begun = self._keepalive.begun = True
                self._on_request(self, fields)
            if last:
                self._end_reading(None)
            return
        try:
            self._begun = self._begun or call.read_response(fields)
        except CallFailed as problem:
            self._on_problem(problem)
            return
        if last:
            status, text = call.read_trailers(fields)
            self._end(None if status is Status.OK else CallFailed(status, text))

    def _on_problem(self, problem: CallFailed) -> None:
        """A client leaves, a server's task reads the problem and ends the call with it."""
        if self._client:
            self._connection.reset(ErrorCode.CANCEL)
            self._end(problem)
        else:
            self._end_reading(problem)

    def _end_reading(self, error: Exception | None) -> None:
        self._inbox.end(error)
        self._wake_reader()

    def _end(self, error: Exception | None) -> None:
        self._over = True
        self._ready.set()
        self._end_reading(error)
        self._wake_writers()

    async def _closed_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)

    def _room(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        self._writers.append(future)
        self._wake_writers()
        return future

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _wake_writers(self) -> None:
        if not self._over and (self._paused or self._connection.blocked):
            return
        writers, self._writers = self._writers, []
        for writer in writers:
            if writer.done():
                continue
            if self._over:
                writer.set_exception(ConnectionError(GONE))
                writer.exception()  # seen, whether somebody still waits or not
            else:
                writer.set_result(None)

    def _flush(self) -> None:
        """Write what is due at once; uvloop makes one write of what comes in one tick.

        Joined, not by `writelines`: it never pauses us in CPython 3.12.0 to 3.12.8 and 3.13.0.
        """
        out, transport = self._connection.out, self._transport
        if transport is None:
            return
        if not transport.is_closing():
            if out:
                transport.write(out[0] if len(out) == 1 else b"".join(out))
            if self._connection.closed:
                transport.close()
        out.clear()
        if self._writers:
            self._wake_writers()

    def _tick(self) -> None:
        self._connection.tick()
        action = self._keepalive.step(self._loop.time())
        if action is Action.GIVE_UP:
            limits = self._limits
            text = f"expected a sign of life in {limits.keepalive_seconds:g} s"
            text = f"{text}, or an answer in {limits.answer_seconds:g} s more"
            self._connection.fail(ErrorCode.NO_ERROR, text)
            self._flush()
            self._end(ConnectionError(text))
            self.abort()
            return
        if action is Action.PING:
            self._connection.ping()
            self._flush()
        self._timer = self._loop.call_at(self._keepalive.due, self._tick)
