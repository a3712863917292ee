"""Files that are whole or not there, whenever the power goes: written beside, synced, renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOGS = ("-wal", "-shm")
"""What SQLite keeps beside a database; a new one must not find those of the old."""


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give the name of an empty file in the same folder, for its user alone; gone at the end, or renamed."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for end in ("", "-journal", *LOGS):
            Path(f"{name}{end}").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
