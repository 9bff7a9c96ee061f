"""The client for programs: one main connection, and as many further ones as are added."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from maim_message.client.configuration import ClientConfig, derived, shown_url
from maim_message.client.connection import Connection, Pool, pick
from maim_message.strict_dataclass import custom_type
from maim_protocol.envelope import SYS_STD
from maim_protocol.message import APIMessageBase, encode_payload

if TYPE_CHECKING:
    from typing import Self

ACK_TIMEOUT_SECONDS = 10.0


class WebSocketClient:
    """Sends and receives messages; connections come back by themselves when they break.

    As an async context manager it starts, makes the first attempt to connect, and stops.
    """

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self._pool = Pool(config)
        self._main = self._pool.add(config)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
            await self.connect()
        except BaseException:  # there is no `__aexit__` then
            await self.stop()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Allow connections; call `connect` for the main one."""
        self._pool.start()

    async def stop(self) -> None:
        """Close every connection and end every task."""
        await self._pool.stop()

    async def connect(self) -> bool:
        """Connect the main connection.

        False when the first attempt failed: `get_last_error` tells why. Unless the reason is
        final (a refused credential) or `auto_reconnect` is off, attempts go on in the background.
        """
        return await self._pool.connect(self._main)

    def disconnect(self, connection_uuid: str | None = None) -> Coroutine[Any, Any, bool]:
        """Close a connection, the main one by default; False when there was nothing to close.

        It takes effect with the call; awaiting it waits until the connection is closed.
        """
        connection = self._find(connection_uuid)
        return _nothing_to_close() if connection is None else connection.disconnect()

    async def add_connection(
        self, url: str, api_key: str, platform: str = "default", **settings: Any
    ) -> str:
        """Add a connection and return its uuid; `connect_to` connects it.

        Everything that `settings` does not name is as in the main connection's config.
        """
        return self._pool.add(derived(self.config, url, api_key, platform, settings)).uuid

    async def connect_to(self, connection_uuid: str) -> bool:
        """Connect a connection that was added; False as in `connect`."""
        connection = self._find(connection_uuid)
        return connection is not None and await self._pool.connect(connection)

    async def remove_connection(self, connection_uuid: str) -> bool:
        """Close a connection and forget it; False when there is none of that uuid."""
        connection = self._find(connection_uuid)
        if connection is None:
            return False
        if connection is self._main:
            return self._pool.refuse("the main connection cannot be removed, only disconnected")
        self._pool.retire(connection)
        await connection.closed()
        return True

    def get_connections(self) -> dict[str, dict[str, Any]]:
        """Describe all connections by uuid, without credentials."""
        return {uuid: _described(each) for uuid, each in self._pool.connections.items()}

    def get_active_connections(self) -> dict[str, dict[str, Any]]:
        """Describe the connections that are up."""
        described = self.get_connections().items()
        return {uuid: each for uuid, each in described if each["connected"]}

    async def send_message(
        self,
        message: APIMessageBase,
        *,
        wait_ack: bool = False,
        timeout: float | None = ACK_TIMEOUT_SECONDS,
    ) -> bool:
        """Send a message on the connection that its `message_dim` names best.

        True: it was written to the link, or is kept and goes out when the link is back. With
        `wait_ack` True means acknowledged, and False that the server refused it or that no
        answer came within `timeout` seconds (it may still be resent then). `get_last_error`
        tells why it is False. Raises `TypeError` for a field that JSON cannot hold.
        """
        payload = encode_payload(message)
        dim = message.message_dim
        if not (dim.api_key and dim.platform):
            return self._pool.refuse("message_dim: api_key and platform must not be empty")
        return await self._route(message).send(SYS_STD, payload, wait_ack, timeout)

    async def send_custom_message(
        self,
        message_type: str,
        payload: Mapping[str, Any],
        *,
        connection_uuid: str | None = None,
        wait_ack: bool = False,
        timeout: float | None = ACK_TIMEOUT_SECONDS,
    ) -> bool:
        """Send a message of the application's own type, on the main connection by default.

        `custom_` is added to the type when missing; the rest is as in `send_message`.
        """
        encoded = encode_payload(payload)
        connection = self._find(connection_uuid)
        if connection_uuid is None and not self._main.usable:
            connection = next(iter(self._usable()), self._main)
        if connection is None:
            return False
        return await connection.send(custom_type(message_type), encoded, wait_ack, timeout)

    def register_custom_handler(self, message_type: str, handler: Callable[..., Any]) -> None:
        """Let `handler(payload, metadata)` take the messages of a custom type."""
        self.config.register_custom_handler(message_type, handler)

    def unregister_custom_handler(self, message_type: str) -> None:
        """Forget the handler of a custom type."""
        self.config.unregister_custom_handler(message_type)

    def update_config(self, **settings: Any) -> None:
        """Change settings: callbacks at once, the rest with the next attempt to connect.

        Raises `ConfigError`, and changes nothing, when one of them is wrong.
        """
        self.config.update(**settings)

    def is_running(self) -> bool:
        """Tell whether the client is started."""
        return self._pool.running

    def is_connected(self, connection_uuid: str | None = None) -> bool:
        """Tell whether a connection is up; without a uuid, whether any is."""
        if connection_uuid is None:
            return any(each.connected for each in self._pool.connections.values())
        connection = self._find(connection_uuid)
        return connection is not None and connection.connected

    def get_last_error(self, connection_uuid: str | None = None) -> str | None:
        """Return why something failed last; `None` after a connection came up."""
        if connection_uuid is None:
            return self._pool.last_error
        connection = self._pool.connections.get(connection_uuid)
        return None if connection is None else connection.last_error

    def get_connection_uuid(self) -> str:
        """Return the main connection's uuid."""
        return self._main.uuid

    def get_cached_connection_info(self) -> dict[str, str]:
        """Return as whom the main connection connects where; holds the credential."""
        return {
            "url": self.config.url,
            "api_key": self._main.api_key,
            "platform": self.config.platform,
            "connection_uuid": self._main.uuid,
        }

    def get_stats(self) -> dict[str, Any]:
        """Return counters since the client was made, and the present numbers."""
        return {**self._pool.get_stats(), "connection_uuid": self._main.uuid}

    def _route(self, message: APIMessageBase) -> Connection:
        if len(self._pool.connections) == 1:
            return self._main
        picked = pick(self._usable(), message.get_api_key(), message.get_platform())
        return picked or self._main

    def _usable(self) -> list[Connection]:
        return [each for each in self._pool.connections.values() if each.usable]

    def _find(self, connection_uuid: str | None) -> Connection | None:
        if connection_uuid is None:
            return self._main
        connection = self._pool.connections.get(connection_uuid)
        if connection is None:
            self._pool.note(f"there is no connection {connection_uuid}")
        return connection


async def _nothing_to_close() -> bool:
    return False


def _described(connection: Connection) -> dict[str, Any]:
    return {
        "url": shown_url(connection.config.url),
        "platform": connection.platform,
        "connected": connection.connected,
        "connection_uuid": connection.uuid,
        "last_error": connection.last_error,
    }
