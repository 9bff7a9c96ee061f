"""Which of several connections a message goes out on; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Route(Protocol):
    """What a connection is known by: as whom it authenticates, and on which platform."""

    @property
    def api_key(self) -> str: ...

    @property
    def platform(self) -> str: ...

    @property
    def connected(self) -> bool: ...


R = TypeVar("R", bound=Route)


def pick(routes: Iterable[R], api_key: str, platform: str) -> R | None:
    """Pick a route by api_key and platform, then by api_key, then by platform, else the first.

    Among equals one that is connected comes first, then the order of `routes`.
    """

    def rank(route: R) -> tuple[bool, bool, bool]:
        return (route.api_key != api_key, route.platform != platform, not route.connected)

    return min(routes, key=rank, default=None)
