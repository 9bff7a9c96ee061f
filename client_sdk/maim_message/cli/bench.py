"""`maim bench`: the load generator of benchmarks/ against an edge that runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from maim_message.cli import output
from maim_protocol.errors import ConfigError
from maim_runtime.settings import one_line

if TYPE_CHECKING:
    from maim_bench.generator import Generator
    from maim_bench.plan import Plan
    from maim_bench.report import Report

EXIT_FAULTS = 1


def bench(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="ws://… or wss://… of one or more edges.")
    ],
    work: Annotated[
        Literal["routed", "handler", "listen", "connect"],
        typer.Option(
            help="Clients send to each other, or to the server's handler; or they only listen, "
            "or only connect."
        ),
    ] = "routed",
    connections: Annotated[int, typer.Option(min=1, help="How many clients.")] = 50,
    in_flight: Annotated[
        int, typer.Option(min=1, help="Messages on their way at once, of each client.")
    ] = 1,
    rate: Annotated[
        float, typer.Option(min=0, help="Messages a second of all together; 0: as fast as it goes.")
    ] = 0.0,
    arrivals: Annotated[
        Literal["even", "poisson"], typer.Option(help="How the messages of a rate are spread.")
    ] = "even",
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to measure.")] = 5.0,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds before that.")] = 1.0,
    size: Annotated[int, typer.Option(min=1, help="Bytes of a message's envelope.")] = 400,
    key: Annotated[
        str, typer.Option(help="API key of a client; {n} stands for its number.")
    ] = "bench-{n}",
    platform: Annotated[str, typer.Option(help="Platform of the clients.")] = "bench",
    settled: Annotated[
        bool, typer.Option("--settled", help="Wait for the acknowledgement before the next.")
    ] = False,
    silent: Annotated[
        bool, typer.Option("--silent", help="Clients acknowledge nothing that they receive.")
    ] = False,
    slow: Annotated[int, typer.Option(min=0, help="So many clients do not read.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes of the generator.")] = 1,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Authorities of the edge's certificate, PEM.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Put load on an edge and tell rate, latency and what was lost; exit 1 when something was.

    Latency of a rate counts from when a message was due, so that a server that stalls does not
    hide it. Without a rate, a message makes room for the next when it was delivered.
    """
    for url in urls:
        if not url.startswith(("ws://", "wss://")):
            raise ConfigError(f"URL: expected ws://… or wss://…, got {url!r}")
    # Here, so that the other commands do not load it.
    from maim_bench.generator import GeneratorFailed
    from maim_bench.plan import Plan

    plan = Plan(
        urls=tuple(urls),
        work="listen" if work == "connect" else work,
        key=key,
        platform=platform,
        connections=connections,
        in_flight=in_flight,
        rate=rate,
        arrivals=arrivals,
        size=size,
        frees="settled" if settled else "delivery",
        client_acks=not silent,
        slow=slow,
        ca=str(ca or ""),
    )
    if work == "connect":
        warm_up = seconds = 0.0
    try:
        return asyncio.run(_run(plan, workers, warm_up, seconds, json))
    except GeneratorFailed as error:
        print(f"maim: {one_line(error)}", file=sys.stderr)
        return EXIT_FAULTS


async def _run(plan: Plan, workers: int, warm_up: float, seconds: float, json: bool) -> int:
    from maim_bench.generator import Generator

    async with Generator(plan, workers) as generator:
        report = await _load(generator, warm_up, seconds) if seconds else None
        opened = generator.opened
    connected = {
        "connections": opened.made,
        "connect_seconds": opened.seconds,
        "connects_per_second": opened.made / opened.seconds,
    }
    if json:
        output.print_json(connected | (report.to_dict() if report else {}))
    else:
        print(f"{opened.made} connections in {opened.seconds:.2f} s")
        for line in report.lines() if report else ():
            print(line)
    return EXIT_FAULTS if report is not None and report.faults else 0


async def _load(generator: Generator, warm_up: float, seconds: float) -> Report:
    with _progress() as progress:
        task = progress.add_task("warming up", total=warm_up + seconds)
        await generator.go()
        await _wait(progress, task, warm_up)
        warming = await generator.window()
        progress.update(task, description="measuring")
        await _wait(progress, task, seconds)
        report = await generator.window()
        progress.update(task, description="waiting for the last")
        rest = await generator.finish()
    report.blame(warming, rest)
    return report


async def _wait(progress: Progress, task: TaskID, seconds: float) -> None:
    step = min(0.2, seconds or 0.2)
    for _ in range(round(seconds / step)):
        await asyncio.sleep(step)
        progress.advance(task, step)


def _progress() -> Progress:
    """A bar on a terminal's stderr, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())
