"""The Autobahn TestSuite against both protocol classes, in both of their ways to be used."""

from __future__ import annotations

import asyncio

import pytest

from maim_edge.picows_protocol import PicowsProtocol
from maim_edge.websocket_protocol import EdgeWebSocketProtocol
from tests.compliance.fuzzing import Findings, fuzz
from tests.compliance.echo import echoing

CLASSES = {"picows": PicowsProtocol, "websockets-sansio": EdgeWebSocketProtocol}
# A direct listener is given all messages alike and writes text; these cases want binary back.
BINARY = ("1.2.*", "9.2.*", "9.4.*", "9.6.*", "9.8.*")

pytestmark = pytest.mark.timeout(900)


def told(name: str, findings: Findings) -> str:
    """A line for the log: what is neither good nor bad is named too."""
    counts = {verdict: len(cases) for verdict, cases in sorted(findings.behaviour.items())}
    odd = {v: cases for v, cases in findings.behaviour.items() if v not in ("OK", "INFORMATIONAL")}
    return f"{name}: {findings.cases} cases, {counts}, closing failed: {findings.failed_closing}, {odd}"


@pytest.mark.parametrize("name", CLASSES)
async def test_no_case_fails_through_asgi(name: str) -> None:
    protocol: type[asyncio.Protocol] = CLASSES[name]
    async with echoing(protocol) as url:
        findings = await fuzz(f"{name}-asgi", f"{url}/asgi")
    print(told(f"{name} through ASGI", findings))
    assert findings.cases > 200
    assert (findings.failed, findings.failed_closing) == ([], [])


@pytest.mark.parametrize("name", CLASSES)
async def test_no_case_with_text_fails_after_the_hand_over(name: str) -> None:
    protocol: type[asyncio.Protocol] = CLASSES[name]
    async with echoing(protocol) as url:
        findings = await fuzz(f"{name}-direct", f"{url}/direct", BINARY)
    print(told(f"{name} after the hand-over", findings))
    assert findings.cases > 200
    assert (findings.failed, findings.failed_closing) == ([], [])
