"""The contract that guards the entrances of rooms, without a graph."""

from __future__ import annotations

import pytest

from tests.repository.entrances import passed_entrance


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("maim_router.node", "maim_router.mailbox"),
        ("maim_router.node", "maim_router.events"),
        ("maim_router.mailbox.sqlite_mailbox", "maim_router.mailbox.sqlite_store"),
        ("maim_edge.websocket", "maim_edge.websocket.picows"),
        ("maim_edge.websocket.picows.reader", "maim_edge.websocket.frames"),
    ],
)
def test_an_entrance_and_the_own_room_may_be_imported(importer: str, imported: str) -> None:
    assert passed_entrance(importer, imported) is None


@pytest.mark.parametrize(
    ("importer", "imported", "room"),
    [
        ("maim_router.node", "maim_router.mailbox.sqlite_store", "maim_router.mailbox"),
        ("maim_message.server", "maim_router.mailbox.sqlite_store", "maim_router.mailbox"),
        ("maim_edge.service.server", "maim_edge.websocket.picows", "maim_edge.websocket"),
        ("maim_edge.websocket", "maim_edge.websocket.picows.reader", "maim_edge.websocket.picows"),
    ],
)
def test_what_is_behind_an_entrance_may_not(importer: str, imported: str, room: str) -> None:
    assert passed_entrance(importer, imported) == room
