"""Consent, profiles and what a history may show, through the store that the shop runs on."""

from __future__ import annotations

import msgspec
import pytest

from tapledger.errors import Invalid, NotFound, Refused
from tapledger.loyalty.conditions import Scope
from tapledger.loyalty.effects import Credential
from tapledger.loyalty.life.consenting import Statement
from tapledger.loyalty.members import Member
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.membership import history, identity, privacy, profile
from tapledger.membership.identity import Presented
from tapledger.membership.profile import ProfileEdit
from tapledger.membership.tap import greet_member
from tapledger.store import people
from tapledger.wire.messages import FeedPage, FeedRow
from tests.store.shops import EARPHONES, TOWEL, Bench, card


def said(bench: Bench, granted: bool) -> Statement:
    return Statement(bench.key(), "marketing_sms", granted, "2026-1", "till")


async def test_g97_a_withdrawal_stops_messages_and_no_points(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await privacy.state_consent(bench.shop, "k-1", member, said(bench, True))
    assert await privacy.may_message(bench.shop, member, "marketing_sms")
    await privacy.state_consent(bench.shop, "k-2", member, said(bench, False))
    bench.clock.move(1)
    sent = [one for one in [member] if await privacy.may_message(bench.shop, one, "marketing_sms")]
    await bench.buy(member)
    assert (sent, await bench.points(member)) == ([], 12)
    assert not await privacy.may_message(bench.shop, "nobody", "programme")


# ---- profiles --------------------------------------------------------------------------------------------
async def test_a_profile_changes_and_the_new_number_names_its_member(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"), phone="13800000001")
    edit = ProfileEdit(name="Anne", phone="139 0000 0002")
    first = await profile.change_profile(bench.shop, "k-1", member, edit, "s-1")
    again = await profile.change_profile(bench.shop, "k-1", member, edit, "s-1")
    assert again.replayed and first.event.body.kind == "profile"
    known = (await greet_member(bench.shop, Presented("phone", "13900000002", 0, "typed"))).known
    assert (known.member.id, known.name) == (member, "Anne")
    with pytest.raises(NotFound):
        await greet_member(bench.shop, Presented("phone", "13800000001", 0, "typed"))
    assert "13900000002" not in str(bench.tables())
    await profile.change_profile(bench.shop, "k-2", member, ProfileEdit(phone=""), "s-1")
    with pytest.raises(NotFound):
        await greet_member(bench.shop, Presented("phone", "13900000002", 0, "typed"))
    assert (await greet_member(bench.shop, card("a"))).known.name == "Anne"


async def test_edits_that_are_refused_change_nothing(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"), phone="13800000001")
    await bench.join("Bob", phone="13900000002")
    before = bench.tables()
    for edit, code in (
        (ProfileEdit(phone="13900000002"), "CREDENTIAL_TAKEN"),
        (ProfileEdit(phone="12"), "PHONE_INVALID"),
        (ProfileEdit(name="\x1b@"), "NAME_CONTROL_CHARACTERS"),
    ):
        with pytest.raises((Refused, Invalid), match=code):
            await profile.change_profile(bench.shop, "k-1", member, edit, "s-1")
    for chosen in (("x" * 41,), tuple(map(str, range(21))), (" ",)):
        with pytest.raises(Invalid, match="PREFERENCES_TOO_MANY"):
            await profile.set_preferences(bench.shop, "k-2", member, chosen, "s-1")
    assert bench.tables() == before


async def test_choices_and_birthdays_are_kept(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await profile.set_preferences(bench.shop, "k-1", member, ("tea", "wechat", "tea"), "s-1")
    await profile.set_birthday(bench.shop, "k-2", member, SetBirthday(2, 29))
    known = (await greet_member(bench.shop, card("a"))).known.member
    assert known.tags == {"preferences": ("tea", "wechat")}
    assert known.birthday is not None and (known.birthday.month, known.birthday.day) == (2, 29)
    with pytest.raises(Refused):
        await profile.set_birthday(bench.shop, "k-3", member, SetBirthday(3, 1))


# ---- sensitive articles ----------------------------------------------------------------------------------
async def test_a_history_does_not_name_sensitive_articles(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await bench.buy(member, TOWEL)
    await bench.buy(member, EARPHONES)
    bench.shop.program = msgspec.structs.replace(bench.shop.program, sensitive=Scope(categories=["home"]))
    earphones, towel, _ = await history.history(bench.shop, member)
    assert [line.sku for line in earphones.lines] == [EARPHONES] and earphones.hidden_lines == 0
    assert (towel.lines, towel.hidden_lines, towel.total_minor) == ((), 1, 1200)
    assert TOWEL not in repr(towel)
    with pytest.raises(NotFound):
        await history.history(bench.shop, "nobody")


async def test_a_number_stays_that_no_profile_here_has(bench: Bench) -> None:
    """A shop's own member after its disk came back from central, which has not told the profile yet."""
    member = await bench.join("Ann", phone="13800000001")
    await bench.shop.store.transact(lambda tx: people.forget(tx, member))
    await profile.change_profile(bench.shop, "k-1", member, ProfileEdit(name="Anne"), "s-1")
    known = (await greet_member(bench.shop, Presented("phone", "13800000001", 0, "typed"))).known
    assert (known.member.id, known.name) == (member, "Anne")
    await bench.shop.store.transact(lambda tx: people.forget(tx, member))
    await profile.change_profile(bench.shop, "k-2", member, ProfileEdit(phone=""), "s-1")
    with pytest.raises(NotFound):
        await greet_member(bench.shop, Presented("phone", "13800000001", 0, "typed"))


async def test_what_is_not_kept_here_is_not_changed_in_part(bench: Bench) -> None:
    old = identity.index(bench.shop, "phone", "13800000001")
    cards = (Credential("phone", old, 0),)
    told = Member("m-1", bench.clock.now(), credentials=cards)
    row = FeedRow.of(told, version=1)
    page = FeedPage(rows=[row], cursor=1, more=False, at=bench.clock.now())
    await bench.shop.store.apply_page(page)
    before = bench.tables()
    for part in (ProfileEdit(name="Anne"), ProfileEdit(phone="13900000002"), ProfileEdit(language="en")):
        with pytest.raises(Refused, match="PROFILE_ELSEWHERE"):
            await profile.change_profile(bench.shop, bench.key(), "m-1", part, "s-1")
    assert bench.tables() == before
    await profile.change_profile(bench.shop, "k-1", "m-1", ProfileEdit("Anne", "13900000002"), "s-1")
    known = (await greet_member(bench.shop, Presented("phone", "13900000002", 0, "typed"))).known
    assert (known.member.id, known.name) == ("m-1", "Anne")
    with pytest.raises(NotFound):
        await greet_member(bench.shop, Presented("phone", "13800000001", 0, "typed"))
