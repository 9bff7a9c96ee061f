"""The mailbox in memory keeps the contract."""

from __future__ import annotations

import pytest

from maim_router.mailbox import MemoryMailbox
from tests.router.mailbox.contract import WIDE, MailboxContract, OpenWith, letter


class TestMemoryMailbox(MailboxContract):
    """In dictionaries."""

    @pytest.fixture
    def open_with(self) -> OpenWith:
        return MemoryMailbox


def test_a_letter_in_memory_is_stored_before_put_returns() -> None:
    heard: list[bool] = []
    MemoryMailbox(WIDE).put(letter(1), heard.append)
    assert heard == [True]
