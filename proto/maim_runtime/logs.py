"""Log lines of a service: JSON or console on stderr, never with a credential in them.

Sources log with stdlib `logging` and a logger named after their module; this file only decides
what a line looks like, so that a user of the SDK stays free to configure logging himself.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from maim_runtime.masking import MASK, is_secret_name, mask_value

# Their INFO lines hold the request's address, and with it the query string with the key.
HANDSHAKE_LOGGERS = ("uvicorn.access", "uvicorn.error", "uvicorn.asgi")
# Their DEBUG lines hold headers and payloads.
WIRE_LOGGERS = ("websockets", "websockets.server", "websockets.client", "httpx", "httpcore")


class _ServiceHandler(logging.StreamHandler[Any]):
    """Our handler, to be known again when the log is configured twice."""


class _AtLeast(logging.Filter):
    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is severe enough."""
        return record.levelno >= self._level


_quiet = _AtLeast(logging.WARNING)


def configure(level: str = "INFO", format: Literal["json", "console"] = "json") -> None:
    """Send all log lines of this process to stderr in one format; may be called again."""
    handler = _ServiceHandler(sys.stderr)
    handler.setFormatter(formatter(format, colours=sys.stderr.isatty()))
    root = logging.getLogger()
    for old in [item for item in root.handlers if isinstance(item, _ServiceHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    _silence()


def formatter(format: Literal["json", "console"], *, colours: bool = False) -> logging.Formatter:
    """Return the formatter that masks and renders a stdlib log record."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            _drop_formatted,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_event,
            _renderer(format, colours),
        ],
    )


def mask_event(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask credentials in every field of a log event, exception texts included."""
    for name, value in event.items():
        masked = MASK if is_secret_name(name) and value else mask_value(value)
        event[name] = masked
    return event


def _drop_formatted(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what another handler's formatter left on the record; it is no extra."""
    for name in ("message", "asctime"):
        event.pop(name, None)
    return event


def _renderer(format: Literal["json", "console"], colours: bool) -> structlog.typing.Processor:
    if format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )


def _silence() -> None:
    for name in HANDSHAKE_LOGGERS:
        logger = logging.getLogger(name)
        logger.removeFilter(_quiet)
        logger.addFilter(_quiet)
    for name in WIRE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
