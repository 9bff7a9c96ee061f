"""Refusals before the upgrade, over real sockets (protocol.md, "Connecting")."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

from maim_edge.service.server import EdgeServer
from maim_edge.websocket.http_protocol import EdgeHttpProtocol
from maim_protocol.bridge.frames import Admission, Open, Refused, RouterFrame, Verdict
from tests.edge.bridge.scripted_router import Answer, ScriptedRouter, admit
from tests.edge.service.edge_peer import RawClient, handshake, running_edge, standard, text_frame

pytestmark = pytest.mark.usefixtures("each_ws")


async def refused(edge: EdgeServer, query: str = "?api_key=k", **options: Any) -> Response:
    with pytest.raises(InvalidStatus) as caught:
        await connect(edge.url + query, **options)
    return caught.value.response


def body(response: Response) -> dict[str, str]:
    assert response.headers["content-type"] == "application/json"
    answer: dict[str, str] = json.loads(response.body or b"")
    assert set(answer) == {"error", "message"}
    return answer


async def close_code(conn: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(conn.recv(), 10)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def refuse(asked: Open) -> Answer:
    return Refused("unauthenticated", "the key was revoked")


def never(asked: Open) -> Answer:
    return None


async def test_without_a_credential_it_is_401() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        response = await refused(edge, "")
        assert response.status_code == 401
        assert body(response)["error"] == "unauthenticated"
    assert router.opens == []


async def test_a_wrong_credential_is_401_with_the_routers_text() -> None:
    async with running_edge(ScriptedRouter(verdict=refuse)) as edge:
        response = await refused(edge)
        assert response.status_code == 401
        assert body(response) == {"error": "unauthenticated", "message": "the key was revoked"}


async def test_a_refusal_code_of_a_newer_router_is_503() -> None:
    router = ScriptedRouter(verdict=lambda asked: Refused("on_strike", "no"))
    async with running_edge(router) as edge:
        assert (await refused(edge)).status_code == 503


async def test_a_page_of_another_origin_is_403() -> None:
    async with running_edge(ScriptedRouter(), allowed_origins="https://a.example") as edge:
        response = await refused(edge, origin="https://b.example")
        assert response.status_code == 403
        assert body(response)["error"] == "forbidden_origin"
        async with connect(edge.url + "?api_key=k", origin="https://a.example"):  # type: ignore[arg-type]
            pass


async def test_a_plain_get_is_426() -> None:
    async with running_edge(ScriptedRouter()) as edge:
        client = await RawClient.connect(edge)
        client.send(b"GET /ws?api_key=k HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n")
        head = (await client.head()).lower()
        assert head.startswith("http/1.1 426")
        assert "upgrade: websocket" in head
        assert json.loads(await client.rest())["error"] == "upgrade_required"
        await client.aclose()


@pytest.mark.parametrize(
    ("request_line", "status", "error"),
    [
        ("GET /elsewhere?api_key=k", 404, "not_found"),
        ("POST /", 404, "not_found"),
        ("POST /ws?api_key=k", 405, "method_not_allowed"),
        ("DELETE /ws", 405, "method_not_allowed"),
    ],
)
async def test_a_plain_request_that_cannot_be_served_is_refused_in_json(
    request_line: str, status: int, error: str
) -> None:
    async with running_edge(ScriptedRouter()) as edge:
        client = await RawClient.connect(edge)
        client.send(f"{request_line} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode())
        head = await client.head()
        assert head.startswith(f"HTTP/1.1 {status} ")
        assert ("allow: GET" in head) == (status == 405)
        told = json.loads(await client.rest())
        assert told["error"] == error
        assert "/ws" in told["message"]
        await client.aclose()


async def test_a_handshake_on_another_path_is_404_and_names_the_right_one() -> None:
    async with running_edge(ScriptedRouter()) as edge:
        with pytest.raises(InvalidStatus) as caught:
            await connect(edge.url.replace("/ws", "/elsewhere") + "?api_key=k")
        assert caught.value.response.status_code == 404
        assert json.loads(caught.value.response.body)["message"] == "expected the path /ws"


async def test_a_credential_in_the_address_is_not_echoed_by_a_redirect() -> None:
    async with running_edge(ScriptedRouter()) as edge:
        client = await RawClient.connect(edge)
        client.send(b"GET /ws/?api_key=s3cret HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n")
        head = await client.head()
        assert head.startswith("HTTP/1.1 404")
        assert "s3cret" not in head + (await client.rest()).decode()
        await client.aclose()


async def test_a_full_server_is_429_with_retry_after() -> None:
    router = ScriptedRouter()
    async with running_edge(router, max_connections=1) as edge:
        async with connect(edge.url + "?api_key=k"):
            response = await refused(edge)
            assert response.status_code == 429
            assert int(response.headers["retry-after"]) > 0
            assert body(response)["error"] == "too_many_connections"
        await router.until(lambda: router.closes)
        async with connect(edge.url + "?api_key=k"):
            pass


async def test_an_address_with_too_many_connections_is_429() -> None:
    options = {"max_connections_per_ip": 1, "trusted_proxies": "127.0.0.0/8"}
    async with running_edge(ScriptedRouter(), **options) as edge:
        first = {"x-forwarded-for": "1.1.1.1"}
        async with connect(edge.url + "?api_key=k", additional_headers=first):
            # The proxy's own line comes behind the one that the client made up.
            twice = [("x-forwarded-for", "2.2.2.2"), ("x-forwarded-for", "1.1.1.1")]
            assert (await refused(edge, additional_headers=twice)).status_code == 429
            other = {"x-forwarded-for": "1.1.1.1, 2.2.2.2"}
            async with connect(edge.url + "?api_key=k", additional_headers=other):
                pass


async def test_without_a_router_it_is_503_with_retry_after() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        router.welcomes = False
        router.leave()
        await router.until(lambda: len(router.hellos) > 1)
        response = await refused(edge)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert body(response)["error"] == "router_unavailable"


@pytest.mark.parametrize(
    ("query", "code"), [("", 4401), ("?api_key=k&format=xml", 4400), ("?api_key=k", 4401)]
)
async def test_refused_by_closing_when_the_operator_wants_that(query: str, code: int) -> None:
    async with running_edge(ScriptedRouter(verdict=refuse), reject_with="close") as edge:
        async with connect(edge.url + query) as conn:
            got, reason = await close_code(conn)
        assert got == code
        assert reason


async def test_a_full_server_closes_with_4429_and_an_origin_with_4403() -> None:
    options = {"max_connections": 1, "allowed_origins": "https://a.example"}
    async with running_edge(ScriptedRouter(), reject_with="close", **options) as edge:
        async with connect(edge.url + "?api_key=k"), connect(edge.url + "?api_key=k") as second:
            assert (await close_code(second))[0] == 4429
        page = connect(edge.url + "?api_key=k", origin="https://b.example")  # type: ignore[arg-type]
        async with page as conn:
            assert (await close_code(conn))[0] == 4403


async def test_what_the_router_hears_of_a_handshake() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        headers = {"x-uuid": "label", "authorization": "Bearer other", "x-test": "é"}
        async with connect(f"{edge.url}?api_key=k%20%E5%AF%86", additional_headers=headers):
            (asked,) = router.opens
    assert (asked.api_key, asked.platform, asked.label) == ("k 密", "unknown", "label")
    assert asked.client_ip == "127.0.0.1"
    names = [name for name, _ in asked.headers]
    assert "x-test" in names
    assert "authorization" not in names


async def test_a_client_that_leaves_during_auth_is_told_to_the_router() -> None:
    router = ScriptedRouter(verdict=never)
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await router.until(lambda: router.opens)
        await client.aclose()
        await router.until(lambda: router.closes)
        conn = router.opens[0].conn
        assert router.closes[0].conn == conn
        # A verdict that comes too late changes nothing.
        await router.write(RouterFrame(verdicts=[Verdict(conn, Admission("u", "alice"))]))
        router.verdict = admit
        async with connect(edge.url + "?api_key=k"):
            assert [asked.conn for asked in router.opens][1:] != [conn]
            assert edge.gateway is not None
            assert edge.gateway.connections == 1


@pytest.mark.parametrize("split", [None, 5, -3])
async def test_what_is_sent_with_the_handshake_is_taken_once_admitted(split: int | None) -> None:
    held: list[Open] = []

    def hold(asked: Open) -> Answer:
        held.append(asked)
        return None

    router = ScriptedRouter(verdict=hold)
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        early = text_frame(standard("early")) + text_frame(standard("second"))
        client.send(handshake() + (early if split is None else early[:split]))
        await router.until(lambda: held)
        if split is not None:
            client.send(early[split:])
        assert router.got == []
        verdict = Verdict(held[0].conn, Admission("u", "alice"))
        await router.write(RouterFrame(verdicts=[verdict]))
        assert "101" in await client.head()
        await router.until(lambda: len(router.got) >= 2)
        assert json.loads((await client.frame())[1])["meta"]["acked_msg_id"] == "early"
        await client.aclose()
    assert [got.msg_id for got in router.got] == ["early", "second"]


async def test_what_a_refused_client_sent_is_never_looked_at() -> None:
    router = ScriptedRouter(verdict=refuse)
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake() + text_frame(standard("early")) + b"\xff" * 1000)
        assert (await client.head()).startswith("HTTP/1.1 401")
        await client.rest()
        await client.aclose()
        router.verdict = admit
        async with connect(edge.url + "?api_key=k") as conn:
            await conn.send(standard("later"))
            await conn.recv()
    assert [got.msg_id for got in router.got] == ["later"]


async def test_a_client_may_not_fill_memory_before_it_is_admitted() -> None:
    router = ScriptedRouter(verdict=never)
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await router.until(lambda: router.opens)
        for _ in range(64):
            client.send(b"\x00" * 1_000_000)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.writer.drain(), 0.3)
        client.writer.transport.abort()


@pytest.mark.parametrize(
    "headers",
    [[f"x-{index}: v" for index in range(200)], ["x-long: " + "v" * 20_000]],
    ids=["too many", "too long"],
)
async def test_a_handshake_that_is_too_large_is_answered(headers: list[str]) -> None:
    async with running_edge(ScriptedRouter()) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake("/ws?api_key=k", *headers))
        assert (await client.head()).startswith("HTTP/1.1 431")
        await client.rest()
        await client.aclose()


async def test_a_head_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EdgeHttpProtocol, "head_seconds", 3600)
    async with running_edge(ScriptedRouter()) as edge:
        client = await RawClient.connect(edge)
        client.send(b"GET /ws HTTP/1.1\r\n")
        with suppress(ConnectionError):
            for _ in range(200):
                client.send(b"x-more: " + b"v" * 10_000 + b"\r\n")
                await client.writer.drain()
            assert await client.rest() == b""
        await client.aclose()


async def test_a_head_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EdgeHttpProtocol, "head_seconds", 0.05)
    async with running_edge(ScriptedRouter()) as edge:
        for begun in (b"", b"GET /ws HT", handshake()[:-2]):
            client = await RawClient.connect(edge)
            client.send(begun)
            with suppress(ConnectionError):
                assert await client.rest() == b""
            await client.aclose()
        async with connect(edge.url + "?api_key=k") as conn:
            await conn.send(standard("m1"))
            assert await conn.recv()
