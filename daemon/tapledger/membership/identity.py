"""Who somebody is here: from what was presented to the member it names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tapledger.database import Transaction
from tapledger.errors import Corrupt, Invalid, NotFound, Refused
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.members import Member
from tapledger.membership.shop import Shop
from tapledger.store import members, people
from tapledger.wire.messages import SealedProfile

KINDS = ("card", "uid", "phone", "barcode")
_PHONE = re.compile(r"\+?[0-9]{6,15}")


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as it was shown, with the trust level of the read and its evidence."""

    kind: str
    value: str
    level: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Known:
    """A member as this shop knows them now."""

    member: Member
    unsettled_points: int
    name: str
    """Not masked: for the use case, never for a screen."""
    presented: Presented


def index(shop: Shop, kind: str, value: str) -> str:
    return people.credential_index(shop.store.keyring.index_key, kind, value)


def credential(shop: Shop, presented: Presented) -> Credential:
    """Return what the ledger keeps of a credential."""
    if presented.kind not in KINDS:
        raise Invalid("CREDENTIAL_KIND_UNKNOWN", kind=presented.kind)
    return Credential(presented.kind, index(shop, presented.kind, presented.value), presented.level)


def normal_phone(text: str) -> str:
    """Return a phone number in its one form; raise ``Invalid``."""
    phone = re.sub(r"[ ()-]", "", text)
    if not _PHONE.fullmatch(phone):
        raise Invalid("PHONE_INVALID")
    return phone


def identify(tx: Transaction, shop: Shop, presented: Presented) -> Known:
    """Find the member a credential names.

    Raises ``NotFound`` for a stranger and ``Refused`` when the credential was enrolled at a higher level than
    this read proves: a copied card answers less than the card it copies.
    """
    owner = members.owner(tx, index(shop, presented.kind, presented.value))
    if owner is None:
        code = {"phone": "PHONE_UNKNOWN", "barcode": "MEMBER_CODE_UNKNOWN"}.get(
            presented.kind, "CARD_UNKNOWN"
        )
        raise NotFound(code)
    if presented.level < owner.min_level:
        raise Refused("CARD_LEVEL_TOO_LOW")
    return by_id(tx, shop, owner.member, presented)


def by_id(tx: Transaction, shop: Shop, member: str, presented: Presented) -> Known:
    """Return a member known by pseudonym, for a session that identified them before."""
    stored = members.load(tx, member)
    if stored is None:
        raise Corrupt("MEMBER_MISSING", member=member)
    # A shop that stands alone has no other shop to spend the same points.
    unsettled = stored.unsettled_points if shop.store.keyring.enrolled else 0
    return Known(stored.member, unsettled, _name(shop, stored.profile), presented)


def _name(shop: Shop, profile: SealedProfile | None) -> str:
    """Return the member's name; a profile that cannot be read must not stop a sale."""
    if profile is None:
        return ""
    try:
        return people.unseal(shop.store.keyring.profile_key, profile).name
    except Corrupt:
        return ""
