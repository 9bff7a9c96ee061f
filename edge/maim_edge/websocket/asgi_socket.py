"""An ASGI WebSocket until it is handed over to its connection."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from maim_edge.websocket.interface import DirectSocket, Listener, hand_over

T = TypeVar("T")


class ClientLeft(Exception):
    """The client went away before it was answered."""


class AsgiSocket:
    """Wraps a Starlette `WebSocket` of one of our protocol classes, see `websocket_direct`."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._gone = False

    async def unless_gone(self, answer: asyncio.Future[T]) -> T:
        """Wait for an answer unless the client leaves first; then it is cancelled: `ClientLeft`."""
        gone = asyncio.get_running_loop().create_task(self._wait_gone())
        gone.add_done_callback(lambda _: answer.cancel())
        try:
            return await answer
        except asyncio.CancelledError:
            if self._gone:
                raise ClientLeft from None
            raise
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    async def accept(self, listener: Listener) -> DirectSocket | None:
        """Accept the upgrade and hand over; None when the client has left."""
        if self._gone:
            return None
        try:
            await self._websocket.accept()
            return hand_over(self._websocket.scope, listener)
        except (RuntimeError, OSError, WebSocketDisconnect):
            return None

    async def _wait_gone(self) -> None:
        # Nothing but the end comes before the upgrade is accepted.
        event = await self._websocket.receive()
        if event["type"] == "websocket.connect":
            event = await self._websocket.receive()
        self._gone = event["type"] == "websocket.disconnect"
