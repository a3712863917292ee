"""Names that are noted and not filed yet, in memory, as the log of ``names`` says; rollbacks undo theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from tapledger.store.keys import Key

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


Stretch: TypeAlias = dict[Key, Named]
Was: TypeAlias = tuple[Stretch, Key, Named | None]
"""What a key named, to be put back."""


def place_of(name: Name) -> Place:
    kind, key = name
    if isinstance(key, bytes):
        return kind, True, key[: PREFIX[kind]]
    return kind, False, key[:1].encode()


class Fresh:
    """What was noted since filing began, and before that what is not filed."""

    def __init__(self) -> None:
        self._noted: dict[Place, Stretch] = {}
        self._to_file: dict[Place, Stretch] = {}
        self._places: list[Place] = []
        """Those of which nothing is filed yet, the first last."""
        self._place: Place = (PSEUDONYM, False, b"")
        self._keys: list[Key] = []
        """What is left to file of one place, the first last; some may be forgotten meanwhile."""
        self._undo: list[Callable[[], None]] = []
        """What takes back the changes of the transaction that is open, the last change last."""
        self.filed_until = 0
        """The entry of the log up to which names are being filed; 0: none are."""

    def get(self, name: Name) -> Named | None:
        place, key = place_of(name), name[1]
        found = self._noted.get(place, {}).get(key)
        return found if found is not None else self._to_file.get(place, {}).get(key)

    def after(self, last: Name, limit: int) -> Iterator[tuple[Key, Named]]:
        """Yield the names of a kind that follow one, in the tree's order, and what they name."""
        first_place = place_of(last)
        places = {place for place in (*self._noted, *self._to_file) if place[0] == last[0]}
        for place in sorted(place for place in places if place >= first_place):
            stretch = self._to_file.get(place, {}) | self._noted.get(place, {})
            names: list[Name] = sorted((place[0], key) for key in stretch)
            for name in names:
                if limit and (place != first_place or name > last):
                    limit -= 1
                    yield name[1], stretch[name[1]]

    def note(self, named: Mapping[Name, Named]) -> None:
        before: list[Was] = []
        for name, row in named.items():
            stretch, key = self._noted.setdefault(place_of(name), {}), name[1]
            before.append((stretch, key, stretch.get(key)))
            stretch[key] = row
        self._undo.append(lambda: _put_back(before))

    def forget(self, gone: Sequence[Name]) -> None:
        before: list[Was] = []
        for name in gone:
            place, key = place_of(name), name[1]
            for stretch in (self._noted.get(place, {}), self._to_file.get(place, {})):
                before.append((stretch, key, stretch.pop(key, None)))
        self._undo.append(lambda: _put_back(before))

    def begin_filing(self, until: int) -> None:
        """Let everything that is noted now be filed."""
        assert not self.filed_until
        self._to_file, self._noted, self.filed_until = self._noted, {}, until
        self._places = sorted(self._to_file, reverse=True)

        def undo() -> None:
            self._noted, self._to_file, self.filed_until, self._places = self._to_file, {}, 0, []

        self._undo.append(undo)

    def next_to_file(self, count: int) -> list[tuple[Name, Named]]:
        """Return the next names to file, so many at most, in the tree's order; they count as filed."""
        before = (list(self._places), self._place, list(self._keys))
        taken: list[Was] = []
        names: list[tuple[Name, Named]] = []
        while len(names) < count and (self._keys or self._places):
            if not self._keys:
                self._place = self._places.pop()
                self._keys = sorted(self._to_file[self._place], reverse=True)  # all bytes, or all text
                continue
            stretch, key = self._to_file[self._place], self._keys.pop()
            named = stretch.pop(key, None)
            if named is not None:
                taken.append((stretch, key, named))
                names.append(((self._place[0], key), named))

        def undo() -> None:
            _put_back(taken)
            self._places, self._place, self._keys = before

        self._undo.append(undo)
        return names

    def end_filing(self) -> None:
        before = (self._to_file, self.filed_until)
        self._to_file, self.filed_until = {}, 0

        def undo() -> None:
            self._to_file, self.filed_until = before

        self._undo.append(undo)

    def committed(self) -> None:
        self._undo.clear()

    def rolled_back(self) -> None:
        while self._undo:
            self._undo.pop()()


def _put_back(before: Sequence[Was]) -> None:
    for stretch, key, row in reversed(before):
        if row is None:
            stretch.pop(key, None)
        else:
            stretch[key] = row
