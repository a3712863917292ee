"""The shop's keys in one file that only its user may read; made at set-up, completed by enrolment."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger import keyfile
from tapledger.errors import Corrupt
from tapledger.wire.messages import Enrolled
from tapledger.wire.signing import node_id

FILE_NAME = "keys"
RANDOMNESS = 96
"""Bytes that ``make`` needs."""


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """Who this node is and what it may read."""

    node: str
    private_key: bytes
    """Ed25519 seed, made here; it never leaves."""
    index_key: bytes
    profile_key: bytes
    tenant: str = ""
    central_public_key: bytes = b""
    """Empty until the shop is enrolled."""
    token_keys: dict[str, bytes] = {}

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private_key)

    @property
    def enrolled(self) -> bool:
        return bool(self.central_public_key)

    def with_enrolment(self, answer: Enrolled) -> Keyring:
        """Return the keyring of an enrolled node: its tenant's keys in place of its own."""
        return msgspec.structs.replace(
            self,
            tenant=answer.tenant,
            central_public_key=answer.central_public_key,
            token_keys=answer.token_keys,
            index_key=answer.index_key,
            profile_key=answer.profile_key,
        )


def make(randomness: bytes) -> Keyring:
    """Make a new node's keys from randomness."""
    if len(randomness) != RANDOMNESS:
        raise ValueError(f"{RANDOMNESS} random bytes are needed")
    private_key = Ed25519PrivateKey.from_private_bytes(randomness[:32])
    return Keyring(
        node=node_id(private_key.public_key().public_bytes_raw()),
        private_key=randomness[:32],
        index_key=randomness[32:64],
        profile_key=randomness[64:],
    )


def load(folder: Path) -> Keyring:
    """Read the keys; raise ``Denied`` when others may read them too, ``Corrupt`` when there are none."""
    path = folder / FILE_NAME
    secret = keyfile.read(path)
    if secret is None:
        raise Corrupt("KEYS_MISSING", path=str(path))
    try:
        return msgspec.msgpack.decode(secret, type=Keyring)
    except msgspec.DecodeError as error:
        raise Corrupt("KEY_FILE_UNREADABLE", path=str(path)) from error


def create(folder: Path, keyring: Keyring) -> None:
    """Write the keys of a new shop."""
    keyfile.create(folder / FILE_NAME, msgspec.msgpack.encode(keyring))


def replace(folder: Path, keyring: Keyring) -> None:
    """Write the keys after enrolment."""
    keyfile.replace(folder / FILE_NAME, msgspec.msgpack.encode(keyring))
