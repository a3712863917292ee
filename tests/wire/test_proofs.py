"""A proof as a file: anybody with central's public key checks it alone, and no letter can be changed."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tapledger.errors import Denied, Invalid, TapledgerError
from tapledger.loyalty.ledger import EventBody
from tapledger.wire import checkpoints, merkle, proofs
from tapledger.wire.checkpoints import Checkpoint
from tapledger.wire.codec import encode_event
from tapledger.wire.merkle import Frontier, Place
from tapledger.wire.messages import EVENT_VERSION, LedgerEvent
from tapledger.wire.proofs import Proof

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
LOG = checkpoints.origin_of("tenant-1")
AT = dt.datetime(2026, 5, 4, 9, 0, tzinfo=dt.UTC)
EVENT = LedgerEvent(
    v=EVENT_VERSION,
    id="019dee00-0000-7000-8000-000000000000",
    node="k7m2p9qx",
    epoch=2,
    seq=4711,
    hlc=1,
    body=EventBody(kind="sale", at=AT, program="1", member="m-1"),
)
RAW = encode_event(EVENT)
BEFORE = bytes(range(32))


def prove(index: int, size: int) -> Proof:
    """Put the event into a log among others."""
    frontier, nodes = Frontier(), dict[Place, bytes]()
    for place in range(size):
        nodes |= dict(frontier.append(merkle.leaf_hash(RAW if place == index else bytes([place]))))
    hashes = merkle.inclusion_proof(lambda *place: nodes[place], index, size)
    note = checkpoints.sign(Checkpoint(LOG, size, frontier.root()), KEY)
    return Proof(index, hashes, note, BEFORE, RAW)


PROOF = prove(5, 11)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (5, 11), (10, 11), (63, 64)])
def test_a_proof_is_written_read_and_holds(index: int, size: int) -> None:
    proof = prove(index, size)
    assert proofs.read(proof.text()) == proof
    proved = proofs.verify(proof, LOG, PUBLIC)
    assert (proved.event, proved.index, proved.checkpoint.size) == (EVENT, index, size)
    assert proved.receipt == "k7m2p9qx-2-4711"
    assert proved.hash == hashlib.sha256(BEFORE + RAW).digest()
    assert proved.digits == proved.hash.hex()[:16]


def test_the_file_has_the_public_form() -> None:
    lines = PROOF.text().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 5"
    assert lines[3 + len(PROOF.hashes)] == ""
    assert PROOF.text().endswith(f"\n\n{PROOF.note}")


@given(st.data())
def test_every_change_is_found(data: st.DataObject) -> None:
    text = PROOF.text()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("AZaz09+/= \n—"))
    forged = text[:place] + letter + text[place + 1 :]
    try:
        proof = proofs.read(forged)
        proved = proofs.verify(proof, LOG, PUBLIC)
    except TapledgerError as error:
        assert forged != text
        assert error.code in {
            "PROOF_UNREADABLE", "CHECKPOINT_UNREADABLE", "CHECKPOINT_FORGED", "LOG_PROOF_WRONG"
        }  # fmt: skip
    else:  # the hash before it is not in the log: it shows in what the receipt must say
        assert proof.raw == RAW
        assert (forged == text) == (proved.hash == hashlib.sha256(BEFORE + RAW).digest())


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1\n", PROOF.text().replace("@v1", "@v2"), PROOF.text().replace("index 5", "5"),
     PROOF.text().replace("index 5", "index x"), PROOF.text().replace("extra ", ""),
     PROOF.text().replace("index 5", "index " + "9" * 17), "\n" + PROOF.text()],
)  # fmt: skip
def test_what_is_no_proof(text: str) -> None:
    with pytest.raises(Invalid, match="PROOF_UNREADABLE"):
        proofs.read(text)


def test_a_log_of_its_own_proves_nothing_here() -> None:
    with pytest.raises(Denied, match="CHECKPOINT_FORGED"):
        proofs.verify(PROOF, LOG, bytes(32))
    with pytest.raises(Denied, match="CHECKPOINT_FORGED"):
        proofs.verify(PROOF, checkpoints.origin_of("other"), PUBLIC)
