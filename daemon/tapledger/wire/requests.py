"""Requests that prove who sent them: RFC 9421 signatures by a node's key, made and checked in this one file.

Covered are method, authority, target URI and, when there is a body, its digest (RFC 9530); a signature lives
a minute and carries a nonce, which the server refuses to see twice (decisions R22, R23).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from tapledger.errors import Denied, TapledgerError
from tapledger.wire import plain_signatures
from tapledger.wire.plain_signatures import TAG

COMPONENTS = ("@method", "@authority", "@target-uri")
MAX_LIFE_S = 60
MAX_SKEW_S = 30
"""How far a node's clock may be off; beyond it a request is refused with central's time (R25)."""
NONCE_BYTES = 16
ANSWER_SIGNATURE = "Tapledger-Answer"
"""Header of the signature over an answer to a signed request (``signing.answer_statement``), in hex."""
MAX_NONCE_LENGTH = 64


@dataclass
class Request:
    """An HTTP request as far as it is signed. ``url`` is absolute and encoded."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a request, and the nonce that must not come again before ``expires``."""

    node: str
    nonce: str
    expires: dt.datetime
    created: dt.datetime


class ClockOff(TapledgerError):
    """The signature's times are not around now: sign again with the right time."""

    def __init__(self, nonce: str) -> None:
        super().__init__("CLOCK_OFF")
        self.nonce = nonce


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return self._private


class _FoundKey(HTTPSignatureKeyResolver):
    def __init__(self, find: Callable[[str], bytes | None]) -> None:
        self._find = find
        self.unknown = False

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        raw = self._find(key_id)
        self.unknown = raw is None
        return None if raw is None else Ed25519PublicKey.from_public_bytes(raw)


class _Verifier(HTTPMessageVerifier):
    """The library's verifier, by our clock and our limits."""

    def __init__(self, key: _FoundKey, now: dt.datetime) -> None:
        super().__init__(signature_algorithm=ED25519, key_resolver=key)
        self._now_s = now.timestamp()

    def validate_created_and_expires(self, sig_input: Any, max_age: dt.timedelta | None = None) -> None:
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        nonce = sig_input.params.get("nonce")
        if not isinstance(nonce, str) or not 0 < len(nonce) <= MAX_NONCE_LENGTH:
            raise Denied("SIGNATURE_WRONG")
        if type(created) is not int or type(expires) is not int:
            raise Denied("SIGNATURE_WRONG")
        _check_times(created, expires, nonce, self._now_s)


def _check_times(created: int, expires: int, nonce: str, now_s: float) -> None:
    if not 0 < expires - created <= MAX_LIFE_S:
        raise Denied("SIGNATURE_WRONG")
    if not created - MAX_SKEW_S <= now_s <= expires + MAX_SKEW_S:
        raise ClockOff(nonce)


def sign_request(
    request: Request, body: bytes, node: str, key: Ed25519PrivateKey, now: dt.datetime, nonce: str
) -> None:
    """Add the headers that prove that ``node`` sends this request now."""
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(key))
    signer.sign(
        request,
        key_id=node,
        created=now,
        expires=now + dt.timedelta(seconds=MAX_LIFE_S),
        nonce=nonce,
        label="sig",
        tag=TAG,
        covered_component_ids=COMPONENTS,
        body=body or None,
    )


def verify_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    find_key: Callable[[str], bytes | None],
    now: dt.datetime,
) -> Signed:
    """Return who signed a request.

    Raises ``Denied`` SIGNATURE_WRONG unless the signature is good, NODE_UNKNOWN when ``find_key`` knows no
    such key id, and ``ClockOff`` when the signature is not of now.
    """
    plain = plain_signatures.read(method, url, headers, body)
    if plain is None:
        return _verified_by_library(_Received(method, url, headers), body, find_key, now)
    _check_times(plain.created, plain.expires, plain.nonce, now.timestamp())
    key = find_key(plain.node)
    if key is None or not plain.is_by(key):
        raise Denied("NODE_UNKNOWN" if key is None else "SIGNATURE_WRONG")
    return _signed(plain.node, plain.nonce, plain.created, plain.expires)


def _verified_by_library(
    message: _Received, body: bytes, find_key: Callable[[str], bytes | None], now: dt.datetime
) -> Signed:
    """``verify_request`` for a signature in whatever form."""
    key = _FoundKey(find_key)
    try:
        (result,) = _Verifier(key, now).verify(
            message, expect_tag=TAG, require_components=COMPONENTS, body=body
        )
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise Denied("NODE_UNKNOWN" if key.unknown else "SIGNATURE_WRONG") from error
    said = result.parameters
    return _signed(str(said["keyid"]), str(said["nonce"]), int(said["created"]), int(said["expires"]))


def _signed(node: str, nonce: str, created: int, expires: int) -> Signed:
    ends = dt.datetime.fromtimestamp(expires + MAX_SKEW_S, dt.UTC)
    return Signed(node, nonce, ends, dt.datetime.fromtimestamp(created, dt.UTC))


@dataclass(frozen=True, slots=True)
class _Received:
    method: str
    url: str
    headers: Mapping[str, str]
