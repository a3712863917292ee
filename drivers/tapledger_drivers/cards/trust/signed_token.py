"""Trust level L1: a token in the card's NDEF memory, signed by the merchant for this one UID.

A token proves that the merchant issued it for this UID; it can be copied to an emulator that also copies the
UID, which is why it is L1 and no more (security.md section 1.2). Checking it needs public keys only, so a
stolen kiosk forges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
import ndef
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tapledger_drivers.cards.reading import classify_uid
from tapledger_drivers.ports import CardTrust, TrustLevel, UidKind

RECORD_TYPE = "urn:nfc:ext:tapledger:card"
TOKEN_VERSION = 1
KEY_ID_CHARS_MAX = 32
CREDENTIAL_CHARS_MAX = 64

_SIGNED_PREFIX = b"tapledger card token\x00"
"""Keeps a token's signature from being valid for anything else the same key may ever sign."""

_KeyId = Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_ID_CHARS_MAX)]
_Credential = Annotated[str, msgspec.Meta(min_length=1, max_length=CREDENTIAL_CHARS_MAX)]


class _Claims(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    version: int
    key_id: _KeyId
    credential: _Credential
    uid: bytes


class _Token(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    claims: msgspec.Raw
    """The bytes that were signed, kept as they came: nothing is encoded again to check them."""
    signature: bytes


def issue_token(private_key: Ed25519PrivateKey, key_id: str, credential: str, uid: bytes) -> bytes:
    """Return the NDEF message that makes a card with this UID name this credential.

    Raises ValueError for a UID that does not identify one card, and for a key id or credential of a bad
    length.
    """
    if classify_uid(uid) is not UidKind.FIXED:
        raise ValueError(f"UID {uid.hex()} does not identify one card; take a card with a fixed UID")
    if not 1 <= len(key_id) <= KEY_ID_CHARS_MAX or not 1 <= len(credential) <= CREDENTIAL_CHARS_MAX:
        raise ValueError("key id must have 1 to 32 characters and the credential 1 to 64")
    claims = msgspec.msgpack.encode(_Claims(TOKEN_VERSION, key_id, credential, uid))
    token = _Token(msgspec.Raw(claims), private_key.sign(_SIGNED_PREFIX + claims))
    record = ndef.Record(RECORD_TYPE, data=msgspec.msgpack.encode(token))
    return b"".join(ndef.message_encoder([record]))


class SignedTokenPolicy:
    """Judge reads by the merchant's card keys; ``public_keys`` are raw 32-byte Ed25519 keys by key id."""

    def __init__(self, public_keys: Mapping[str, bytes]) -> None:
        self._keys = {key_id: Ed25519PublicKey.from_public_bytes(raw) for key_id, raw in public_keys.items()}

    def judge(self, uid: bytes, uid_kind: UidKind, ndef: bytes | None) -> CardTrust:
        """Return L1 with the token's credential, or L0 with the reason why it is no more."""
        payload = _find_token(ndef) if ndef else None
        if payload is None:
            return CardTrust(TrustLevel.L0, "uid-only")
        try:
            token = msgspec.msgpack.decode(payload, type=_Token)
            claims = msgspec.msgpack.decode(token.claims, type=_Claims)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            return CardTrust(TrustLevel.L0, "token:malformed")
        if claims.version != TOKEN_VERSION:
            return CardTrust(TrustLevel.L0, "token:unknown-version")
        key = self._keys.get(claims.key_id)
        if key is None:
            return CardTrust(TrustLevel.L0, "token:unknown-key")
        try:
            key.verify(token.signature, _SIGNED_PREFIX + bytes(token.claims))
        except InvalidSignature:
            return CardTrust(TrustLevel.L0, "token:bad-signature")
        if claims.uid != uid or uid_kind is not UidKind.FIXED:
            return CardTrust(TrustLevel.L0, "token:uid-mismatch")
        return CardTrust(TrustLevel.L1, f"token:key={claims.key_id}", claims.credential)


def _find_token(message: bytes) -> bytes | None:
    """Return the payload of the first token record, None when the message is anything else."""
    try:
        # Without known types no payload is decoded, so no other record type's parser ever sees these bytes.
        for record in ndef.message_decoder(message, known_types={}):
            if record.type == RECORD_TYPE:
                return bytes(record.data)
    except Exception:
        # A stranger's bytes and a parser of ours to call: the port promises that judging never raises.
        return None
    return None
