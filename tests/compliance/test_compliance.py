"""RFC 6455 as the Autobahn test suite has it; docs/compliance.md keeps the figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compliance.agents import AGENTS, DIRECT
from tests.compliance.fuzzing_client import Report, fuzz, install
from tests.compliance.summary import behaving, details, table

OURS = ["picows, direct", "picows, ASGI"]
SECONDS = 900

pytestmark = pytest.mark.timeout(SECONDS)


@pytest.fixture(scope="session")
def report(repository: Path) -> Report:
    """What the fuzzing client says of every agent."""
    python = install()
    argv = [sys.executable, "-m", "tests.compliance.agents"]
    with subprocess.Popen(
        argv, cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as agents:
        assert agents.stdin is not None
        assert agents.stdout is not None
        try:
            addresses = json.loads(agents.stdout.readline())
            direct = [name for name, (_, path) in AGENTS.items() if path == DIRECT]
            found = fuzz(python, addresses, direct, SECONDS - 100)
        finally:
            agents.stdin.close()
    print(table(found), details(found), sep="\n\n")
    return found


@pytest.mark.parametrize("agent", OURS)
def test_no_case_fails(report: Report, agent: str) -> None:
    assert behaving(report[agent], "FAILED") == []
    assert behaving(report[agent], "UNIMPLEMENTED") == []


@pytest.mark.parametrize("agent", OURS)
def test_every_connection_is_closed_as_it_should_be(report: Report, agent: str) -> None:
    cases = report[agent]
    good = {*behaving(cases, "OK", "behaviorClose")}
    good |= {*behaving(cases, "INFORMATIONAL", "behaviorClose")}
    assert sorted(set(cases) - good) == []


def test_only_a_frame_that_has_not_ended_is_judged_late(report: Report) -> None:
    assert set(behaving(report["picows, direct"], "NON-STRICT")) <= {"6.4.3", "6.4.4"}


@pytest.mark.parametrize("agent", AGENTS)
def test_every_case_was_run(report: Report, agent: str) -> None:
    direct = AGENTS[agent][1] == DIRECT
    assert len(report[agent]) == (266 if direct else 301)
