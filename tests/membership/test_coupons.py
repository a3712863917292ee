"""Coupons through the real store: claimed, used, printed, signed, and never more often than they may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tapledger.errors import NotFound, Refused, TapledgerError
from tapledger.loyalty.coupons import couponing
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import Effect
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program.people import Offline
from tapledger.membership import coupons
from tapledger.membership.shop import operation
from tapledger.store import claims, facts, members
from tests.loyalty.coupon_givens import sold
from tests.membership.at_once import THREADS, outcomes
from tests.membership.coupon_givens import MINUTE_S, joined, posted, set_up, states, template, use
from tests.store.shops import Bench


# ---- the last one ----------------------------------------------------------------------------------------
async def test_G64_the_last_of_a_public_code_is_claimed_once(bench: Bench) -> None:
    """64 members at once, total 1: one gets it, 63 are told that it is exhausted (litemall #581 gave 9)."""
    set_up(bench, template(code="MAY", claimable=True, total=1, per_member=1))
    people = await joined(bench, THREADS)
    told = await outcomes(lambda n: coupons.claim_code(bench.shop, f"k-{n}", people[n], "may"))
    assert told == {"done": 1, "COUPON_EXHAUSTED": 63}
    assert sum([len(await states(bench, who)) for who in people]) == 1
    assert bench.rows("SELECT used FROM claim WHERE key = 'coupon/ten'") == [(1,)]


async def test_defect_coupon_over_redeemed(bench: Bench) -> None:
    """saleor #544, vendure 4660, mall #1003: one coupon and 64 sales at once are one redemption."""
    set_up(bench, template())
    member = (await joined(bench, 1))[0]
    await coupons.issue_coupon(bench.shop, "k", member, "ten", "staff", "s-1")
    (name,) = await states(bench, member)
    told = await outcomes(lambda n: use(bench, name, f"s-{n}", member))
    assert told == {"done": 1, "COUPON_USED": 63}
    paper = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")
    told = await outcomes(lambda n: use(bench, paper.coupon, f"b-{n}"))
    assert told == {"done": 1, "COUPON_CODE_WRONG": 63}


async def test_the_same_member_claims_no_more_than_their_limit_at_once(bench: Bench) -> None:
    set_up(bench, template(code="MAY", claimable=True, per_member=3))
    member = (await joined(bench, 1))[0]
    told = await outcomes(lambda n: coupons.claim_code(bench.shop, f"k-{n}", member, "MAY"))
    assert told == {"done": 3, "LIMIT_REACHED": 61}
    assert len(await states(bench, member)) == 3


async def test_uses_and_claims_of_a_code_share_its_total(bench: Bench) -> None:
    set_up(bench, template(code="MAY", claimable=True, total=10))
    people = await joined(bench, 1)

    async def either(number: int) -> object:
        if number % 2:
            return await coupons.claim_code(bench.shop, f"k-{number}", people[0], "MAY")
        return await use(bench, "code/ten", f"s-{number}")

    assert await outcomes(either) == {"done": 10, "COUPON_EXHAUSTED": 54}


async def test_defect_limit_counter_after_commit(bench: Bench) -> None:
    """shopper #510: the limit is claimed first; a sale that fails afterwards leaves no claim behind."""
    set_up(bench, template(code="MAY", total=1))
    before = bench.tables()

    def fails_later(tx: Any) -> None:
        effects = couponing.redeem_effects(None, ["code/ten"], "s-1", bench.shop.program, bench.clock.now())
        body = EventBody(kind="sale", at=bench.clock.now(), program="1", effects=effects)
        bench.shop.record(tx, operation("s-1"), decision(None, body), bench.clock.now())
        assert claims.left(tx, "coupon/ten", 1) == 0
        raise Refused("TENDER_TOO_SMALL", missing_minor=1, currency="CNY")

    with pytest.raises(Refused, match="TENDER_TOO_SMALL"):
        await bench.shop.store.transact(fails_later)
    assert bench.tables() == before
    assert (await use(bench, "code/ten", "s-2")).event.body.kind == "sale"
    with pytest.raises(Refused, match="COUPON_EXHAUSTED"):
        await use(bench, "code/ten", "s-3")


# ---- given and back --------------------------------------------------------------------------------------
async def test_a_returned_sale_leaves_everything_as_before(bench: Bench) -> None:
    """P7 for coupons: a wallet's, a public code's and a paper's."""
    set_up(bench, template(code="MAY", total=1))
    member = (await joined(bench, 1))[0]
    paper = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")
    set_up(bench, template(code="MAY", total=3), template("own"))
    await coupons.issue_coupon(bench.shop, "k", member, "own", "staff", "s-1")
    (own,) = await states(bench, member)
    names = (own, "code/ten", paper.coupon)
    was = (await states(bench, member), bench.rows("SELECT * FROM claim WHERE used > 0"),
           bench.rows("SELECT * FROM bearer_coupon"))  # fmt: skip

    def pay(holder: Any) -> tuple[Effect, ...]:
        return couponing.redeem_effects(holder, names, "s-1", bench.shop.program, bench.clock.now())

    def restore(holder: Any) -> tuple[Effect, ...]:
        facts = sold(*names, sale="s-1", day=holder_day)
        return couponing.restore_effects(holder, facts, bench.shop.program, bench.clock.now())

    holder_day = bench.clock.now().toordinal()
    await posted(bench, "pay", member, pay)
    assert (await states(bench, member))[own] == "redeemed"
    await posted(bench, "return", member, restore, "return")
    now = (await states(bench, member), bench.rows("SELECT * FROM claim WHERE used > 0"),
           bench.rows("SELECT * FROM bearer_coupon"))  # fmt: skip
    assert now == was
    await posted(bench, "pay-again", member, pay)


async def test_issuing_is_once_for_each_key(bench: Bench) -> None:
    set_up(bench, template(total=1))
    member = (await joined(bench, 1))[0]
    first = await coupons.issue_coupon(bench.shop, "k", member, "ten", "staff", "s-1")
    again = await coupons.issue_coupon(bench.shop, "k", member, "ten", "staff", "s-1")
    assert (again.replayed, again.event) == (True, first.event)
    with pytest.raises(TapledgerError, match="IDEMPOTENCY_MISMATCH"):
        await coupons.issue_coupon(bench.shop, "k", member, "ten", "other", "s-1")
    before = bench.tables()
    with pytest.raises(Refused, match="COUPON_EXHAUSTED"):
        await coupons.issue_coupon(bench.shop, "k-2", member, "ten", "staff", "s-1")
    with pytest.raises(NotFound, match="MEMBER_UNKNOWN"):
        await coupons.issue_coupon(bench.shop, "k-3", "nobody", "ten", "staff", "s-1")
    assert bench.tables() == before


async def test_a_coupon_given_here_is_bound_to_this_shop_offline(bench: Bench) -> None:
    set_up(bench, template())
    member = (await joined(bench, 1))[0]
    await coupons.issue_coupon(bench.shop, "k", member, "ten", "staff", "s-1")
    await coupons.issue_coupon(bench.shop, "k-2", member, "ten", "staff", "s-1")
    one, other = await states(bench, member)

    def elsewhere(tx: Any) -> None:
        """As if another shop had given one of the two."""
        stored = members.load(tx, member)
        assert stored is not None
        given = [msgspec.structs.replace(each, node="" if each.id == other else each.node)
                 for each in stored.member.coupons]  # fmt: skip
        state = msgspec.structs.replace(stored.member, coupons=tuple(given))
        tx.exec_driver_sql("UPDATE member SET state = ?", (msgspec.msgpack.encode(state),))
        facts.put(tx, "feed_at", bench.clock.now().isoformat().encode())

    await bench.shop.store.transact(elsewhere)
    assert len((await coupons.show_wallet(bench.shop, member)).usable) == 2
    enrolled = msgspec.structs.replace(bench.shop.store.keyring, central_public_key=b"central")
    bench.shop.store.keyring = enrolled
    bench.shop.program = msgspec.structs.replace(bench.shop.program, offline=Offline(coupon_max_minor=0))
    away = await coupons.show_wallet(bench.shop, member)
    assert [shown.coupon.id for shown in away.usable] == [one]
    assert [shown.why_not.code for shown in away.not_yet if shown.why_not] == ["COUPON_ONLINE_ONLY"]
    bench.shop.reachable = True
    assert len((await coupons.show_wallet(bench.shop, member)).usable) == 2


async def test_a_voided_coupon_is_used_no_more(bench: Bench) -> None:
    set_up(bench, template())
    member = (await joined(bench, 1))[0]
    await coupons.issue_coupon(bench.shop, "k", member, "ten", "staff", "s-1")
    (name,) = await states(bench, member)
    await coupons.void_coupon(bench.shop, "v", member, name, "given by mistake", "s-1")
    with pytest.raises(Refused, match="COUPON_USED"):
        await use(bench, name, "s-1", member)


# ---- held ------------------------------------------------------------------------------------------------
async def test_a_coupon_is_held_for_one_till_and_freed_by_parking_or_time(bench: Bench) -> None:
    set_up(bench, template(code="MAY", total=1))
    member = (await joined(bench, 1))[0]
    paper = (await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")).coupon
    set_up(bench, template(code="MAY", total=2))
    shop = bench.shop
    await coupons.hold_for_sale(shop, "h-1", None, (paper, "code/ten"), "s-1")
    for name, code in ((paper, "COUPON_CODE_WRONG"), ("code/ten", "COUPON_EXHAUSTED")):
        with pytest.raises(Refused, match=code):
            await coupons.hold_for_sale(shop, f"h-{name}", None, (name,), "s-2")
    await coupons.release_for_sale(shop, "r-1", None, (paper, "code/ten"), "s-1")
    await coupons.hold_for_sale(shop, "h-2", None, (paper, "code/ten"), "s-2")
    await use(bench, "code/ten", "s-2")
    assert bench.rows("SELECT used FROM claim WHERE key = 'coupon/ten'") == [(2,)], "held and used is one use"
    bench.clock.move(15 * MINUTE_S)
    await use(bench, paper, "s-3")
    with pytest.raises(NotFound, match="MEMBER_UNKNOWN"):
        await coupons.hold_for_sale(shop, "h-3", "nobody", (), "s-3")
    assert member


async def test_two_tills_cannot_hold_one_coupon(bench: Bench) -> None:
    set_up(bench, template())
    member = (await joined(bench, 1))[0]
    await coupons.issue_coupon(bench.shop, "k", member, "ten", "staff", "s-1")
    (name,) = await states(bench, member)
    told = await outcomes(
        lambda n: coupons.hold_for_sale(bench.shop, f"h-{n}", member, (name,), f"s-{n}"), 16
    )
    assert told == {"done": 1, "COUPON_HELD": 15}
