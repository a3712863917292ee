"""How a refund is paid: which tenders get how much, in coins that exist (loyalty.md 3.13, X2, X7)."""

from __future__ import annotations

from collections.abc import Sequence

from tapledger.loyalty import ledger, money
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import ReturnFacts, SaleFacts, Tender
from tapledger.loyalty.ledger import Line

CASH, ROUNDING, EXCHANGE = "cash", "rounding", "exchange"
POOLS = (BONUS, PRINCIPAL)


def paid_by(facts: SaleFacts) -> dict[str, int]:
    """Return what each tender paid of the sale, in the order in which they were recorded.

    Cash is what was due in cash: change is out of it, cash rounding and what an exchange brought are in it.
    """
    found: dict[str, int] = {}
    for tender in facts.tenders:
        kind = CASH if tender.kind in (ROUNDING, EXCHANGE) else tender.kind
        found[kind] = found.get(kind, 0) + tender.amount_minor
    if facts.change_minor:
        found[CASH] = found.get(CASH, 0) - facts.change_minor
    return found


def repaid_by(returns: Sequence[ReturnFacts]) -> dict[str, int]:
    """Return what each tender has been refunded, as in ``paid_by``; what an exchange carried over too."""
    found: dict[str, int] = {}
    for earlier in returns:
        for tender in earlier.tenders:
            kind = CASH if tender.kind == ROUNDING else tender.kind
            found[kind] = found.get(kind, 0) + tender.amount_minor
    return found


def repay(
    facts: SaleFacts, returns: Sequence[ReturnFacts], amount_minor: int, order: str, cash_step_minor: int
) -> tuple[Tender, ...]:
    """Share a refund out to the tenders of its sale, each up to what it paid and was not refunded yet.

    Bonus, then principal, then the money from outside in the order in which it came; ``external_first`` turns
    the two halves round.
    """
    paid, repaid = paid_by(facts), repaid_by(returns)
    outside = [kind for kind in paid if kind not in POOLS]
    kinds = [*outside, *POOLS] if order == "external_first" else [*POOLS, *outside]
    tenders: list[Tender] = []
    for kind in kinds:
        part = min(amount_minor, paid.get(kind, 0) - repaid.get(kind, 0))
        if part <= 0:
            continue
        amount_minor -= part
        tenders += (
            _coins(facts, returns, repaid.get(CASH, 0) + part, part, cash_step_minor)
            if kind == CASH
            else [Tender(kind, part)]
        )
    assert not amount_minor, "a refund is never more than what was paid"
    return tuple(tenders)


def _coins(
    facts: SaleFacts, returns: Sequence[ReturnFacts], due_minor: int, part: int, step_minor: int
) -> list[Tender]:
    """Round the cash of all returns together; all of it is exactly what was paid (X7)."""
    whole = paid_by(facts)[CASH]
    given = sum(t.amount_minor for t in facts.tenders if t.kind in (CASH, EXCHANGE)) - facts.change_minor
    before = sum(t.amount_minor for one in returns for t in one.tenders if t.kind == CASH)
    target = given if due_minor == whole else min(given, due_minor + money.to_cash(due_minor, step_minor))
    coins = max(0, target - before)
    found = [Tender(CASH, coins)] if coins else []
    return [*found, Tender(ROUNDING, part - coins)] if part != coins else found


def carry_over(tenders: tuple[Tender, ...], amount_minor: int) -> tuple[Tender, ...]:
    """Return what a refund posts when ``amount_minor`` of it goes on into the new sale of an exchange."""
    left, found = amount_minor, []
    for tender in reversed(tenders):
        part = 0 if tender.kind in (*POOLS, ROUNDING) else min(left, tender.amount_minor)
        left -= part
        if tender.amount_minor - part:
            found.append(Tender(tender.kind, tender.amount_minor - part))
    assert not left, "an exchange carries over no more than what would be paid out"
    return (*reversed(found), Tender(EXCHANGE, amount_minor)) if amount_minor else tenders


def outside_minor(tenders: Sequence[Tender]) -> int:
    """Return what of a refund leaves the shop: all but stored value and rounding."""
    return sum(t.amount_minor for t in tenders if t.kind not in (*POOLS, ROUNDING))


def lines(
    tenders: Sequence[Tender], member: str | None, currency: str, exchange: str = ""
) -> tuple[Line, ...]:
    """Post what tenders brought in; a refund posts the same with the sign turned (``refund_lines``)."""
    return tuple(
        Line(account(tender.kind, member, exchange), currency, tender.amount_minor)
        for tender in tenders
        if tender.amount_minor
    )


def refund_lines(
    tenders: Sequence[Tender], member: str | None, currency: str, exchange: str = ""
) -> tuple[Line, ...]:
    return tuple(
        Line(line.account, line.unit, -line.amount) for line in lines(tenders, member, currency, exchange)
    )


def account(kind: str, member: str | None, exchange: str = "") -> str:
    """Return the account that a tender is posted on."""
    if kind in POOLS:
        assert member is not None
        return ledger.member_value(member, kind)
    if kind == ROUNDING:
        return ledger.ROUNDING
    return ledger.transfer_account(exchange) if kind == EXCHANGE else ledger.tender_account(kind)
