"""Clocks jump: a process that slept, for real; the wall clock, as what the pure parts are told.

Nothing here sets the machine's clock, and the product has no hook to pretend.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_edge.rate_limit import Limits
from maim_message.client.delivery.session import Bounds, Session
from maim_router.deduplication import NEW, DedupWindow
from maim_router.delivery.sequence import MessageSequence
from maim_router.mailbox import Bounds as Room
from maim_router.mailbox.memory import MemoryMailbox
from tests.faults.client_load import gathered
from tests.faults.site import running_site
from tests.router.mailbox.contract import letter

WIDE = Room(messages=1000, bytes=1 << 30, total_bytes=1 << 30)
SLEEP_SECONDS = 2.0
times = st.lists(st.floats(0, 4e9), min_size=1, max_size=30)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("who", ["router", "edge"])
async def test_a_process_that_slept_longer_than_its_pings_wait_loses_nobody(
    tmp_path: Path, who: str
) -> None:
    pings = {"ping-interval": 0.5, "ping-timeout": 0.5}
    async with running_site(tmp_path, edge=pings) as site, gathered(site, 20) as load:
        sleeper = site.router if who == "router" else site.edges[0]
        async with load.talking(2):
            await load.some_more(50)
            await sleeper.stop()
            await asyncio.sleep(SLEEP_SECONDS)  # it is asleep, and its clock goes on
            sleeper.go_on()
            await load.some_more(50)
        await load.come_right()
        assert load.ends == []


@given(times)
def test_numbers_grow_however_the_wall_clock_jumps(clock: list[float]) -> None:
    sequence = MessageSequence()
    given_out = [sequence.next(now) for now in clock]
    assert given_out == sorted(set(given_out))


@given(times, st.lists(st.floats(1, 4e9), min_size=1, max_size=10))
def test_a_letter_leaves_when_a_clock_is_past_its_time_and_never_sooner(
    clock: list[float], ends: list[float]
) -> None:
    mailbox = MemoryMailbox(WIDE)
    for number, end in enumerate(ends, 1):
        mailbox.put(letter(number, expires_at=end), lambda stored: None)
    gone: set[int] = set()
    for now in clock:
        left = {number for _, _, number, _ in mailbox.expire(now)}
        due = {number for number, end in enumerate(ends, 1) if end <= now - 1e-5} - gone
        early = {number for number in left if ends[number - 1] > now + 1e-5}
        assert due <= left
        assert not early
        gone |= left
    assert list(mailbox.numbers("u", "qq")) == [n for n in range(1, len(ends) + 1) if n not in gone]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_a_window_of_duplicates_that_jumps_ahead_forgets_only_what_was_settled(
    steps: list[float],
) -> None:
    recent: DedupWindow[int] = DedupWindow(600)
    assert recent.note("u", "running", 1) is NEW
    now = 0.0
    for step in steps:
        now += step
        recent.advance(now)
        assert recent.note("u", "running", 1) is not NEW
    assert recent.settle("u", "running") == (1,)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_a_jump_ahead_lets_a_sender_through_no_more_than_a_second_at_once(
    steps: list[float],
) -> None:
    limits, now = Limits(10, 0, 0.0), 0.0
    for step in steps:
        now += step
        assert sum(limits.allow(1, now) for _ in range(50)) <= 10


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=30))
def test_what_the_sdk_keeps_expires_in_order_whatever_the_clock_jumps(steps: list[float]) -> None:
    session = Session(Bounds(1000, 1 << 20, 300))
    now = 0.0
    expired: list[str] = []
    for number, step in enumerate(steps):
        session.keep_waiting(f"m{number}", b"{}", now)
        now += step
        expired += session.expire(now)
    kept = [one.msg_id for one in session.to_resend()]
    assert expired + kept == [f"m{number}" for number in range(len(steps))]
