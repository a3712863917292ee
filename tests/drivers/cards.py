"""Cards of a merchant that the tests play."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy, issue_token
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.virtual_card import CardKind, VirtualCard

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = "demo-1"
TRUST = SignedTokenPolicy({KEY_ID: KEY.public_key().public_bytes_raw()})

UID = bytes.fromhex("04A1B2C3D4E5F6")
OTHER_UID = bytes.fromhex("04FFEEDDCCBBAA")
CREDENTIAL = "card-1001"

UNREADABLE = [
    (Verb.TORN_CARD, "removed"),
    (Verb.TWO_CARDS, "collision"),
    (Verb.WRONG_ATR, "mute"),
    (Verb.HALF_WRITE, "no_uid"),
    (Verb.DROP_AFTER, "removed"),
]
"""What makes a card unreadable, and what a PC/SC reader, real or simulated, calls that."""


def token(uid: bytes = UID, credential: str = CREDENTIAL) -> bytes:
    return issue_token(KEY, KEY_ID, credential, uid)


def member_card(kind: CardKind = CardKind.TYPE4, torn_after: int | None = None) -> VirtualCard:
    return VirtualCard(kind, UID, token(), torn_after=torn_after)
