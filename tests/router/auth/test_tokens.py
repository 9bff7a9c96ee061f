"""The token file of the gRPC services."""

from __future__ import annotations

from pathlib import Path

import pytest

from maim_protocol.errors import ConfigError
from maim_router.auth.credentials.tokens import Tokens


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def test_a_token_has_its_name_and_exactly_its_scopes(path: Path) -> None:
    made = Tokens(path, create=True).add("edges", ["read", "bridge"])
    found = Tokens(path).authenticate(made.token)
    assert found is not None
    assert (found.id, found.name, found.scopes) == (made.id, "edges", {"bridge", "read"})
    assert Tokens(path).authenticate(made.token[:-1]) is None
    assert made.token not in path.read_text() + repr(made) + repr(found)


def test_rotated_and_revoked_tokens_are_refused(path: Path) -> None:
    tokens = Tokens(path, create=True)
    old = tokens.add("ops", ["admin"], id="t1")
    new = tokens.rotate("t1")
    assert tokens.authenticate(old.token) is None
    assert tokens.authenticate(new.token) is not None
    assert new.scopes == {"admin"}
    tokens.revoke("t1")
    assert tokens.authenticate(new.token) is None
    assert tokens.list()[0].revoked is not None


def test_an_unknown_scope_is_refused_with_the_nearest_one(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"scope: expected .*, got 'brigde'; did you mean brid"):
        Tokens(path, create=True).add("edges", ["brigde"])
    assert not path.exists()


def test_a_token_without_scopes_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one of bridge, read, send, admin, got none"):
        Tokens(path, create=True).add("edges", [])


def test_a_scope_in_the_file_is_checked(path: Path) -> None:
    Tokens(path, create=True).add("edges", ["bridge"], id="t1")
    path.write_text(path.read_text().replace("bridge", "bride"))
    with pytest.raises(ConfigError, match=r"t1: scope: expected .*, got 'bride'"):
        Tokens(path)


def test_a_key_file_is_no_token_file(path: Path) -> None:
    path.write_text("[[keys]]\n")
    with pytest.raises(ConfigError, match=r"expected nothing but \[\[tokens\]\] entries"):
        Tokens(path)
