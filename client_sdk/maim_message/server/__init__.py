"""The server half of the SDK: router and edge in one object."""

from __future__ import annotations

from maim_message.message import (
    APIMessageBase,
    BaseMessageInfo,
    FormatInfo,
    GroupInfo,
    InfoBase,
    MessageDim,
    ReceiverInfo,
    Seg,
    SenderInfo,
    TemplateInfo,
    UserInfo,
)
from maim_message.server.config import (
    AuthResult,
    ServerConfig,
    create_server_config,
    create_ssl_server_config,
)
from maim_message.server.config_manager import ConfigManager
from maim_message.server.serving import serve
from maim_message.server.websocket_server import WebSocketServer
from maim_router.bridge import DeliveryReport, DeliveryResult, Outcome

__all__ = [
    "APIMessageBase",
    "AuthResult",
    "BaseMessageInfo",
    "ConfigManager",
    "DeliveryReport",
    "DeliveryResult",
    "FormatInfo",
    "GroupInfo",
    "InfoBase",
    "MessageDim",
    "Outcome",
    "ReceiverInfo",
    "Seg",
    "SenderInfo",
    "ServerConfig",
    "TemplateInfo",
    "UserInfo",
    "WebSocketServer",
    "create_server_config",
    "create_ssl_server_config",
    "serve",
]
