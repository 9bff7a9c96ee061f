"""What may be connected at once for one user on one platform, by platform: pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from maim_runtime.settings import suggestion


class SessionMode(enum.StrEnum):
    """What a further connection of the same user and platform means."""

    # All of them get each message.
    SHARE = "share"
    # The newest ends the others.
    REPLACE = "replace"
    # The oldest keeps the others out.
    REJECT = "reject"
    # All stay, the oldest gets the messages; the next takes over when it leaves.
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class SessionModes:
    """The mode of each platform."""

    default: SessionMode = SessionMode.SHARE
    by_platform: Mapping[str, SessionMode] = field(default_factory=dict)

    def of(self, platform: str) -> SessionMode:
        """Tell the mode of a platform."""
        return self.by_platform.get(platform, self.default)


SHARE_ALL = SessionModes()


def read_session_modes(text: str) -> SessionModes:
    """Read `share` or `share,qq=replace,telegram=standby`; raises `ValueError`.

    The first word is the mode of every platform that is not named; without it they share.
    """
    default, named = SessionMode.SHARE, dict[str, SessionMode]()
    for place, part in enumerate(text.split(",")):
        platform, equals, word = (piece.strip() for piece in part.rpartition("="))
        if not equals and place:
            raise ValueError(f"platform=mode after the first comma, not {part.strip()!r}")
        if equals and not platform:
            raise ValueError("a platform before each =")
        if platform in named:
            raise ValueError(f"each platform once, {platform} is there twice")
        if equals:
            named[platform] = _mode(word)
        else:
            default = _mode(word)
    return SessionModes(default, named)


def _mode(word: str) -> SessionMode:
    try:
        return SessionMode(word)
    except ValueError:
        words = "share, replace, reject or standby"
        raise ValueError(f"{words}{suggestion(word, SessionMode)}") from None
