"""Ends what has waited in the mailbox for too long."""

from __future__ import annotations

import asyncio
import time

from maim_router.delivery.mailbox_delivery import MailboxDelivery

SWEEP_SECONDS = 1.0


class MailboxExpiry:
    """Sweeps once a second while it runs."""

    def __init__(self, mailbox_delivery: MailboxDelivery) -> None:
        self._mailbox_delivery = mailbox_delivery
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it runs or there is nothing to sweep."""
        if self._task is None and self._mailbox_delivery.mailbox is not None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._mailbox_delivery.expire(time.time())
            await asyncio.sleep(SWEEP_SECONDS)
