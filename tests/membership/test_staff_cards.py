"""Cards of the staff: given, taken away, and never a member's."""

from __future__ import annotations

import pytest

from tapledger.errors import NotFound, Refused
from tapledger.membership import sign_in, staff_cards
from tests.store.shops import Bench, card


async def test_a_card_stands_for_one_of_the_staff_until_it_is_taken_away(bench: Bench) -> None:
    await sign_in.add_person(bench.shop, "t-1", "Theo", "technician", "9753")
    await staff_cards.give_card(bench.shop, "t-1", card("x"))
    person = await staff_cards.holder(bench.shop, card("x"))
    assert person is not None and person.name == "Theo"
    assert await staff_cards.holder(bench.shop, card("y")) is None
    assert await staff_cards.take_cards(bench.shop, "t-1") == 1
    assert await staff_cards.holder(bench.shop, card("x")) is None


async def test_a_members_card_is_no_staff_card(bench: Bench) -> None:
    await sign_in.add_person(bench.shop, "t-1", "Theo", "technician", "9753")
    await bench.join("Ann", card("a"))
    with pytest.raises(Refused, match="CREDENTIAL_TAKEN"):
        await staff_cards.give_card(bench.shop, "t-1", card("a"))


async def test_nobody_has_no_card(bench: Bench) -> None:
    with pytest.raises(NotFound, match="STAFF_UNKNOWN"):
        await staff_cards.give_card(bench.shop, "nobody", card("x"))
