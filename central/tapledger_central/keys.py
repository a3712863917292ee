"""Central's keys: made at first start, kept in one file that only its user may read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger import keyfile
from tapledger.errors import Corrupt
from tapledger.identifiers import Randomness

FILE_NAME = "central.keys"
CARD_KEY_ID = "card-1"
SEED_BYTES = 32


class CentralKeys(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All secrets of one tenant's central; whoever loses the file can enrol no further shop: back it up."""

    tenant: str
    signing_seed: bytes
    """Ed25519: what central says. It signs nothing that a card token could be taken for."""
    token_seeds: dict[str, bytes]
    """Ed25519 by key id: the keys that issue card tokens."""
    index_key: bytes
    profile_key: bytes
    enrolment_key: bytes
    """HMAC key of one-time codes: a stolen database alone gives none away."""

    @cached_property  # every answer is signed, and the key's other half takes as long as a signature
    def signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.signing_seed)

    @property
    def public_key(self) -> bytes:
        return self.signing_key.public_key().public_bytes_raw()

    @property
    def token_keys(self) -> dict[str, bytes]:
        """Public keys of card tokens by key id."""
        return {
            key_id: Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
            for key_id, seed in self.token_seeds.items()
        }

    def token_key(self, key_id: str = CARD_KEY_ID) -> Ed25519PrivateKey:
        """Return the key that issues card tokens."""
        return Ed25519PrivateKey.from_private_bytes(self.token_seeds[key_id])


def load_or_make(folder: Path, randomness: Randomness) -> CentralKeys:
    """Read the keys of a central, made first when there are none.

    Raises ``Denied`` when others may read the file and ``Corrupt`` when it is damaged.
    """
    path = folder / FILE_NAME
    secret = keyfile.read_or_create(path, lambda: msgspec.json.encode(_make(randomness)))
    try:
        return msgspec.json.decode(secret, type=CentralKeys)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt("KEY_FILE_UNREADABLE", path=str(path)) from error


def _make(randomness: Randomness) -> CentralKeys:
    return CentralKeys(
        tenant=randomness(8).hex(),
        signing_seed=randomness(SEED_BYTES),
        token_seeds={CARD_KEY_ID: randomness(SEED_BYTES)},
        index_key=randomness(SEED_BYTES),
        profile_key=randomness(SEED_BYTES),
        enrolment_key=randomness(SEED_BYTES),
    )
