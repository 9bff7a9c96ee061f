"""Values that tests of the edge start from."""

from __future__ import annotations

from maim_edge.dialects import Delivery


def delivery(
    msg_id: str = "m1", sender: str = "alice", size: int = 10, number: int = 1
) -> Delivery:
    """A delivery from alice to bob; its payload is no JSON."""
    return Delivery(msg_id, "sys_std", sender, "qq", "bob", "wx", 1.5, (b"x" * size,), number, size)
