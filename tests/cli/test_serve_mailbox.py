"""Where `maim serve` keeps letters when nobody says where."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from maim_message.cli.serve import _with_mailbox
from maim_protocol.errors import ConfigError
from maim_router.settings import RouterSettings


def test_each_port_has_a_file_in_the_state_directory(tmp_path: Path) -> None:
    settings = _with_mailbox(RouterSettings(port=50051, state_dir=tmp_path))
    assert settings.mailbox == f"sqlite:///{tmp_path}/letters-50051.db"


def test_each_unix_socket_has_one_too(tmp_path: Path) -> None:
    hosts = ("unix:/run/a.sock", "unix:/run/b.sock")
    settings = [_with_mailbox(RouterSettings(host=h, state_dir=tmp_path)) for h in hosts]
    assert len({one.mailbox for one in settings}) == 2


def test_what_is_set_counts(tmp_path: Path) -> None:
    for settings in (
        RouterSettings(mailbox="memory://", state_dir=tmp_path),
        RouterSettings(mailbox_messages=0, state_dir=tmp_path),
        RouterSettings(port=0, state_dir=tmp_path),
    ):
        assert _with_mailbox(settings).mailbox == "memory://"
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_of_its_own_it_says_that_letters_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert _with_mailbox(RouterSettings()).mailbox == "memory://"
    assert "letters are kept in memory, a restart loses them" in caplog.text
    with pytest.raises(ConfigError, match="cannot be made"):
        _with_mailbox(RouterSettings(state_dir=tmp_path / "file" / "x"))
