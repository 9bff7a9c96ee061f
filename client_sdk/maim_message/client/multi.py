"""The client with named connections: the caller, not `message_dim`, says which one to use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from maim_message.client.client import ACK_TIMEOUT_SECONDS
from maim_message.client.configuration import MultiClientConfig
from maim_message.client.connection import Connection, Pool
from maim_message.strict_dataclass import custom_type
from maim_protocol.envelope import SYS_STD
from maim_protocol.message import APIMessageBase, encode_payload

if TYPE_CHECKING:
    from typing import Self


class WebSocketMultiClient:
    """Sends by connection name; as an async context manager it starts and stops."""

    def __init__(self, config: MultiClientConfig | None = None) -> None:
        self.config = config or MultiClientConfig()
        self._pool = Pool(self.config)
        self._named: dict[str, Connection] = {}

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:  # there is no `__aexit__` then
            await self.stop()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Allow connections; connects all of them when `auto_connect_on_start` says so."""
        self._pool.start()
        self._adopt()
        if self.config.auto_connect_on_start:
            await self.connect()

    async def stop(self) -> None:
        """Close every connection and end every task."""
        await self._pool.stop()

    def register_connection(
        self, name: str, url: str, api_key: str, platform: str = "default", **settings: Any
    ) -> bool:
        """Name a connection; an earlier one of the name is closed.

        `settings` are fields of `ClientConfig`; raises `ConfigError` when one is wrong.
        """
        self.config.register_connection(name, url, api_key, platform, **settings)
        self._adopt()
        return True

    def update_connection(self, name: str, **settings: Any) -> bool:
        """Change settings of a connection for its next attempt; False when there is none."""
        config = self.config.connections.get(name)
        if config is None:
            return self._unknown(name)
        config.update(**settings)
        return True

    def unregister_connection(self, name: str) -> bool:
        """Forget a connection and close it; False when there is none of that name."""
        if not self.config.remove_connection(name):
            return self._unknown(name)
        self._adopt()
        return True

    async def connect(self, name: str | None = None) -> dict[str, bool]:
        """Connect one or all; the outcome of each first attempt by name."""
        return await self._each(name, self._pool.connect)

    async def disconnect(self, name: str | None = None) -> dict[str, bool]:
        """Disconnect one or all; False where there was nothing to close."""
        return await self._each(name, Connection.disconnect)

    async def send_message(
        self,
        connection_name: str,
        message: APIMessageBase,
        *,
        wait_ack: bool = False,
        timeout: float | None = ACK_TIMEOUT_SECONDS,
    ) -> bool:
        """Send a message on a named connection; the rest as in `WebSocketClient`."""
        payload = encode_payload(message)
        return await self._send(connection_name, SYS_STD, payload, wait_ack, timeout)

    async def send_custom_message(
        self,
        connection_name: str,
        message_type: str,
        payload: Mapping[str, Any],
        *,
        wait_ack: bool = False,
        timeout: float | None = ACK_TIMEOUT_SECONDS,
    ) -> bool:
        """Send a message of the application's own type on a named connection."""
        kind, encoded = custom_type(message_type), encode_payload(payload)
        return await self._send(connection_name, kind, encoded, wait_ack, timeout)

    def register_custom_handler(self, message_type: str, handler: Callable[..., Any]) -> None:
        """Let `handler(payload, metadata)` take the messages of a custom type."""
        self.config.register_custom_handler(message_type, handler)

    def unregister_custom_handler(self, message_type: str) -> None:
        """Forget the handler of a custom type."""
        self.config.unregister_custom_handler(message_type)

    def get_connection_info(self, name: str) -> dict[str, Any] | None:
        """Describe a connection; holds the credential."""
        connection = self._named.get(name)
        if connection is None:
            return None
        return {
            "name": name,
            "url": connection.config.url,
            "api_key": connection.api_key,
            "platform": connection.platform,
            "connected": connection.connected,
            "connection_uuid": connection.uuid,
            "last_error": connection.last_error,
        }

    def is_running(self) -> bool:
        """Tell whether the client is started."""
        return self._pool.running

    def is_connected(self, name: str | None = None) -> bool:
        """Tell whether a connection is up; without a name, whether any is."""
        if name is None:
            return any(each.connected for each in self._named.values())
        return name in self._named and self._named[name].connected

    def get_last_error(self, name: str | None = None) -> str | None:
        """Return why something failed last, for one connection or for any."""
        if name is None:
            return self._pool.last_error
        return self._named[name].last_error if name in self._named else None

    def get_stats(self) -> dict[str, Any]:
        """Return counters since the client was made, and the present numbers."""
        stats = self._pool.get_stats()
        names = list(self._named)
        active = stats["connected_count"]
        return {**stats, "connections_active": active, "connection_names": names}

    def _adopt(self) -> None:
        """Bring the connections in line with the config, which the user may change as well."""
        wanted = self.config.connections
        for name, connection in list(self._named.items()):
            if wanted.get(name) is not connection.config:
                self._pool.retire(self._named.pop(name))
        for name, config in wanted.items():
            if name not in self._named:
                self._named[name] = self._pool.add(config)

    async def _each(
        self, name: str | None, act: Callable[[Connection], Awaitable[bool]]
    ) -> dict[str, bool]:
        self._adopt()
        if name is not None and name not in self._named:
            return {name: self._unknown(name)}
        names = list(self._named) if name is None else [name]
        results = await asyncio.gather(*(act(self._named[each]) for each in names))
        return dict(zip(names, results))

    async def _send(
        self,
        name: str,
        kind: str,
        payload: bytes,
        wait_ack: bool,
        timeout_seconds: float | None,
    ) -> bool:
        connection = self._named.get(name)
        if connection is None:
            return self._unknown(name)
        return await connection.send(kind, payload, wait_ack, timeout_seconds)

    def _unknown(self, name: str) -> bool:
        return self._pool.refuse(f"there is no connection named {name!r}")
