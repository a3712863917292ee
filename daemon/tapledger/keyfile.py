"""Secrets in files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tapledger import durable
from tapledger.errors import Conflict, Corrupt, Denied, Unavailable

MAX_BYTES = 64 * 1024


def create(path: Path, secret: bytes) -> None:
    """Write a new file, readable by its owner only; raise ``Conflict`` when there is one already.

    It appears under its name only when all of it is on disk, so a crash leaves no half of a key.
    """
    try:
        with _written_beside(path, secret) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError as error:
                raise Conflict("KEY_FILE_EXISTS", path=str(path)) from error
        durable.sync(path.parent)
    except OSError as error:
        raise Unavailable("KEY_FILE_FAULT", path=str(path), why=str(error.strerror)) from error


def replace(path: Path, secret: bytes) -> None:
    """Write a file anew: a crash leaves the old secret or the new one, whole."""
    try:
        with _written_beside(path, secret) as temporary:
            temporary.rename(path)
        durable.sync(path.parent)
    except OSError as error:
        raise Unavailable("KEY_FILE_FAULT", path=str(path), why=str(error.strerror)) from error


@contextmanager
def _written_beside(path: Path, secret: bytes) -> Iterator[Path]:
    """Write the secret to a file of another name in the same folder, on disk before it is given its own."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> bytes | None:
    """Return a secret, or None when there is no such file.

    Raises ``Denied`` when others may read or write it, ``Corrupt`` when it is no file or too long.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Corrupt("KEY_FILE_UNREADABLE", path=str(path)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Corrupt("KEY_FILE_UNREADABLE", path=str(path))
        if status.st_mode & 0o077 or status.st_uid != os.geteuid():
            raise Denied("KEY_FILE_EXPOSED", path=str(path), mode=f"{status.st_mode & 0o777:o}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            secret = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if not 0 < len(secret) <= MAX_BYTES:
        raise Corrupt("KEY_FILE_UNREADABLE", path=str(path))
    return secret


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the secret of a file, made first when there is none; of two makers the first is believed."""
    secret = read(path)
    if secret is not None:
        return secret
    made = make()
    try:
        create(path, made)
    except Conflict:
        return read(path) or made
    return made
