"""Chromium without a window, driven over the WebDriver protocol that chromedriver speaks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

import httpx

from tests import needs
from tests.clients.program import Program

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LISTENING = re.compile(r"started successfully on port (?P<port>\d+)")
PATIENCE_SECONDS = 30
# Resolves when the page says so; asks again whenever the page has changed.
WAIT_UNTIL = """
const done = arguments[arguments.length - 1];
const look = () => { if (%s) { observer.disconnect(); done(true); } };
const observer = new MutationObserver(look);
const everything = { subtree: true, childList: true, attributes: true, characterData: true };
observer.observe(document.body, everything);
look();
"""


class Browser:
    """One page; `profile` is the folder of a fresh profile."""

    def __init__(self, profile: Path) -> None:
        driver = needs.program("chromedriver", "apt-get install chromium-driver")
        self._binary = needs.program("chromium", "apt-get install chromium")
        self._driver = Program(driver, "--port=0")
        self._profile = profile
        self._http = httpx.AsyncClient(timeout=2 * PATIENCE_SECONDS, trust_env=False)
        self._session = ""

    async def __aenter__(self) -> Self:
        await self._driver.__aenter__()
        try:
            line = await self._driver.line("started successfully")
            self._session = f"http://127.0.0.1:{LISTENING.search(line)['port']}/session"
            created = await self._call("", {"capabilities": {"alwaysMatch": self._wanted()}})
            self._session += f"/{created['sessionId']}"
            await self._call("/timeouts", {"script": PATIENCE_SECONDS * 1000})
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._session:
                await self._http.delete(self._session)
            await self._http.aclose()
        finally:
            await self._driver.__aexit__()

    async def open(self, url: str) -> None:
        await self._call("/url", {"url": url})

    async def fill(self, **fields: str) -> None:
        """Type into the inputs of these ids."""
        for name, text in fields.items():
            await self.run(
                "document.getElementById(arguments[0]).value = arguments[1];", name, text
            )

    async def submit(self, form: str) -> None:
        """Press the button of a form."""
        await self.run("document.getElementById(arguments[0]).requestSubmit();", form)

    async def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page and return what it returns."""
        return await self._call("/execute/sync", {"script": script, "args": arguments})

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript condition about the page holds."""
        await self._call("/execute/async", {"script": WAIT_UNTIL % condition, "args": []})

    async def _call(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self._http.post(self._session + path, json=body)
        value = answer.json()["value"]
        assert answer.is_success, value
        return value

    def _wanted(self) -> dict[str, Any]:
        flags = [*FLAGS, f"--user-data-dir={self._profile}"]
        return {"goog:chromeOptions": {"args": flags, "binary": str(self._binary)}}
