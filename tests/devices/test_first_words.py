"""A printer that is connected first tells how the shop's machine is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tapledger.devices.printing import Printing
from tapledger.devices.receipts import status
from tapledger.membership.slips import Slip
from tapledger.settings import FilesSettings, Settings, ShopSettings, StoreSettings
from tapledger_drivers.device import DeviceInfo
from tests.devices.fakes import PATIENCE_S, FakePrinter, FakeReader, Room
from tests.store.shops import Bench

READER, PRINTER = "kiosk-reader", "receipt-printer"


class SlowReader(FakeReader):
    """Takes its time to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = asyncio.Event()

    async def open(self) -> DeviceInfo:
        await self.may_open.wait()
        return await super().open()


async def test_it_speaks_once_and_not_before_everything_was_tried(bench: Bench) -> None:
    printer, reader, links = FakePrinter(), SlowReader(), list[str]()
    room = Room({PRINTER: printer, READER: reader}, bench.clock)

    def status_slip(language: str) -> Slip:
        links.append(room.link(READER))
        return status.status_slip(bench.shop, language, (), status.Central(False, False, 0), "http://x")

    async def settled(_: str) -> None: ...

    settings = Settings(
        shop=ShopSettings(name="Tea Hill"),
        store=StoreSettings(folder=bench.folder),
        files=FilesSettings(program=Path("none"), catalogue=Path("none")),
    )
    printing = Printing(bench.shop, room.devices, settings, settled, room._note, status_slip)
    room.on_change = printing.poke
    loops = [asyncio.create_task(loop) for loop in (room.devices.run(), printing.run())]
    try:
        await room.until(lambda: room.link(PRINTER) == "online")
        assert links == []
        reader.may_open.set()
        async with asyncio.timeout(PATIENCE_S):
            await printer.printing.wait()
        room.devices.reopen(PRINTER)
        await room.until(lambda: room.devices.states[PRINTER].opened == 2)
        assert links == ["online"]
        assert bench.rows("SELECT kind FROM print_job") == [("status",)]
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
