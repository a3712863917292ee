"""Kinds of members: RFM, A to D, sleeping, where they are in their life as customers, free predicates (3.23).

Everything is judged by what somebody bought, on local days; the caller says over which time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, get_args

import msgspec

from tapledger.loyalty.days import add_months
from tapledger.loyalty.facts import Reason


@dataclass(frozen=True, slots=True)
class Buying:
    """How one member bought: over the last year for A to D, over any time for RFM."""

    member: str
    last_on: dt.date | None
    """None: never bought."""
    visits: int
    spend_minor: int


# ---- RFM --------------------------------------------------------------------------------------------------
class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as much: a fixed figure, or the mean or the median of those who bought at all."""

    kind: Literal["fixed", "mean", "median"] = "mean"
    value: int = 0
    """For ``fixed``: days since the last purchase, purchases, or minor units."""


class Rfm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    recency: Threshold = Threshold("fixed", 90)
    frequency: Threshold = Threshold()
    monetary: Threshold = Threshold()
    labels: Literal["textbook", "winback_first"] = "textbook"


Cell = str
"""Three digits, 1 for yes: bought of late, often, for much. ``011`` are good customers who stay away."""

_LABELS = {
    "111": Reason("RFM_IMPORTANT_VALUE", {}),
    "101": Reason("RFM_IMPORTANT_DEVELOP", {}),
    "011": Reason("RFM_IMPORTANT_KEEP", {}),
    "001": Reason("RFM_IMPORTANT_WIN_BACK", {}),
    "110": Reason("RFM_GENERAL_VALUE", {}),
    "100": Reason("RFM_GENERAL_DEVELOP", {}),
    "010": Reason("RFM_GENERAL_KEEP", {}),
    "000": Reason("RFM_GENERAL_WIN_BACK", {}),
}
CELLS = tuple(_LABELS)
_WINBACK_FIRST = {"011": "001", "001": "011"}
"""Valued members who stay away are to be won back first: the two labels change places, the cells do not."""


def rfm_cells(buyers: Sequence[Buying], rule: Rfm, today: dt.date) -> dict[str, Cell]:
    """Return each member's cell. Who never bought is 000 and is left out of means and medians.

    Thresholds are inclusive: as recent as the limit is recent, as much as the limit is much.
    """
    bought = [one for one in buyers if one.last_on is not None]
    recent = _limit([_days_since(one, today) for one in bought], rule.recency)
    often = _limit([one.visits for one in bought], rule.frequency)
    much = _limit([one.spend_minor for one in bought], rule.monetary)
    cells = {one.member: "000" for one in buyers}
    for one in bought:
        marks = (_days_since(one, today) <= recent, one.visits >= often, one.spend_minor >= much)
        cells[one.member] = "".join("1" if mark else "0" for mark in marks)
    return cells


def rfm_label(cell: Cell, labels: Literal["textbook", "winback_first"]) -> Reason:
    """Return what a cell is called, to be turned into words."""
    return _LABELS[_WINBACK_FIRST.get(cell, cell) if labels == "winback_first" else cell]


def _days_since(one: Buying, today: dt.date) -> int:
    assert one.last_on is not None
    return (today - one.last_on).days


def _limit(values: list[int], threshold: Threshold) -> Fraction:
    if threshold.kind == "fixed" or not values:
        return Fraction(threshold.value)
    return Fraction(sum(values), len(values)) if threshold.kind == "mean" else median(values)


def median(values: Iterable[int]) -> Fraction:
    """Return the middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return Fraction(ordered[half] + ordered[-1 - half], 2)


# ---- A, B, C, D -------------------------------------------------------------------------------------------
class Classes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which score on; three ranks of 1 to 4 make scores of 3 to 12, and the rest is D."""

    a_from: int = 10
    b_from: int = 8
    c_from: int = 6


def abcd(buyers: Sequence[Buying], rule: Classes) -> dict[str, str]:
    """Return each member's class by the ranks of spend, visits and average ticket, quartile 4 the best.

    Equal figures have equal ranks: that of the lowest place they share, so nobody's id or order decides.
    """
    ranks = [
        _quartiles([Fraction(one.spend_minor) for one in buyers]),
        _quartiles([Fraction(one.visits) for one in buyers]),
        _quartiles([Fraction(one.spend_minor, one.visits) if one.visits else Fraction(0) for one in buyers]),
    ]
    steps = (("A", rule.a_from), ("B", rule.b_from), ("C", rule.c_from))
    classes = {}
    for one, *own in zip(buyers, *ranks, strict=True):
        classes[one.member] = next((name for name, at_least in steps if sum(own) >= at_least), "D")
    return classes


def _quartiles(values: list[Fraction]) -> list[int]:
    below: dict[Fraction, int] = {}
    for place, value in enumerate(sorted(values)):
        below.setdefault(value, place)
    return [1 + 4 * below[value] // len(values) for value in values]


# ---- sleeping and the life of a customer ------------------------------------------------------------------
RHYTHM_VISITS = 3
"""Fewer purchase days show no rhythm of one's own."""


def is_sleeping(last_on: dt.date | None, joined_on: dt.date, today: dt.date, months: int = 3) -> bool:
    """Tell whether the last purchase (never: joining) is more than so many calendar months ago."""
    return (last_on or joined_on) < add_months(today, -months)


def is_late(bought_on: Iterable[dt.date], today: dt.date) -> bool:
    """Tell whether somebody stays away for more than twice their own median gap between purchase days."""
    days = sorted(set(bought_on))
    if len(days) < RHYTHM_VISITS:
        return False
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return (today - days[-1]).days > 2 * median(gaps)


class Lifecycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    new_days: int = 30
    """After joining."""
    loyal_visits: int = 6
    """Purchase days within the last 12 months."""
    sleeping_months: int = 3
    lost_months: int = 12


Stage = Literal["new", "active", "loyal", "at_risk", "sleeping", "lost"]


def stage(bought_on: Iterable[dt.date], joined_on: dt.date, today: dt.date, rule: Lifecycle) -> Stage:
    """Return where a member is in their life as a customer; the first that holds of: lost, sleeping, new,
    at risk (late by their own rhythm), loyal, active."""
    days = sorted(set(bought_on))
    last_on = days[-1] if days else None
    if is_sleeping(last_on, joined_on, today, rule.lost_months):
        return "lost"
    if is_sleeping(last_on, joined_on, today, rule.sleeping_months):
        return "sleeping"
    if (today - joined_on).days < rule.new_days:
        return "new"
    if is_late(days, today):
        return "at_risk"
    a_year_ago = add_months(today, -12)
    return "loyal" if sum(day > a_year_ago for day in days) >= rule.loyal_visits else "active"


# ---- free predicates --------------------------------------------------------------------------------------
Number = Literal[
    "age", "household", "days_member", "days_since_visit", "visits", "spend_minor", "ticket_minor", "points"
]
Word = Literal[
    "gender", "region", "occupation", "language", "channel", "tier", "stage", "rfm", "abcd",
    "categories", "skus", "brands", "interests",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What predicates can ask of a member. What is not known or not consented to is simply absent."""

    numbers: Mapping[str, int]
    """By ``Number``."""
    words: Mapping[str, frozenset[str]]
    """By ``Word``: one for a tier or a region, as many as there are for what was bought or liked."""


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing asked of a member: a number between two bounds, or a word out of several."""

    fact: Number | Word
    at_least: int | None = None
    at_most: int | None = None
    any_of: list[str] = []


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Members for whom every test of ``all`` holds and none of ``none`` does."""

    id: str
    name: dict[str, str]
    all: list[Criterion] = []
    none: list[Criterion] = []


def lint_segment(segment: Segment) -> Iterator[str]:
    """Name what cannot be meant in a segment, one sentence each."""
    if not segment.id or not any(segment.name.values()):
        yield f"segment {segment.id!r}: id and name must not be empty"
    for test in (*segment.all, *segment.none):
        bounds = test.at_least is not None or test.at_most is not None
        if test.fact in get_args(Number) and (test.any_of or not bounds):
            yield f"segment {segment.id!r}: {test.fact} is a number; say at_least or at_most, not any_of"
        elif test.fact in get_args(Word) and (bounds or not test.any_of):
            yield f"segment {segment.id!r}: {test.fact} is a word; say any_of, not at_least or at_most"
        elif test.at_least is not None and test.at_most is not None and test.at_least > test.at_most:
            yield f"segment {segment.id!r}: {test.fact}: at_least is above at_most"


def is_in(segment: Segment, facts: MemberFacts) -> bool:
    """Tell whether a member belongs to a segment; a test of an unknown fact does not hold."""
    return all(_holds(test, facts) for test in segment.all) and not any(
        _holds(test, facts) for test in segment.none
    )


def _holds(test: Criterion, facts: MemberFacts) -> bool:
    if test.any_of:
        return not facts.words.get(test.fact, frozenset()).isdisjoint(test.any_of)
    value = facts.numbers.get(test.fact)
    return (
        value is not None
        and (test.at_least is None or value >= test.at_least)
        and (test.at_most is None or value <= test.at_most)
    )
