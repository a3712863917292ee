"""Where no pcscd runs, the readers inside a shop's own process break and mend as the bench says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapledger.lab import simulate
from tapledger.lab.chain import Chain
from tapledger.lab.visitor import Snapshot, Visitor
from tapledger_drivers.emulators.reader_station import ReaderStation, StationUnavailable

SHOP, READER = "shop-a", "kiosk-reader"
CARD_FAULTS = {"torn_card": "CARD_TORN", "two_cards": "CARD_TWO_AT_ONCE", "wrong_atr": "CARD_TORN"}


def link(console: Snapshot) -> str:
    return next(str(one["link"]) for one in console["devices"] if one["role"] == READER)


async def test_a_simulated_reader_has_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unavailable(directory: Path, readers: int = 2) -> ReaderStation:
        raise StationUnavailable("pcscd_missing", "Install pcscd.")

    monkeypatch.setattr(ReaderStation, "start", unavailable)
    chain = Chain(tmp_path, (0, 0, 0), lambda sentence: None, {"trouble_s": 0.5, "goodbye_s": 0.1})
    await chain.start()
    try:
        port = chain.ports[SHOP]
        async with Visitor(port, "console") as console, Visitor(port, "kiosk") as kiosk:
            await console.until(lambda s: link(s) == "online", "the reader is not ready")
            await simulate.fault(chain.folder, SHOP, READER, "unplug", True, None)
            await console.until(lambda s: link(s) == "absent", "unplug does not show")
            await simulate.fault(chain.folder, SHOP, READER, "unplug", False, None)
            await console.until(lambda s: link(s) == "online", "it does not come back")
            for verb, code in CARD_FAULTS.items():
                await kiosk.until_screen("attract")
                await simulate.fault(chain.folder, SHOP, READER, verb, True, None)
                await simulate.insert(chain.folder, SHOP, "wang", READER)
                trouble = await kiosk.until_screen("trouble")
                assert trouble["problem"]["code"] == code, verb
                await simulate.remove(chain.folder, SHOP, READER)
                await simulate.fault(chain.folder, SHOP, READER, verb, False, None)
            await kiosk.until_screen("attract")
            await simulate.insert(chain.folder, SHOP, "wang", READER)
            await kiosk.until_screen("balance")
    finally:
        await chain.stop()
