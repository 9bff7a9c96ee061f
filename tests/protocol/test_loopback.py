"""Which addresses only this machine reaches."""

from __future__ import annotations

import pytest

from maim_protocol.addresses import is_loopback


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.1:18040",
        "127.9.9.9:1",
        "localhost",
        "localhost:18040",
        "::1",
        "[::1]",
        "[::1]:18040",
        "unix:/run/maim.sock",
    ],
)
def test_only_this_machine_reaches(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "0.0.0.0",  # noqa: S104 - nothing listens there
        "0.0.0.0:18040",
        "[::]:18040",
        "::",
        "192.168.0.7:18040",
        "example.org:18040",
        "localhost.example.org",
        "[fe80::1]:80",
    ],
)
def test_others_may_reach(address: str) -> None:
    assert not is_loopback(address)
