"""Addresses in settings."""

from __future__ import annotations

import pytest

from maim_protocol.addresses import Address, is_loopback, join, network_of, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:50051", Address("127.0.0.1", 50051)),
        ("router:1", Address("router", 1)),
        ("[::1]:65535", Address("::1", 65535)),
        ("dns:///router.internal:50051", Address("router.internal", 50051)),
        ("unix:/run/maim.sock", Address(path="/run/maim.sock")),
        ("unix:///run/maim.sock", Address(path="/run/maim.sock")),
    ],
)
def test_every_form_is_parsed(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "router",
        "router:",
        ":50051",
        "router:0",
        "router:65536",
        "router:x",
        "router:²",
        "::1:50051",
        "unix:",
        "unix:relative",
        "unix:/" + "x" * 103,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|unix:|at most 103 bytes"):
        parse_address(text)


def test_only_this_machine_is_loopback() -> None:
    assert [is_loopback(host) for host in ("127.9.9.9", "::1", "localhost")] == [True] * 3
    assert [is_loopback(host) for host in ("192.0.2.1", "::", "router")] == [False] * 3
    assert parse_address("unix:/run/maim.sock").loopback


def test_an_ipv6_host_is_joined_with_brackets() -> None:
    assert join("::1", 80) == "[::1]:80"
    assert join("localhost", 80) == "localhost:80"


def test_ipv6_is_counted_by_its_network_of_one_customer() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("1.2.3.4") == "1.2.3.4"
    assert network_of("") == ""
