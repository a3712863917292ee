"""X4: however batches of two shops are cut, repeated and mixed around a merge, central ends with the same."""

from __future__ import annotations

import asyncio
import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.life.merging import Merge, decide_merge
from tapledger.loyalty.life.unmerging import Undo, decide_undo
from tapledger.loyalty.members import Member, fold
from tests.central.chains import Chain
from tests.central.test_convergence import KEYRINGS, Step, after, body
from tests.central.world import PROGRAM, START

OLD, INTO = "m-1", "m-2"

steps = st.lists(
    st.tuples(
        st.sampled_from(["earn", "spend", "hold", "release", "count"]),
        st.sampled_from((OLD, INTO)),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    max_size=6,
)


class Here:
    """The shop that merges and parts them, with what it knows itself."""

    def __init__(self) -> None:
        self.chain, self.at, self.known = Chain(KEYRINGS[0]), START, dict[str, Member]()

    def add(self, event: EventBody) -> None:
        assert event.member is not None
        self.chain.add(event)
        self.known[event.member] = fold(self.known.get(event.member), event)

    def live(self, life: list[Step], *, merged: bool) -> None:
        for what, member, which, minutes in life:
            self.at += dt.timedelta(minutes=minutes)
            self.add(body((what, INTO if merged else member, which, minutes), self.at))

    def merge(self) -> EventBody:
        command = Merge("t-1", "s-1", {})
        decisions = decide_merge(self.known[OLD], self.known[INTO], command, PROGRAM, self.at)
        for decision in decisions:
            self.add(decision.body)
        return decisions[1].body

    def undo(self, joined: EventBody) -> None:
        command = Undo("t-2", "s-1", joined, (), {})
        for decision in decide_undo(self.known[OLD], self.known[INTO], command, PROGRAM, self.at):
            self.add(decision.body)


@settings(max_examples=40, deadline=None)
@given(st.data(), steps, steps, steps, st.booleans())
def test_x4_any_split_duplication_and_order_ends_in_the_same_members(
    data: st.DataObject, first: list[Step], then: list[Step], away: list[Step], is_undone: bool
) -> None:
    here, other = Here(), Chain(KEYRINGS[1])
    for member in (OLD, INTO):
        here.add(body(("join", member, 0, 0), START))
    here.live(first, merged=False)
    joined = here.merge()
    here.live(then, merged=True)
    if is_undone:
        here.undo(joined)
    at = START
    for step in away:
        at += dt.timedelta(minutes=step[3])
        other.add(body(step, at))
    chains = [here.chain, other]
    deliveries = []
    for _ in range(data.draw(st.integers(0, 8))):
        which = data.draw(st.integers(0, 1))
        if chains[which].raws:
            begin = data.draw(st.integers(1, len(chains[which].raws)))
            deliveries.append((which, begin, data.draw(st.integers(begin, len(chains[which].raws)))))
    chains = chains if other.raws else chains[:1]
    whole = asyncio.run(after(chains, []))
    mixed = asyncio.run(after(chains, deliveries))
    assert {name: one.state for name, one in mixed.items()} == {
        name: one.state for name, one in whole.items()
    }
