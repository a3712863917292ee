"""Writes golden/messages.txt, the messages of this release: ``python -m tests.wire.golden.make_messages``.

Beside them stands ``batch-1``: what a node of release 1 sends, with its golden events. A message that changes
its bytes makes the file new until version 2 is released; never after, and ``batch-1`` never.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tapledger.loyalty.members import Member
from tapledger.wire import asking, messages, proofs, signing
from tapledger.wire.codec import GENESIS, link
from tests.wire.golden.make import AT

FILE = Path(__file__).with_name("messages.txt")
NODE, KEY = "k7m2p9qx", Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HASH, SIGNATURE = bytes(32), bytes(64)
V1 = [bytes.fromhex(line.split()[1]) for line in Path(__file__).with_name("v1.txt").read_text().splitlines()]
PROFILE = messages.SealedProfile(member="m-1", digest="d", sealed=b"sealed")
HEAD = asking.ChainHead(epoch=1, seq=8, hash=HASH)
ROW = messages.FeedRow.of(
    Member(id="m-1", joined_at=AT), version=1, settled={"k7m2p9qx/1": 8}, profile=PROFILE
)
NEWS = messages.FeedRow(version=2, kind="program", key="current", body=b"\x80", gone=True)
MESSAGES: tuple[msgspec.Struct, ...] = (
    messages.Batch(node=NODE, epoch=1, first_seq=1, raws=[b"raw"], head=HASH, signature=SIGNATURE,
                   profiles=[PROFILE]),
    messages.BatchAnswer(ack=8, hlc=9, verdicts=[messages.Verdict(seq=8, verdict="quarantined", why="GAP")]),
    messages.Enrol(code="ABCD1234", public_key=HASH, name="till", proof=SIGNATURE),
    messages.Enrolled(node=NODE, tenant="t", central_public_key=HASH, token_keys={"1": HASH}, index_key=HASH,
                      profile_key=HASH),
    messages.FeedPage(rows=[ROW, NEWS], cursor=2, more=False, at=AT, hlc=9, scope="north",
                      erased=["m-2"]),
    messages.Refusal(code="GAP", data={"need": 3, "why": "lost"}),
    asking.Standing(heads=[HEAD], hlc=9, at=AT),
    asking.Tail(epoch=1, first_seq=1, raws=[b"raw"], head=HASH),
    asking.LeaseAsked(id="l-1", member="m-1", pool="points", amount=30),
    asking.LeaseAnswer(granted=30, available=5, reserved=2, reserved_at=["North"], row=ROW, hlc=9),
    asking.ShareAsked(id="l-1", member="m-1", pool="points", amount=30, hlc=9),
    asking.Shared(raw=b"raw"),
    asking.Telemetry(reports=[asking.Report(at_ms=1, kind="status", body=b"\x80")]),
    asking.StatusReport(unsynced=1, stopped="", given_out=2, clock_ms=3),
    asking.Erasures(members=["m-1"]),
    asking.Taken(),
    proofs.LogCheckpoint(text="note"),
    proofs.LogConsistency(hashes=[HASH]),
    proofs.LogInclusion(index=1, hashes=[HASH], text="note"),
)  # fmt: skip


def first_batch() -> bytes:
    """Return the batch that a node of release 1 sends, field by field as it did."""
    head = GENESIS
    for raw in V1:
        head = link(head, raw)
    signature = KEY.sign(signing.batch_statement(NODE, 1, 1, len(V1), head))
    fields = {"v": 1, "node": NODE, "epoch": 1, "first_seq": 1, "raws": V1, "head": head}
    return msgspec.msgpack.encode({**fields, "signature": signature, "profiles": []})


def made() -> dict[str, bytes]:
    named = {type(one).__name__: msgspec.msgpack.encode(one) for one in MESSAGES}
    return {**named, "batch-1": first_batch()}


def read() -> dict[str, bytes]:
    return {name: bytes.fromhex(raw) for name, raw in map(str.split, FILE.read_text().splitlines())}


if __name__ == "__main__":
    FILE.write_text("".join(f"{name} {raw.hex()}\n" for name, raw in made().items()))
