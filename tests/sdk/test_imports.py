from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

LEGACY = (
    "MessageClient MessageServer Router RouteConfig TargetConfig MessageBase Seg GroupInfo "
    "UserInfo FormatInfo TemplateInfo BaseMessageInfo InfoBase SenderInfo ReceiverInfo"
).split()


@pytest.mark.parametrize("name", LEGACY)
def test_a_legacy_name_says_where_its_successor_is(name: str) -> None:
    with pytest.raises(ImportError, match=r"use `from maim_message\.\w+ import \w+`"):
        getattr(importlib.import_module("maim_message"), name)


def test_the_text_reaches_who_writes_an_import() -> None:
    with pytest.raises(ImportError, match=r"from maim_message\.message import APIMessageBase"):
        from maim_message import MessageBase  # noqa: F401 - the import is the test


def test_a_name_that_never_was_is_a_plain_import_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Nonsense'"):
        from maim_message import Nonsense  # noqa: F401 - the import is the test


def test_there_is_a_version() -> None:
    assert importlib.import_module("maim_message").__version__


def test_the_client_loads_neither_a_server_nor_grpc() -> None:
    code = (
        "import sys, maim_message.client, maim_message.message;"
        "heavy = {'grpc', 'fastapi', 'pydantic', 'redis', 'structlog', 'maim_edge', 'maim_router'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
