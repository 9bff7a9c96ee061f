"""Strict dataclasses: a setting's wrong name or type is a `ConfigError` that names it.

Rule of the file: no value is ever part of a text, since it may be a credential.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from maim_protocol.envelope import CUSTOM_PREFIX
from maim_protocol.errors import ConfigError

T = TypeVar("T")
# Python 3.9 knows no `X | Y`.
_UNIONS = (Union, getattr(types, "UnionType", Union))

_WORDS: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a dictionary",
    list: "a list",
    Path: "a path",
    type(None): "None",
    collections.abc.Callable: "a callable",
}


def strict(cls: type[T]) -> type[T]:
    """Make a dataclass check names and types, when it is built and at every assignment.

    `__post_init__` runs after the types were checked, so that it may judge the values.
    """
    init = cls.__init__
    names = [field.name for field in dataclasses.fields(typing.cast("Any", cls)) if field.init]

    @functools.wraps(init)
    def checked_init(self: T, *args: Any, **kwargs: Any) -> None:
        _check_names(cls, names, kwargs)
        _check_required(cls, {*names[: len(args)], *kwargs})
        init(self, *args, **kwargs)

    def checked_setattr(self: T, name: str, value: object) -> None:
        check_field(cls, name, value)
        object.__setattr__(self, name, value)

    for method, code in (("__init__", checked_init), ("__setattr__", checked_setattr)):
        setattr(cls, method, code)
    return cls


def update(config: Any, changes: dict[str, Any]) -> None:
    """Change several fields of a strict dataclass, or none: raises `ConfigError` before any."""
    changed = dataclasses.replace(config, **changes)
    for field in dataclasses.fields(config):
        setattr(config, field.name, getattr(changed, field.name))


def check_field(cls: type, name: str, value: object) -> None:
    """Raise `ConfigError` unless `cls` has a field of this name and type."""
    hints = _hints(cls)
    _check_names(cls, hints, [name])
    if not _fits(value, hints[name]):
        expected = _describe(hints[name])
        raise ConfigError(f"{cls.__name__}.{name}: expected {expected}, got {_came(value)}")


class CustomHandlers:
    """Registration of handlers for custom types, for a config with a `custom_handlers` field."""

    custom_handlers: dict[str, Callable[..., Any]]

    def register_custom_handler(self, message_type: str, handler: Callable[..., Any]) -> None:
        """Let `handler(payload, metadata)` take the messages of a custom type.

        `custom_` is added to the type when missing; an earlier handler of the type is replaced.
        """
        if not callable(handler):
            raise ConfigError(f"custom handler: expected a callable, got {_came(handler)}")
        self.custom_handlers[custom_type(message_type)] = handler

    def unregister_custom_handler(self, message_type: str) -> None:
        """Forget the handler of a custom type; one that is not there is no error."""
        self.custom_handlers.pop(custom_type(message_type), None)


def custom_type(name: str) -> str:
    """Return the wire's name of a custom type: `custom_` is added when missing."""
    return name if name.startswith(CUSTOM_PREFIX) else f"{CUSTOM_PREFIX}{name}"


def _check_names(cls: type, known: Iterable[str], given: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{cls.__name__} has no setting {name!r}{hint}")


def _check_required(cls: type, given: set[str]) -> None:
    for field in dataclasses.fields(typing.cast("Any", cls)):
        optional = (field.default, field.default_factory) != (dataclasses.MISSING,) * 2
        if field.init and not optional and field.name not in given:
            expected = _describe(_hints(cls)[field.name])
            raise ConfigError(f"{cls.__name__}.{field.name}: expected {expected}, got nothing")


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    known = {field.name for field in dataclasses.fields(typing.cast("Any", cls))}
    hints = typing.get_type_hints(cls)
    return {name: hint for name, hint in hints.items() if name in known}


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in _UNIONS:
        return any(_fits(value, part) for part in arguments)
    if origin is Literal:
        return value in arguments
    if origin is collections.abc.Callable:
        return callable(value)
    if origin is dict:
        return isinstance(value, dict) and _all_fit(value.items(), arguments)
    if origin in (list, set, tuple):
        return isinstance(value, origin) and all(_fits(item, arguments[0]) for item in value)
    return _is_one(value, hint)


def _all_fit(items: Iterable[tuple[object, object]], hints: tuple[Any, ...]) -> bool:
    return all(_fits(key, hints[0]) and _fits(value, hints[1]) for key, value in items)


def _is_one(value: object, cls: type) -> bool:
    if isinstance(value, bool):
        return cls in (bool, object)
    return isinstance(value, (int, float) if cls is float else cls)


def _describe(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return " or ".join(_describe(part) for part in arguments)
    if origin is Literal:
        return " or ".join(repr(choice) for choice in arguments)
    if origin is dict:
        return f"a dictionary of {_plural(arguments[0])} to {_plural(arguments[1])}"
    if origin is not None:
        return _WORDS.get(origin, str(origin))
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _plural(hint: Any) -> str:
    words = _describe(hint)
    return f"{words.removeprefix('a ').removeprefix('an ')}s" if words.startswith("a") else words


def _came(value: object) -> str:
    return "None" if value is None else type(value).__name__
