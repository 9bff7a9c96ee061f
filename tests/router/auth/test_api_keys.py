"""The API key file."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import stat
from pathlib import Path

import pytest

from maim_protocol.errors import ConfigError
from maim_router.auth.credentials.api_keys import ApiKeys

NOW = "2026-01-01T00:00:00Z"


@pytest.fixture(params=["keys.toml", "keys.json"])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return tmp_path / str(request.param)


def opened(path: Path) -> ApiKeys:
    return ApiKeys(path, create=True, now=lambda: NOW)


def entry(id: str = "k1", user: str = "alice", key: str = "x", **more: str) -> dict[str, str]:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return {"id": id, "user": user, "sha256": digest, "created": NOW, **more}


def put(path: Path, *entries: dict[str, str]) -> Path:
    blocks = [
        "\n".join(["[[keys]]", *(f"{name} = {json.dumps(value)}" for name, value in item.items())])
        for item in entries
    ]
    path.write_text("# ours\n" + "\n".join(blocks) + "\n")
    return path


def test_a_key_authenticates_its_user_also_after_reading_the_file_again(path: Path) -> None:
    made = opened(path).add("alice")
    assert re.fullmatch(r"maim_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", made.key)
    assert ApiKeys(path).authenticate(made.key) == "alice"


@pytest.mark.parametrize("text", ["", "alice", "k1", "maim_k1_", "\ud800", "x" * 100_000])
def test_nothing_but_the_whole_key_authenticates(path: Path, text: str) -> None:
    keys = opened(path)
    key = keys.add("alice", id="k1").key
    for wrong in (text, key[:-1], key + "A", key.upper()):
        assert keys.authenticate(wrong) is None


def test_key_id_and_user_all_address_the_user(path: Path) -> None:
    keys = opened(path)
    made = keys.add("爱丽丝 \"a\" \\ 'b'", id="k1")
    assert {keys.resolve(text) for text in (made.key, "k1", made.user)} == {made.user}
    assert keys.resolve("nobody") is None
    assert ApiKeys(path).resolve("k1") == made.user


def test_the_file_holds_no_key_and_only_its_owner_reads_it(path: Path) -> None:
    made = opened(path).add("alice")
    assert made.key not in path.read_text()
    assert made.key.split("_", 2)[2] not in path.read_text()
    assert made.key not in repr(made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name]


def test_a_rotated_key_replaces_the_old_one_under_the_same_id(path: Path) -> None:
    keys = opened(path)
    old = keys.add("alice", id="k1")
    new = keys.rotate("k1")
    assert (new.id, new.user) == ("k1", "alice")
    assert keys.authenticate(old.key) is None
    assert keys.authenticate(new.key) == "alice"
    assert keys.resolve("k1") == "alice"
    assert keys.list()[0].rotated == NOW


def test_a_revoked_key_neither_authenticates_nor_addresses(path: Path) -> None:
    keys = opened(path)
    made = keys.add("alice", id="k1")
    other = keys.add("alice", id="k2")
    keys.revoke("k1")
    assert keys.authenticate(made.key) is None
    assert keys.resolve("k1") is None
    assert keys.resolve("alice") == "alice"
    assert keys.authenticate(other.key) == "alice"
    keys.revoke("k2")
    assert keys.resolve("alice") is None
    assert [key.revoked for key in ApiKeys(path).list()] == [NOW, NOW]


@pytest.mark.parametrize("change", ["rotate", "revoke"])
def test_only_a_valid_id_can_be_changed(path: Path, change: str) -> None:
    keys = opened(path)
    keys.add("alice", id="k1")
    with pytest.raises(ConfigError, match=r"'k9' is not in the file; `maim keys list`"):
        getattr(keys, change)("k9")
    keys.revoke("k1")
    with pytest.raises(ConfigError, match=r"'k1' was revoked at 2026"):
        getattr(keys, change)("k1")


def test_an_id_is_issued_once(path: Path) -> None:
    keys = opened(path)
    keys.add("alice", id="k1")
    with pytest.raises(ConfigError, match=r"'k1' is taken"):
        keys.add("bob", id="k1")


def test_an_id_may_not_be_another_users_name(path: Path) -> None:
    keys = opened(path)
    keys.add("alice", id="k1")
    for user, id in (("bob", "alice"), ("k1", "k2")):
        with pytest.raises(ConfigError, match="is also the name of another user"):
            keys.add(user, id=id)
    assert len(ApiKeys(path).list()) == 1
    keys.add("carol", id="carol")


@pytest.mark.parametrize("user", ["", " alice", "a\nb", "a" * 129, "a\x1b[2J"])
def test_a_user_is_a_short_printable_name(path: Path, user: str) -> None:
    with pytest.raises(ConfigError, match="expected 1 to 128 printable characters"):
        opened(path).add(user)


def test_an_id_has_no_underscore_that_would_end_it_early(path: Path) -> None:
    with pytest.raises(ConfigError, match="letters, digits or hyphens, got 'a_b'"):
        opened(path).add("alice", id="a_b")


def test_a_key_of_another_origin_works_by_its_hash(tmp_path: Path) -> None:
    path = put(tmp_path / "keys.toml", entry(key="given by hand"))
    assert ApiKeys(path).authenticate("given by hand") == "alice"


def test_a_changed_file_is_read_again(path: Path) -> None:
    serving = opened(path)
    made = opened(path).add("alice", id="k1")
    assert serving.authenticate(made.key) == "alice"
    opened(path).revoke("k1")
    assert serving.authenticate(made.key) is None


def test_a_file_that_breaks_later_leaves_the_last_good_keys_and_one_error(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serving = opened(path)
    made = serving.add("alice")
    path.write_text("][")
    with caplog.at_level(logging.ERROR):
        assert serving.authenticate(made.key) == "alice"
        assert serving.authenticate(made.key) == "alice"
    assert len(caplog.records) == 1
    path.unlink()
    assert serving.authenticate(made.key) == "alice"


def test_an_emptied_file_is_not_a_new_last_good_one(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = opened(path)
    made = keys.add("alice", id="k1")
    path.write_text("")
    assert keys.authenticate(made.key) == "alice"
    path.write_text('{"keys": []}' if path.suffix == ".json" else "# nobody\n")
    assert keys.authenticate(made.key) == "alice"
    assert "the last good one stays" in caplog.text


def test_a_broken_file_is_not_replaced_by_a_change(path: Path) -> None:
    keys = opened(path)
    keys.add("alice", id="k1")
    path.write_text("broken = [")
    with pytest.raises(ConfigError):
        keys.add("bob", id="k2")
    assert path.read_text() == "broken = ["


def test_no_user_has_the_name_of_the_routers_own_messages(path: Path) -> None:
    with pytest.raises(ConfigError, match="another name than 'server'"):
        opened(path).add("server")


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        ApiKeys(path)


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"sha256": "abc"}, "sha256: expected 64 lower-case hex digits"),
        ({"id": "k1"}, "id: 'k1' is there twice"),
        ({"id": "a b"}, "expected 1 to 64 letters, digits or hyphens, got 'a b'"),
        ({"user": ""}, "expected 1 to 128 printable characters, got ''"),
        ({"usr": "x"}, "Object contains unknown field `usr`"),
    ],
)
def test_a_wrong_entry_is_found_by_its_line(
    tmp_path: Path, second: dict[str, str], problem: str
) -> None:
    path = put(tmp_path / "keys.toml", entry(), entry("k2", "bob", "y") | second)
    with pytest.raises(ConfigError) as caught:
        ApiKeys(path)
    assert str(caught.value) == f"{path}: line 7: {problem}"


def test_a_missing_field_is_named_as_the_file_calls_it(tmp_path: Path) -> None:
    wrong = entry()
    del wrong["user"]
    with pytest.raises(ConfigError, match=r"line 2: .*missing required field `user`"):
        ApiKeys(put(tmp_path / "keys.toml", wrong))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("keys.toml", "[[keys]]\nid = k1\n", "line 2"),
        ("keys.toml", "[[kyes]]\n", r"expected nothing but \[\[keys\]\] entries"),
        ("keys.toml", "keys = 3\n", r"keys: expected a list of \[\[keys\]\] entries"),
        ("keys.json", '{"keys": [}', "line 1 column 11"),
        ("keys.json", "[]", 'expected nothing but "keys" entries'),
        ("keys.json", '{"keys": [3]}', "entry 1: expected a table, got int"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        ApiKeys(path)


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "keys").touch()
    with pytest.raises(ConfigError, match="cannot write it"):
        opened(tmp_path / "keys" / "inside.toml").add("alice")
