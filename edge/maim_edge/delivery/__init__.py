"""From the router to a client: fan-out, what waits in the outbox, what the client is known to have.

Imports bridge and dialects.
"""

from maim_edge.delivery.delivery_window import DeliveryWindow
from maim_edge.delivery.fan_out import FanOut
from maim_edge.delivery.outbox import Outbox, OutFrame
from maim_edge.delivery.overflow import parse_overflow

__all__ = ["DeliveryWindow", "FanOut", "OutFrame", "Outbox", "parse_overflow"]
