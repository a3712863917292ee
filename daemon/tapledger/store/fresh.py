"""Names that are noted and not filed yet, in memory, as the log of ``names`` says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from tapledger.store.keys import Key
from tapledger.store.sieve import Sieve

PSEUDONYM, CREDENTIAL = 0, 1
PREFIX = {PSEUDONYM: 3, CREDENTIAL: 1}
"""How many bytes a stretch of names has in common: pseudonyms begin with the time they were made at, by which
three bytes are some hours (RFC 9562, UUIDv7); hashes are random."""

Name: TypeAlias = tuple[int, Key]
"""A kind and a key."""
Place: TypeAlias = tuple[int, bool, bytes]
"""Where a stretch of names is in the tree: their kind, whether they are bytes, how they begin."""


class Named(msgspec.Struct, frozen=True, gc=False):
    """A member's row, by its number, and the trust level at which a credential was enrolled."""

    no: int
    min_level: int = 0


def place_of(name: Name) -> Place:
    kind, key = name
    if isinstance(key, bytes):
        return kind, True, key[: PREFIX[kind]]
    return kind, False, key[:1].encode()


def in_tree(key: Key) -> tuple[bool, Key]:
    """Return what sorts keys as the tree does: text, then bytes."""
    return isinstance(key, bytes), key


class Fresh:
    """What was noted since filing began, and before that what is not filed.

    Whatever a transaction changes here that is not committed, ``is_stale`` says: then the log is to be read
    again. Nothing is noted by what is refused, so that is next to never.
    """

    def __init__(self) -> None:
        self.filed: Sieve | None = None
        """Every pseudonym that is filed, where that is known."""
        self.clear()

    def clear(self) -> None:
        self._noted: dict[Name, Named] = {}
        self._to_file: dict[Name, Named] = {}
        self._unsorted: list[Name] = []
        """Those to file that are at no place yet."""
        self._at: dict[Place, list[Name]] = {}
        self._places: list[Place] = []
        """Those of which nothing is filed yet, the first last."""
        self._names: list[Name] = []
        """What is left to file of one place, the first last; some may be forgotten meanwhile."""
        self._in_order: dict[int, list[Key]] = {}
        self.filed_until = 0
        """The entry of the log up to which names are being filed; 0: none are."""
        self.is_stale = self._is_changed = False

    def get(self, name: Name) -> Named | None:
        return self._noted.get(name) or self._to_file.get(name)

    def after(self, last: Name, limit: int) -> Iterator[tuple[Key, Named]]:
        """Yield the names of a kind that follow one, in the tree's order, and what they name."""
        kind = last[0]
        if kind not in self._in_order:
            keys = {name[1] for name in (*self._noted, *self._to_file) if name[0] == kind}
            self._in_order[kind] = sorted(keys, key=in_tree)
        keys_in_order = self._in_order[kind]
        start = bisect_right(keys_in_order, in_tree(last[1]), key=in_tree)
        for key in islice(keys_in_order, start, start + limit):
            named = self.get((kind, key))
            if named is not None:
                yield key, named

    def note(self, named: Mapping[Name, Named]) -> None:
        self._noted.update(named)
        self._changes()

    def forget(self, gone: Sequence[Name]) -> None:
        for name in gone:
            self._noted.pop(name, None)
            self._to_file.pop(name, None)
        self._changes()

    def begin_filing(self, until: int) -> None:
        """Let everything that is noted now be filed."""
        assert not self.filed_until
        self._to_file, self._noted, self.filed_until = self._noted, {}, until
        self._unsorted, self._at = list(self._to_file), {}
        self._is_changed = True

    def sort(self, count: int) -> bool:
        """Bring the next names to file to their places, so many at most; False when all are there."""
        if not self._unsorted:
            return False
        for name in self._unsorted[-count:]:
            self._at.setdefault(place_of(name), []).append(name)
        del self._unsorted[-count:]
        self._places = sorted(self._at, reverse=True) if not self._unsorted else []
        return True

    def next_to_file(self, count: int) -> list[tuple[Name, Named]]:
        """Return the next names to file, so many at most, in the tree's order; they count as filed."""
        found: list[tuple[Name, Named]] = []
        while len(found) < count and (self._names or self._places):
            if not self._names:
                place = self._places.pop()
                self._names = sorted(self._at.pop(place), reverse=True)  # all bytes, or all text
            name = self._names.pop()
            named = self._to_file.pop(name, None)
            if named is not None:
                found.append((name, named))
                if self.filed is not None and name[0] == PSEUDONYM:
                    self.filed.add(name[1])
        self._changes()
        return found

    def end_filing(self) -> None:
        self._to_file, self.filed_until = {}, 0
        self._is_changed = True

    def _changes(self) -> None:
        self._is_changed = True
        self._in_order.clear()

    def committed(self) -> None:
        self._is_changed = False

    def rolled_back(self) -> None:
        self.is_stale = self.is_stale or self._is_changed
