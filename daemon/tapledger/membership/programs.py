"""The merchant's rules as files and as versions: read with every mistake at its line, kept once used (X5).

A version that was in use never changes: the same ``version`` with another content is refused. A new one
counts from ``active_from``; until then the shop uses the one before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tapledger import texts
from tapledger.database import Transaction
from tapledger.errors import Conflict, Invalid
from tapledger.loyalty.days import instant
from tapledger.loyalty.program import Program, reading
from tapledger.loyalty.program.findings import Finding
from tapledger.loyalty.program.lint import Shelf
from tapledger.membership.shop import Coming, Shop
from tapledger.store import programs as kept_programs
from tapledger.store.programs import Kept, Use
from tapledger.store.store import Store

LOOK_AGAIN_S = 60.0
"""How long the daemon sleeps at most before it looks whether another version counts by now."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong in a file, at its line."""

    file: str
    line: int
    finding: Finding

    def sentence(self, language: str) -> str:
        return texts.reason(language, self.finding.why)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.finding.key}: {self.sentence('en')}"


@dataclass(frozen=True, slots=True)
class Source:
    """A program.toml as it was read: the programme, or what is wrong with it."""

    text: str
    content: bytes
    """What it says with its calendars, in one way of writing: two files that mean the same have the same."""
    program: Program | None
    mistakes: tuple[Mistake, ...] = ()

    def kept(self) -> Kept:
        assert self.program is not None
        digest = hashlib.sha256(self.content).digest()
        return Kept(self.program.version, digest, self.content, self.text)


# ---- reading ---------------------------------------------------------------------------------------------
def read(path: Path, shelf: Shelf | None = None) -> Source:
    """Read a programme and the calendars beside it. Mistakes are in the answer; a missing file raises."""
    return _source(reading.read(path.read_bytes(), _beside(path), shelf), path)


def of_table(table: dict[str, Any], text: str, path: Path, shelf: Shelf | None = None) -> Source:
    """Check a programme that was parsed already; ``text`` is what it was parsed from, for the lines."""
    return _source(reading.of_table(table, text, _beside(path), shelf), path)


def _beside(path: Path) -> reading.Beside:
    return lambda name: (path.parent / name).read_bytes()


def _source(read: reading.Reading, path: Path) -> Source:
    mistakes = tuple(Mistake(str(path), line, finding) for line, finding in read.mistakes)
    return Source(read.text, read.content, read.program, mistakes)


def load(path: Path) -> Source:
    """Read a programme that can be used; raise ``Invalid`` that names every line that is wrong."""
    try:
        source = read(path)
    except FileNotFoundError as error:
        raise Invalid("CONFIG_MISSING", path=str(path)) from error
    if source.mistakes:
        raise Invalid("PROGRAM_INVALID", where=str(path), why="\n".join(map(str, source.mistakes)))
    return source


def revive(kept: Kept) -> Program:
    """Return the programme of a version that was kept; it was checked when it came into use."""
    try:
        table: Mapping[str, object] = msgspec.json.decode(kept.content)
        return msgspec.convert(table, Program)
    except msgspec.ValidationError as error:
        raise Invalid("PROGRAM_INVALID", where=kept.version, why=str(error)) from error


# ---- versions --------------------------------------------------------------------------------------------
def settle(tx: Transaction, source: Source, now: dt.datetime) -> list[Use]:
    """Keep the version that a file holds and say when it counts; return every use, the first first.

    Raises ``Conflict`` when a version that was in use has another content now.
    """
    mine = source.kept()
    assert source.program is not None
    before = [use for use in kept_programs.uses(tx) if use.since <= now]
    known = kept_programs.find(tx, mine.version)
    was_used = any(use.version == mine.version for use in before)
    if known is not None and known.digest != mine.digest and was_used:
        raise Conflict("PROGRAM_CHANGED", version=mine.version)
    kept_programs.keep(tx, known if known is not None and known.digest == mine.digest else mine)
    if before and before[-1].version == mine.version:
        kept_programs.forget_uses_after(tx, now)
        return before
    local = source.program.active_from
    starts = now if local is None else max(now, instant(local, source.program.zone()))
    kept_programs.forget_uses_after(tx, now)
    kept_programs.use(tx, mine.version, starts)
    return kept_programs.uses(tx)


async def choose(store: Store, source: Source, now: dt.datetime) -> tuple[Program, Coming | None]:
    """Return the programme that counts now, and the one that is to come, if any (X5)."""

    def work(tx: Transaction) -> tuple[Program, Coming | None]:
        assert source.program is not None
        uses = settle(tx, source, now)
        current = [use for use in uses if use.since <= now]
        if not current or current[-1].version == source.program.version:
            return source.program, None
        kept = kept_programs.find(tx, current[-1].version)
        assert kept is not None
        return revive(kept), Coming(source.program, uses[-1].since)

    return await store.transact(work)


def take_effect(shop: Shop) -> bool:
    """Let the version that is to come count once its time is there; tell whether it does from now on."""
    coming = shop.coming
    if coming is None or shop.clock.now() < coming.since:
        return False
    shop.program, shop.coming = coming.program, None
    return True


def wait_s(shop: Shop) -> float:
    """Return how long to wait before looking again."""
    if shop.coming is None:
        return LOOK_AGAIN_S
    return min(LOOK_AGAIN_S, max(0.0, (shop.coming.since - shop.clock.now()).total_seconds()))


@dataclass(frozen=True, slots=True)
class Version:
    """One line of the programme's history."""

    version: str
    since: dt.datetime
    until: dt.datetime | None
    digest: str
    text: str


def history(tx: Transaction) -> list[Version]:
    """Return every use of a version, the first first; the last one may be still to come."""
    uses = kept_programs.uses(tx)
    ends: list[dt.datetime | None] = [*(use.since for use in uses[1:]), None]
    found = []
    for use, until in zip(uses, ends, strict=False):
        kept = kept_programs.find(tx, use.version)
        assert kept is not None
        found.append(Version(use.version, use.since, until, kept.digest.hex(), kept.text))
    return found


def of_version(tx: Transaction, version: str, otherwise: Program) -> Program:
    """Return the programme of a version, or another where this shop never had it."""
    kept = kept_programs.find(tx, version)
    return otherwise if kept is None else revive(kept)


def of_shop(tx: Transaction, shop: Shop, version: str) -> Program:
    """Return a version for a sale to be judged by; today's, which needs no reading, where it is not here."""
    return shop.program if version == shop.program.version else of_version(tx, version, shop.program)
