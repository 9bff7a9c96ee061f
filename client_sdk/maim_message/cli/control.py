"""`maim send`, `connections` and `stats`: operators' commands over `maim.v1.Router`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from rich.console import Group
from rich.live import Live

from maim_message.cli import output, watching
from maim_protocol.addresses import join, parse_address
from maim_protocol.errors import ConfigError
from maim_router.settings import RouterSettings
from maim_runtime.settings import EXIT_USAGE, load, one_line

if TYPE_CHECKING:
    from maim_router.control_client import ControlClient

EXIT_NOT_DELIVERED = 1
DELIVERED = ("WRITTEN", "ACKED", "QUEUED")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - translated, not bound
CONNECTION_COLUMNS = (
    "connection_uuid",
    "user_id",
    "platform",
    "label",
    "edge_id",
    "client_ip",
    "connected_at",
    "standby",
    "pending_bytes",
)

T = TypeVar("T")

RouterOption = Annotated[
    str | None,
    typer.Option("--router", metavar="ADDR", help="Router; else as MAIM_ROUTER_* say."),
]
TokenOption = Annotated[
    str | None, typer.Option("--token", envvar="MAIM_TOKEN", help="Token with the needed scope.")
]
TlsOption = Annotated[
    Path | None, typer.Option("--tls-ca", help="Authorities of the router's certificate, PEM.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UserOption = Annotated[str | None, typer.Option("--user", help="Only this user.")]
PlatformOption = Annotated[str | None, typer.Option("--platform", help="Only this platform.")]


def send(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Text of the message.")],
    user: Annotated[str, typer.Option("--user", help="Receiver: user, key id or key.")],
    platform: Annotated[str, typer.Option("--platform", help="Platform of the receiver.")],
    router: RouterOption = None,
    token: TokenOption = None,
    tls_ca: TlsOption = None,
    wait_for: Annotated[
        Literal["written", "acked"],
        typer.Option("--wait-for", help="Until it is on the socket, or acknowledged."),
    ] = "written",
    ttl: Annotated[
        float, typer.Option("--ttl", min=0, help="Seconds that it may wait; 0: the router's.")
    ] = 0.0,
    json: JsonOption = False,
) -> int:
    """Send a text message to a user; exit 1 when it reached nobody."""

    async def call(control: ControlClient) -> dict[str, Any]:
        return await control.send_message(
            user=user, platform=platform, text=text, wait_for=wait_for, ttl=ttl
        )

    def show(report: dict[str, Any]) -> int:
        if json:
            output.print_json(report)
        else:
            _show_report(report)
        return 0 if _outcome(report.get("outcome")) in DELIVERED else EXIT_NOT_DELIVERED

    return _over(router, token, tls_ca, call, show)


def connections(
    user: UserOption = None,
    platform: PlatformOption = None,
    edge: Annotated[str | None, typer.Option("--edge", help="Only this edge.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Tell who comes and goes.")] = False,
    router: RouterOption = None,
    token: TokenOption = None,
    tls_ca: TlsOption = None,
    json: JsonOption = False,
) -> int:
    """List who is connected, or tell who comes and goes until Ctrl-C."""

    async def call(control: ControlClient) -> list[dict[str, Any]]:
        if watch:
            wanted = {"user_id": user, "platform": platform, "edge_id": edge}
            await watching.watch(control, wanted, json=json)
        return await control.list_connections(user=user, platform=platform, edge=edge)

    def show(rows: list[dict[str, Any]]) -> int:
        if json:
            output.print_json(rows)
        else:
            output.console().print(output.table(rows, CONNECTION_COLUMNS))
        return 0

    return _over(router, token, tls_ca, call, show)


def stats(
    watch: Annotated[bool, typer.Option("--watch", help="Show them again and again.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, help="Seconds between two looks of --watch.")
    ] = 2.0,
    router: RouterOption = None,
    token: TokenOption = None,
    tls_ca: TlsOption = None,
    json: JsonOption = False,
) -> int:
    """Show the router's numbers."""

    async def call(control: ControlClient) -> dict[str, Any]:
        found = await control.get_stats()
        if watch:
            await _watch(control, found, interval, json)
        return found

    def show(found: dict[str, Any]) -> int:
        if json:
            output.print_json(found)
        else:
            output.console().print(_stats_tables(found))
        return 0

    return _over(router, token, tls_ca, call, show)


def drain(
    edge: Annotated[str, typer.Argument(metavar="EDGE", help="Its id, as `maim stats` shows it.")],
    window: Annotated[
        float,
        typer.Option("--window", min=0, max=3600, help="Seconds; 0: as the edge's settings say."),
    ] = 0.0,
    router: RouterOption = None,
    token: TokenOption = None,
    tls_ca: TlsOption = None,
    json: JsonOption = False,
) -> int:
    """Have an edge send its clients to others, take no new ones, and end."""

    async def call(control: ControlClient) -> dict[str, Any]:
        return await control.drain_edge(edge, window)

    def show(answer: dict[str, Any]) -> int:
        if json:
            output.print_json(answer)
        else:
            print(f"{output.harmless(edge)} drains, {answer['connections']} connections")
        return 0

    return _over(router, token, tls_ca, call, show)


async def _watch(
    control: ControlClient, found: dict[str, Any], interval: float, json: bool
) -> None:
    """Show the numbers until Ctrl-C; with `json` one line a look."""
    if json:
        while True:
            output.print_json(found)
            await asyncio.sleep(interval)
            found = await control.get_stats()
    with Live(_stats_tables(found), console=output.console(), auto_refresh=False) as live:
        while True:
            await asyncio.sleep(interval)
            live.update(_stats_tables(await control.get_stats()), refresh=True)


def _over(
    router: str | None,
    token: str | None,
    tls_ca: Path | None,
    call: Callable[[ControlClient], Awaitable[T]],
    show: Callable[[T], int],
) -> int:
    """Make one call and show its answer; a router that is not there is one line and exit 2."""
    from maim_router.control_client import ControlClient, ControlError

    address = _checked(router) if router else _default_address()

    async def ask() -> T:
        async with ControlClient(address, token=token, tls_ca=tls_ca) as control:
            return await call(control)

    try:
        answer = asyncio.run(ask())
    except ControlError as error:
        print(f"maim: {one_line(error)}", file=sys.stderr)
        return EXIT_USAGE
    return show(answer)


def _checked(address: str) -> str:
    try:
        parse_address(address)
    except ValueError as error:
        raise ConfigError(f"--router: expected {error}, got {address!r}") from None
    return address


def _default_address() -> str:
    settings = load(RouterSettings)
    host = EVERYWHERE.get(settings.host)
    return join(host, settings.port) if host else settings.address


def _outcome(value: object) -> str:
    return str(value).removeprefix("OUTCOME_").upper()


def _show_report(report: dict[str, Any]) -> None:
    user = output.harmless(report.get("user_id") or "")
    print(f"{_outcome(report.get('outcome'))} {user} {report.get('msg_id', '')}".rstrip())
    for row in report.get("connections") or ():
        print(f"  {row.get('connection_uuid')} {_outcome(row.get('outcome'))}")


def _stats_tables(found: dict[str, Any]) -> Group:
    edges = found.get("edges") or []
    plain = {name: value for name, value in found.items() if name != "edges"}
    rows = [{"name": name.replace("_", " "), "value": value} for name, value in plain.items()]
    tables = [output.table(rows, ("name", "value"))]
    return Group(*tables, *([output.table(edges, tuple(edges[0]))] if edges else []))
