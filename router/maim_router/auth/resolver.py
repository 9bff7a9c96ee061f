"""Receivers' keys to users: asked once, remembered for a while, bounded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

# More than there are connections, or each message of the others would wait for a question.
LIMIT = 100_000
Key = tuple[str, str]


class Resolver:
    """A cache in front of `Auth.resolve`; one question at a time for each key.

    `ttl` in seconds; `clock` is monotonic seconds.
    """

    def __init__(
        self, ask: Callable[[str, str], Awaitable[str]], ttl: float, clock: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._ttl = ttl
        self._clock = clock
        self._known: OrderedDict[Key, tuple[str, float]] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[str]] = {}

    def known(self, api_key: str, platform: str, now: float) -> str | None:
        """Answer without waiting, as of `now` on the clock; None when it must be asked."""
        entry = self._known.get((api_key, platform))
        if entry is None or entry[1] <= now:
            return None
        return entry[0]

    async def resolve(self, api_key: str, platform: str) -> str:
        """Name the user of a key; empty: nobody. Raises what the asked one raises."""
        known = self.known(api_key, platform, self._clock())
        if known is not None:
            return known
        key = (api_key, platform)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._ask_once(key))
        # Shielded: whoever gives up waiting does not take the answer from the others.
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Cancel what is being asked."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask_once(self, key: Key) -> str:
        try:
            user_id = await self._ask(*key)
        finally:
            self._asking.pop(key, None)
        self._known[key] = (user_id, self._clock() + self._ttl)
        self._known.move_to_end(key)
        if len(self._known) > LIMIT:
            self._known.popitem(last=False)
        return user_id
