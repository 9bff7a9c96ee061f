"""Reading which session mode each platform has."""

from __future__ import annotations

import pytest

from maim_protocol.errors import ConfigError
from maim_router.connection_map.session_modes import SessionMode, read_session_modes
from maim_router.service.application import build_node
from maim_router.settings import RouterSettings
from maim_runtime.settings.model import build
from tests.router.connection_map.contract import entry


def test_connections_share_unless_told_otherwise() -> None:
    modes = read_session_modes(RouterSettings().session_mode)
    assert modes.of("qq") is SessionMode.SHARE


def test_the_first_word_is_for_every_platform_that_has_none_of_its_own() -> None:
    modes = read_session_modes("replace, telegram = standby,console=reject")
    assert [modes.of(name) for name in ("qq", "telegram", "console")] == [
        SessionMode.REPLACE,
        SessionMode.STANDBY,
        SessionMode.REJECT,
    ]


def test_platforms_may_be_named_without_a_default() -> None:
    modes = read_session_modes("qq=replace")
    assert (modes.of("qq"), modes.of("wx")) == (SessionMode.REPLACE, SessionMode.SHARE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("replce", "expected share, replace, reject or standby; did you mean replace?"),
        (
            "share,qq=stanby",
            "expected share, replace, reject or standby; did you mean standby?",
        ),
        ("", "expected share, replace, reject or standby"),
        ("share,replace", "expected platform=mode after the first comma, not 'replace'"),
        ("share,", "expected platform=mode after the first comma, not ''"),
        ("=share", "expected a platform before each ="),
        ("qq=share,qq=reject", "expected each platform once, qq is there twice"),
    ],
)
def test_an_unknown_word_is_an_error_that_says_what_was_meant(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(RouterSettings, {"session_mode": text})
    assert str(caught.value) == f"session_mode: {problem}, got {text!r}"


class App:
    """What has callbacks, and a mode of its own."""

    on_message = None
    session_mode = "reject"


@pytest.mark.parametrize(
    ("settings", "standby"),
    [(RouterSettings(), False), (RouterSettings(session_mode="standby"), True)],
)
async def test_the_settings_win_over_the_app(settings: RouterSettings, standby: bool) -> None:
    node = build_node(App(), settings)
    await node.connections.add(entry(1))
    added = await node.connections.add(entry(2))
    assert (added.refused is None, added.standby) == (standby, standby)
