"""What every part of a message can do: write itself to a JSON object and read itself; pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from maim_protocol.message.validation import Shape, a_list, a_string, an_object, join

if TYPE_CHECKING:
    from typing import Self

DEEPEST_SEGMENT = 100
# Of these nothing has to be looked into when a record is written.
_AS_IT_IS = frozenset({str, int, float, bool, dict, type(None)})


class Record:
    """Base of the message's dataclasses: fields are written in order and read by `_shape`."""

    _shape: ClassVar[Shape] = Shape()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of this record; fields that are `None` are left out."""
        kind: type = type(self)
        found = {}
        for name in _names(kind):
            value = getattr(self, name)
            if value is not None:
                found[name] = value if type(value) in _AS_IT_IS else _plain(value)
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build a record from its JSON object; unknown fields are ignored.

        Raises `ValueError` naming the missing or ill-typed field by its path, e.g.
        `message_info.time: expected a number, got str`.
        """
        return cls.read(data, "")

    @classmethod
    def read(cls, value: Any, path: str) -> Self:
        """Build a record from what stands at `path` of a larger object."""
        return cls(**cls._shape.read(value, path))


@dataclass
class Seg(Record):
    """A piece of content; the `data` of a `seglist` is a list of segments."""

    type: str
    data: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object; `data` is always there, even when it is `None`."""
        return {"type": self.type, "data": _plain(self.data)}

    @classmethod
    def read(cls, value: Any, path: str) -> Self:
        """Build a segment with all that it nests."""
        if path.count("[") > DEEPEST_SEGMENT:
            raise ValueError(f"{path[:64]}…: segments are nested deeper than {DEEPEST_SEGMENT}")
        given = an_object(value, path)
        kind = a_string(given.get("type"), join(path, "type"))
        inside = join(path, "data")
        if "data" not in given:
            raise ValueError(f"{inside}: expected the segment's content, got nothing")
        data = given["data"]
        if kind == "seglist":
            listed = enumerate(a_list(data, inside))
            data = [cls.read(item, f"{inside}[{index}]") for index, item in listed]
        return cls(kind, data)


def nest_segments(segment: Seg, depth: int = 0) -> None:
    """Turn the objects that a `seglist` was read with into segments.

    Raises `msgspec.ValidationError` for what `Seg.read` may have to refuse.
    """
    if segment.type != "seglist":
        return
    if depth >= DEEPEST_SEGMENT:
        raise msgspec.ValidationError("segments may be nested too deeply")
    segment.data = msgspec.convert(segment.data, list[Seg])
    for inner in segment.data:
        nest_segments(inner, depth + 1)


@functools.cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
