"""What ``tapledger program`` does: check files, show versions, and try new rules on old sales."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tapledger import texts
from tapledger.clock import Clock
from tapledger.commands import looking
from tapledger.database import Transaction
from tapledger.errors import Invalid, NotFound
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.lint import Shelf, Sold
from tapledger.loyalty.sales import catalogue
from tapledger.loyalty.sales.catalogue import Catalogue
from tapledger.membership import programs, what_if
from tapledger.membership.programs import Mistake, Version
from tapledger.membership.what_if import Answer, Change
from tapledger.settings import Settings

CATALOGUE = "catalogue.csv"
AGE = re.compile(r"([1-9][0-9]{0,3})([dwm])")
DAYS_OF = {"d": 1, "w": 7, "m": 30}


# ---- lint ------------------------------------------------------------------------------------------------
def lint(path: Path, articles: Path | None) -> list[Mistake]:
    """Return every mistake of a programme; articles are those of the file beside it unless named."""
    source = programs.read(path)
    if source.program is None:
        return list(source.mistakes)
    file = articles or path.parent / CATALOGUE
    if articles is None and not file.exists():
        return []
    return list(programs.read(path, _shelf(file, source.program.currency)).mistakes)


def _shelf(file: Path, currency: str) -> Shelf:
    articles = _articles(file, currency).articles
    return {sku: Sold(sku, one.unit_minor, one.category) for sku, one in articles.items()}


def _articles(file: Path, currency: str) -> Catalogue:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return catalogue.read(lines, currency)


def as_dict(one: Mistake) -> dict[str, object]:
    why = one.finding.why
    return {
        "file": one.file,
        "line": one.line,
        "key": one.finding.key,
        "code": why.code,
        "figures": why.data,
        "sentence": one.sentence("en"),
    }


# ---- versions --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """A use of a version, and whether it is past, counts now or is to come."""

    version: Version
    state: str

    def as_dict(self) -> dict[str, object]:
        one = self.version
        return {
            "version": one.version,
            "state": self.state,
            "since": one.since.isoformat(),
            "until": None if one.until is None else one.until.isoformat(),
            "sha256": one.digest,
        }


async def versions(settings: Settings, clock: Clock) -> list[Line]:
    """Return every use of a version of the programme, the first first."""
    found = await looking.look(settings, programs.history)
    now = clock.now()
    return [Line(one, _state(one, now)) for one in found]


def _state(one: Version, now: dt.datetime) -> str:
    if one.since > now:
        return "to come"
    return "active" if one.until is None or now < one.until else "past"


def table(lines: list[Line]) -> str:
    if not lines:
        return "No version was in use yet: the daemon has not been started with one."
    rows = (
        f"{one.version.version}  {one.state}  since {one.version.since:%Y-%m-%d %H:%M} UTC" for one in lines
    )
    return "\n".join(rows)


async def text_of(lines: list[Line], version: str) -> str:
    """Return the file of a version; raise ``NotFound``."""
    for one in lines:
        if one.version.version == version:
            return one.version.text
    raise NotFound("PROGRAM_UNKNOWN", version=version)


# ---- what if ---------------------------------------------------------------------------------------------
def age(text: str) -> dt.timedelta:
    """Read how far back to go: 30d, 4w, 6m; raise ``Invalid``."""
    read = AGE.fullmatch(text)
    if read is None:
        raise Invalid("AGE_INVALID", age=text)
    return dt.timedelta(days=int(read[1]) * DAYS_OF[read[2]])


async def what_would_be(
    settings: Settings, candidate: Path, since: str, clock: Clock, progress: Callable[[int, int], None]
) -> Answer:
    """Play the stored sales under a candidate's rules; the daemon may go on selling meanwhile."""
    back = age(since)
    new, written, now = programs.load(candidate).program, looking.written_program(settings), clock.now()
    assert new is not None
    if new.currency != written.currency:
        raise Invalid("CURRENCY_MISMATCH", currency=new.currency, expected=written.currency)
    articles = _articles(settings.files.catalogue, written.currency).articles

    def member_price(sku: str) -> int | None:
        return getattr(articles.get(sku), "member_minor", None)

    def work(tx: Transaction, current: Program) -> Answer:
        return what_if.play(tx, current, new, now - back, member_price, progress)

    return await looking.look_by_rules(settings, now, work)


@dataclass(frozen=True, slots=True)
class Report:
    """An answer in words for the owner."""

    answer: Answer

    def as_dict(self) -> dict[str, object]:
        one = self.answer
        return {
            "sales": one.sales,
            "unpriced": one.unpriced,
            "currency": one.currency,
            "before": {
                "points": one.before.points,
                "off_minor": one.before.off_minor,
                "cost_minor": one.before_minor,
            },
            "after": {
                "points": one.after.points,
                "off_minor": one.after.off_minor,
                "cost_minor": one.after_minor,
            },
            "difference_minor": one.after_minor - one.before_minor,
            "members_better": one.members_better,
            "members_worse": one.members_worse,
            "winners": [_as_dict(change) for change in one.winners],
            "losers": [_as_dict(change) for change in one.losers],
        }

    def sentence(self) -> str:
        one = self.answer
        lines = [
            f"{one.sales} sales priced again"
            + (f", {one.unpriced} could not be" if one.unpriced else "")
            + ".",
            f"Now:     {one.before.points} points, {self._money(one.before.off_minor)} off,"
            f" together {self._money(one.before_minor)}.",
            f"New:     {one.after.points} points, {self._money(one.after.off_minor)} off,"
            f" together {self._money(one.after_minor)}.",
            f"Differs: {self._signed(one.after_minor - one.before_minor)}."
            f" Better for {one.members_better} members, worse for {one.members_worse}.",
        ]
        for title, changes in (("Winners", one.winners), ("Losers", one.losers)):
            if changes:
                lines.append(f"{title}:")
                lines += [f"  {change.member}  {self._signed(change.difference_minor)}" for change in changes]
        return "\n".join(lines)

    def _money(self, minor: int) -> str:
        return texts.money("en", minor, self.answer.currency)

    def _signed(self, minor: int) -> str:
        return ("+" if minor > 0 else "") + self._money(minor)


def _as_dict(change: Change) -> dict[str, object]:
    return {
        "member": change.member,
        "before_minor": change.before_minor,
        "after_minor": change.after_minor,
        "difference_minor": change.difference_minor,
    }
