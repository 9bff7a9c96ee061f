"""The user's callbacks: called in order, never on the read loop, isolated from each other."""

from maim_message.client.callbacks.dispatcher import Dispatcher, call
from maim_message.client.callbacks.inbox import Callbacks, Inbox

__all__ = ["Callbacks", "Dispatcher", "Inbox", "call"]
