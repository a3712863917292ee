"""Members' PINs: what is one, how often it may be wrong, and that nothing readable is kept."""

from __future__ import annotations

import pytest

from tapledger.errors import Denied, Invalid, NotFound
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.membership import identity, pins, privacy
from tapledger.membership.identity import Presented
from tests.store.shops import Bench, card

PIN, WRONG = "135792", "246801"


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12345a", "１２３４５６", "12 456", "-12345"])
async def test_a_pin_is_six_digits(bench: Bench, pin: str) -> None:
    member = await bench.join("Ann", card("a"))
    with pytest.raises(Invalid, match="PIN_NOT_SIX_DIGITS"):
        await pins.set_pin(bench.shop, member, pin)


@pytest.mark.parametrize("pin", ["000000", "777777", "123456", "654321", "890123", "210987"])
async def test_the_first_that_anybody_tries_is_none(bench: Bench, pin: str) -> None:
    member = await bench.join("Ann", card("a"))
    with pytest.raises(Invalid, match="PIN_TOO_EASY"):
        await pins.set_pin(bench.shop, member, pin)


async def test_a_right_one_forgets_the_wrong_ones(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await pins.set_pin(bench.shop, member, PIN)
    for _ in range(4):
        with pytest.raises(Denied, match="PIN_WRONG"):
            await pins.prove_pin(bench.shop, member, WRONG)
    await pins.prove_pin(bench.shop, member, PIN)
    with pytest.raises(Denied) as refused:
        await pins.prove_pin(bench.shop, member, WRONG)
    assert refused.value.data == {"left": 4}


async def test_five_wrong_ones_lock_it_over_a_restart_until_staff_set_another(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await pins.set_pin(bench.shop, member, PIN)
    for _ in range(5):
        with pytest.raises(Denied):
            await pins.prove_pin(bench.shop, member, WRONG)
    await bench.restart()
    assert not await pins.has_pin(bench.shop, member)
    with pytest.raises(Denied, match="PIN_LOCKED"):
        await pins.prove_pin(bench.shop, member, PIN)
    await pins.set_pin(bench.shop, member, "975310")
    await pins.prove_pin(bench.shop, member, "975310")


async def test_a_pin_of_another_member_is_wrong(bench: Bench) -> None:
    ann, bea = await bench.join("Ann", card("a")), await bench.join("Bea", card("b"))
    await pins.set_pin(bench.shop, ann, PIN)
    with pytest.raises(Denied, match="PIN_NOT_SET"):
        await pins.prove_pin(bench.shop, bea, PIN)
    ((verifier,),) = bench.rows("SELECT verifier FROM member_pin")
    assert PIN not in verifier
    assert verifier.startswith("$argon2id$")


async def test_whoever_is_forgotten_has_no_pin_any_more(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    await pins.set_pin(bench.shop, member, PIN)
    await privacy.erase_member(bench.shop, "erase-1", member, Erase("s-1"))
    assert bench.rows("SELECT count(*) FROM member_pin") == [(0,)]


async def test_nobody_has_no_pin(bench: Bench) -> None:
    with pytest.raises(NotFound, match="MEMBER_UNKNOWN"):
        await pins.set_pin(bench.shop, "nobody", PIN)


@pytest.mark.parametrize(("level", "proven"), [(0, 1), (1, 2), (2, 2), (3, 3)])
def test_a_proof_is_one_level_more_and_never_less(level: int, proven: int) -> None:
    shown = pins.proven(Presented("card", "a", level, "read"), "pin")
    assert (shown.level, shown.evidence) == (proven, "read + pin")


def test_what_an_emulated_reader_read_is_said_to_be_so_also_with_a_proof() -> None:
    """The slip is marked by the end of the evidence (devices/receipts/drawing.py)."""
    shown = pins.proven(identity.simulated(Presented("card", "a", 1, "read")), "pin")
    assert shown.evidence == f"read + pin{identity.SIMULATED}"


async def test_a_shop_alone_needs_no_lease(bench: Bench) -> None:
    member = await bench.join("Ann", card("a"))
    assert await pins.lifts(bench.shop, member)


async def test_away_from_central_a_bare_card_needs_points_that_wait_here(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await bench.join("Ann", card("a"))
    monkeypatch.setattr(pins, "_is_away", lambda shop: True)
    assert not await pins.lifts(bench.shop, member)
    await pins.set_pin(bench.shop, member, PIN)
    codes = []
    for _ in range(4):
        with pytest.raises(Denied) as refused:
            await pins.prove_pin(bench.shop, member, WRONG)
        codes.append(refused.value.code)
    assert codes == ["PIN_WRONG", "PIN_WRONG", "PIN_LOCKED", "PIN_LOCKED"]
