"""No credential of a handshake reaches a log, whatever the level."""

from __future__ import annotations

import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from maim_protocol.bridge.frames import Open, Refused
from tests.edge.bridge.scripted_router import Answer, ScriptedRouter, admit
from tests.edge.service.edge_peer import RawClient, handshake, running_edge, standard, text_frame

pytestmark = pytest.mark.usefixtures("each_ws")

SECRET = "sesame-4711-open"
SERVER_LOGGERS = ["uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets.server"]


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged at any level, except by the clients of the test."""
    caplog.set_level(0)
    for name in [*SERVER_LOGGERS, *(n for n in logging.root.manager.loggerDict if "maim" in n)]:
        caplog.set_level(0, logger=name)
    logging.getLogger("websockets.client").setLevel(logging.CRITICAL)
    return caplog


def only_known(asked: Open) -> Answer:
    return admit(asked) if asked.platform == "known" else Refused("unauthenticated", "no")


async def test_a_credential_in_the_query_is_never_logged(
    everything: pytest.LogCaptureFixture,
) -> None:
    key = f"?api_key={SECRET}"
    headers = {"x-apikey": SECRET, "authorization": f"Bearer {SECRET}", "cookie": SECRET}
    async with running_edge(ScriptedRouter(verdict=only_known)) as edge:
        for name in SERVER_LOGGERS:
            logging.getLogger(name).setLevel(0)
        async with connect(edge.url + key + "&platform=known", additional_headers=headers) as conn:
            await conn.send(standard())
            await conn.recv()
            await conn.send("bad")
            await conn.recv()
        with pytest.raises(InvalidStatus):
            await connect(edge.url + key)
        with pytest.raises(InvalidStatus):
            await connect(edge.url.replace("/ws", "/other") + key)
        for request in (
            f"GET /ws{key} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode(),
            f"POST /ws{key} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode(),
            f"GET /ws{key} HTTP/nonsense\r\n\r\n".encode(),
            handshake("/ws" + key, f"x-apikey: {SECRET}", *[f"x-{i}: v" for i in range(200)]),
            handshake("/ws" + key)
            .replace(b": websocket", b": h2c")
            .replace(b"Upgrade\r\n", b"Upgrade, close\r\n"),
            handshake("/ws" + key).replace(b"Version: 13", b"Version: 7"),
        ):
            client = await RawClient.connect(edge)
            client.send(request)
            assert SECRET.encode() not in await client.rest()
            await client.aclose()
        client = await RawClient.connect(edge)
        client.send(handshake(f"/ws{key}&platform=known"))
        await client.head()
        client.send(text_frame(b"\xff" + SECRET.encode()))
        await client.rest()
        await client.aclose()
    assert SECRET not in everything.text
    assert SECRET not in repr([vars(record) for record in everything.records])


async def test_a_bug_in_the_application_is_logged_without_the_credential(
    everything: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_edge(ScriptedRouter()) as edge:
        assert edge.gateway is not None
        monkeypatch.setattr(edge.gateway._registry, "add", None)
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{edge.url}?api_key={SECRET}")
        assert caught.value.response.status_code == 500
    assert "Traceback" in everything.text
    assert SECRET not in everything.text
