"""A fault pulled at the bench of a running shop shows on its console, and is gone when the fault is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tapledger.lab import simulate
from tapledger.lab.chain import SHOPS, Chain
from tapledger.lab.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

CABLE = {"unplug": ""}
PRINTER = {
    **CABLE,
    "go_awol": "",
    "paper_out": "paper_out",
    "cover_open": "cover_open",
    "cutter_jam": "",
}
SHOWN: dict[tuple[str, str], dict[str, str]] = {
    ("shop-a", "kiosk-reader"): {"unplug": "", "pcscd_kill": ""},
    ("shop-a", "till-scanner"): CABLE,
    ("shop-a", "receipt-printer"): PRINTER,
    ("shop-b", "kiosk-reader"): {**CABLE, "go_awol": ""},
    ("shop-b", "receipt-printer"): PRINTER,
    ("shop-b", "customer-display"): CABLE,
    ("shop-b", "till-light"): CABLE,
}
"""What shows without anybody using the device, and the reason where only one can be meant."""
EVERY = [(*place, verb, reason) for place, verbs in SHOWN.items() for verb, reason in verbs.items()]


CARD_FAULTS = {
    "torn_card": "CARD_TORN",
    "two_cards": "CARD_TWO_AT_ONCE",
    "random_uid": "CARD_NUMBER_CHANGES",
    "wrong_atr": "CARD_TORN",
}
"""What the member in front of the kiosk is told."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """Yield a running chain: central and two shops as processes, on the devices of their benches."""
    # pcscd looks at a virtual reader every 0.4 s: a card must be away for longer to be another one.
    kiosk: dict[str, float | str] = {"trouble_s": 0.9, "goodbye_s": 0.1}
    made = Chain(tmp_path_factory.mktemp("chain"), (0, 0, 0), lambda sentence: None, kiosk)
    await made.start()
    try:
        assert made.station is not None, "these tests need pcscd"
        yield made
    finally:
        await made.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def consoles(chain: Chain) -> AsyncIterator[dict[str, Visitor]]:
    """Yield a technician before the console of each shop."""
    made = {shop: Visitor(chain.ports[shop], "console") for shop in SHOPS}
    for visitor in made.values():
        await visitor.__aenter__()
    yield made
    for visitor in made.values():
        await visitor.__aexit__()


def device(snapshot: dict[str, Any], role: str) -> dict[str, Any]:
    return next(dict(one) for one in snapshot["devices"] if one["role"] == role)


async def test_every_device_of_both_shops_is_ready_and_marked_virtual(
    chain: Chain, consoles: dict[str, Visitor]
) -> None:
    for shop, console in consoles.items():
        roles = set(chain.benches[shop].devices)
        shown = await console.until(
            lambda s, roles=roles: {d["role"] for d in s["devices"] if d["link"] == "online"} == roles,  # type: ignore[misc]
            f"not every device of {shop} is ready",
        )
        assert all(one["virtual"] for one in shown["devices"])


@pytest.mark.parametrize(("shop", "role", "verb", "reason"), EVERY)
async def test_a_fault_shows_and_clears_by_itself(
    chain: Chain, consoles: dict[str, Visitor], shop: str, role: str, verb: str, reason: str
) -> None:
    console = consoles[shop]
    await console.until(lambda s: device(s, role)["link"] == "online", f"{role} is not ready")
    await simulate.fault(chain.folder, shop, role, verb, True, None)
    shown = await console.until(lambda s: device(s, role)["link"] != "online", f"{verb} does not show")
    trouble = device(shown, role)
    assert trouble["sentence"] and trouble["next_step"]
    if reason:
        assert trouble["reason"] == reason
    await simulate.fault(chain.folder, shop, role, verb, False, None)
    mended = await console.until(lambda s: device(s, role)["link"] == "online", f"{verb} does not clear")
    assert device(mended, role)["reason"] == ""


@pytest.mark.parametrize("shop", SHOPS)
async def test_a_roll_that_is_almost_done_is_said_and_the_printer_stays_ready(
    chain: Chain, consoles: dict[str, Visitor], shop: str
) -> None:
    await simulate.fault(chain.folder, shop, "receipt-printer", "near_end", True, None)
    shown = await consoles[shop].until(
        lambda s: device(s, "receipt-printer")["near_end"] is True, "it does not show"
    )
    assert device(shown, "receipt-printer")["link"] in ("online", "degraded")
    await simulate.fault(chain.folder, shop, "receipt-printer", "near_end", False, None)
    await consoles[shop].until(
        lambda s: device(s, "receipt-printer")["near_end"] is False, "it does not clear"
    )


async def test_one_hung_reader_leaves_the_other_devices_alone(
    chain: Chain, consoles: dict[str, Visitor]
) -> None:
    console = consoles["shop-b"]
    await simulate.fault(chain.folder, "shop-b", "kiosk-reader", "go_awol", True, None)
    await console.until(lambda s: device(s, "kiosk-reader")["link"] != "online", "it does not show")
    others = [one["link"] for one in console.snapshot["devices"] if one["role"] != "kiosk-reader"]
    assert set(others) == {"online"}
    await simulate.fault(chain.folder, "shop-b", "kiosk-reader", "go_awol", False, None)
    await console.until(lambda s: device(s, "kiosk-reader")["link"] == "online", "it does not clear")


@pytest.mark.parametrize("shop", SHOPS)
async def test_what_is_wrong_with_a_card_is_said_at_the_kiosk(chain: Chain, shop: str) -> None:
    async with Visitor(chain.ports[shop], "kiosk") as kiosk:
        for verb, code in CARD_FAULTS.items():
            await kiosk.until_screen("attract")
            await simulate.fault(chain.folder, shop, "kiosk-reader", verb, True, None)
            await simulate.insert(chain.folder, shop, "wang", "kiosk-reader")
            trouble = await kiosk.until_screen("trouble")
            assert trouble["problem"]["code"] == code, verb
            await simulate.remove(chain.folder, shop, "kiosk-reader")
            await simulate.fault(chain.folder, shop, "kiosk-reader", verb, False, None)
        await kiosk.until_screen("attract")
        await simulate.insert(chain.folder, shop, "wang", "kiosk-reader")
        await kiosk.until_screen("balance")
        await simulate.remove(chain.folder, shop, "kiosk-reader")
