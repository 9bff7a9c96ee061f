"""The messages that one connection sends: written now, kept for later, answered for."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable

from maim_message.client.configuration import ClientConfig
from maim_message.client.delivery.acknowledgements import PendingAcks
from maim_message.client.delivery.link import Link
from maim_message.client.delivery.session import Bounds, Session
from maim_message.client.log import ClientLog
from maim_message.client.stats import Stats
from maim_message.client.transport import LinkEnd
from maim_protocol.close_codes import CloseCode
from maim_protocol.envelope import encode_envelope


class Outgoing:
    """Sends through the link that is attached; `expecting()` tells whether another will come.

    A `True` of `send` is the truth at that moment: the link took the message, or it is kept and
    goes out first thing on the next link, or (`wait_ack`) the edge acknowledged it.
    """

    def __init__(
        self,
        config: ClientConfig,
        log: ClientLog,
        stats: Stats,
        note: Callable[[str], None],
        expecting: Callable[[], bool],
    ) -> None:
        self.link: Link | None = None
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
        self._expecting = expecting
        self._pending_acks = PendingAcks()
        # Nobody else has ids like these, in this process, another one or a later one.
        self._id_prefix = f"msg_{secrets.token_hex(16)}_"
        self._numbers = itertools.count(1)
        self._in_line = 0
        self._resending: asyncio.Task[None] | None = None

    async def send(
        self, kind: str, payload: bytes, wait_ack: bool, timeout_seconds: float | None
    ) -> bool:
        """Send one message; after a cancellation it may still go out."""
        msg_id = f"{self._id_prefix}{next(self._numbers)}"
        meta = {"platform": self._config.platform, "timestamp": time.time()}
        frame = encode_envelope(kind, msg_id, meta, payload)
        if not wait_ack:
            return await self._hand_over(msg_id, kind, frame)
        answer = self._pending_acks.expect(msg_id)
        try:
            if not await self._hand_over(msg_id, kind, frame):
                return False
            self._pending_acks.limit(msg_id, timeout_seconds)
            error = await answer
        finally:
            self._pending_acks.forget(msg_id)
        return error is None or self._not_sent(error)

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

    def link_ended(self, ended: LinkEnd) -> None:
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
        waited_for = self._pending_acks.settle(msg_id, error)
        if error is not None:
            self._stats.messages_refused += 1
            self._note(error)
        elif kept or waited_for:
            self._stats.messages_acked += 1

    def abandon(self, why: str) -> None:
        """Give up waiting for answers: there will be none."""
        self._pending_acks.settle_all(f"no acknowledgement: {why}")

    async def _hand_over(self, msg_id: str, kind: str, frame: bytes) -> bool:
        link = self.link
        if link is not None and link.ready and not self._in_line:
            return self._write(link, msg_id, kind, frame)
        self._in_line += 1
        try:
            return await self._hand_over_in_turn(msg_id, kind, frame)
        finally:
            self._in_line -= 1

    async def _hand_over_in_turn(self, msg_id: str, kind: str, frame: bytes) -> bool:
        while (link := self.link) is not None:
            async with link.writing:
                await link.writable()
                if link is not self.link:
                    continue
                if self._write(link, msg_id, kind, frame):
                    return True
            await link.close()  # within close_timeout, even if the peer does not end it
            await link.end_known.wait()
            return self._kept_or_lost()
        return self._keep(msg_id, frame)

    def _write(self, link: Link, msg_id: str, kind: str, frame: bytes) -> bool:
        self._log.message("sending", kind, msg_id, len(frame))
        if self._config.enable_message_cache:
            self._dropped(self.session.keep_sent(msg_id, frame, time.monotonic()), "no room")
        written = link.write(frame)
        self._stats.messages_sent += written
        return written

    def _kept_or_lost(self) -> bool:
        if self._config.enable_message_cache and (self._expecting() or self.link is not None):
            return True
        return self._not_sent("the link broke")

    def _keep(self, msg_id: str, frame: bytes) -> bool:
        if not self._expecting():
            return self._not_sent("not connected")
        if not self._config.enable_message_cache:
            return self._not_sent("not connected, and enable_message_cache is off")
        self._expire()
        if self.session.keep_waiting(msg_id, frame, time.monotonic()):
            return True
        kept = f"{len(self.session)} messages of {self.session.kept_bytes} bytes"
        return self._not_sent(f"not connected, and there is no room beside {kept}")

    def _not_sent(self, why: str) -> bool:
        self._note(why)
        return False

    def _expire(self) -> None:
        self._dropped(self.session.expire(time.monotonic()), "kept for too long")

    def _dropped(self, msg_ids: list[str], why: str) -> None:
        for msg_id in msg_ids:
            self._stats.messages_dropped += 1
            self._log.warning(f"{msg_id} will not be sent again: {why}")
            self._pending_acks.settle(msg_id, f"dropped: {why}")
