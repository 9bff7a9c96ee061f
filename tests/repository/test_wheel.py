"""What the wheel holds and asks for."""

from __future__ import annotations

import email
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.packages.wheels import build_wheel

ROOMS = ("bench", "edge", "message", "protocol", "router", "runtime")


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(repository, tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def test_a_plain_install_brings_msgspec_and_websockets_alone(metadata: Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.partition(">=")[0] for line in required) == ["msgspec", "websockets"]


def test_there_are_three_extras(metadata: Message) -> None:
    assert set(metadata.get_all("Provides-Extra", [])) == {"server", "cli", "all"}


def test_the_client_is_for_python_3_9(metadata: Message) -> None:
    assert metadata["Requires-Python"] == ">=3.9"


def test_nothing_but_the_product_is_in_it(wheel: zipfile.ZipFile) -> None:
    folders = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in folders if not name.endswith(".dist-info")} == {
        f"maim_{name}" for name in ROOMS
    }
