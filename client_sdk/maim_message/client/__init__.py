"""The WebSocket client of the SDK; it needs a WebSocket library and a JSON library, no more."""

from __future__ import annotations

from maim_message.client.client import WebSocketClient
from maim_message.client.configuration import (
    ClientConfig,
    MultiClientConfig,
    create_client_config,
    create_multi_client_config,
    create_multi_client_config_with_connections,
    create_ssl_client_config,
)
from maim_message.client.multi import WebSocketMultiClient
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg

__all__ = [
    "APIMessageBase",
    "BaseMessageInfo",
    "ClientConfig",
    "MessageDim",
    "MultiClientConfig",
    "Seg",
    "WebSocketClient",
    "WebSocketMultiClient",
    "create_client_config",
    "create_multi_client_config",
    "create_multi_client_config_with_connections",
    "create_ssl_client_config",
]
