"""What the processes of one edge are told of its settings."""

from __future__ import annotations

from pathlib import Path

from maim_edge.service.workers import environment, settings_of
from maim_edge.settings import EdgeSettings
from maim_runtime.settings import load


def test_a_process_reads_back_every_setting_that_it_is_given(tmp_path: Path) -> None:
    given = {
        "state_dir": tmp_path,
        "log_level": "DEBUG",
        "log_format": "json",
        "memory": "1000000",
        "bridge_token": "secret",
        "compression": True,
    }
    settings = EdgeSettings.model_validate(given)
    read = load(EdgeSettings, environ=environment(settings))
    assert read.model_dump() == settings.model_dump()


def test_the_processes_of_an_edge_share_its_memory_and_one_has_the_admin_port() -> None:
    settings = EdgeSettings(workers=4, memory="1000000", admin_port=18041)
    parts = [settings_of(index, settings, 18040, 3) for index in range(4)]
    assert [part.memory for part in parts] == ["250000"] * 4
    assert [part.admin_port for part in parts] == [18041, -1, -1, -1]
    assert {part.workers for part in parts} == {1}
