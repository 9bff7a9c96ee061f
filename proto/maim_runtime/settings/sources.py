"""The layers that settings are gathered from: flags, environment, TOML file.

Rules of the file: a layer only finds values and refuses unknown names, it checks no value;
what it finds keeps the name under which its author wrote it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maim_protocol.errors import ConfigError
from maim_runtime.masking import mask_text

SHARED_PREFIX = "MAIM_"
PREFIXES = ("MAIM_EDGE_", "MAIM_ROUTER_")
SHARED_FIELDS = ("log_level", "log_format", "state_dir")
# What the commands of the SDK read; no service has them.
COMMAND_NAMES = ("MAIM_API_KEY", "MAIM_CREDENTIAL", "MAIM_PLATFORM", "MAIM_TOKEN", "MAIM_URL")


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave, and the name under which it was given."""

    value: object
    label: str


def section_of(prefix: str) -> str:
    """Return the TOML table of an environment prefix: `edge` for `MAIM_EDGE_`."""
    return prefix.removeprefix(SHARED_PREFIX).rstrip("_").lower()


def env_name(field: str, prefix: str) -> str:
    """Return the environment name of a field: `MAIM_EDGE_PORT`, but `MAIM_LOG_LEVEL`."""
    return (SHARED_PREFIX if field in SHARED_FIELDS else prefix) + field.upper()


def flag_name(field: str) -> str:
    """Return the flag of a field: `--max-message-size`."""
    return "--" + field.replace("_", "-")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest known name, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def from_flags(fields: Iterable[str], flags: Mapping[str, object]) -> dict[str, Given]:
    """Take values by field name; a `Given` among them keeps its own label."""
    known = {field: flag_name(field) for field in fields}
    found: dict[str, Given] = {}
    for name, value in flags.items():
        label = flag_name(name)
        if name not in known:
            raise ConfigError(f"unknown flag {label}{suggestion(label, known.values())}")
        found[name] = value if isinstance(value, Given) else Given(value, label)
    return found


def from_environment(
    fields: Iterable[str], prefix: str, environ: Mapping[str, str]
) -> dict[str, Given]:
    """Take `MAIM_…` names; one that no known prefix explains is refused, an empty one not set."""
    known = {env_name(field, prefix): field for field in fields}
    for name in environ:
        _check_env_name(name, prefix, known)
    return {field: Given(environ[name], name) for name, field in known.items() if environ.get(name)}


def _check_env_name(name: str, prefix: str, known: Iterable[str]) -> None:
    others = tuple(other for other in PREFIXES if other != prefix)
    if not name.startswith(SHARED_PREFIX) or name.startswith(others):
        return
    candidates = (*known, *COMMAND_NAMES)
    if name in candidates:
        return
    start, _, rest = name.removeprefix(SHARED_PREFIX).partition("_")
    near = difflib.get_close_matches(f"{SHARED_PREFIX}{start}_", (prefix, *others), n=1)
    if near and near[0] in others:
        # The other service's names are not known here, its prefix is.
        candidates = (near[0] + rest,)
    raise ConfigError(f"unknown setting {name}{suggestion(name, candidates)}")


def from_toml(fields: Iterable[str], prefix: str, path: Path) -> dict[str, Given]:
    """Take a service's table and the shared names above the tables."""
    document = _read_toml(path)
    tables = [section_of(known) for known in PREFIXES]
    for name in document:
        if name not in tables and name not in SHARED_FIELDS:
            hint = suggestion(name, (*SHARED_FIELDS, *tables))
            raise ConfigError(f"{path}: unknown setting {name}{hint}")
    shared = {
        name: Given(document[name], f"{path}: {name}") for name in SHARED_FIELDS if name in document
    }
    return shared | _from_table(fields, document, section_of(prefix), path)


def _from_table(
    fields: Iterable[str], document: Mapping[str, Any], section: str, path: Path
) -> dict[str, Given]:
    table = document.get(section, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {section}: expected a table, [{section}]")
    own = [field for field in fields if field not in SHARED_FIELDS]
    for name in table:
        if name not in own:
            above = f"; write it above [{section}]" if name in SHARED_FIELDS else ""
            hint = above or suggestion(name, own)
            raise ConfigError(f"{path}: unknown setting {name} in [{section}]{hint}")
    return {name: Given(_joined(item), f"{path}: {section}.{name}") for name, item in table.items()}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path} ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML: {mask_text(str(error))}") from None


def _joined(value: object) -> object:
    """A comma list may be written as an array in TOML."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    return value
