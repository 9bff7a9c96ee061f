"""What a Markdown document consists of: headings, code blocks, tables. Pure, but for `read`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(?P<marks>#+) (?P<title>.+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"\]\((?:\.\./)?(?P<path>examples/[^)]+\.\w+)\)")
_ANSWER = "#> "


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block; `before` is the paragraph in front of it."""

    language: str
    code: str
    before: str

    @property
    def example(self) -> str | None:
        """The example file that the paragraph in front of it names last."""
        named = _EXAMPLE.findall(self.before)
        return named[-1] if named else None


def blocks(text: str) -> list[Block]:
    """Return the code blocks of a document, in order."""
    return [
        Block(found["language"], found["code"], text[: found.start()].strip().split("\n\n")[-1])
        for found in _FENCE.finditer(text)
    ]


def headings(text: str) -> list[tuple[int, str]]:
    """Return depth and title of every heading, those within code left out."""
    prose = _FENCE.sub("", text)
    return [(len(found["marks"]), found["title"]) for found in _HEADING.finditer(prose)]


def anchors(text: str) -> set[str]:
    """Return what a link can point at, made of the headings as code hosts make it."""
    titles = (re.sub(r"[^\w\s-]", "", title.lower()) for _, title in headings(text))
    return {title.strip().replace(" ", "-") for title in titles}


def rows(text: str) -> list[str]:
    """Return the lines of every table."""
    return [line for line in _FENCE.sub("", text).splitlines() if line.startswith("|")]


def shell_commands(text: str) -> Iterator[str]:
    """Yield the commands of every shell block, continued lines joined."""
    for block in blocks(text):
        if block.language == "sh":
            yield from block.code.replace("\\\n", " ").splitlines()


def with_spoken_answers(code: str) -> str:
    """Make a session print its `#> …` lines, so that answers can be told apart."""
    lines = code.splitlines()
    return "\n".join(f"echo '{line}'" if line.startswith(_ANSWER) else line for line in lines)


def answers(output: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what each `#> …` line of a spoken session promised, and what came before it."""
    came: list[str] = []
    for line in output:
        if line.startswith(_ANSWER):
            yield line.removeprefix(_ANSWER), "\n".join(came)
            came = []
        else:
            came.append(line)


def read(path: Path) -> str:
    """Read a document."""
    return path.read_text("utf-8")
