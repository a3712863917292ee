"""Who somebody is here: from what was presented to the member it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tapledger.database import Transaction
from tapledger.errors import Corrupt, Invalid, NotFound, Refused
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.life import cards
from tapledger.loyalty.members import Member
from tapledger.loyalty.program import Program
from tapledger.membership.shop import Shop
from tapledger.store import members, people
from tapledger.store.members import Owner
from tapledger.store.people import Profile
from tapledger.wire.messages import SealedProfile

KINDS = ("card", "uid", "phone", "barcode", "virtual")
BEST_LEVEL = 3
MAX_VALUE = 512
"""Characters of a credential."""
SHORT_UID_DIGITS = 8
"""A UID of 4 bytes: makers give the same one out again, so two cards may have it."""
MAX_NAMESAKES = 8
"""Members whose cards have one short UID."""
PHONE_TAIL = 4
SIMULATED = " (simulated)"
"""Ends the evidence of what an emulated device read; the ledger keeps it."""
_PHONE = re.compile(r"\+?[0-9]{6,15}")


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as it was shown, with the trust level of the read and its evidence."""

    kind: str
    value: str
    level: int
    """0 to 3: how far the read proves who it is."""
    evidence: str

    def __post_init__(self) -> None:
        if not 0 <= self.level <= BEST_LEVEL:
            raise Invalid("TRUST_LEVEL_IMPOSSIBLE")


@dataclass(frozen=True, slots=True)
class Known:
    """A member as this shop knows them now."""

    member: Member
    unsettled_points: int
    name: str
    """Not masked: for the use case, never for a screen."""
    presented: Presented


def masked_phone(phone: str) -> str:
    """Return a number as a screen shows it: enough to know one's own."""
    return f"*** {phone[-PHONE_TAIL:]}"


def simulated(presented: Presented) -> Presented:
    """Return what was shown to a device that is no thing: every event it leads to says so."""
    return replace(presented, evidence=presented.evidence + SIMULATED)


def with_proof(presented: Presented, what: str) -> Presented:
    """Return what was shown with what else proves it; that no thing read it stays the last word."""
    read = presented.evidence.removesuffix(SIMULATED)
    return replace(presented, evidence=f"{read} + {what}{presented.evidence[len(read) :]}")


def index(shop: Shop, kind: str, value: str) -> str:
    """Return what the ledger and the store know a credential by."""
    if kind == "phone":
        value = home_phone(value, shop.program)
    return people.credential_index(shop.store.keyring.index_key, kind, value)


def credential(shop: Shop, presented: Presented) -> Credential:
    """Return what the ledger keeps of a credential."""
    if presented.kind not in KINDS:
        raise Invalid("CREDENTIAL_KIND_UNKNOWN", kind=presented.kind)
    if not presented.value:
        raise Invalid("CODE_EMPTY")
    if len(presented.value) > MAX_VALUE:
        raise Invalid("CODE_TOO_LONG", limit=MAX_VALUE)
    return Credential(presented.kind, index(shop, presented.kind, presented.value), presented.level)


def normal_phone(text: str) -> str:
    """Return a phone number in its one form; raise ``Invalid``."""
    phone = re.sub(r"[ ()-]", "", text)
    if not _PHONE.fullmatch(phone):
        raise Invalid("PHONE_INVALID")
    return phone


def home_phone(phone: str, program: Program) -> str:
    """Return a number as it is dialled at home: ``+86 138...`` and ``138...`` are one member's."""
    rules = program.membership
    if phone.startswith("00"):
        phone = f"+{phone[2:]}"
    if rules.phone_prefix and phone.startswith(rules.phone_prefix):
        return rules.phone_trunk + phone.removeprefix(rules.phone_prefix)
    return phone


def has_short_uid(presented: Presented) -> bool:
    return presented.kind == "uid" and len(presented.value) == SHORT_UID_DIGITS


def namesake(presented: Presented, number: int) -> Presented:
    """Return the credential of the next member, from 2, whose card has the same short UID."""
    return presented if number < 2 else replace(presented, value=f"{presented.value}#{number}")


def _owner(tx: Transaction, shop: Shop, presented: Presented, phone_tail: str) -> tuple[str, Owner] | None:
    """Return whom a credential names and by which index.

    Where cards of several members have one short UID, raises ``Refused`` unless the last digits of the phone
    number that they tell are those of exactly one of them: it is never guessed (decisions, smaller (g)).
    """
    found = []
    for number in range(1, 1 + (MAX_NAMESAKES if has_short_uid(presented) else 1)):
        shown = namesake(presented, number)
        idx = index(shop, shown.kind, shown.value)
        owner = members.owner(tx, idx)
        if owner is None:
            break
        found.append((idx, owner))
    if len(found) > 1:
        if not phone_tail:
            raise Refused("PHONE_TAIL_NEEDED")
        found = [one for one in found if phone_tail_matches(tx, shop, one[1].member, phone_tail)]
        if len(found) != 1:
            raise Refused("PHONE_TAIL_WRONG")
    return found[0] if found else None


def phone_tail_matches(tx: Transaction, shop: Shop, member: str, tail: str) -> bool:
    """Tell whether a member's phone number ends in the digits that they told staff (R8)."""
    stored = members.load(tx, member)
    profile = None if stored is None else read_profile(shop, stored.profile)
    is_whole = len(tail) == PHONE_TAIL and tail.isascii() and tail.isdigit()
    return is_whole and profile is not None and profile.phone.endswith(tail)


def identify(tx: Transaction, shop: Shop, presented: Presented, phone_tail: str = "") -> Known:
    """Find the member a credential names.

    Raises ``NotFound`` for a stranger; ``Refused`` CARD_BLOCKED for one that was lost or replaced,
    PHONE_TAIL_NEEDED for a UID of several members, and CARD_LEVEL_TOO_LOW when it was enrolled at a higher
    level than this read proves: a copied card answers less than the card it copies.
    """
    named = _owner(tx, shop, presented, phone_tail)
    if named is None:
        code = {"phone": "PHONE_UNKNOWN", "barcode": "MEMBER_CODE_UNKNOWN"}.get(
            presented.kind, "CARD_UNKNOWN"
        )
        raise NotFound(code)
    idx, owner = named
    known = by_id(tx, shop, owner.member, presented)
    why = cards.why_not_use(known.member, idx)
    if why is not None:
        raise Refused(why.code, **why.data)
    if presented.level < owner.min_level:
        raise Refused("CARD_LEVEL_TOO_LOW")
    return known


def by_id(tx: Transaction, shop: Shop, member: str, presented: Presented) -> Known:
    """Return a member known by pseudonym, for a session that identified them before."""
    stored = members.load(tx, member)
    if stored is None:
        raise Corrupt("MEMBER_MISSING", member=member)
    # A shop that stands alone has no other shop to spend the same points.
    unsettled = stored.unsettled_points if shop.store.keyring.enrolled else 0
    profile = read_profile(shop, stored.profile)
    return Known(stored.member, unsettled, "" if profile is None else profile.name, presented)


def read_profile(shop: Shop, profile: SealedProfile | None) -> Profile | None:
    """Return what a member told us; None when it cannot be read here, which must not stop a sale."""
    if profile is None:
        return None
    try:
        return people.unseal(shop.store.keyring.profile_key, profile)
    except Corrupt:
        return None
