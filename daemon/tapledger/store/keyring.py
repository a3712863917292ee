"""The shop's keys in one file that only its user may read; made at set-up, completed by enrolment."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.errors import Corrupt, Denied
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
    """Read the keys; raise ``Denied`` when others may read them too, ``Corrupt`` when they are damaged."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_mode & 0o077:
            raise Denied("KEYS_WORLD_READABLE", path=str(path))
        return msgspec.msgpack.decode(path.read_bytes(), type=Keyring)
    except FileNotFoundError as error:
        raise Corrupt("KEYS_MISSING", path=str(path)) from error
    except msgspec.DecodeError as error:
        raise Corrupt("KEYS_UNREADABLE", path=str(path)) from error


def save(folder: Path, keyring: Keyring) -> None:
    """Write the keys so that a crash leaves the old file or the new one, never half of one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f"{FILE_NAME}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.msgpack.encode(keyring))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE_NAME)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
