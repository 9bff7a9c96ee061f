"""Settings of a service: flags over environment over TOML file over defaults, errors of one line.

Imports pydantic and the parts of the runtime that log and mask.
"""

from maim_runtime.settings.command_line import (
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    guarded,
    one_line,
    parse_flags,
    run_service,
)
from maim_runtime.settings.model import (
    ReadableFile,
    ServiceSettings,
    build,
    comma_list,
    effective,
    load,
    prefix_of,
)
from maim_runtime.settings.sources import SHARED_FIELDS, Given, env_name, section_of, suggestion

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_USAGE",
    "SHARED_FIELDS",
    "Given",
    "ReadableFile",
    "ServiceSettings",
    "build",
    "comma_list",
    "effective",
    "env_name",
    "guarded",
    "load",
    "one_line",
    "parse_flags",
    "prefix_of",
    "run_service",
    "section_of",
    "suggestion",
]
