"""The generator against a real router and edge: it counts what it sent, and says what was lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from maim_bench.generator import Generator, GeneratorFailed
from maim_bench.plan import Plan
from maim_bench.report import Report
from tests.cli.terminal import Terminal
from tests.system.pair import Pair, free_port, running_pair

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONNECTIONS = 6
MESSAGES = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[Pair]:
    """One for all tests: none harms it."""
    async with running_pair() as running:
        yield running


def plan(pair: Pair, **values: object) -> Plan:
    return Plan(**({"urls": (pair.url,), "connections": CONNECTIONS} | values))  # type: ignore[arg-type]


async def run(generator: Generator, messages: int = MESSAGES) -> Report:
    """Send until so many are complete, and wait for the rest."""
    await generator.go()
    report = await generator.window()
    while report.completed < messages:
        report.add(await generator.window())
    report.add(await generator.finish())
    return report


@pytest.mark.parametrize("values", [{}, {"frees": "settled"}, {"rotate": True, "in_flight": 4}])
async def test_every_message_is_delivered_and_acknowledged(
    pair: Pair, values: dict[str, object]
) -> None:
    async with Generator(plan(pair, **values)) as generator:
        assert generator.opened.made == CONNECTIONS
        report = await run(generator)
    assert report.faults == {}
    assert report.sent == report.delivered == report.acked == report.completed >= MESSAGES
    assert report.histogram.total == report.delivered


async def test_a_rate_is_kept_by_several_processes(pair: Pair) -> None:
    async with Generator(plan(pair, rate=200.0), workers=2) as generator:
        assert len(generator.pids) == 2
        report = await run(generator)
    assert report.faults == {}
    assert report.sent == report.completed


async def test_clients_may_acknowledge_nothing(pair: Pair) -> None:
    async with Generator(plan(pair, client_acks=False)) as generator:
        report = await run(generator)
    assert report.faults == {}


async def test_what_nobody_receives_is_an_error() -> None:
    async with running_pair({"mailbox-messages": 0}) as pair:
        async with Generator(plan(pair, to="nobody", work="handler")) as generator:
            await generator.go()
            report = await generator.finish()
    # Each refusal makes room for the next message.
    assert report.faults == {"no_route": report.sent}
    assert report.sent >= CONNECTIONS


async def test_connections_that_end_are_named() -> None:
    async with running_pair() as pair, Generator(plan(pair, work="listen")) as generator:
        await generator.go()
        await pair.edge.kill()
        report = await generator.window()
        while sum(report.faults.values()) < CONNECTIONS:
            report.add(await generator.window())
    assert report.faults == {"closed lost": CONNECTIONS}


async def test_a_refused_connection_is_told_with_its_reason() -> None:
    gone = Plan(urls=(f"ws://127.0.0.1:{free_port()}/ws",), connections=3)
    with pytest.raises(GeneratorFailed, match=r"3 of 3 connections were not made.*refused"):
        async with Generator(gone):
            pass


async def test_the_command_tells_what_came_as_json(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ("bench", pair.url, "--connections", "4", "--seconds", "0.2", "--warm-up", "0", "--json")
    ended = await Terminal(capsys).aside(*argv)
    told = json.loads(ended.out)
    assert ended.code == 0
    assert told["connections"] == 4
    assert told["completed"] > 0
    assert told["faults"] == {}
    assert set(told["latency_ms"]) == {"p50", "p90", "p99", "p99.9", "max"}
