"""Lost cards, cards with one short number, numbers with and without the country, cards on a telephone."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.errors import Invalid, NotFound, Refused, TapledgerError
from tapledger.loyalty.life import virtual_card
from tapledger.loyalty.members import Member
from tapledger.loyalty.program.people import Membership
from tapledger.membership import cards, identity, scanning
from tapledger.membership.identity import Presented
from tapledger.membership.looking_up import look_up
from tapledger.membership.registration import Joining, link_credential, register_member
from tapledger.membership.tap import Greeting, greet_member
from tapledger.membership.virtual_cards import issue_virtual_card, prove_virtual_card
from tapledger.store import members
from tests.store.shops import Bench, card

UID = Presented("uid", "04A1B2C3", 0, "uid-only")
LONG_UID = Presented("uid", "04A1B2C3D4E5F6", 0, "uid-only")


async def state(bench: Bench, member: str) -> Member:
    stored = await bench.shop.store.transact(lambda tx: members.load(tx, member))
    assert stored is not None
    return stored.member


async def known_as(bench: Bench, presented: Presented, tail: str = "") -> str:
    return (await greet_member(bench.shop, presented, tail)).known.member.id


async def code_of(bench: Bench, presented: Presented, tail: str = "") -> str:
    with pytest.raises(TapledgerError) as caught:
        await greet_member(bench.shop, presented, tail)
    return caught.value.code


# ---- lost ------------------------------------------------------------------------------------------------
async def test_a_lost_card_is_refused_at_once_and_rings(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"), card("b"))
    lost = (await state(bench, member)).credentials[0].index
    await cards.block_card(bench.shop, "k-1", member, lost, "lost", "s-1")
    assert await code_of(bench, card("a")) == "CARD_BLOCKED"
    assert await known_as(bench, card("b")) == member
    (alarm,) = await cards.newest_alarms(bench.shop)
    assert (alarm.code, alarm.member, alarm.evidence) == ("CARD_BLOCKED", member, "test")
    await cards.unblock_card(bench.shop, "k-2", member, lost, "s-1")
    assert await known_as(bench, card("a")) == member


async def test_a_replaced_card_is_refused_and_the_new_one_is_good(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    old = (await state(bench, member)).credentials[0].index
    await cards.limit_card(bench.shop, "k-1", member, old, 5000, "s-1")
    await cards.replace_card(bench.shop, "k-2", member, old, card("new"), "s-1")
    assert await code_of(bench, card("a")) == "CARD_BLOCKED"
    assert await known_as(bench, card("new")) == member
    assert [one.day_limit_minor for one in (await state(bench, member)).credentials] == [5000, 5000]


async def test_what_is_refused_changes_nothing(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.join("Bob", card("b"))
    index = (await state(bench, member)).credentials[0].index
    before = bench.tables()
    for attempt, code in (
        (cards.block_card(bench.shop, "k-1", member, "x", "lost", "s"), "CREDENTIAL_NOT_YOURS"),
        (cards.unblock_card(bench.shop, "k-2", member, index, "s"), "CARD_NOT_BLOCKED"),
        (cards.replace_card(bench.shop, "k-3", member, index, card("b"), "s"), "CREDENTIAL_TAKEN"),
        (cards.limit_card(bench.shop, "k-4", member, index, -1, "s"), "AMOUNT_TOO_LARGE"),
        (cards.limit_card(bench.shop, "k-5", member, index, 2**70, "s"), "AMOUNT_TOO_LARGE"),
        (cards.link_shared_uid(bench.shop, "k-6", member, LONG_UID, "s"), "CREDENTIAL_TAKEN"),
        (cards.block_card(bench.shop, "k-7", "nobody", index, "lost", "s"), "MEMBER_UNKNOWN"),
    ):
        with pytest.raises(TapledgerError, match=code):
            await attempt
    assert bench.tables() == before


# ---- one short number on two cards -----------------------------------------------------------------------
async def test_smaller_g_two_cards_with_one_short_uid_are_never_guessed(bench: Bench) -> None:
    ann = await bench.join("Ann", UID, phone="13800000001")
    bob = await bench.join("Bob", phone="13900000002")
    with pytest.raises(Refused, match="CREDENTIAL_TAKEN"):
        await link_credential(bench.shop, "k-1", bob, UID, "s-1")
    await cards.link_shared_uid(bench.shop, "k-2", bob, UID, "s-1")
    assert await code_of(bench, UID) == "PHONE_TAIL_NEEDED"
    assert await known_as(bench, UID, "0001") == ann
    assert await known_as(bench, UID, "0002") == bob
    for tail in ("0003", "1", "000", "13800000001", "١٢٣٤"):
        assert await code_of(bench, UID, tail) == "PHONE_TAIL_WRONG"
    with pytest.raises(Refused, match="CREDENTIAL_ALREADY_YOURS"):
        await cards.link_shared_uid(bench.shop, "k-3", bob, UID, "s-1")


async def test_smaller_g_the_same_last_digits_are_not_guessed_either(bench: Bench) -> None:
    await bench.join("Ann", UID, phone="13800000001")
    bob = await bench.join("Bob", phone="13900000001")
    await cards.link_shared_uid(bench.shop, "k-1", bob, UID, "s-1")
    assert await code_of(bench, UID, "0001") == "PHONE_TAIL_WRONG"


# ---- one phone number, however it is written --------------------------------------------------------------
@pytest.mark.parametrize("typed", ["13812345678", "+86 138 1234 5678", "+8613812345678", "0086 13812345678"])
@pytest.mark.parametrize("again", ["13812345678", "+86 138 1234 5678", "008613812345678"])
async def test_with_and_without_the_country_it_is_one_member(bench: Bench, typed: str, again: str) -> None:
    bench.shop.program = msgspec.structs.replace(
        bench.shop.program, membership=Membership(phone_prefix="+86")
    )
    member = await bench.join("Ann", phone=typed)
    assert await known_as(bench, Presented("phone", identity.normal_phone(again), 0, "typed")) == member
    with pytest.raises(Refused, match="CREDENTIAL_TAKEN"):
        await register_member(bench.shop, Joining("k", "Eve", again, (), None))


async def test_abroad_is_another_number(bench: Bench) -> None:
    home = Membership(phone_prefix="+81", phone_trunk="0")
    bench.shop.program = msgspec.structs.replace(bench.shop.program, membership=home)
    member = await bench.join("Ann", phone="+81 90-1234-5678")
    assert await known_as(bench, Presented("phone", "09012345678", 0, "typed")) == member
    assert await code_of(bench, Presented("phone", "+869012345678", 0, "typed")) == "PHONE_UNKNOWN"


# ---- a card on a telephone -------------------------------------------------------------------------------
async def test_r11_a_telephones_code_names_its_member_once(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    phone = await issue_virtual_card(bench.shop, "k-1", member, "s-1")
    assert await issue_virtual_card(bench.shop, "k-1", member, "s-1") == phone
    code = virtual_card.code(phone.secret, phone.number, virtual_card.slot(bench.clock.now()))
    (found,) = await look_up(bench.shop, scanning.read(code))
    assert isinstance(found, Greeting)
    assert (found.known.member.id, found.known.presented.level) == (member, 2)
    with pytest.raises(Refused, match="VIRTUAL_CODE_USED"):
        await prove_virtual_card(bench.shop, code)
    bench.clock.move(61)
    with pytest.raises(Refused, match="VIRTUAL_CODE_OLD"):
        await prove_virtual_card(bench.shop, code)


async def test_r11_a_new_telephone_takes_the_place_of_the_old(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    old = await issue_virtual_card(bench.shop, "k-1", member, "s-1")
    new = await issue_virtual_card(bench.shop, "k-2", member, "s-1")
    slot = virtual_card.slot(bench.clock.now())
    with pytest.raises(NotFound, match="CARD_UNKNOWN"):
        await prove_virtual_card(bench.shop, virtual_card.code(old.secret, old.number, slot))
    shown = await prove_virtual_card(bench.shop, virtual_card.code(new.secret, new.number, slot))
    assert await known_as(bench, shown) == member
    assert await code_of(bench, Presented("virtual", old.number, 2, "test")) == "CARD_BLOCKED"


async def test_r11_the_number_alone_names_nobody(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    phone = await issue_virtual_card(bench.shop, "k-1", member, "s-1")
    assert await code_of(bench, Presented("virtual", phone.number, 0, "typed")) == "CARD_LEVEL_TOO_LOW"
    with pytest.raises(Invalid, match="VIRTUAL_CODE_MISTYPED"):
        await prove_virtual_card(bench.shop, phone.number)
    assert phone.secret not in bench.database.read_bytes()


@pytest.mark.parametrize("prefix", ["86", "+", "+086", "+8612345", "+86 "])
def test_a_prefix_that_no_number_begins_with_is_refused(prefix: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"phone_prefix": prefix}, Membership)
