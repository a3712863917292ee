"""What names a member's row: pseudonyms and credentials, a million of each on a shop's computer.

Keys are random, so each new one belongs on some page of a tree that is larger than memory. Put there as they
come, names cost a shop that learns its members more than all the rest of it. So they are noted in a log, one
after the other, and kept in memory (``Fresh``, which counts before the tree); when they are many they are
filed, a stretch of keys at a time, several to a page. Whoever notes names files a few older ones, so nobody
ever waits for all. This is a log-structured merge tree (O'Neil et al., 1996) of two levels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import msgspec

from tapledger.database import Transaction, every, first, insert, repeat
from tapledger.store import keys
from tapledger.store.fresh import CREDENTIAL, PSEUDONYM, Fresh, Name, Named, Names, in_tree
from tapledger.store.keys import Key
from tapledger.store.sieve import Sieve

T = TypeVar("T")

MOST_FRESH = 65_536
"""So many noted names, which take some 14 MB of memory, begin to be filed."""
FILED_AT_ONCE = 4
"""So many are filed for each that is noted meanwhile; at least ``LEAST_FILED``."""
LEAST_FILED = 64
MOST_FILED = 20_000
"""With more members than that a shop has learnt most of its chain, and few are new any more."""
SORTED_FOR_EACH = 4
"""So many are brought to their places, before filing begins, in the time that one takes to be filed."""
STRUCK_AT_ONCE = 32
"""Entries of the log that are let go with each that is noted, when all of them are filed."""

_IN_MEMORY = "names"
_FIND = "SELECT member, min_level FROM name WHERE kind = ? AND key = ?"
_PAGE = "SELECT key, member FROM name WHERE kind = ? AND key > ? ORDER BY key LIMIT ?"
_RENAMED = "ON CONFLICT (kind, key) DO UPDATE SET member = excluded.member, min_level = excluded.min_level"
_STRIKE = (
    "DELETE FROM name_log WHERE seq IN (SELECT seq FROM name_log WHERE seq <= ? ORDER BY seq LIMIT ?)"
    " RETURNING seq"
)
_ENDS = "SELECT coalesce((SELECT min(seq) FROM name_log), 0), coalesce((SELECT max(seq) FROM name_log), 0)"

_pack = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def take_up(tx: Transaction) -> Fresh:
    """Take into memory what is noted and not filed: the writer once, a reader in each of its snapshots."""
    return _take_up(tx, Fresh())


def begin_writing(tx: Transaction) -> Fresh:
    """``take_up`` for the writer of a shop, which may be about to learn its chain."""
    fresh = Fresh()
    filed = every(tx, "SELECT key FROM name WHERE kind = ? LIMIT ?", PSEUDONYM, MOST_FILED + 1)
    if len(filed) <= MOST_FILED:
        fresh.filed = Sieve()
        fresh.filed.add(key for (key,) in filed)
    return _take_up(tx, fresh)


def _take_up(tx: Transaction, fresh: Fresh) -> Fresh:
    fresh.clear()
    for (packed,) in every(tx, "SELECT names FROM name_log ORDER BY seq"):
        for kind, key, no, min_level in _decode(packed):
            fresh.note({kind: {key: Named(no, min_level)}})
    fresh.committed()
    tx.info[_IN_MEMORY] = fresh
    return fresh


def reading(work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """Return a reader's work: the log that it sees is another each time."""

    def after_taking_up(tx: Transaction) -> T:
        take_up(tx)
        return work(tx)

    return after_taking_up


def _fresh(tx: Transaction) -> Fresh:
    fresh: Fresh = tx.info[_IN_MEMORY]
    return _take_up(tx, fresh) if fresh.is_stale else fresh


def of_member(pseudonym: str) -> Name:
    return PSEUDONYM, keys.of_uuid(pseudonym)


def of_credential(index: str) -> Name:
    return CREDENTIAL, keys.of_hash(index)


def find(tx: Transaction, name: Name) -> Named | None:
    """Return what a name names; None when it names nothing."""
    named = _fresh(tx).get(name)
    if named is not None:
        return named
    row = first(tx, _FIND, *name)
    return None if row is None else Named(*row)


def find_all(tx: Transaction, kind: int, wanted: Collection[Key]) -> dict[Key, Named]:
    """Return those keys of a kind that name something, with what they name."""
    fresh = _fresh(tx)
    found = fresh.find_all(kind, wanted)
    sieve = fresh.filed if kind == PSEUDONYM else None
    others = [key for key in wanted if key not in found and (sieve is None or sieve.may_have(key))]
    if others:
        marks = ", ".join("?" * len(others))
        query = f"SELECT key, member, min_level FROM name WHERE kind = ? AND key IN ({marks})"  # noqa: S608 - question marks only
        found.update((key, Named(no, level)) for key, no, level in every(tx, query, kind, *others))
    return found


def members_after(tx: Transaction, last: str, limit: int) -> list[str]:
    """Return the pseudonyms that follow one, in their order: text, then UUIDs."""
    name = of_member(last)
    page: dict[Key, int] = dict(every(tx, _PAGE, *name, limit))
    page.update((key, named.no) for key, named in _fresh(tx).after(name, limit))
    marks = ", ".join("?" * len(page))
    there = {no for (no,) in every(tx, f"SELECT no FROM member WHERE no IN ({marks})", *page.values())}  # noqa: S608 - question marks only
    in_order = sorted(page, key=in_tree)[:limit]
    return [keys.uuid_of(key) for key in in_order if page[key] in there]


def note(tx: Transaction, named: Names) -> None:
    """Let names name rows, whatever they named before."""
    entries = _entries(named)
    if not entries:
        return
    ((oldest, newest),) = every(tx, _ENDS)
    seq = newest + len(entries)  # counts names, not entries
    first(tx, "INSERT INTO name_log VALUES (?, ?)", seq, _pack(entries))
    fresh = _fresh(tx)
    fresh.note(named)
    if not fresh.filed_until and seq - oldest >= MOST_FRESH:
        fresh.begin_filing(seq)
    if fresh.filed_until:
        _go_on_filing(tx, fresh, max(LEAST_FILED, FILED_AT_ONCE * len(entries)))


def _go_on_filing(tx: Transaction, fresh: Fresh, count: int) -> None:
    """Sort what was there when filing began, then file it, then let go of it in the log: each a little more.

    Until then the log says everything: after a crash it is taken up whole, and filed again.
    """
    if fresh.sort(SORTED_FOR_EACH * count):
        return
    filed = fresh.next_to_file(count)
    if filed:
        insert(tx, "name", _entries(filed), _RENAMED)
    elif len(every(tx, _STRIKE, fresh.filed_until, STRUCK_AT_ONCE)) < STRUCK_AT_ONCE:
        fresh.end_filing()


def _entries(named: Names) -> list[tuple[int, Key, int, int]]:
    return [
        (kind, key, row.no, row.min_level) for kind, of_kind in named.items() for key, row in of_kind.items()
    ]


def forget(tx: Transaction, gone: Sequence[Name]) -> None:
    """Let names name nothing; what they were is overwritten on the disk (``secure_delete``)."""
    if not gone:
        return
    _fresh(tx).forget(gone)
    repeat(tx, "DELETE FROM name WHERE kind = ? AND key = ?", gone)
    for name in gone:
        query = "SELECT seq, names FROM name_log WHERE instr(names, ?)"
        for seq, packed in every(tx, query, keys.order(name[1])):
            left = [entry for entry in _decode(packed) if tuple(entry[:2]) != name]
            first(tx, "UPDATE name_log SET names = ? WHERE seq = ?", _pack(left), seq)
