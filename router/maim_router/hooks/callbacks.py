"""The application's callbacks: plain Python, sync or async."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from maim_protocol.envelope import CUSTOM_PREFIX, SYS_STD
from maim_protocol.errors import ConfigError
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
        """Read the callbacks off any object that has attributes of these names.

        Raises `ConfigError` for one that cannot be called.
        """
        hooks = cls(
            on_auth=_callback(config, "on_auth"),
            on_auth_extract_user=_callback(config, "on_auth_extract_user"),
            on_message=_callback(config, "on_message"),
            on_connect=_callback(config, "on_connect"),
            on_disconnect=_callback(config, "on_disconnect"),
        )
        for name, handler in (getattr(config, "custom_handlers", None) or {}).items():
            hooks.custom_handlers[custom_type(name)] = _checked(
                f"custom_handlers[{name!r}]", handler
            )
        return hooks


def custom_type(name: str) -> str:
    """Add `custom_` to the name of a message type where it is missing."""
    return name if name.startswith(CUSTOM_PREFIX) else CUSTOM_PREFIX + name


def _callback(config: Any, name: str) -> Any:
    return _checked(name, getattr(config, name, None))


def _checked(name: str, found: Any) -> Any:
    if found is None or callable(found):
        return found
    raise ConfigError(f"{name}: expected something to call, got {type(found).__name__}")


async def call(callback: Callable[..., Any], *args: Any) -> Any:
    """Call a callback on the event loop, awaiting what it returns when that can be awaited.

    Raises an `Exception` whatever the callback raised, but for what somebody else raised in it:
    Ctrl-C and the cancelling of the caller.
    """
    try:
        result = callback(*args)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise as_error(error) from error
    if result is None:
        return None  # what most return that are no coroutines; asking costs more than the call
    return await await_result(result) if inspect.isawaitable(result) else result


async def await_result(result: Awaitable[Any]) -> Any:
    """Await what a callback returned; raises as `call`.

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
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise as_error(error) from error


def as_error(error: BaseException) -> Exception:
    """Make a plain error of what would end the event loop or the caller's task (`SystemExit`)."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"the callback raised {type(error).__name__}")
