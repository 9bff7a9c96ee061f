"""What clients speak: one codec a dialect, pure.

Imports nothing but the protocol.
"""

from maim_edge.dialects.bare import BARE
from maim_edge.dialects.envelope import ENVELOPE
from maim_edge.dialects.interface import Delivery, Dialect, Pieces

__all__ = ["BARE", "ENVELOPE", "Delivery", "Dialect", "Pieces"]
