"""How a WebSocket leaves ASGI: who listens to it then, and how that listener speaks.

It knows nothing of our product; both protocol classes hand over in these words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from starlette.types import Scope

# The ASGI extension: `scope["extensions"][EXTENSION](listener) -> DirectSocket`.
EXTENSION = "websocket.direct"

# What a client may send before it is let in; more stays in the kernel.
EARLY_BYTES = 64 * 1024
# Messages are gathered and sent in pieces of this size, so that control frames pass between.
PIECE_BYTES = 256 * 1024
# Text messages over this size reach the listener without a look at their UTF-8.
UNCHECKED_BYTES = 1024 * 1024

# How long a peer may take to answer a close frame.
CLOSE_SECONDS = 5.0
# How long one that broke the protocol is still listened to: a reset would eat our last words.
LINGER_SECONDS = 1.0

# Close codes, RFC 6455 section 7.4.1.
NORMAL = 1000
PROTOCOL_ERROR = 1002
NO_STATUS = 1005
ABNORMAL = 1006
INVALID_DATA = 1007
TOO_LARGE = 1009
RESTARTED = 1012
TRY_AGAIN = 1013

MEMORY_IS_TAKEN = "the memory of this server is taken, and this connection holds much of it"


class Listener(Protocol):
    """Who owns a WebSocket after the hand-over; called on the loop, must not raise."""

    def on_message(self, data: bytes) -> None:
        """Take one whole message; text of more than UNCHECKED_BYTES may not be UTF-8."""

    def pause_writing(self) -> None:
        """Stop writing: the peer does not take what is written."""

    def resume_writing(self) -> None:
        """Go on writing."""

    def on_protocol_error(self, code: int, reason: str) -> bytes | None:
        """Give a last text message to a peer that broke the protocol, or None."""

    def on_ping(self) -> None:
        """Hear that a ping was written, behind everything that was sent before."""

    def on_pong(self) -> None:
        """Hear that the peer answered a ping: it has read what was sent before that."""

    def on_closed(self, code: int, reason: str) -> None:
        """Hear the end, once: the peer's close code, 1005 for none, 1006 for no close frame."""


class DirectSocket(Protocol):
    """An open WebSocket; what is sent after its end is ignored."""

    def send(self, message: bytes) -> None:
        """Write one text message in one frame."""

    def send_all(self, messages: Sequence[bytes]) -> None:
        """Write several text messages, in order, with one write to the kernel."""

    def send_piece(self, piece: bytes, first: bool, last: bool) -> None:
        """Write a fragment of a large text message: control frames pass between two of them."""

    def ping(self) -> None:
        """Write a ping, behind what was sent before."""

    def pause_reading(self) -> None:
        """Hand over no message until `resume_reading`."""

    def resume_reading(self) -> None:
        """Go on handing messages over; those that wait come soon, not from within this call."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; `on_closed` comes within CLOSE_SECONDS."""

    def abort(self) -> None:
        """Drop the connection; `on_closed` still comes."""

    @property
    def pending_bytes(self) -> int:
        """How many written bytes the peer has yet to take."""


def hand_over(scope: Scope, listener: Listener) -> DirectSocket:
    """Give an accepted WebSocket to `listener`; the ASGI application may return then.

    Messages that came before follow soon, in order. Raises `KeyError` where the server's
    protocol class has no such extension, `RuntimeError` when nothing was accepted.
    """
    extension = cast(Callable[[Listener], DirectSocket], _extensions(scope)[EXTENSION])
    return extension(listener)


def _extensions(scope: Scope) -> dict[str, Any]:
    extensions: dict[str, Any] = scope["extensions"]
    return extensions
