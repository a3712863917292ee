"""How a shop's computer becomes a known node: a one-time code from central, and proof of its own key.

A code has 8 symbols, lives 10 minutes, is for one shop and one use (decisions R12). A wrong one takes a try
from every open code, since it does not say which it was meant to be: after 5 none of them opens any more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import unicodedata

from tapledger.errors import Conflict, Denied, Invalid, TapledgerError
from tapledger.identifiers import Randomness
from tapledger.wire import signing
from tapledger.wire.codec import check_version
from tapledger.wire.enrolment import make_code, normal_code
from tapledger.wire.messages import MAX_NAME_LENGTH, Enrol, Enrolled
from tapledger_central import telling
from tapledger_central.keys import CentralKeys
from tapledger_central.store import CentralStore, Transaction, nodes
from tapledger_central.store.nodes import Node

CODE_LIFE = dt.timedelta(minutes=10)
CODE_TRIES = 5
CODE_KEPT = dt.timedelta(days=1)
"""How long a code that ran out is remembered, to tell "too late" from "wrong"."""


def new_code(tx: Transaction, keys: CentralKeys, shop: str, now: dt.datetime, randomness: Randomness) -> str:
    """Return a fresh one-time code for a shop; only its hash is kept."""
    shop = _clean(shop)
    code = make_code(randomness)
    nodes.forget_codes(tx, _ms(now - CODE_KEPT))
    nodes.add_code(tx, _hash(keys, code), shop, _ms(now + CODE_LIFE), CODE_TRIES)
    return code


async def enrol(store: CentralStore, keys: CentralKeys, request: Enrol, now: dt.datetime) -> Enrolled:
    """Pin a node's key and tell it its tenant's keys.

    The same node may ask again with its used code while it lives: its first answer may have been lost.
    Raises ``Denied`` for a code that opens nothing, whatever the reason, in the same shape.
    """
    check_version(request.v)
    name = _clean(request.name)
    signing.verify(
        request.public_key, signing.enrol_statement(request.code, request.public_key), request.proof
    )
    node = signing.node_id(request.public_key)
    refused = await store.transact(lambda tx: _admit(tx, keys, request, node, name, now))
    if refused is not None:
        raise refused
    return Enrolled(
        node=node,
        tenant=keys.tenant,
        central_public_key=keys.public_key,
        token_keys=keys.token_keys,
        index_key=keys.index_key,
        profile_key=keys.profile_key,
    )


def _admit(
    tx: Transaction, keys: CentralKeys, request: Enrol, node: str, name: str, now: dt.datetime
) -> TapledgerError | None:
    """Use the code for the node. A refusal is returned, not raised: the counted try has to be committed."""
    code_hash = _hash(keys, request.code)
    code = nodes.find_code(tx, code_hash)
    if code is None:
        nodes.count_wrong_try(tx, _ms(now))
        return Denied("ENROL_CODE_WRONG")
    if _ms(now) >= code.expires_ms:
        return Denied("ENROL_CODE_EXPIRED")
    if code.used_by is not None and code.used_by != node:
        return Denied("ENROL_CODE_USED")
    if code.tries_left <= 0:
        return Denied("ENROL_CODE_LOCKED")
    known = nodes.find(tx, node)
    if known is not None and known.public_key != request.public_key:
        return Conflict("NODE_NAME_TAKEN", node=node)
    if known is not None and known.status != nodes.ACTIVE:
        return Denied("NODE_SUSPENDED", status=known.status)
    if not nodes.use_code(tx, code_hash, node):
        return Denied("ENROL_CODE_USED")
    if known is None:
        nodes.add(tx, node, code.shop, name, request.public_key, _ms(now))
        telling.node(tx, Node(node, code.shop, name, request.public_key, nodes.ACTIVE), now)
    elif (known.shop, known.name) != (code.shop, name):
        _move(tx, known, code.shop, name, now)
    return None


def _move(tx: Transaction, known: Node, shop: str, name: str, now: dt.datetime) -> None:
    """Put a known node into another shop; in another region its cursor means nothing."""
    nodes.move(tx, known.node, shop, name)
    moved = nodes.find(tx, known.node)
    assert moved is not None
    if moved.scope != known.scope:
        nodes.set_purge_seen(tx, known.node, nodes.MOVED)
    telling.node(tx, moved, now)


def _hash(keys: CentralKeys, code: str) -> bytes:
    return hmac.new(keys.enrolment_key, normal_code(code).encode(), hashlib.sha256).digest()


def _clean(name: str) -> str:
    """Return a shop's or node's name; raise ``Invalid`` when it cannot be shown."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH or any(unicodedata.category(c)[0] == "C" for c in name):
        raise Invalid("NODE_NAME_INVALID", limit=MAX_NAME_LENGTH)
    return name


def _ms(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
