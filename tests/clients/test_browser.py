"""The example page in a real Chromium.

Query credentials alone: no browser lets a page set a header on a WebSocket handshake.
"""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.clients.browser import Browser
from tests.clients.conftest import Keys
from tests.clients.friend import Friend
from tests.clients.pair import ROOT, Pair, control, running

# A browser that starts for the first time on a small machine takes its time.
pytestmark = pytest.mark.timeout(300)

STATE = "document.getElementById('state').value"
LOG = "document.getElementById('log').textContent"


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    """Serve the example page; yields its origin."""
    handler = functools.partial(QuietFiles, directory=str(ROOT / "examples" / "browser"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
async def page(origin: str, tmp_path: Path) -> AsyncIterator[Browser]:
    async with Browser(tmp_path / "profile") as browser:
        await browser.open(f"{origin}/index.html")
        yield browser


async def connect(page: Browser, url: str, api_key: str) -> None:
    await page.fill(url=url, api_key=api_key, platform="web")
    await page.submit("connection")


async def test_the_page_sends_and_receives(pair: Pair, keys: Keys, page: Browser) -> None:
    await connect(page, pair.url, keys.alice)
    await page.until(f"{STATE} === 'connected'")
    async with Friend(pair.url, keys.bob) as bob, control(pair) as operator:
        await page.fill(receiver="bob", receiver_platform="demo", text="你好 from the page")
        await page.submit("message")
        came = await bob.receive()
        assert came["payload"]["message_segment"]["data"] == "你好 from the page"
        assert came["meta"]["sender_user"] == "alice"
        assert came["meta"]["sender_platform"] == "web"
        await page.until(f"{LOG}.includes('acknowledged {came['msg_id']}')")

        await bob.send("alice", "<b>hello</b>", platform="web")
        await page.until(f"{LOG}.includes('bob on demo: <b>hello</b>')")
        sent = await operator.send_message(
            user="alice", platform="web", text="for the page", wait_for="acked"
        )
        assert sent["outcome"].endswith("ACKED")


async def test_the_page_learns_that_nobody_is_there(pair: Pair, keys: Keys, page: Browser) -> None:
    await connect(page, pair.url, keys.alice)
    await page.until(f"{STATE} === 'connected'")
    await page.fill(receiver="carol", text="anybody?")
    await page.submit("message")
    await page.until(f"{LOG}.includes('not taken: no_route')")


async def test_a_refused_key_shows_a_close_without_a_reason(pair: Pair, page: Browser) -> None:
    await connect(page, pair.url, "maim_wrong_key")
    await page.until(f"{STATE}.startsWith('closed')")
    assert (await page.run(f"return {STATE}")).strip() == "closed 1006"


async def test_with_reject_with_close_the_page_sees_4401(keys: Keys, page: Browser) -> None:
    async with running(keys.flags, {"reject-with": "close"}) as pair:
        await connect(page, pair.url, "maim_wrong_key")
        await page.until(f"{STATE}.startsWith('closed')")
        assert (await page.run(f"return {STATE}")).startswith("closed 4401 the credential")


async def test_a_page_of_an_origin_that_is_not_listed_stays_outside(
    keys: Keys, page: Browser
) -> None:
    flags = {"reject-with": "close", "allowed-origins": "https://example.org"}
    async with running(keys.flags, flags) as pair:
        await connect(page, pair.url, keys.alice)
        await page.until(f"{STATE}.startsWith('closed 4403')")


async def test_a_page_of_a_listed_origin_comes_in(keys: Keys, origin: str, page: Browser) -> None:
    async with running(keys.flags, {"allowed-origins": origin}) as pair:
        await connect(page, pair.url, keys.alice)
        await page.until(f"{STATE} === 'connected'")
