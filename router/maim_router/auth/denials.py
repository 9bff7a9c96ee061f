"""Whom the operator has locked out, until the router restarts: pure."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 10_000


@dataclass(frozen=True, slots=True, repr=False)
class Denial:
    """New connections that match every part that is not empty are refused."""

    user_id: str = ""
    platform: str = ""
    api_key: str = ""

    def matches(self, user_id: str, platform: str, api_key: str) -> bool:
        """Whether a connection falls under it."""
        parts = ((self.user_id, user_id), (self.platform, platform), (self.api_key, api_key))
        return all(not wanted or wanted == there for wanted, there in parts)


class Denials:
    """A bounded set of denials; the oldest gives way."""

    def __init__(self) -> None:
        self._denials: dict[Denial, None] = {}

    def add(self, denial: Denial) -> None:
        """Refuse from now on."""
        self._denials[denial] = None
        if len(self._denials) > LIMIT:
            del self._denials[next(iter(self._denials))]

    def match(self, user_id: str, platform: str, api_key: str) -> bool:
        """Whether anything forbids this connection."""
        return any(denial.matches(user_id, platform, api_key) for denial in self._denials)
