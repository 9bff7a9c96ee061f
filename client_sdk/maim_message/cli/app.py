"""All commands of `maim` in one typer app; a bad usage is one line and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import maim_message
from maim_message.cli import bench, certs, control, keys, serve
from maim_message.cli.connect import connect
from maim_message.cli.doctor import doctor
from maim_runtime.masking import mask_text
from maim_runtime.settings import EXIT_INTERRUPTED, EXIT_USAGE, guarded

# These hand their whole command line to the flags of the settings classes, `--help` included.
SETTINGS_FLAGS: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}

app = typer.Typer(
    name="maim",
    help="Run and use maim: a message system with an edge, a router and clients.",
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
)


def run(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    known = {command.name for command in app.registered_commands}
    command = argv[0] if argv and argv[0] in known else ""
    return guarded(lambda: _invoke(list(argv)), title=f"maim {command}".strip())


def _invoke(argv: list[str]) -> int:
    try:
        result = app(args=argv or ["--help"], prog_name="maim", standalone_mode=False)
    except typer.Abort:
        return EXIT_INTERRUPTED
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except Exception as error:
        # Its class depends on whether typer brings its own click.
        if not hasattr(error, "format_message"):
            raise
        print(f"maim: {_usage(error)}", file=sys.stderr)
        return EXIT_USAGE
    return result if isinstance(result, int) else 0


def _usage(error: Any) -> str:
    text = " ".join(mask_text(str(error.format_message())).split())
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "maim"
    return f"{text.rstrip('.')} (see {path} --help)"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"maim {maim_message.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command("serve", context_settings=SETTINGS_FLAGS)
def _serve(context: typer.Context) -> int:
    """Run a router and an edge together; Ctrl-C drains."""
    return serve.main(context.args)


@app.command("router", context_settings=SETTINGS_FLAGS)
def _router(context: typer.Context) -> int:
    """Run one router."""
    from maim_router.__main__ import main

    return main(context.args, prog="maim router")


@app.command("edge", context_settings=SETTINGS_FLAGS)
def _edge(context: typer.Context) -> int:
    """Run one edge."""
    from maim_edge.__main__ import main

    return main(context.args, prog="maim edge")


app.command("connect")(connect)
app.command("send")(control.send)
app.command("connections")(control.connections)
app.command("stats")(control.stats)
app.command("drain")(control.drain)
app.command("certs")(certs.certs)
app.add_typer(keys.app, name="keys")
app.command("doctor")(doctor)
app.command("bench")(bench.bench)
