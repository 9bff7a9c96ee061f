"""Overflow policies as a setting, and the keys of messages that coalesce."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maim_edge.delivery.overflow import Policies, Policy, coalesce_key, parse_overflow
from maim_edge.dialects import Delivery
from maim_edge.settings import EdgeSettings
from maim_protocol.errors import ConfigError
from maim_runtime.settings.model import build


def delivery(type: str = "sys_std", payload: Any = None, sender: str = "alice") -> Delivery:
    raw = json.dumps(payload if payload is not None else {}).encode()
    return Delivery("m", type, sender, "qq", "bob", "wx", 1.0, (raw,))


def standard(config: Any) -> Any:
    return {"message_info": {"platform": "qq", "additional_config": config}}


def chosen(policies: Policies, type: str) -> tuple[str, float]:
    handling = policies.of(delivery(type))
    return handling.policy.value, handling.seconds


def test_one_policy_is_for_every_type() -> None:
    policies = parse_overflow("drop_oldest")
    assert chosen(policies, "sys_std") == chosen(policies, "custom_a") == ("drop_oldest", 0)


def test_custom_types_may_have_policies_of_their_own() -> None:
    policies = parse_overflow("disconnect, custom_typing=drop_newest,custom_bulk=block:2.5")
    assert chosen(policies, "sys_std") == ("disconnect", 0)
    assert chosen(policies, "custom_typing") == ("drop_newest", 0)
    assert chosen(policies, "custom_bulk") == ("block", 2.5)
    assert chosen(policies, "custom_other") == ("disconnect", 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drop_oldst", "'drop_oldst' is no policy; did you mean drop_oldest?"),
        ("", "'' is no policy"),
        ("disconnect,custom_a=blck:5", "did you mean block?"),
        ("disconnect,drop_newest", "'drop_newest' names no type"),
        ("disconnect,typing=drop_newest", "did you mean custom_typing?"),
        ("disconnect,custom_=coalesce", "'custom_' is no custom type"),
        ("disconnect,custom_a=coalesce,custom_a=block:1", "custom_a is there twice"),
        ("block", "block:SECONDS"),
        ("block:0", "block:SECONDS"),
        ("block:nan", "block:SECONDS"),
        ("block:3601", "block:SECONDS"),
        ("disconnect:5", "only block has seconds"),
        ("disconnect,,custom_a=block:1", "without empty parts"),
    ],
)
def test_a_wrong_setting_is_an_error_that_helps(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(EdgeSettings, {"overflow": text})
    assert str(caught.value).startswith("overflow: expected ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("default", "system"),
    [("disconnect", "disconnect"), ("drop_oldest", "disconnect"), ("coalesce", "disconnect")],
)
def test_frames_of_the_edge_itself_are_never_dropped(default: str, system: str) -> None:
    assert parse_overflow(default).system.policy == system


def test_frames_of_the_edge_itself_wait_where_messages_do() -> None:
    assert parse_overflow("block:3").system.policy is Policy.BLOCK


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (delivery("custom_pos", {"coalesce_key": "k", "x": 1}), "k"),
        (delivery("custom_pos", {"x": 1}), ""),
        (delivery("custom_pos", {"coalesce_key": 7}), ""),
        (delivery("custom_pos", {"coalesce_key": None}), ""),
        (delivery("sys_std", standard({"coalesce_key": "k"})), "k"),
        (delivery("sys_std", standard({})), ""),
        (delivery("sys_std", standard(None)), ""),
        (delivery("sys_std", standard([1])), ""),
        (delivery("sys_std", {"coalesce_key": "k"}), ""),
    ],
)
def test_the_key_is_read_out_of_the_payload(message: Delivery, key: str) -> None:
    assert coalesce_key(message) == key


def test_a_payload_that_came_in_pieces_is_not_looked_into() -> None:
    message = Delivery("m", "custom_a", "u", "p", "t", "p", 1.0, (b'{"coalesce_key":', b'"k"}'))
    assert coalesce_key(message) == ""


def test_nobodys_message_takes_the_place_of_anothers() -> None:
    policies = parse_overflow("coalesce")
    payload = {"coalesce_key": "k"}
    keys = {
        policies.of(delivery(type, payload, sender)).key
        for type in ("custom_a", "custom_b")
        for sender in ("alice", "bob")
    }
    assert len(keys) == 4
    assert None not in keys


def test_only_messages_that_coalesce_are_read() -> None:
    assert (
        parse_overflow("disconnect,custom_b=coalesce")
        .of(delivery("custom_a", {"coalesce_key": "k"}))
        .key
        is None
    )
