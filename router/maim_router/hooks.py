"""The application's callbacks: plain Python, sync or async."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from maim_protocol.envelope import CUSTOM_PREFIX, SYS_STD
from maim_protocol.message import APIMessageBase

Metadata = dict[str, Any]
AuthCallback = Callable[[Metadata], Any]
MessageCallback = Callable[[APIMessageBase, Metadata], Any]
CustomCallback = Callable[[Any, Metadata], Any]
ConnectionCallback = Callable[[str, Metadata], Any]


@dataclass(slots=True)
class Hooks:
    """Callbacks of one router. `custom_handlers` may change while it runs."""

    on_auth: AuthCallback | None = None
    on_auth_extract_user: AuthCallback | None = None
    on_message: MessageCallback | None = None
    on_connect: ConnectionCallback | None = None
    on_disconnect: ConnectionCallback | None = None
    custom_handlers: dict[str, CustomCallback] = field(default_factory=dict)

    def __contains__(self, type: object) -> bool:
        """Whether a handler takes messages of this type."""
        if type == SYS_STD:
            return self.on_message is not None
        return type in self.custom_handlers

    @classmethod
    def of(cls, config: Any) -> Hooks:
        """Read the callbacks off any object that has attributes of these names."""
        hooks = cls(
            on_auth=getattr(config, "on_auth", None),
            on_auth_extract_user=getattr(config, "on_auth_extract_user", None),
            on_message=getattr(config, "on_message", None),
            on_connect=getattr(config, "on_connect", None),
            on_disconnect=getattr(config, "on_disconnect", None),
        )
        for name, handler in (getattr(config, "custom_handlers", None) or {}).items():
            hooks.custom_handlers[custom_type(name)] = handler
        return hooks


def custom_type(name: str) -> str:
    """Add `custom_` to the name of a message type where it is missing."""
    return name if name.startswith(CUSTOM_PREFIX) else CUSTOM_PREFIX + name


async def call(callback: Callable[..., Any], *args: Any) -> Any:
    """Call a callback on the event loop, awaiting what it returns when that can be awaited."""
    result = callback(*args)
    return await own_result(result) if inspect.isawaitable(result) else result


async def own_result(result: Awaitable[Any]) -> Any:
    """Await what a callback returned.

    That something the callback waited for was cancelled is an error of the callback; it must
    not look as if its caller were cancelled.
    """
    try:
        return await result
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("what the callback waited for was cancelled") from None
