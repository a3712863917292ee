"""The till's one box: what a text turns out to be in this shop."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.errors import NotFound
from tapledger.loyalty.effects import Hold
from tapledger.membership import identity, redemption
from tapledger.membership.catalogue import Article
from tapledger.membership.identity import Presented
from tapledger.membership.scanning import Meaning, Scanned
from tapledger.membership.shop import Shop
from tapledger.membership.tap import Greeting, greet_member
from tapledger.membership.virtual_cards import prove_virtual_card


@dataclass(frozen=True, slots=True)
class VoucherFound:
    code: str
    hold: Hold


Found = Article | Greeting | VoucherFound


async def look_up(shop: Shop, scanned: Scanned) -> list[Found]:
    """Return everything in this shop that the text names, in the order of its meanings; often one."""
    found: list[Found] = []
    for meaning in scanned.meanings:
        try:
            found.append(await _one(shop, meaning, scanned.text))
        except NotFound:
            continue
    return found


async def _one(shop: Shop, meaning: Meaning, text: str) -> Found:
    match meaning:
        case "article":
            return shop.catalogue.find(text)
        case "voucher":
            return VoucherFound(text, await redemption.voucher_holder(shop, text))
        case "phone":
            presented = Presented("phone", identity.normal_phone(text), 0, "typed")
            return await greet_member(shop, presented)
        case "virtual":
            return await greet_member(shop, await prove_virtual_card(shop, text))
        case "barcode":
            return await greet_member(shop, Presented("barcode", text, 0, "scanned"))
