"""Personal data, and nothing else in the store has any: sealed per member, found by keyed hashes.

A profile is AES-256-GCM under the tenant's profile key, bound to its pseudonym; a slip's words are sealed the
same way, bound to its job. A credential's index is an
HMAC under the tenant's index key: an unkeyed hash of a phone number falls in minutes (security.md 3.6).
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import hmac
import unicodedata
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tapledger.database import Transaction
from tapledger.errors import Corrupt, Invalid
from tapledger.wire.messages import SealedProfile

NONCE_BYTES = 12
MAX_NAME_LENGTH = 60
MAX_FED = 5000
"""Profiles of other shops' members that are kept here: those of the members who changed last."""
FED_KEPT = dt.timedelta(days=7)
"""For so long each, from when central told it: whoever buys here changes, and so is told again."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a member told us about themselves."""

    name: str = ""
    phone: str = ""
    language: str = ""


def clean_name(name: str) -> str:
    """Return a name fit for screens and paper; raise ``Invalid`` for control and direction characters."""
    name = unicodedata.normalize("NFC", name).strip()
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid("NAME_TOO_LONG", limit=MAX_NAME_LENGTH)
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") for char in name):
        raise Invalid("NAME_CONTROL_CHARACTERS")
    return name


def mask(name: str) -> str:
    """Return a name that only its owner recognises: 王**, A**."""
    return f"{name[0]}**" if name else ""


def credential_index(index_key: bytes, kind: str, value: str) -> str:
    return hmac.new(index_key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()[:32]


@functools.lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def close_box(key: bytes, name: str, plain: bytes, nonce: bytes) -> bytes:
    """Encrypt bytes that belong to ``name``; ``nonce`` is fresh randomness."""
    return nonce + _cipher(key).encrypt(nonce, plain, name.encode())


def open_box(key: bytes, name: str, box: bytes) -> bytes:
    """Decrypt what was closed; raise ``ValueError`` when it belongs to another name or was altered."""
    try:
        return _cipher(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], name.encode())
    except InvalidTag as error:
        raise ValueError("altered, or closed for another") from error


def seal(profile_key: bytes, member: str, profile: Profile, nonce: bytes) -> SealedProfile:
    """Encrypt a profile for its member; ``nonce`` is fresh randomness."""
    sealed = close_box(profile_key, member, msgspec.msgpack.encode(profile), nonce)
    return SealedProfile(member=member, digest=hashlib.sha256(sealed).hexdigest(), sealed=sealed)


def unseal(profile_key: bytes, profile: SealedProfile) -> Profile:
    """Decrypt a profile; raise ``Corrupt`` when it is another member's or was altered."""
    try:
        plain = open_box(profile_key, profile.member, profile.sealed)
        return msgspec.msgpack.decode(plain, type=Profile)
    except (ValueError, msgspec.DecodeError) as error:
        raise Corrupt("PROFILE_UNREADABLE", member=profile.member) from error


def put(tx: Transaction, profile: SealedProfile) -> None:
    """Keep what a member told this shop, for as long as they are a member."""
    tx.exec_driver_sql(
        "INSERT INTO profile (member, digest, sealed) VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE SET"
        " digest = excluded.digest, sealed = excluded.sealed, fed = NULL",
        (profile.member, profile.digest, profile.sealed),
    )


def put_fed(tx: Transaction, told: Sequence[tuple[SealedProfile, int]]) -> None:
    """Keep profiles that central tells under these versions; of all it ever told, the last so many (R32)."""
    if not told:
        return
    tx.exec_driver_sql(
        "INSERT INTO profile (member, digest, sealed, fed) VALUES (?, ?, ?, ?) ON CONFLICT (member) DO UPDATE"
        " SET digest = excluded.digest, sealed = excluded.sealed, fed = iif(fed IS NULL, NULL, excluded.fed),"
        " noted_ms = NULL",
        [(one.member, one.digest, one.sealed, version) for one, version in told],
    )
    tx.exec_driver_sql(
        "DELETE FROM profile WHERE fed <= (SELECT fed FROM profile WHERE fed IS NOT NULL"
        " ORDER BY fed DESC LIMIT 1 OFFSET ?)",
        (MAX_FED,),
    )


def let_go(tx: Transaction, now_ms: int) -> None:
    """Destroy what central told longer ago than ``FED_KEPT``, counted from when this met it first."""
    tx.exec_driver_sql(
        "UPDATE profile SET noted_ms = ? WHERE fed IS NOT NULL AND noted_ms IS NULL", (now_ms,)
    )
    before_ms = now_ms - FED_KEPT // dt.timedelta(milliseconds=1)
    tx.exec_driver_sql("DELETE FROM profile WHERE fed IS NOT NULL AND noted_ms < ?", (before_ms,))


def get(tx: Transaction, member: str) -> SealedProfile | None:
    row = tx.exec_driver_sql("SELECT digest, sealed FROM profile WHERE member = ?", (member,)).first()
    return None if row is None else SealedProfile(member=member, digest=row[0], sealed=bytes(row[1]))


def forget(tx: Transaction, member: str) -> None:
    """Destroy what a member told us; the page it stood on is overwritten (``secure_delete``)."""
    tx.exec_driver_sql("DELETE FROM profile WHERE member = ?", (member,))
