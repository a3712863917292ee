"""Proofs from central's log: as a node asks for them, and as a file that anybody checks without asking.

The file has the text form of c2sp.org/tlog-proof. Beside the proof it holds the event itself and the hash
before it, so that it also gives the hash that the receipt shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from tapledger.errors import Invalid
from tapledger.wire import checkpoints, merkle
from tapledger.wire.checkpoints import Checkpoint, base64_of, bytes_of
from tapledger.wire.codec import decode_event, link
from tapledger.wire.merkle import HASH_BYTES
from tapledger.wire.messages import VERSION, Hash, LedgerEvent

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 128
MAX_PROOF_CHARS = 16 * 1024 * 1024
RECEIPT_HASH_DIGITS = 16

Hashes = Annotated[list[Hash], msgspec.Meta(max_length=MAX_HASHES)]


class LogCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint of central's log, as a signed note."""

    v: int = VERSION
    text: str


class LogConsistency(msgspec.Struct, frozen=True, kw_only=True):
    """What proves that the log only grew from one size to another (``merkle.verify_consistency``)."""

    v: int = VERSION
    hashes: Hashes


class LogInclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What proves that an event is entry ``index`` under this checkpoint (``merkle.verify_inclusion``)."""

    v: int = VERSION
    index: int
    hashes: Hashes
    text: str


@dataclass(frozen=True, slots=True)
class Proof:
    """That an event is entry ``index`` of the log in a checkpoint, and all that is needed to check it."""

    index: int
    hashes: list[bytes]
    note: str
    """The signed checkpoint."""
    previous: bytes
    """Hash of the event's chain before it."""
    raw: bytes
    """The event as it was sealed."""

    def text(self) -> str:
        """Return the proof as a file."""
        lines = [FIRST_LINE, f"extra {base64_of(self.previous + self.raw)}", f"index {self.index}"]
        return "\n".join([*lines, *map(base64_of, self.hashes), "", self.note])


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof has proved: this event is in the log that central has signed."""

    event: LedgerEvent
    hash: bytes
    """The event's hash in its chain, as the receipt shows it."""
    checkpoint: Checkpoint
    index: int

    @property
    def receipt(self) -> str:
        """The receipt's number (decisions R2)."""
        return f"{self.event.node}-{self.event.epoch}-{self.event.seq}"

    @property
    def digits(self) -> str:
        return self.hash.hex()[:RECEIPT_HASH_DIGITS]


def read(text: str) -> Proof:
    """Read a proof's file; raise ``Invalid`` PROOF_UNREADABLE when it is none."""
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or len(text) > MAX_PROOF_CHARS or not 3 <= len(lines) <= 3 + MAX_HASHES:
        raise Invalid("PROOF_UNREADABLE")
    extra, index = lines[1].removeprefix("extra "), lines[2].removeprefix("index ")
    named = lines[0] == FIRST_LINE and lines[1] != extra and lines[2] != index
    if not named or not (index.isascii() and index.isdigit() and len(index) <= 16):
        raise Invalid("PROOF_UNREADABLE")
    data, *hashes = [bytes_of(one, "PROOF_UNREADABLE") for one in (extra, *lines[3:])]
    return Proof(int(index), hashes, note, data[:HASH_BYTES], data[HASH_BYTES:])


def verify(proof: Proof, origin: str, public_key: bytes) -> Proved:
    """Return what a proof proves of the log ``origin``, which signs with this key.

    Raises ``Invalid`` for what is no checkpoint or no event, ``Denied`` CHECKPOINT_FORGED or LOG_PROOF_WRONG.
    """
    checkpoint = checkpoints.read(proof.note, origin, public_key)
    leaf = merkle.leaf_hash(proof.raw)
    merkle.verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return Proved(decode_event(proof.raw), link(proof.previous, proof.raw), checkpoint, proof.index)
