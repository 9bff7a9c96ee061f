"""Who connects where, and who sends to whom."""

from __future__ import annotations

import pytest

from maim_bench.generator import shares
from maim_bench.plan import Plan
from maim_protocol.errors import ConfigError


def plan(**values: object) -> Plan:
    return Plan(**({"urls": ("ws://a/ws",)} | values))  # type: ignore[arg-type]


def test_clients_talk_in_pairs() -> None:
    made = plan(connections=50, first=100)
    for number in range(100, 150):
        partner = made.receiver_of(number)
        assert partner != number
        assert made.receiver_of(partner) == number


def test_clients_spread_over_the_edges_and_talk_from_one_to_another() -> None:
    made = plan(urls=("ws://a/ws", "ws://b/ws"), connections=10)
    urls = [made.url_of(number) for number in range(10)]
    assert urls.count("ws://a/ws") == urls.count("ws://b/ws") == 5
    assert all(made.url_of(made.receiver_of(n)) != made.url_of(n) for n in range(10))


def test_processes_share_connections_and_rate() -> None:
    parts = shares(plan(connections=10, rate=300.0, slow=1), 3)
    assert [part.connections for part in parts] == [4, 3, 3]
    assert [part.first for part in parts] == [0, 4, 7]
    assert [part.worker for part in parts] == [0, 1, 2]
    assert [part.slow for part in parts] == [1, 0, 0]
    assert sum(part.rate for part in parts) == pytest.approx(300)


def test_more_processes_than_connections_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 connections are too few for 3 processes"):
        shares(plan(connections=2), 3)


def test_a_key_has_the_number_of_its_client() -> None:
    assert plan(key="key-of-{n}").key_of(12) == "key-of-12"
