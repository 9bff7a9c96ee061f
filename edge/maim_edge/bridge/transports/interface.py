"""The seam to what carries frames: gRPC, or nothing at all when the router shares the process."""

from __future__ import annotations

from typing import Protocol

from maim_protocol.bridge import RouterStream


class Bridge(Protocol):
    """Makes streams to a router; one contract suite holds for every implementation."""

    async def connect(self) -> RouterStream:
        """Open a stream to a router, without saying hello.

        Raises `RouterUnavailable` when none answers; `AttachRefused` comes from `read`.
        """

    async def close(self) -> None:
        """Release what the bridge itself holds; safe to call twice."""
