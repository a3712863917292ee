"""Coupons through the real store: claimed, used, printed, signed, and never more often than they may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy

from tapledger.errors import Denied, Invalid, NotFound, Refused, TapledgerError
from tapledger.loyalty import couponing, wallet
from tapledger.loyalty.conditions import Condition
from tapledger.loyalty.decisions import decision
from tapledger.loyalty.effects import Effect
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program import Template
from tapledger.loyalty.program.people import Offline
from tapledger.loyalty.promotions.amount import Amount
from tapledger.membership import coupons, registration
from tapledger.membership.coupons import TypedCodes
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining
from tapledger.membership.shop import operation
from tapledger.store import claims, facts, members
from tapledger.store.journal import Recorded
from tests.loyalty.test_couponing import sold
from tests.membership.at_once import THREADS, outcomes
from tests.store.shops import Bench

MINUTE_S = 60.0


def set_up(bench: Bench, *templates: Template) -> None:
    bench.shop.program = msgspec.structs.replace(bench.shop.program, coupons=list(templates))


def template(id_: str = "ten", **terms: Any) -> Template:
    return Template(id_, Amount(1000), **terms)


async def joined(bench: Bench, count: int) -> list[str]:
    found = []
    for number in range(count):
        joining = Joining(f"j-{number}", "Ann", "", (Presented("card", f"c-{number}", 1, "test"),), None)
        recorded = await registration.register_member(bench.shop, joining)
        found.append(recorded.event.body.member or "")
    return found


async def states(bench: Bench, member: str) -> dict[str, str]:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return {one.id: wallet.state(one, bench.clock.now()) for one in stored.member.coupons}


async def posted(bench: Bench, key: str, member: str | None, make: Any, kind: str = "sale") -> Recorded:
    """Record an event with the effects that ``make(member)`` returns, as a sale or a return does."""

    def work(tx: Any) -> Recorded:
        stored = None if member is None else members.load(tx, member)
        holder = None if stored is None else stored.member
        effects: tuple[Effect, ...] = make(holder)
        body = EventBody(kind=kind, at=bench.clock.now(), program="1", member=member, effects=effects)
        return bench.shop.record(tx, operation(key), decision(holder, body), bench.clock.now())

    return await bench.shop.store.transact(work)


async def use(bench: Bench, name: str, sale: str, member: str | None = None) -> Recorded:
    def make(holder: Any) -> tuple[Effect, ...]:
        return couponing.redeem_effects(holder, [name], sale, bench.shop.program, bench.clock.now())

    return await posted(bench, f"pay-{sale}", member, make)


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


# ---- codes -----------------------------------------------------------------------------------------------
async def test_defect_guessable_codes(bench: Bench) -> None:
    """solidus draws 6 of 34 symbols: ours has 60 random bits, the template is not in it, and it is kept as a
    keyed hash only."""
    set_up(bench, template())
    printed = [await coupons.print_coupon(bench.shop, f"p-{n}", "ten", "staff", "s-1") for n in range(20)]
    assert len({paper.code for paper in printed}) == 20
    for paper in printed:
        symbols = paper.code.replace("-", "")
        assert len(symbols) == 13
        assert symbols not in str(bench.tables()) and paper.code not in str(bench.tables())
    assert len({paper.code[:4] for paper in printed}) > 10, "they have no common beginning"


async def test_wrong_codes_lock_typing_at_that_kiosk_only(bench: Bench) -> None:
    """G67's throttle: the fifth wrong code locks for 30 s; scans, other kiosks and the till go on."""
    set_up(bench, template(code="MAY", claimable=True))
    member = (await joined(bench, 1))[0]
    here, there = TypedCodes(bench.clock), TypedCodes(bench.clock)
    paper = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")

    async def typed(text: str, kiosk: TypedCodes | None, key: str = "") -> str:
        try:
            await coupons.claim_code(bench.shop, key or bench.key(), member, text, kiosk)
        except TapledgerError as error:
            return error.code
        return "done"

    wrong = "0000-0000-0000-0"
    assert [await typed(wrong, here) for _ in range(6)] == ["COUPON_CODE_WRONG"] * 5 + ["TOO_MANY_TRIES"]
    with pytest.raises(Denied) as locked:
        await coupons.claim_code(bench.shop, "k", member, "MAY", here)
    assert 0 < int(locked.value.data["seconds"]) <= 31
    assert await typed("MAY", there) == "done"
    assert await typed(wrong, None) == "COUPON_CODE_WRONG"
    assert await typed(paper.qr, here) == "done", "a signed code is scanned"
    assert await typed("MAY", here) == "TOO_MANY_TRIES"
    bench.clock.move(30)
    assert await typed("MAY", here) == "done"
    assert await typed("MAY", here) == "done", "a right one forgets the wrong ones"


async def test_the_wait_doubles_and_staff_ends_it(bench: Bench) -> None:
    set_up(bench, template(code="MAY", claimable=True))
    member = (await joined(bench, 1))[0]
    kiosk = TypedCodes(bench.clock)
    waits: list[int] = []
    for _ in range(4):
        for _ in range(5 if not waits else 1):
            with pytest.raises((Refused, Invalid)):
                await coupons.claim_code(bench.shop, bench.key(), member, "0000-0000-0000-1", kiosk)
        with pytest.raises(Denied) as locked:
            await coupons.claim_code(bench.shop, bench.key(), member, "MAY", kiosk)
        waits.append(int(locked.value.data["seconds"]) - 1)
        bench.clock.move(waits[-1])
    assert waits == [30, 60, 120, 240]
    kiosk.passed()
    await coupons.claim_code(bench.shop, bench.key(), member, "MAY", kiosk)


async def test_strangers_cannot_tell_unknown_from_used_from_void(bench: Bench) -> None:
    set_up(bench, template())
    people = await joined(bench, 2)
    used = await coupons.print_coupon(bench.shop, "p-1", "ten", "staff", "s-1")
    await use(bench, used.coupon, "s-1")
    taken = await coupons.print_coupon(bench.shop, "p-2", "ten", "staff", "s-1")
    await coupons.claim_code(bench.shop, "k-1", people[0], taken.code)
    told = []
    for code in (used.code, taken.code, "0000-0000-0000-0", used.qr, taken.qr):
        with pytest.raises(Refused) as refused:
            await coupons.claim_code(bench.shop, bench.key(), people[1], code)
        told.append((refused.value.code, refused.value.data))
        with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
            await coupons.scan_code(bench.shop, bench.key(), code, None)
    assert told == [("COUPON_CODE_WRONG", {})] * 5


async def test_strangers_cannot_tell_by_the_time_it_takes(bench: Bench) -> None:
    """The store is asked the same questions whether a code is unknown, used or void."""
    set_up(bench, template())
    member = (await joined(bench, 1))[0]
    used = await coupons.print_coupon(bench.shop, "p-1", "ten", "staff", "s-1")
    await use(bench, used.coupon, "s-1")
    asked: list[str] = []
    engine = bench.shop.store._database._engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    told = []
    for code in (used.code, "0000-0000-0000-0"):
        asked.clear()
        with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
            await coupons.claim_code(bench.shop, "k", member, code)
        told.append(list(asked))
    assert told[0] == told[1]
    assert len(told[0]) >= 3


async def test_a_paper_goes_into_a_wallet_with_its_own_end(bench: Bench) -> None:
    set_up(bench, template(valid_days=3, total=1))
    member = (await joined(bench, 1))[0]
    paper = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")
    bench.clock.move(24 * 3600)
    await coupons.claim_code(bench.shop, "k", member, paper.code.lower())
    (shown,) = (await coupons.show_wallet(bench.shop, member)).usable
    ends = bench.rows("SELECT expires_ms FROM bearer_coupon")[0][0]
    assert shown.coupon.expires_at is not None
    assert shown.coupon.expires_at.timestamp() * 1000 == ends
    with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
        await use(bench, paper.coupon, "s-1")


async def test_printing_again_tells_no_second_code(bench: Bench) -> None:
    set_up(bench, template(total=1))
    first = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")
    again = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")
    assert (again.coupon, again.code, again.recorded.replayed) == (first.coupon, "", True)
    with pytest.raises(Refused, match="COUPON_EXHAUSTED"):
        await coupons.print_coupon(bench.shop, "p-2", "ten", "staff", "s-1")


# ---- at the till -----------------------------------------------------------------------------------------
async def test_what_is_scanned_at_the_till_becomes_a_name_and_a_choice(bench: Bench) -> None:
    set_up(bench, template(code="MAY", when=Condition(members_only=True)))
    member = (await joined(bench, 1))[0]
    paper = await coupons.print_coupon(bench.shop, "p", "ten", "staff", "s-1")
    names = [
        await coupons.scan_code(bench.shop, bench.key(), text, None) for text in ("may", paper.code, paper.qr)
    ]
    assert names == ["code/ten", paper.coupon, paper.coupon]
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None

    told = await bench.shop.store.transact(
        lambda tx: coupons.papers(tx, bench.shop, stored.member, [*names[:2], "bearer/none"], "s-1")
    )
    assert [one.id for one in told.chosen] == names[:2]
    assert [(one.id, one.reason.code) for one in told.left_out] == [("bearer/none", "COUPON_UNKNOWN")]
    told = await bench.shop.store.transact(lambda tx: coupons.papers(tx, bench.shop, None, names[:2], "s-1"))
    assert [one.reason.code for one in told.left_out] == ["MEMBERS_ONLY", "MEMBERS_ONLY"]


async def test_a_coupon_that_another_shop_signed_is_believed_once(bench: Bench, tmp_path: Any) -> None:
    """The node's key proves it; this shop has never heard of it."""
    set_up(bench, template())
    other = Bench(tmp_path / "other", bench.clock)
    await other.open()
    try:
        set_up(other, template())
        printed = await coupons.print_coupon(other.shop, "p", "ten", "staff", "s-1")
        with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
            await coupons.scan_code(bench.shop, "k", printed.qr, None)
        keyring = bench.shop.store.keyring
        theirs = other.shop.store.keyring
        bench.shop.store.keyring = msgspec.structs.replace(
            keyring, token_keys={theirs.node: theirs.signing_key.public_key().public_bytes_raw()}
        )
        names = {await coupons.scan_code(bench.shop, f"k-{n}", printed.qr, None) for n in range(3)}
        assert names == {printed.coupon}
        await use(bench, printed.coupon, "s-1")
        with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
            await coupons.scan_code(bench.shop, "k-9", printed.qr, None)
        assert bench.rows("SELECT * FROM claim WHERE key = 'coupon/ten'") == [], "counted where it was issued"
    finally:
        await other.close()


async def test_a_members_signed_coupon_is_for_that_member(bench: Bench) -> None:
    set_up(bench, template(valid_days=1))
    people = await joined(bench, 2)
    await coupons.issue_coupon(bench.shop, "k", people[0], "ten", "staff", "s-1")
    (shown,) = (await coupons.show_wallet(bench.shop, people[0])).usable
    qr = coupons.sign(bench.shop, shown.coupon, people[0])
    assert await coupons.scan_code(bench.shop, "k-1", qr, people[0]) == shown.coupon.id
    for holder in (people[1], None):
        with pytest.raises(Refused, match="COUPON_OTHER_MEMBER"):
            await coupons.scan_code(bench.shop, "k-2", qr, holder)
    bench.clock.move(2 * 24 * 3600)
    with pytest.raises(Refused, match="COUPON_EXPIRED"):
        await coupons.scan_code(bench.shop, "k-3", qr, people[0])


@pytest.mark.parametrize("text", ["", "NONE", "TC1:AAAA", "0000-0000-0000", "x" * 600])
async def test_nonsense_is_mistyped_and_changes_nothing(bench: Bench, text: str) -> None:
    set_up(bench, template(code="MAY"), template("quiet"))
    member = (await joined(bench, 1))[0]
    before = bench.tables()
    with pytest.raises(Invalid, match="CODE_MISTYPED"):
        await coupons.claim_code(bench.shop, "k", member, text)
    with pytest.raises(Invalid, match="CODE_MISTYPED"):
        await coupons.scan_code(bench.shop, "k", text, member)
    assert bench.tables() == before
