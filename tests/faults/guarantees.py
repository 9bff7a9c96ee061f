"""What is promised, so that no test asks for more: docs/protocol.md, "What happens to a frame".

An acknowledged letter survives the loss of any one process and of any link. The loss of the
router and that of an edge are two: what a router had given to an edge before it died is known to
that edge alone, until the client has it. So no schedule kills both.
"""

from __future__ import annotations

from tests.faults.schedule import Fault

# Nothing of these may close the socket of a client.
BEHIND_THE_EDGE = tuple(f for f in Fault if f.name.startswith(("ROUTER", "BRIDGE")))
ROUTER_LOST = (Fault.ROUTER_KILLED, Fault.ROUTER_TERMINATED)

# A random schedule draws from one of these.
FAMILIES = (
    tuple(f for f in Fault if f is not Fault.EDGE_KILLED),
    tuple(f for f in Fault if f not in ROUTER_LOST),
)

# The codes with which a letter may be refused.
EXCUSED = ("mailbox_full",)
