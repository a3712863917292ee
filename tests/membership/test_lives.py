"""Random lives of three members with merges and their undoing, on the store that the shop runs on."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.database import InlineExecutor, Transaction
from tapledger.errors import TapledgerError
from tapledger.loyalty.effects import POINTS
from tapledger.loyalty.ledger import POINT
from tapledger.loyalty.members import deficit_of
from tapledger.membership import grants, merging, night, standing
from tapledger.membership.grants import GrantCommand
from tapledger.store import members
from tapledger.store.journal import Broken, verify
from tapledger.wire.codec import decode_event
from tests.store.shops import Bench, HandClock, card

DAY_S = 24 * 3600

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "give",
                "take",
                "buy",
                "redeem",
                "freeze",
                "unfreeze",
                "cancel",
                "restore",
                "merge",
                "undo",
                "days",
            ]
        ),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    min_size=4,
    max_size=14,
)


async def do(bench: Bench, who: list[str], what: str, one: int, other: int) -> None:
    shop, member = bench.shop, who[one]
    match what:
        case "give" | "take":
            points = 150 if what == "give" else -40
            await grants.grant_points(shop, GrantCommand(bench.key(), member, points, "test", "s-1"))
        case "buy":
            await bench.buy(member, count=1 + other)
        case "redeem":
            await bench.redeem(member, "tea")
        case "freeze" | "unfreeze" | "cancel" | "restore":
            await standing.change_standing(shop, bench.key(), member, what, "s-1")
        case "merge":
            await merging.merge_members(shop, bench.key(), member, who[other], "s-1")
        case "undo":
            await merging.undo_merge(shop, bench.key(), member, "s-1")
        case "days":
            bench.clock.move((1 + 11 * other) * DAY_S)
            done = await night.run(shop)
            assert not done.failed


def books(tx: Transaction, who: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return what each member has and holds: by the journal's lines, and by their state."""
    posted: defaultdict[str, int] = defaultdict(int)
    for (raw,) in tx.exec_driver_sql("SELECT raw FROM event"):
        for line in decode_event(raw).body.lines:
            place, _, name = line.account.partition("/")
            if place == "member" and line.unit == POINT:
                posted[name.split("/")[0]] += line.amount
            elif place == "transfer":
                posted[line.account] += line.amount
    kept = {}
    for name in who:
        stored = members.load_alias(tx, name)
        assert stored is not None
        state = stored.member
        lots = sum(lot.remaining for lot in state.lots if lot.pool == POINTS)
        kept[name] = lots + sum(hold.points for hold in state.holds) - deficit_of(state, POINTS)
    return dict(posted), kept


async def live(folder: Path, life: list[tuple[str, int, int]]) -> None:
    bench = Bench(folder, HandClock())
    await bench.open(InlineExecutor())
    try:
        who = [await bench.join(f"M{n}", card(f"c{n}"), phone=f"1380000000{n}") for n in range(3)]
        for one in range(3):
            await do(bench, who, "give", one, 0)
        for what, one, other in life:
            before = bench.tables()
            try:
                await do(bench, who, what, one, other)
            except TapledgerError:
                assert bench.tables() == before, f"{what} was refused and changed something"
        posted, kept = await bench.shop.store.transact(lambda tx: books(tx, who))
        assert {name: posted.get(name, 0) for name in who} == kept
        assert all(not amount for name, amount in posted.items() if name.startswith("transfer/"))
        node = bench.shop.store.keyring.node
        found = await bench.shop.store.transact(lambda tx: list(verify(tx, node)))
        assert not any(isinstance(one, Broken) for one in found)
    finally:
        await bench.close()


@settings(max_examples=40, deadline=None)
@given(steps)
def test_the_books_agree_and_refusals_change_nothing(life: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder) / "shop", life))
