"""What central signs of its log: a checkpoint, in the text form of the public transparency logs.

Source: c2sp.org/tlog-checkpoint and c2sp.org/signed-note: origin, size and root in three lines, an empty
line, and a line for each signature. So tools of others read and check ours, and a person can.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.errors import Denied, Invalid
from tapledger.wire import signing
from tapledger.wire.merkle import HASH_BYTES

MAX_NOTE_CHARS = 16 * 1024
MAX_SIZE = 2**53
ED25519 = b"\x01"
KEY_ID_BYTES = 4
_DASH = "— "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log ``origin`` had ``size`` entries and this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\n"


def origin_of(tenant: str) -> str:
    """Return the name of a tenant's log; it also names the key that signs it."""
    return f"tapledger/{tenant}"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """Return the signed note of a checkpoint."""
    text = checkpoint.text()
    name, public_key = checkpoint.origin, key.public_key().public_bytes_raw()
    signature = key_id(name, public_key) + signing.sign(key, text.encode())
    return f"{text}\n{_DASH}{name} {base64_of(signature)}\n"


def read(note: str, origin: str, public_key: bytes) -> Checkpoint:
    """Return what a log's key has signed.

    Raises ``Invalid`` CHECKPOINT_UNREADABLE for what is no checkpoint, and ``Denied`` CHECKPOINT_FORGED when
    it is not of this log or not signed by its key.
    """
    checkpoint = _parse(open_note(note, origin, public_key))
    if checkpoint.origin != origin:
        raise Denied("CHECKPOINT_FORGED")
    return checkpoint


def open_note(note: str, name: str, public_key: bytes) -> str:
    """Return the text of a signed note once the signature of this key is good; others' are passed over."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n") or len(note) > MAX_NOTE_CHARS:
        raise Invalid("CHECKPOINT_UNREADABLE")
    text += "\n"
    wanted = key_id(name, public_key)
    ours = [one for signer, one in map(_signature, signatures[:-1].split("\n")) if signer == name]
    for one in ours:
        if one[:KEY_ID_BYTES] == wanted:
            try:
                signing.verify(public_key, text.encode(), one[KEY_ID_BYTES:])
            except Denied as error:
                raise Denied("CHECKPOINT_FORGED") from error
            return text
    raise Denied("CHECKPOINT_FORGED")


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the short number by which a note says which key signed it."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:KEY_ID_BYTES]


def verifier_key(name: str, public_key: bytes) -> str:
    """Return a key as people pass it on: name, id and key in one word."""
    return f"{name}+{key_id(name, public_key).hex()}+{base64_of(ED25519 + public_key)}"


def read_verifier_key(text: str) -> tuple[str, bytes]:
    """Return the name and the public key of ``verifier_key``; raise ``Invalid`` when it is none."""
    name, _, rest = text.strip().partition("+")
    number, _, data = rest.partition("+")
    key = bytes_of(data, "LOG_KEY_UNREADABLE")
    if key[:1] != ED25519 or len(key) != 1 + HASH_BYTES or key_id(name, key[1:]).hex() != number:
        raise Invalid("LOG_KEY_UNREADABLE")
    return name, key[1:]


def _parse(text: str) -> Checkpoint:
    """Read the three lines; further ones are allowed and say nothing to us."""
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or not (lines[1].isascii() and lines[1].isdigit()):
        raise Invalid("CHECKPOINT_UNREADABLE")
    if len(lines[1]) > len(str(MAX_SIZE)) or str(size := int(lines[1])) != lines[1] or size > MAX_SIZE:
        raise Invalid("CHECKPOINT_UNREADABLE")
    root = bytes_of(lines[2], "CHECKPOINT_UNREADABLE")
    if len(root) != HASH_BYTES:
        raise Invalid("CHECKPOINT_UNREADABLE")
    return Checkpoint(lines[0], size, root)


def _signature(line: str) -> tuple[str, bytes]:
    name, _, data = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not name or not data:
        raise Invalid("CHECKPOINT_UNREADABLE")
    return name, bytes_of(data, "CHECKPOINT_UNREADABLE")


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def bytes_of(text: str, code: str) -> bytes:
    """Read base64 in its one form, so that no two texts mean the same; raise ``Invalid`` with this code."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(code) from error
    if base64_of(data) != text:
        raise Invalid(code)
    return data
