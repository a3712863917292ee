"""Joining, linking, being known again: a credential names one member, at the level it was enrolled at."""

from __future__ import annotations

import pytest

from tapledger.errors import Invalid, NotFound, Refused, TapledgerError
from tapledger.membership.identity import Presented
from tapledger.membership.registration import Joining, link_credential, register_member
from tapledger.membership.tap import greet_member
from tests.store.shops import Bench, card

PHONE = Presented("phone", "13812345678", 0, "typed")


async def known_as(bench: Bench, presented: Presented) -> str:
    return (await greet_member(bench.shop, presented)).known.member.id


async def test_every_credential_of_a_member_names_them(bench: Bench) -> None:
    member = await bench.join(
        "Ann", card("a"), Presented("barcode", "9100000017", 0, "scanned"), phone=PHONE.value
    )
    await link_credential(bench.shop, bench.key(), member, Presented("uid", "04A1B2C3", 0, "uid-only"), "s-1")
    for shown in (
        card("a"),
        PHONE,
        Presented("barcode", "9100000017", 0, "x"),
        Presented("uid", "04A1B2C3", 0, "x"),
    ):
        assert await known_as(bench, shown) == member
    await bench.buy(member)
    assert await bench.points(member) == 12


async def test_the_same_value_of_another_kind_is_another_credential(bench: Bench) -> None:
    member = await bench.join("Ann", Presented("barcode", "13812345678", 0, "scanned"))
    with pytest.raises(NotFound):
        await known_as(bench, PHONE)
    assert await bench.join("Bob", phone=PHONE.value) != member


@pytest.mark.parametrize(
    "typed", ["138 1234 5678", "138-1234-5678", "(138)12345678"], ids=["spaces", "dashes", "brackets"]
)
async def test_a_phone_number_is_one_number_however_it_is_typed(bench: Bench, typed: str) -> None:
    member = await bench.join("Ann", phone=typed)
    assert await known_as(bench, PHONE) == member
    with pytest.raises(Refused, match="CREDENTIAL_TAKEN"):
        await bench.join("Eve", phone=PHONE.value)


async def test_a_taken_credential_joins_nobody(bench: Bench) -> None:
    first = await bench.join("Ann", card("a"))
    second = await bench.join("Bob", card("b"))
    before = bench.tables()
    for attempt in (
        register_member(bench.shop, Joining("k1", "Eve", "", (card("new"), card("a")), None)),
        link_credential(bench.shop, "k2", second, card("a"), None),
        link_credential(bench.shop, "k3", first, card("a"), None),
    ):
        with pytest.raises(Refused) as caught:
            await attempt
        assert caught.value.code in ("CREDENTIAL_TAKEN", "CREDENTIAL_ALREADY_YOURS")
    assert bench.tables() == before
    with pytest.raises(NotFound):
        await known_as(bench, card("new"))


async def test_joining_again_with_the_same_key_is_the_same_member(bench: Bench) -> None:
    joining = Joining("k1", "Ann", "13812345678", (card("a"),), "s-1")
    first = await register_member(bench.shop, joining)
    before = bench.tables()
    again = await register_member(bench.shop, joining)
    assert (again.event, again.replayed) == (first.event, True)
    with pytest.raises(TapledgerError, match="IDEMPOTENCY_MISMATCH"):
        await register_member(bench.shop, Joining("k1", "Eve", "13812345678", (card("a"),), "s-1"))
    assert bench.tables() == before


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (card("unknown"), "CARD_UNKNOWN"),
        (Presented("uid", "04FFFFFF", 0, "uid-only"), "CARD_UNKNOWN"),
        (PHONE, "PHONE_UNKNOWN"),
        (Presented("barcode", "9100000017", 0, "scanned"), "MEMBER_CODE_UNKNOWN"),
        (card(""), "CARD_UNKNOWN"),
    ],
)
async def test_a_stranger_is_told_what_is_unknown(bench: Bench, shown: Presented, code: str) -> None:
    await bench.join("Ann", card("a"))
    with pytest.raises(NotFound) as caught:
        await greet_member(bench.shop, shown)
    assert caught.value.code == code


@pytest.mark.parametrize("enrolled", range(4))
@pytest.mark.parametrize("shown", range(4))
async def test_a_read_that_proves_less_than_the_enrolment_is_refused(
    bench: Bench, enrolled: int, shown: int
) -> None:
    member = await bench.join("Ann", card("a", enrolled))
    if shown >= enrolled:
        assert await known_as(bench, card("a", shown)) == member
    else:
        with pytest.raises(Refused) as caught:
            await known_as(bench, card("a", shown))
        assert caught.value.code == "CARD_LEVEL_TOO_LOW"


@pytest.mark.parametrize(
    "name",
    [
        "\x1b@",
        "A\x1dV\x00",
        "\x10\x04\x01",
        "A\nB",
        "A\x7f",
        "A\x9b31m",
        "‮evil",
        "a\u200bb",
        "\ue000",
        "\ud800",
    ],
    ids=ascii,
)
async def test_a_name_that_could_command_a_printer_or_a_screen_is_refused(bench: Bench, name: str) -> None:
    before = bench.tables()
    with pytest.raises(Invalid) as caught:
        await bench.join(name, card("a"))
    assert caught.value.code == "NAME_CONTROL_CHARACTERS"
    assert bench.tables() == before


async def test_names_have_a_length(bench: Bench) -> None:
    await bench.join("王" * 60, card("a"))
    with pytest.raises(Invalid) as caught:
        await bench.join("王" * 61, card("b"))
    assert caught.value.code == "NAME_TOO_LONG"


@pytest.mark.parametrize(
    "phone", ["12345", "1" * 16, "1380013800a", "+", "１３８００１３８０００", "138\x00001380", "--"]
)
async def test_what_is_no_phone_number_is_refused(bench: Bench, phone: str) -> None:
    before = bench.tables()
    with pytest.raises(Invalid) as caught:
        await bench.join("Ann", phone=phone)
    assert caught.value.code == "PHONE_INVALID"
    assert bench.tables() == before


async def test_an_unknown_kind_of_credential_is_refused(bench: Bench) -> None:
    with pytest.raises(Invalid, match="CREDENTIAL_KIND_UNKNOWN"):
        await bench.join("Ann", Presented("voucher", "X", 3, "x"))
