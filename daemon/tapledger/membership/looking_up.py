"""The till's one box: what a text turns out to be in this shop."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.errors import NotFound, Refused
from tapledger.loyalty.effects import Hold
from tapledger.loyalty.program.coupons import Template
from tapledger.loyalty.promotions.promotion import Promotion
from tapledger.loyalty.sales.catalogue import Article
from tapledger.membership import coupons, identity, receipts, redemption
from tapledger.membership.identity import Presented
from tapledger.membership.receipts import Sales
from tapledger.membership.scanning import Meaning, Scanned
from tapledger.membership.shop import Shop
from tapledger.membership.tap import Greeting, greet_member
from tapledger.membership.virtual_cards import prove_virtual_card


@dataclass(frozen=True, slots=True)
class VoucherFound:
    code: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class CouponFound:
    """A coupon or a public code, by the id that a basket uses it by."""

    id: str
    text: str
    template: Template | None


@dataclass(frozen=True, slots=True)
class PromotionFound:
    """A promotion that waits for somebody to give its code."""

    promotion: Promotion


@dataclass(frozen=True, slots=True)
class ReceiptFound:
    receipt: str
    sales: Sales


Found = Article | Greeting | VoucherFound | CouponFound | PromotionFound | ReceiptFound


async def look_up(shop: Shop, scanned: Scanned, member: str | None = None) -> list[Found]:
    """Return everything in this shop that the text names, in the order of its meanings; often one.

    ``member`` is served now: a coupon that was signed for another one is refused.
    """
    found: list[Found] = list(await _by_code(shop, scanned.text, member))
    for meaning in scanned.meanings:
        try:
            found.append(await _one(shop, meaning, scanned.text, member))
        except NotFound:
            continue
    return found


async def member_code(shop: Shop, scanned: Scanned) -> Presented:
    """Return the credential that a code at the kiosk is; raise ``NotFound`` for any other code."""
    if "virtual" in scanned.meanings:
        return await prove_virtual_card(shop, scanned.text)
    if "barcode" in scanned.meanings:
        return Presented("barcode", scanned.text, 0, "scanned")
    raise NotFound("MEMBER_CODE_UNKNOWN")


async def _by_code(shop: Shop, text: str, member: str | None) -> list[CouponFound | PromotionFound]:
    """Return what the programme itself calls by this text."""
    folded = text.upper()
    found: list[CouponFound | PromotionFound] = [
        PromotionFound(one) for one in shop.program.promotions if one.code and one.code.upper() == folded
    ]
    if any(one.code.upper() == folded for one in shop.program.coupons if one.code):
        found.append(await _coupon(shop, text, member))
    return found


async def _one(shop: Shop, meaning: Meaning, text: str, member: str | None) -> Found:
    match meaning:
        case "article":
            return shop.catalogue.find(text)
        case "coupon":
            return await _coupon(shop, text, member)
        case "receipt":
            return ReceiptFound(text, await receipts.show(shop, text))
        case "voucher":
            return await _voucher(shop, text, member)
        case "phone":
            presented = Presented("phone", identity.normal_phone(text), 0, "typed")
            return await greet_member(shop, presented)
        case "virtual":
            return await greet_member(shop, await prove_virtual_card(shop, text))
        case "barcode":
            return await greet_member(shop, Presented("barcode", text, 0, "scanned"))


async def _voucher(shop: Shop, text: str, member: str | None) -> VoucherFound | CouponFound:
    """Return what a code on paper is of: a reward's voucher, or a coupon for whoever holds it."""
    try:
        return VoucherFound(text, await redemption.voucher_holder(shop, text))
    except NotFound:
        try:
            return await _coupon(shop, text, member)
        except Refused as error:
            if error.code != "COUPON_CODE_WRONG":
                raise
        raise


async def _coupon(shop: Shop, text: str, member: str | None) -> CouponFound:
    id_ = await coupons.scan_code(shop, shop.new_id(), text, member)
    return CouponFound(id_, text, await coupons.template_of(shop, id_, member))
