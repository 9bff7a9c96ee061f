"""One connection of a client: its link, and the loop that brings a lost one back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from maim_message.client.callbacks import Inbox
from maim_message.client.configuration import ClientConfig, new_label, shown_url
from maim_message.client.connection.run import ConnectionRun
from maim_message.client.delivery import Link, Outgoing
from maim_message.client.log import ClientLog
from maim_message.client.stats import Stats
from maim_message.client.transport import Credential, EdgeSocket, LinkEnd, OpenFailed, open_socket
from maim_protocol.backoff import Backoff


class Connection:
    """Keeps one resume label connected; `connect` and `disconnect` take effect in their order.

    Each run of it has a link to itself: the next one begins when the last has closed its own.
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
        self._outgoing = Outgoing(config, log, stats, self._note, lambda: self.usable)
        self._inbox = inbox
        self._log = log
        self._stats = stats
        self._on_error = on_error
        self._backoff = Backoff(config.reconnect_delay, config.max_reconnect_delay, draw)
        self._run: ConnectionRun | None = None
        # Of the runs that are not over; all but the present one are closing.
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether a link is up."""
        return self._run is not None and self._run.connected

    @property
    def usable(self) -> bool:
        """Whether a link is up or will be tried for."""
        return self._run is not None and self._run.expecting

    @property
    def idle(self) -> bool:
        """Whether nothing of it is left to end."""
        return not self._tasks

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
        if self._run is None or self._run.task.done():
            self._run = self._begin()
        return await self._run.outcome()

    def disconnect(self) -> Coroutine[Any, Any, bool]:
        """Close the link and stop trying; False when there was nothing to end.

        It takes effect with the call; the coroutine waits until all is closed. Were it otherwise,
        `create_task(disconnect())` would end what a `connect` after it brings up.
        """
        return self._when_closed(self.end())

    def end(self) -> bool:
        """Begin to close the link and stop trying; False when there was nothing to end."""
        run, self._run = self._run, None
        if run is None or run.task.done():
            return False
        if run.awaited:
            self._note("disconnected before a link came up")
        run.end()
        return True

    async def closed(self) -> None:
        """Wait until everything is closed that was ended."""
        present = {self._run.task} if self._run is not None else set()
        if closing := self._tasks - present:
            await asyncio.wait(closing)

    def send(
        self, kind: str, payload: bytes, wait_ack: bool, timeout_seconds: float | None
    ) -> Coroutine[Any, Any, bool]:
        """Send one message, as `Outgoing.send` says."""
        return self._outgoing.send(kind, payload, wait_ack, timeout_seconds)

    def _begin(self) -> ConnectionRun:
        run = ConnectionRun(self._live, f"maim connection {self.uuid}")
        self._tasks.add(run.task)
        run.task.add_done_callback(lambda task: self._over(run))
        return run

    def _over(self, run: ConnectionRun) -> None:
        self._tasks.discard(run.task)
        resent_later = self.usable and self.config.enable_message_cache
        if not resent_later:
            self._outgoing.abandon(run.why_ended)

    async def _when_closed(self, outcome: bool) -> bool:
        await self.closed()
        return outcome

    async def _live(self, run: ConnectionRun) -> None:
        try:
            await self.closed()
            while True:
                ended, link = await self._attempt(run)
                delay = self._delay_after(run, ended)
                run.goes_on = delay is not None
                if link is not None:
                    link.end_known.set()
                if delay is None:
                    run.why_ended = ended.text
                    return
                self._log.connection(f"{self.uuid}: next attempt in {delay:.1f} s")
                await run.pause(delay)
                self._stats.reconnect_attempts += 1
        except Exception as error:
            run.why_ended = f"internal error: {type(error).__name__}"
            self._note(run.why_ended)
            self._log.failure(f"connection {self.uuid} stopped", error)

    async def _attempt(self, run: ConnectionRun) -> tuple[LinkEnd, Link | None]:
        """Open a link and serve it until it closes; returns why there is none now."""
        self._stats.connect_attempts += 1
        try:
            api_key = await self._credential.fetch()
            if not run.goes_on:
                # Before Python 3.12 `wait_for` loses a cancellation that comes with its result.
                raise asyncio.CancelledError
            socket = await open_socket(self.config, self.uuid, api_key)
        except OpenFailed as failure:
            self._stats.failed_connects += 1
            run.attempts_in_vain += 1
            self._failed(failure.ended)
            run.resolve(False)
            return failure.ended, None
        self._stats.successful_connects += 1
        run.attempts_in_vain = 0
        return await self._serve(run, socket)

    async def _serve(self, run: ConnectionRun, socket: EdgeSocket) -> tuple[LinkEnd, Link]:
        outgoing = self._outgoing
        link = Link(
            socket,
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
            ended = await self._read(run, link)
        except BaseException:
            link.end_known.set()
            raise
        self._backoff.link_lasted(clock() - opened)
        self._failed(ended)
        outgoing.link_ended(ended)
        return ended, link

    async def _read(self, run: ConnectionRun, link: Link) -> LinkEnd:
        """Tell that the link is up, read until it closes, and tell that it is gone."""
        why: str | None = None
        try:
            await self._outgoing.attach(link)
            self._tell_connected(run)
            ended = await link.read()
            why = ended.text
            return ended
        finally:
            run.connected = False
            try:
                await self._outgoing.detach()
                await link.close()
            finally:
                self._tell_lost(why)

    def _delay_after(self, run: ConnectionRun, ended: LinkEnd) -> float | None:
        """Return how long to wait before the next attempt; `None` says that there is none."""
        config = self.config
        curable = ended.credential and self._credential.may_change
        if not config.auto_reconnect or (ended.stop and not curable):
            return None
        limit = config.max_reconnect_attempts
        if limit and run.attempts_in_vain > limit:
            self._note(f"gave up after {limit} attempts to reconnect: {ended.text}")
            return None
        if ended.spread and ended.retry_after_seconds is not None:
            return ended.retry_after_seconds
        return self._backoff.next_delay(ended.retry_after_seconds or 0.0)

    def _failed(self, ended: LinkEnd) -> None:
        if ended.credential:
            self._credential.refused()
        self._note(ended.text)
        self._log.warning(f"{self.uuid}: {ended.text}")

    def _tell_connected(self, run: ConnectionRun) -> None:
        run.connected = True
        self.last_error = None
        self._on_error(None)
        self._log.connection(f"connected {self.uuid} to {shown_url(self.config.url)}")
        run.resolve(True)
        self._inbox.connected(self.uuid, self.config)

    def _tell_lost(self, error: str | None) -> None:
        self._log.connection(f"disconnected {self.uuid}")
        self._inbox.disconnected(self.uuid, error)

    def _note(self, error: str) -> None:
        self.last_error = error
        self._on_error(error)
