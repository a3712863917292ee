"""Codes of coupons: typed, printed, scanned and signed; strangers learn nothing from them."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from tapledger.errors import Denied, Invalid, Refused, TapledgerError
from tapledger.loyalty.conditions import Condition
from tapledger.membership import coupons
from tapledger.membership.coupons import TypedCodes
from tapledger.store import members
from tests.membership.coupon_givens import joined, set_up, template, use
from tests.store.shops import Bench


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
    asked = await bench.listen()
    told = []
    for code in (used.code, "0000-0000-0000-0"):
        asked.clear()
        with pytest.raises(Refused, match="COUPON_CODE_WRONG"):
            await coupons.claim_code(bench.shop, "k", member, code)
        told.append([re.sub("'.*?'", "?", text) for text in asked])
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
