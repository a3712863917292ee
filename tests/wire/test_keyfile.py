"""Secrets in files: whole or not at all, and only for their owner."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tapledger import keyfile
from tapledger.errors import Conflict, Corrupt, Denied, Unavailable


def test_a_secret_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    umask = os.umask(0)
    try:
        keyfile.create(path, b"one")
    finally:
        os.umask(umask)
    assert keyfile.read(path) == b"one"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict, match="KEY_FILE_EXISTS"):
        keyfile.create(path, b"two")
    assert keyfile.read(path) == b"one"
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"], "nothing is left beside it"


def test_a_secret_is_made_only_when_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert keyfile.read(path) is None
    assert keyfile.read_or_create(path, lambda: b"first") == b"first"
    assert keyfile.read_or_create(path, lambda: b"second") == b"first"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o602])
def test_a_file_that_others_can_open_is_no_secret(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    keyfile.create(path, b"one")
    path.chmod(mode)
    with pytest.raises(Denied, match="KEY_FILE_EXPOSED") as refused:
        keyfile.read(path)
    assert refused.value.data["mode"] == f"{mode:o}"


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    folder, fifo, link, empty, long = (tmp_path / name for name in ("dir", "fifo", "link", "empty", "long"))
    folder.mkdir()
    os.mkfifo(fifo, 0o600)
    keyfile.create(tmp_path / "real", b"one")
    link.symlink_to(tmp_path / "real")
    empty.touch(0o600)
    keyfile.create(long, bytes(keyfile.MAX_BYTES + 1))
    for path in (folder, fifo, link, empty, long):
        with pytest.raises(Corrupt, match="KEY_FILE_UNREADABLE"):
            keyfile.read(path)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="KEY_FILE_FAULT"):
        keyfile.create(tmp_path / "file" / "secret", b"one")


def test_a_replaced_secret_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keyfile.create(path, b"old")
    keyfile.replace(path, b"new")
    assert keyfile.read(path) == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys"]
