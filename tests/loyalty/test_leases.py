"""Leases: free, leased and spent add up to earned whatever happens in whatever order (sync.md 2.4, X10)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapledger.errors import Refused, TapledgerError
from tapledger.loyalty import escrow, leases, members
from tapledger.loyalty.effects import (
    POINTS,
    PRINCIPAL,
    Debited,
    Effect,
    Lease,
    LeaseClosed,
    Leased,
    LeaseDrawn,
    LeaseRecalled,
    Lot,
    LotTake,
)
from tapledger.loyalty.leases import Asked
from tapledger.loyalty.members import Member
from tapledger.loyalty.program.people import Offline
from tests.loyalty.escrows import CENTRAL, VALUE, Chain, folded, granted, happened, net, on_accounts
from tests.loyalty.givens import (
    DAY,
    NOON,
    PROGRAM,
    after,
    lot,
    member,
    program,
)

SHOPS = ("shop-a", "shop-b")


# ---- whatever happens -------------------------------------------------------------------------------------
steps = st.lists(
    st.tuples(
        st.sampled_from(["earn", "grant", "spend", "close", "recall", "push", "pull"]),
        st.sampled_from(SHOPS),
        st.integers(1, 120),
    ),
    max_size=40,
)


def play(chain: Chain, what: str, node: str, amount: int) -> None:
    chain.minute += 1
    match what:
        case "earn":
            chain.earn(node, amount)
        case "grant":
            chain.grant(node, amount)
        case "spend":
            chain.spend(node, amount)
        case "close":
            chain.close(node)
        case "recall":
            chain.recall()
        case "push":
            chain.push(node)
        case "pull":
            chain.pull(node)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(steps)
def test_free_leased_and_spent_are_earned_at_every_step_and_nothing_is_ever_owed(
    steps: list[tuple[str, str, int]],
) -> None:
    chain = Chain()
    chain.earn(SHOPS[0], 300)
    chain.push(SHOPS[0])
    for step in steps:
        play(chain, *step)
        state = chain.view(CENTRAL)
        have = members.points(state, chain.now())
        assert state.deficit == 0
        assert have.available + have.leased + chain.spent() == chain.earned()
        assert net(state) == on_accounts(chain.seen[CENTRAL])
    for shop in SHOPS:
        chain.push(shop)
    assert chain.view(CENTRAL) == folded(chain.everything()), "the order of arrival does not count"


loose = st.lists(
    st.one_of(
        st.builds(
            lambda id_, lot_, n: Leased(Lease(id_, "n", POINTS, (LotTake(lot_, n),), NOON, NOON + DAY)),
            st.sampled_from("xy"),
            st.sampled_from("abc"),
            st.integers(1, 90),
        ),
        st.builds(
            lambda id_, lot_, n: LeaseDrawn(id_, (LotTake(lot_, n),)),
            st.sampled_from("xyz"),
            st.sampled_from("abc"),
            st.integers(1, 90),
        ),
        st.builds(LeaseClosed, st.sampled_from("xyz"), st.booleans()),
        st.builds(LeaseRecalled, st.sampled_from("xyz")),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(loose)
def test_no_lease_gives_more_than_it_took_whatever_is_said_of_it(effects: list[Effect]) -> None:
    """Also what contradicts what was known before: unknown leases, more than is left, the same once more."""
    who = member(lot("a", 50), lot("b", 20))
    assert net(happened(who, *effects)) == net(who) == 70
    for effect in effects:
        who = happened(who, effect)
    assert net(who) == 70


def test_a_fold_that_gives_back_what_a_lease_has_not_is_found() -> None:
    """The broken twin: draws that do not look at what is left make points of nothing."""
    who = granted(member(lot("a", 100)), 30)
    draw = LeaseDrawn("lease-1", (LotTake("a", 70),))
    assert net(happened(who, draw)) == 100

    def all_of_it(taken, wanted):  # type: ignore[no-untyped-def]
        return (), tuple(wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(escrow, "_draw", all_of_it)
        assert net(happened(who, draw)) == 140


def partitioned(by_timer: bool) -> Chain:
    """Two shops and one lease: its time is over, its holder is away and its clock is slow."""
    chain = Chain()
    chain.earn("shop-a", 100)
    chain.push("shop-a")
    chain.minute += 1
    assert chain.grant("shop-a", 100)
    chain.pull("shop-a")
    chain.minute += 60 * PROGRAM.offline.lease_hours
    if by_timer:
        chain.return_by_timer()
    chain.grant("shop-b", 100)
    chain.pull("shop-b")
    chain.minute -= 2
    assert chain.spend("shop-a", 100)
    chain.minute += 3
    chain.spend("shop-b", 100)
    for shop in SHOPS:
        chain.push(shop)
    return chain


def test_a_lease_that_a_timer_gave_back_would_be_spent_twice() -> None:
    assert partitioned(by_timer=False).view(CENTRAL).deficit == 0
    assert partitioned(by_timer=True).view(CENTRAL).deficit == 100


# ---- central ----------------------------------------------------------------------------------------------
def test_a_lease_takes_what_would_be_spent_first_and_shows_what_is_left() -> None:
    who = granted(member(lot("late", 50), lot("soon", 30, NOON + DAY)), 40)
    (lease,) = who.leases
    assert lease.taken == (LotTake("soon", 30, NOON + DAY), LotTake("late", 10))
    assert (lease.until - lease.at).total_seconds() == 72 * 3600
    have = members.points(who, NOON)
    assert (have.available, have.leased, have.shown) == (40, 40, 80)
    lapsed = members.points(who, NOON + DAY)
    assert (lapsed.available, lapsed.leased) == (40, 10), "lots lapse in a lease too"


@pytest.mark.parametrize(
    ("asked", "pool", "expected"),
    [
        (61, POINTS, ("POINTS_RESERVED", {"available": 60, "reserved": 40, "shop": "Shop of shop-a"})),
        (101, POINTS, ("POINTS_MISSING", {"points": 41})),
        (0, POINTS, ("AMOUNT_IMPOSSIBLE", {"sku": "points"})),
        (
            6,
            PRINCIPAL,
            (
                "VALUE_RESERVED",
                {"available_minor": 5, "reserved_minor": 4, "shop": "Shop of shop-a", "currency": "CNY"},
            ),
        ),
        (10, PRINCIPAL, ("INSUFFICIENT", {"available_minor": 5, "currency": "CNY"})),
    ],
)
def test_no_more_is_leased_than_is_free_and_the_refusal_says_who_has_the_rest(
    asked: int, pool: str, expected: tuple[str, dict[str, object]]
) -> None:
    who = granted(member(lot("a", 100), Lot("p", 9, 9, NOON, None, PRINCIPAL)), 40)
    who = granted(who, 4, pool=PRINCIPAL, id_="lease-2")
    command = Asked("lease-3", "shop-b", pool, asked)
    with pytest.raises(TapledgerError) as error:
        leases.decide_grant(who, command, VALUE, NOON, lambda node: f"Shop of {node}")
    assert (error.value.code, error.value.data) == expected


def test_who_may_not_spend_has_nothing_leased_and_there_is_an_end_to_leases() -> None:
    frozen = msgspec.structs.replace(member(lot("a", 100)), status="frozen")
    assert leases.decide_pre_lease(frozen, "x", "shop-a", POINTS, PROGRAM, NOON) is None
    with pytest.raises(Refused, match="MEMBER_FROZEN"):
        granted(frozen, 10)
    who = member(lot("a", 1000))
    for number in range(leases.MAX_LEASES):
        who = granted(who, 1, id_=f"lease-{number}")
    with pytest.raises(Refused, match="LEASES_TOO_MANY"):
        granted(who, 1, id_="one-more")


def test_shops_get_a_fifth_each_and_two_fifths_in_all_and_more_when_half_is_gone() -> None:
    who = member(lot("a", 1000))

    def share(node: str, who: Member, rules: object = PROGRAM) -> int:
        made = leases.decide_pre_lease(who, f"pre-{node}", node, POINTS, rules, NOON)  # type: ignore[arg-type]
        return (
            0
            if made is None
            else escrow.everything(after(made).leases, POINTS) - escrow.everything(who.leases, POINTS)
        )

    assert share("shop-a", who) == 200
    who = granted(who, 200)
    assert share("shop-a", who) == 0
    who = granted(who, 150, "shop-b", id_="lease-2")
    assert share("shop-c", who) == 50, "40 % in all"
    half = happened(who, LeaseDrawn("lease-1", (LotTake("a", 99),)), Debited((LotTake("a", 99),)))
    assert share("shop-a", half) == 0
    less = happened(half, LeaseDrawn("lease-1", (LotTake("a", 13),)), Debited((LotTake("a", 13),)))
    assert share("shop-a", less) == 89, "177 less the 88 that are there"
    capped = program(offline=Offline(lease_cap_points=70))
    assert share("shop-d", member(lot("a", 1000)), capped) == 70
    assert share("shop-d", member(lot("a", 1000)), program(offline=Offline(lease_cap_points=0))) == 0
    assert share("shop-d", member(lot("a", 4))) == 0


def test_a_recall_takes_nothing_and_stops_the_holder() -> None:
    who = granted(member(lot("a", 100)), 40)
    asked = leases.decide_recall(who, who.leases[0], PROGRAM, NOON)
    assert asked.body.lines == ()
    assert members.points(after(asked), NOON) == members.points(who, NOON)
    assert leases.own(who, "shop-a", NOON) and not leases.own(after(asked), "shop-a", NOON)
    assert not leases.own(who, "shop-b", NOON)
    assert not leases.own(who, "shop-a", NOON + 3 * DAY), "the holder stops by its own clock"
    assert members.points(who, NOON + 300 * DAY).leased == 40, "and nobody gives it back but the holder"


def test_a_write_off_gives_back_and_its_loss_is_what_the_holder_had_spent() -> None:
    chain = Chain()
    chain.earn("shop-a", 100)
    chain.push("shop-a")
    chain.minute += 1
    chain.grant("shop-a", 40)
    chain.pull("shop-a")
    chain.minute += 1
    chain.spend("shop-a", 25)
    chain.minute += 1
    state = chain.view(CENTRAL)
    written = leases.decide_write_off(state, state.leases[0], "s-1", PROGRAM, chain.now())
    assert [why.data for why in written.body.reasons] == [{"points": 40}]
    chain.record(CENTRAL, written.body)
    assert chain.view(CENTRAL).leases == ()
    chain.minute += 1
    assert chain.grant("shop-b", 100)
    chain.push("shop-a")
    assert chain.view(CENTRAL).deficit == 25 <= 40
    assert net(chain.view(CENTRAL)) == on_accounts(chain.seen[CENTRAL]) == 75
