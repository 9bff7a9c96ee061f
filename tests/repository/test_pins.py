"""What is installed is pinned by hash, and says nothing of the machine that pinned it."""

from __future__ import annotations

import re

import pytest

from tests.repository import tree

PINS = tuple(path.stem for path in (tree.ROOT / "requirements").glob("*.txt"))
# Put together from halves, so that this file does not find itself.
OUTSIDE = (
    *("/" + "root/", "/" + "work/main", "/" + "work/shared", "/opt/" + "wheels", "/opt/" + "pypi"),
    *("pypi.org/" + "simple", "files.python" + "hosted", "registry.npm" + "js", "deb." + "debian"),
    *("--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "file:" + "///"),
)
PACKAGE = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def pinned(name: str) -> dict[str, str]:
    """Map each package of a pin file to its version."""
    return dict(PACKAGE.findall((tree.ROOT / "requirements" / f"{name}.txt").read_text()))


@pytest.mark.parametrize("name", PINS)
def test_every_requirement_is_pinned_by_hash(name: str) -> None:
    text = (tree.ROOT / "requirements" / f"{name}.txt").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    requirements = [block for block in blocks if not block.startswith("#")]
    assert requirements
    unpinned = [
        b.splitlines()[0] for b in requirements if "==" not in b or "--hash=sha256:" not in b
    ]
    assert unpinned == []


@pytest.mark.parametrize("name", PINS)
def test_no_requirement_names_an_address(name: str) -> None:
    assert "://" not in (tree.ROOT / "requirements" / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", ["base", "cli", "client"])
def test_the_tests_run_with_the_versions_that_users_get(name: str) -> None:
    tested = pinned("dev")
    assert {p: v for p, v in pinned(name).items() if tested.get(p) != v} == {}


def test_the_client_needs_msgspec_and_websockets_alone() -> None:
    assert set(pinned("client")) == {"msgspec", "websockets"}


def test_no_file_names_a_machine_or_an_index_of_packages() -> None:
    told = re.compile("|".join(map(re.escape, OUTSIDE)))
    found = [
        tree.named(path, number)
        for path in tree.files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if told.search(line)
    ]
    assert found == []
