"""Personal data lies behind one door: nothing in the files tells a name, a number, a card or a voucher."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapledger.errors import Corrupt
from tapledger.membership import basket as baskets
from tapledger.membership import slips
from tapledger.membership.identity import Presented
from tapledger.membership.tap import greet_member
from tapledger.store import people, prints
from tapledger.wire.messages import SealedProfile
from tests.store.shops import EARPHONES, TOWEL, Bench, card

NAME, PHONE, CARD, NUMBER = "Canary Wáng", "13812345678", "C-CANARY-77", "9100000099"


def traces(folder: Path, needles: list[str]) -> list[str]:
    found = []
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        found += [f"{needle} in {path.name}" for needle in needles if needle.encode() in content]
    return found


async def test_the_files_know_nobody(bench: Bench) -> None:
    shown = [card(CARD), Presented("barcode", NUMBER, 0, "scanned")]
    member = await bench.join(NAME, *shown, phone=PHONE)
    basket = baskets.add(baskets.Basket(sale="sale-1"), TOWEL, 2)
    for presented in (*shown, Presented("phone", PHONE, 0, "typed")):
        greeting = await greet_member(bench.shop, presented)
        await baskets.keep(bench.shop, "till-1", baskets.of_member(basket, greeting.known))
    await bench.buy(member, EARPHONES)
    redeemed = await bench.redeem(member)
    needles = [NAME, "Canary", "Wáng", "C**", PHONE, PHONE[-8:], CARD, NUMBER, redeemed.voucher,
               redeemed.voucher.replace("-", "")]  # fmt: skip
    assert bench.database.with_name("shop.db-wal").stat().st_size > 0, "what was written is still there too"
    assert traces(bench.folder, needles) == []
    await bench.close()
    assert traces(bench.folder, needles) == []
    await bench.open()


async def test_what_is_sealed_can_be_read_by_its_own_shop(bench: Bench) -> None:
    member = await bench.join(NAME, card(CARD), phone=PHONE)
    await bench.buy(member, EARPHONES)
    redeemed = await bench.redeem(member)
    store = bench.shop.store
    profile = await store.transact(lambda tx: people.get(tx, member))
    assert profile is not None
    assert people.unseal(store.keyring.profile_key, profile) == people.Profile(name=NAME, phone=PHONE)
    slip = await store.transact(lambda tx: slips.stored(tx, bench.shop, redeemed.job))
    assert slip is not None
    assert (slip.member_name, slip.voucher, slip.points) == ("C**", redeemed.voucher, 199)


@pytest.mark.parametrize("altered", ["another member's", "flipped", "cut", "empty"])
async def test_an_altered_profile_is_told_and_stops_no_sale(bench: Bench, altered: str) -> None:
    member = await bench.join(NAME, card(CARD))
    other = await bench.join("Bob", card("b"))
    key = bench.shop.store.keyring.profile_key
    whole = await bench.shop.store.transact(lambda tx: people.get(tx, member))
    theirs = await bench.shop.store.transact(lambda tx: people.get(tx, other))
    assert whole is not None and theirs is not None
    sealed = {
        "another member's": theirs.sealed,
        "flipped": whole.sealed[:-1] + bytes([whole.sealed[-1] ^ 1]),
        "cut": whole.sealed[:20],
        "empty": b"",
    }[altered]
    damaged = SealedProfile(member=member, digest=whole.digest, sealed=sealed)
    with pytest.raises(Corrupt) as caught:
        people.unseal(key, damaged)
    assert caught.value.code == "PROFILE_UNREADABLE"
    await bench.shop.store.transact(lambda tx: people.put(tx, damaged))
    assert (await bench.buy(member, EARPHONES)).event.body.member == member


async def test_a_slip_sealed_for_another_job_is_told(bench: Bench) -> None:
    recorded = await bench.buy(None)
    name = slips.job_id(recorded)
    job = await bench.shop.store.transact(lambda tx: prints.get(tx, name))
    assert job is not None
    with pytest.raises(Corrupt) as caught:
        slips.read(bench.shop, "slip-another", job.document)
    assert caught.value.code == "SLIP_UNREADABLE"
