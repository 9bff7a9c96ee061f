"""Clients without our SDK, in four languages, against the real pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Keys
from tests.clients.friend import Friend
from tests.clients.pair import Pair, control
from tests.clients.peers import PEERS, Argv
from tests.clients.program import Program

# Building Go's standard library and starting a JDK take their time on a small machine.
pytestmark = pytest.mark.timeout(600)

LANGUAGES = sorted(PEERS)
CREDENTIALS = ["query", "header"]
GREETING = '你好 \N{WAVING HAND SIGN}\n"\\'


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peers")


@pytest.fixture(params=LANGUAGES)
def client(request: pytest.FixtureRequest, session_folder: Path) -> Argv:
    return PEERS[request.param](session_folder)


def standard(program: Program) -> list[Any]:
    return [frame for frame in program.frames if frame["type"] == "sys_std"]


def environment(url: str, api_key: str, credential: str = "query") -> dict[str, str]:
    return {
        "MAIM_URL": url,
        "MAIM_API_KEY": api_key,
        "MAIM_PLATFORM": "demo",
        "MAIM_CREDENTIAL": credential,
    }


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_a_plain_client_sends_receives_and_acknowledges(
    pair: Pair, keys: Keys, client: Argv, credential: str
) -> None:
    settings = environment(pair.url, keys.alice, credential)
    async with Friend(pair.url, keys.bob) as bob, control(pair) as operator:
        async with Program(*client, "bob", "demo", "2", "2", environment=settings) as alice:
            await alice.line("connected")
            came = [await bob.receive(), await bob.receive()]
            texts = [
                frame["payload"]["message_segment"]["data"].split(" from")[0] for frame in came
            ]
            assert texts == ["number 1", "number 2"]
            assert {frame["meta"]["sender_user"] for frame in came} == {"alice"}

            await bob.send("alice", GREETING, extra=[True, None, -1.5e3])
            await alice.found(lambda: standard(alice))
            sent = await operator.send_message(
                user="alice", platform="demo", text="from the operator", wait_for="acked"
            )
            assert sent["outcome"].endswith("ACKED")
            assert await alice.ended() == 0

    acked = {f["meta"]["acked_msg_id"] for f in alice.frames if f["type"] == "sys_ack"}
    assert acked == {frame["msg_id"] for frame in came}
    [hello, order] = standard(alice)
    assert hello["payload"]["message_segment"]["data"] == GREETING
    assert hello["payload"]["extra"] == [True, None, -1500.0]
    assert hello["meta"]["sender_user"] == "bob"
    assert order["payload"]["message_segment"]["data"] == "from the operator"


async def test_a_plain_client_with_a_refused_key_is_told_401(pair: Pair, client: Argv) -> None:
    settings = environment(pair.url, "maim_wrong_key")
    async with Program(*client, "bob", "demo", "1", "0", environment=settings) as mallory:
        assert await mallory.ended() == 1
    assert "refused: 401" in "\n".join(mallory.err)
    assert "connected" not in mallory.err
    assert "maim_wrong_key" not in pair.edge.log + pair.router.log


async def test_a_plain_client_learns_that_nobody_is_there(
    pair: Pair, keys: Keys, client: Argv
) -> None:
    settings = environment(pair.url, keys.alice)
    async with Program(*client, "carol", "demo", "1", "0", environment=settings) as alice:
        assert await alice.ended() == 1
    [error] = alice.frames
    assert error["payload"]["code"] == "no_route"
