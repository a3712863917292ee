"""Who sent whom: setting it, and telling referrers what those they sent have done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import NotFound
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import referring
from tapledger.loyalty.people.referring import SetReferrer
from tapledger.loyalty.program.people import Referral
from tapledger.membership import identity, stock
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, once, operation
from tapledger.store import history, members
from tapledger.store.journal import Recorded

KIOSK_WINDOW = dt.timedelta(hours=1)
MAX_LOOKED_BACK = 200
"""Events of one referrer that are read to count the last hour's."""
MAX_STEPS = 1000
"""From a member to their referrer and on; each joined earlier, so real chains end long before."""


@dataclass(frozen=True, slots=True)
class ReferrerCommand:
    """A member says who sent them; ``referrer`` is that member's card, phone or code."""

    key: str
    member: str
    referrer: Presented
    at_kiosk: bool = False
    means: tuple[str, ...] = ()
    """What else was shown or used: a device's or payment means' own number. Only keyed hashes are kept."""
    looked_at: bool = False
    staff: str | None = None


async def set_referrer(shop: Shop, command: ReferrerCommand) -> Recorded:
    """Link a member to who sent them; raise ``NotFound`` or ``Refused`` and change nothing then.

    ``REFERRAL_REVIEW`` asks for a member of staff who has seen both.
    """
    same = operation(
        command.key,
        "referrer",
        command.member,
        command.referrer,
        command.at_kiosk,
        command.means,
        command.looked_at,
        command.staff,
    )

    def work(tx: Transaction) -> Recorded:
        now = shop.clock.now()
        member = _load(tx, command.member)
        owner = members.owner(tx, identity.index(shop, command.referrer.kind, command.referrer.value))
        referrer = None if owner is None else _load(tx, owner.member)
        if member is None or referrer is None:
            raise NotFound("REFERRER_UNKNOWN" if member is not None else "MEMBER_UNKNOWN")
        asked = SetReferrer(
            at_kiosk=command.at_kiosk,
            kiosk_joins=_kiosk_joins(tx, referrer, shop.program.referral, now),
            seen=frozenset(identity.index(shop, "means", one) for one in command.means),
            looked_at=command.looked_at,
            staff=command.staff,
        )
        own, theirs = referring.decide_referrer(member, referrer, asked, shop.program, now)
        recorded = shop.record(tx, same, own, now)
        shop.record(tx, operation(f"{command.key}/referrer", "joined", member.id), theirs, now)
        return recorded

    return await once(shop, same, work)


def _kiosk_joins(tx: Transaction, referrer: Member, rule: Referral | None, now: dt.datetime) -> int:
    """Return how many of a referrer's referees joined at a kiosk within the last hour."""
    if rule is None:
        return 0
    newest = history.recent(tx, referrer.id, "referral", MAX_LOOKED_BACK)
    return sum(body.facts.get("kiosk") == 1 and body.at > now - KIOSK_WINDOW for body in newest)


def _load(tx: Transaction, member: str) -> Member | None:
    stored = members.load(tx, member)
    return None if stored is None else stored.member


def tell(tx: Transaction, shop: Shop, cause: str, referee: Member, now: dt.datetime) -> list[Recorded]:
    """Tell a member's referrer what has become of them, and then the referrer's own, as far as it matters.

    ``cause`` is the key of the command that changed the referee; it makes a repeat the same telling. To be
    called in its transaction after every event that sells, returns, or moves a tier.
    """
    recorded: list[Recorded] = []
    seen = {referee.id}
    while referee.referrer and len(seen) < MAX_STEPS:
        referrer = _load(tx, referee.referrer)
        if referrer is None or referrer.id in seen:
            break
        gone = stock.exhausted(tx, shop, referrer)
        decision = referring.told(referrer, referee, shop.program, now, gone)
        if decision is None or decision.after is None:
            break
        same = operation(f"{cause}/referrer/{len(seen)}", referee.id)
        recorded.append(shop.record(tx, same, decision, now))
        seen.add(referrer.id)
        referee = decision.after
    return recorded
