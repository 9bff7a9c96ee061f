"""The SDK's root: its version, and a signpost from the legacy names to where things are now.

Nothing is imported here, so that a client pays for a client only.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

_DISTRIBUTION = "maim-message"
_MESSAGE = "maim_message.message"
_CLIENT = "maim_message.client"
_SUCCESSORS = {
    "MessageBase": f"{_MESSAGE}.APIMessageBase",
    "Seg": f"{_MESSAGE}.Seg",
    "GroupInfo": f"{_MESSAGE}.GroupInfo",
    "UserInfo": f"{_MESSAGE}.UserInfo",
    "FormatInfo": f"{_MESSAGE}.FormatInfo",
    "TemplateInfo": f"{_MESSAGE}.TemplateInfo",
    "BaseMessageInfo": f"{_MESSAGE}.BaseMessageInfo",
    "InfoBase": f"{_MESSAGE}.InfoBase",
    "SenderInfo": f"{_MESSAGE}.SenderInfo",
    "ReceiverInfo": f"{_MESSAGE}.ReceiverInfo",
    "MessageClient": f"{_CLIENT}.WebSocketClient",
    "MessageServer": "maim_message.server.WebSocketServer",
    "Router": f"{_CLIENT}.WebSocketMultiClient",
    "RouteConfig": f"{_CLIENT}.MultiClientConfig",
    "TargetConfig": f"{_CLIENT}.ClientConfig",
}

__version__: str


def __getattr__(name: str) -> Any:
    """Find the version; refuse a legacy name with an `ImportError` that names its successor.

    An `AttributeError` would reach the user as a bare "cannot import name".
    """
    if name == "__version__":
        return _version()
    if name in _SUCCESSORS:
        module, _, successor = _SUCCESSORS[name].rpartition(".")
        raise ImportError(
            f"cannot import {name!r} from 'maim_message': the legacy API is not part of this "
            f"version; use `from {module} import {successor}`",
            name="maim_message",
        )
    raise AttributeError(f"module 'maim_message' has no attribute {name!r}")


def _version() -> str:
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0+unknown"
