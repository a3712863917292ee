"""Names name what was noted last, filed or not, over restarts and refusals; and cost few pages."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tapledger.database import Database, InlineExecutor, Transaction, every, insert, read_migrations
from tapledger.store import keys, names
from tapledger.store.fresh import CREDENTIAL, PSEUDONYM, Fresh, Name, Named
from tapledger.store.keys import Key
from tapledger.store.sieve import Sieve

MIGRATIONS = read_migrations(files("tapledger.store") / "migrations")
STEPS = 300

Work: TypeAlias = Callable[[Transaction], object]


class Refusal(Exception):
    """What a use case raises when it refuses: nothing of its transaction stays."""


def note(named: dict[Name, Named]) -> Work:
    by_kind: dict[int, dict[Key, Named]] = {}
    for (kind, key), row in named.items():
        by_kind.setdefault(kind, {})[key] = row
    return lambda tx: names.note(tx, by_kind)


def forget(gone: Sequence[Name]) -> Work:
    return lambda tx: names.forget(tx, gone)


class Kept:
    """A store's file with names, opened as the store does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        self.database = Database.open(self.path, MIGRATIONS, InlineExecutor())
        self.fresh = self.database.transact_now(names.begin_writing)
        self.database.on_commit = lambda: self.fresh.committed()
        self.database.on_rollback = lambda: self.fresh.rolled_back()

    async def restart(self) -> None:
        await self.database.close()
        self._open()

    def do(self, *work: Work, refused: bool = False) -> None:
        def all_of_it(tx: Transaction) -> None:
            for one in work:
                one(tx)
            if refused:
                raise Refusal

        with suppress(Refusal):
            self.database.transact_now(all_of_it)

    def found(self, wanted: list[Name]) -> dict[Name, Named]:
        return self.database.transact_now(lambda tx: look(tx, wanted))

    async def read(self, wanted: list[Name]) -> dict[Name, Named]:
        """Return what another process finds that only reads."""
        reader = Database.open(self.path, MIGRATIONS, InlineExecutor(), read_only=True)
        try:
            return reader.transact_now(names.reading(lambda tx: look(tx, wanted)))
        finally:
            await reader.close()


def look(tx: Transaction, wanted: list[Name]) -> dict[Name, Named]:
    """Ask for names one by one and many at once; both must agree."""
    one_by_one = {name: named for name in wanted if (named := names.find(tx, name)) is not None}
    at_once = {
        (kind, key): named
        for kind in (PSEUDONYM, CREDENTIAL)
        for key, named in names.find_all(tx, kind, [key for k, key in wanted if k == kind]).items()
    }
    assert at_once == one_by_one
    return at_once


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let filing happen all the time."""
    for name, size in {"MOST_FRESH": 40, "LEAST_FILED": 3, "FILED_AT_ONCE": 1, "STRUCK_AT_ONCE": 2}.items():
        monkeypatch.setattr(names, name, size)


def pool(rnd: random.Random) -> list[Name]:
    """Return names of every form: times and hashes as bytes, text that is neither."""
    made: list[Name] = [
        (PSEUDONYM, rnd.getrandbits(20).to_bytes(3, "big") + rnd.randbytes(13)) for _ in range(60)
    ]
    made += [(CREDENTIAL, rnd.randbytes(16)) for _ in range(60)]
    return made + [
        (kind, f"{rnd.choice('abé中')}-{n}") for kind in (PSEUDONYM, CREDENTIAL) for n in range(15)
    ]


async def live(kept: Kept, seed: int) -> None:
    """Note and forget at random, with refusals and restarts, and hold what is found against what was done."""
    rnd = random.Random(seed)
    everything, known = pool(rnd), dict[Name, Named]()
    for _ in range(STEPS):
        noted = {name: Named(rnd.randrange(1, 999), rnd.randrange(4)) for name in rnd.sample(everything, 5)}
        gone = rnd.sample(everything, rnd.choice([0, 0, 0, 2]))
        refused = rnd.random() < 0.2
        kept.do(note(noted), forget(gone), refused=refused)
        if not refused:
            known |= noted
            known = {name: named for name, named in known.items() if name not in gone}
        assert kept.found(everything) == known
        if rnd.random() < 0.05:
            assert await kept.read(everything) == known
            await kept.restart()
            assert kept.found(everything) == known


@pytest.mark.parametrize("seed", range(4))
async def test_a_name_names_what_was_noted_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    small(monkeypatch)
    kept = Kept(tmp_path / "shop.db")
    await live(kept, seed)
    filed = kept.database.transact_now(lambda tx: every(tx, "SELECT count(*) FROM name"))
    assert filed[0][0] > 20, "most went through both levels"
    await kept.database.close()


TWINS: dict[str, tuple[Any, str, Callable[..., object]]] = {
    "refusals stay": (Fresh, "rolled_back", lambda self: None),
    "struck before filed": (names, "_go_on_filing", lambda tx, *_: every(tx, names._STRIKE, 10**9, 99)),
    "older counts first": (
        Fresh,
        "get",
        lambda self, name: self._to_file[name[0]].get(name[1]) or self._noted[name[0]].get(name[1]),
    ),
    "sieve lets nothing through": (Sieve, "add", lambda self, key: None),
    "log keeps the forgotten": (keys, "order", lambda key: b"\0nothing"),
}


@pytest.mark.parametrize("twin", TWINS)
async def test_the_test_catches_a_broken_twin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin: str
) -> None:
    small(monkeypatch)
    monkeypatch.setattr(*TWINS[twin])
    kept = Kept(tmp_path / "shop.db")
    with pytest.raises(AssertionError):
        await live(kept, 1)
    await kept.database.close()


async def test_pages_of_members_are_in_order_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    kept, rnd = Kept(tmp_path / "shop.db"), random.Random(7)
    members = [name for name in pool(rnd) if name[0] == PSEUDONYM]
    for no, name in enumerate(members, 1):
        row = (no, name[1], b"", 0)
        kept.do(lambda tx, row=row: insert(tx, "member", [row]))  # type: ignore[misc]
        kept.do(note({name: Named(no), (CREDENTIAL, f"c-{no}"): Named(no)}))
    texts = sorted(keys.uuid_of(key) for _, key in members if isinstance(key, str))
    uuids = sorted(keys.uuid_of(key) for _, key in members if isinstance(key, bytes))

    def after(last: str) -> list[str]:
        return kept.database.transact_now(lambda tx: names.members_after(tx, last, 7))

    listed, page = [""], after("")
    while page:
        listed += page
        page = after(listed[-1])
    assert listed[1:] == texts + uuids
    await kept.database.close()


def pages_written(kept: Kept, count: int) -> int:
    """Return how many pages names cost that come a hundred at a time."""
    rnd = random.Random(3)
    kept.database.transact_now(lambda tx: every(tx, "PRAGMA wal_autocheckpoint = 0"))
    for start in range(0, count, 100):
        noted: dict[Name, Named] = {(CREDENTIAL, rnd.randbytes(16)): Named(start + n) for n in range(100)}
        kept.do(note(noted))
    with kept.database._engine.connect() as other:
        ((_, pages, _),) = every(other, "PRAGMA wal_checkpoint(NOOP)")
    return int(pages)


async def test_many_names_cost_few_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside names that are filed as they come."""
    monkeypatch.setattr(names, "MOST_FRESH", 10_000)
    kept = Kept(tmp_path / "shop.db")
    noted = pages_written(kept, 40_000)
    await kept.database.close()
    monkeypatch.setattr(names, "MOST_FRESH", 1)
    kept = Kept(tmp_path / "other.db")
    as_they_come = pages_written(kept, 40_000)
    await kept.database.close()
    assert noted * 3 < as_they_come


async def test_what_is_forgotten_is_not_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    kept, rnd = Kept(tmp_path / "shop.db"), random.Random(5)
    cards: list[Name] = [(CREDENTIAL, rnd.randbytes(16)) for _ in range(90)]
    for no, card in enumerate(cards):
        kept.do(note({card: Named(no)}))
    kept.do(forget(cards[::2]))
    await kept.database.close()  # moves the log into the file
    raw = kept.path.read_bytes()
    assert [raw.count(keys.order(key)) > 0 for _, key in cards] == [bool(no % 2) for no in range(90)]
