"""What an application gives the router to call, and calling it so that it harms nobody.

Imports nothing but the protocol.
"""

from maim_router.hooks.callbacks import (
    AuthCallback,
    ConnectionCallback,
    Hooks,
    Metadata,
    call,
    custom_type,
)
from maim_router.hooks.executor import CallbackExecutor, NoPlace

__all__ = [
    "AuthCallback",
    "CallbackExecutor",
    "ConnectionCallback",
    "Hooks",
    "Metadata",
    "NoPlace",
    "call",
    "custom_type",
]
