"""One place for the configs of a program that has a server and a client."""

from __future__ import annotations

from typing import Any

from maim_message.client import ClientConfig
from maim_message.server.config import ServerConfig
from maim_protocol.errors import ConfigError


class ConfigManager:
    """Holds at most one `ServerConfig` and one `ClientConfig`."""

    def __init__(self) -> None:
        self._server: ServerConfig | None = None
        self._client: ClientConfig | None = None

    def set_server_config(self, config: ServerConfig) -> None:
        """Keep the server's config."""
        self._server = config

    def set_client_config(self, config: ClientConfig) -> None:
        """Keep the client's config."""
        self._client = config

    def get_server_config(self) -> ServerConfig | None:
        """The server's config, if there is one."""
        return self._server

    def get_client_config(self) -> ClientConfig | None:
        """The client's config, if there is one."""
        return self._client

    def update_server_config(self, **changes: Any) -> None:
        """Change fields of the server's config; raises `ConfigError`."""
        if self._server is None:
            raise ConfigError("no server config is set: call set_server_config first")
        self._server.update(**changes)

    def update_client_config(self, **changes: Any) -> None:
        """Change fields of the client's config; raises `ConfigError`."""
        if self._client is None:
            raise ConfigError("no client config is set: call set_client_config first")
        self._client.update(**changes)

    def validate_all_configs(self) -> bool:
        """Whether every config is usable: configs check themselves, so those that exist are."""
        return True
