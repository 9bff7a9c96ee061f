"""Credentials are taken out of texts and values before anybody reads them; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"
SECRET_NAMES = frozenset(
    {"api_key", "apikey", "x_apikey", "authorization", "token", "password", "secret"}
)

# A key or token of ours: its id is an address and may be read, its secret may not.
_OWN_KEY = re.compile(r"\bmaim_([A-Za-z0-9-]{1,64})_[A-Za-z0-9_-]{40,}")
_BEARER = re.compile(r"(?i)\b(bearer)\s+[^\s\"',;]+")
_NAMED = re.compile(
    r"""(?ix)
    (?P<name> [\w-]* (?:api[_-]?key|apikey|authorization|token|password|secret) )
    (?P<sep> \\?["']? \s* [=:] \s* \\? )
    (?: "[^"]*"? | '[^']*'? | (?:(?:bearer|basic)\s+)? [^\s&"',;)\]}]+ )
    """
)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def mask_text(text: str) -> str:
    """Replace every credential that `text` shows by `***`.

    Knows `name=value` and `name: value` of `SECRET_NAMES`, `Bearer …`, `maim_<id>_<secret>`
    and passwords in URLs. Hides too much rather than too little.
    """
    text = _OWN_KEY.sub(rf"maim_\1_{MASK}", text)
    text = _NAMED.sub(rf"\g<name>\g<sep>{MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    return _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)


def mask_value(value: object) -> object:
    """Mask credentials anywhere inside `value`; what is no plain data becomes its masked repr."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return mask_text(value)
        case Mapping():
            return {key: _mask_item(key, item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [mask_value(item) for item in value]
        case _:
            return mask_text(repr(value))


def is_secret_name(name: object) -> bool:
    """Whether a value of this name is a credential: `api_key`, `X-ApiKey`, `bridge_token`, …"""
    plain = str(name).lower().replace("-", "_")
    return plain in SECRET_NAMES or plain.endswith(("_api_key", "_token", "_password", "_secret"))


def _mask_item(name: object, value: object) -> object:
    if is_secret_name(name) and value not in (None, ""):
        return MASK
    return mask_value(value)
