"""The config's callbacks as the node calls them, with the log lines that the config asks for."""

from __future__ import annotations

import logging
from typing import Any

from maim_message.server.config import ServerConfig
from maim_protocol.message import APIMessageBase
from maim_router.hooks import Hooks, Metadata, call

_log = logging.getLogger("maim_message.server")


class Callbacks:
    """Reads the config at every call, so that a change of it counts at once.

    Lines name connections, users and message ids; payloads and keys are never part of one.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._config = config

    @property
    def logger(self) -> Any:
        """The config's own logger, or ours."""
        return self._config.custom_logger or _log

    def install(self, hooks: Hooks) -> None:
        """Point a node's hooks at the config."""
        config = self._config
        hooks.on_auth = config.on_auth
        hooks.on_auth_extract_user = config.on_auth_extract_user
        hooks.on_message = self._on_message if config.on_message is not None else None
        hooks.on_connect = self._on_connect
        hooks.on_disconnect = self._on_disconnect
        hooks.custom_handlers = config.custom_handlers

    async def _on_message(self, message: APIMessageBase, metadata: Metadata) -> None:
        on_message = self._config.on_message
        if self._config.enable_message_log:
            self.logger.info(
                "message %s of %s on %s",
                metadata["msg_id"],
                metadata["user_id"],
                metadata["platform"],
            )
        if on_message is not None:
            await call(on_message, message, metadata)

    async def _on_connect(self, uuid: str, metadata: Metadata) -> None:
        self._log_connection("connected", uuid, metadata)
        if self._config.on_connect is not None:
            await call(self._config.on_connect, uuid, metadata)

    async def _on_disconnect(self, uuid: str, metadata: Metadata) -> None:
        self._log_connection("disconnected", uuid, metadata)
        if self._config.on_disconnect is not None:
            await call(self._config.on_disconnect, uuid, metadata)

    def _log_connection(self, what: str, uuid: str, metadata: Metadata) -> None:
        if self._config.enable_connection_log:
            user, platform = metadata["user_id"], metadata["platform"]
            self.logger.info("%s: %s, user %s on %s", what, uuid, user, platform)
