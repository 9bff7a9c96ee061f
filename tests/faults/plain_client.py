"""Somebody who uses a plain WebSocket client, which sends again what was not answered."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.faults.oracle import Letter
from tests.faults.shared_oracle import SharedOracle
from tests.faults.wire import PLATFORM, ack, frame

# How long it waits at most before it tries again, unless an edge that drains says when.
RETRY_SECONDS = 0.1


class PlainClient:
    """It comes back to the next of the addresses under the same label."""

    def __init__(
        self, shared: SharedOracle, name: str, *urls: str, acknowledges: bool = True
    ) -> None:
        self.name = name
        self.ends: list[str] = []
        self.comings: list[float] = []
        self.strange: list[str] = []
        query = urlencode({"api_key": name, "platform": PLATFORM, "uuid": name})
        self._urls = itertools.cycle([f"{url}?{query}" for url in urls])
        self._town = shared
        self._acknowledges = acknowledges
        self._open: dict[str, tuple[Letter, str]] = {}
        self._conn: ClientConnection | None = None
        self._writing = asyncio.Event()
        self._outgoing: list[str] = []
        self._come_back_at = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether it is there."""
        return self._conn is not None

    def say(self, receiver: str, padding: int = 0) -> None:
        """Write to somebody; the oracle hears what becomes of it."""
        letter = self._town.oracle.write(self.name, receiver)
        text = frame(letter, padding)
        self._open[str(letter)] = letter, text
        if self.connected:
            self._outgoing.append(text)
            self._writing.set()

    async def arrive(self) -> None:
        """Come, and stay until `leave`."""
        self._task = asyncio.create_task(self._stay())
        await self._town.until(lambda: self.connected)

    async def leave(self) -> None:
        """Go, and end every task."""
        assert self._task is not None
        if self._task.done():
            self._task.result()  # it never ends by itself
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _stay(self) -> None:
        clock = asyncio.get_running_loop().time
        for url in self._urls:
            try:
                async with connect(url, max_size=None, ping_interval=None) as conn:
                    self.comings.append(clock())
                    await self._talk(conn)
            except ConnectionClosed as closed:
                self.ends.append(str(closed))
            except (OSError, InvalidHandshake, InvalidMessage, TimeoutError):
                pass  # not let in yet
            self._conn = None
            jitter = random.uniform(0, RETRY_SECONDS)  # noqa: S311 - jitter, not a secret
            await asyncio.sleep(max(jitter, self._come_back_at - clock()))  # as clients shall

    async def _talk(self, conn: ClientConnection) -> None:
        self._outgoing = [text for _, text in self._open.values()]
        self._writing.set()
        self._conn = conn
        self._town.tell()
        writing = asyncio.create_task(self._write(conn))
        try:
            while True:
                await self._take(conn, json.loads(await conn.recv()))
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self, conn: ClientConnection) -> None:
        while True:
            await self._writing.wait()
            self._writing.clear()
            texts, self._outgoing = self._outgoing, []
            for text in texts:
                await conn.send(text)

    async def _take(self, conn: ClientConnection, got: dict[str, Any]) -> None:
        payload = got["payload"]
        match got["type"]:
            case "sys_ack":
                if known := self._open.pop(got["meta"]["acked_msg_id"], None):
                    self._town.oracle.acked(known[0])
            case "sys_error":
                if known := self._open.pop(payload["msg_id"] or "", None):
                    self._town.oracle.refused(known[0], f"{payload['code']}: {payload['message']}")
            case "sys_notice":
                seconds = payload["retry_after_ms"] / 1000
                self._come_back_at = asyncio.get_running_loop().time() + seconds
            case "sys_std":
                await self._take_message(conn, got["msg_id"], payload["message_info"]["message_id"])
        self._town.tell()

    async def _take_message(self, conn: ClientConnection, msg_id: str, text: str) -> None:
        if not self._town.heard(self.name, text):
            self.strange.append(text)
        if self._acknowledges:
            await conn.send(ack(msg_id))
