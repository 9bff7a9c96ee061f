"""Somebody who uses a client of our SDK."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase
from tests.faults.oracle import Letter
from tests.faults.shared_oracle import SharedOracle
from tests.faults.wire import PLATFORM, message


class SdkClient:
    """The SDK as it is but for its hurry to come back, to the next of the addresses."""

    def __init__(self, shared: SharedOracle, name: str, *urls: str) -> None:
        self.name = name
        self.ends: list[str] = []
        self.comings: list[float] = []
        self.strange: list[str] = []
        self._town = shared
        self._urls = itertools.cycle(urls)
        self._waiting: set[asyncio.Task[None]] = set()
        self._client = WebSocketClient(
            ClientConfig(
                next(self._urls),
                name,
                PLATFORM,
                on_message=self._on_message,
                on_connect=self._on_connect,
                on_disconnect=self._on_disconnect,
                reconnect_delay=0.05,
                max_reconnect_delay=0.5,
                message_cache_max_size=100_000,
                log_level="CRITICAL",
            )
        )

    @property
    def connected(self) -> bool:
        """Whether it is there."""
        return self._client.is_connected()

    def say(self, receiver: str, padding: int = 0) -> None:
        """Write to somebody; the oracle hears what becomes of it."""
        letter = self._town.oracle.write(self.name, receiver)
        task = asyncio.create_task(self._say(letter, padding))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def arrive(self) -> None:
        """Come, and stay until `leave`."""
        await self._client.start()
        await self._client.connect()

    async def leave(self) -> None:
        """Go; what is unanswered stays so."""
        for task in list(self._waiting):
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        await self._client.stop()

    async def _say(self, letter: Letter, padding: int) -> None:
        if await self._client.send_message(message(letter, padding), wait_ack=True, timeout=None):
            self._town.oracle.acked(letter)
        else:
            self._town.oracle.refused(letter, self._client.get_last_error() or "")
        self._town.tell()

    def _on_message(self, got: APIMessageBase, metadata: dict[str, Any]) -> None:
        text = got.message_info.message_id
        if not self._town.heard(self.name, text):
            self.strange.append(text)

    def _on_connect(self, uuid: str, config: ClientConfig) -> None:
        self.comings.append(asyncio.get_running_loop().time())
        self._town.tell()

    def _on_disconnect(self, uuid: str, error: str | None) -> None:
        if error is not None:  # else it was `leave`
            self.ends.append(error)
            self._client.update_config(url=next(self._urls))
