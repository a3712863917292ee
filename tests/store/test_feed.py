"""Central's states meet local events that central has not seen: each is folded exactly once, in any order."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger.database import InlineExecutor, Transaction
from tapledger.errors import Corrupt
from tapledger.loyalty.effects import Credited, Held, Lot
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member, fold, points, replace
from tapledger.store import members
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import FeedPage, FeedRow
from tests.store.shops import START, Bench, HandClock, card

YEAR = dt.timedelta(days=365)
Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 30)),
        st.tuples(st.just("redeem"), st.just(0)),
        st.tuples(st.just("elsewhere"), st.integers(1, 500)),
        st.tuples(st.just("push"), st.integers(1, 5)),
        st.tuples(st.just("pull"), st.just(0)),
        st.tuples(st.just("pull late"), st.just(0)),
    ),
    max_size=12,
)


class Center:
    """What central does, in the few lines that matter: fold what arrives, in order of arrival."""

    def __init__(self, node: str, member: str) -> None:
        self._node = node
        self._member = member
        self.state: Member | None = None
        self.settled: dict[str, int] = {}
        self.version = 0
        self.earned = 0

    def take(self, seq: int, body: EventBody) -> None:
        """Take an event once, however often it is sent."""
        if body.member == self._member and seq > self.settled.get(f"{self._node}/1", 0):
            self.state = fold(self.state, body)
            self.settled[f"{self._node}/1"] = seq
            self.version += 1

    def earn_elsewhere(self, amount: int) -> None:
        assert self.state is not None
        self.earned += 1
        lot = Lot(f"other-{self.earned}", amount, amount, START, START + YEAR)
        body = EventBody(kind="sale", at=START, program="1", member=self._member, effects=(Credited(lot),))
        self.state = fold(self.state, body)
        self.settled["other/1"] = self.earned
        self.version += 1

    def page(self, state: Member, settled: dict[str, int], version: int) -> FeedPage:
        row = FeedRow.of(state, version=version, settled=settled)
        return FeedPage(rows=[row], cursor=version, more=False, at=START)


async def play(bench: Bench, steps: list[Step]) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, count=20)
    store = bench.shop.store
    center = Center(store.keyring.node, member)
    sent = elsewhere = 0

    async def push(limit: int) -> None:
        nonlocal sent
        pending = await store.pending(limit)
        for seq, raw in enumerate(pending.raws if pending else [], pending.first_seq if pending else 0):
            center.take(seq, decode_event(raw).body)
            sent = seq

    late: FeedPage | None = None

    async def pull() -> None:
        if center.state is not None and center.version > await store.cursor():
            await store.apply_page(center.page(center.state, dict(center.settled), center.version))

    for what, amount in steps:
        match what:
            case "buy":
                await bench.buy(member, count=amount)
            case "redeem" if await bench.points(member) >= 100:
                await bench.redeem(member)
            case "elsewhere" if center.state is not None:
                center.earn_elsewhere(amount)
                elsewhere += amount
            case "push":
                await push(amount)
                if amount % 2 and sent:  # the answer may be lost: then the same events are sent again
                    await store.acknowledge(1, sent)
            case "pull":
                await pull()
            case "pull late" if late is not None and late.cursor > await store.cursor():
                await store.apply_page(late)
        if center.state is not None:  # on its way while the shop goes on
            late = center.page(center.state, dict(center.settled), center.version)
    await store.acknowledge(1, sent)
    while await store.unsynced():
        await push(500)
        await store.acknowledge(1, sent)
    await pull()
    stored = await store.transact(lambda tx: members.load(tx, member))
    assert stored is not None and center.state is not None
    assert stored.member == center.state
    assert stored.unsettled_points == 0
    bodies = [decode_event(raw).body for (raw,) in bench.rows("SELECT raw FROM event")]
    effects = [effect for body in bodies for effect in body.effects]
    earned = sum(effect.lot.amount for effect in effects if isinstance(effect, Credited))
    spent = sum(effect.hold.points for effect in effects if isinstance(effect, Held))
    assert points(stored.member, bench.clock.now()).available == earned + elsewhere - spent


@hypothesis.settings(deadline=None, max_examples=30)
@given(steps=STEPS)
async def test_own_and_others_events_are_counted_exactly_once(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), HandClock())
        await bench.open(InlineExecutor())
        try:
            await play(bench, steps)
        finally:
            await bench.close()


async def test_a_page_counts_unsettled_points_until_central_has_them(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, count=20)
    await bench.redeem(member)
    bodies = [decode_event(raw).body for (raw,) in bench.rows("SELECT raw FROM event ORDER BY seq")]
    for settled, unsettled in ((1, 100), (2, 100), (3, 0)):
        center = Center(bench.shop.store.keyring.node, member)
        for seq, body in enumerate(bodies[:settled], 1):
            center.take(seq, body)
        assert center.state is not None
        await bench.shop.store.apply_page(center.page(center.state, center.settled, 10 + settled))
        stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
        assert stored is not None
        assert (stored.unsettled_points, await bench.points(member)) == (unsettled, 240 - 100)


async def test_a_credential_that_central_took_away_names_nobody(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"), card("b"))
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    kept = replace(stored.member, credentials=stored.member.credentials[:1])
    center = Center(bench.shop.store.keyring.node, member)
    await bench.shop.store.apply_page(center.page(kept, {f"{bench.shop.store.keyring.node}/1": 1}, 1))

    def owners(tx: Transaction) -> list[str | None]:
        found = [members.owner(tx, one.index) for one in stored.member.credentials]
        return [None if one is None else one.member for one in found]

    assert await bench.shop.store.transact(owners) == [member, None]


async def test_an_old_page_is_refused_and_changes_nothing(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    state = Member(id=member, joined_at=START)
    center = Center(bench.shop.store.keyring.node, member)
    await bench.shop.store.apply_page(center.page(state, {}, 5))
    before = bench.tables()
    for page in (
        center.page(state, {}, 5),
        center.page(state, {}, 4),
        FeedPage(rows=[], cursor=4, more=False, at=START),
    ):
        with pytest.raises(Corrupt) as caught:
            await bench.shop.store.apply_page(page)
        assert caught.value.code == "FEED_GAP"
    assert bench.tables() == before
