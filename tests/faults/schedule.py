"""What happens to the processes and links, and when: drawn from a seed, pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

TICKS = 60
MOST_STEPS = 4
EDGES = 2


class Fault(StrEnum):
    """What can happen; DOOR: the link between clients and an edge, BRIDGE: the other one."""

    ROUTER_KILLED = "kill -9 of the router"
    ROUTER_STOPPED = "SIGSTOP of the router"
    ROUTER_TERMINATED = "SIGTERM of the router"
    EDGE_KILLED = "kill -9 of the edge"
    EDGE_STOPPED = "SIGSTOP of the edge"
    EDGE_TERMINATED = "SIGTERM of the edge"
    BRIDGE_SLOW = "delay on the bridge"
    BRIDGE_NARROW = "few bytes a second on the bridge"
    BRIDGE_CUT = "FIN on the bridge"
    BRIDGE_RESET = "RST on the bridge"
    BRIDGE_AWAY = "no bridge"
    BRIDGE_HALF_OPEN = "half-open bridge"
    WEBSOCKET_SLOW = "delay on a link to a client"
    WEBSOCKET_NARROW = "few bytes a second on a link to a client"
    WEBSOCKET_CUT = "FIN on a link to a client"
    WEBSOCKET_RESET = "RST on a link to a client"
    WEBSOCKET_AWAY = "no way to an edge"
    WEBSOCKET_HALF_OPEN = "half-open link to a client"
    AUTH_SLOW = "slow authentication"
    AUTH_HANGS = "hanging authentication"


@dataclass(frozen=True, slots=True)
class Step:
    """A fault that begins with a tick of the traffic and ends `ticks` later."""

    tick: int
    fault: Fault
    edge: int
    ticks: int

    def __str__(self) -> str:
        return f"tick {self.tick} to {self.tick + self.ticks}, edge {self.edge}: {self.fault}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a seed stands for."""

    seed: int
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join([f"MAIM_FAULTS_SEED={self.seed}", *(f"  {step}" for step in self.steps)])


def chance(*seed: object) -> random.Random:
    """A random source that gives the same numbers for the same seed."""
    return random.Random(":".join(map(str, seed)))  # noqa: S311 - repeatable, not secret


def draw(seed: int, families: Sequence[Sequence[Fault]] = (tuple(Fault),)) -> Schedule:
    """Draw a schedule of one family of faults, in the order in which they begin."""
    source = chance("schedule", seed)
    faults = source.choice(families)
    steps = [_step(source, faults) for _ in range(source.randint(1, MOST_STEPS))]
    return Schedule(seed, tuple(sorted(steps, key=lambda step: step.tick)))


def _step(source: random.Random, faults: Sequence[Fault]) -> Step:
    tick = source.randrange(TICKS)
    fault = source.choice(faults)
    return Step(tick, fault, source.randrange(EDGES), source.randint(1, TICKS // 2))
