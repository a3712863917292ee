"""Who holds a device file open: the first question after "device or resource busy"."""

from __future__ import annotations

import os
from pathlib import Path

HOLDERS_MAX = 5


def holders_of(path: str) -> str:
    """Return ``name (PID)`` of each other process that has ``path`` open, as far as this user may see."""
    target, own = os.path.realpath(path), os.getpid()
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == own:
            continue
        if _has_open(process, target):
            found.append(f"{_name(process)} (PID {process.name})")
        if len(found) == HOLDERS_MAX:
            break
    return ", ".join(found)


def _has_open(process: Path, target: str) -> bool:
    try:
        return any(str(link.readlink()) == target for link in (process / "fd").iterdir())
    except OSError:
        return False  # it has ended, or it is another user's


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"
