from maim_message.message import (
    APIMessageBase,
    MessageDim,
    BaseMessageInfo,
    Seg,
    GroupInfo,
    UserInfo,
    InfoBase,
    SenderInfo,
    ReceiverInfo,
    FormatInfo,
    TemplateInfo,
)

from maim_message.server import (
    WebSocketServer,
    ServerConfig,
    AuthResult,
    ConfigManager,
    create_server_config,
)

# ✅ WebSocket客户端组件
from maim_message.client import (
    WebSocketClient,      # WebSocket客户端业务层API
    ClientConfig,
    create_client_config,
)
