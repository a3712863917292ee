"""At the desk: lost, found, replaced and limited cards, cards on telephones, and alarms."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from msgspec import Meta

from tapledger.loyalty.life.cards import WhyBlocked
from tapledger.membership import cards, pins, staff_cards, virtual_cards
from tapledger.membership.desk import naming
from tapledger.membership.desk.asking import (
    END,
    Answer,
    Card,
    Command,
    Id,
    Minor,
    OfMember,
    Request,
    Staff,
    Text,
    found,
    told,
)
from tapledger.membership.desk.people import Kind
from tapledger.membership.shop import Shop


class OfCard(OfMember, frozen=True, kw_only=True):
    """Asks for something of one card of a member."""

    card: Card


async def _named(shop: Shop, asked: OfCard) -> tuple[str, str]:
    member = await naming.member(shop, asked)
    return member, await naming.card(shop, member, asked.card)


class BlockCard(OfCard, frozen=True, kw_only=True):
    """Refuses a lost or stolen card from now on."""

    why: WhyBlocked = "lost"


async def block(shop: Shop, asked: BlockCard, staff: Staff) -> Answer:
    member, index = await _named(shop, asked)
    recorded = await cards.block_card(shop, asked.key, member, index, asked.why, staff.id)
    return told(shop, asked, staff, recorded)


class UnblockCard(OfCard, frozen=True, kw_only=True):
    """Accepts a card again that was found."""


async def unblock(shop: Shop, asked: UnblockCard, staff: Staff) -> Answer:
    member, index = await _named(shop, asked)
    return told(shop, asked, staff, await cards.unblock_card(shop, asked.key, member, index, staff.id))


class ReplaceCard(OfCard, frozen=True, kw_only=True):
    """Gives a new card in place of a lost or worn one."""

    new: Id
    kind: Kind = "card"


async def replace(shop: Shop, asked: ReplaceCard, staff: Staff) -> Answer:
    member, index = await _named(shop, asked)
    new = naming.by_number(asked.kind, asked.new)
    return told(shop, asked, staff, await cards.replace_card(shop, asked.key, member, index, new, staff.id))


class LimitCard(OfCard, frozen=True, kw_only=True):
    """Says how much a card may spend a day; null is without limit."""

    limit_minor: Minor | None = None


async def limit(shop: Shop, asked: LimitCard, staff: Staff) -> Answer:
    member, index = await _named(shop, asked)
    recorded = await cards.limit_card(shop, asked.key, member, index, asked.limit_minor, staff.id)
    return told(shop, asked, staff, recorded)


class ShareUid(OfMember, frozen=True, kw_only=True):
    """Gives a member a card whose short number another member's card has too."""

    uid: Annotated[str, Meta(pattern=rf"^[0-9A-Fa-f]{{8}}{END}")]


async def share_uid(shop: Shop, asked: ShareUid, staff: Staff) -> Answer:
    member, new = await naming.member(shop, asked), naming.by_number("uid", asked.uid)
    return told(shop, asked, staff, await cards.link_shared_uid(shop, asked.key, member, new, staff.id))


class VirtualCard(OfMember, frozen=True, kw_only=True):
    """Gives a member a card on their telephone; the one before is refused from now on."""


async def virtual_card(shop: Shop, asked: VirtualCard, staff: Staff) -> Answer:
    member = await naming.member(shop, asked)
    made = await virtual_cards.issue_virtual_card(shop, asked.key, member, staff.id)
    return found(asked, number=made.number, secret=made.secret.hex())


class SetPin(OfMember, frozen=True, kw_only=True):
    """Sets a member's PIN for the kiosk, typed by the member; it is kept at this shop."""

    pin: Text


async def set_pin(shop: Shop, asked: SetPin, staff: Staff) -> Answer:
    await pins.set_pin(shop, await naming.member(shop, asked), asked.pin)
    return found(asked)


class StaffCard(Request, frozen=True, kw_only=True):
    """Lets a card stand for one of the staff; without a card, takes all of theirs away."""

    person: Id
    card: Id = ""
    kind: Kind = "uid"


async def staff_card(shop: Shop, asked: StaffCard, staff: Staff) -> Answer:
    if not asked.card:
        return found(asked, taken=await staff_cards.take_cards(shop, asked.person))
    await staff_cards.give_card(shop, asked.person, naming.by_number(asked.kind, asked.card))
    return found(asked)


class Alarms(Request, frozen=True, kw_only=True):
    """Lists cards that somebody showed and that are refused, the newest first."""


async def alarms(shop: Shop, asked: Alarms, staff: Staff) -> Answer:
    rows = [
        {
            "code": one.code,
            "member": one.member,
            "at": dt.datetime.fromtimestamp(one.at_ms / 1000, dt.UTC),
            "evidence": one.evidence,
        }
        for one in await cards.newest_alarms(shop)
    ]
    return found(asked, alarms=rows)


COMMANDS = (
    Command("block-card", BlockCard, "cashier", block),
    Command("unblock-card", UnblockCard, "cashier", unblock),
    Command("replace-card", ReplaceCard, "cashier", replace),
    Command("limit-card", LimitCard, "cashier", limit),
    Command("share-uid", ShareUid, "cashier", share_uid),
    Command("virtual-card", VirtualCard, "cashier", virtual_card),
    Command("set-pin", SetPin, "cashier", set_pin),
    Command("staff-card", StaffCard, "manager", staff_card),
    Command("alarms", Alarms, "cashier", alarms, records=False),
)
