"""One connection of a client: its link, and the loop that brings a lost one back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from maim_message.client.backoff import Backoff
from maim_message.client.config import ClientConfig, new_label, shown_url
from maim_message.client.credential import Credential
from maim_message.client.ended import Ended
from maim_message.client.inbox import Inbox
from maim_message.client.link import Link
from maim_message.client.log import ClientLog
from maim_message.client.opening import OpenFailed, open_wire
from maim_message.client.outgoing import Outgoing
from maim_message.client.stats import Stats
from maim_message.client.wire import Wire


class Connection:
    """Keeps one resume label connected; `connect` and `disconnect` may follow each other.

    `on_error` hears every reason why something failed, and `None` when a link came up.
    """

    def __init__(
        self,
        config: ClientConfig,
        inbox: Inbox,
        log: ClientLog,
        stats: Stats,
        on_error: Callable[[str | None], None],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.config = config
        self.uuid = config.connection_uuid or new_label()
        self.last_error: str | None = None
        self._credential = Credential(config)
        self._outgoing = Outgoing(config, log, stats, self._note)
        self._inbox = inbox
        self._log = log
        self._stats = stats
        self._on_error = on_error
        self._backoff = Backoff(config.reconnect_delay, config.max_reconnect_delay, draw)
        self._attempts_in_vain = 0
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._outcomes: list[asyncio.Future[bool]] = []

    @property
    def connected(self) -> bool:
        """Whether a link is up."""
        return self._outgoing.link is not None

    @property
    def usable(self) -> bool:
        """Whether a link is up or will be tried for."""
        return self._outgoing.expecting

    @property
    def unacknowledged(self) -> int:
        """How many messages wait for the edge's answer or for a link."""
        return len(self._outgoing.session)

    @property
    def platform(self) -> str:
        """The platform that the connection says it is of."""
        return self.config.platform

    @property
    def api_key(self) -> str:
        """The key that the connection authenticates with now."""
        return self._credential.current

    async def connect(self) -> bool:
        """Connect and return the outcome of the first attempt; further ones go on without it.

        When an attempt is due later anyway, it is made now.
        """
        if self.connected:
            return True
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._outcomes.append(outcome)
        if self._task is None or self._task.done():
            self._outgoing.expecting = True
            self._attempts_in_vain = 0
            self._task = asyncio.create_task(self._run(), name=f"maim connection {self.uuid}")
        self._hurry.set()
        return await outcome

    async def disconnect(self) -> bool:
        """Close the link and stop trying; False when there was nothing to end."""
        task, self._task = self._task, None
        if task is None or task.done():
            return False
        was_connected = self.connected
        self._outgoing.expecting = False
        task.cancel()
        await asyncio.wait([task])
        if was_connected:
            self._tell_lost(None)
        return True

    def send(
        self, kind: str, payload: bytes, wait_ack: bool, timeout_seconds: float | None
    ) -> Coroutine[Any, Any, bool]:
        """Send one message, as `Outgoing.send` says."""
        return self._outgoing.send(kind, payload, wait_ack, timeout_seconds)

    async def _run(self) -> None:
        why = "disconnected"
        try:
            while True:
                ended, link = await self._attempt()
                delay = self._delay_after(ended)
                self._outgoing.expecting = delay is not None
                if link is not None:
                    link.judged.set()
                    self._tell_lost(ended.text)
                if delay is None:
                    why = ended.text
                    return
                await self._pause(delay)
                self._stats.reconnect_attempts += 1
        except Exception as error:
            why = f"internal error: {type(error).__name__}"
            self._note(why)
            self._log.failure(f"connection {self.uuid} stopped", error)
        finally:
            self._outgoing.expecting = False
            self._outgoing.abandon(why)
            self._resolve(False)

    async def _attempt(self) -> tuple[Ended, Link | None]:
        """Open a link and serve it until it closes; returns why there is none now."""
        self._stats.connect_attempts += 1
        try:
            api_key = await self._credential.fetch()
            wire = await open_wire(self.config, self.uuid, api_key)
        except OpenFailed as failure:
            self._stats.failed_connects += 1
            self._attempts_in_vain += 1
            self._failed(failure.ended)
            self._resolve(False)
            return failure.ended, None
        self._stats.successful_connects += 1
        self._attempts_in_vain = 0
        return await self._serve(wire)

    async def _serve(self, wire: Wire) -> tuple[Ended, Link]:
        outgoing = self._outgoing
        link = Link(
            wire,
            self.uuid,
            outgoing.session,
            self._inbox,
            outgoing.settled,
            self._log,
            self._stats,
        )
        clock = asyncio.get_running_loop().time
        opened = clock()
        try:
            await outgoing.attach(link)
            self._tell_connected()
            ended = await link.read()
        except BaseException:
            link.judged.set()
            raise
        finally:
            await outgoing.detach()
            await link.close()
        self._backoff.link_lasted(clock() - opened)
        self._failed(ended)
        outgoing.link_ended(ended)
        return ended, link

    def _delay_after(self, ended: Ended) -> float | None:
        """Return how long to wait before the next attempt; `None` says that there is none."""
        config = self.config
        curable = ended.credential and self._credential.may_change
        if not config.auto_reconnect or (ended.stop and not curable):
            return None
        limit = config.max_reconnect_attempts
        if limit and self._attempts_in_vain > limit:
            self._note(f"gave up after {limit} attempts to reconnect: {ended.text}")
            return None
        if ended.spread and ended.retry_after_seconds is not None:
            return ended.retry_after_seconds
        return self._backoff.next_delay(ended.retry_after_seconds or 0.0)

    async def _pause(self, seconds: float) -> None:
        self._log.connection(f"{self.uuid}: next attempt in {seconds:.1f} s")
        self._hurry.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return

    def _failed(self, ended: Ended) -> None:
        if ended.credential:
            self._credential.refused()
        self._note(ended.text)
        self._log.warning(f"{self.uuid}: {ended.text}")

    def _tell_connected(self) -> None:
        self.last_error = None
        self._on_error(None)
        self._log.connection(f"connected {self.uuid} to {shown_url(self.config.url)}")
        self._resolve(True)
        self._inbox.connected(self.uuid, self.config)

    def _tell_lost(self, error: str | None) -> None:
        self._log.connection(f"disconnected {self.uuid}")
        self._inbox.disconnected(self.uuid, error)

    def _note(self, error: str) -> None:
        self.last_error = error
        self._on_error(error)

    def _resolve(self, connected: bool) -> None:
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            if not outcome.done():
                outcome.set_result(connected)
