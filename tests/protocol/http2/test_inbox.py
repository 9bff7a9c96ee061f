"""What came waits for its reader, and the end comes after it."""

from __future__ import annotations

import pytest

from maim_protocol.http2.inbox import Inbox


def test_messages_are_read_in_order_and_then_the_end() -> None:
    inbox = Inbox(100)
    assert not inbox.has_news
    inbox.put(b"a")
    inbox.put(b"b")
    inbox.end(None)
    assert [inbox.take() for _ in range(4)] == [b"a", b"b", None, None]
    assert inbox.has_news


def test_a_bad_end_is_raised_after_what_came_before_it() -> None:
    inbox = Inbox(100)
    inbox.put(b"a")
    inbox.end(ConnectionError("first"))
    inbox.end(ConnectionError("second"))
    assert inbox.take() == b"a"
    for _ in range(2):
        with pytest.raises(ConnectionError, match="first"):
            inbox.take()


def test_a_crowded_inbox_is_so_until_half_of_it_is_read() -> None:
    inbox = Inbox(100)
    seen = []
    for _ in range(3):
        inbox.put(b"x" * 40)
        seen.append(inbox.crowded)
    while inbox.has_news:
        inbox.take()
        seen.append(inbox.crowded)
    assert seen == [False, False, True, True, False, False]
