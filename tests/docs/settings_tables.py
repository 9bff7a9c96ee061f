"""The settings as the documents show them, read off the settings classes.

`python -m tests.docs.settings_tables` prints the tables of docs/operations.md anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from maim_edge.settings import EdgeSettings
from maim_router.settings import RouterSettings
from maim_runtime.settings.model import ServiceSettings, prefix_of
from maim_runtime.settings.sources import SHARED_FIELDS, SHARED_PREFIX, env_name

HEAD = "| setting | default | meaning |\n|---|---|---|"


def table(cls: type[ServiceSettings]) -> str:
    """Return the table of one service, without what both have."""
    own = {name: info for name, info in cls.model_fields.items() if name not in SHARED_FIELDS}
    return "\n".join([HEAD, *_rows(own, prefix_of(cls))])


def shared_table() -> str:
    """Return the table of what both services have."""
    fields = ServiceSettings.model_fields
    return "\n".join([HEAD, *_rows({name: fields[name] for name in SHARED_FIELDS}, "")])


def defaults(cls: type[ServiceSettings]) -> dict[str, str]:
    """Map the names behind a prefix to their defaults as docs/settings.md writes them."""
    prefix = prefix_of(cls)
    return {
        env_name(name, prefix).removeprefix(prefix): default(info)
        for name, info in cls.model_fields.items()
        if name not in SHARED_FIELDS
    }


def shared_defaults() -> dict[str, str]:
    """Map the names of what both services have to their defaults."""
    fields = ServiceSettings.model_fields
    return {f"{SHARED_PREFIX}{name.upper()}": default(fields[name]) for name in SHARED_FIELDS}


def default(info: FieldInfo) -> str:
    """Write a default as the environment takes it; empty: not set, or found out at the start."""
    value = None if info.default_factory is not None else info.default
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(fields: dict[str, FieldInfo], prefix: str) -> Iterator[str]:
    for name, info in fields.items():
        value = default(info)
        shown = f"`{value}`" if value else ""
        yield f"| `{env_name(name, prefix)}` | {shown} | {info.description} |"


if __name__ == "__main__":
    for text in (table(EdgeSettings), table(RouterSettings), shared_table()):
        print(f"{text}\n")
