"""Everything that prints, in one place: the queue, the templates, the paper that is left, and the drawer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tapledger.devices.drawer import DrawerLoop, Kick
from tapledger.devices.paper_keeper import PAPER_OUT, PaperKeeper
from tapledger.devices.prints import PrintLoop
from tapledger.devices.receipts import templates
from tapledger.devices.roles import CASH_DRAWER, RECEIPT_PRINTER
from tapledger.devices.state import UNDECIDED
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.errors import Unavailable
from tapledger.membership import slips
from tapledger.membership.shop import Shop
from tapledger.membership.slips import Slip
from tapledger.settings import Settings
from tapledger_drivers.ports import CashDrawer

MM_PER_M = 1000


class Printing:
    """Runs the print loop, the drawer and the watch over the paper. ``poke`` when something was queued or a
    device changed; ``on_settled`` is told of each slip with another fate than before, ``on_change`` of the
    rest; ``status_slip`` is printed when a printer is here for the first time."""

    def __init__(
        self,
        shop: Shop,
        devices: DeviceSupervisor,
        settings: Settings,
        on_settled: Callable[[str], Awaitable[None]],
        on_change: Callable[[], None],
        status_slip: Callable[[str], Slip],
    ) -> None:
        folder, logo = settings.receipts.folder, settings.receipts.logo
        self.templates = templates.load(Path(folder) if folder else None, Path(logo) if logo else None)
        self.paper = PaperKeeper(shop.store, shop.clock, settings.receipts.roll_m * MM_PER_M)
        self._shop = shop
        self._devices = devices
        self._on_change = on_change
        self._status_slip = status_slip
        self._has_drawer_device = CASH_DRAWER in devices.states
        self._loop = PrintLoop(shop, devices, on_settled, self.templates, self.paper)
        self._drawer = DrawerLoop(shop, self._way_to_drawer, on_settled)
        self._changed = asyncio.Event()
        self._status_due = False
        """A printer is connected first: it tells how everything is once everything has been tried."""

    def poke(self) -> None:
        self._drawer.poke()
        self._loop.poke()
        self._changed.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for loop in (self._loop.run(), self._drawer.run(), self._watch_paper()):
                group.create_task(loop)

    async def print_status(self, language: str) -> None:
        """Queue a slip that says how this shop's machine is."""
        job, slip = f"status-{self._shop.new_id()}", self._status_slip(language)
        await self._shop.store.transact(lambda tx: slips.enqueue(tx, self._shop, job, slip))
        self.poke()

    @property
    def drawer_open(self) -> bool | None:
        """What the drawer's switch says; None where nobody can tell. A printer tells it with its paper."""
        if not self._shop.has_drawer:
            return None
        state = self._devices.states.get(RECEIPT_PRINTER)
        return None if state is None else state.drawer_open

    async def _watch_paper(self) -> None:
        while True:
            self._changed.clear()
            state = self._devices.states.get(RECEIPT_PRINTER)
            if state is not None and state.info is not None and state.is_open:
                self._status_due |= await self.paper.attach(state.info)
                # Of its paper only a printer that answers says something.
                says = state.ready or state.reason == PAPER_OUT
                if says and await self.paper.seen(reason=state.reason, near_end=state.near_end):
                    self._on_change()
            if self._status_due and not any(one.link in UNDECIDED for one in self._devices.states.values()):
                self._status_due = False
                with suppress(Unavailable):  # nobody asked for this slip
                    await self.print_status(self._shop.language)
            await self._changed.wait()

    def _way_to_drawer(self) -> Kick | None:
        if self._has_drawer_device:
            drawer = self._devices.driver(CASH_DRAWER)
            return drawer.kick if isinstance(drawer, CashDrawer) else None
        printer = self._devices.printer(RECEIPT_PRINTER)
        return None if printer is None else printer.kick_drawer
