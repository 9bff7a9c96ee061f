"""The settings of a client with named connections, as in maim-message 0.6.8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from maim_message.client.configuration.client_config import ClientConfig, LogLevel
from maim_message.strict_dataclass import CustomHandlers, custom_type, strict


@strict
@dataclass
class MultiClientConfig(CustomHandlers):
    """Named connections and the callbacks that they share; times in seconds."""

    connections: dict[str, ClientConfig] = field(default_factory=dict)
    auto_connect_on_start: bool = False
    connect_timeout: float = 10.0

    on_connect: Optional[Callable[[str, ClientConfig], Any]] = None
    on_disconnect: Optional[Callable[[str, Optional[str]], Any]] = None
    on_message: Optional[Callable[[Any, dict[str, Any]], Any]] = None
    on_decode_error: Optional[Callable[[bytes, dict[str, Any], Exception], Any]] = None
    custom_handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    max_handler_tasks: int = 1000

    log_level: LogLevel = "INFO"
    enable_connection_log: bool = True
    enable_message_log: bool = True
    custom_logger: Any = None
    enable_stats: bool = True
    stats_callback: Optional[Callable[[dict[str, Any]], Any]] = None

    def __post_init__(self) -> None:
        handlers = self.custom_handlers.items()
        self.custom_handlers = {custom_type(name): handler for name, handler in handlers}

    def register_connection(
        self, name: str, url: str, api_key: str, platform: str = "default", **settings: Any
    ) -> None:
        """Name a connection; `settings` are fields of `ClientConfig`."""
        settings.setdefault("connect_timeout", self.connect_timeout)
        self.connections[name] = ClientConfig(url, api_key, platform, **settings)

    def register_ssl_connection(
        self, name: str, url: str, api_key: str, platform: str = "default", **settings: Any
    ) -> None:
        """Name a connection over TLS; `ws://` becomes `wss://`."""
        if url.startswith("ws://"):
            url = url.replace("ws://", "wss://", 1)
        self.register_connection(name, url, api_key, platform, **settings)

    add_connection = register_connection
    add_ssl_connection = register_ssl_connection

    def remove_connection(self, name: str) -> bool:
        """Forget a connection; False when there is none of that name."""
        return self.connections.pop(name, None) is not None

    def get_connection(self, name: str) -> ClientConfig | None:
        """Return the settings of a connection."""
        return self.connections.get(name)

    def list_connections(self) -> dict[str, ClientConfig]:
        """Return the settings of all connections by name."""
        return dict(self.connections)


def create_multi_client_config(**settings: Any) -> MultiClientConfig:
    """Build a `MultiClientConfig`; `settings` are its fields."""
    return MultiClientConfig(**settings)


def create_multi_client_config_with_connections(
    connections: Mapping[str, Mapping[str, Any]], **settings: Any
) -> MultiClientConfig:
    """Build a `MultiClientConfig` with connections given as `{name: {"url": …, "api_key": …}}`."""
    config = MultiClientConfig(**settings)
    for name, given in connections.items():
        config.register_connection(name, **given)
    return config
