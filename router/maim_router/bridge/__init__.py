"""One attached edge as the router sees it: hello, what waits, what is in flight, outcomes.

No transport: that is in `grpc_server`. Imports auth, the connection map and the protocol.
"""

from maim_router.bridge.hello import check_hello, read_hello, renamed
from maim_router.bridge.in_flight import Returned
from maim_router.bridge.interning import SharedTexts
from maim_router.bridge.link import EdgeLink
from maim_router.bridge.open_request import checked
from maim_router.bridge.outbound import Delivery, Outgoing
from maim_router.bridge.outcomes import DeliveryReport, DeliveryResult, Ledger, Outcome, Share
from maim_router.bridge.prefetch import Slice

__all__ = [
    "Delivery",
    "DeliveryReport",
    "DeliveryResult",
    "EdgeLink",
    "Ledger",
    "Outcome",
    "Outgoing",
    "Returned",
    "Share",
    "SharedTexts",
    "Slice",
    "check_hello",
    "checked",
    "read_hello",
    "renamed",
]
