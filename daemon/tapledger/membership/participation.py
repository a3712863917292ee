"""What members do besides buying: they answer a survey or a quiz, and share what staff have approved."""

from __future__ import annotations

from collections.abc import Callable

from tapledger.database import Transaction
from tapledger.loyalty.decisions import Decision
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import sharing, surveys
from tapledger.loyalty.people.sharing import Approve
from tapledger.loyalty.people.surveys import Answer
from tapledger.membership import referral, stock
from tapledger.membership.shop import Shop, known_member, once, operation
from tapledger.store.journal import Operation, Recorded


async def answer_survey(
    shop: Shop, key: str, member: str, survey: str, answers: tuple[int, ...], staff: str | None = None
) -> Recorded:
    """Take a member's answers to a survey or quiz, once; raise when they answer nothing or came before."""
    same = operation(key, "survey", member, survey, answers, staff)

    def decide(who: Member, exhausted: frozenset[str]) -> Decision:
        command = Answer(survey, answers, key, staff, exhausted)
        return surveys.decide_answer(who, command, shop.program, shop.clock.now())

    return await _take_part(shop, same, member, decide)


async def approve_share(shop: Shop, key: str, member: str, share: str, what: str, staff: str) -> Recorded:
    """Give the points of a story or a shared link that somebody has looked at."""
    same = operation(key, "share", member, share, what, staff)

    def decide(who: Member, exhausted: frozenset[str]) -> Decision:
        return sharing.decide_share(who, Approve(share, what, key, staff), shop.program, shop.clock.now())

    return await _take_part(shop, same, member, decide)


async def _take_part(
    shop: Shop, same: Operation, member: str, decide: Callable[[Member, frozenset[str]], Decision]
) -> Recorded:
    """Record one command and tell the referrer when it lifts a tier."""

    def work(tx: Transaction) -> Recorded:
        who = known_member(tx, member).member
        decision = decide(who, stock.exhausted(tx, shop, who))
        recorded = shop.record(tx, same, decision, shop.clock.now())
        assert decision.after is not None
        referral.tell(tx, shop, same.key, decision.after, shop.clock.now())
        return recorded

    return await once(shop, same, work)
