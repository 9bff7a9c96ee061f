"""`maim keys`: the API key file and the token file, which hold ids and hashes only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from maim_message.cli import output
from maim_protocol.errors import ConfigError
from maim_router.auth import SCOPES, ApiKeys, Tokens
from maim_router.settings import PREFIX
from maim_runtime.settings import env_name

KEYS_FILE = Path("maim-keys.toml")
TOKENS_FILE = Path("maim-tokens.toml")

app = typer.Typer(help="Issue, list, rotate and revoke API keys and tokens.")

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help=f"The file; else MAIM_ROUTER_API_KEYS_FILE (MAIM_ROUTER_TOKENS_FILE), "
        f"else ./{KEYS_FILE} (./{TOKENS_FILE}).",
    ),
]
TokenOption = Annotated[
    bool, typer.Option("--token", help="Tokens of edges and backends instead of API keys.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `maim keys list` shows it.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="USER", help="User, or name of the token.")],
    file: FileOption = None,
    id: Annotated[str | None, typer.Option("--id", help="Id to give it; else a new one.")] = None,
    token: TokenOption = False,
    scope: Annotated[str, typer.Option("--scope", help=f"Comma list of {', '.join(SCOPES)}.")] = "",
    json: JsonOption = False,
) -> None:
    """Issue an API key (or a token); it is printed this once and stored hashed."""
    if scope and not token:
        raise ConfigError("--scope: only tokens have scopes; add --token")
    path = _path(file, token)
    if token:
        scopes = [part.strip() for part in scope.split(",") if part.strip()]
        made = Tokens(path, create=True).add(name, scopes, id=id)
        row = {"id": made.id, "name": made.name, "scopes": _ordered(made.scopes)}
        _show_new(row, "token", made.token, path, json)
    else:
        key = ApiKeys(path, create=True).add(name, id=id)
        _show_new({"id": key.id, "user": key.user}, "key", key.key, path, json)


@app.command("list")
def list_(file: FileOption = None, token: TokenOption = False, json: JsonOption = False) -> None:
    """Show ids, users and times; the keys themselves are nowhere to be read."""
    path = _path(file, token)
    rows: list[dict[str, Any]]
    columns: tuple[str, ...]
    times = ("created", "rotated", "revoked")
    if token:
        columns = ("id", "name", "scopes", *times)
        rows = [
            {name: getattr(item, name) for name in columns} | {"scopes": _ordered(item.scopes)}
            for item in Tokens(path).list()
        ]
    else:
        columns = ("id", "user", *times)
        rows = [{name: getattr(item, name) for name in columns} for item in ApiKeys(path).list()]
    if json:
        output.print_json(rows)
    else:
        output.console().print(output.table(rows, columns))


@app.command("rotate")
def rotate(
    id: IdArgument, file: FileOption = None, token: TokenOption = False, json: JsonOption = False
) -> None:
    """Issue a new secret under the same id; the old one is refused from now on."""
    path = _path(file, token)
    if token:
        made = Tokens(path).rotate(id)
        row = {"id": made.id, "name": made.name, "scopes": _ordered(made.scopes)}
        _show_new(row, "token", made.token, path, json)
    else:
        key = ApiKeys(path).rotate(id)
        _show_new({"id": key.id, "user": key.user}, "key", key.key, path, json)


@app.command("revoke")
def revoke(
    id: IdArgument, file: FileOption = None, token: TokenOption = False, json: JsonOption = False
) -> None:
    """Make a key (or token) worth nothing."""
    path = _path(file, token)
    (Tokens(path) if token else ApiKeys(path)).revoke(id)
    if json:
        output.print_json({"id": id, "revoked": True})
    else:
        print(f"{id} is revoked in {path}")


def _path(file: Path | None, token: bool) -> Path:
    variable = env_name("tokens_file" if token else "api_keys_file", PREFIX)
    named = os.environ.get(variable)
    return file or (Path(named) if named else TOKENS_FILE if token else KEYS_FILE)


def _ordered(scopes: frozenset[str]) -> list[str]:
    return [scope for scope in SCOPES if scope in scopes]


def _show_new(row: dict[str, Any], kind: str, secret: str, path: Path, json: bool) -> None:
    """Print the secret alone on stdout, so that a script can take it as it is."""
    if json:
        output.print_json({**row, kind: secret, "file": str(path)})
        return
    print(secret)
    owner = row.get("user") or row.get("name")
    text = f"{kind} {row['id']} of {owner}, its hash is in {path}; it is not shown again"
    print(text, file=sys.stderr)
