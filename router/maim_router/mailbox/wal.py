"""How far a write-ahead log goes by what stands in it (SQLite file format, section 4)."""

from __future__ import annotations

from pathlib import Path

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
MAGIC = (0x377F0682, 0x377F0683)


def last_commit(path: Path) -> int:
    """Return the number of the last frame that ends a transaction of the present log; 0: none.

    SQLite reads the log up to the first frame whose checksum is wrong, without a word. Where this
    number is larger than what it read, a transaction was written and is lost.
    """
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
            if len(header) < HEADER_BYTES or int.from_bytes(header[:4]) not in MAGIC:
                return 0
            page_bytes, salts = int.from_bytes(header[8:12]), header[16:24]
            number = last = 0
            while len(frame := file.read(FRAME_HEADER_BYTES)) == FRAME_HEADER_BYTES:
                if frame[8:16] != salts:
                    break
                number += 1
                if int.from_bytes(frame[4:8]):
                    last = number
                file.seek(page_bytes, 1)
            return last
    except OSError:
        return 0
