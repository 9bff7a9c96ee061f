"""Signs whom a router let in, so that a later one can believe it: pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import replace

from maim_protocol.bridge import Admission, Live, Open
from maim_router.events import EdgeKey

KEY_BYTES = 32


class Signer:
    """Proofs by HMAC-SHA256 (RFC 2104) under a key that only routers have.

    A proof is for one connection of one run of one edge: an edge that announces another
    connection, another user or another's connection has none.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(KEY_BYTES)

    def sign(self, edge: EdgeKey, asked: Open, admission: Admission) -> Admission:
        """Add the proof to an admission."""
        return replace(admission, proof=self._proof(edge, asked, admission))

    def verifies(self, edge: EdgeKey, live: Live) -> bool:
        """Tell whether a router with this key admitted what an edge announces."""
        proof = self._proof(edge, live.open, live.admission)
        return hmac.compare_digest(proof, live.admission.proof)

    def partition(self, edge: EdgeKey, lives: Iterable[Live]) -> tuple[list[Live], list[Live]]:
        """Sort what an edge announces: with a proof that holds, and without."""
        proven: list[Live] = []
        unproven: list[Live] = []
        for live in lives:
            (proven if self.verifies(edge, live) else unproven).append(live)
        return proven, unproven

    def _proof(self, edge: EdgeKey, asked: Open, admission: Admission) -> bytes:
        parts = (
            edge.edge_id,
            str(edge.epoch),
            str(asked.conn),
            asked.api_key,
            asked.platform,
            asked.label,
            admission.connection_uuid,
            admission.user_id,
        )
        text = b"".join(len(part).to_bytes(8, "big") + part for part in map(_encoded, parts))
        return hmac.digest(self._key, text, hashlib.sha256)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
