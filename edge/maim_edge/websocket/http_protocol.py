"""uvicorn's HTTP protocol with what a server of untrusted clients needs before the upgrade.

It bounds the head of a request in bytes and in time, refuses a wrong handshake in the same words
for every WebSocket class, and hands on what a client sent together with its handshake: uvicorn
drops that, and the WebSocket stream would begin in the middle.
"""

from __future__ import annotations

import sys
from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from maim_edge.websocket.upgrade import BadUpgrade, checked_key, error_response

HEAD_MAX_BYTES = 64 * 1024
HEAD_SECONDS = 10.0


class EdgeHttpProtocol(HttpToolsProtocol):
    """A protocol class for `uvicorn.Config(http=…)`."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._segment = b""
        self._head_bytes = 0
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Give the client a while for the head of its first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._head_is_over()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and drop a client whose head does not end."""
        self._segment = data
        self._head_bytes += len(data)
        super().data_received(data)
        self._segment = b""
        if self._deadline is not None and self._head_bytes > HEAD_MAX_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Begin to count anew: a connection may carry several requests."""
        super().on_message_begin()
        if self._deadline is None:
            self._head_bytes = len(self._segment)
            self._deadline = self.loop.call_later(self.head_seconds, self.transport.abort)

    def on_headers_complete(self) -> None:
        """End the time for the head."""
        self._head_is_over()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand a correct handshake over, with the bytes that came behind the request."""
        try:
            checked_key(self.scope["method"].encode(), self.url, self.headers)
        except BadUpgrade as refused:
            self._refuse(refused.response)
            return
        # Called while uvicorn handles HttpParserUpgrade, which says where the request ended.
        upgrade = cast(BaseException, sys.exception())
        behind = self._segment[upgrade.args[0] :]
        super().handle_websocket_upgrade()
        if behind and not self.transport.is_closing():
            cast(Any, self.transport.get_protocol()).data_received(behind)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP request in the form of every refusal."""
        self._refuse(error_response(HTTPStatus.BAD_REQUEST, "expected an HTTP/1.1 request"))

    def _refuse(self, response: bytes) -> None:
        self.transport.write(response)
        self.transport.close()

    def _head_is_over(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
