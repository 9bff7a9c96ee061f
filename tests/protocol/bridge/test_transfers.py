"""Chunks become payloads again."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import Chunk
from maim_protocol.bridge.transfers import Transfers


def test_pieces_are_joined_in_the_order_they_came() -> None:
    transfers = Transfers()
    transfers.add([Chunk(1, b"ab"), Chunk(1, b"cd")])
    transfers.add([Chunk(1, b"e"), Chunk(2, b"next")])
    assert transfers.finish(1) == b"abcde"
    assert transfers.finish(2) == b"next"


def test_a_finished_transfer_is_forgotten() -> None:
    transfers = Transfers()
    transfers.add([Chunk(1, b"a")])
    transfers.finish(1)
    with pytest.raises(KeyError):
        transfers.finish(1)


def test_a_transfer_that_never_began_is_an_error() -> None:
    with pytest.raises(KeyError):
        Transfers().finish(7)


def test_transfers_that_never_end_are_bounded() -> None:
    transfers = Transfers()
    with pytest.raises(ValueError, match="at most 8 unfinished"):
        transfers.add(Chunk(number, b"x") for number in range(1, 100))


def test_a_transfer_that_is_given_up_is_forgotten() -> None:
    transfers = Transfers()
    for number in range(1, 100):
        transfers.add([Chunk(number, b"x"), Chunk(number, b"")])
    with pytest.raises(KeyError):
        transfers.finish(1)
