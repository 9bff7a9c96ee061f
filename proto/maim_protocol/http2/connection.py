"""One HTTP/2 connection that carries one gRPC call: bytes in, events out. No clock, no I/O.

Rules of the file: `receive` never raises, whatever comes. What is to be sent is put in `out`, and
whoever empties it sends it in order. A peer that breaks the rules of RFC 9113 loses the
connection even where it would be enough to end the stream: it carries nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpack import Encoder

from maim_protocol.http2 import events as ev
from maim_protocol.http2 import frames, settings
from maim_protocol.http2.codes import (
    CallFailed,
    ConnectionFailed,
    ErrorCode,
    Status,
    error_code,
)
from maim_protocol.http2.header_blocks import HeaderBlocks
from maim_protocol.http2.messages import MessageReader
from maim_protocol.http2.reader import FrameReader
from maim_protocol.http2.sending import Output, Sending

# What the peer may do on the stream of the call: send; nothing, it has ended it; or whatever it
# likes, since we have ended it and the peer may not know (RFC 9113, section 5.1).
_OPEN, _ENDED, _IGNORED = range(3)


class Connection:
    """Either side; the call's stream is 1 for a client, the first that comes for a server.

    While `hold` is set the peer gets no room for more bytes; `release` ends that. `announced`
    are settings beside those that `limits` ask for.
    """

    def __init__(
        self, *, client: bool, limits: ev.Limits, announced: Mapping[int, int] | None = None
    ) -> None:
        self.out: Output = []
        self.closed = False
        self.hold = False
        self._client = client
        self._limits = limits
        self._events: list[ev.Event] = []
        self._frames = FrameReader(self, b"" if client else frames.PREFACE)
        self._blocks = HeaderBlocks(limits.header_bytes, limits.header_frames)
        self._encoder = Encoder()
        self._messages = MessageReader(limits.message_bytes)
        self._sending = Sending(self.out)
        self._settled = False
        self._stream = 0
        self._last_stream = 0
        self._peer = _IGNORED
        self._received = 0  # bytes that the peer was given no room for since
        self._data_wanted = False  # the DATA frame that has begun is one of the call ...
        self._data_ends = False  # ... and the last one
        self._control_frames = 0
        self.out.append(settings.beginning(limits, announced or {}, client=client))

    @property
    def blocked(self) -> bool:
        """Whether a message waits for the peer to make room."""
        return self._sending.blocked

    def receive(self, data: bytes) -> list[ev.Event]:
        """Take in what came; returns what happened, messages as they are."""
        events = self._events = []
        if self.closed:
            return events
        try:
            self._frames.feed(data)
        except ConnectionFailed as error:
            self.fail(error.code, error.text)
            events.append(ev.Failed(error.text))
        if self._received >= self._limits.window_bytes // 2 and not self.hold:
            self.release()
        return events

    def open(self, fields: Iterable[ev.Field]) -> None:
        """Begin the call, as a client."""
        self._on_new_stream(1)
        self.headers(fields)

    def headers(self, fields: Iterable[ev.Field]) -> None:
        """Send the header fields that go before messages."""
        self.out.append(frames.headers(self._stream, self._encoder.encode(fields), 0))

    def send(self, message: bytes) -> None:
        """Send a message; what there is no room for waits, see `blocked`."""
        self._sending.message(message)

    def end(self, trailers: Iterable[ev.Field]) -> None:
        """End the call, as a server, after what waits."""
        block = self._encoder.encode(trailers)
        last = frames.headers(self._stream, block, frames.END_STREAM)
        if self._peer == _OPEN:  # it shall not send the rest (section 8.1)
            last += frames.number(frames.RST_STREAM, self._stream, ErrorCode.NO_ERROR)
            self._peer = _IGNORED
        self._sending.end(last)

    def reset(self, code: ErrorCode) -> None:
        """End the call both ways at once."""
        self._sending.drop()
        self._peer = _IGNORED
        if self._stream:
            self.out.append(frames.number(frames.RST_STREAM, self._stream, code))

    def leave(self) -> None:
        """Tell the peer that no other call is taken; the one that runs goes on."""
        self.out.append(frames.goaway(self._last_stream, ErrorCode.NO_ERROR, ""))

    def fail(self, code: ErrorCode, text: str) -> None:
        """End the connection; nothing that comes is read any more."""
        self.closed = True
        self._sending.drop()
        self.out.append(frames.goaway(self._last_stream, code, text))

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self.out.append(frames.frame(frames.PING, 0, 0, bytes(8)))

    def release(self) -> None:
        """Give the peer room for as much as came."""
        self.hold = False
        received, self._received = self._received, 0
        if received and not self.closed:
            self.out.append(frames.number(frames.WINDOW_UPDATE, 0, received))
            if self._peer == _OPEN:
                self.out.append(frames.number(frames.WINDOW_UPDATE, self._stream, received))

    def tick(self) -> None:
        """Let the peer send control frames anew; to be called every few seconds."""
        self._control_frames = 0

    def on_data_head(self, flags: int, stream: int, length: int) -> None:
        """Check a DATA frame (section 6.1) before its bytes come."""
        self._check_place(frames.DATA, stream)
        self._check_opened(stream)
        self._received += length
        if self._received > self._limits.window_bytes:
            text = f"expected {self._limits.window_bytes} bytes at most, got {self._received}"
            raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, text)
        self._data_wanted = stream == self._stream and self._peer == _OPEN
        self._data_ends = self._data_wanted and bool(flags & frames.END_STREAM)
        if not (length and self._data_wanted):
            self._count()

    def on_data(self, data: bytes, at: int, end: int) -> None:
        """Read messages out of a piece of a DATA frame."""
        if self._data_wanted:
            try:
                self._messages.feed(data, at, end, self._events)
            except CallFailed as problem:
                self._peer = _IGNORED
                self._data_wanted = self._data_ends = False
                self._events.append(ev.Unreadable(problem.status, problem.text))

    def on_data_end(self) -> None:
        """Note whether it was the last one."""
        if not self._data_ends:
            return
        self._peer = _ENDED
        if self._messages.inside:
            text = "the stream ended within a message"
            self._events.append(ev.Unreadable(Status.INTERNAL, text))
        else:
            self._events.append(ev.Ended())

    def on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Take in a frame that is not DATA."""
        self._check_place(kind, stream)
        if kind != frames.WINDOW_UPDATE:
            self._count()
        match kind:
            case frames.WINDOW_UPDATE:
                increment = frames.number_of("WINDOW_UPDATE", payload)
                self._on_window_update(stream, increment & frames.STREAM_MASK)
            case frames.PING:
                self._on_ping(flags, payload)
            case frames.SETTINGS:
                self._on_settings(flags, payload)
            case frames.HEADERS:
                self._on_headers(flags, stream, frames.unwrapped(flags, payload))
            case frames.CONTINUATION:
                self._on_piece_of_block(flags, payload)
            case frames.RST_STREAM:
                self._on_reset(stream, error_code(frames.number_of("RST_STREAM", payload)))
            case frames.GOAWAY:
                self._on_goaway(*frames.goaway_of(payload))
            case frames.PUSH_PROMISE:
                raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "expected no PUSH_PROMISE")
            # PRIORITY, and what is unknown, is ignored (section 5.5).

    def _check_place(self, kind: int, stream: int) -> None:
        """SETTINGS come first (section 3.4), nothing within a header block (6.10)."""
        block = self._blocks.open
        if not self._settled and kind != frames.SETTINGS:
            text = f"expected SETTINGS first, got a frame of type {kind}"
        elif (kind == frames.CONTINUATION) != bool(block) or (block and block != stream):
            text = f"expected whole header blocks, got a frame of type {kind} on stream {stream}"
        elif kind in (frames.OF_CONNECTION if stream else frames.OF_STREAM):
            text = f"a frame of type {kind} has no place on stream {stream}"
        else:
            return
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, text)

    def _check_opened(self, stream: int) -> None:
        """Refuse frames of a stream that was never opened, or that the peer has ended."""
        if stream > self._last_stream:
            text = f"expected a stream up to {self._last_stream}, got {stream}"
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, text)
        if stream == self._stream and self._peer == _ENDED:
            text = f"expected nothing after the end of stream {stream}"
            raise ConnectionFailed(ErrorCode.STREAM_CLOSED, text)

    def _count(self) -> None:
        self._control_frames += 1
        if self._control_frames > self._limits.control_frames:
            text = f"expected at most {self._limits.control_frames} frames that carry nothing"
            raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, text)

    def _on_headers(self, flags: int, stream: int, piece: bytes) -> None:
        if self._client or stream <= self._last_stream:
            self._check_opened(stream)
        elif stream % 2 == 0:
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, f"a client opens stream {stream}")
        self._blocks.begin(stream, flags)
        self._on_piece_of_block(flags, piece)

    def _on_piece_of_block(self, flags: int, piece: bytes) -> None:
        stream, last = self._blocks.open, bool(self._blocks.flags & frames.END_STREAM)
        self._blocks.add(piece)
        if not flags & frames.END_HEADERS:
            return
        fields = self._blocks.end()
        if stream > self._last_stream:
            self._on_new_stream(stream)
        if stream == self._stream and self._peer == _OPEN:
            if last:
                self._peer = _ENDED
            self._events.append(ev.Headers(fields, last))

    def _on_new_stream(self, stream: int) -> None:
        self._last_stream = stream
        if self._stream:
            self.out.append(frames.number(frames.RST_STREAM, stream, ErrorCode.REFUSED_STREAM))
        else:
            self._stream = self._sending.stream = stream
            self._peer = _OPEN

    def _on_reset(self, stream: int, code: ErrorCode) -> None:
        if stream > self._last_stream:
            self._check_opened(stream)
        if stream == self._stream:
            self._sending.drop()
            self._peer = _ENDED if self._peer == _OPEN else self._peer
            self._events.append(ev.Reset(code))

    def _on_goaway(self, last_stream: int, code: ErrorCode, text: str) -> None:
        """Go on if the peer lets our call run to its end (section 6.8)."""
        runs = not self._client or 0 < self._stream <= last_stream
        if code is not ErrorCode.NO_ERROR or not runs:
            why = f"the peer went away: {code.name} {text}".rstrip()
            raise ConnectionFailed(ErrorCode.NO_ERROR, why)

    def _on_ping(self, flags: int, payload: bytes) -> None:
        if len(payload) != 8:
            raise frames.wrong_size("PING", "8", payload)
        if not flags & frames.ACK:
            self.out.append(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _on_window_update(self, stream: int, increment: int) -> None:
        if stream > self._last_stream or not increment:
            text = f"WINDOW_UPDATE of stream {stream} by {increment}"
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, text)
        if stream in (0, self._stream):
            self._sending.make_room(stream, increment)

    def _on_settings(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            if payload:
                raise frames.wrong_size("SETTINGS with ACK", "0", payload)
            return
        found = settings.read(payload, client=self._client)
        # First: only after it may DATA use room that a larger window gives (section 6.5.3).
        self.out.append(frames.frame(frames.SETTINGS, frames.ACK, 0))
        if settings.INITIAL_WINDOW_SIZE in found:
            self._sending.start_from(found[settings.INITIAL_WINDOW_SIZE])
        self._sending.frame_bytes = found.get(settings.MAX_FRAME_SIZE, self._sending.frame_bytes)
        table_bytes = self._encoder.header_table_size
        self._encoder.header_table_size = min(
            table_bytes, found.get(settings.HEADER_TABLE_SIZE, table_bytes)
        )
        if not self._settled:
            self._settled = True
            self._events.append(ev.Ready())
