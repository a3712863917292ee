"""A disk that may lose its power: what was not synced is there, gone, torn or in another order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from tests.faults.power.trace import (
    Created,
    FolderSynced,
    Linked,
    Removed,
    Renamed,
    Step,
    Synced,
    Truncated,
    Written,
)

T = TypeVar("T")

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""
FATES = ("none", "all", "some", "some", "some", "first")
"""What becomes of unsynced writes: those of one power cut share a fate."""

Change: TypeAlias = Written | Truncated


@dataclass(slots=True)
class File:
    sure: bytearray = field(default_factory=bytearray)
    unsure: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.unsure:
            _apply(self.sure, change)
        self.unsure.clear()


class Disk:
    """One folder of files. ``do`` follows a running system, ``cut`` tells what is found after a power cut."""

    def __init__(self) -> None:
        self._now: dict[str, File] = {}
        self._sure: dict[str, File] = {}
        self._unsure: list[Mapping[str, File | None]] = []

    @property
    def is_unsettled(self) -> bool:
        """Tell whether a power cut now could find anything but what the system wrote."""
        return bool(self._unsure) or any(file.unsure for file in self._now.values())

    def do(self, step: Step) -> None:
        match step:
            case Written(name) | Truncated(name):
                self._now[name].unsure.append(step)
            case Synced(name):
                self._now[name].sync()
            case Created(name):
                self._rename({name: File()})
            case Linked(name, other):
                self._rename({other: self._now[name]})
            case Renamed(name, other):
                self._rename({name: None, other: self._now[name]})
            case Removed(name):
                self._rename({name: None})
            case FolderSynced():
                for names in self._unsure:
                    _set(self._sure, names)
                self._unsure.clear()

    def _rename(self, names: Mapping[str, File | None]) -> None:
        _set(self._now, names)
        self._unsure.append(names)

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """Return the files as the next start finds them; names come and go in their order, as in a journal
        of a file system, but only a sync of the folder makes them sure."""
        fate = chance.choice(FATES)
        found = dict(self._sure)
        for names in self._unsure if fate == "all" else _first(self._unsure, chance):
            _set(found, names)
        return {name: _content(file, fate, chance) for name, file in found.items()}


def _set(names: dict[str, File], changed: Mapping[str, File | None]) -> None:
    for name, file in changed.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _first(things: list[T], chance: random.Random) -> list[T]:
    return things[: chance.randint(0, len(things))]


def _content(file: File, fate: str, chance: random.Random) -> bytes:
    content = bytearray(file.sure)
    match fate:
        case "none":
            kept: list[Change] = []
        case "all":
            kept = file.unsure
        case "first":
            kept = _first(file.unsure, chance)
        case _:
            kept = [part for change in file.unsure for part in _torn(change, chance)]
            if chance.random() < 0.5:
                chance.shuffle(kept)
    for change in kept:
        _apply(content, change)
    return bytes(content)


def _torn(change: Change, chance: random.Random) -> list[Change]:
    """Return what is left of one write: all, nothing, or some of its sectors."""
    luck = chance.random()
    if luck < 0.4:
        return [change]
    if luck < 0.7 or isinstance(change, Truncated):
        return []
    return [
        Written(change.name, change.offset + at, change.data[at : at + SECTOR_BYTES])
        for at in range(0, len(change.data), SECTOR_BYTES)
        if chance.random() < 0.5
    ]


def _apply(content: bytearray, change: Change) -> None:
    match change:
        case Written(_, offset, data):
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data)] = data
        case Truncated(_, length):
            del content[length:]
            content.extend(bytes(length - len(content)))
