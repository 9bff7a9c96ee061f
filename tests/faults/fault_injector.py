"""Does to a site what a step of a schedule says, and undoes it."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.proxy import Proxy
from tests.faults.schedule import Fault, Step
from tests.faults.site import Process, Site

SLOW_SECONDS = 0.1
NARROW_BYTES_A_SECOND = 50_000

LINKS: dict[str, Callable[[Proxy], None]] = {
    "SLOW": lambda link: link.delay(SLOW_SECONDS),
    "NARROW": lambda link: link.limit(NARROW_BYTES_A_SECOND),
    "CUT": Proxy.cut,
    "RESET": Proxy.reset,
    "AWAY": Proxy.refuse,
    "HALF_OPEN": Proxy.swallow,
}
MOODS = {Fault.AUTH_SLOW: "slow", Fault.AUTH_HANGS: "hang"}


class FaultInjector:
    """What is begun is undone before the next fault comes to the same `victim`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def victim(self, step: Step) -> str:
        """Name the process, link or callback."""
        place = step.fault.name.split("_")[0]
        return place if place in ("ROUTER", "AUTH") else f"{place} {step.edge}"

    async def begin(self, step: Step) -> None:
        """Let the fault begin."""
        place, _, what = step.fault.name.partition("_")
        if place == "AUTH":
            self._site.feel(MOODS[step.fault])
        elif place in ("BRIDGE", "WEBSOCKET"):
            LINKS[what](self._link(step))
        elif what == "KILLED":
            await self._process(step).kill()
        elif what == "TERMINATED":
            await self._process(step).terminate()
        else:
            await self._process(step).stop()

    async def undo(self, step: Step) -> None:
        """Let the fault end, and wait until a process that was away is back."""
        place, _, what = step.fault.name.partition("_")
        if place == "AUTH":
            self._site.feel("well")
        elif place in ("BRIDGE", "WEBSOCKET"):
            self._link(step).heal()
        elif what == "STOPPED":
            self._process(step).go_on()
        else:
            await self._process(step).start()

    def _process(self, step: Step) -> Process:
        router = step.fault.name.startswith("ROUTER")
        return self._site.router if router else self._site.edges[step.edge]

    def _link(self, step: Step) -> Proxy:
        proxy = step.fault.name.startswith("WEBSOCKET")
        return (self._site.client_proxies if proxy else self._site.bridges)[step.edge]
