"""The address of a client: as it is, or as proxies that are trusted say."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_edge.client_address import client_address, read_address

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        (" 1.2.3.4 ", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ('"1.2.3.4:5678"', "1.2.3.4"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8:0::1]:443", "2001:db8::1"),
        ("2001:0db8:0:0:0:0:0:1", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("[::ffff:102:304]:1", "1.2.3.4"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_spelling(text: str, expected: str) -> None:
    assert str(read_address(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.1"),
        *("1.2.3.4:port", "1.2.3.4:123456", "1.2.3.4, 5.6.7.8", "[::1", "[::1]x", "[::1]:", "::g"),
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1:4711", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1,10.0.0.2", "1.1.1.1"),
        ("::1", "2001:DB8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "::ffff:1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, garbage, 10.0.0.2", "10.0.0.2"),
        ("", "1.1.1.1", ""),
        ("unix:", "1.1.1.1", "unix:"),
    ],
)
def test_a_forwarded_address_is_believed_from_trusted_proxies_alone(
    peer: str, forwarded: str, expected: str
) -> None:
    assert client_address(peer, [("x-forwarded-for", forwarded)], PROXIES) == expected


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("for=1.1.1.1", "1.1.1.1"),
        ("For=1.1.1.1;proto=https;by=10.0.0.1", "1.1.1.1"),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=6.6.6.6, proto=http; for=1.1.1.1", "1.1.1.1"),
        ('for=1.1.1.1;by="x,for=6.6.6.6"', "1.1.1.1"),
        ("for=1.1.1.1, for=10.0.0.2", "1.1.1.1"),
        ("for=_hidden", "10.0.0.1"),
        ("for=6.6.6.6;for=7.7.7.7", "10.0.0.1"),
        ('for="6.6.6.6, for="[2001:db8::1]"', "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_the_header_of_rfc_7239_is_read(forwarded: str, expected: str) -> None:
    assert client_address("10.0.0.1", [("forwarded", forwarded)], PROXIES) == expected


def test_two_headers_that_disagree_count_for_nothing() -> None:
    both = [("x-forwarded-for", "6.6.6.6"), ("forwarded", "for=1.1.1.1")]
    assert client_address("10.0.0.1", both, PROXIES) == "10.0.0.1"
    same = [("x-forwarded-for", "1.1.1.1:99"), ("forwarded", 'for="1.1.1.1"')]
    assert client_address("10.0.0.1", same, PROXIES) == "1.1.1.1"


@given(st.lists(ADDRESSES, max_size=6), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_what_an_untrusted_client_writes_is_never_believed(claims: list[str], name: str) -> None:
    def written(hops: list[str]) -> list[tuple[str, str]]:
        each = hops if name == "x-forwarded-for" else [f'for="{hop}"' for hop in hops]
        return [(name, ", ".join(each))]

    assert client_address("9.9.9.9", written(claims), PROXIES) == "9.9.9.9"
    through_a_proxy = written([*claims, "9.9.9.9"])
    assert client_address("10.0.0.1", through_a_proxy, PROXIES) == "9.9.9.9"


@given(st.text(max_size=200))
def test_any_text_from_a_proxy_gives_an_address(text: str) -> None:
    for name in ("x-forwarded-for", "forwarded"):
        found = client_address("10.0.0.1", [(name, text)], PROXIES)
        assert str(ipaddress.ip_address(found)) == found
