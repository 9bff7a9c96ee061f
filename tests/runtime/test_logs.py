"""What log lines look like, and what is never in them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from maim_runtime import logs

KEY = "maim_k1_" + "A" * 43


Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(captured: Captured) -> list[dict[str, object]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


def test_a_json_line_has_its_event_level_logger_time_and_extras(capsys: Captured) -> None:
    logs.configure("INFO", "json")
    logging.getLogger("maim_edge.service.app").info("%d clients", 3, extra={"edge": "e1"})
    [line] = lines(capsys)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "event": "3 clients",
        "level": "info",
        "logger": "maim_edge.service.app",
        "edge": "e1",
    }


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_credential_is_in_any_field_or_traceback(capsys: Captured, form: str) -> None:
    logs.configure("DEBUG", form)  # type: ignore[arg-type]
    log = logging.getLogger("maim_router.auth.authentication")
    log.info("GET %s", "/ws?api_key=secret1&platform=qq", extra={"token": "secret2"})
    try:
        raise ValueError(f"key {KEY}, header x-apikey: secret3")
    except ValueError:
        log.exception("refused", extra={"metadata": {"api_key": "secret4", "seen": ["Bearer s5"]}})
    written = capsys.readouterr().err
    assert "ValueError: key maim_k1_***" in written
    for secret in ("secret1", "secret2", "secret3", "secret4", "s5", "AAAA"):
        assert secret not in written


def test_lines_below_the_level_are_not_written(capsys: Captured) -> None:
    logs.configure("WARNING", "json")
    logging.getLogger("maim_edge").info("hello")
    assert capsys.readouterr().err == ""


def test_configuring_again_replaces_the_format(capsys: Captured) -> None:
    logs.configure("INFO", "console")
    logs.configure("INFO", "json")
    logging.getLogger("maim_edge").info("once")
    assert [line["event"] for line in lines(capsys)] == ["once"]


def test_the_servers_own_access_and_handshake_lines_are_off(capsys: Captured) -> None:
    logs.configure("DEBUG", "json")
    logging.getLogger("uvicorn.access").info("GET /ws?api_key=secret")
    logging.getLogger("uvicorn.error").info("WebSocket /ws?api_key=secret [accepted]")
    logging.getLogger("websockets.server").debug("> x-apikey: secret")
    logging.getLogger("uvicorn.error").error("boom")
    assert [line["event"] for line in lines(capsys)] == ["boom"]
