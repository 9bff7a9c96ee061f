"""`maim keys`."""

from __future__ import annotations

from pathlib import Path

import pytest

from maim_router.auth.credentials.api_keys import ApiKeys
from maim_router.auth.credentials.tokens import Tokens
from tests.cli.terminal import Terminal


def test_a_new_key_is_alone_on_stdout_and_works(maim: Terminal) -> None:
    ended = maim("keys", "add", "alice", "--id", "k1")
    key = ended.out.strip()
    assert ended.out == f"{key}\n"
    assert key.startswith("maim_k1_")
    assert "k1 of alice" in ended.err
    assert key not in ended.err
    assert ApiKeys(Path("maim-keys.toml")).authenticate(key) == "alice"


def test_the_list_shows_ids_users_and_times_and_no_key(maim: Terminal) -> None:
    key = maim("keys", "add", "alice", "--id", "k1").out.strip()
    maim("keys", "add", "bob", "--id", "k2")
    maim("keys", "revoke", "k2")
    shown = maim("keys", "list").out
    assert "alice" in shown
    assert key[-43:] not in shown
    rows = maim("keys", "list", "--json").json
    assert [(row["id"], row["user"], bool(row["revoked"])) for row in rows] == [
        ("k1", "alice", False),
        ("k2", "bob", True),
    ]


def test_rotating_prints_a_new_key_and_ends_the_old_one(maim: Terminal) -> None:
    old = maim("keys", "add", "alice", "--id", "k1").out.strip()
    new = maim("keys", "rotate", "k1", "--json").json
    assert (new["id"], new["user"]) == ("k1", "alice")
    keys = ApiKeys(Path("maim-keys.toml"))
    assert keys.authenticate(old) is None
    assert keys.authenticate(new["key"]) == "alice"


def test_tokens_have_scopes_and_a_file_of_their_own(maim: Terminal) -> None:
    made = maim("keys", "add", "ops", "--token", "--scope", "read, bridge", "--json").json
    assert made["scopes"] == ["bridge", "read"]
    found = Tokens(Path("maim-tokens.toml")).authenticate(made["token"])
    assert found is not None
    assert "bridge, read" in maim("keys", "list", "--token").out
    assert maim("keys", "revoke", made["id"], "--token").code == 0


def test_the_file_is_the_flags_or_the_variables(
    maim: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIM_ROUTER_API_KEYS_FILE", "from-variable.toml")
    maim("keys", "add", "alice")
    maim("keys", "add", "bob", "--file", "from-flag.json")
    assert [key.user for key in ApiKeys(Path("from-variable.toml")).list()] == ["alice"]
    assert [key.user for key in ApiKeys(Path("from-flag.json")).list()] == ["bob"]


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["list"], "maim: maim-keys.toml: expected a readable file (No such file or directory)\n"),
        (["add", "a", "--scope", "read"], "maim: --scope: only tokens have scopes; add --token\n"),
        (["add", "a", "--token"], "maim: scope: expected at least one of bridge, read, send, "),
        (["add", "a", "--token", "--scope", "sendd"], "maim: scope: expected bridge, read, send"),
        (["add", "a", "--id", "a_b"], "maim: user or id: expected 1 to 64 letters, digits or hy"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2(
    maim: Terminal, argv: list[str], problem: str
) -> None:
    ended = maim("keys", *argv)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(problem)
    assert ended.err.count("\n") == 1


def test_a_broken_file_is_named_with_its_line(maim: Terminal) -> None:
    Path("maim-keys.toml").write_text('[[keys]]\nid = "k1"\n')
    ended = maim("keys", "list")
    assert ended.code == 2
    assert "maim-keys.toml: line 1: Object missing required field" in ended.err
