"""Takes messages to connections: relay, send, redelivery, and what waited in the mailbox.

Imports bridge, auth, connection map and mailbox.
"""

from maim_router.delivery.mailbox_delivery import MailboxDelivery
from maim_router.delivery.mailbox_expiry import MailboxExpiry
from maim_router.delivery.messenger import Messenger
from maim_router.delivery.redelivery import Redelivery
from maim_router.delivery.relay import Relay
from maim_router.delivery.requeue import Requeue
from maim_router.delivery.sender import DEFAULT_TIMEOUT, Sender, WaitFor
from maim_router.delivery.sequence import MessageSequence, last_number

__all__ = [
    "DEFAULT_TIMEOUT",
    "MailboxDelivery",
    "MailboxExpiry",
    "MessageSequence",
    "Messenger",
    "Redelivery",
    "Relay",
    "Requeue",
    "Sender",
    "WaitFor",
    "last_number",
]
