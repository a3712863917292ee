"""Signatures between shop and central: Ed25519, over statements that name what they are for."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tapledger.errors import Denied

NODE_ID_SYMBOLS = 8
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def node_id(public_key: bytes) -> str:
    """Return a node's name for ever, derived from its key: known before central has heard of it."""
    number = int.from_bytes(hashlib.sha256(public_key).digest()[:8], "big")
    return "".join(_CROCKFORD[number >> (5 * i) & 31] for i in range(NODE_ID_SYMBOLS))


def batch_statement(node: str, epoch: int, first_seq: int, count: int, head: bytes) -> bytes:
    """Return what a node signs for a batch: its place in the chain and the head, which covers every event."""
    return b"\n".join([b"tapledger-batch-1", node.encode(), b"%d %d %d" % (epoch, first_seq, count), head])


def enrol_statement(code: str, public_key: bytes) -> bytes:
    """Return what a node signs to prove that it holds the key it enrols."""
    return b"\n".join([b"tapledger-enrol-1", hashlib.sha256(code.encode()).digest(), public_key])


def time_statement(nonce: str, server_ms: int) -> bytes:
    """Return what central signs when it refuses a clock: its own time, for this one request (R22)."""
    return b"\n".join([b"tapledger-time-1", nonce.encode(), b"%d" % server_ms])


def answer_statement(nonce: str, status: int, body: bytes) -> bytes:
    """Return what central signs of an answer: it belongs to the request with this nonce, and to no other."""
    digest = hashlib.sha256(body).digest()
    return b"\n".join([b"tapledger-answer-1", nonce.encode(), b"%d" % status, digest])


def coupon_statement(payload: bytes) -> bytes:
    """Return what a node signs so that any shop knows a coupon without asking."""
    return b"tapledger-coupon-1\n" + payload


def sign(key: Ed25519PrivateKey, statement: bytes) -> bytes:
    return key.sign(statement)


def verify(public_key: bytes, statement: bytes, signature: bytes) -> None:
    """Raise ``Denied`` unless the signature is good."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, statement)
    except (InvalidSignature, ValueError) as error:
        raise Denied("SIGNATURE_WRONG") from error
