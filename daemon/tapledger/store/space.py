"""The room on a store's disk: a ballast that is given up when there is none left, and when to be sparing."""

from __future__ import annotations

import os
from pathlib import Path

FILE_NAME = "ballast"


class Space:
    """A file that holds room on the disk for the ledger alone.

    While twice its size is not to be had, the shop keeps what is left for what must be recorded: it gives
    nothing out (``membership.rights``). When nothing is left, the file goes and the ledger has its room.
    """

    def __init__(self, folder: Path, ballast_bytes: int = 0) -> None:
        self._folder = folder
        self._file = folder / FILE_NAME
        self._bytes = ballast_bytes

    def is_low(self) -> bool:
        """Tell whether so little room is left that nothing is given out; without a ballast, never."""
        if not self._bytes:
            return False
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize + self._held() < 2 * self._bytes

    def hold(self) -> None:
        """Make the ballast, or make it anew, when there is room for it twice."""
        if not self._bytes:
            self.give_up()
        elif self._held() < self._bytes and not self.is_low():
            try:
                with self._file.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, self._bytes)
            except OSError:
                self.give_up()

    def give_up(self) -> bool:
        """Let the ledger have the ballast's room; tell whether there was any."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True

    def _held(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
