"""The key that a connection authenticates with, which may change while the client runs."""

from __future__ import annotations

import asyncio

from maim_message.client.callbacks import call
from maim_message.client.configuration import ClientConfig
from maim_message.client.transport.ending import LinkEnd
from maim_message.client.transport.handshake import OpenFailed


class Credential:
    """Asks `config.get_api_key` before each handshake; remembers which key was refused."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._current: str | None = None
        self._refused: str | None = None

    @property
    def may_change(self) -> bool:
        """Whether a refusal may be cured by asking again."""
        return self._config.get_api_key is not None

    @property
    def current(self) -> str:
        """The key of the latest handshake, or the configured one before any."""
        return self._config.api_key if self._current is None else self._current

    async def fetch(self) -> str:
        """Return the key for the next handshake; raises `OpenFailed`.

        A key that was refused is not tried again, so that a changed one is waited for no longer
        than one attempt.
        """
        key = await self._ask()
        if self.may_change and key == self._refused:
            text = "the server refused the credential, and get_api_key returned the same again"
            raise OpenFailed(LinkEnd(text, stop=True))
        self._current = key
        return key

    def refused(self) -> None:
        """Remember that the server refused the current key."""
        self._refused = self._current

    async def _ask(self) -> str:
        source = self._config.get_api_key
        if source is None:
            return self._config.api_key
        try:
            key = await asyncio.wait_for(call(source), self._config.connect_timeout)
        except Exception as error:  # user code: whatever it raises, the next attempt asks again
            raise OpenFailed(LinkEnd(f"get_api_key failed: {type(error).__name__}")) from error
        if not isinstance(key, str) or not key:
            text = f"get_api_key: expected a non-empty string, got {type(key).__name__}"
            raise OpenFailed(LinkEnd(text))
        return key
