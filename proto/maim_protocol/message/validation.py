"""Checks of decoded JSON that name what is wrong by its path; pure.

A reader takes a value and the path to it, and returns what the record keeps or raises `ValueError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Reader = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Shape:
    """The fields of an object and how each is read."""

    required: Mapping[str, Reader] = field(default_factory=dict)
    optional: Mapping[str, Reader] = field(default_factory=dict)

    def read(self, value: Any, path: str) -> dict[str, Any]:
        """Read the known fields of an object; `null` is the same as a missing field."""
        given = an_object(value, path)
        found = {
            name: reader(given.get(name), join(path, name))
            for name, reader in self.required.items()
        }
        for name, reader in self.optional.items():
            if given.get(name) is not None:
                found[name] = reader(given[name], join(path, name))
        return found


def join(path: str, name: str) -> str:
    """Name a field of what `path` names; the path of the outermost object is empty."""
    return f"{path}.{name}" if path else name


def name_of(value: object) -> str:
    """Say what came in the words of a Python user."""
    return "nothing" if value is None else type(value).__name__


def wrong(path: str, expected: str, value: object) -> ValueError:
    """Build the error that says what was expected where, and what came."""
    where = f"{path}: " if path else ""
    return ValueError(f"{where}expected {expected}, got {name_of(value)}")


def a_string(value: Any, path: str) -> Any:
    """Read a string."""
    return _of((str,), "a string", value, path)


def an_id(value: Any, path: str) -> Any:
    """Read an id: platforms number their users and messages as often as they name them."""
    return _of((str, int), "a string or a whole number", value, path)


def a_number(value: Any, path: str) -> Any:
    """Read a number, kept as it came."""
    return _of((int, float), "a number", value, path)


def a_flag(value: Any, path: str) -> Any:
    """Read `true` or `false`."""
    if isinstance(value, bool):
        return value
    raise wrong(path, "true or false", value)


def an_object(value: Any, path: str) -> Any:
    """Read an object."""
    return _of((Mapping,), "an object", value, path)


def an_object_or_string(value: Any, path: str) -> Any:
    """Read an object or a string."""
    return _of((Mapping, str), "an object or a string", value, path)


def a_list(value: Any, path: str) -> Any:
    """Read a list."""
    return _of((list, tuple), "a list", value, path)


def strings(value: Any, path: str) -> list[Any]:
    """Read a list of strings."""
    return [a_string(item, f"{path}[{index}]") for index, item in enumerate(a_list(value, path))]


def _of(types: Iterable[type], expected: str, value: Any, path: str) -> Any:
    if isinstance(value, tuple(types)) and not isinstance(value, bool):
        return value
    raise wrong(path, expected, value)
