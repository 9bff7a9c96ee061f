"""Writing JSON payloads, and finding the one field that JSON cannot hold; pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_DEEPEST_PATH = 64


def encode_object(value: object) -> bytes:
    """Serialise an object to JSON bytes.

    Raises `TypeError` naming the field that JSON cannot hold by its path, e.g.
    `message_segment.data[2]: cannot be written as JSON: …`.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"payload: expected an object, got {type(value).__name__}")
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        path, why = _deepest_fault(value, _reason(error))
    raise TypeError(f"{path or 'payload'}: cannot be written as JSON: {why}")


def _deepest_fault(value: object, why: str) -> tuple[str, str]:
    """Follow the fault down to the smallest value that cannot be written.

    Something that contains itself has no smallest value: the path is cut then.
    """
    path = ""
    for _ in range(_DEEPEST_PATH):
        fault = _first_fault(value)
        if fault is None:
            break
        step, value, why = fault
        path += step
    return path.lstrip("."), why


def _first_fault(value: object) -> tuple[str, object, str] | None:
    for step, item in _items(value):
        try:
            msgspec.json.encode(item)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return step, item, _reason(error)
    return None


def _items(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(f".{name}", item) for name, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    return []


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply or contains itself"
    return str(error)
