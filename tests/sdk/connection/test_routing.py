from __future__ import annotations

from dataclasses import dataclass

import pytest

from maim_message.client.connection.routing import pick


@dataclass(frozen=True)
class Way:
    api_key: str
    platform: str
    connected: bool = True


MAIN, WECHAT, QQ = Way("main", "main"), Way("w", "wechat"), Way("q", "qq")


@pytest.mark.parametrize(
    ("api_key", "platform", "expected"),
    [
        ("q", "qq", QQ),
        ("w", "qq", WECHAT),
        ("somebody", "qq", QQ),
        ("somebody", "else", MAIN),
    ],
    ids=["both", "the key before the platform", "the platform", "the first"],
)
def test_the_best_match_is_picked(api_key: str, platform: str, expected: Way) -> None:
    assert pick([MAIN, WECHAT, QQ], api_key, platform) is expected


def test_of_equal_matches_the_connected_one_is_picked() -> None:
    down, up = Way("k", "qq", connected=False), Way("k", "qq")
    assert pick([down, up], "k", "qq") is up


def test_a_better_match_is_picked_even_while_it_reconnects() -> None:
    down = Way("k", "qq", connected=False)
    assert pick([Way("k", "wechat"), down], "k", "qq") is down


def test_without_routes_there_is_none() -> None:
    routes: list[Way] = []
    assert pick(routes, "k", "qq") is None
