"""The application behind a router: found by name, and made into a node."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

from maim_protocol.addresses import is_loopback
from maim_protocol.errors import ConfigError
from maim_router.auth import ApiKeys, Auth, CallbackAuth, KeyFileAuth, OpenAuth, Signer
from maim_router.connection_map import MemoryConnectionMap, SessionModes, read_session_modes
from maim_router.hooks import Hooks
from maim_router.mailbox import Bounds, Mailbox, open_mailbox
from maim_router.node import Node, NodeOptions
from maim_router.settings import RouterSettings
from maim_runtime.masking import mask_text

log = logging.getLogger(__name__)

# With the ends of gRPC and the admin port, a process ends within 5 s of a SIGTERM.
STOP_TIMEOUT = 1.5
CALLBACKS = ("on_auth", "on_auth_extract_user", "on_message", "custom_handlers")
WAYS = (
    "set on_auth or on_auth_extract_user (MAIM_ROUTER_APP=module:attribute names what has them), "
    "or MAIM_ROUTER_API_KEYS_FILE (made by `maim keys add USER`), or listen on 127.0.0.1"
)


def load_app(name: str) -> Any:
    """Import `module:attribute`; the working folder counts as an import path.

    The attribute is a `ServerConfig`, anything else with its callbacks, or a `WebSocketServer`.
    Raises `ConfigError` of one line.
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise ConfigError(f"app: expected module:attribute, got {name!r}")
    found = _import(name, module_name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ConfigError(f"app {name}: the module {module_name} has no {attribute}")
        found = getattr(found, part)
    if isinstance(found, Hooks) or any(hasattr(config_of(found), one) for one in CALLBACKS):
        return found
    expected = "a ServerConfig, or an object with on_auth, on_message, custom_handlers"
    raise ConfigError(f"app {name}: expected {expected}, got {type(found).__name__}")


def config_of(app: Any) -> Any:
    """Tell what of an app has the callbacks: its `config` where it can be bound to a node."""
    return app.config if hasattr(app, "bind_node") else app


def build_node(app: Any, settings: RouterSettings, *, loopback: bool | None = None) -> Node:
    """Make a node for an app (None: without callbacks) and tell the app of it.

    `loopback` says whether only this machine reaches it, by the settings' address unless given.
    Raises `ConfigError` when nothing says who may come in and others could reach it.
    """
    config = config_of(app)
    hooks = config if isinstance(config, Hooks) else Hooks.of(config)
    if loopback is None:
        loopback = is_loopback(settings.address)
    auth = _choose_auth(hooks, settings, loopback)
    node = Node(
        hooks,
        auth,
        _options(config, settings),
        MemoryConnectionMap(_session_modes(config, settings)),
        mailbox=_mailbox(settings),
        signer=_signer(settings),
    )
    if app is not config:
        app.bind_node(node)
    return node


def _import(name: str, module_name: str) -> Any:
    if "" not in sys.path and "." not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        text = " ".join(mask_text(f"{type(error).__name__}: {error}").split())
        raise ConfigError(f"app {name}: cannot be imported: {text}") from error


def _choose_auth(hooks: Hooks, settings: RouterSettings, loopback: bool) -> Auth:
    keys = ApiKeys(settings.api_keys_file) if settings.api_keys_file else None
    if hooks.on_auth is not None or hooks.on_auth_extract_user is not None:
        if keys is not None:
            log.warning("api_keys_file is not used: the app has auth callbacks")
        return CallbackAuth(hooks, settings.hook_timeout)
    if keys is not None:
        return KeyFileAuth(keys)
    if not loopback:
        raise ConfigError(f"nothing says who may come in: {WAYS}")
    log.warning("everybody is let in as the user of their key's name: no keys, no on_auth")
    return OpenAuth()


def _session_modes(config: Any, settings: RouterSettings) -> SessionModes:
    text = settings.session_mode
    if "session_mode" not in settings.model_fields_set:
        text = getattr(config, "session_mode", text)
    return read_session_modes(text)


def _mailbox(settings: RouterSettings) -> Mailbox | None:
    if not settings.mailbox_messages:
        return None
    bounds = Bounds(settings.mailbox_messages, settings.mailbox_bytes, settings.mailbox_total_bytes)
    return open_mailbox(settings.mailbox, bounds)


def _signer(settings: RouterSettings) -> Signer:
    key = settings.signing_key
    return Signer(key.get_secret_value().encode() if key is not None else None)


def _options(config: Any, settings: RouterSettings) -> NodeOptions:
    defaults = NodeOptions()

    def seconds(name: str) -> float:
        """What is set, else what the application's config says."""
        value: float = getattr(settings, name)
        return value if name in settings.model_fields_set else getattr(config, name, value)

    return NodeOptions(
        hook_timeout=seconds("hook_timeout"),
        handler_timeout=seconds("handler_timeout"),
        dedup_window=settings.dedup_window,
        resolve_ttl=settings.resolve_ttl,
        mailbox_ttl=settings.mailbox_ttl,
        ack=settings.ack,
        stop_timeout=STOP_TIMEOUT,
        max_handler_tasks=getattr(config, "max_handler_tasks", defaults.max_handler_tasks),
        handler_order=getattr(config, "handler_order", defaults.handler_order),
    )
