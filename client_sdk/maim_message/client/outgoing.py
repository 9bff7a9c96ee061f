"""The messages that one connection sends: written now, kept for later, answered for."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable

from websockets.exceptions import ConnectionClosed

from maim_message.client.config import ClientConfig
from maim_message.client.ended import Ended
from maim_message.client.link import Link
from maim_message.client.log import ClientLog
from maim_message.client.session import Bounds, Session
from maim_message.client.stats import Stats
from maim_protocol.close_codes import CloseCode
from maim_protocol.envelope import encode_envelope


class Outgoing:
    """Sends through the link that is attached; `expecting` tells whether another will come.

    A `True` of `send` is the truth at that moment: the link took the message, or it is kept and
    goes out first thing on the next link, or (`wait_ack`) the edge acknowledged it.
    """

    def __init__(
        self, config: ClientConfig, log: ClientLog, stats: Stats, note: Callable[[str], None]
    ) -> None:
        self.link: Link | None = None
        self.expecting = False
        self.session = Session(
            Bounds(
                config.message_cache_max_size,
                config.message_cache_max_bytes,
                config.message_cache_ttl,
            )
        )
        self._config = config
        self._log = log
        self._stats = stats
        self._note = note
        self._answers: dict[str, asyncio.Future[str | None]] = {}
        self._resending: asyncio.Task[None] | None = None

    async def send(
        self, kind: str, payload: bytes, wait_ack: bool, timeout_seconds: float | None
    ) -> bool:
        """Send one message; after a cancellation it may still go out."""
        msg_id = f"msg_{uuid.uuid4().hex}"
        meta = {"platform": self._config.platform, "timestamp": time.time()}
        frame = encode_envelope(kind, msg_id, meta, payload)
        if not wait_ack:
            return await self._hand_over(msg_id, kind, frame)
        self._answers[msg_id] = answer = asyncio.get_running_loop().create_future()
        try:
            handed_over = await self._hand_over(msg_id, kind, frame)
            return handed_over and await self._answered(msg_id, answer, timeout_seconds)
        finally:
            self._answers.pop(msg_id, None)

    async def attach(self, link: Link) -> None:
        """Send through `link` from now on, after what is kept: that goes out first, in order."""
        self._expire()
        await link.writing.acquire()  # free until now: no sender can come between
        self._resending = asyncio.create_task(link.resend(self.session.to_resend()))
        self._resending.add_done_callback(lambda _: link.writing.release())
        self.link = link

    async def detach(self) -> None:
        """Stop using the link, which has closed."""
        self.link = None
        if self._resending is not None:
            self._resending.cancel()
            await asyncio.wait([self._resending])
            self._resending = None

    def link_ended(self, ended: Ended) -> None:
        """Draw the conclusions for kept messages from how the link ended."""
        if ended.code == CloseCode.TOO_LARGE:
            msg_id = self.session.drop_largest_sent()
            if msg_id is not None:
                self.settled(msg_id, f"too_large: {ended.text}")
        if not self._config.enable_message_cache:
            self.abandon(ended.text)

    def settled(self, msg_id: str, error: str | None) -> None:
        """Take the edge's answer: an acknowledgement, or why it did not take a message."""
        kept = self.session.settle(msg_id)
        answer = self._answers.get(msg_id)
        if error is not None:
            self._stats.messages_refused += 1
            self._note(error)
        elif kept or answer is not None:
            self._stats.messages_acked += 1
        if answer is not None and not answer.done():
            answer.set_result(error)

    def abandon(self, why: str) -> None:
        """Give up waiting for answers: there will be none."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(f"no acknowledgement: {why}")

    async def _hand_over(self, msg_id: str, kind: str, frame: bytes) -> bool:
        while (link := self.link) is not None:
            async with link.writing:
                if link is not self.link:
                    continue
                self._log.message("sending", kind, msg_id, len(frame))
                return await self._write(link, msg_id, frame)
        return self._keep(msg_id, frame)

    async def _write(self, link: Link, msg_id: str, frame: bytes) -> bool:
        if self._config.enable_message_cache:
            self._dropped(self.session.keep_sent(msg_id, frame, time.monotonic()), "no room")
        try:
            await link.write(frame)
        except ConnectionClosed:
            await link.judged.wait()
            return self._kept_or_lost()
        self._stats.messages_sent += 1
        return True

    def _kept_or_lost(self) -> bool:
        if self._config.enable_message_cache and (self.expecting or self.link is not None):
            return True
        return self._not_sent("the link broke")

    def _keep(self, msg_id: str, frame: bytes) -> bool:
        if not self.expecting:
            return self._not_sent("not connected")
        if not self._config.enable_message_cache:
            return self._not_sent("not connected, and enable_message_cache is off")
        self._expire()
        if self.session.keep_waiting(msg_id, frame, time.monotonic()):
            return True
        kept = f"{len(self.session)} messages of {self.session.kept_bytes} bytes"
        return self._not_sent(f"not connected, and there is no room beside {kept}")

    async def _answered(
        self, msg_id: str, answer: asyncio.Future[str | None], timeout_seconds: float | None
    ) -> bool:
        try:
            async with asyncio.timeout(timeout_seconds):
                error = await answer
        except TimeoutError:
            return self._not_sent(f"no acknowledgement of {msg_id} in {timeout_seconds:g} s")
        if error is not None:
            self._note(error)
        return error is None

    def _not_sent(self, why: str) -> bool:
        self._note(why)
        return False

    def _expire(self) -> None:
        self._dropped(self.session.expire(time.monotonic()), "kept for too long")

    def _dropped(self, msg_ids: list[str], why: str) -> None:
        for msg_id in msg_ids:
            self._stats.messages_dropped += 1
            self._log.warning(f"{msg_id} will not be sent again: {why}")
            answer = self._answers.get(msg_id)
            if answer is not None and not answer.done():
                answer.set_result(f"dropped: {why}")
