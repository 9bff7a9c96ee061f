"""Runs the application's handlers: started in order, bounded in number, isolated.

Imports hooks and events.
"""

from maim_router.handlers.dispatch import Ack, Dispatch, metadata
from maim_router.handlers.runner import HandlerRunner, Job, Order

__all__ = ["Ack", "Dispatch", "HandlerRunner", "Job", "Order", "metadata"]
