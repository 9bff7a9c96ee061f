"""What Autobahn says in short; `python -m tests.compliance.summary` prints the last run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.compliance.fuzzing_client import REPORTS, Report

Cases = Mapping[str, Mapping[str, Any]]
ORDER = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED")
HEAD = "| agent | cases | " + " | ".join(ORDER) + " | closes not OK |\n" + "|---" * 8 + "|"


def behaving(cases: Cases, behavior: str, key: str = "behavior") -> list[str]:
    """List the cases of a behavior in their order."""
    found = [case for case, result in cases.items() if result[key] == behavior]
    return sorted(found, key=lambda case: [int(part) for part in case.split(".")])


def table(report: Report) -> str:
    """Write a line for each agent."""
    return "\n".join([HEAD, *(_row(agent, cases) for agent, cases in sorted(report.items()))])


def details(report: Report) -> str:
    """Name the cases that are neither OK nor informational."""
    lines = []
    for agent, cases in sorted(report.items()):
        for behavior in ("NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"):
            if found := behaving(cases, behavior):
                lines.append(f"- {agent}, {behavior}: {', '.join(found)}")
    return "\n".join(lines)


def _row(agent: str, cases: Cases) -> str:
    counts = Counter(result["behavior"] for result in cases.values())
    closes = Counter(result["behaviorClose"] for result in cases.values())
    unclean = len(cases) - closes["OK"] - closes["INFORMATIONAL"]
    cells = [agent, len(cases), *(counts[behavior] for behavior in ORDER), unclean]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    last: Report = json.loads((REPORTS / "index.json").read_text())
    print(table(last), details(last), sep="\n\n")
