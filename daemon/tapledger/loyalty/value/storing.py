"""Stored value: which lots pay, topping up, taking that back, and closing a card (section 3.12b)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import days, escrow, gains, ledger, lots, members, money, rights
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import BONUS, PRINCIPAL, AvailableFrom, Credited, Debited, Lot, LotTake
from tapledger.loyalty.facts import TENDER_KINDS, Reason, Tender
from tapledger.loyalty.ledger import EventBody, Line
from tapledger.loyalty.life import standing
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.loyalty.program.values import StoredValue
from tapledger.loyalty.rights import Rights

MAX_TENDERS = 20
"""Of one payment."""

SpendOrder = Literal["proportional", "principal_first", "bonus_first"]


@dataclass(frozen=True, slots=True)
class Split:
    """The lots of each pool that pay an amount."""

    principal: tuple[LotTake, ...]
    bonus: tuple[LotTake, ...]

    @property
    def principal_minor(self) -> int:
        return lots.taken_amount(self.principal)

    @property
    def bonus_minor(self) -> int:
        return lots.taken_amount(self.bonus)


def split(
    member: Member,
    amount_minor: int,
    order: SpendOrder,
    now: dt.datetime,
    currency: str,
    *,
    principal_limit_minor: int | None = None,
) -> Split:
    """Name the lots of stored value that pay an amount; raise ``Refused`` with what there is.

    ``proportional`` shares by the totals of the two pools; inside a pool the earliest expiry pays first.
    ``principal_limit_minor`` is what a shop may spend without central: only principal, and only so much.
    """
    if not 0 <= amount_minor <= money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku="value")
    have = members.as_of(member, now).lots
    principal = members.value(member, PRINCIPAL, now)
    bonus = members.value(member, BONUS, now)
    if principal_limit_minor is not None:
        principal, bonus = min(principal, principal_limit_minor), 0
    if amount_minor > principal + bonus:
        raise Refused("INSUFFICIENT", available_minor=principal + bonus, currency=currency)
    match order:
        case "proportional":
            of_principal = money.allocate([principal, bonus], amount_minor)[0]
        case "principal_first":
            of_principal = min(principal, amount_minor)
        case "bonus_first":
            of_principal = amount_minor - min(bonus, amount_minor)
    return Split(
        lots.take(have, of_principal, now, PRINCIPAL),
        lots.take(have, amount_minor - of_principal, now, BONUS),
    )


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money for a member's stored value. ``id`` is the top-up's for ever and the stem of its lots' ids."""

    id: str
    amount_minor: int
    """Of principal; tenders beyond it are cash to be given back."""
    tenders: tuple[Tender, ...]
    staff: str | None
    rights: Rights


def bonus_of(rules: StoredValue, amount_minor: int) -> int:
    """Return the bonus of a top-up: by the highest row reached, once, unless it says ``every``."""
    reached = [row for row in rules.top_up if row.pay_minor <= amount_minor]
    if not reached:
        return 0
    row = max(reached, key=lambda one: one.pay_minor)
    if row.bonus_bp:
        return money.divide_half_up(amount_minor * row.bonus_bp, 10_000)
    return row.bonus_minor * (amount_minor // row.pay_minor if row.every else 1)


def decide_top_up(member: Member, command: TopUp, program: Program, now: dt.datetime) -> Decision:
    """Turn money into principal and bonus. A top-up earns nothing and is no purchase.

    Without central only cash is taken, up to the shop's limit of the day; its principal can be spent in this
    shop, its bonus waits until central knows of it (R35).
    """
    rules = _rules(program)
    standing.check_spend(member, now)
    change = _change(command, program)
    bonus = bonus_of(rules, command.amount_minor)
    _check_limits(member, command.amount_minor, bonus, rules, program, now)
    away = rights.stage(command.rights, program, now) != "online"
    if away:
        if any(tender.kind != "cash" for tender in command.tenders):
            raise Refused("TOP_UP_CASH_ONLY")
        room = rights.limit("top_up", member, 0, command.rights, program, now)
        if not room.allows(command.amount_minor) and room.why is not None:
            raise Refused(room.why.code, **room.why.data)
    lots_made = _lots(command.id, command.amount_minor, bonus, away, rules, program, now)
    paid = tuple(
        Line(ledger.tender_account(t.kind), program.currency, t.amount_minor) for t in command.tenders
    )
    lines = (
        *paid,
        Line(ledger.tender_account("cash"), program.currency, -change),
        Line(ledger.member_value(member.id, PRINCIPAL), program.currency, -command.amount_minor),
        Line(ledger.member_value(member.id, BONUS), program.currency, -bonus),
        Line(ledger.BONUS_COST, program.currency, bonus),
    )
    body = EventBody(
        kind="topup",
        at=now,
        program=program.version,
        member=member.id,
        lines=tuple(line for line in lines if line.amount),
        effects=tuple(Credited(lot) for lot in lots_made),
        reasons=_why_topped_up(command.amount_minor, bonus, away, program),
        facts={
            "topup": command.id,
            "amount_minor": command.amount_minor,
            "bonus_minor": bonus,
            "change_minor": change,
            "away": int(away),
        },
        staff=command.staff,
    )
    return decision(member, body)


def _rules(program: Program) -> StoredValue:
    if program.stored_value is None:
        raise Refused("NO_STORED_VALUE")
    return program.stored_value


def _change(command: TopUp, program: Program) -> int:
    """Return the cash to be given back; refuse tenders that do not cover the amount."""
    if not 0 < command.amount_minor <= money.MAX_AMOUNT_MINOR:
        raise Invalid("AMOUNT_IMPOSSIBLE", sku="value")
    if len(command.tenders) > MAX_TENDERS:
        raise Invalid("TENDERS_TOO_MANY", limit=MAX_TENDERS)
    for tender in command.tenders:
        if tender.kind not in TENDER_KINDS:
            raise Invalid("TENDER_UNKNOWN", tender=tender.kind)
        if not 0 < tender.amount_minor <= money.MAX_AMOUNT_MINOR:
            raise Invalid("AMOUNT_IMPOSSIBLE", sku=tender.kind)
    change = sum(tender.amount_minor for tender in command.tenders) - command.amount_minor
    if change < 0:
        raise Refused("TENDER_TOO_SMALL", missing_minor=-change, currency=program.currency)
    if change > sum(tender.amount_minor for tender in command.tenders if tender.kind == "cash"):
        raise Refused("CHANGE_ONLY_FROM_CASH")
    return change


def _check_limits(
    member: Member, amount_minor: int, bonus: int, rules: StoredValue, program: Program, now: dt.datetime
) -> None:
    most = rules.max_top_up_minor
    if most is not None and amount_minor > most:
        raise Refused("TOP_UP_TOO_LARGE", limit_minor=most, currency=program.currency)
    if rules.max_balance_minor is not None:
        after = _kept(member, PRINCIPAL, now) + _kept(member, BONUS, now) + amount_minor + bonus
        if after > rules.max_balance_minor:
            raise Refused("BALANCE_TOO_LARGE", limit_minor=rules.max_balance_minor, currency=program.currency)


def _kept(member: Member, pool: str, now: dt.datetime) -> int:
    """Return what a pool holds, what still waits included, less what is owed."""
    kept = sum(
        lot.remaining
        for lot in member.lots
        if lot.pool == pool and (lot.expires_at is None or now < lot.expires_at)
    )
    return kept + escrow.everything(member.leases, pool) - members.deficit_of(member, pool)


def _lots(
    id_: str, amount: int, bonus: int, away: bool, rules: StoredValue, program: Program, now: dt.datetime
) -> tuple[Lot, ...]:
    principal = Lot(principal_lot(id_), amount, amount, now, None, PRINCIPAL, id_)
    if not bonus:
        return (principal,)
    ends = days.expires_at(rules.bonus_expiry, now, program.zone())
    waits_until = gains.FAR if away else now
    return (principal, Lot(bonus_lot(id_), bonus, bonus, waits_until, ends, BONUS, id_))


def principal_lot(topup: str) -> str:
    return f"{topup}/principal"


def bonus_lot(topup: str) -> str:
    return f"{topup}/bonus"


def _why_topped_up(amount: int, bonus: int, away: bool, program: Program) -> tuple[Reason, ...]:
    reasons = [Reason("TOPPED_UP", {"amount_minor": amount, "currency": program.currency})]
    if bonus:
        figures: dict[str, int | str] = {"bonus_minor": bonus, "currency": program.currency}
        reasons.append(Reason("BONUS_WAITS", figures) if away else Reason("BONUS_GIVEN", figures))
    return tuple(reasons)


def waiting_bonus(member: Member) -> tuple[Lot, ...]:
    """Return the bonus of top-ups that central did not know of when they were made."""
    return tuple(lot for lot in member.lots if lot.pool == BONUS and lot.available_at == gains.FAR)


def decide_confirm_bonus(member: Member, program: Program, now: dt.datetime) -> Decision:
    """Let the bonus of top-ups be spent that central has come to know of."""
    waiting = waiting_bonus(member)
    bonus = sum(lot.remaining for lot in waiting)
    body = EventBody(
        kind="grant",
        at=now,
        program=program.version,
        member=member.id,
        effects=(AvailableFrom(tuple(lot.id for lot in waiting), now),),
        reasons=(Reason("BONUS_GIVEN", {"bonus_minor": bonus, "currency": program.currency}),),
    )
    return decision(member, body)


@dataclass(frozen=True, slots=True)
class TopUpVoid:
    """Take a top-up back. ``topup`` is the event it posted."""

    topup: EventBody
    staff: str | None


def decide_top_up_void(member: Member, command: TopUpVoid, program: Program, now: dt.datetime) -> Decision:
    """Give the money of a top-up back, by the tenders it came by, and take its principal and bonus away.

    Only on the same local day, and all of its principal must be there still. Bonus that was spent is taken
    from other bonus; what is missing then is kept back from the money, in cash first.
    """
    topup, currency = command.topup, program.currency
    if days.local_day(topup.at, program.zone()) != days.local_day(now, program.zone()):
        raise Refused("TOP_UP_TOO_OLD")
    principal, bonus = int(topup.facts["amount_minor"]), int(topup.facts["bonus_minor"])
    id_ = str(topup.facts["topup"])
    own = members.as_of(member, now)
    mine = lots.take_from((lot for lot in own.lots if lot.id == principal_lot(id_)), principal)
    if lots.taken_amount(mine) < principal:
        raise Refused("TOP_UP_SPENT", left_minor=lots.taken_amount(mine), currency=currency)
    of_bonus = _bonus_back(own, id_, bonus, now)
    kept_back = bonus - lots.taken_amount(of_bonus)
    if kept_back > principal:
        raise Refused("TOP_UP_SPENT", left_minor=lots.taken_amount(of_bonus), currency=currency)
    lines = (
        *_tenders_back(topup, kept_back),
        Line(ledger.member_value(member.id, PRINCIPAL), currency, principal),
        Line(ledger.member_value(member.id, BONUS), currency, bonus - kept_back),
        Line(ledger.BONUS_COST, currency, -bonus),
    )
    body = EventBody(
        kind="topup_void",
        at=now,
        program=program.version,
        member=member.id,
        lines=tuple(line for line in lines if line.amount),
        effects=(Debited(mine, PRINCIPAL), *((Debited(of_bonus, BONUS),) if of_bonus else ())),
        reasons=(
            Reason(
                "TOP_UP_TAKEN_BACK",
                {"amount_minor": principal - kept_back, "kept_minor": kept_back, "currency": currency},
            ),
        ),
        facts={"topup": id_, "amount_minor": principal, "bonus_minor": bonus, "kept_minor": kept_back},
        staff=command.staff,
    )
    return decision(member, body)


def _bonus_back(member: Member, topup: str, bonus: int, now: dt.datetime) -> tuple[LotTake, ...]:
    """Name the bonus that goes: the top-up's own first, waiting or lapsed as it may be, then other bonus."""
    mine = lots.take_from((lot for lot in member.lots if lot.id == bonus_lot(topup)), bonus)
    others = tuple(lot for lot in member.lots if lot.id != bonus_lot(topup))
    return (*mine, *lots.take(others, bonus - lots.taken_amount(mine), now, BONUS))


def _tenders_back(topup: EventBody, kept_back: int) -> list[Line]:
    """Reverse what came in, less what is kept back."""
    back = []
    came = [line for line in topup.lines if line.account.startswith(ledger.tender_account(""))]
    for line in sorted(came, key=lambda one: (one.account != ledger.tender_account("cash"), one.amount)):
        keep = min(kept_back, max(0, line.amount))
        kept_back -= keep
        back.append(Line(line.account, line.unit, keep - line.amount))
    return back


def decide_close_card(member: Member, staff: str | None, program: Program, now: dt.datetime) -> Decision:
    """Pay the remaining principal out in cash, less the fee; all bonus is forfeited."""
    rules, currency = _rules(program), program.currency
    own = members.as_of(member, now)
    if leased := sum(escrow.everything(own.leases, pool) for pool in (PRINCIPAL, BONUS)):
        raise Refused("VALUE_LEASED", leased_minor=leased, currency=currency)
    principal, bonus = lots.everything(own.lots, PRINCIPAL), lots.everything(own.lots, BONUS)
    amount, lost = lots.taken_amount(principal), lots.taken_amount(bonus)
    if not amount and not lost:
        raise Refused("NOTHING_STORED")
    if owed := members.deficit_of(own, PRINCIPAL):
        raise Refused("VALUE_OWED", owed_minor=owed, currency=currency)
    fee = min(rules.close_fee_minor, amount)
    lines = (
        Line(ledger.tender_account("cash"), currency, fee - amount),
        Line(ledger.member_value(member.id, PRINCIPAL), currency, amount),
        Line(ledger.member_value(member.id, BONUS), currency, lost),
        Line(ledger.FORFEITED, currency, -fee - lost),
    )
    figures: dict[str, int | str] = {
        "paid_minor": amount - fee,
        "fee_minor": fee,
        "bonus_minor": lost,
        "currency": currency,
    }
    body = EventBody(
        kind="close_card",
        at=now,
        program=program.version,
        member=member.id,
        lines=tuple(line for line in lines if line.amount),
        effects=tuple(
            Debited(takes, pool) for takes, pool in ((principal, PRINCIPAL), (bonus, BONUS)) if takes
        ),
        reasons=(Reason("CARD_CLOSED", figures),),
        facts={name: value for name, value in figures.items() if name != "currency"},
        staff=staff,
    )
    return decision(member, body)
