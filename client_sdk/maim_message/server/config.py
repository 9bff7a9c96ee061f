"""What a server listens on and whom it calls; every wrong setting is a `ConfigError`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from maim_edge.settings import EdgeSettings
from maim_message.strict_dataclass import CustomHandlers, custom_type, strict, update
from maim_protocol.errors import ConfigError
from maim_router.connection_map import read_session_modes
from maim_runtime.settings import Given, build

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
# How a program calls what the edge calls otherwise.
_NAMES = {
    "tls_cert": "ssl_certfile",
    "tls_key": "ssl_keyfile",
    "tls_client_ca": "ssl_ca_certs",
    "tls_verify_client": "ssl_verify",
}
_POSITIVE = (
    "max_message_size",
    "message_cache_ttl",
    "message_cache_max_size",
    "max_handler_tasks",
    "hook_timeout",
    "stats_interval",
)


@dataclass(frozen=True)
class AuthResult:
    """What `on_auth` may return instead of a bool.

    `error_message` is shown to the refused client, so it must hold no secret.
    """

    success: bool
    user_id: str | None = None
    error_message: str | None = None


@strict
@dataclass(repr=False)
class ServerConfig(CustomHandlers):
    """Where a server listens, whom it calls; times in seconds, sizes in bytes.

    Callbacks may be `def`, `async def` or a lambda. The auth callbacks have `hook_timeout` each
    and never hold up other connections; the others run on the event loop. `message_cache_*` are
    taken for the sake of older programs: what is not settled is always kept.
    """

    host: str = "127.0.0.1"
    port: int = 18040
    path: str = "/ws"

    ssl_enabled: bool = False
    ssl_certfile: str | Path | None = None
    ssl_keyfile: str | Path | None = None
    ssl_ca_certs: str | Path | None = None
    ssl_verify: bool = False

    on_auth: Callable[[dict[str, Any]], Any] | None = None
    on_auth_extract_user: Callable[[dict[str, Any]], Any] | None = None
    on_message: Callable[[Any, dict[str, Any]], Any] | None = None
    on_connect: Callable[[str, dict[str, Any]], Any] | None = None
    on_disconnect: Callable[[str, dict[str, Any]], Any] | None = None
    custom_handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    max_handler_tasks: int = 1000
    handler_order: Literal["concurrent", "sequential"] = "concurrent"
    handler_timeout: float = 0.0
    hook_timeout: float = 10.0
    session_mode: str = "share"

    enable_stats: bool = True
    stats_callback: Callable[[dict[str, Any]], Any] | None = None
    stats_interval: float = 10.0

    log_level: LogLevel = "INFO"
    enable_connection_log: bool = True
    enable_message_log: bool = True
    custom_logger: Any = None

    max_message_size: int = MAX_MESSAGE_BYTES
    enable_message_cache: bool = True
    message_cache_ttl: float = 300
    message_cache_max_size: int = 1000

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ConfigError(f"ServerConfig.{name}: expected more than 0")
        if self.handler_timeout < 0:
            raise ConfigError("ServerConfig.handler_timeout: expected 0 (no limit) or more")
        if not 0 <= self.port <= 65535:
            raise ConfigError("ServerConfig.port: expected 0 (a free one) to 65535")
        if not self.path.startswith("/"):
            raise ConfigError("ServerConfig.path: expected a path such as /ws")
        try:
            read_session_modes(self.session_mode)
        except ValueError as error:
            text = f"expected {error}, got {self.session_mode!r}"
            raise ConfigError(f"ServerConfig.session_mode: {text}") from None
        for name in list(self.custom_handlers):
            self.custom_handlers[custom_type(name)] = self.custom_handlers.pop(name)

    def __repr__(self) -> str:
        """Show where it listens."""
        scheme = "wss" if self.ssl_enabled else "ws"
        return f"ServerConfig({scheme}://{self.host}:{self.port}{self.path})"

    def update(self, **changes: Any) -> None:
        """Change several settings, or none if one of them is wrong (`ConfigError`)."""
        update(self, changes)


def create_server_config(**settings: Any) -> ServerConfig:
    """Build a `ServerConfig`; `settings` are its fields."""
    return ServerConfig(**settings)


def create_ssl_server_config(
    host: str = "127.0.0.1",
    port: int = 18044,
    ssl_certfile: str | Path | None = None,
    ssl_keyfile: str | Path | None = None,
    **settings: Any,
) -> ServerConfig:
    """Build a `ServerConfig` for `wss://`."""
    return ServerConfig(
        host=host,
        port=port,
        ssl_certfile=ssl_certfile,
        ssl_keyfile=ssl_keyfile,
        **{**settings, "ssl_enabled": True},
    )


def edge_settings(config: ServerConfig, **more: Any) -> EdgeSettings:
    """Derive the settings of the config's edge; raises `ConfigError` for an unusable file."""
    values: dict[str, Any] = {
        "host": config.host,
        "port": config.port,
        "path": config.path,
        "max_message_size": config.max_message_size,
        "admin_port": -1,
        "log_level": config.log_level,
        **more,
    }
    if config.ssl_enabled:
        if config.ssl_certfile is None or config.ssl_keyfile is None:
            raise ConfigError("ServerConfig.ssl_certfile and ssl_keyfile: expected two files")
        values |= {
            "tls_cert": config.ssl_certfile,
            "tls_key": config.ssl_keyfile,
            "tls_client_ca": config.ssl_ca_certs,
            "tls_verify_client": config.ssl_verify,
        }
    named = {name: Given(value, _NAMES.get(name, name)) for name, value in values.items()}
    return build(EdgeSettings, named)
