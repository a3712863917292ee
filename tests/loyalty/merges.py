"""Members to merge, and what a merge and its undoing did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from tapledger.loyalty import members
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.effects import (
    Lot,
)
from tapledger.loyalty.life.merging import Merge, decide_merge
from tapledger.loyalty.life.unmerging import Undo, decide_undo
from tapledger.loyalty.members import Member
from tests.loyalty.givens import DAY, NOON, PROGRAM, after

replace = msgspec.structs.replace
TODAY = NOON.date().toordinal()


def someone(id_: str, *kept: Lot, joined: dt.datetime = NOON - 30 * DAY, **more: object) -> Member:
    return msgspec.structs.replace(Member(id_, joined, "normal", kept), **more)


def merge(
    old: Member, into: Member, referrers: Iterable[Member] = (), now: dt.datetime = NOON
) -> tuple[Decision, ...]:
    return decide_merge(old, into, Merge("t-1", "s-1", {one.id: one for one in referrers}), PROGRAM, now)


def undo(
    merged: tuple[Decision, ...],
    old: Member,
    into: Member,
    now: dt.datetime = NOON + DAY,
    referrers: Iterable[Member] = (),
) -> tuple[Member, Member, tuple[Decision, ...]]:
    referrals = tuple(one.body for one in merged[2:])
    command = Undo("t-2", "s-1", merged[1].body, referrals, {one.id: one for one in referrers})
    decisions = decide_undo(old, into, command, PROGRAM, now)
    assert sum(line.amount for one in decisions for line in one.body.lines if "transfer" in line.account) == 0
    return after(decisions[1]), after(decisions[0]), decisions


def account(decisions: Iterable[Decision], name: str) -> int:
    return sum(line.amount for one in decisions for line in one.body.lines if line.account == name)


def net(member: Member, pool: str = "points") -> int:
    held = sum(hold.points for hold in member.holds) if pool == "points" else 0
    left = sum(one.remaining for one in member.lots if one.pool == pool)
    return left - members.deficit_of(member, pool) + held
