"""Referral through the store: both events or none, referrers told in the transaction that concerns them."""

from __future__ import annotations

from typing import Any

import pytest

from tapledger.errors import TapledgerError
from tapledger.loyalty import members as states
from tapledger.loyalty import program as programs
from tapledger.loyalty.members import Member
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.loyalty.tiers import tiering
from tapledger.membership import identity, night
from tapledger.membership.identity import Presented
from tapledger.membership.referral import ReferrerCommand, set_referrer
from tapledger.membership.refund import ReturnCommand, return_sale
from tapledger.store import members
from tapledger.store.journal import Recorded
from tests.store.shops import PROGRAM, Bench, card

DAY_S = 86_400
NAME = {"en": "x"}
TABLE: dict[str, Any] = PROGRAM | {
    "tiers": [
        {"id": "base", "name": NAME},
        {"id": "silver", "name": NAME, "reach": [[{"metric": "referrals", "at_least": 3}]]},
    ],
    "referral": {"referrer": {"points": 200}, "referee": {"points": 100}, "kiosk_joins_per_hour": 2},
}


@pytest.fixture
async def chain(bench: Bench) -> Bench:
    bench.shop.program = programs.load(TABLE)
    await bench.join("M", card("M"))
    bench.clock.move(1)
    return bench


async def state(bench: Bench, name: str) -> Member:
    return await bench.shop.store.transact(lambda tx: identity.identify(tx, bench.shop, card(name)).member)


async def points(bench: Bench, name: str) -> tuple[int, int]:
    have = states.points(await state(bench, name), bench.clock.now())
    return have.available, have.pending


async def send(bench: Bench, name: str, by: str = "M", **asked: Any) -> str:
    member = await bench.join(name, card(name))
    await set_referrer(bench.shop, ReferrerCommand(f"ref-{name}", member, card(by), **asked))
    return member


async def test_G56_from_three_purchases_to_silver(chain: Bench) -> None:
    for name in "ABC":
        await chain.buy(await send(chain, name))
    assert await points(chain, "M") == (0, 600)
    chain.clock.move(7 * DAY_S)
    await night.run(chain.shop)
    assert (await points(chain, "M"), (await state(chain, "M")).tier) == ((0, 600), "base")
    chain.clock.move(DAY_S)
    sender = await state(chain, "M")
    assert tiering.current(sender, chain.shop.program, chain.clock.now()).id == "silver", "by time alone"
    await night.run(chain.shop)
    assert (await points(chain, "M"), (await state(chain, "M")).tier) == ((600, 0), "silver")
    assert (await points(chain, "A"))[1] == 0
    before = chain.tables()
    await night.run(chain.shop)
    assert chain.tables() == before


async def give_back(bench: Bench, sold: Recorded) -> Recorded:
    assert sold.event.body.sale is not None
    everything = (ReturnedLine(0, 1000),)
    return await return_sale(
        bench.shop,
        ReturnCommand(bench.key(), sold.event.body.sale.id, everything, "s-1", "en", late_approved=True),
    )


async def test_what_comes_back_in_time_gives_nothing(chain: Bench) -> None:
    sold = await chain.buy(await send(chain, "A"))
    assert (await points(chain, "M"), (await points(chain, "A"))[1]) == ((0, 200), 100)
    chain.clock.move(7 * DAY_S)
    await give_back(chain, sold)
    assert (await points(chain, "M"), (await points(chain, "A"))[1]) == ((0, 0), 0)
    chain.clock.move(30 * DAY_S)
    await night.run(chain.shop)
    assert await points(chain, "M") == (0, 0)


async def test_what_comes_back_later_is_reversed(chain: Bench) -> None:
    sold = await chain.buy(await send(chain, "A"))
    chain.clock.move(8 * DAY_S)
    await night.run(chain.shop)
    assert (await points(chain, "M"), (await points(chain, "A"))[0]) == ((200, 0), 112)
    await give_back(chain, sold)
    assert (await points(chain, "M"), (await points(chain, "A"))[0]) == ((0, 0), 0)
    assert tiering.referrals(await state(chain, "M")) == []


async def test_a_referrer_is_set_once_and_a_repeat_is_the_same(chain: Bench) -> None:
    member = await send(chain, "A")
    again = await set_referrer(chain.shop, ReferrerCommand("ref-A", member, card("M")))
    assert again.replayed
    assert chain.rows("SELECT kind FROM event ORDER BY seq")[-2:] == [("referrer",), ("referral",)]


@pytest.mark.parametrize(
    ("who", "by", "code"),
    [
        ("A", "A", "REFERRER_SELF"), ("M", "A", "REFERRER_NOT_EARLIER"), ("A", "x", "REFERRER_UNKNOWN"),
        ("nobody", "M", "MEMBER_UNKNOWN"),
    ],
)  # fmt: skip
async def test_what_is_refused_changes_nothing(chain: Bench, who: str, by: str, code: str) -> None:
    names = {"A": await chain.join("A", card("A")), "M": (await state(chain, "M")).id, "nobody": "nobody"}
    before = chain.tables()
    with pytest.raises(TapledgerError) as caught:
        await set_referrer(chain.shop, ReferrerCommand("k", names[who], card(by)))
    assert caught.value.code == code
    assert chain.tables() == before


async def test_more_than_n_an_hour_at_a_kiosk_are_looked_at(chain: Bench) -> None:
    for name in "AB":
        await send(chain, name, at_kiosk=True)
    chain.clock.move(3599)
    third = await chain.join("C", card("C"))
    at_kiosk = ReferrerCommand("k1", third, card("M"), at_kiosk=True)
    before = chain.tables()
    with pytest.raises(TapledgerError, match="REFERRAL_REVIEW"):
        await set_referrer(chain.shop, at_kiosk)
    assert chain.tables() == before
    await set_referrer(chain.shop, ReferrerCommand("k2", third, card("M"), True, looked_at=True, staff="s-1"))
    chain.clock.move(3601)
    await send(chain, "D", at_kiosk=True)


async def test_the_same_device_is_looked_at(chain: Bench) -> None:
    first = await chain.join("A", card("A"))
    await set_referrer(chain.shop, ReferrerCommand("k1", first, card("M"), means=("device-1",)))
    chain.clock.move(1)
    second = await chain.join("B", card("B"))
    with pytest.raises(TapledgerError, match="REFERRAL_REVIEW"):
        await set_referrer(chain.shop, ReferrerCommand("k2", second, card("A"), means=("device-1",)))
    await set_referrer(chain.shop, ReferrerCommand("k2", second, card("A"), means=("device-2",)))


async def test_a_phone_names_a_referrer_too(chain: Bench) -> None:
    await chain.join("P", phone="13812345678")
    chain.clock.move(1)
    member = await chain.join("A", card("A"))
    phone = Presented("phone", "13812345678", 0, "typed")
    await set_referrer(chain.shop, ReferrerCommand("k", member, phone))
    stored = await chain.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None and stored.member.referrer
