"""Make this computer a node of a tenant: once, with a code from central."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.errors import Denied
from tapledger.sync.client import ANSWER_DEADLINE_S, central_address
from tapledger.sync.signed import read
from tapledger.sync.transport import Transport
from tapledger.wire import signing
from tapledger.wire.codec import pack
from tapledger.wire.enrolment import read_code
from tapledger.wire.messages import Enrol, Enrolled


async def enrol(
    transport: Transport, central_url: str, code: str, key: Ed25519PrivateKey, name: str
) -> Enrolled:
    """Use a one-time code for this node's key and return what the tenant's nodes share.

    May be asked again with the same code and key when the answer was lost. Raises ``Invalid`` for a code that
    cannot be one, before anything is sent; ``Denied`` ENROL_CODE_WRONG, _USED, _EXPIRED or _LOCKED;
    ``Unavailable`` when central cannot be reached.
    """
    code = read_code(code)
    public_key = key.public_key().public_bytes_raw()
    message = Enrol(
        code=code,
        public_key=public_key,
        name=name,
        proof=signing.sign(key, signing.enrol_statement(code, public_key)),
    )
    url = central_address(central_url) / "v1/enrol"
    answer = read(await transport.exchange("POST", url, {}, pack(message), ANSWER_DEADLINE_S), Enrolled)
    if answer.node != signing.node_id(public_key):
        raise Denied("NODE_WRONG", node=answer.node)
    return answer
