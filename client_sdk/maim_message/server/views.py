"""What a `WebSocketServer` shows of its node: plain values, no credentials."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from maim_message.server.config import ServerConfig
from maim_protocol.addresses import parse_address
from maim_protocol.errors import ConfigError
from maim_router.connection_map import Entry
from maim_router.hub import Counters
from maim_router.node import Node
from maim_router.settings import RouterSettings
from maim_runtime.settings import build


def info(entry: Entry) -> dict[str, Any]:
    """What is known of a connection."""
    return {
        "uuid": entry.uuid,
        "user_id": entry.user_id,
        "platform": entry.platform,
        "client_ip": entry.client_ip,
        "connected_at": entry.connected_at,
    }


def outgoing(api_key: str, platform: str) -> dict[str, Any]:
    """What `on_auth_extract_user` is told of a receiver's key."""
    return {
        "api_key": api_key,
        "platform": platform,
        "message_type": "outgoing",
        "timestamp": time.time(),
    }


def stats(node: Node | None) -> dict[str, Any]:
    """Numbers of a node; zeros without one."""
    counters = node.hub.counters if node is not None else Counters()
    return {
        "current_users": node.connections.user_count() if node is not None else 0,
        "current_connections": len(node.connections) if node is not None else 0,
        "active_handler_tasks": node.handlers.active if node is not None else 0,
        "handler_errors": node.handlers.errors if node is not None else 0,
        **dataclasses.asdict(counters),
    }


def coroutine_status(node: Node | None, running: bool, config: ServerConfig) -> dict[str, Any]:
    """What runs inside a server."""
    return {
        "server_running": running,
        "active_handler_tasks": node.handlers.active if node is not None else 0,
        "waiting_handler_tasks": node.handlers.waiting if node is not None else 0,
        "attached_edges": len(node.links) if node is not None else 0,
        "active_connections": len(node.connections) if node is not None else 0,
        "registered_users": node.connections.user_count() if node is not None else 0,
        "custom_handlers": len(config.custom_handlers),
    }


def router_settings(address: str) -> RouterSettings:
    """Settings of a router that listens on `address` only."""
    if address.startswith("unix:"):
        return build(RouterSettings, {"host": address, "admin_port": -1})
    try:
        parsed = parse_address(address)
    except ValueError as error:
        raise ConfigError(f"bridge_address: expected {error}, got {address!r}") from None
    return build(RouterSettings, {"host": parsed.host, "port": parsed.port, "admin_port": -1})
