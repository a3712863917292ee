"""At the desk: stored value, and points between this shop and its partners."""

from __future__ import annotations

from tapledger.errors import Unavailable
from tapledger.loyalty.facts import Tender as Paid
from tapledger.membership import alliance, stored_value
from tapledger.membership.alliance import SendCommand
from tapledger.membership.desk import naming
from tapledger.membership.desk.asking import (
    Answer,
    Command,
    Id,
    Minor,
    OfMember,
    Points,
    Request,
    Staff,
    Tender,
    found,
    paid_out,
    told,
)
from tapledger.membership.shop import Shop
from tapledger.membership.stored_value import CloseCommand, TakeBackCommand, TopUpCommand


# ---- stored value ----------------------------------------------------------------------------------------
class TopUp(OfMember, frozen=True, kw_only=True):
    """Takes money for a member's stored value."""

    amount_minor: Minor
    tender: Tender = "cash"


async def top_up(shop: Shop, asked: TopUp, staff: Staff) -> Answer:
    command = TopUpCommand(
        id=asked.key,
        member=await naming.member(shop, asked),
        presented=naming.TYPED,
        amount_minor=asked.amount_minor,
        tenders=(Paid(asked.tender, asked.amount_minor),),
        staff=staff.id,
        language=staff.language,
    )
    return told(shop, asked, staff, await stored_value.top_up(shop, command))


class TakeBackTopUp(OfMember, frozen=True, kw_only=True):
    """Gives the money of a top-up of today back."""

    top_up: Id
    """The key it was made with."""


async def take_back(shop: Shop, asked: TakeBackTopUp, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    command = TakeBackCommand(asked.key, member, naming.TYPED, asked.top_up, staff.id, staff.language)
    recorded = await stored_value.take_back_top_up(shop, command)
    return told(shop, asked, staff, recorded, paid_out=paid_out(recorded))


class CloseCard(OfMember, frozen=True, kw_only=True):
    """Pays out what a member paid in, less the fee; the bonus is given up."""


async def close_card(shop: Shop, asked: CloseCard, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    command = CloseCommand(asked.key, member, naming.TYPED, staff.id, staff.language)
    recorded = await stored_value.close_card(shop, command)
    return told(shop, asked, staff, recorded, paid_out=paid_out(recorded))


# ---- partners --------------------------------------------------------------------------------------------
class _ByHand:
    """A partner whom staff ask themselves: nothing is known of an exchange until they tell."""

    def __init__(self, credited: bool | None = None) -> None:
        self._credited = credited

    async def credit(self, key: str, member: str, points: int) -> None:
        raise Unavailable("EXCHANGE_UNCERTAIN")

    async def has_credited(self, key: str) -> bool:
        if self._credited is None:
            raise Unavailable("EXCHANGE_UNCERTAIN")
        return self._credited


class SendPoints(OfMember, frozen=True, kw_only=True):
    """Sets a member's points aside for a partner; partner-settle says how it ended."""

    partner: Id
    theirs: Id
    """Who the member is at the partner's."""
    points: Points


async def send(shop: Shop, asked: SendPoints, staff: Staff) -> Answer:
    command = SendCommand(
        key=asked.key,
        member=await naming.member(shop, asked),
        presented=naming.TYPED,
        partner=asked.partner,
        theirs=asked.theirs,
        points=asked.points,
        staff=staff.id,
        language=staff.language,
    )
    try:
        await alliance.send_points(shop, _ByHand(), command)
    except Unavailable as error:
        if error.code != "EXCHANGE_UNCERTAIN":
            raise
    return found(asked, exchange=await alliance.exchange_of(shop, asked.key))


class Settle(Request, frozen=True, kw_only=True):
    """Closes an exchange as the partner says: they have the points, or they come back here."""

    exchange: Id
    """The key it was sent with."""
    credited: bool
    """False only when the partner has given the exchange up and will never credit it."""


async def settle(shop: Shop, asked: Settle, staff: Staff) -> Answer:
    return found(asked, exchange=await alliance.settle(shop, asked.exchange, _ByHand(asked.credited)))


class TakePoints(OfMember, frozen=True, kw_only=True):
    """Credits a partner's points to a member, once for each key of theirs."""

    partner: Id
    theirs: Id
    """The partner's own key of the exchange."""
    points: Points
    """The partner's."""


async def take(shop: Shop, asked: TakePoints, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    recorded = await alliance.take_points(shop, asked.theirs, asked.partner, member, asked.points)
    return told(shop, asked, staff, recorded)


class WasTaken(Request, frozen=True, kw_only=True):
    """Tells a partner whether their exchange was credited here; if not, it never will be."""

    partner: Id
    theirs: Id


async def was_taken(shop: Shop, asked: WasTaken, staff: Staff) -> Answer:
    return found(asked, credited=await alliance.has_taken(shop, asked.theirs, asked.partner))


class PayIn(Request, frozen=True, kw_only=True):
    """Raises this shop's account with a partner by points that were paid for."""

    partner: Id
    points: Points


async def pay_in(shop: Shop, asked: PayIn, staff: Staff) -> Answer:
    recorded = await alliance.pay_in(shop, asked.key, asked.partner, asked.points, staff.id)
    return told(shop, asked, staff, recorded)


class Account(Request, frozen=True, kw_only=True):
    """Shows this shop's account with a partner, in points and in money."""

    partner: Id


async def account(shop: Shop, asked: Account, staff: Staff) -> Answer:
    points, worth = await alliance.account(shop, asked.partner)
    return found(asked, points=points, worth_minor=worth)


COMMANDS = (
    Command("top-up", TopUp, "cashier", top_up),
    Command("take-back-top-up", TakeBackTopUp, "cashier", take_back),
    Command("close-card", CloseCard, "manager", close_card),
    Command("partner-send", SendPoints, "cashier", send),
    Command("partner-settle", Settle, "manager", settle),
    Command("partner-take", TakePoints, "manager", take),
    Command("partner-taken", WasTaken, "manager", was_taken),
    Command("partner-pay-in", PayIn, "manager", pay_in),
    Command("partner-account", Account, "cashier", account, records=False),
)
