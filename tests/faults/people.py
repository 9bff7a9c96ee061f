"""Who talks through a site and tells the oracle: our SDK's clients and plain ones."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.faults.oracle import Letter, Oracle

PLATFORM = "demo"
# How long a plain client waits before it tries again.
RETRY_SECONDS = 0.05


class Town:
    """The oracle, and a way to wait for what it comes to know."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self._news: set[asyncio.Event] = set()

    def tell(self) -> None:
        """Say that something is new."""
        for event in self._news:
            event.set()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until a fact holds, asking whenever something is new."""
        event = asyncio.Event()
        self._news.add(event)
        try:
            while not fact():
                event.clear()
                await event.wait()
        finally:
            self._news.discard(event)


class Person(Protocol):
    """Somebody who sends letters and gets some; `ends` are the ends of links, in order.

    `strange` are the ids of messages that are no letters.
    """

    name: str
    ends: list[str]
    strange: list[str]

    @property
    def connected(self) -> bool: ...

    def say(self, receiver: str, padding: int = 0) -> None:
        """Write to somebody; the oracle hears what becomes of it."""

    async def arrive(self) -> None:
        """Come, and stay until `leave`."""

    async def leave(self) -> None:
        """Go, and end every task."""


class SdkPerson:
    """A client of our SDK, as it is but for its hurry to come back."""

    def __init__(self, town: Town, name: str, url: str, **settings: Any) -> None:
        self.name = name
        self.ends: list[str] = []
        self.strange: list[str] = []
        self._town = town
        self._waiting: set[asyncio.Task[None]] = set()
        hurry: dict[str, Any] = {"reconnect_delay": RETRY_SECONDS, "max_reconnect_delay": 0.5}
        self._client = WebSocketClient(
            ClientConfig(
                url,
                name,
                PLATFORM,
                on_message=self._on_message,
                on_connect=lambda *_: town.tell(),
                on_disconnect=self._on_disconnect,
                log_level="CRITICAL",
                **{**hurry, "message_cache_max_size": 100_000, **settings},
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
        if await self._client.send_message(_message(letter, padding), wait_ack=True, timeout=None):
            self._town.oracle.acked(letter)
        else:
            self._town.oracle.refused(letter, self._client.get_last_error() or "")
        self._town.tell()

    def _on_message(self, message: APIMessageBase, metadata: dict[str, Any]) -> None:
        heard(self._town, self.name, message.message_info.message_id, self.strange)

    def _on_disconnect(self, uuid: str, error: str | None) -> None:
        if error is not None:  # else it was `leave`
            self.ends.append(error)


class PlainPerson:
    """A plain WebSocket client that sends again what was not answered, in order."""

    def __init__(self, town: Town, name: str, url: str, *, acknowledges: bool = True) -> None:
        self.name = name
        self.ends: list[str] = []
        self.strange: list[str] = []
        query = {"api_key": name, "platform": PLATFORM, "uuid": name}
        self._url = f"{url}?{urlencode(query)}"
        self._town = town
        self._acknowledges = acknowledges
        self._open: dict[str, tuple[Letter, str]] = {}
        self._conn: ClientConnection | None = None
        self._writing = asyncio.Event()
        self._outgoing: list[str] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether it is there."""
        return self._conn is not None

    def say(self, receiver: str, padding: int = 0) -> None:
        """Write to somebody; the oracle hears what becomes of it."""
        letter = self._town.oracle.write(self.name, receiver)
        frame = _frame(letter, padding)
        self._open[str(letter)] = letter, frame
        if self.connected:
            self._outgoing.append(frame)
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
        while True:
            try:
                async with connect(self._url, max_size=None, ping_interval=None) as conn:
                    await self._talk(conn)
            except ConnectionClosed as closed:
                self.ends.append(str(closed))
            except (OSError, InvalidHandshake, InvalidMessage, TimeoutError):
                pass  # not let in yet
            self._conn = None
            await asyncio.sleep(random.uniform(0, 2 * RETRY_SECONDS))  # noqa: S311 - jitter

    async def _talk(self, conn: ClientConnection) -> None:
        self._outgoing = [frame for _, frame in self._open.values()]
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
            frames, self._outgoing = self._outgoing, []
            for frame in frames:
                await conn.send(frame)

    async def _take(self, conn: ClientConnection, frame: dict[str, Any]) -> None:
        oracle = self._town.oracle
        match frame["type"]:
            case "sys_ack":
                if known := self._open.pop(frame["meta"]["acked_msg_id"], None):
                    oracle.acked(known[0])
            case "sys_error":
                payload = frame["payload"]
                if known := self._open.pop(payload["msg_id"] or "", None):
                    oracle.refused(known[0], f"{payload['code']}: {payload['message']}")
            case "sys_std":
                text = frame["payload"]["message_info"]["message_id"]
                heard(self._town, self.name, text, self.strange)
                if self._acknowledges:
                    await conn.send(_ack(frame["msg_id"]))
        self._town.tell()


def heard(town: Town, receiver: str, text: str, strange: list[str]) -> None:
    """Tell the oracle of a letter, and keep what is none."""
    if ">" in text:
        town.oracle.arrived(receiver, Letter.read(text))
    else:
        strange.append(text)
    town.tell()


def _message(letter: Letter, padding: int) -> APIMessageBase:
    return APIMessageBase(
        message_info=BaseMessageInfo(PLATFORM, str(letter), 1.0),
        message_segment=Seg("text", f"{letter}{' ' * padding}"),
        message_dim=MessageDim(letter.receiver, PLATFORM),
    )


def _frame(letter: Letter, padding: int) -> str:
    payload = _message(letter, padding).to_dict()
    return json.dumps({"ver": 1, "msg_id": str(letter), "type": "sys_std", "payload": payload})


def _ack(msg_id: str) -> str:
    return json.dumps({"ver": 1, "type": "sys_ack", "meta": {"acked_msg_id": msg_id}})


def person(town: Town, name: str, url: str) -> Person:
    """Make the person whose kind the name ends with."""
    if name.endswith("sdk"):
        return SdkPerson(town, name, url)
    return PlainPerson(town, name, url, acknowledges=name.endswith("plain"))


@asynccontextmanager
async def present(people: list[Person]) -> AsyncIterator[None]:
    """Let people come, and go at the end."""
    try:
        await asyncio.gather(*(person.arrive() for person in people))
        yield
    finally:
        await asyncio.gather(*(person.leave() for person in people))
