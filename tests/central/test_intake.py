"""What central takes from a node, what it refuses, and that a refusal changes nothing."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import msgspec
import pytest

from tapledger.errors import Conflict, Denied, Invalid, TapledgerError, Unavailable
from tapledger.loyalty.effects import Credited, Lot, Tallied
from tapledger.loyalty.members import replace
from tapledger.store.keyring import Keyring
from tapledger.wire.codec import GENESIS, decode_event, unpack
from tapledger.wire.messages import Batch, FeedRow, SealedProfile
from tapledger_central import intake
from tapledger_central.store import nodes
from tests.central.chains import Chain, earn, held, join, signed, unbalanced
from tests.central.world import START, ShopNode, World
from tests.wire.test_golden import V1


async def chain_of(shop: ShopNode, member: str = "m-1", length: int = 6) -> Chain:
    chain = Chain(shop.keyring)
    chain.add(join(member, f"card of {member}"))
    for minute in range(1, length):
        chain.add(earn(member, 10 * minute, minute))
    return chain


async def members_told(shop: ShopNode) -> list[FeedRow]:
    return [row for row in (await shop.client.feed(0)).rows if row.state is not None]


async def points_in_feed(shop: ShopNode) -> dict[str, int]:
    page = await shop.client.feed(0)
    return {row.member: sum(lot.remaining for lot in row.state.lots) for row in page.rows if row.state}


async def test_a_batch_delivered_three_times_and_shuffled_changes_nothing(world: World) -> None:
    first, second = await world.shop("first"), await world.shop("second")
    chains = [(first, await chain_of(first)), (second, await chain_of(second, "m-2"))]
    batches = [(shop, chain.batch(at, at + 1)) for shop, chain in chains for at in (1, 3, 5)]
    for shop, batch in batches:
        await shop.client.send(batch)
    before = await held(world.central)
    assert len(before["inbox"]) == 12
    again = batches * 3
    random.Random(7).shuffle(again)
    for shop, batch in again:
        answer = await shop.client.send(batch)
        assert answer.ack == 6
    assert await held(world.central) == before


async def test_a_batch_that_overlaps_adds_only_what_is_new(world: World) -> None:
    shop = await world.shop("first")
    chain = await chain_of(shop)
    assert (await shop.client.send(chain.batch(1, 4))).ack == 4
    assert (await shop.client.send(chain.batch(2, 6))).ack == 6
    assert (await shop.client.send(chain.batch(1, 2))).ack == 6
    assert await points_in_feed(shop) == {"m-1": 150}


async def test_a_gap_is_refused_with_the_seq_to_send_from(world: World) -> None:
    shop = await world.shop("first")
    chain = await chain_of(shop)
    await shop.client.send(chain.batch(1, 2))
    before = await held(world.central)
    with pytest.raises(Conflict) as refused:
        await shop.client.send(chain.batch(4, 6))
    assert (refused.value.code, refused.value.data) == ("GAP", {"need": 3})
    assert await held(world.central) == before


Spoil = Callable[[Batch, Keyring], Batch]


def _other_signature(batch: Batch, _: Keyring) -> Batch:
    return msgspec.structs.replace(batch, signature=bytes(64))


def _altered_raw(batch: Batch, _: Keyring) -> Batch:
    raws = [*batch.raws[:2], batch.raws[2].replace(b"sale", b"sali"), *batch.raws[3:]]
    return msgspec.structs.replace(batch, raws=raws)


def _dropped_raw(batch: Batch, keyring: Keyring) -> Batch:
    return signed(keyring, batch.epoch, batch.first_seq, batch.raws[:-1], batch.head, [])


def _swapped_raws(batch: Batch, _: Keyring) -> Batch:
    raws = [batch.raws[0], batch.raws[2], batch.raws[1], *batch.raws[3:]]
    return msgspec.structs.replace(batch, raws=raws)


def _another_node(batch: Batch, _: Keyring) -> Batch:
    return msgspec.structs.replace(batch, node="somebody")


def _another_epoch(batch: Batch, _: Keyring) -> Batch:
    return msgspec.structs.replace(batch, epoch=batch.epoch + 1)


def _another_version(batch: Batch, _: Keyring) -> Batch:
    return msgspec.structs.replace(batch, v=4)


def _empty(batch: Batch, keyring: Keyring) -> Batch:
    return signed(keyring, batch.epoch, batch.first_seq, [], GENESIS, [])


def _too_many(batch: Batch, keyring: Keyring) -> Batch:
    return signed(keyring, batch.epoch, batch.first_seq, batch.raws * 84, batch.head, [])


def _seq_zero(batch: Batch, keyring: Keyring) -> Batch:
    return signed(keyring, batch.epoch, 0, batch.raws, batch.head, [])


def _huge_epoch(batch: Batch, keyring: Keyring) -> Batch:
    return signed(keyring, 2**63, batch.first_seq, batch.raws, batch.head, [])


@pytest.mark.parametrize(
    ("spoil", "kind", "code"),
    [
        (_other_signature, Denied, "SIGNATURE_WRONG"),
        (_another_epoch, Denied, "SIGNATURE_WRONG"),
        (_another_node, Denied, "NODE_WRONG"),
        (_altered_raw, Conflict, "CHAIN_BROKEN"),
        (_dropped_raw, Conflict, "CHAIN_BROKEN"),
        (_swapped_raws, Conflict, "CHAIN_BROKEN"),
        (_another_version, Invalid, "VERSION_UNKNOWN"),
        (_empty, Invalid, "MESSAGE_UNREADABLE"),
        (_too_many, Invalid, "MESSAGE_UNREADABLE"),
        (_seq_zero, Invalid, "MESSAGE_UNREADABLE"),
        (_huge_epoch, Invalid, "MESSAGE_UNREADABLE"),
    ],
)
async def test_a_spoilt_batch_is_refused_and_changes_nothing(
    world: World, spoil: Spoil, kind: type[TapledgerError], code: str
) -> None:
    shop = await world.shop("first")
    good = (await chain_of(shop)).batch()
    before = await held(world.central)
    with pytest.raises(kind) as refused:
        await shop.client.send(spoil(good, shop.keyring))
    assert refused.value.code == code
    assert await held(world.central) == before
    assert (await shop.client.send(good)).ack == 6, "the good one still goes through"


async def test_an_altered_redelivery_is_no_fork(world: World) -> None:
    """Only what the node has signed can suspend it: bytes that do not give its head are not its own."""
    shop = await world.shop("first")
    chain = await chain_of(shop)
    await shop.client.send(chain.batch())
    with pytest.raises(Conflict, match="CHAIN_BROKEN"):
        await shop.client.send(_altered_raw(chain.batch(), shop.keyring))
    assert (await shop.client.send(chain.batch())).ack == 6


async def test_a_fork_suspends_the_node_and_keeps_both_sides(world: World) -> None:
    shop, other = await world.shop("first"), await world.shop("second")
    chain = await chain_of(shop, length=4)
    clone = chain.copy()
    chain.add(earn("m-1", 1000, 8))
    clone.add(earn("m-1", 2000, 8))
    await shop.client.send(chain.batch())
    forked = clone.batch(4, 5)
    with pytest.raises(Conflict) as refused:
        await shop.client.send(forked)
    assert (refused.value.code, refused.value.data) == ("FORK", {"seq": 5})

    after = await held(world.central)
    assert len(after["inbox"]) == 5, "the first side stays"
    assert [(row["node"], row["first_seq"], row["head"]) for row in after["quarantine"]] == [
        (shop.keyring.node, 4, forked.head)
    ]
    chain.add(earn("m-1", 1, 9))
    for _ in range(2):
        with pytest.raises(Denied, match="NODE_SUSPENDED"):
            await shop.client.send(chain.batch(6))
    with pytest.raises(Denied, match="NODE_SUSPENDED"):
        await shop.client.feed(0)
    assert len((await held(world.central))["quarantine"]) == 2, "kept once, for a person to look at"
    assert await points_in_feed(other) == {"m-1": 1060}


async def test_evidence_names_nobody(world: World) -> None:
    """An erasure looks for profiles where they belong; what a suspended node sends goes nowhere else."""
    shop = await world.shop("first")
    sealed = SealedProfile(member="m-1", digest=hashlib.sha256(b"who it is").hexdigest(), sealed=b"who it is")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1", digest=sealed.digest))
    await world.central.store.transact(lambda tx: nodes.set_status(tx, shop.keyring.node, nodes.QUARANTINED))
    batch = chain.batch(profiles=[sealed])
    with pytest.raises(Denied, match="NODE_SUSPENDED"):
        await shop.client.send(batch)
    (row,) = (await held(world.central))["quarantine"]
    kept = unpack(row["batch"], Batch)
    assert (kept.raws, kept.signature, kept.profiles) == (batch.raws, batch.signature, [])
    await world.central.store.transact(lambda tx: nodes.set_status(tx, shop.keyring.node, nodes.ACTIVE))
    await shop.client.send(batch)
    assert await world.central.caught_up()
    assert [one["sealed"] for one in (await held(world.central))["profile"]] == [sealed.sealed]


@pytest.mark.parametrize("limit", ["MAX_QUARANTINED_BATCHES", "MAX_QUARANTINED_BYTES"])
async def test_evidence_has_a_limit(world: World, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    shop = await world.shop("first")
    chain = await chain_of(shop, length=3)
    await world.central.store.transact(lambda tx: nodes.set_status(tx, shop.keyring.node, nodes.QUARANTINED))
    monkeypatch.setattr(intake, limit, 1)
    with pytest.raises(Denied, match="NODE_SUSPENDED"):
        await shop.client.send(chain.batch(1, 1))
    with pytest.raises(Unavailable, match="QUARANTINE_FULL"):
        await shop.client.send(chain.batch(1, 2))
    assert len((await held(world.central))["quarantine"]) == 1


async def test_a_new_epoch_begins_its_own_chain(world: World) -> None:
    shop = await world.shop("first")
    await shop.client.send((await chain_of(shop)).batch())
    later = Chain(shop.keyring, epoch=2)
    later.add(earn("m-1", 5, 30))
    with pytest.raises(Conflict, match="GAP"):
        await shop.client.send(msgspec.structs.replace(signed_from(later, 2), node=shop.keyring.node))
    assert (await shop.client.send(later.batch())).ack == 1
    assert await points_in_feed(shop) == {"m-1": 155}
    rows = await members_told(shop)
    assert rows[0].settled == {f"{shop.keyring.node}/1": 6, f"{shop.keyring.node}/2": 1}


def signed_from(chain: Chain, first: int) -> Batch:
    return signed(chain.keyring, chain.epoch, first, chain.raws, chain.hashes[-1], [])


async def test_a_bad_event_is_kept_and_listed_and_holds_up_nothing(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    chain.add_raw(b"\xc1 no event at all")
    chain.add_raw(b"\x81\xa1x" + b"\x91" * 100_000 + b"\xc0")
    chain.add(unbalanced("m-1"))
    chain.add(earn("m-1", 7), seq=99)
    chain.add(replace(earn("m-1", 7), effects=(Tallied("spend", 1, 10**15),)))
    chain.add(replace(earn("m-1", 7), effects=(Credited(Lot("lot", 7, -7, START, None)),)))
    chain.add(earn("m-1", 7))
    chain.add(earn("m-1", 40, 9, kind="surprise"))
    chain.add(earn("m-1", 2, 10))
    assert (await shop.client.send(chain.batch())).ack == 10
    assert await points_in_feed(shop) == {"m-1": 49}
    listed = [(row["seq"], row["code"]) for row in (await held(world.central))["difference"]]
    assert sorted(listed) == [
        (2, "EVENT_UNREADABLE"),
        (3, "EVENT_UNREADABLE"),
        (4, "EVENT_UNBALANCED"),
        (5, "EVENT_MISPLACED"),
        (6, "EVENT_IMPOSSIBLE"),
        (7, "EVENT_IMPOSSIBLE"),
        (9, "EVENT_KIND_UNKNOWN"),
    ]
    rows = await members_told(shop)
    assert rows[0].settled == {f"{shop.keyring.node}/1": 10}


async def test_a_shop_of_the_first_release_is_understood(world: World) -> None:
    """Central is updated first: for a while it gets events that say nothing of effects."""
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    for _, raw in V1:
        chain.add_raw(msgspec.msgpack.encode(msgspec.msgpack.decode(raw) | {"node": shop.keyring.node}))
    assert (await shop.client.send(chain.batch())).ack == len(V1)
    assert (await held(world.central))["difference"] == []
    (row,) = await members_told(shop)
    assert row.state is not None
    assert (row.member, row.state.tier, len(row.state.credentials)) == ("m-1", "silver", 2)
    assert await points_in_feed(shop) == {"m-1": 223}


async def test_an_instant_without_zone_never_reaches_a_state(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1"))
    event = msgspec.to_builtins(decode_event(Chain(shop.keyring).add(earn("m-1", 7), seq=2)))
    event["body"]["at"] = "2026-05-04T09:00:00"
    chain.add_raw(msgspec.msgpack.encode(event))
    assert (await shop.client.send(chain.batch())).ack == 2
    assert await points_in_feed(shop) == {"m-1": 0}
    assert [row["code"] for row in (await held(world.central))["difference"]] == ["EVENT_IMPOSSIBLE"]


async def test_a_sale_without_a_member_is_kept_and_changes_no_member(world: World) -> None:
    shop = await world.shop("first")
    chain = Chain(shop.keyring)
    chain.add(replace(earn("m-1", 7), member=None, effects=(), lines=()))
    assert (await shop.client.send(chain.batch())).ack == 1
    assert await members_told(shop) == []


async def test_the_first_member_to_claim_a_card_keeps_it(world: World) -> None:
    first, second = await world.shop("first"), await world.shop("second")
    mine, theirs = Chain(first.keyring), Chain(second.keyring)
    mine.add(join("m-1", "card-1", "card-2", minute=5))
    theirs.add(join("m-2", "card-1", "card-3", minute=1))
    await first.client.send(mine.batch())
    await second.client.send(theirs.batch())
    cards = {
        row.member: {card.index for card in row.state.credentials}
        for row in (await first.client.feed(0)).rows
        if row.state
    }
    assert cards == {"m-1": {"card-1", "card-2"}, "m-2": {"card-3"}}
    (found,) = (await held(world.central))["difference"]
    assert found["code"] == "CREDENTIAL_CLAIMED_TWICE"
    assert (found["member"], found["other_member"], found["detail"]) == ("m-2", "m-1", "card-1")

    theirs.add(earn("m-2", 3, 0))
    await second.client.send(theirs.batch())
    cards_again = {
        row.member: len(row.state.credentials) for row in (await first.client.feed(0)).rows if row.state
    }
    assert cards_again == {"m-1": 2, "m-2": 1}, "folding again gives nobody another's card"


def profile(member: str, content: bytes) -> SealedProfile:
    return SealedProfile(member=member, digest=hashlib.sha256(content).hexdigest(), sealed=content)


async def test_only_the_latest_profile_that_an_event_names_is_kept(world: World) -> None:
    shop = await world.shop("first")
    old, new, stray = profile("m-1", b"old"), profile("m-1", b"new"), profile("m-1", b"stray")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1", digest=old.digest))
    chain.add(join("m-1", minute=1, digest=new.digest))
    first, second = chain.batch(1, 1, [old]), chain.batch(2, 2, [new, stray])
    await shop.client.send(first)
    assert (await members_told(shop))[0].profile == old
    await shop.client.send(second)
    for batch in (second, first, second, first):
        await shop.client.send(batch)
    assert (await members_told(shop))[0].profile == new


async def test_a_profile_that_is_not_its_digest_is_listed_and_not_kept(world: World) -> None:
    shop = await world.shop("first")
    good = profile("m-1", b"good")
    chain = Chain(shop.keyring)
    chain.add(join("m-1", "card-1", digest=good.digest))
    await shop.client.send(chain.batch(profiles=[msgspec.structs.replace(good, sealed=b"evil")]))
    assert (await members_told(shop))[0].profile is None
    assert [row["code"] for row in (await held(world.central))["difference"]] == ["PROFILE_ALTERED"]
    cursor = (await shop.client.feed(0)).cursor
    await shop.client.send(chain.batch(profiles=[good]))
    rows = (await shop.client.feed(cursor)).rows
    assert [row.profile for row in rows] == [good], "a profile that comes later is news of its own"
