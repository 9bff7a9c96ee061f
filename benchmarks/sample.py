"""One measurement of one system: figures by name, and what was wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sample:
    """`figures` hold what rows have goals for, `notes` the rest: rates, parts, the generator."""

    figures: dict[str, float]
    notes: dict[str, float] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain values."""
        return asdict(self)
