"""Credentials in texts and values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_runtime.masking import is_secret_name, mask_text, mask_value

OWN_KEY = "maim_k1_" + "Ab-_" * 10 + "xyz"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET /ws?api_key=secret&platform=qq", "GET /ws?api_key=***&platform=qq"),
        ("GET /ws?platform=qq&api_key=secret HTTP/1.1", "GET /ws?platform=qq&api_key=*** HTTP/1.1"),
        ("x-apikey: secret", "x-apikey: ***"),
        ("Authorization: Bearer secret", "Authorization: ***"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: ***"),
        ("sent Bearer secret, refused", "sent Bearer ***, refused"),
        ("{'api_key': 'se cret', 'platform': 'qq'}", "{'api_key': ***, 'platform': 'qq'}"),
        ('{"api_key": "secret"}', '{"api_key": ***}'),
        (r"\"api_key\": \"secret\"", r"\"api_key\": \***"),
        ("Target(api_key='secret', platform='qq')", "Target(api_key=***, platform='qq')"),
        ("bridge_token=secret", "bridge_token=***"),
        (f"got {OWN_KEY}.", "got maim_k1_***."),
        ("redis://user:secret@host/0", "redis://user:***@host/0"),
    ],
)
def test_a_credential_in_a_text_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "maim_router_delivery_latency_seconds 3",
        "api_keys_file=/etc/maim/keys.toml",
        "ws://localhost:18040/ws",
        "connection 7 of user alice on qq",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert mask_text(text) == text


@given(st.text(st.characters(exclude_characters="\"'", exclude_categories=["Cs"])))
def test_a_quoted_key_never_survives_whatever_its_characters(secret: str) -> None:
    assert mask_text(f"api_key='begin{secret}end' platform") == "api_key=*** platform"


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once


def test_values_are_masked_at_any_depth_and_by_their_name() -> None:
    value = {"api_key": "a", "list": [{"X-ApiKey": "b"}, "token=c"], "n": 1, "none": None}
    assert mask_value(value) == {
        "api_key": "***",
        "list": [{"X-ApiKey": "***"}, "token=***"],
        "n": 1,
        "none": None,
    }


def test_an_object_is_shown_as_its_masked_repr() -> None:
    assert mask_value(ValueError("api_key=secret")) == "ValueError('api_key=***')"


@pytest.mark.parametrize("name", ["api_key", "X-ApiKey", "Authorization", "bridge_token"])
def test_names_of_credentials_are_known(name: str) -> None:
    assert is_secret_name(name)
    assert not is_secret_name("api_keys_file")
