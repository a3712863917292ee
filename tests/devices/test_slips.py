"""What is on the paper of a slip."""

from __future__ import annotations

import msgspec
import pytest

from tapledger import texts
from tapledger.devices.receipts.drawing import lay_out
from tapledger.languages import LANGUAGES
from tapledger.membership import exchange, slips
from tapledger.membership.exchange import ExchangeCommand
from tapledger.membership.sale import record_sale
from tapledger.store.journal import Recorded
from tapledger_drivers.ports import Row
from tests.membership.counter import back, new_sale, rules
from tests.store.shops import Bench

PRICE_MINOR = 3_557


async def rows(bench: Bench, recorded: Recorded, language: str) -> dict[str, str]:
    """Return the rows of a slip as it would be printed in a language."""
    job = slips.job_id(recorded)
    slip = await bench.shop.store.transact(lambda tx: slips.stored(tx, bench.shop, job))
    assert slip is not None
    items = lay_out(msgspec.structs.replace(slip, language=language), bench.shop)
    return {item.left: item.right for item in items if isinstance(item, Row)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("price_minor", "paid", "cash", "carried", "rounding"),
    [
        (1_000, 0, 2_560, 1_000, -3),
        (PRICE_MINOR, 0, 0, PRICE_MINOR, 0),
        (5_000, 1_440, 0, PRICE_MINOR, 0),
    ],
)
async def test_the_return_of_an_exchange_says_what_goes_on_and_what_was_paid_out(
    bench: Bench, language: str, price_minor: int, paid: int, cash: int, carried: int, rounding: int
) -> None:
    bought = await _sold(bench)
    rules(bench, money=msgspec.structs.replace(bench.shop.program.money, cash_rounding_minor=10))
    new = new_sale(bench, None, price_minor, paid)
    done = await exchange.exchange(bench.shop, ExchangeCommand(back(bench, bought, (0, 1000)), new))
    on_paper = await rows(bench, done.returned, language)
    expected = {
        "receipt.refund": PRICE_MINOR,
        "receipt.carried": carried,
        "tender.cash": cash,
        "tender.rounding": rounding,
    }
    currency = bench.shop.program.currency
    for name, minor in expected.items():
        shown = on_paper.get(texts.say(language, name))
        assert shown == (texts.money(language, minor, currency) if minor else None), name


async def _sold(bench: Bench) -> str:
    sold = await record_sale(bench.shop, new_sale(bench, None, PRICE_MINOR, PRICE_MINOR))
    assert sold.event.body.sale is not None
    return sold.event.body.sale.id
