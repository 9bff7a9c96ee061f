"""Session modes from a client's side: close codes, refusals, takeovers."""

from __future__ import annotations

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from maim_message.server import ServerConfig
from maim_protocol.errors import ConfigError
from tests.server.test_websocket_server import message, serving


async def test_a_second_connection_is_refused_with_429_and_may_come_later() -> None:
    async with serving(session_mode="share,qq=reject") as server:
        address = f"{server.url}?api_key=bob&platform="
        async with connect(address + "qq"), connect(address + "wx"), connect(address + "wx"):
            with pytest.raises(InvalidStatus) as caught:
                await connect(address + "qq")
        response = caught.value.response
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
        assert b'"too_many_connections"' in (response.body or b"")


async def test_an_older_connection_is_ended_with_4409() -> None:
    async with serving(session_mode="replace") as server:
        address = f"{server.url}?api_key=bob&platform=qq"
        async with connect(address) as old, connect(address) as new:
            with pytest.raises(websockets.ConnectionClosed):
                await old.recv()
            assert old.close_code == 4409
            await server.send_message(message("hello"))
            assert "hello" in str(await new.recv())


async def test_the_next_in_line_takes_over_with_what_was_not_acknowledged() -> None:
    async with serving(session_mode="standby") as server:
        address = f"{server.url}?api_key=bob&platform=qq"
        async with connect(address) as active, connect(address) as waiting:
            assert len(await server.send_message(message("one"))) == 1
            assert "one" in str(await active.recv())
            assert len(server.get_user_connections("bob")) == 2
            await active.close()
            assert "one" in str(await waiting.recv())
            await server.send_message(message("two"))
            assert "two" in str(await waiting.recv())


def test_a_wrong_session_mode_names_the_field() -> None:
    with pytest.raises(ConfigError) as caught:
        ServerConfig(session_mode="standbye")
    expected = "share, replace, reject or standby; did you mean standby?"
    text = f"ServerConfig.session_mode: expected {expected}, got 'standbye'"
    assert str(caught.value) == text
