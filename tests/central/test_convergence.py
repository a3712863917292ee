"""However batches of two nodes are cut, repeated and mixed, central ends with the same members."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.database import InlineExecutor
from tapledger.errors import Conflict
from tapledger.loyalty.effects import (
    Credited,
    Debited,
    Effect,
    Held,
    Hold,
    HoldSettled,
    Lot,
    LotTake,
    Tallied,
    TierSet,
)
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, fold
from tapledger.store import keyring as keyrings
from tapledger.store.keyring import Keyring
from tapledger.wire.codec import decode_event
from tapledger_central.applier import Applier
from tapledger_central.intake import take
from tapledger_central.store import members, open_store
from tapledger_central.store.nodes import Node, add
from tests.central.chains import Chain
from tests.central.world import START, HandClock

ARRIVAL = START + dt.timedelta(days=1)
KEYRINGS = [keyrings.make(bytes([seed]) * 96) for seed in (1, 2)]
MEMBERS = ("m-1", "m-2")

Step = tuple[str, str, int, int]
"""What happens, to whom, to which lot or hold, and after how many minutes."""

steps = st.lists(
    st.tuples(
        st.sampled_from(["join", "earn", "spend", "hold", "release", "count", "tier"]),
        st.sampled_from(MEMBERS),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=8,
)


def body(step: Step, at: dt.datetime) -> EventBody:
    what, member, which, _ = step
    kind, effects = changes(what, which, at)
    return EventBody(kind=kind, at=at, program="1", member=member, effects=effects)


def changes(what: str, which: int, at: dt.datetime) -> tuple[str, tuple[Effect, ...]]:
    """Return the kind and the effects of one step."""
    taken = (LotTake(f"lot-{which}", 30 + which),)
    match what:
        case "join":
            return "join", (TierSet("base"),)
        case "earn":
            ends = None if which == 0 else at + dt.timedelta(days=which)
            # The last one waits: it repays a debt only from then on.
            begins = at + dt.timedelta(minutes=4) if which == 3 else at
            return "sale", (Credited(Lot(f"lot-{which}", 50, 50, begins, ends)),)
        case "spend":
            return "sale", (Debited(taken),)
        case "hold":
            hold = Hold(f"hold-{which}", "tea", "Tea", 30 + which, taken, at, f"voucher-{which}", at)
            return "hold", (Held(hold),)
        case "release":
            return "release", (HoldSettled(f"hold-{which}", given_back=True),)
        case "count":
            return "sale", (Tallied("spend", at.toordinal() + which, 100 - 75 * which),)
    return "sale", (TierSet(f"tier-{which}"),)


def chain_of(keyring: Keyring, steps: list[Step]) -> Chain:
    chain, at = Chain(keyring), START
    for step in steps:
        at += dt.timedelta(minutes=step[3])
        chain.add(body(step, at))
    return chain


async def after(chains: list[Chain], deliveries: list[tuple[int, int, int]]) -> dict[str, members.Applied]:
    """Return central's members after deliveries (chain, first, last) and then the whole of each chain."""
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(Path(folder), "tenant", executor=InlineExecutor())
        applier = Applier(store, HandClock())
        nodes = [
            Node(one.node, "shop", "till", one.signing_key.public_key().public_bytes_raw(), "active")
            for one in KEYRINGS
        ]
        for n in nodes:
            await store.transact(
                partial(add, node=n.node, shop=n.shop, name=n.name, public_key=n.public_key, now_ms=0)
            )
        whole = [(which, 1, len(chain.raws)) for which, chain in enumerate(chains)]
        for which, first, last in (*deliveries, *whole):
            try:
                await take(store, nodes[which], chains[which].batch(first, last), ARRIVAL)
            except Conflict as error:
                assert error.code == "GAP"
        assert await applier.caught_up()
        found = await store.transact(
            lambda tx: {one: got for one in MEMBERS if (got := members.load(tx, one)) is not None}
        )
        await store.close()
        return found


@settings(max_examples=60, deadline=None)
@given(data=st.data(), left=steps, right=steps)
def test_any_split_duplication_and_order_ends_in_the_same_members(
    data: st.DataObject, left: list[Step], right: list[Step]
) -> None:
    chains = [chain_of(KEYRINGS[0], left), chain_of(KEYRINGS[1], right)]
    deliveries = []
    for _ in range(data.draw(st.integers(0, 12))):
        which = data.draw(st.integers(0, 1))
        first = data.draw(st.integers(1, len(chains[which].raws)))
        deliveries.append((which, first, data.draw(st.integers(first, len(chains[which].raws)))))
    assert asyncio.run(after(chains, deliveries)) == asyncio.run(after(chains, []))


@settings(max_examples=30, deadline=None)
@given(left=steps, right=steps)
def test_a_member_is_the_fold_of_all_events_in_one_order(left: list[Step], right: list[Step]) -> None:
    chains = [chain_of(KEYRINGS[0], left), chain_of(KEYRINGS[1], right)]
    events = [decode_event(raw) for chain in chains for raw in chain.raws]
    expected: dict[str, Member] = {}
    for event in sorted(events, key=lambda one: (one.hlc, one.node, one.epoch, one.seq)):
        member = event.body.member
        assert member is not None
        expected[member] = fold(expected.get(member), event.body)
    got = asyncio.run(after(chains, [(0, 1, 1)]))
    assert {member: applied.state for member, applied in got.items()} == expected


async def test_a_clock_that_goes_back_does_not_change_the_order_within_a_node() -> None:
    chain = Chain(KEYRINGS[0])
    late = START + dt.timedelta(hours=1)
    chain.add(body(("tier", "m-1", 1, 0), late))
    chain.add(body(("tier", "m-1", 2, 0), START))
    other = Chain(KEYRINGS[1])
    other.add(body(("tier", "m-1", 3, 0), START + dt.timedelta(minutes=30)))
    found = await after([chain, other], [])
    assert found["m-1"].state.tier == "tier-2"
