"""Coupons at this shop: given, claimed by a code, offered to a basket, held for it, shown, taken away."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from tapledger.clock import Clock
from tapledger.database import Transaction
from tapledger.errors import Denied, Invalid, Refused
from tapledger.loyalty import codes
from tapledger.loyalty.coupons import claiming, couponing, issuing, wallet
from tapledger.loyalty.coupons.couponing import ONLINE, Reach, Usable, View
from tapledger.loyalty.coupons.issuing import Issue
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Coupon
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.pricing.basket import ChosenCoupon, LeftOut
from tapledger.loyalty.program.coupons import Template
from tapledger.membership import identity, stock
from tapledger.membership.redemption import VOUCHER_RANDOMNESS
from tapledger.membership.rights import rights_of
from tapledger.membership.shop import Shop, change_member, known_member, once, operation
from tapledger.store import bearers, members
from tapledger.store.journal import Operation, Recorded
from tapledger.store.members import Stored
from tapledger.wire import coupons as signed
from tapledger.wire.coupons import SignedCoupon


@dataclass(slots=True)
class TypedCodes:
    """Wrong codes typed at one kiosk. Scans of signed codes, cards and the till never ask it."""

    clock: Clock
    throttle: codes.Throttle = field(default_factory=codes.Throttle)

    def check(self) -> None:
        """Raise ``Denied`` while codes are refused here."""
        now = self.clock.now()
        if codes.is_locked(self.throttle, now) and self.throttle.until is not None:
            raise Denied("TOO_MANY_TRIES", seconds=int((self.throttle.until - now).total_seconds()) + 1)

    def failed(self) -> None:
        self.throttle = codes.after_wrong(self.throttle, self.clock.now())

    def passed(self) -> None:
        """A right code was typed, or staff tapped: the wrong ones are forgotten."""
        self.throttle = codes.after_right()


@dataclass(frozen=True, slots=True)
class Paper:
    """A coupon for whoever holds it."""

    recorded: Recorded
    coupon: str
    code: str
    """As printed, in groups."""
    qr: str


# ---- given and taken away ---------------------------------------------------------------------------------
async def issue_coupon(
    shop: Shop, key: str, member: str, template: str, source: str, staff: str | None = None
) -> Recorded:
    """Give a member a coupon; raise ``Refused`` when none is left or they have had as many as they may."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        command = Issue(
            template=template,
            coupon=shop.new_id(),
            source=source,
            node=shop.store.keyring.node,
            staff=staff,
            exhausted=stock.exhausted(tx, shop),
        )
        return issuing.decide_issue(stored.member, command, shop.program, now)

    return await change_member(shop, operation(key, "coupon", member, template, source), member, decide)


async def void_coupon(shop: Shop, key: str, member: str, coupon: str, why: str, staff: str) -> Recorded:
    """Take a coupon away from a member; raise ``Refused`` when it has been redeemed."""

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        return issuing.decide_void(stored.member, coupon, why, staff, shop.program, now)

    return await change_member(shop, operation(key, "coupon_void", member, coupon, why), member, decide)


async def print_coupon(shop: Shop, key: str, template: str, source: str, staff: str) -> Paper:
    """Issue a coupon to whoever will hold the paper; a repeat of the same key makes no second one.

    Its code is told once and kept nowhere: a repeat tells it as empty.
    """
    same = operation(key, "bearer", template, source, staff)

    def work(tx: Transaction) -> Paper:
        if (before := shop.store.journal.find(tx, same)) is not None:
            issued = claiming.of_bearers(before.event.body)[0]
            name = issued.coupon if isinstance(issued.coupon, str) else issued.coupon.id
            return Paper(before, name, "", "")
        now, code = shop.clock.now(), codes.voucher_code(shop.randomness(VOUCHER_RANDOMNESS))
        command = Issue(
            template=template,
            coupon=shop.new_id(),
            source=source,
            node=shop.store.keyring.node,
            code=_index(shop, code),
            staff=staff,
        )
        recorded = shop.record(tx, same, issuing.decide_bearer(command, shop.program, now), now)
        known = bearers.by_id(tx, claiming.BEARER + command.coupon)
        assert known is not None
        return Paper(recorded, known.id, codes.printed(code), sign(shop, known, ""))

    return await shop.store.transact(work)


def sign(shop: Shop, coupon: Coupon, member: str) -> str:
    """Return the QR text of a coupon, which any shop that knows this node's key can check alone."""
    template = shop.program.coupon(coupon.template)
    said = SignedCoupon(
        v=signed.VERSION,
        coupon=coupon.id.removeprefix(claiming.BEARER),
        template=coupon.template,
        member=member,
        not_after_s=None if coupon.expires_at is None else int(coupon.expires_at.timestamp()),
        max_value_minor=None if template is None else template.max_value_minor,
        key_id=shop.store.keyring.node,
    )
    return signed.encode(said, shop.store.keyring.signing_key)


def _public_key(shop: Shop, key_id: str) -> bytes | None:
    keyring = shop.store.keyring
    if key_id == keyring.node:
        return keyring.signing_key.public_key().public_bytes_raw()
    return keyring.token_keys.get(key_id)


def _index(shop: Shop, code: str) -> str:
    return identity.index(shop, "coupon", code)


# ---- codes ------------------------------------------------------------------------------------------------
async def claim_code(
    shop: Shop, key: str, member: str, text: str, typed: TypedCodes | None = None
) -> Recorded:
    """Put what a code stands for into a member's wallet: a public code's coupon, or a bearer's.

    ``typed`` is the kiosk's count of wrong codes when somebody typed it there; None for a scan or the till.
    Unknown, used and voided codes get the same answer, found in the same way (section 3.12).
    """
    if signed.is_signed(text):
        typed = None
    if typed is not None:
        typed.check()
    same = operation(key, "claim", member, text)

    def decide(tx: Transaction, stored: Stored, now: dt.datetime) -> Decision:
        named = _named(tx, shop, text, stored.member, now)
        command = Issue(
            template=named.template,
            coupon=shop.new_id(),
            source="code",
            kind="claim",
            node=shop.store.keyring.node,
            exhausted=stock.exhausted(tx, shop),
        )
        if named.id.startswith(claiming.CODE):
            return issuing.decide_issue(stored.member, command, shop.program, now)
        if named.id.startswith(claiming.BEARER):
            return issuing.decide_take(stored.member, named, command, shop.program, now)
        return issuing.decide_admit(stored.member, named, command, shop.program, now)

    try:
        recorded = await change_member(shop, same, member, decide)
    except (Invalid, Refused) as error:
        if typed is not None and error.code in ("CODE_MISTYPED", "COUPON_CODE_WRONG"):
            typed.failed()
        raise
    if typed is not None:
        typed.passed()
    return recorded


async def scan_code(shop: Shop, key: str, text: str, member: str | None) -> str:
    """Return the id by which a basket uses what was scanned or typed at the till: the till is never locked.

    A coupon that another shop signed and this one has not heard of is remembered first.
    """
    same = operation(key, "claim", member, text)

    def work(tx: Transaction) -> str:
        now = shop.clock.now()
        stored = None if member is None else members.load(tx, member)
        holder = None if stored is None else stored.member
        named = _named(tx, shop, text, holder, now)
        if _is_known(tx, holder, named):
            return named.id
        if shop.store.journal.find(tx, same) is None:
            command = Issue(named.template, named.id, "signed", node=named.node)
            decided = issuing.decide_admit(
                holder if not named.id.startswith(claiming.BEARER) else None,
                named,
                command,
                shop.program,
                now,
            )
            shop.record(tx, same, decided, now)
        return named.id

    return await shop.store.transact(work)


async def template_of(shop: Shop, coupon: str, member: str | None) -> Template | None:
    """Return the terms of a coupon that ``scan_code`` named."""

    def work(tx: Transaction) -> Template | None:
        if coupon.startswith((claiming.CODE, claiming.BEARER)):
            return _of_nobody(tx, shop, coupon, shop.clock.now())[0]
        stored = None if member is None else members.load(tx, member)
        known = None if stored is None else wallet.find(stored.member.coupons, coupon)
        return None if known is None else shop.program.coupon(known.template)

    return await shop.store.transact(work)


def _is_known(tx: Transaction, holder: Member | None, named: Coupon) -> bool:
    if named.id.startswith(claiming.CODE):
        return True
    if named.id.startswith(claiming.BEARER):
        return bearers.by_id(tx, named.id) is not None
    return holder is not None and any(one.id == named.id for one in holder.coupons)


def _named(tx: Transaction, shop: Shop, text: str, holder: Member | None, now: dt.datetime) -> Coupon:
    """Return the coupon that a text names; raise ``Invalid`` or ``Refused``, the same for all wrongs."""
    if signed.is_signed(text):
        return _signed(tx, shop, text, holder, now)
    folded = unicodedata.normalize("NFKC", text).strip().upper()
    public = next((one for one in shop.program.coupons if one.code and one.code.upper() == folded), None)
    if public is not None:
        return couponing.use_of_code(public, shop.program, now)
    paper = bearers.by_index(tx, _index(shop, codes.read_code(text)))
    if paper is None or paper.state in ("redeemed", "void"):
        raise claiming.bearer_refusal()
    return paper


def _signed(tx: Transaction, shop: Shop, text: str, holder: Member | None, now: dt.datetime) -> Coupon:
    said = signed.decode(text, lambda key_id: _public_key(shop, key_id))
    name = said.coupon if said.member else claiming.BEARER + said.coupon
    known = None if said.member else bearers.by_id(tx, name)
    if known is not None and known.state in ("redeemed", "void"):
        raise claiming.bearer_refusal()
    if said.member and (holder is None or holder.id != said.member):
        raise Refused("COUPON_OTHER_MEMBER")
    if said.not_after is not None and now >= said.not_after:
        raise Refused("COUPON_EXPIRED", coupon=said.template)
    return known or Coupon(
        id=name,
        template=said.template,
        issued_at=now,
        expires_at=said.not_after,
        source="signed",
        node=said.key_id,
        code="" if said.member else _index(shop, name),
    )


# ---- a basket's -------------------------------------------------------------------------------------------
def papers(
    tx: Transaction,
    shop: Shop,
    member: Member | None,
    scanned: Iterable[str],
    sale: str,
    reach: Reach = ONLINE,
) -> Usable:
    """Return what was scanned for a basket and belongs to no wallet: ``Wants.papers``."""
    now, program, exhausted = shop.clock.now(), shop.program, stock.exhausted(tx, shop)
    chosen, left_out = [], []
    for name in scanned:
        template, coupon = _of_nobody(tx, shop, name, now)
        if template is None or coupon is None:
            left_out.append(LeftOut(name, couponing.why_not_known()))
            continue
        if name.startswith(claiming.CODE):
            why = couponing.why_not_code(member, template, program, now, exhausted, reach)
        else:
            why = couponing.why_not(member, coupon, template, program, now, reach, sale)
        if why is None:
            chosen.append(ChosenCoupon(name, template, couponing.ends(coupon, sale, now)))
        else:
            left_out.append(LeftOut(name, why))
    return Usable(tuple(chosen), tuple(left_out))


def _of_nobody(
    tx: Transaction, shop: Shop, name: str, now: dt.datetime
) -> tuple[Template | None, Coupon | None]:
    if name.startswith(claiming.CODE):
        template = shop.program.coupon(name.removeprefix(claiming.CODE))
        return template, None if template is None else couponing.use_of_code(template, shop.program, now)
    coupon = bearers.by_id(tx, name)
    return (None if coupon is None else shop.program.coupon(coupon.template)), coupon


async def hold_for_sale(
    shop: Shop, key: str, member: str | None, coupons: tuple[str, ...], sale: str
) -> Recorded:
    """Keep coupons for a sale until its quote ends; raise ``Refused`` when one is taken (X5)."""
    same = operation(key, "coupon_hold", member, coupons, sale)
    return await _move(shop, same, member, coupons, sale, hold=True)


async def release_for_sale(
    shop: Shop, key: str, member: str | None, coupons: tuple[str, ...], sale: str
) -> Recorded:
    """Let go of the coupons that a sale holds: it was parked or given up."""
    same = operation(key, "coupon_release", member, coupons, sale)
    return await _move(shop, same, member, coupons, sale, hold=False)


async def _move(
    shop: Shop, same: Operation, member: str | None, coupons: tuple[str, ...], sale: str, *, hold: bool
) -> Recorded:
    def work(tx: Transaction) -> Recorded:
        now = shop.clock.now()
        holder = None if member is None else known_member(tx, member).member
        if hold:
            effects = couponing.hold_effects(holder, coupons, sale, now)
        else:
            effects = couponing.release_effects(holder, coupons, sale)
        body = EventBody(
            kind="coupon",
            at=now,
            program=shop.program.version,
            member=None if holder is None else holder.id,
            effects=effects,
        )
        return shop.record(tx, same, decision(holder, body), now)

    return await once(shop, same, work)


# ---- shown ------------------------------------------------------------------------------------------------
async def show_wallet(shop: Shop, member: str) -> View:
    """Return a member's coupons as this shop can take them now; raise ``NotFound`` for a stranger."""

    def work(tx: Transaction) -> View:
        who = known_member(tx, member).member
        return couponing.view(who, shop.program, shop.clock.now(), reach_here(tx, shop))

    return await shop.store.transact(work)


def reach_here(tx: Transaction, shop: Shop) -> Reach:
    """Return what this shop may do with coupons now."""
    node = shop.store.keyring.node
    return couponing.reach_of(node, rights_of(tx, shop), shop.program, shop.clock.now())
