"""Letters for users who are away: one box a user and platform, in memory or in a file.

Imports nothing but the protocol's errors.
"""

from maim_router.mailbox.interface import Bounds, Mailbox
from maim_router.mailbox.letter import Letter
from maim_router.mailbox.memory import MemoryMailbox
from maim_router.mailbox.opening import open_mailbox
from maim_router.mailbox.sqlite_mailbox import FileMailbox

__all__ = ["Bounds", "FileMailbox", "Letter", "Mailbox", "MemoryMailbox", "open_mailbox"]
