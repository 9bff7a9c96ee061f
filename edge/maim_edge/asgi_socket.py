"""An ASGI WebSocket as a connection needs it, before and after the upgrade."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fastapi import WebSocket, WebSocketDisconnect

T = TypeVar("T")


class ClientLeft(Exception):
    """The client went away before it was answered."""


class AsgiSocket:
    """Wraps a Starlette `WebSocket` of our protocol class, see `websocket_protocol`."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self.close_code = 1006
        self._gone = False

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` unless the client leaves first; then it is cancelled: `ClientLeft`."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._wait_gone())
        try:
            await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ClientLeft
        finally:
            for each in (task, gone):
                each.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)

    async def accept(self) -> bool:
        """Accept the upgrade; False when the client has left."""
        if self._gone:
            return False
        try:
            await self._websocket.accept()
        except (RuntimeError, OSError, WebSocketDisconnect):
            return False
        return True

    async def receive(self) -> bytes | None:
        """Wait for the next message; None when the client has closed or is gone."""
        if self._gone:
            return None
        event = await self._websocket.receive()
        if event["type"] == "websocket.connect":
            event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            self._gone = True
            self.close_code = event.get("code") or 1006
            return None
        data: bytes = event["bytes"]
        return data

    async def send(self, pieces: Sequence[bytes]) -> None:
        """Write a text message; its pieces are UTF-8 already, so it is not encoded again."""
        try:
            await self._websocket.send({"type": "websocket.send", "text": pieces})
        except (RuntimeError, OSError, WebSocketDisconnect) as error:
            raise ConnectionError("the client is gone") from error

    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        try:
            await self._websocket.close(code, reason)
        except (RuntimeError, OSError, WebSocketDisconnect) as error:
            raise ConnectionError("the client is gone") from error

    def abort(self) -> None:
        """Drop the connection at once."""
        self._extension["abort"]()

    def on_broken(self, farewell: Callable[[int, str], bytes | None]) -> None:
        """Ask `farewell(code, reason)` for a last frame to a client that breaks the protocol."""
        self._extension["on_broken"](farewell)

    @property
    def _extension(self) -> dict[str, Any]:
        extension: dict[str, Any] = self._websocket.scope["extensions"]["maim.socket"]
        return extension

    async def _wait_gone(self) -> None:
        # Nothing but the end comes before the upgrade is accepted.
        await self.receive()
