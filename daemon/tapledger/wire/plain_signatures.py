"""Signatures of requests in the one form that our nodes write (RFC 9421), read without a general parser.

Whatever is not letter by letter of this form is nobody's fault: ``read`` returns None, and the library judges
it (docs/decisions/0024).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TAG = "tapledger-sync"

_URL = re.compile(r"(https?)://([a-z0-9.-]+(?::[1-9][0-9]{0,4})?)/[A-Za-z0-9._~/-]*(?:\?[A-Za-z0-9._~&=-]*)?")
_INPUT = re.compile(
    r'sig=(\("@method" "@authority" "@target-uri"( "content-digest")?\);created=([1-9][0-9]{9})'
    r';keyid="([a-z0-9]+)";alg="ed25519";expires=([1-9][0-9]{9});nonce="([0-9a-f]{32})";tag="' + TAG + '")'
)
_SIGNATURE = re.compile(r"sig=:([A-Za-z0-9+/]{86}==):")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Plain:
    """A signature as it was read; nothing of it is proved. Times in seconds."""

    node: str
    nonce: str
    created: int
    expires: int
    _base: bytes
    _signature: bytes

    def is_by(self, public_key: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self._signature, self._base)
        except (InvalidSignature, ValueError):
            return False
        return True


def read(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Plain | None:
    """Return the signature of a request with this body; None when it is not in our form."""
    given = {name.lower(): value for name, value in headers.items()}
    signature = _SIGNATURE.fullmatch(given.get("signature", ""))
    said = _INPUT.fullmatch(given.get("signature-input", ""))
    asked = _URL.fullmatch(url)
    if signature is None or said is None or asked is None or method not in ("GET", "POST"):
        return None
    if len(given) != len(headers):  # the same one twice
        return None
    scheme, authority = asked.groups()
    parameters, covered, created, node, expires, nonce = said.groups()
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:" if body else None
    if given.get("content-digest") != digest or bool(covered) != bool(body):
        return None
    if authority.endswith(_DEFAULT_PORTS[scheme]):
        return None
    lines = [f'"@method": {method}', f'"@authority": {authority}', f'"@target-uri": {url}']
    if digest is not None:
        lines.append(f'"content-digest": {digest}')
    lines.append(f'"@signature-params": {parameters}')
    base = "\n".join(lines).encode()
    return Plain(node, nonce, int(created), int(expires), base, base64.b64decode(signature[1]))
