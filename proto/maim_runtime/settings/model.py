"""Settings of a service: flags over environment over TOML file over defaults.

Rules of the file: every problem is one `ConfigError` of one line that names the setting as its
author wrote it, and no secret is ever part of a text. pydantic-settings' own sources do not tell
where a value came from, so `layers` gathers the values and they are handed over together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from maim_protocol.errors import ConfigError
from maim_runtime.masking import MASK, mask_text
from maim_runtime.settings.sources import (
    SHARED_PREFIX,
    Given,
    from_environment,
    from_flags,
    from_toml,
    suggestion,
)


def _readable(path: Path) -> Path:
    path = path.expanduser()
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"a readable file ({error.strerror})") from None
    return path


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _terminal_format() -> Format:
    return "console" if sys.stderr.isatty() else "json"


ReadableFile = Annotated[Path, AfterValidator(_readable)]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Format = Literal["json", "console"]


class ServiceSettings(BaseSettings):
    """What every service has; a direct call takes its arguments only, `load` reads the layers."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    log_level: Annotated[Level, BeforeValidator(_upper)] = Field(
        default="INFO", description="Least severe log line that is written."
    )
    log_format: Format = Field(
        default_factory=_terminal_format,
        description="How log lines are written; console on a terminal, else json.",
    )

    state_dir: Path | None = Field(
        default=None,
        description="Folder for what must survive; systemd's or XDG's unless set.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the caller hands over, and nothing behind its back."""
        return (init_settings,)


S = TypeVar("S", bound=ServiceSettings)


def load(
    cls: type[S],
    *,
    prefix: str | None = None,
    config_file: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> S:
    """Load the settings of one service; raises `ConfigError`.

    `prefix` is the environment's (`MAIM_EDGE_`; the class's own by default), `flags` are values
    by field name, of which a `Given` says how its flag was called. `environ` is `os.environ`
    unless given. An empty environment variable counts as not set.
    """
    prefix = prefix or prefix_of(cls)
    fields = tuple(cls.model_fields)
    given = {
        **(from_toml(fields, prefix, config_file) if config_file else {}),
        **from_environment(fields, prefix, os.environ if environ is None else environ),
        **from_flags(fields, flags or {}),
    }
    return build(cls, given)


def build(cls: type[S], values: Mapping[str, object]) -> S:
    """Check `values` by field name and nothing else; raises `ConfigError`."""
    given = {
        name: item if isinstance(item, Given) else Given(item, name)
        for name, item in values.items()
    }
    arguments: dict[str, Any] = {name: item.value for name, item in given.items()}
    for name, value in arguments.items():
        # TOML has booleans of its own, and to Python and pydantic they are numbers.
        if isinstance(value, bool) and _is_number(cls.model_fields.get(name)):
            raise ConfigError(_explain(cls, {"type": "int", "loc": (name,)}, given))
    try:
        return cls(**arguments)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ConfigError(_explain(cls, problem, given)) from None


def prefix_of(cls: type[ServiceSettings]) -> str:
    """Return the prefix of the class's environment names, e.g. `MAIM_EDGE_`."""
    return str(cls.model_config.get("env_prefix") or SHARED_PREFIX)


def effective(settings: ServiceSettings) -> dict[str, object]:
    """Return every setting as plain data, secrets masked."""
    return {name: _plain(getattr(settings, name)) for name in type(settings).model_fields}


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds a credential."""
    return "SecretStr" in str(field.annotation)


def comma_list(text: str) -> tuple[str, ...]:
    """Split a comma list; an empty text is an empty list, an empty part a `ValueError`."""
    if not text.strip():
        return ()
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise ValueError("a comma list without empty parts")
    return parts


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, Path):
        return str(value)
    return mask_text(value) if isinstance(value, str) else value


def _explain(
    cls: type[ServiceSettings], problem: Mapping[str, Any], given: Mapping[str, Given]
) -> str:
    if not problem["loc"]:
        return str(problem["ctx"]["error"])
    name = str(problem["loc"][0])
    field = cls.model_fields.get(name)
    if field is None:
        return f"unknown setting {name}{suggestion(name, cls.model_fields)}"
    item = given.get(name, Given(problem.get("input"), name))
    got = MASK if is_secret(field) else mask_text(repr(item.value))
    return f"{item.label}: expected {_expected(field, problem)}, got {got}"


def _expected(field: FieldInfo, problem: Mapping[str, Any]) -> str:
    kind = str(problem["type"])
    match kind.split("_")[0]:
        case "int" | "float" | "finite" | "greater" | "less":
            whole = "int" in str(field.annotation)
            return ("a whole number" if whole else "a number") + _range(field)
        case "bool":
            return "true or false"
        case "literal":
            return str(problem["ctx"]["expected"])
        case "value":
            return str(problem["ctx"]["error"])
        case "too":
            return f"at least {problem['ctx']['min_length']} characters"
        case "string" | "path":
            return "a text"
        case _:
            return str(problem["msg"])


def _is_number(field: FieldInfo | None) -> bool:
    return field is not None and field.annotation in (int, float, int | None, float | None)


def _range(field: FieldInfo) -> str:
    words = {"gt": " over {}", "ge": " from {}", "le": " to {}"}
    bounds = {
        name: getattr(item, name)
        for item in field.metadata
        for name in words
        if getattr(item, name, None) is not None
    }
    return "".join(text.format(bounds[name]) for name, text in words.items() if name in bounds)
