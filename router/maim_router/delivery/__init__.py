"""Takes messages to connections: relay, send, redelivery, and what waited in the mailbox.

Imports bridge, auth, connection map and mailbox.
"""

from maim_router.delivery.mailbox_delivery import Post
from maim_router.delivery.messenger import Messenger
from maim_router.delivery.redelivery import Returns
from maim_router.delivery.relay import Relay
from maim_router.delivery.requeue import GivenBack
from maim_router.delivery.sender import DEFAULT_TIMEOUT, Sender, WaitFor
from maim_router.delivery.sequence import Numbers, last_number
from maim_router.delivery.sweeper import Sweeper

__all__ = [
    "DEFAULT_TIMEOUT",
    "GivenBack",
    "Messenger",
    "Numbers",
    "Post",
    "Relay",
    "Returns",
    "Sender",
    "Sweeper",
    "WaitFor",
    "last_number",
]
