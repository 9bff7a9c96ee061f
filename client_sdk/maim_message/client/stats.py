"""What a client counts; one object for all its connections."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Stats:
    """Counters since the client was made; the names are those of `get_stats()`."""

    connect_attempts: int = 0
    successful_connects: int = 0
    failed_connects: int = 0
    reconnect_attempts: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    messages_acked: int = 0
    messages_refused: int = 0
    messages_resent: int = 0
    messages_dropped: int = 0
    custom_messages_processed: int = 0
    duplicate_messages_ignored: int = 0
    handler_errors: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counters by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
