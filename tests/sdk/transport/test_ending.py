from __future__ import annotations

from datetime import datetime, timezone

import pytest

from maim_message.client.transport.ending import after_close, after_refusal, retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize("code", [1000, 1002, 4000, 4099, 4400, 4401, 4403, 4409])
def test_these_close_codes_say_stop(code: int) -> None:
    assert after_close(code, "", None).stop


@pytest.mark.parametrize("code", [None, 1001, 1005, 1009, 1011, 1012, 4408, 4429, 4503])
def test_these_close_codes_say_come_back(code: int | None) -> None:
    assert not after_close(code, "", None).stop


def test_a_drain_tells_when_to_come_back_without_further_jitter() -> None:
    ended = after_close(1001, "drain", 1.25)
    assert (ended.retry_after_seconds, ended.spread) == (1.25, True)


@pytest.mark.parametrize(("status", "stop"), [(401, True), (403, True), (429, False), (503, False)])
def test_a_refused_credential_or_origin_is_final(status: int, stop: bool) -> None:
    assert after_refusal(status, None, b"", NOW).stop is stop


def test_a_refusal_says_what_the_server_said() -> None:
    body = b'{"error":"unauthenticated","message":"no such key"}'
    assert after_refusal(401, None, body, NOW).text.endswith(
        "HTTP 401 unauthenticated: no such key"
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"[" * 100_000])
def test_an_unreadable_body_leaves_the_status(body: bytes) -> None:
    assert after_refusal(503, None, body, NOW).text.endswith("HTTP 503")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds
