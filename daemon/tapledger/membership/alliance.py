"""Points to a partner's programme and back, in two phases: an answer may be lost, points never (3.21).

Here the points are set aside; the partner credits them under the exchange's key; then they are gone here.
When the partner does not answer, it is asked by the key later: it has them, or it will never take them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tapledger.database import Transaction
from tapledger.errors import Corrupt, NotFound, Refused, Unavailable
from tapledger.loyalty.rewards import redeeming
from tapledger.loyalty.value import alliance, allying
from tapledger.loyalty.value.allying import SendPoints, TakePoints
from tapledger.membership import identity, permits
from tapledger.membership.identity import Presented
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop, check_texts, known_member, once, operation
from tapledger.store import claims, history, members, partners
from tapledger.store.journal import Recorded
from tapledger.store.partners import Sending


class PartnerPort(Protocol):
    """The programme of a partner."""

    async def credit(self, key: str, member: str, points: int) -> None:
        """Give a member points, once for each key; raise ``Unavailable`` when that is not known."""

    async def has_credited(self, key: str) -> bool:
        """Tell whether a key was credited; after no, it never will be. Raises ``Unavailable``."""


@dataclass(frozen=True, slots=True)
class SendCommand:
    """A member sends points to a partner, where they are known as ``theirs``."""

    key: str
    member: str
    presented: Presented
    partner: str
    theirs: str
    points: int
    staff: str | None
    language: str


async def send_points(shop: Shop, partner: PartnerPort, command: SendCommand) -> Sending:
    """Send points and return how it ended; raise ``Unavailable`` when that is not known yet.

    The same command again asks the partner what became of it. A refusal of the partner's gives the points
    back and is raised.
    """
    sending, is_new = await _set_aside(shop, command)
    if sending.state != "open":
        return sending
    if not is_new:
        return await _ask(shop, partner, sending)
    try:
        await partner.credit(sending.key, sending.theirs, sending.given)
    except Unavailable as error:
        raise Unavailable("EXCHANGE_UNCERTAIN") from error
    except (Refused, NotFound):
        await _ask(shop, partner, sending)  # so that the partner gives the key up, too
        raise
    return await _close(shop, sending, credited=True)


async def settle_open(shop: Shop, partner_id: str, partner: PartnerPort) -> list[Sending]:
    """Ask a partner about all that is open and close it; raise ``Unavailable`` when it does not answer."""
    waiting = await shop.store.transact(lambda tx: partners.still_open(tx, partner_id))
    return [await _ask(shop, partner, sending) for sending in waiting]


async def settle(shop: Shop, key: str, partner: PartnerPort) -> Sending:
    """Ask a partner about one exchange and close it; one that is closed stays as it is.

    Raises ``NotFound`` for a key that nothing was sent with.
    """
    sending = await exchange_of(shop, key)
    return sending if sending.state != "open" else await _ask(shop, partner, sending)


async def exchange_of(shop: Shop, key: str) -> Sending:
    """Return how an exchange stands; raise ``NotFound``."""
    sending = await shop.store.transact(lambda tx: partners.get(tx, key))
    if sending is None:
        raise NotFound("EXCHANGE_UNKNOWN")
    return sending


async def _ask(shop: Shop, partner: PartnerPort, sending: Sending) -> Sending:
    try:
        credited = await partner.has_credited(sending.key)
    except Unavailable as error:
        raise Unavailable("EXCHANGE_UNCERTAIN") from error
    return await _close(shop, sending, credited=credited)


async def _set_aside(shop: Shop, command: SendCommand) -> tuple[Sending, bool]:
    same = operation(
        command.key, "partner_out", command.member, command.partner, command.theirs, command.points
    )

    await permits.secure(shop, same, command.member, permits.points(command.points))

    def work(tx: Transaction) -> tuple[Sending, bool]:
        if shop.store.journal.find(tx, same) is not None:
            return _known(tx, command.key), False
        check_texts(command)
        now, known = shop.clock.now(), identity.by_id(tx, shop, command.member, command.presented)
        asked = SendPoints(
            key=command.key,
            partner=command.partner,
            points=command.points,
            account_points=partners.account(tx, command.partner),
            trust=command.presented.level,
            evidence=command.presented.evidence,
            rights=rights_of(tx, shop, known.member.id),
            staff=command.staff,
            language=command.language,
        )
        hand = permits.hand_of(tx, shop, known.member)
        decision, parts = allying.decide_send(hand.ready, asked, shop.program, now)
        shop.record(tx, same, hand.draw(decision, shop.program), now)
        sending = Sending(
            command.key,
            command.partner,
            known.member.id,
            command.theirs,
            parts.taken,
            parts.given,
            "open",
        )
        partners.add(tx, sending)
        partners.post(tx, command.partner, -parts.taken)
        return sending, True

    return await shop.store.transact(work)


async def _close(shop: Shop, sending: Sending, *, credited: bool) -> Sending:
    same = operation(f"{sending.key}/close", "partner_out")

    def work(tx: Transaction) -> Sending:
        known = _known(tx, sending.key)
        if known.state != "open":
            return known
        stored, now = members.load(tx, sending.member), shop.clock.now()
        if stored is None:
            raise Corrupt("MEMBER_MISSING", member=sending.member)
        # Who left in the meantime has given up what was set aside.
        if any(hold.id == sending.key for hold in stored.member.holds):
            if credited:
                decision = allying.decide_sent(stored.member, sending.key, sending.partner, shop.program, now)
            else:
                decision = redeeming.decide_release(stored.member, sending.key, None, shop.program, now)
            shop.record(tx, same, decision, now)
        if not credited:
            partners.post(tx, sending.partner, sending.taken)
        partners.close(tx, sending.key, "sent" if credited else "released")
        return _known(tx, sending.key)

    return await shop.store.transact(work)


def _known(tx: Transaction, key: str) -> Sending:
    sending = partners.get(tx, key)
    if sending is None:
        raise Corrupt("EXCHANGE_MISSING", key=key)
    return sending


# ---- the other side: what a partner asks of this shop -----------------------------------------------------
async def take_points(shop: Shop, key: str, partner: str, member: str, points: int) -> Recorded:
    """Credit a partner's points to a member, once for each key; raise ``Refused`` for one given up."""
    same = operation(partners.taking(partner, key), "partner_in", partner, member, points)

    def work(tx: Transaction) -> Recorded:
        if not claims.once(tx, partners.taking(partner, key)):
            raise Refused("EXCHANGE_GIVEN_UP")
        stored, now = known_member(tx, member), shop.clock.now()
        decision = allying.decide_take(stored.member, TakePoints(key, partner, points), shop.program, now)
        recorded = shop.record(tx, same, decision, now)
        partners.post(tx, partner, int(decision.body.facts["given"]))
        return recorded

    return await once(shop, same, work)


async def has_taken(shop: Shop, key: str, partner: str) -> bool:
    """Tell a partner whether a key was credited here; when not, it is given up for ever."""

    def work(tx: Transaction) -> bool:
        return not claims.once(tx, partners.taking(partner, key)) and not _is_given_up(tx, partner, key)

    return await shop.store.transact(work)


def _is_given_up(tx: Transaction, partner: str, key: str) -> bool:
    return history.of_operation(tx, partners.taking(partner, key)) is None


# ---- accounts between the shops ---------------------------------------------------------------------------
async def pay_in(shop: Shop, key: str, partner: str, points: int, staff: str) -> Recorded:
    """Raise this shop's account with a partner by points that were paid for."""
    same = operation(key, "partner_pay_in", partner, points, staff)

    def work(tx: Transaction) -> Recorded:
        now = shop.clock.now()
        decision = allying.decide_pay_in(partner, points, staff, shop.program, now)
        partners.post(tx, partner, points)
        return shop.record(tx, same, decision, now)

    return await once(shop, same, work)


async def account(shop: Shop, partner: str) -> tuple[int, int]:
    """Return this shop's account with a partner in points, and what it is worth in minor units of money."""
    points = await shop.store.transact(lambda tx: partners.account(tx, partner))
    price = allying.partner_of(shop.program, partner).price_minor
    return points, alliance.settle({shop.name: points}, price, 1)[shop.name]
