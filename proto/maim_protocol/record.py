"""What every part of a message can do: write itself to a JSON object and read itself; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, cast

from maim_protocol.reading import Shape, a_list, a_string, an_object, join

DEEPEST_SEGMENT = 100


class Record:
    """Base of the message's dataclasses: fields are written in order and read by `_shape`."""

    _shape: ClassVar[Shape] = Shape()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of this record; fields that are `None` are left out."""
        names = [field.name for field in fields(cast("Any", self))]
        values = ((name, getattr(self, name)) for name in names)
        return {name: _plain(value) for name, value in values if value is not None}

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


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
