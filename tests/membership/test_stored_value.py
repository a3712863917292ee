"""Stored value through the store: once for each key, one slip each, nothing changed by a refusal (3.12b)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tapledger.devices.receipts.drawing import lay_out
from tapledger.errors import Conflict, TapledgerError
from tapledger.languages import LANGUAGES
from tapledger.loyalty import members as fold
from tapledger.loyalty.effects import BONUS, PRINCIPAL
from tapledger.loyalty.facts import Tender
from tapledger.loyalty.program.values import StoredValue, TopUpRow
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.membership.stored_value import (
    CloseCommand,
    TakeBackCommand,
    TopUpCommand,
    close_card,
    take_back_top_up,
    top_up,
)
from tapledger.store import members
from tapledger_drivers.ports import Row, Text
from tests.store.shops import Bench, card

RULES = StoredValue(top_up=[TopUpRow(50_000, 10_000)], max_balance_minor=200_000, close_fee_minor=1000)


def rules(shop: Shop) -> None:
    shop.program = msgspec.structs.replace(shop.program, stored_value=RULES)


async def li(bench: Bench) -> str:
    rules(bench.shop)
    return await bench.join("Li", card("li"))


def command(bench: Bench, member: str, amount: int = 50_000, **changes: Any) -> TopUpCommand:
    made = TopUpCommand(bench.key(), member, card("li"), amount, (Tender("cash", amount),), "s-1", "en")
    return replace(made, **changes)


def back(bench: Bench, member: str, topup: str) -> TakeBackCommand:
    return TakeBackCommand(bench.key(), member, card("li"), topup, "s-1", "en")


async def values(bench: Bench, member: str) -> tuple[int, int]:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    now = bench.clock.now()
    return fold.value(stored.member, PRINCIPAL, now), fold.value(stored.member, BONUS, now)


async def test_a_top_up_is_recorded_once_with_one_slip(bench: Bench) -> None:
    member = await li(bench)
    asked = command(bench, member)
    first, again = await top_up(bench.shop, asked), await top_up(bench.shop, asked)
    assert again.replayed
    assert (first.receipt, first.hash) == (again.receipt, again.hash)
    assert await values(bench, member) == (50_000, 10_000)
    assert bench.rows("SELECT kind FROM print_job") == [("topup",)]


async def test_another_top_up_under_the_same_key_is_a_conflict(bench: Bench) -> None:
    member = await li(bench)
    asked = command(bench, member)
    await top_up(bench.shop, asked)
    with pytest.raises(Conflict):
        await top_up(bench.shop, replace(asked, amount_minor=40_000))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": 0}, "AMOUNT_IMPOSSIBLE"),
        ({"amount_minor": -5}, "AMOUNT_IMPOSSIBLE"),
        ({"amount_minor": 2**63}, "AMOUNT_IMPOSSIBLE"),
        ({"amount_minor": 2**64}, "AMOUNT_TOO_LARGE"),
        ({"tenders": (Tender("cash", 1),)}, "TENDER_TOO_SMALL"),
        ({"tenders": (Tender("bonus", 50_000),)}, "TENDER_UNKNOWN"),
        ({"amount_minor": 195_000, "tenders": (Tender("cash", 195_000),)}, "BALANCE_TOO_LARGE"),
        ({"member": "nobody"}, "MEMBER_MISSING"),
    ],
)
async def test_a_refused_top_up_changes_nothing(bench: Bench, changes: dict[str, Any], code: str) -> None:
    member = await li(bench)
    before = bench.tables()
    with pytest.raises(TapledgerError) as error:
        await top_up(bench.shop, replace(command(bench, member), **changes))
    assert error.value.code == code
    assert bench.tables() == before


async def test_a_top_up_is_taken_back_once(bench: Bench) -> None:
    member = await li(bench)
    asked = command(bench, member)
    await top_up(bench.shop, asked)
    done = back(bench, member, asked.id)
    await take_back_top_up(bench.shop, done)
    assert (await take_back_top_up(bench.shop, done)).replayed
    assert await values(bench, member) == (0, 0)
    before = bench.tables()
    with pytest.raises(TapledgerError, match="TOP_UP_TAKEN_BACK"):
        await take_back_top_up(bench.shop, back(bench, member, asked.id))
    assert bench.tables() == before


async def test_only_a_top_up_of_this_member_and_shop_is_taken_back(bench: Bench) -> None:
    member = await li(bench)
    wu = await bench.join("Wu", card("wu"))
    asked = command(bench, member)
    await top_up(bench.shop, asked)
    sale = bench.sale(member)
    await bench.buy(member)
    for who, topup in ((member, "no-such"), (wu, asked.id), (member, sale.id)):
        before = bench.tables()
        with pytest.raises(TapledgerError, match="TOP_UP_UNKNOWN"):
            await take_back_top_up(bench.shop, back(bench, who, topup))
        assert bench.tables() == before


async def test_a_refused_taking_back_can_be_asked_again(bench: Bench) -> None:
    """The claim that it is taken back once is undone with the rest."""
    member = await li(bench)
    asked = command(bench, member)
    await top_up(bench.shop, asked)
    bench.clock.move(86_400)
    for _ in range(2):
        with pytest.raises(TapledgerError, match="TOP_UP_TOO_OLD"):
            await take_back_top_up(bench.shop, back(bench, member, asked.id))


async def test_of_two_at_once_one_takes_it_back(bench: Bench) -> None:
    member = await li(bench)
    asked = command(bench, member)
    await top_up(bench.shop, asked)
    answers = await asyncio.gather(
        *(take_back_top_up(bench.shop, back(bench, member, asked.id)) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert await values(bench, member) == (0, 0)


async def test_closing_a_card_pays_out_and_is_done_once(bench: Bench) -> None:
    member = await li(bench)
    await top_up(bench.shop, command(bench, member))
    asked = CloseCommand(bench.key(), member, card("li"), "s-1", "en")
    done = await close_card(bench.shop, asked)
    assert done.event.body.facts == {"paid_minor": 49_000, "fee_minor": 1000, "bonus_minor": 10_000}
    assert (await close_card(bench.shop, asked)).replayed
    with pytest.raises(TapledgerError, match="NOTHING_STORED"):
        await close_card(bench.shop, replace(asked, key=bench.key()))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_slip_says_what_was_done_and_what_is_there(bench: Bench, language: str) -> None:
    member = await li(bench)
    recorded = await top_up(bench.shop, command(bench, member, language=language))
    job = slips.job_id(recorded)
    slip = await bench.shop.store.transact(lambda tx: slips.stored(tx, bench.shop, job))
    assert slip is not None
    items = lay_out(slip, bench.shop)
    amounts = [item.right for item in items if isinstance(item, Row)]
    assert amounts[:2] == ["¥500.00", "¥100.00"]
    said = " ".join(item.text for item in items if isinstance(item, Text))
    assert "¥500.00" in said
    assert "¥100.00" in said


async def test_what_is_stored_is_the_same_after_a_restart(bench: Bench) -> None:
    member = await li(bench)
    await top_up(bench.shop, command(bench, member))
    await bench.restart()
    rules(bench.shop)
    assert await values(bench, member) == (50_000, 10_000)
