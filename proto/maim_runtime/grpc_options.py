"""What both sides of a bridge ask of grpcio; the names of options, no grpcio."""

from __future__ import annotations


def keepalive(silence_seconds: float, answer_seconds: float) -> list[tuple[str, int]]:
    """Ask who was silent for the one time, and give him up when no answer comes in the other."""
    silence_ms, answer_ms = int(1000 * silence_seconds), int(1000 * answer_seconds)
    return [
        ("grpc.keepalive_time_ms", silence_ms),
        ("grpc.keepalive_timeout_ms", answer_ms),
        # The pong itself may take a minute otherwise, whatever the timeout above.
        ("grpc.http2.ping_timeout_ms", answer_ms),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
