"""Whom the operator has locked out."""

from __future__ import annotations

import pytest

from maim_router.auth import denials as module
from maim_router.auth.denials import Denial, Denials


def test_a_denial_holds_for_whoever_matches_all_its_parts() -> None:
    denial = Denial(user_id="u", platform="qq")
    assert denial.matches("u", "qq", "any")
    assert not denial.matches("u", "wx", "any")
    assert not denial.matches("v", "qq", "any")


def test_a_key_alone_can_be_denied() -> None:
    denials = Denials()
    denials.add(Denial(api_key="k"))
    assert denials.match("u", "qq", "k")
    assert not denials.match("u", "qq", "other")


def test_nobody_is_denied_at_first() -> None:
    assert not Denials().match("u", "qq", "k")


def test_the_oldest_gives_way_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 2)
    denials = Denials()
    for user in ("a", "b", "b", "c"):
        denials.add(Denial(user_id=user))
    assert [denials.match(user, "", "") for user in "abc"] == [False, True, True]


def test_no_credential_shows_in_the_repr() -> None:
    assert "s3cret" not in repr(Denial(api_key="s3cret"))
