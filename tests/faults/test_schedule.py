"""A seed is all that a schedule needs to come again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.guarantees import FAMILIES
from tests.faults.schedule import EDGES, TICKS, Fault, draw

seeds = st.integers(0, 2**32)


@given(seeds)
def test_a_seed_draws_the_same_schedule_again(seed: int) -> None:
    assert draw(seed) == draw(seed)
    assert str(draw(seed)).startswith(f"MAIM_FAULTS_SEED={seed}\n")


@given(seeds)
def test_faults_begin_during_the_traffic_in_order_at_an_edge_that_exists(seed: int) -> None:
    steps = draw(seed).steps
    assert steps
    assert [step.tick for step in steps] == sorted(step.tick for step in steps)
    assert all(0 <= step.tick < TICKS and 0 <= step.edge < EDGES for step in steps)


@given(seeds)
def test_the_faults_of_one_schedule_are_of_one_family(seed: int) -> None:
    families = [{Fault.ROUTER_KILLED, Fault.BRIDGE_CUT}, {Fault.WEBSOCKET_CUT}]
    drawn = {step.fault for step in draw(seed, [tuple(family) for family in families]).steps}
    assert any(drawn <= family for family in families)


def test_two_hundred_seeds_draw_every_fault() -> None:
    drawn = {step.fault for seed in range(200) for step in draw(seed, FAMILIES).steps}
    assert drawn == set(Fault)
