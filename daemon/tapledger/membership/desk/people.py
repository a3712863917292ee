"""At the desk: joining, what members tell us of themselves, and what we know of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tapledger.loyalty import members
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.life import consenting
from tapledger.loyalty.life.consenting import Statement
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.loyalty.tiers import tiering
from tapledger.membership import explaining, identity, privacy, profile, referral, registration
from tapledger.membership import history as histories
from tapledger.membership.desk import naming
from tapledger.membership.desk.asking import (
    MAX_MANY,
    Answer,
    Command,
    Day,
    Id,
    Name,
    OfMember,
    Receipt,
    Request,
    Staff,
    Text,
    Who,
    found,
    told,
)
from tapledger.membership.profile import ProfileEdit
from tapledger.membership.referral import ReferrerCommand
from tapledger.membership.registration import Joining
from tapledger.membership.shop import Shop
from tapledger.store import members as stored_members
from tapledger.store.people import mask

Kind = Literal["barcode", "card", "uid"]


def _birthday(on: str) -> tuple[int, int, int | None]:
    """Return month, day and year of ``2000-02-29`` or ``02-29``."""
    *year, month, day = on.split("-")
    return int(month), int(day), int(year[0]) if year else None


class Join(Request, frozen=True, kw_only=True):
    """Makes a member, found from now on by phone or by a member code."""

    name: Name
    phone: Text = ""
    code: Text = ""
    """A member code, as barcodes have it; cards are laid on the till's reader."""
    birthday: Day | None = None
    receipts: Annotated[tuple[Receipt, ...], Meta(max_length=MAX_MANY)] = ()
    """Shown where a card is free only after a spend."""


async def join(shop: Shop, asked: Join, staff: Staff) -> Answer:
    code = (naming.by_number("barcode", asked.code),) if asked.code else ()
    joining = Joining(
        key=asked.key,
        name=asked.name,
        phone=asked.phone,
        credentials=code,
        staff=staff.id,
        birthday=None if asked.birthday is None else _birthday(asked.birthday),
        receipts=asked.receipts,
    )
    recorded = await registration.register_member(shop, joining)
    return told(shop, asked, staff, recorded, member=recorded.event.body.member)


class LinkCard(OfMember, frozen=True, kw_only=True):
    """Gives a member one more card or code, by its number."""

    number: Id
    kind: Kind = "card"


async def link_card(shop: Shop, asked: LinkCard, staff: Staff) -> Answer:
    member, new = await naming.member(shop, asked), naming.by_number(asked.kind, asked.number)
    return told(
        shop, asked, staff, await registration.link_credential(shop, asked.key, member, new, staff.id)
    )


class ChangeProfile(OfMember, frozen=True, kw_only=True):
    """Changes name, phone number or language; an empty text takes it away."""

    name: Text | None = None
    phone: Text | None = None
    language: Text | None = None


async def change_profile(shop: Shop, asked: ChangeProfile, staff: Staff) -> Answer:
    member, edit = await naming.member(shop, asked), ProfileEdit(asked.name, asked.phone, asked.language)
    return told(shop, asked, staff, await profile.change_profile(shop, asked.key, member, edit, staff.id))


class BirthdayOf(OfMember, frozen=True, kw_only=True):
    """Sets or changes a birthday, with the year or without."""

    on: Day


async def set_birthday(shop: Shop, asked: BirthdayOf, staff: Staff) -> Answer:
    member, command = await naming.member(shop, asked), SetBirthday(*_birthday(asked.on), staff=staff.id)
    return told(shop, asked, staff, await profile.set_birthday(shop, asked.key, member, command))


class Preferences(OfMember, frozen=True, kw_only=True):
    """Replaces what a member chose to hear of."""

    chosen: Annotated[tuple[Id, ...], Meta(max_length=MAX_MANY)]


async def set_preferences(shop: Shop, asked: Preferences, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    recorded = await profile.set_preferences(shop, asked.key, member, asked.chosen, staff.id)
    return told(shop, asked, staff, recorded)


class ConsentOf(OfMember, frozen=True, kw_only=True):
    """Notes that a member agrees to a purpose, or withdraws."""

    purpose: Id
    agrees: bool
    text_version: Id
    """Which wording they had before their eyes."""
    channel: Id = "counter"


async def consent(shop: Shop, asked: ConsentOf, staff: Staff) -> Answer:
    said = Statement(
        id=asked.key,
        purpose=asked.purpose,
        granted=asked.agrees,
        text_version=asked.text_version,
        channel=asked.channel,
        staff=staff.id,
    )
    member = await naming.member(shop, asked)
    return told(shop, asked, staff, await privacy.state_consent(shop, asked.key, member, said))


class MayMessage(OfMember, frozen=True, kw_only=True):
    """Says whether a message for a purpose may go out now."""

    purpose: Id


async def may_message(shop: Shop, asked: MayMessage, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    return found(asked, may=await privacy.may_message(shop, member, asked.purpose))


class ReferrerOf(OfMember, frozen=True, kw_only=True):
    """Notes who sent a member."""

    referrer: Who
    looked_at: bool = False
    """Staff have seen both, where a look is asked for."""


async def set_referrer(shop: Shop, asked: ReferrerOf, staff: Staff) -> Answer:
    command = ReferrerCommand(
        key=asked.key,
        member=await naming.member(shop, asked),
        referrer=await naming.shown(shop, asked.referrer),
        looked_at=asked.looked_at,
        staff=staff.id,
    )
    return told(shop, asked, staff, await referral.set_referrer(shop, command))


class Forget(OfMember, frozen=True, kw_only=True):
    """Erases who a member was; the ledger keeps a pseudonym that names nobody."""

    waiver: Text = ""
    """Number of the paper by which they gave up what they paid in."""


async def erase(shop: Shop, asked: Forget, staff: Staff) -> Answer:
    member, command = await naming.member(shop, asked), Erase(staff.id, asked.waiver)
    return told(shop, asked, staff, await privacy.erase_member(shop, asked.key, member, command))


class Export(OfMember, frozen=True, kw_only=True):
    """Returns all that this shop holds of a member, for the member alone."""


async def export(shop: Shop, asked: Export, staff: Staff) -> Answer:
    return found(asked, **await privacy.export_member(shop, await naming.member(shop, asked)))


class Show(OfMember, frozen=True, kw_only=True):
    """Shows what a member has: points, tier, stored value, cards, consents."""


async def show(shop: Shop, asked: Show, staff: Staff) -> Answer:
    name = await naming.member(shop, asked)
    stored = await shop.store.transact(lambda tx: stored_members.load(tx, name))
    assert stored is not None
    who, now = stored.member, shop.clock.now()
    known, points = identity.read_profile(shop, stored.profile), members.points(who, now)
    expiry = points.next_expiry
    return found(
        asked,
        member=who.id,
        name="" if known is None else mask(known.name),
        status=who.status,
        tier=tiering.current(who, shop.program, now).id,
        tier_until=who.tier_until,
        points=points.shown,
        pending=points.pending,
        held=points.held,
        deficit=points.deficit,
        next_expiry=None if expiry is None else {"points": expiry[0], "at": expiry[1]},
        principal_minor=members.shown_value(who, PRINCIPAL, now),
        bonus_minor=members.shown_value(who, BONUS, now),
        coupons=len(who.coupons),
        vouchers=[{"hold": one.id, "reward": one.reward, "until": one.until} for one in who.holds],
        cards=[
            {"index": one.index, "kind": one.kind, "state": one.blocked or "good"} for one in who.credentials
        ],
        purposes={one.purpose: one.granted for one in who.consents},
        messages={one: consenting.may_message(who, one) for one in consenting.MARKETING},
        tags=who.tags,
        merged=who.aliases,
    )


class History(OfMember, frozen=True, kw_only=True):
    """Shows what happened to a member, the newest first; sensitive articles are not named."""

    limit: Annotated[int, Meta(ge=1, le=histories.MAX_ENTRIES)] = 20


async def history(shop: Shop, asked: History, staff: Staff) -> Answer:
    entries = await histories.history(shop, await naming.member(shop, asked), asked.limit)
    rows = [
        {
            "receipt": one.receipt,
            "kind": one.kind,
            "at": one.at,
            "points": one.points,
            "total_minor": one.total_minor,
            "lines": [{"name": line.name, "quantity_milli": line.quantity_milli} for line in one.lines],
            "hidden_lines": one.hidden_lines,
            "says": explaining.sentences(one.reasons, shop.program, staff.language),
        }
        for one in entries
    ]
    return found(asked, events=rows)


COMMANDS = (
    Command("join", Join, "cashier", join),
    Command("show", Show, "cashier", show, records=False),
    Command("history", History, "cashier", history, records=False),
    Command("link-card", LinkCard, "cashier", link_card),
    Command("profile", ChangeProfile, "cashier", change_profile),
    Command("birthday", BirthdayOf, "cashier", set_birthday),
    Command("preferences", Preferences, "cashier", set_preferences),
    Command("consent", ConsentOf, "cashier", consent),
    Command("may-message", MayMessage, "cashier", may_message, records=False),
    Command("referrer", ReferrerOf, "cashier", set_referrer),
    Command("export", Export, "manager", export, records=False),
    Command("erase", Forget, "manager", erase),
)
