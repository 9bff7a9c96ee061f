"""One copy of what many handshakes say alike; pure."""

from __future__ import annotations

from typing import TypeVar

from maim_protocol.bridge import Live, Open

# What everybody says differently fills this; it then begins anew, and the rest is soon back.
LIMIT = 4096

T = TypeVar("T", str, tuple[str, str])


class HandshakeInterner:
    """Gives handshakes back with texts and headers that earlier ones brought, where equal.

    A thousand clients of one kind send the same headers, which would be most of what the router
    keeps of each. Bounded, unlike `sys.intern`, for whoever connects chooses the texts.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._headers: dict[tuple[str, str], tuple[str, str]] = {}

    def open(self, asked: Open) -> Open:
        """Share the platform, the address and the headers of a handshake."""
        return Open(
            asked.conn,
            asked.api_key,
            _share(self._texts, asked.platform),
            asked.label,
            _share(self._texts, asked.client_ip),
            asked.connected_at,
            tuple([self._header(header) for header in asked.headers]),
        )

    def live(self, live: Live) -> Live:
        """Share what the handshake of a connection said that was admitted earlier."""
        return Live(self.open(live.open), live.admission)

    def _header(self, header: tuple[str, str]) -> tuple[str, str]:
        known = self._headers.get(header)
        if known is not None:
            return known
        name, value = header
        return _share(self._headers, (_share(self._texts, name), value))


def _share(known: dict[T, T], value: T) -> T:
    if len(known) >= LIMIT:
        known.clear()
    return known.setdefault(value, value)
