"""Plays the sales of a shop again under other rules, and writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from tapledger.database import Transaction
from tapledger.loyalty.insight import what_if
from tapledger.loyalty.insight.what_if import Cost, MemberPrice, Replay
from tapledger.loyalty.program import Program
from tapledger.store import history

TOP = 10
"""How many winners and losers are named."""
PROGRESS_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What one member got, and would have got, in minor units of money."""

    member: str
    before_minor: int
    after_minor: int

    @property
    def difference_minor(self) -> int:
        return self.after_minor - self.before_minor


@dataclass(frozen=True, slots=True)
class Answer:
    """What the new rules would have cost. Money in minor units."""

    currency: str
    sales: int
    unpriced: int
    before: Cost
    after: Cost
    before_minor: int
    after_minor: int
    winners: tuple[Change, ...]
    losers: tuple[Change, ...]
    members_better: int
    members_worse: int


def play(
    tx: Transaction,
    current: Program,
    candidate: Program,
    since: dt.datetime,
    member_price: MemberPrice,
    progress: Callable[[int, int], None],
) -> Answer:
    """Price every sale since then again; ``progress`` is told events done and in all."""
    replay = Replay(candidate, member_price)
    total = history.count(tx)
    undone = history.undone_sales(tx)
    for done, body in enumerate(history.everything(tx), 1):
        counts = body.at >= since and body.sale is not None and body.sale.id not in undone
        replay.see(body, counts=counts)
        if done % PROGRESS_EVENTS == 0 or done == total:
            progress(done, total)
    return _answer(replay, candidate.currency, what_if.point_value(current), what_if.point_value(candidate))


def _answer(replay: Replay, currency: str, then: Fraction, now: Fraction) -> Answer:
    changes = [
        Change(member, before.minor(then), after.minor(now))
        for member, (before, after) in replay.by_member.items()
    ]
    better = sorted(
        (one for one in changes if one.difference_minor > 0),
        key=lambda one: (-one.difference_minor, one.member),
    )
    worse = sorted(
        (one for one in changes if one.difference_minor < 0),
        key=lambda one: (one.difference_minor, one.member),
    )
    return Answer(
        currency=currency,
        sales=replay.sales,
        unpriced=replay.unpriced,
        before=replay.before,
        after=replay.after,
        before_minor=replay.before.minor(then),
        after_minor=replay.after.minor(now),
        winners=tuple(better[:TOP]),
        losers=tuple(worse[:TOP]),
        members_better=len(better),
        members_worse=len(worse),
    )
