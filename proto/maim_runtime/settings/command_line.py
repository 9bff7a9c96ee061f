"""Every setting as a flag, and the frame around a service's main function.

Rules of the file: argparse only (a service needs no typer), values stay texts until the settings
class checks them, and whatever goes wrong at the start is one line on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import errno
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo

from maim_protocol.errors import AlreadyTold, ConfigError
from maim_runtime import logs
from maim_runtime.masking import mask_text
from maim_runtime.process_title import hide_arguments
from maim_runtime.settings.model import ServiceSettings, is_secret, load, prefix_of
from maim_runtime.settings.sources import (
    SHARED_FIELDS,
    Given,
    env_name,
    flag_name,
    section_of,
    suggestion,
)

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
METAVARS: dict[object, str] = {int: "N", float: "NUMBER", Path: "FILE"}

S = TypeVar("S", bound=ServiceSettings)


@dataclass(slots=True)
class Flags:
    """What a command line said: the TOML file, and values by section and field."""

    config_file: Path | None = None
    values: dict[str, dict[str, Given]] = field(default_factory=dict)

    def load(self, cls: type[S]) -> S:
        """Load the settings of one service under these flags; raises `ConfigError`."""
        section = section_of(prefix_of(cls))
        return load(cls, config_file=self.config_file, flags=self.values.get(section, {}))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(mask_text(message))


def parse_flags(
    argv: Sequence[str], classes: Sequence[type[ServiceSettings]], *, prog: str, about: str
) -> Flags:
    """Parse the command line of one or more services; raises `ConfigError`, `--help` exits.

    A name that two services share is the first one's; the other's is `--<service>-<name>`.
    """
    parser = _Parser(prog=prog, description=about, allow_abbrev=False)
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="TOML file with [edge] and [router] tables"
    )
    targets: dict[str, tuple[str, str]] = {}
    for cls in classes:
        targets |= _add_section(parser, cls, targets)
    parsed, rest = parser.parse_known_args(list(argv))
    if rest:
        raise ConfigError(_unknown(rest[0], ("--config", *targets)))
    return _collect(parsed, classes, targets)


def run_service(
    cls: type[S], run: Callable[[S], int], *, prog: str, about: str, argv: Sequence[str]
) -> int:
    """Load the settings, configure the log, run; returns the exit code."""

    def start() -> int:
        settings = parse_flags(argv, [cls], prog=prog, about=about).load(cls)
        logs.configure(settings.log_level, settings.log_format)
        return run(settings)

    return guarded(start, title=prog)


def guarded(start: Callable[[], int], *, title: str) -> int:
    """Run `start` under a clean process title; a `ConfigError` or `OSError` is one line, exit 2."""
    hide_arguments(title)
    try:
        return start()
    except AlreadyTold:
        return EXIT_USAGE
    except (ConfigError, OSError) as error:
        print(f"maim: {one_line(error)}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def one_line(error: BaseException) -> str:
    """Write an error as one line without credentials, with a remedy where one is known."""
    # A ConfigError never holds a value unmasked, and "--token: expected …" is no credential.
    whole = str(error) if isinstance(error, ConfigError) else mask_text(str(error))
    text = " ".join(whole.split()) or type(error).__name__
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"{text}; stop the process that has the port, or choose another one with --port"
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return f"{text}; choose an address of this machine with --host"
    return text


def _add_section(
    parser: argparse.ArgumentParser,
    cls: type[ServiceSettings],
    taken: Mapping[str, tuple[str, str]],
) -> dict[str, tuple[str, str]]:
    prefix = prefix_of(cls)
    section = section_of(prefix)
    group = parser.add_argument_group(f"{section} settings (environment {prefix}…)")
    targets: dict[str, tuple[str, str]] = {}
    for name, info in cls.model_fields.items():
        flag = flag_name(name)
        if flag in taken and name in SHARED_FIELDS:
            continue
        if flag in taken:
            flag = f"--{section}{flag[1:]}"
        _add_flag(group, flag, env_name(name, prefix), info)
        targets[flag] = (section, name)
    return targets


def _add_flag(group: argparse._ArgumentGroup, flag: str, env: str, info: FieldInfo) -> None:
    help_text = f"{info.description} [{env}; {_default(info)}]".replace("%", "%%")
    if info.annotation is bool:
        group.add_argument(
            flag, dest=flag, nargs="?", const="true", metavar="true|false", help=help_text
        )
        off = f"--no-{flag[2:]}"
        group.add_argument(
            off, dest=flag, action="store_const", const="false", help=argparse.SUPPRESS
        )
    else:
        group.add_argument(flag, dest=flag, metavar=_metavar(info), help=help_text)


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None or info.is_required() or info.default is None:
        return "not set" if info.default_factory is None else "automatic"
    return f"{info.default!r}" if isinstance(info.default, str) else str(info.default)


def _metavar(info: FieldInfo) -> str:
    for kind in _kinds(info.annotation):
        if get_origin(kind) is Literal:
            return "|".join(str(choice) for choice in get_args(kind))
        if kind in METAVARS:
            return METAVARS[kind]
    return "TEXT"


def _kinds(annotation: object) -> Iterator[Any]:
    """Yield the parts of `X | None` and of `Annotated[X, …]`."""
    parts = () if get_origin(annotation) is Literal else get_args(annotation)
    yield annotation
    for part in parts:
        yield from _kinds(part)


def _check_hidden(flag: str) -> None:
    if importlib.util.find_spec("setproctitle") is None:
        text = "other users of this machine could read it; set it in the environment or --config"
        raise ConfigError(f"{flag}: {text}")


def _unknown(argument: str, known: Sequence[str]) -> str:
    name = argument.partition("=")[0]
    if not name.startswith("-"):
        return f"unexpected argument {mask_text(argument)!r}; every setting is a --flag"
    return f"unknown flag {name}{suggestion(name, known) or '; --help lists them all'}"


def _collect(
    parsed: argparse.Namespace,
    classes: Sequence[type[ServiceSettings]],
    targets: Mapping[str, tuple[str, str]],
) -> Flags:
    flags = Flags(parsed.config, {section_of(prefix_of(cls)): {} for cls in classes})
    fields = {section_of(prefix_of(cls)): cls.model_fields for cls in classes}
    for flag, (section, name) in targets.items():
        value: Any = getattr(parsed, flag)
        if value is None:
            continue
        if is_secret(fields[section][name]):
            _check_hidden(flag)
        for owner in fields if name in SHARED_FIELDS else [section]:
            flags.values[owner][name] = Given(value, flag)
    return flags
