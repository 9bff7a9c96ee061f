"""What either side announces at the beginning (RFC 9113, sections 3.4 and 6.5); pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from maim_protocol.http2 import frames
from maim_protocol.http2.codes import ConnectionFailed, ErrorCode
from maim_protocol.http2.events import Limits

HEADER_TABLE_SIZE = 0x1
ENABLE_PUSH = 0x2
MAX_CONCURRENT_STREAMS = 0x3
INITIAL_WINDOW_SIZE = 0x4
MAX_FRAME_SIZE = 0x5
MAX_HEADER_LIST_SIZE = 0x6
# By this a router knows an edge of ours. The number is one for experiments (section 11.3), and
# whoever does not know it ignores it (section 6.5.2).
THIN_STREAM = 0xF6D1
# More than any client has to say at first.
FIRST_BYTES = 60 * 6


def beginning(limits: Limits, announced: Mapping[int, int], *, client: bool) -> bytes:
    """Write what a side sends before anything else."""
    values = {ENABLE_PUSH: 0} if client else {MAX_CONCURRENT_STREAMS: 1}
    values[INITIAL_WINDOW_SIZE] = limits.window_bytes
    values[MAX_FRAME_SIZE] = frames.LARGEST_FRAME
    values[MAX_HEADER_LIST_SIZE] = limits.header_bytes
    pairs = (values | dict(announced)).items()
    payload = b"".join(struct.pack(">HI", name, value) for name, value in pairs)
    first = frames.frame(frames.SETTINGS, 0, 0, payload)
    # The window of the connection has no setting (section 6.9.2).
    more = limits.window_bytes - frames.DEFAULT_WINDOW
    if more > 0:
        first += frames.number(frames.WINDOW_UPDATE, 0, more)
    return frames.PREFACE + first if client else first


def read(payload: bytes, *, client: bool) -> dict[int, int]:
    """Read a SETTINGS frame as the side that `client` says; raises `ConnectionFailed`."""
    if len(payload) % 6:
        raise frames.wrong_size("SETTINGS", "a multiple of 6", payload)
    found = dict(struct.iter_unpack(">HI", payload))
    frame_bytes = found.get(MAX_FRAME_SIZE, frames.SMALLEST_FRAME)
    if not frames.SMALLEST_FRAME <= frame_bytes <= frames.LARGEST_FRAME:
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, f"MAX_FRAME_SIZE of {frame_bytes}")
    window = found.get(INITIAL_WINDOW_SIZE, 0)
    if window > frames.LARGEST_WINDOW:
        raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, f"INITIAL_WINDOW_SIZE of {window}")
    if found.get(ENABLE_PUSH, 0) > (0 if client else 1):
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, f"ENABLE_PUSH of {found[ENABLE_PUSH]}")
    return found


def announces_thin_stream(data: bytes) -> bool | None:
    """Tell by its first bytes whether a connection is one of ours; None: more are needed."""
    preface = len(frames.PREFACE)
    start = preface + frames.HEAD_BYTES
    if data[:preface] != frames.PREFACE[: len(data)]:
        return False
    if len(data) < start:
        return None
    word, _, _ = frames.HEAD.unpack_from(data, preface)
    kind, length = word & 0xFF, word >> 8
    if kind != frames.SETTINGS or length > FIRST_BYTES or length % 6:
        return False
    if len(data) < start + length:
        return None
    return THIN_STREAM in dict(struct.iter_unpack(">HI", data[start : start + length]))
