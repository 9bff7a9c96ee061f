"""Who of several connections of one user on one platform may stay: pure, for every map."""

from __future__ import annotations

from collections.abc import Sequence

from maim_router.connection_map.entry import Entry
from maim_router.connection_map.session_modes import SessionMode
from maim_router.events import GaveWay

Ended = Sequence[tuple[Entry, GaveWay]]


def decide(
    mode: SessionMode, entry: Entry, same_label: Entry | None, others: Sequence[Entry]
) -> tuple[GaveWay | None, Ended]:
    """Say why a connection is refused (None: it is not) and who has to go for it.

    `others` are those of its user and platform; one of the same label is not among them.
    """
    if same_label is not None and _is_later(same_label, entry):
        return GaveWay.LABEL, ()
    if mode is SessionMode.REPLACE and any(_is_later(one, entry) for one in others):
        return GaveWay.NEWER, ()
    if mode is SessionMode.REJECT and not all(_is_earlier(entry, one) for one in others):
        return GaveWay.OLDER, ()
    label = ((same_label, GaveWay.LABEL),) if same_label is not None else ()
    match mode:
        case SessionMode.REPLACE:
            return None, (*label, *((one, GaveWay.NEWER) for one in others))
        case SessionMode.REJECT:
            return None, (*label, *((one, GaveWay.OLDER) for one in others))
        case SessionMode.SHARE | SessionMode.STANDBY:
            return None, label


def _is_later(one: Entry, entry: Entry) -> bool:
    """Whether `one` connected after `entry`; nothing did when `entry` comes just now."""
    return entry.restored and one.connected_at > entry.connected_at


def _is_earlier(entry: Entry, one: Entry) -> bool:
    return entry.restored and entry.connected_at < one.connected_at
