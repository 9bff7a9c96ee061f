"""Bridge frames with every field, drawn at random."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import strategies as st

from maim_protocol import bridge as frames

T = TypeVar("T")

U64 = st.integers(1, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)
TEXT = st.text(max_size=20)
SECONDS = st.floats(0, 2**40)
RANGES = st.lists(st.tuples(U64, U64), max_size=3)


def rows(columns: type[T], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Columns of one length."""
    row = st.tuples(*fields.values())
    return st.lists(row, min_size=1, max_size=4).map(
        lambda table: columns(**{name: [r[i] for r in table] for i, name in enumerate(fields)})
    )


def some(of: st.SearchStrategy[T]) -> st.SearchStrategy[Any]:
    """Two of them at most; none is the default, as who reads leaves out what is not there."""
    return st.lists(of, max_size=2).map(lambda drawn: drawn or ())


opens = st.builds(
    frames.Open,
    conn=U64,
    api_key=TEXT,
    platform=TEXT,
    label=TEXT,
    client_ip=TEXT,
    connected_at=SECONDS,
    headers=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
)
admissions = st.builds(frames.Admission, TEXT, TEXT, st.binary(max_size=20))
hellos = st.builds(frames.Hello, TEXT, U64, U32, TEXT, U32, U32)
chunks = st.builds(frames.Chunk, U64, st.binary(max_size=50))
edge_messages = rows(
    frames.EdgeMessages,
    ordinals=U64,
    conns=U64,
    msg_ids=TEXT,
    types=TEXT,
    target_keys=TEXT,
    target_platforms=TEXT,
    payloads=st.binary(max_size=50),
    transfers=st.integers(0, 2**64 - 1),
)
outcomes = rows(frames.Outcomes, ordinals=U64, conns=U64, outcomes=st.integers(1, 5))
deliveries = rows(
    frames.Deliveries,
    ordinals=U64,
    fanouts=st.integers(0, 2**32 - 1),
    conns=U64,
    msg_ids=TEXT,
    types=TEXT,
    sender_users=TEXT,
    sender_platforms=TEXT,
    target_users=TEXT,
    platforms=TEXT,
    timestamps=SECONDS,
    wants=st.sampled_from([int(want) for want in frames.Want]),
    payloads=st.binary(max_size=50),
    transfers=st.integers(0, 2**64 - 1),
    settles=st.integers(0, 2**64 - 1),
)
edge_frames = st.builds(
    frames.EdgeFrame,
    hello=st.none() | hellos,
    live=some(st.builds(frames.Live, opens, admissions)),
    opens=some(opens),
    chunks=some(chunks),
    messages=st.none() | edge_messages,
    closes=some(st.builds(frames.Closed, U64, U32, TEXT)),
    taken_through=st.integers(0, 2**64 - 1),
    done=RANGES,
    outcomes=st.none() | outcomes,
    pending=some(st.builds(frames.PendingBytes, U64, U64, U32)),
    draining=st.booleans(),
)
answers = admissions | st.builds(frames.Refused, TEXT, TEXT)
router_frames = st.builds(
    frames.RouterFrame,
    welcome=st.none() | st.builds(frames.Welcome, TEXT, U32),
    verdicts=some(st.builds(frames.Verdict, U64, answers)),
    chunks=some(chunks),
    deliveries=st.none() | deliveries,
    disconnects=some(st.builds(frames.DisconnectOrder, U64, U32, TEXT)),
    settled=RANGES,
    rejections=some(st.builds(frames.Rejection, U64, TEXT, TEXT)),
    drain=st.none() | st.builds(frames.DrainOrder, SECONDS),
)
