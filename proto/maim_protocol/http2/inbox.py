"""What came and was not read, and what there is to say when that is read; pure."""

from __future__ import annotations

from collections import deque


class Inbox:
    """Messages for a reader who may be slow; `crowded` from `bytes_unread` on, until half that."""

    def __init__(self, bytes_unread: int) -> None:
        self._bound = bytes_unread
        self._messages: deque[bytes] = deque()
        self._unread = 0
        self._error: Exception | None = None
        self.crowded = False
        self.over = False

    @property
    def has_news(self) -> bool:
        """Whether `take` has something to say."""
        return bool(self._messages) or self.over

    def put(self, message: bytes) -> None:
        """Keep a message."""
        self._messages.append(message)
        self._unread += len(message)
        if self._unread > self._bound:
            self.crowded = True

    def end(self, error: Exception | None) -> None:
        """Say what comes after the last message; the first word counts."""
        if not self.over:
            self.over = True
            self._error = error

    def take(self) -> bytes | None:
        """Return the next message, None at a good end; raises the error of a bad one."""
        if self._messages:
            message = self._messages.popleft()
            self._unread -= len(message)
            if self._unread <= self._bound // 2:
                self.crowded = False
            return message
        if self._error is not None:
            raise self._error
        return None
