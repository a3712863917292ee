"""Names that are noted and not filed yet, in memory, as the log of ``names`` says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from tapledger.store.keys import Key
from tapledger.store.sieve import Sieve

PSEUDONYM, CREDENTIAL = KINDS = 0, 1
FORMS = str, bytes
"""Of keys: one sorts before the other, and they are not compared."""

Name: TypeAlias = tuple[int, Key]
"""A kind and a key."""


class Named(msgspec.Struct, frozen=True, gc=False):
    """A member's row, by its number, and the trust level at which a credential was enrolled."""

    no: int
    min_level: int = 0


Names: TypeAlias = Mapping[int, Mapping[Key, Named]]
"""What names name, by kind and key."""


def in_tree(key: Key) -> tuple[bool, Key]:
    """Return what sorts keys as the tree does: text, then bytes."""
    return isinstance(key, bytes), key


def _none() -> dict[int, dict[Key, Named]]:
    return {kind: {} for kind in KINDS}


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
        self._noted = _none()
        self._to_file = _none()
        self._unsorted: list[tuple[int, list[Key]]] = []
        """Those to file that are not sorted yet, by kind."""
        self._stretches: dict[tuple[int, type], list[Key]] = {}
        """Those that are, the first last; some may be forgotten meanwhile."""
        self._in_order: dict[int, list[Key]] = {}
        self.filed_until = 0
        """The entry of the log up to which names are being filed; 0: none are."""
        self.is_stale = self._is_changed = False

    def get(self, name: Name) -> Named | None:
        kind, key = name
        return self._noted[kind].get(key) or self._to_file[kind].get(key)

    def find_all(self, kind: int, wanted: Collection[Key]) -> dict[Key, Named]:
        older, newer = self._to_file[kind], self._noted[kind]
        return {key: older[key] for key in older.keys() & wanted} | {
            key: newer[key] for key in newer.keys() & wanted
        }

    def after(self, last: Name, limit: int) -> Iterator[tuple[Key, Named]]:
        """Yield the names of a kind that follow one, in the tree's order, and what they name."""
        kind = last[0]
        if kind not in self._in_order:
            self._in_order[kind] = sorted({*self._noted[kind], *self._to_file[kind]}, key=in_tree)
        keys_in_order = self._in_order[kind]
        start = bisect_right(keys_in_order, in_tree(last[1]), key=in_tree)
        for key in islice(keys_in_order, start, start + limit):
            named = self.get((kind, key))
            if named is not None:
                yield key, named

    def note(self, named: Names) -> None:
        for kind, of_kind in named.items():
            self._noted[kind].update(of_kind)
        self._changes()

    def forget(self, gone: Sequence[Name]) -> None:
        for kind, key in gone:
            self._noted[kind].pop(key, None)
            self._to_file[kind].pop(key, None)
        self._changes()

    def begin_filing(self, until: int) -> None:
        """Let everything that is noted now be filed."""
        assert not self.filed_until
        self._to_file, self._noted, self.filed_until = self._noted, _none(), until
        self._unsorted = [(kind, list(of_kind)) for kind, of_kind in self._to_file.items()]
        self._stretches = {(kind, form): [] for kind in KINDS for form in FORMS}
        self._is_changed = True

    def sort(self, count: int) -> bool:
        """Sort the next names to file, so many at most; False when all of them are in order.

        Each time makes a run of its own; what merges the runs at last is Python's sort, which finds them.
        """
        if not self._unsorted:
            return False
        kind, left = self._unsorted[-1]
        for form in FORMS:
            run = [key for key in left[-count:] if isinstance(key, form)]
            self._stretches[kind, form] += sorted(run, reverse=True)
        del left[-count:]
        if not left:
            self._unsorted.pop()
            for form in FORMS:
                self._stretches[kind, form].sort(reverse=True)
        return True

    def next_to_file(self, count: int) -> Names:
        """Return the next names to file, so many at most, in the tree's order; they count as filed."""
        self._changes()
        while self._stretches:
            (kind, form), left = next(iter(self._stretches.items()))
            found = {
                key: named
                for key in reversed(left[-count:])
                if (named := self._to_file[kind].pop(key, None)) is not None
            }
            del left[-count:]
            if not left:
                del self._stretches[kind, form]
            if found:
                if self.filed is not None and kind == PSEUDONYM:
                    self.filed.add(found)
                return {kind: found}
        return {}

    def end_filing(self) -> None:
        self._to_file, self.filed_until = _none(), 0
        self._is_changed = True

    def _changes(self) -> None:
        self._is_changed = True
        self._in_order.clear()

    def committed(self) -> None:
        self._is_changed = False

    def rolled_back(self) -> None:
        self.is_stale = self.is_stale or self._is_changed
