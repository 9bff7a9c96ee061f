"""Proofs that a router let a connection in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maim_protocol.bridge.frames import Admission, Live, Open
from maim_router.auth.signing import Signer
from maim_router.events import EdgeKey

EDGE = EdgeKey("edge-1", 5)
ASKED = Open(7, "key", "qq", "label", "127.0.0.1")
KEY = b"a key that routers share"


def admitted(signer: Signer) -> Live:
    return Live(ASKED, signer.sign(EDGE, ASKED, Admission("uuid-7", "alice")))


def test_a_router_with_the_same_key_believes_it() -> None:
    assert Signer(KEY).verifies(EDGE, admitted(Signer(KEY)))


def test_a_router_with_another_key_does_not() -> None:
    assert not Signer(b"another").verifies(EDGE, admitted(Signer(KEY)))
    assert not Signer().verifies(EDGE, admitted(Signer()))


@pytest.mark.parametrize(
    "forged",
    [
        lambda one: replace(one, admission=replace(one.admission, user_id="mallory")),
        lambda one: replace(one, admission=replace(one.admission, connection_uuid="uuid-8")),
        lambda one: replace(one, admission=replace(one.admission, proof=b"")),
        lambda one: replace(one, open=replace(one.open, conn=8)),
        lambda one: replace(one, open=replace(one.open, platform="wx")),
        lambda one: replace(one, open=replace(one.open, label="other")),
        lambda one: replace(one, open=replace(one.open, api_key="other")),
        lambda one: replace(one, open=replace(one.open, api_key="keyq", platform="q")),
    ],
)
def test_a_proof_is_for_one_connection_of_one_user(forged) -> None:  # type: ignore[no-untyped-def]
    assert not Signer(KEY).verifies(EDGE, forged(admitted(Signer(KEY))))


@pytest.mark.parametrize("edge", [EdgeKey("edge-2", 5), EdgeKey("edge-1", 6)])
def test_a_proof_is_for_one_run_of_one_edge(edge: EdgeKey) -> None:
    assert not Signer(KEY).verifies(edge, admitted(Signer(KEY)))
