"""What the product promises by now; the suite asks for that and for nothing less."""

from __future__ import annotations

from tests.faults.schedule import Fault

# Whether what was acknowledged survives the loss of an edge and of a client's link.
KEPT = False

ROUTER_ONLY = tuple(f for f in Fault if f.name.startswith(("ROUTER", "BRIDGE")))
HARMLESS = (*ROUTER_ONLY, Fault.DOOR_SLOW, Fault.DOOR_NARROW)

# What random schedules may do, and the codes with which a letter may then be refused.
FAULTS = tuple(Fault) if KEPT else HARMLESS
EXCUSED = ("mailbox_full",) if KEPT else ("no_route", "internal")
