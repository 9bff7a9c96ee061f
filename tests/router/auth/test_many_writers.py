"""Several processes change one file of keys at a time, and nothing of it is lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maim_router.auth.credentials.api_keys import ApiKeys

WRITERS = 8
KEYS_EACH = 10
WRITE = """
import sys
from pathlib import Path
from maim_router.auth.credentials.api_keys import ApiKeys

path, writer, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for n in range(count):
    ApiKeys(path, create=True).add(f"user-{writer}", id=f"{writer}-{n}")
    if n % 2:
        ApiKeys(path).revoke(f"{writer}-{n}")
"""


def test_what_many_processes_add_and_revoke_at_once_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"

    def write(writer: int) -> None:
        command = [sys.executable, "-c", WRITE, str(path), str(writer), str(KEYS_EACH)]
        subprocess.run(command, check=True, timeout=60)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    keys = {key.id: key.revoked is not None for key in ApiKeys(path).list()}
    assert keys == {f"{w}-{n}": n % 2 == 1 for w in range(WRITERS) for n in range(KEYS_EACH)}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_old_view_of_the_file_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    first, second = ApiKeys(path, create=True), ApiKeys(path, create=True)
    first.add("alice", id="k1")
    second.add("bob", id="k2")
    first.revoke("k2")
    assert [(key.id, bool(key.revoked)) for key in second.list()] == [("k1", False), ("k2", True)]
