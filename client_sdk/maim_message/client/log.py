"""A client's log lines: its own level, the switches of its config, any logger of the user's.

Texts are formatted here already, since a user's own logger need not know `%s`. No text holds a
credential or a payload.
"""

from __future__ import annotations

import logging
from typing import Any

_LIBRARY_LOGGER = logging.getLogger("maim_message.client")
_LEVELS: dict[str, int] = {
    name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
}

# The WebSocket library prints the handshake's headers, which hold the credential, at DEBUG.
SOCKET_LOGGER = logging.getLogger("maim_message.client.transport.socket")
SOCKET_LOGGER.setLevel(logging.INFO)


class ClientLog:
    """Writes a line when the config's level and switches let it; reads them at every line."""

    def __init__(self, config: Any) -> None:
        self._config = config

    def connection(self, text: str) -> None:
        """Tell of a connection that came or went."""
        if self._config.enable_connection_log:
            self._write(logging.INFO, text)

    def message(self, verb: str, kind: str, msg_id: str | None, size_bytes: int) -> None:
        """Tell of a message that was sent or received, without its content."""
        if self._config.enable_message_log and self._enabled(logging.INFO):
            self._write(logging.INFO, f"{verb} {kind} {msg_id or '-'} ({size_bytes} bytes)")

    def warning(self, text: str) -> None:
        """Tell of something that a user should know and that was dealt with."""
        self._write(logging.WARNING, text)

    def failure(self, text: str, error: BaseException) -> None:
        """Tell of a callback that raised, with its traceback."""
        self._write(logging.ERROR, text, exc_info=error)

    def _enabled(self, level: int) -> bool:
        logger = self._logger
        if isinstance(logger, logging.Logger) and not logger.isEnabledFor(level):
            return False
        return level >= _LEVELS[self._config.log_level]

    @property
    def _logger(self) -> Any:
        return self._config.custom_logger or _LIBRARY_LOGGER

    def _write(self, level: int, text: str, **details: Any) -> None:
        if self._enabled(level):
            getattr(self._logger, logging.getLevelName(level).lower())(text, **details)
