"""One attached edge as the router sees it: hello, what waits, what is in flight, outcomes.

No transport: that is in `grpc_server`. Imports auth, the connection map and the protocol.
"""

from maim_router.bridge.hello import check_hello, read_hello, without_taken_ids
from maim_router.bridge.in_flight import Returned
from maim_router.bridge.interning import HandshakeInterner
from maim_router.bridge.link import EdgeLink
from maim_router.bridge.open_request import checked_open
from maim_router.bridge.outbound import Delivery, Outgoing
from maim_router.bridge.outcomes import (
    DeliveryReport,
    DeliveryResult,
    DeliveryTracker,
    EdgeTracker,
    Outcome,
)
from maim_router.bridge.prefetch import Prefetch

__all__ = [
    "Delivery",
    "DeliveryReport",
    "DeliveryResult",
    "DeliveryTracker",
    "EdgeLink",
    "EdgeTracker",
    "HandshakeInterner",
    "Outcome",
    "Outgoing",
    "Prefetch",
    "Returned",
    "check_hello",
    "checked_open",
    "read_hello",
    "without_taken_ids",
]
