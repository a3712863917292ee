"""Receipts: the sale that one names, what has come of it since, and the slip of what happens now."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Invalid, NotFound
from tapledger.loyalty import members
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales import sold
from tapledger.loyalty.sales.sold import Sold
from tapledger.membership import identity, slips
from tapledger.membership.scanning import RECEIPT
from tapledger.membership.shop import Shop, known_member
from tapledger.membership.slips import SlipKind
from tapledger.store import history, sales
from tapledger.store import members as stored_members
from tapledger.store.journal import Recorded
from tapledger.store.people import mask


@dataclass(frozen=True, slots=True)
class Sales:
    """A sale of this shop as it stands now, and its member."""

    sold: Sold
    member: Member | None
    version: str
    """Of the programme that it was sold by."""


def sale_of(text: str, shop: Shop, tx: Transaction) -> str:
    """Return the id of the sale that a receipt's number or QR code names.

    Raises ``Invalid`` for what is no such number, ``NotFound`` when this shop did not make the sale: others
    are returned where they were made, or through central (R21).
    """
    match = RECEIPT.fullmatch(text.strip())
    if match is None:
        raise Invalid("RECEIPT_INVALID")
    node, epoch, seq = match[1], int(match[2]), int(match[3])
    body = history.at(tx, epoch, seq) if node == shop.store.keyring.node else None
    if body is None or body.kind != "sale" or body.sale is None:
        raise NotFound("SALE_UNKNOWN")
    return body.sale.id


def load(tx: Transaction, sale: str) -> Sales:
    """Return a sale by its id with all that came back of it; raise ``NotFound`` for one of another shop."""
    body = history.of_sale(tx, sale)
    if body is None:
        raise NotFound("SALE_UNKNOWN")
    changes = sales.changes(tx, sale)
    late = next((one for one in changes if one.kind == "late_credit"), None)
    found = sold.read(body, [one for one in changes if one.returned is not None], late)
    member = None if found.member is None else known_member(tx, found.member).member
    return Sales(found, member, body.program)


async def show(shop: Shop, receipt: str) -> Sales:
    """Return the sale of a receipt, for the till to choose from what can come back."""
    return await shop.store.transact(lambda tx: load(tx, sale_of(receipt, shop, tx)))


def queue(
    tx: Transaction,
    shop: Shop,
    recorded: Recorded,
    kind: SlipKind,
    language: str,
    member: Member | None,
    name: str | None = None,
    *,
    voucher: str = "",
    principal_minor: int = 0,
    bonus_minor: int = 0,
) -> None:
    """Queue the slip of an event, with ``member`` as they are after it. ``name`` is the member's, when the
    caller has looked it up."""
    if name is None and member is not None:
        stored = stored_members.load(tx, member.id)
        profile = None if stored is None else identity.read_profile(shop, stored.profile)
        name = "" if profile is None else profile.name
    slip = slips.Slip(
        kind=kind,
        language=language,
        event=recorded.raw,
        receipt=recorded.receipt,
        proof=recorded.proof,
        digest=recorded.hash.hex(),
        member_name=mask(name or ""),
        points=0 if member is None else members.points(member, shop.clock.now()).shown,
        tier="" if member is None else shop.tier_of(member),
        voucher=voucher,
        principal_minor=principal_minor,
        bonus_minor=bonus_minor,
    )
    drawer = kind == "sale" and shop.has_drawer and _moves_cash(recorded)
    slips.enqueue(tx, shop, slips.job_id(recorded), slip, drawer=drawer)


def _moves_cash(recorded: Recorded) -> bool:
    """Whether a sale takes cash or gives change: only then the drawer opens."""
    sale = recorded.event.body.sale
    if sale is None:
        return False
    return sale.change_minor > 0 or any(one.kind == "cash" and one.amount_minor > 0 for one in sale.tenders)
