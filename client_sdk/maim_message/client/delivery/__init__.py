"""Messages over one link: written, kept until they are answered, sent again, acknowledged."""

from maim_message.client.delivery.link import Link
from maim_message.client.delivery.outgoing import Outgoing

__all__ = ["Link", "Outgoing"]
