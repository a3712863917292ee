"""One daemon a store: the lock that a second one finds taken."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from tapledger.errors import Unavailable

FILE_NAME = "lock"


def take(folder: Path) -> IO[bytes]:
    """Lock a store's folder until the returned file is closed, or its process ends, however it ends.

    Raises ``Unavailable`` when somebody else has it, or the disk takes no file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / FILE_NAME).open("ab")
    except OSError as error:
        raise Unavailable("STORE_FAULT", why=str(error.strerror)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise Unavailable("STORE_IN_USE", path=str(folder)) from error
    return file
