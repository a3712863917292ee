"""A hub divides its leases: nothing comes of it that central did not set aside, in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.errors import Invalid, Refused
from tapledger.loyalty import escrow, ledger, members, sharing
from tapledger.loyalty.effects import POINTS, PRINCIPAL, LeaseDrawn
from tapledger.loyalty.leases import Asked
from tests.loyalty.escrows import CENTRAL, Chain, Event, folded, granted, net, on_accounts
from tests.loyalty.givens import DAY, MEMBER, NOON, PROGRAM, lot, member

HUB, KIOSKS = "hub", ("left", "right")


@dataclass
class Branch(Chain):
    """A hub and its kiosks, which hear of what it gives from itself."""

    heard: dict[str, list[Event]] = field(default_factory=dict)

    def share(self, kiosk: str, amount: int) -> bool:
        asked = Asked(f"part-{self.minute}", kiosk, POINTS, amount)
        try:
            decision = sharing.decide_share(self.view(HUB), asked, HUB, PROGRAM, self.now())
        except Refused:
            return False
        assert sharing.given(decision.body, asked, MEMBER) is not None
        assert sharing.beyond(self.view(HUB), HUB, decision.body) == {}
        self.record(HUB, decision.body)
        self.heard.setdefault(kiosk, []).append(self.own[HUB][-1])
        self.seen.setdefault(kiosk, []).append(self.own[HUB][-1])
        return True

    def push(self, node: str) -> None:
        """Send what the hub gave first, as its relay does."""
        if node != HUB:
            super().push(HUB)
        super().push(node)

    def pull(self, node: str) -> None:
        super().pull(node)
        self.seen[node] += [one for one in self.heard.get(node, []) if one not in self.seen[node]]


steps = st.lists(
    st.tuples(
        st.sampled_from(["grant", "share", "share", "spend", "close", "push", "pull"]),
        st.sampled_from((HUB, *KIOSKS)),
        st.integers(1, 90),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(steps)
def test_what_a_hub_gives_was_set_aside_before_and_nothing_is_ever_owed(
    steps: list[tuple[str, str, int]],
) -> None:
    branch = Branch()
    branch.earn(HUB, 300)
    branch.push(HUB)
    for what, node, amount in steps:
        branch.minute += 1
        match what:
            case "grant":
                branch.grant(HUB, amount)
                branch.pull(HUB)
            case "share" if node != HUB:
                branch.share(node, amount)
            case "spend":
                branch.spend(node, amount)
            case "close":
                branch.close(node)
            case "push":
                branch.push(node)
            case "pull":
                branch.pull(node)
        state = branch.view(CENTRAL)
        have = members.points(state, branch.now())
        assert state.deficit == 0
        assert have.available + have.leased + branch.spent() == branch.earned()
        assert net(state) == on_accounts(branch.seen[CENTRAL])
    for node in (HUB, *KIOSKS):
        branch.push(node)
    assert branch.view(CENTRAL) == folded(branch.everything())


def test_several_leases_pay_one_part_those_that_end_first_before_the_others() -> None:
    who = granted(granted(member(lot("a", 100)), 30, id_="late", node=HUB), 40, id_="soon", node=HUB)
    asked = Asked("part", "left", POINTS, 60)
    done = sharing.decide_share(who, asked, HUB, PROGRAM, NOON)
    draws = [one for one in done.body.effects if isinstance(one, LeaseDrawn)]
    assert sum(take.amount for draw in draws for take in draw.takes) == 60
    assert done.after is not None
    assert sorted((one.node, sum(t.amount for t in one.taken)) for one in done.after.leases) == [
        (HUB, 10),
        ("left", 60),
    ]
    assert net(done.after) == net(who)
    assert {line.account: line.amount for line in done.body.lines} == {
        ledger.member_leased(MEMBER, HUB): -60,
        ledger.member_leased(MEMBER, "left"): 60,
    }
    (part,) = (one for one in done.after.leases if one.node == "left")
    assert part.until == min(one.until for one in who.leases)
    assert escrow.worth([part], done.after.lots, NOON) == 60


@pytest.mark.parametrize(
    ("pool", "amount", "code"), [(POINTS, 31, "POINTS_MISSING"), (PRINCIPAL, 1, "INSUFFICIENT")]
)
def test_a_hub_gives_no_more_than_it_holds(pool: str, amount: int, code: str) -> None:
    who = granted(member(lot("a", 100)), 30, node=HUB)
    with pytest.raises(Refused, match=code):
        sharing.decide_share(who, Asked("part", "left", pool, amount), HUB, PROGRAM, NOON)
    with pytest.raises(Refused):
        sharing.decide_share(who, Asked("part", "left", POINTS, 1), "right", PROGRAM, NOON)
    with pytest.raises(Refused):
        sharing.decide_share(who, Asked("part", "left", POINTS, 1), HUB, PROGRAM, NOON + 400 * DAY)
    with pytest.raises(Invalid, match="AMOUNT_IMPOSSIBLE"):
        sharing.decide_share(who, Asked("part", "left", POINTS, 0), HUB, PROGRAM, NOON)


def test_what_is_drawn_from_a_lease_of_somebody_else_pays_for_nothing() -> None:
    who = granted(member(lot("a", 100)), 30, node="right")
    stolen = sharing.decide_share(who, Asked("part", "left", POINTS, 20), "right", PROGRAM, NOON).body
    assert sharing.beyond(who, "right", stolen) == {}
    assert sharing.beyond(who, HUB, stolen) == {POINTS: 20}
    assert sharing.beyond(None, HUB, stolen) == {POINTS: 20}
