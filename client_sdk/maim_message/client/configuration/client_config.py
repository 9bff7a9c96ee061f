"""What a client connects to and how it behaves; every wrong setting is a `ConfigError`."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Optional, Union
from urllib.parse import urlsplit, urlunsplit

from maim_message.strict_dataclass import CustomHandlers, custom_type, strict, update
from maim_protocol.errors import ConfigError

MAX_SIZE_BYTES = 104_857_600
LABEL_MAX_CHARS = 128
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
_SCHEMES = ("ws", "wss")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h", "socks4", "socks4a")
_POSITIVE = (
    "reconnect_delay",
    "max_reconnect_delay",
    "connect_timeout",
    "close_timeout",
    "max_size",
    "message_cache_ttl",
    "message_cache_max_size",
    "message_cache_max_bytes",
    "max_handler_tasks",
)


@strict
@dataclass(repr=False)
class ClientConfig(CustomHandlers):
    """One connection's settings and the callbacks; times in seconds, sizes in bytes.

    `get_api_key()`, sync or async, is asked before every handshake and wins over `api_key`.
    `max_reconnect_attempts` counts failures in a row, 0 means never give up. A ping setting of
    0 or `None` switches that off. `proxy` is `auto` (what the environment names, never for
    loopback), `off`, or a URL. `compression` offers permessage-deflate: less traffic for much
    more work. `message_cache_*` bound what is kept for a resend. The custom handler `*` takes
    every type that has none of its own.
    """

    url: str
    api_key: str = ""
    platform: str = "default"
    connection_uuid: Optional[str] = None

    ssl_enabled: bool = False
    ssl_verify: bool = True
    ssl_ca_certs: Union[str, Path, None] = None
    ssl_certfile: Union[str, Path, None] = None
    ssl_keyfile: Union[str, Path, None] = None
    ssl_check_hostname: bool = True

    auto_reconnect: bool = True
    max_reconnect_attempts: int = 0
    reconnect_delay: float = 1.0
    max_reconnect_delay: float = 30.0
    connect_timeout: float = 10.0
    proxy: str = "auto"

    ping_interval: Optional[float] = 20
    ping_timeout: Optional[float] = 10
    close_timeout: float = 10
    max_size: int = MAX_SIZE_BYTES
    compression: bool = False

    on_connect: Optional[Callable[[str, ClientConfig], Any]] = None
    on_disconnect: Optional[Callable[[str, Optional[str]], Any]] = None
    on_message: Optional[Callable[[Any, dict[str, Any]], Any]] = None
    on_decode_error: Optional[Callable[[bytes, dict[str, Any], Exception], Any]] = None
    custom_handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    max_handler_tasks: int = 1000

    headers: dict[str, str] = field(default_factory=dict)
    get_api_key: Optional[Callable[[], Union[str, Awaitable[str]]]] = None

    log_level: LogLevel = "INFO"
    enable_connection_log: bool = True
    enable_message_log: bool = True
    custom_logger: Any = None
    enable_stats: bool = True
    stats_callback: Optional[Callable[[dict[str, Any]], Any]] = None

    enable_message_cache: bool = True
    message_cache_ttl: float = 300
    message_cache_max_size: int = 1000
    message_cache_max_bytes: int = 2 * MAX_SIZE_BYTES

    def __post_init__(self) -> None:
        secure = _checked_scheme(self.url) == "wss"
        if self.ssl_enabled and not secure:
            raise ConfigError("ClientConfig.ssl_enabled: expected a url of wss://…, got ws://…")
        self.ssl_enabled = secure
        if not self.api_key and self.get_api_key is None:
            raise ConfigError("ClientConfig.api_key: expected a non-empty string or get_api_key")
        if not self.platform:
            raise ConfigError("ClientConfig.platform: expected a non-empty string")
        _check_label(self.connection_uuid)
        _check_proxy(self.proxy)
        _check_headers(self.headers)
        if self.ssl_keyfile is not None and self.ssl_certfile is None:
            raise ConfigError("ClientConfig.ssl_keyfile: expected ssl_certfile beside it")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ConfigError(f"ClientConfig.{name}: expected more than 0")
        handlers = self.custom_handlers.items()
        self.custom_handlers = {custom_type(name): handler for name, handler in handlers}

    def __repr__(self) -> str:
        """Show where and as what it connects; never a credential."""
        shown = {"url": shown_url(self.url), "api_key": "***", "platform": self.platform}
        parts = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        return f"ClientConfig({parts}, connection_uuid={self.connection_uuid!r})"

    def update(self, **changes: Any) -> None:
        """Change several settings, or none if one of them is wrong (`ConfigError`)."""
        if "url" in changes:
            changes.setdefault("ssl_enabled", False)  # follows the new address
        update(self, changes)


def create_client_config(
    url: str, api_key: str = "", platform: str = "default", **settings: Any
) -> ClientConfig:
    """Build a `ClientConfig`; `settings` are its fields."""
    return ClientConfig(url, api_key, platform, **settings)


def create_ssl_client_config(
    url: Optional[str] = None,
    host: str = "localhost",
    port: int = 18044,
    api_key: str = "",
    path: str = "/ws",
    **settings: Any,
) -> ClientConfig:
    """Build a `ClientConfig` for `wss://`, from a whole `url` or else from its parts."""
    if url is None:
        url = f"wss://{host}:{port}{path}"
    return ClientConfig(url, api_key, **{**settings, "ssl_enabled": True})


def derived(
    config: ClientConfig, url: str, api_key: str, platform: str, changes: dict[str, Any]
) -> ClientConfig:
    """Build the settings of a further connection of the same client, under a label of its own."""
    own = {"connection_uuid": None, "get_api_key": None, "ssl_enabled": False, **changes}
    return dataclasses.replace(config, url=url, api_key=api_key, platform=platform, **own)


def new_label() -> str:
    """Make a resume label for a connection whose user gave none."""
    return str(uuid.uuid4())


def shown_url(url: str) -> str:
    """Return what of an address may be shown: no query, no password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _checked_scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme in _SCHEMES and parts.hostname and parts.port != 0:
            return parts.scheme
    except ValueError:
        pass
    raise ConfigError("ClientConfig.url: expected ws://host:port/path or wss://host:port/path")


def _check_label(label: str | None) -> None:
    if label is None:
        return
    if not (1 <= len(label) <= LABEL_MAX_CHARS and label.isascii() and label.isprintable()):
        text = f"expected 1 to {LABEL_MAX_CHARS} printable ASCII characters"
        raise ConfigError(f"ClientConfig.connection_uuid: {text}")


def _check_proxy(proxy: str) -> None:
    url = urlsplit(proxy) if "://" in proxy else None
    known = url is not None and url.scheme in _PROXY_SCHEMES and url.hostname
    if proxy not in ("auto", "off") and not known:
        text = (
            "expected auto, off, or a URL of http, https or socks5, such as http://127.0.0.1:7890"
        )
        raise ConfigError(f"ClientConfig.proxy: {text}")


def _check_headers(headers: dict[str, str]) -> None:
    for name, value in headers.items():
        if not all(text.isascii() and text.isprintable() for text in (name, value)):
            raise ConfigError(f"ClientConfig.headers: {name!r}: expected printable ASCII")
